"""What it takes to look at a long search: opening it, moving through its time, doing nothing."""
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import time

from . import dashboard, tools

# Once a key was pressed, the answer is whole when nothing has come for so many seconds.
QUIET = 0.15


def add_options(parser):
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--layers", type=int, default=22, help="choices of the search")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--moves", type=int, default=60)
    parser.add_argument("--size", default="200x60")


def made(supertop, options):
    """A finished search whose store is filled up to the steps that are wanted."""
    folder = tools.WORK / f"long-{options.layers}-{options.steps}"
    if (folder / "made").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    tools.WORK.mkdir(parents=True, exist_ok=True)
    stages = f"[{{width: 8, depth: {options.layers}, stride: 1}}]"
    subprocess.run([
        supertop, "search", "--preset", "digits", "--headless", "--run", folder, "--epochs", "4",
        "--set", "space.head=16", "--set", "space.stem.width=8", "--set", f"space.stages={stages}",
        "--set", "search.warmup_epochs=1", "--set", "search.batch=256"],
        check=True, stdout=subprocess.DEVNULL)
    store = sqlite3.connect(folder / "run.sqlite")
    columns = {
        table: [row[1] for row in store.execute(f"PRAGMA table_info({table})")]
        for table in ("steps", "thetas", "epochs")}
    rows = {table: store.execute(f"SELECT * FROM {table}").fetchall() for table in columns}
    length = 500
    epochs = options.steps // length
    noise = random.Random(1)

    def insert(table, values):
        names = columns[table]
        marks = ", ".join("?" * len(names))
        store.executemany(
            f"INSERT OR REPLACE INTO {table} ({', '.join(names)}) VALUES ({marks})", values)

    def steps():
        for step in range(options.steps):
            row = dict(zip(columns["steps"], rows["steps"][step % len(rows["steps"])]))
            is_theta = step % length >= length * 4 // 5
            row.update(
                step=step, epoch=step // length, phase="theta" if is_theta else "weights",
                loss=2 / (1 + step / 5000) + 0.2 * noise.random(), accuracy=noise.random())
            row["cross_entropy"] = row["loss"]
            yield [row[name] for name in columns["steps"]]

    def thetas():
        for step in range(options.steps):
            if step % length >= length * 4 // 5:
                row = dict(zip(columns["thetas"], rows["thetas"][step % len(rows["thetas"])]))
                row.update(step=step, epoch=(step + 1) / length)
                yield [row[name] for name in columns["thetas"]]

    def ends():
        for epoch in range(epochs):
            row = dict(zip(columns["epochs"], rows["epochs"][epoch % len(rows["epochs"])]))
            row.update(epoch=epoch, step=(epoch + 1) * length)
            yield [row[name] for name in columns["epochs"]]

    insert("steps", steps())
    insert("thetas", thetas())
    insert("epochs", ends())
    store.execute(
        "UPDATE status SET json = json_set(json, '$.step', ?, '$.totalSteps', ?, '$.epoch', ?, "
        "'$.epochs', ?, '$.stepsPerEpoch', ?, '$.stepInEpoch', 0)",
        (options.steps, options.steps, epochs, epochs, length))
    store.commit()
    store.close()
    (folder / "made").touch()
    return folder


def opened(supertop, folder, size):
    """Seconds, and MiB at most, from the start of the program to a whole frame."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [supertop, "frame", folder, "--size", size], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tools.fail(f"supertop frame ended with {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def read(folder):
    """Seconds in which SQLite alone hands out every row that the dashboard has to see."""
    start = time.perf_counter()
    store = sqlite3.connect(f"file:{folder}/run.sqlite?mode=ro", uri=True)
    for table in ("steps", "thetas", "epochs"):
        for _ in store.execute(f"SELECT * FROM {table}"):
            pass
    store.close()
    return time.perf_counter() - start


def moved(supertop, folder, options):
    """Seconds until a terminal shows all, and from each move of the cursor to the end of what it
    changed; bytes while idle."""
    viewer = dashboard.Viewer([supertop, "watch", str(folder)], options.size)
    try:
        shown = viewer.settle(2.0)
        answers = []
        for move in range(options.moves):
            answers.append(viewer.answer(b"[" if move % 10 == 9 else b",", QUIET))
        viewer.settle(1.0)
        before = len(viewer.output)
        time.sleep(5)
        return shown, answers, len(viewer.output) - before
    finally:
        viewer.end()


def run(options):
    supertop = tools.product()
    tools.title(f"A search of {options.steps:,} steps and {options.layers} choices")
    folder = made(supertop, options)
    openings, readings = [], []
    for _ in range(options.rounds):
        openings.append(tools.Watch.undisturbed(
            lambda: with_processor(lambda: opened(supertop, folder, options.size))))
        readings.append(tools.Watch.undisturbed(
            lambda: with_processor(lambda: (read(folder), 0))))
    seconds = statistics.median(each[0] for each in openings)
    plain = statistics.median(each[0] for each in readings)
    shown, answers, idle = moved(supertop, folder, options)
    answers.sort()
    tools.table(["measured", "value"], [
        [f"opened and drawn at {options.size}", f"{seconds:.2f} s"],
        ["memory at most", f"{max(each[1] for each in openings):.0f} MiB"],
        ["the same rows through SQLite alone", f"{plain:.2f} s"],
        ["ratio", f"{seconds / plain:.2f}"],
        ["until a terminal shows all of it", f"{shown:.2f} s"],
        [f"a move of the cursor, {len(answers)}: median",
         f"{1e3 * statistics.median(answers):.1f} ms"],
        ["95th percentile", f"{1e3 * answers[len(answers) * 95 // 100]:.1f} ms"],
        ["bytes written in 5 s without a key", str(idle)],
    ])


def with_processor(work):
    """What `work` returns, and the processor time of this program and its children meanwhile."""
    before = sum(os.times()[:4])
    result = work()
    return result, sum(os.times()[:4]) - before
