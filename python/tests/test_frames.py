"""The frames against the store, the program's own JSON, and its pages."""
import json
import math
import shutil
import sqlite3
import struct
import subprocess
import time
import unittest
from contextlib import closing

import numpy as np
import pandas as pd
from programs import PROGRAM, TINY, Runs, listed, objects, supertop

from supertop_runs import Run, runs

# What the JSON of an epoch calls the columns of the store.
EPOCH_FIELDS = {
    "val_loss": "validation_loss", "val_accuracy": "validation_accuracy",
    "argmax_latency_ms": "argmax_latency", "top1": "validation_accuracy", "top5": "top_five",
}
FRAMES = ["steps", "epochs", "choices", "interventions", "log", "sessions", "derived", "trials"]


def select(run, query):
    with closing(sqlite3.connect(f"file:{run.path}/run.sqlite?mode=ro", uri=True)) as store:
        return store.execute(query).fetchall()


class Frames(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Runs.made()
        names = ["search-2", "search-10", "random", "joint", "training", "new"]
        cls.runs = {name: Run(cls.folder / name) for name in names}

    def test_columns_are_those_of_the_page(self):
        run = self.runs["search-2"]
        for name in ["steps", "epochs", "choices", "log", "sessions"]:
            self.assertEqual(list(getattr(run, name)()), listed(f"table {name}"), name)
        asked = list(run.interventions())
        asked.remove("arguments")
        self.assertEqual(asked, listed("table interventions"))
        self.assertEqual(list(run.derived()), listed("derived network"))
        columns = set(self.runs["joint"].trials())
        fields = set(listed("reported candidate")) - {"recipe"}
        self.assertLessEqual(fields, columns)
        recipe = {name for name in columns if name.startswith("recipe.")}
        self.assertEqual(recipe, {f"recipe.{name}" for name in listed("recipe")})

    def test_every_row_of_the_store_is_in_a_frame(self):
        for run in self.runs.values():
            for name in FRAMES:
                count = select(run, f"SELECT count(*) FROM {name}")[0][0]
                self.assertEqual(len(getattr(run, name)()), count, f"{run} {name}")
            widths = select(run, "SELECT sum(length(logits) / 4) FROM thetas")[0][0] or 0
            self.assertEqual(len(run.thetas()), widths, run)
        kinds = [run.kind for run in self.runs.values()]
        self.assertEqual(kinds, ["search", "search", "random", "joint", "training", "search"])
        for name, frame in [("search-2", "derived"), ("search-10", "thetas"), ("joint", "trials")]:
            self.assertGreater(len(getattr(self.runs[name], frame)()), 0)

    def test_steps_and_epochs_are_the_events_of_the_program(self):
        for name in ["search-2", "search-10", "random", "training"]:
            run = self.runs[name]
            events = objects("watch", run.path, "--headless", "--json")
            for kind, frame in [("step", run.steps()), ("epoch", run.epochs())]:
                told = [event for event in events if event["event"] == kind]
                self.assertEqual(len(told), len(frame))
                self.assertGreater(len(told), 0)
                for field in set(told[0]) - {"event"}:
                    column = EPOCH_FIELDS.get(field, field) if kind == "epoch" else field
                    values = [event.get(field) for event in told]
                    if frame[column].dtype == "string":
                        self.assertEqual(list(frame[column]), values, field)
                    else:
                        # The program prints what was a 32-bit float with its own digits.
                        np.testing.assert_allclose(
                            frame[column].astype(float), np.array(values, dtype=float),
                            rtol=1e-6, err_msg=f"{name} {field}",
                        )
            self.assertEqual(run.result(), events[-1])

    def test_probabilities_are_those_of_the_program(self):
        for name in ["search-2", "search-10"]:
            run = self.runs[name]
            thetas = run.thetas()
            sums = thetas.groupby(["step", "choice"], observed=True)["probability"].sum()
            np.testing.assert_allclose(sums, 1, rtol=1e-12)
            middle = int(thetas["step"].median()) + 1
            for at, options in [(math.inf, []), (middle, ["--at", middle])]:
                (shown,) = objects("show", run.path, "--screen", "choices", "--json", *options)
                told = [
                    (choice["id"], option["name"], option["probability"])
                    for choice in shown["choices"] for option in choice["options"]
                ]
                found = run.thetas(at=at)
                self.assertEqual(list(found["choice"]), [row[0] for row in told])
                self.assertEqual(list(found["option"]), [row[1] for row in told])
                np.testing.assert_allclose(
                    found["probability"], [row[2] for row in told], rtol=1e-5, atol=1e-7
                )

    def test_thetas_are_the_floats_of_the_blobs(self):
        run = self.runs["search-10"]
        frame = run.thetas()
        for column in ["logit", "accuracy_pull", "cost_pull"]:
            table = column.replace("logit", "logits")
            blobs = select(run, f"SELECT {table} FROM thetas ORDER BY step")
            told = [item for (blob,) in blobs for (item,) in struct.iter_unpack("<f", blob)]
            self.assertEqual(list(frame[column]), told)
        steps = list(dict.fromkeys(frame["step"]))
        thinned = list(dict.fromkeys(run.thetas(every=3)["step"]))
        self.assertEqual(thinned, steps[::-1][::3][::-1])
        one = run.thetas(choice="stem width")
        self.assertTrue(one.equals(run.thetas(choice="stem.width")))
        self.assertEqual(set(one["choice"]), {"stem.width"})
        whole = frame[frame["choice"] == "stem.width"].reset_index(drop=True)
        np.testing.assert_array_equal(one["probability"], whole["probability"])

    def test_options_have_their_prices(self):
        options = self.runs["search-10"].options()
        rows = options[options["choice"] == "stem.width"]
        self.assertEqual(list(rows["value"]), [8, 12, 16])
        (told,) = select(
            self.runs["search-10"],
            "SELECT flops, params FROM choice_prices WHERE choice = 'stem.width'",
        )
        self.assertEqual(list(rows["flops"]), json.loads(told[0]))
        self.assertEqual(list(rows["params"]), json.loads(told[1]))
        self.assertTrue(rows["latency"].isna().all())
        counts = [len(names) for names in self.runs["search-10"].choices()["options"]]
        self.assertEqual(len(options), sum(counts))

    def test_candidates_are_those_of_the_report(self):
        run = self.runs["joint"]
        trials = run.trials()
        (report,) = objects("report", run.path, "--json")
        self.assertEqual(report["progress"].keys() - run.joint().keys(), set())
        for row, told in zip(trials.to_dict("records"), report["candidates"], strict=True):
            for field, value in told.items():
                if field == "recipe":
                    found = {name: row[f"recipe.{name}"] for name in value}
                else:
                    found = row[field]
                self.assertEqual(found, value, field)
            self.assertEqual(row["epochs"], len(told["val_accuracies"]))
            self.assertEqual(row["val_accuracy"], told["val_accuracies"][-1])
            for index, choice in enumerate(report["choices"]):
                if choice["kind"] != "recipe":
                    option = choice["options"][told["options"][index]]
                    value = option.get("value", option["name"])
                    self.assertEqual(row[choice["id"]], value, choice["id"])
        header = supertop("report", run.path, "--csv").splitlines()[0].split(",")
        picked = [name for name in header if "." in name and not name.startswith("recipe.")]
        self.assertGreater(len(picked), 5)
        self.assertLessEqual(set(picked), set(trials))

    def test_runs_are_those_that_the_program_lists(self):
        (told,) = objects("runs", self.folder, "--json")
        frame = runs(self.folder)
        self.assertEqual(list(frame["name"]), [row["name"] for row in told["runs"]])
        for found, row in zip(frame.to_dict("records"), told["runs"], strict=True):
            for field in set(row) & set(found) - {"data"}:
                value = found[field]
                if field == "begun_at":
                    value = value.timestamp()
                if isinstance(value, float):
                    self.assertAlmostEqual(value, row[field], 5, f"{row['name']} {field}")
                else:
                    self.assertEqual(value, row[field], f"{row['name']} {field}")
            self.assertEqual(found["data"], row["data"])
        deep = list(runs(self.folder, deep=True)["path"])
        self.assertEqual(sum("/trials/" in path for path in deep), len(self.runs["joint"].trials()))
        self.assertEqual(sum("/derived/" in path for path in deep), 1)

    def test_a_run_that_has_not_begun_has_empty_frames(self):
        new, full = self.runs["new"], self.runs["search-2"]
        for name in [*FRAMES, "options", "thetas"]:
            empty, other = getattr(new, name)(), getattr(full, name)()
            self.assertEqual(len(empty), 0)
            if name != "trials":
                self.assertEqual(list(empty), list(other), name)
            if name != "thetas":
                pd.testing.assert_series_equal(empty.dtypes, other[list(empty)].dtypes)
        for name in ["status", "result", "joint", "data"]:
            self.assertIsNone(getattr(new, name)())
        self.assertEqual(new.configuration()["search"]["epochs"], 4)

    def test_a_store_of_an_earlier_program_lacks_columns(self):
        copy = self.folder.parent / f"{self.folder.name}-older"
        self.addCleanup(shutil.rmtree, copy)
        shutil.copytree(self.folder / "search-2", copy)
        with closing(sqlite3.connect(copy / "run.sqlite")) as store:
            store.execute("ALTER TABLE log DROP COLUMN step")
            store.execute("ALTER TABLE epochs DROP COLUMN ranking")
        self.assertEqual(list(Run(copy).log()), listed("table log"))
        self.assertTrue(Run(copy).epochs()["ranking"].isna().all())


class Live(unittest.TestCase):
    """A run that is read and steered while its trainer writes."""

    def test_frames_grow_and_have_what_was_asked(self):
        folder = Runs.made() / "live"
        supertop("search", "--epochs", "4000", *TINY, "--run", folder, "--prepare")
        with subprocess.Popen(
            [PROGRAM, "resume", str(folder), "--headless"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as trainer:
            try:
                self.steer(folder)
                supertop("control", folder, "stop")
                trainer.wait(timeout=60)
            finally:
                trainer.kill()
        shutil.rmtree(folder)

    def steer(self, folder):
        run = Run(folder)
        self.until(lambda: len(run.steps()) > 2)
        supertop("control", folder, "temperature=2", "ban=layer1:k5_e1", "pin=layer2:k3_e1")
        asked = run.interventions()
        self.assertEqual(
            list(asked["action"]), ["setTemperature", "banOption", "pinChoice"]
        )
        self.assertEqual(asked["arguments"][2], {"choice": 1, "option": 0})
        self.assertEqual(set(asked["state"]), {"done"})
        steps, step = len(run.steps()), asked["step"].max()
        self.until(lambda: (run.thetas()["step"] > step).any())
        self.until(lambda: len(run.steps()) > steps)
        last = run.thetas(at=math.inf).set_index(["choice", "option"])
        self.assertEqual(last["probability"]["layer1.operator", "k5_e1"], 0)
        self.assertEqual(last["logit"]["layer1.operator", "k5_e1"], -math.inf)
        self.assertEqual(last["probability"]["layer2.operator", "k3_e1"], 1)
        self.assertIsNone(run.result())
        self.assertIn(run.status()["state"], ["running", "validating"])
        live = runs(folder.parent).set_index("name").loc["live"]
        self.assertEqual(live["state"], "running")
        self.assertLess(pd.Timestamp.now("UTC") - live["seen_at"], pd.Timedelta(minutes=1))

    def until(self, holds):
        end = time.monotonic() + 60
        while not holds():
            self.assertLess(time.monotonic(), end, "not within a minute")
            time.sleep(0.05)


if __name__ == "__main__":
    unittest.main()
