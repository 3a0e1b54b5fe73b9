"""One run as pandas frames."""
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from .columns import OBJECTS, OPTIONS, RECIPE, TABLES, assemble, column, frame
from .store import RunError, damaged, parsed, reading

# What the store has as the logit of an option that is banned, or left out by a pin.
OUT_OF_SEARCH = np.float32(-1e9)


class Run:
    """A run: a search, a joint search or the training of one network, live or finished.

    Every call reads the run anew, so the frames of a live run grow. Nothing is ever written, and
    nothing stays open. What cannot be read is a RunError.
    """

    def __init__(self, path):
        self.path = Path(path)
        with reading(self.path):
            pass

    def __repr__(self):
        return f"Run({str(self.path)!r})"

    @property
    def name(self):
        return self.path.resolve().name

    @property
    def kind(self):
        """search, random, joint or training."""
        return self.configuration()["kind"]

    def configuration(self):
        """The complete settings of the run, `config.yaml`."""
        file = self.path / "config.yaml"
        try:
            settings = yaml.safe_load(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise RunError(file, f"cannot be read, {error.strerror}", "restore it") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise damaged(file, "no YAML") from error
        if not isinstance(settings, dict) or "kind" not in settings:
            raise damaged(file, "not the settings of a run")
        return settings

    def steps(self):
        """The figures of each step: loss, accuracy, temperature and more."""
        return self._table("steps")

    def epochs(self):
        """The figures of each epoch; of the validation images above all."""
        return self._table("epochs")

    def choices(self):
        """What the search decides; `options` are the names of its options."""
        found = self._table("choices")
        found["options"] = column([names(row) for row in found["options"]], "json")
        return found

    def options(self):
        """The options of all choices, and what each costs where it has a price of its own."""
        with reading(self.path) as store:
            choices = self._read(store, "choices")
            prices = self._read(store, "choice_prices").set_index("choice")
        rows = []
        for choice, options in zip(choices["identity"], choices["options"]):
            price = prices.loc[choice] if choice in prices.index else {}
            for index, option in enumerate(options):
                row = {"choice": choice, "option": option["name"], "value": option.get("value")}
                for metric in prices.columns:
                    row[metric] = price[metric][index] if price.get(metric) else None
                rows.append(row)
        return frame(rows, OPTIONS)

    def thetas(self, choice=None, every=1, at=None):
        """θ after each step on it, a row for each option: logit, probability, gradients.

        `choice` keeps one choice, by its identity or its name. `every=n` keeps every nth record,
        counted back from the last; a long search has millions of rows. `at` gives the θ that held
        when so many steps had been done, `math.inf` the last.
        """
        select = """SELECT step, epoch, counts, logits, accuracy_pull, cost_pull, multiplier,
            expected_cost, row_number() OVER (ORDER BY step DESC) - 1 AS place FROM thetas"""
        with reading(self.path) as store:
            choices = self._read(store, "choices")
            if at is None:
                query, value = f"SELECT * FROM ({select}) WHERE place % ? = 0 ORDER BY step", every
            else:
                query, value = f"{select} WHERE step < ? ORDER BY step DESC LIMIT 1", at
            rows = store.execute(query, [value]).fetchall()
        options = dict(zip(choices["identity"], map(names, choices["options"])))
        kept = list(options)
        if choice is not None:
            kept = list(choices["identity"][(choices[["identity", "name"]] == choice).any(axis=1)])
            if not kept:
                raise RunError(
                    self.path, f"no choice {choice!r}", f"it has {', '.join(options) or 'none'}"
                )
        return long_frame(self.path / "run.sqlite", rows, options, kept)

    def interventions(self):
        """What was asked of the run: `action` by its name, `arguments` with its values."""
        found = self._table("interventions")
        actions = [next(iter(action.items())) for action in found["action"]]
        found["action"] = column([name for name, _ in actions], "string")
        place = found.columns.get_loc("action") + 1
        found.insert(place, "arguments", column([values for _, values in actions], "json"))
        return found

    def log(self):
        """The lines of the log."""
        return self._table("log")

    def sessions(self):
        """Each start of a trainer: the first, and every resume."""
        return self._table("sessions")

    def derived(self):
        """The networks that were derived from the search, with what their trainings came to."""
        with reading(self.path) as store:
            return frame(self._objects(store, "derived"), OBJECTS["derived"])

    def trials(self):
        """The candidates of a joint search.

        Beside their fields: `epochs` that were trained, `val_accuracy` after the last, a column
        for each choice of the architecture, and `recipe.…` with what each was trained by.
        """
        with reading(self.path) as store:
            choices = self._read(store, "choices")
            rows = self._objects(store, "trials")
        found = frame(rows, OBJECTS["trials"])
        recipes = frame(found.pop("recipe").tolist(), RECIPE).add_prefix("recipe.")
        accuracies = found["val_accuracies"]
        last = column([row[-1] if row else None for row in accuracies], "float64")
        place = found.columns.get_loc("val_accuracies")
        found.insert(place, "val_accuracy", last)
        found.insert(place, "epochs", column([len(row) for row in accuracies], "int64"))
        picked = {}
        for index, choice in enumerate(choices.itertuples()):
            if choice.kind != "recipe":
                values = [option.get("value", option["name"]) for option in choice.options]
                picked[choice.identity] = [values[row[index]] for row in found["options"]]
        return pd.concat([found, pd.DataFrame(picked), recipes], axis=1)

    def status(self):
        """What the trainer said last; None before it has begun."""
        return self._object("status")

    def result(self):
        """What the run came to, the `done` of `--json`; None before its end."""
        return self._object("result")

    def joint(self):
        """What a joint search has found beside its candidates; None before its first round."""
        return self._object("joint")

    def data(self):
        """The fingerprint of the images; None before they are read."""
        return self._object("data")

    def _table(self, name):
        with reading(self.path) as store:
            return self._read(store, name)

    def _read(self, store, name):
        """A table in the order of its key, with NULL for a column that an older store lacks."""
        columns = TABLES[name]
        known = {row[1] for row in store.execute(f"PRAGMA table_info({name})")}
        listed = ", ".join(item if item in known else f"NULL AS {item}" for item in columns)
        rows = store.execute(f"SELECT {listed} FROM {name} ORDER BY rowid").fetchall()
        found = assemble(zip(*rows) if rows else [()] * len(columns), columns)
        for item, kind in columns.items():
            if kind == "json":
                texts = found[item]
                values = [None if text is None else parsed(self.path, text) for text in texts]
                found[item] = column(values, "json")
        return found

    def _objects(self, store, name):
        """The rows of a table of objects."""
        rows = store.execute(f"SELECT json FROM {name} ORDER BY rowid")
        return [parsed(self.path, text) for (text,) in rows]

    def _object(self, name):
        with reading(self.path) as store:
            return next(iter(self._objects(store, name)), None)


def names(options):
    return [option["name"] for option in options]


def long_frame(file, rows, options, kept):
    """Records of θ as a frame with a row for each option of the choices that are kept."""
    counts = [len(items) for items in options.values()]
    width = sum(counts)
    if any(row[2].split() != [str(count) for count in counts] for row in rows):
        raise damaged(file, "architecture parameters of other choices")
    if any(len(row[blob]) != 4 * width for row in rows for blob in (3, 4, 5)):
        raise damaged(file, "architecture parameters of a wrong length")

    def numbers(place):
        # The bytes are little-endian on every machine.
        blobs = b"".join(row[place] for row in rows)
        return np.frombuffer(blobs, "<f4").reshape(len(rows), width)

    ends = dict(zip(options, np.cumsum(counts)))
    spans = [slice(ends[name] - len(options[name]), ends[name]) for name in kept]
    places = np.concatenate([np.arange(width)[span] for span in spans] or [[]]).astype(int)
    logits = np.where(numbers(3) == OUT_OF_SEARCH, -np.inf, numbers(3).astype("float64"))
    shares = np.concatenate([softmax(logits[:, span]) for span in spans] or [logits], axis=1)

    def each(place):
        values = np.array([row[place] for row in rows], dtype="float64")
        return np.repeat(values, len(places))

    def category(items):
        return pd.Categorical(items * len(rows), categories=list(dict.fromkeys(items)))

    return pd.DataFrame({
        "step": np.repeat(np.array([row[0] for row in rows], dtype="int64"), len(places)),
        "epoch": each(1),
        "choice": category([name for name in kept for _ in options[name]]),
        "option": category([option for name in kept for option in options[name]]),
        "logit": logits[:, places].ravel(),
        "probability": shares.ravel(),
        "accuracy_pull": numbers(4)[:, places].ravel().astype("float64"),
        "cost_pull": numbers(5)[:, places].ravel().astype("float64"),
        "multiplier": each(6),
        "expected_cost": each(7),
    })


def softmax(logits):
    """The probabilities of a choice's options, a row each; one without a number has none."""
    logits = np.where(np.isnan(logits), -np.inf, logits)
    top = logits.max(axis=1, keepdims=True)
    # Where no option is left, all are the same, as the dashboard has it.
    powers = np.exp(np.where(np.isinf(top), 0, logits - np.where(np.isinf(top), 0, top)))
    return powers / powers.sum(axis=1, keepdims=True)
