"""Runs that cannot be read: each is one RunError in one line, which says what to do."""
import os
import shutil
import sqlite3
import tempfile
import unittest
from contextlib import closing
from pathlib import Path

from programs import Runs

from supertop_runs import Run, RunError, runs


class Faults(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="supertop-faults-")
        self.addCleanup(temporary.cleanup)
        # A name with all that an address of SQLite's could misread.
        self.run_path = Path(temporary.name) / "a run #1?mode=rw%41 é"
        shutil.copytree(Runs.made() / "search-2", self.run_path)
        self.file = self.run_path / "run.sqlite"
        # All of the store in one file, as a copy of it would have it.
        self.change("PRAGMA journal_mode = DELETE")
        self.change("PRAGMA journal_mode = WAL")

    def change(self, *command):
        with closing(sqlite3.connect(self.file)) as store:
            store.execute(*command)
            store.commit()

    def refused(self, words, action, place=None):
        """An action ends in a RunError that begins with the place and has these words."""
        with self.assertRaises(RunError) as caught:
            action()
        message = str(caught.exception)
        self.assertTrue(message.startswith(f"{place or self.file}: "), message)
        self.assertIn(words, message)
        self.assertIn("; ", message)
        self.assertNotIn("\n", message)

    def all(self):
        run = Run(self.run_path)
        return [run.steps(), run.epochs(), run.thetas(), run.log(), run.result()]

    def test_a_sound_copy_is_read(self):
        self.assertGreater(len(self.all()[0]), 0)

    def test_no_such_folder(self):
        path = self.run_path / "none"
        self.refused("no such folder", lambda: Run(path), path)
        self.refused("no such folder", lambda: runs(path), path)

    def test_a_file(self):
        self.refused("a file, not a run", lambda: Run(self.file))

    def test_no_run(self):
        path = self.run_path / "exports"
        self.refused("has no run.sqlite", lambda: Run(path), path)
        self.assertEqual(len(runs(path)), 0)

    def test_a_store_of_no_bytes(self):
        self.file.write_bytes(b"")
        self.refused("not the store of a run", self.all)

    def test_another_database(self):
        self.change("PRAGMA application_id = 7")
        self.refused("not the store of a run", self.all)

    def test_garbage(self):
        self.file.write_bytes(b"no database at all\n" * 300)
        self.refused("damaged, file is not a database", self.all)

    def test_a_truncated_store(self):
        whole = self.file.read_bytes()
        for share in [0.02, 0.3, 0.7, 0.9, 0.99]:
            self.file.write_bytes(whole[: int(len(whole) * share)])
            self.refused("damaged", self.all)

    def test_a_damaged_page(self):
        whole = bytearray(self.file.read_bytes())
        whole[4096:] = b"\xa5" * (len(whole) - 4096)
        self.file.write_bytes(whole)
        self.refused("damaged", self.all)

    def test_a_newer_format(self):
        self.change("PRAGMA user_version = 6")
        self.refused("a run of format 6, this package reads format 5", self.all)

    def test_a_blob_of_a_wrong_length(self):
        self.change("UPDATE thetas SET logits = substr(logits, 2) WHERE step = 20")
        self.change("UPDATE thetas SET cost_pull = x'00'")
        self.refused("architecture parameters of a wrong length", Run(self.run_path).thetas)

    def test_counts_of_other_choices(self):
        self.change("UPDATE thetas SET counts = '3 4'")
        self.refused("architecture parameters of other choices", Run(self.run_path).thetas)

    def test_text_that_is_no_json(self):
        self.change("UPDATE result SET json = '{'")
        self.refused("JSON expected, { found", Run(self.run_path).result)

    def test_a_choice_that_it_has_not(self):
        self.refused(
            "no choice 'layer9'; it has layer1.operator, layer2.operator",
            lambda: Run(self.run_path).thetas("layer9"), self.run_path,
        )

    def test_settings(self):
        file = self.run_path / "config.yaml"
        for text, words in [("a: [", "no YAML"), ("7", "not the settings of a run")]:
            file.write_text(text, encoding="utf-8")
            self.refused(words, Run(self.run_path).configuration, file)
        file.unlink()
        self.refused("cannot be read", Run(self.run_path).configuration, file)

    def test_a_list_tells_of_an_unreadable_run(self):
        self.file.write_bytes(b"")
        (row,) = runs(self.run_path.parent).to_dict("records")
        self.assertEqual(row["state"], "unreadable")
        self.assertIn("not the store of a run", row["problem"])

    def test_a_run_in_a_folder_that_is_read_only(self):
        steps = Run(self.run_path).steps()
        with self.read_only():
            self.assertTrue(Run(self.run_path).steps().equals(steps))
        # With a log that nobody has taken into the store, SQLite needs to write beside it.
        log = Path(f"{self.file}-wal")
        log.write_bytes(b"x")
        with self.read_only():
            self.refused("cannot be opened; check its permissions", self.all)
        self.file.chmod(0)
        with self.read_only():
            self.refused("cannot be opened; check its permissions", self.all)

    def read_only(self):
        return Unprivileged(self.run_path)


class Unprivileged:
    """A folder that takes no new files, seen by a user who is not root."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        for path in [self.folder.parent, *self.folder.rglob("*")]:
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0))
        for path in self.folder.glob("run.sqlite-shm"):
            path.unlink()
        self.folder.chmod(0o555)
        self.root = os.geteuid() == 0
        if self.root:
            os.seteuid(65534)

    def __exit__(self, *_):
        if self.root:
            os.seteuid(0)
        self.folder.chmod(0o755)


if __name__ == "__main__":
    unittest.main()
