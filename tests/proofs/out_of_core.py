"""Training on more data than memory: a memmap, chunks and partial_fit under 1 GB.

    python tests/proofs/out_of_core.py [GB] [--folder /tmp] [--random]

Writes rows of 256 float32 features to a temporary folder, 0.2 GB of them unless told
otherwise, and trains one epoch in each way, each in a process of its own whose data
segment the kernel limits to 1 GB (RLIMIT_DATA: memory of its own, pages of the mapped
file not counted). Peaks are those of RssAnon, looked at fifty times a second; what the
process has before the fit is the first line. `--random` also fits the memmap with
shuffle=True, which gathers single rows all over the file. GB are 1e9 bytes.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import numpy as np

CAP = 10**9
COLUMNS, ROWS_PER_CHUNK = 256, 40_000
WAYS = ["nothing", "fit(chunks)", "partial_fit", "fit(memmap)"]


def write(folder, n_bytes):
    """Write X and y block by block; return the number of rows."""
    n = max(1, int(n_bytes) // (4 * COLUMNS))
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((ROWS_PER_CHUNK, COLUMNS), dtype=np.float32)
    with open(folder / "X", "wb") as X, open(folder / "y", "wb") as y:
        for start in range(0, n, ROWS_PER_CHUNK):
            rows = np.roll(noise, start // ROWS_PER_CHUNK, axis=1)
            rows = rows[: min(ROWS_PER_CHUNK, n - start)]
            rows.tofile(X)
            (rows[:, 0] + rows[:, 1] > 0).astype(np.int8).tofile(y)
    return n


class Files:
    """Chunks of rows, read from the files anew each time."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def __iter__(self):
        with open(self.folder / "X", "rb") as X, open(self.folder / "y", "rb") as y:
            while True:
                labels = np.fromfile(y, np.int8, ROWS_PER_CHUNK)
                if not len(labels):
                    return
                rows = np.fromfile(X, np.float32, len(labels) * COLUMNS)
                yield rows.reshape(-1, COLUMNS), labels


def network(**changes):
    from sknn import MLPClassifier

    settings = {"max_iter": 1, "batch_size": 1024, "random_state": 0, "verbose": False}
    return MLPClassifier((32,), **{**settings, **changes})


def train(way, folder):
    if way == "nothing":
        return network()
    if way == "fit(chunks)":
        return network().fit(Files(folder))
    if way == "partial_fit":
        model = network()
        for X, y in Files(folder):
            model.partial_fit(X, y, classes=[0, 1])
        return model
    X = np.memmap(folder / "X", np.float32, "r").reshape(-1, COLUMNS)
    y = np.memmap(folder / "y", np.int8, "r")
    return network(shuffle=way.endswith("shuffled")).fit(X, y)


def anonymous():
    """Return the resident bytes of this process that no file backs."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("RssAnon"))
    return int(line.split()[1]) * 1024


class Watch(threading.Thread):
    """Looks at the memory of this process until stopped."""

    def __init__(self):
        super().__init__(daemon=True)
        self.peak, self.stopped = 0, threading.Event()

    def run(self):
        while not self.stopped.wait(0.02):
            self.peak = max(self.peak, anonymous())


def child(way, folder):
    resource.setrlimit(resource.RLIMIT_DATA, (CAP, CAP))
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    network().fit(rng.normal(size=(20, 4)), np.arange(20) % 2)  # late imports
    watch = Watch()
    watch.start()
    started = time.perf_counter()
    model = train(way, Path(folder))
    seconds = time.perf_counter() - started
    watch.stopped.set()
    watch.join()
    peak = max(watch.peak, anonymous())
    score = ""
    if way != "nothing":
        X, y = next(iter(Files(folder)))
        score = f"accuracy {model.score(X, y):.3f}"
    print(f"{way:22} {seconds:8.1f} s  peak {peak / 1e6:6.1f} MB  {score}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("GB", nargs="?", type=float, default=0.2)
    parser.add_argument("--folder")
    parser.add_argument("--random", action="store_true")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    ways = [*WAYS, *["fit(memmap), shuffled"] * options.random]
    environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **os.environ}
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        started = time.perf_counter()
        n = write(Path(folder), options.GB * 1e9)
        size = os.path.getsize(Path(folder) / "X")
        took = time.perf_counter() - started
        print(f"{n} rows, {size / 1e9:.2f} GB, written in {took:.1f} s", flush=True)
        for way in ways:
            command = [sys.executable, __file__, "--child", way, folder]
            subprocess.run(command, check=True, env=environment)


if __name__ == "__main__":
    main()
