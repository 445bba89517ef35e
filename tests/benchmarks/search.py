"""Seconds of a grid search: BLAS threads, processes and threads against each other.

    python tests/benchmarks/search.py [--repeats 5] [--jobs 2]

All searches of one network run in turn in this process, with the same candidates and
folds; loky's workers are started before the clock is. Ratios to the serial search with
one BLAS thread are taken repeat by repeat and their median is quoted.
"""

import argparse
import os
import time
import warnings
from contextlib import nullcontext

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.pop(name, None)  # what a user meets who sets none of them

import joblib  # noqa: E402
import numpy as np  # noqa: E402
from sklearn.datasets import load_digits, make_classification  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

from sknn import MLPClassifier  # noqa: E402

GRID = {
    "mlpclassifier__alpha": [1e-4, 1e-2],
    "mlpclassifier__learning_rate_init": [1e-3, 3e-3],
}


def small():
    """Return digits and a network of 64-100-10."""
    network = MLPClassifier((100,), max_iter=10, random_state=0)
    return *load_digits(return_X_y=True), network


def large():
    """Return made data and a network of 50-256-256-2."""
    X, y = make_classification(3000, 50, n_informative=20, random_state=0)
    network = MLPClassifier((256, 256), batch_size=256, max_iter=4, random_state=0)
    return X, y, network


CASES = {"64-100-10": small, "50-256-256-2": large}


def contenders(jobs):
    """Return name, backend, jobs and BLAS threads, None where nothing limits them."""
    return [
        ("serial, 1 BLAS thread", "sequential", 1, 1),
        (f"serial, {jobs} BLAS threads", "sequential", 1, jobs),
        (f"loky, `n_jobs={jobs}`", "loky", jobs, None),
        (f"threading, `n_jobs={jobs}`", "threading", jobs, None),
        (f"threading, `n_jobs={jobs}`, limited to 1", "threading", jobs, 1),
    ]


def seconds(case, backend, jobs, blas_threads):
    X, y, network = case
    search = GridSearchCV(
        make_pipeline(StandardScaler(), network), GRID, cv=3, refit=False, n_jobs=jobs
    )
    limits = (
        nullcontext()
        if blas_threads is None
        else threadpool_limits(blas_threads, user_api="blas")
    )
    with limits, joblib.parallel_config(backend, n_jobs=jobs):
        started = time.perf_counter()
        search.fit(X, y)
        return time.perf_counter() - started


def measure(case, rows, repeats):
    """Return the seconds of each repeat (rows) of each contender (columns)."""
    for row in rows:
        seconds(case, *row[1:])
    return np.array([[seconds(case, *row[1:]) for row in rows] for _ in range(repeats)])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    os.environ["PYTHONWARNINGS"] = "ignore"  # few epochs do not converge, in workers
    warnings.simplefilter("ignore")
    rows = contenders(options.jobs)
    times = [measure(case(), rows, options.repeats) for case in CASES.values()]
    print(f"12 fits, {joblib.cpu_count()} cores, median of {options.repeats} repeats\n")
    print("| search | " + " | ".join(CASES) + " |")
    print("|---|" + "---|" * len(CASES))
    for i, (name, *_) in enumerate(rows):
        cells = [
            f"{np.median(t[:, i]):.2f} s ({np.median(t[:, 0] / t[:, i]):.2f} ×)"
            for t in times
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
