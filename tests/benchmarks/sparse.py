"""Sparse input: seconds per epoch and memory of a fit, sknn beside scikit-learn.

    python tests/benchmarks/sparse.py [--rows 20000] [--columns 100000] [--repeats 3]

The data look like TF-IDF: about 100 entries per row, columns by Zipf's law. Epochs are
fits of one epoch more than another, in turn in this process on one BLAS thread; memory
is that of a process of its own. Ratios are (data + growth of the fit) over (data +
parameters + Adam's two arrays): by resident pages (VmHWM), and by what tracemalloc
counts, pages never written included.
"""

import argparse
import os
import subprocess
import sys
import time
import tracemalloc
import warnings

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--rows", type=int, default=20_000)
parser.add_argument("--columns", type=int, default=100_000)
parser.add_argument("--repeats", type=int, default=3)
parser.add_argument("--memory-of", nargs=4, help=argparse.SUPPRESS)
options = parser.parse_args()
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402
from scipy import sparse  # noqa: E402
from sklearn.neural_network import MLPClassifier as ScikitLearn  # noqa: E402

from sknn import MLPClassifier  # noqa: E402
from sknn.optimizers import Adam  # noqa: E402

ENTRIES, UNITS = 100, 100
SETTINGS = {"hidden_layer_sizes": (UNITS,), "batch_size": 200, "random_state": 0}
CONTENDERS = {
    "scikit-learn": lambda: ScikitLearn(**SETTINGS),
    "sknn, dense Adam": lambda: MLPClassifier(**SETTINGS),
    "sknn, lazy Adam": lambda: MLPClassifier(solver=Adam(lazy=True), **SETTINGS),
}


def text(form, dtype):
    """Rows like weighted words, and labels that depend on them."""
    rng = np.random.default_rng(0)
    n, d = options.rows, options.columns
    share = np.cumsum(1 / np.arange(1, d + 1))
    columns = np.searchsorted(share / share[-1], rng.random(n * ENTRIES))
    starts = np.arange(0, n * ENTRIES + 1, ENTRIES)
    weights = rng.random(n * ENTRIES).astype(dtype)
    parts = (weights, columns.astype("i4"), starts.astype("i4"))
    X = sparse.csr_array(parts, shape=(n, d))
    X.sum_duplicates()
    score = X @ rng.normal(size=d)
    return X.asformat(form), (score > np.median(score)).astype(int)


def seconds(contender, X, y, epochs):
    model = CONTENDERS[contender]().set_params(max_iter=epochs)
    started = time.perf_counter()
    model.fit(X, y)
    return time.perf_counter() - started


def print_times():
    print("| dtype | fit | s per epoch | dense Adam, ours, takes |\n|---|---|---|---|")
    for dtype in ("float32", "float64"):
        X, y = text("csr", dtype)
        times = np.array(
            [
                [seconds(c, X, y, 2) - seconds(c, X, y, 1) for c in CONTENDERS]
                for _ in range(options.repeats)
            ]
        )
        ratios = np.median(times / times[:, 1:2], axis=0)
        for name, own, ratio in zip(
            CONTENDERS, np.median(times, axis=0), ratios, strict=True
        ):
            print(f"| {dtype} | {name} | {own:.2f} | {1 / ratio:.2f} × |")


def pages(name):
    """Bytes of this process by /proc, under this name."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith(name))
    return int(line.split()[1]) * 1024


def print_memory(contender, form, dtype, how):
    X, y = text(form, dtype)
    model = CONTENDERS[contender]().set_params(max_iter=1)
    rows = sparse.csr_array(np.eye(10, dtype=dtype))
    CONTENDERS[contender]().set_params(max_iter=1, batch_size=5).fit(
        rows, np.arange(10) % 2
    )  # what is imported late is not the fit's
    if how == "pages":
        with open("/proc/self/clear_refs", "w") as reset:
            reset.write("5")  # VmHWM starts anew
        before = pages("VmRSS")
        model.fit(X, y)
        grown = pages("VmHWM") - before
    else:
        tracemalloc.start()
        model.fit(X, y)
        grown = tracemalloc.get_traced_memory()[1]
    data = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
    parameters = sum(a.nbytes for a in (*model.coefs_, *model.intercepts_))
    print((data + grown) / (data + 3 * parameters))


def memory(*case):
    sizes = ["--rows", str(options.rows), "--columns", str(options.columns)]
    command = [sys.executable, __file__, *sizes, "--memory-of", *case]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(result.stdout)


def print_memories():
    print("| X | fit | by pages | by tracemalloc |\n|---|---|---|---|")
    for dtype in ("float32", "float64"):
        for form in ("csr", "csc"):
            for contender in [c for c in CONTENDERS if c.startswith("sknn")]:
                ratios = [
                    memory(contender, form, dtype, how) for how in ("pages", "traced")
                ]
                shown = " | ".join(f"{ratio:.2f}" for ratio in ratios)
                print(f"| {form}, {dtype} | {contender} | {shown} |")


def main():
    warnings.simplefilter("ignore")
    if options.memory_of:
        print_memory(*options.memory_of)
        return
    print_times()
    print()
    print_memories()


if __name__ == "__main__":
    main()
