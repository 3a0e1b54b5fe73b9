"""The store of a run, `run.sqlite`, opened for reading only."""
import json
import sqlite3
from contextlib import contextmanager
from pathlib import Path

FORMAT = 5
APPLICATION = 0x53544F50  # STOP


class RunError(Exception):
    """What is wrong with a run, in one line: the file, the fault, what to do about it."""

    def __init__(self, path, fault, remedy):
        super().__init__(f"{path}: {fault}; {remedy}")


def damaged(path, fault):
    """The error for a file whose content makes no sense."""
    return RunError(path, f"damaged, {fault}", "restore it from a copy, or start a new run")


@contextmanager
def reading(folder):
    """The store of the run in `folder`, as it is at one moment, while a trainer may write to it.

    SQLite's errors become a RunError.
    """
    file = store(folder)
    connection = None
    try:
        connection = connect(file)
        yield connection
    except sqlite3.Error as error:
        raise told(file, str(error)) from error
    finally:
        if connection:
            connection.close()


def store(folder):
    """The file of a run's store; a RunError says what the folder is instead of a run."""
    file = folder / "run.sqlite"
    try:
        if file.is_file():
            return file
        if not folder.exists():
            raise RunError(folder, "no such folder", "name a folder in runs/")
        if not folder.is_dir():
            raise RunError(folder, "a file, not a run", "name the folder of a run")
    except PermissionError as error:
        raise RunError(folder, "cannot be read", "check its permissions") from error
    raise RunError(folder, "no run, it has no run.sqlite", "name a folder in runs/")


def connect(file):
    """A connection in a transaction that has begun to read."""
    if sqlite3.sqlite_version_info < (3, 37):
        raise RunError(
            file,
            f"this Python has SQLite {sqlite3.sqlite_version}, which does not know STRICT tables",
            "use one with SQLite 3.37 or later",
        )
    address = f"{file.absolute().as_uri()}?mode=ro"
    try:
        return begin(file, address)
    except sqlite3.OperationalError as error:
        # Beside a store in WAL mode lie two more files, which a read-only folder does not take.
        # Without a log nobody writes, and SQLite may assume that the file stays as it is.
        log = Path(f"{file}-wal")
        if not cannot_open(str(error)) or log.exists() and log.stat().st_size > 0:
            raise
        return begin(file, f"{address}&immutable=1")


def begin(file, address):
    """Opens a store and refuses one that this package cannot read."""
    connection = sqlite3.connect(address, uri=True, timeout=5, isolation_level=None)
    try:
        connection.execute("BEGIN")
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION:
            raise RunError(file, "not the store of a run", "name another folder in runs/")
        if version != FORMAT:
            raise RunError(
                file,
                f"a run of format {version}, this package reads format {FORMAT}",
                "install the package that came with the supertop that wrote it",
            )
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        # SQLite takes what is missing of a last page for zeros.
        if file.stat().st_size % page:
            raise damaged(file, "its end is missing")
        return connection
    except BaseException:
        connection.close()
        raise


def cannot_open(message):
    return "unable to open" in message


def told(file, message):
    """The RunError for what SQLite says of a file."""
    if "locked" in message:
        return RunError(file, "held by another process", "try again")
    if cannot_open(message):
        return RunError(
            file, "cannot be opened", "check its permissions, or copy the run to another folder"
        )
    return damaged(file, message)


def parsed(folder, text):
    """A value that the store keeps as JSON."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise damaged(folder / "run.sqlite", f"JSON expected, {text[:40]} found") from error
