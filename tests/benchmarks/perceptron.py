"""What an epoch of PerceptronClassifier costs beside scikit-learn's compiled loop.

    OMP_NUM_THREADS=1 python tests/benchmarks/perceptron.py [rounds]

Fits of both run in turn, so that whatever else the machine does meets both alike. Each
fit starts from weights of an earlier one and makes ten epochs, checks of the input
included. Prints, for each problem, the share of samples that bring an update in the
last epoch (over all one-vs-rest problems), the median milliseconds per epoch of both,
and the median of their ratios.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import statistics
import sys
import time
import warnings

import numpy as np
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.linear_model import Perceptron

from sknn import PerceptronClassifier

EPOCHS = 10


def plane(noise, n=20_000, n_features=50):
    """Return samples on both sides of a plane; some labels are blurred by noise."""
    rng = np.random.RandomState(0)
    X, w = rng.randn(n, n_features), rng.randn(n_features)
    blur = noise * np.linalg.norm(w) * rng.randn(n)
    return X, (X @ w + blur > 0).astype(int)


def sparse_plane(noise, n=20_000, n_features=2_000, density=0.02):
    """Return the same in CSR, with 40 features stored in a row."""
    X = sparse.random(n, n_features, density, random_state=0, format="csr")
    rng = np.random.RandomState(1)
    scores = X @ rng.randn(n_features)
    return X, (scores + noise * scores.std() * rng.randn(n) > 0).astype(int)


def blobs(n=20_000, n_features=100, n_classes=10):
    """Return classes around centres."""
    rng = np.random.RandomState(0)
    y = rng.randint(n_classes, size=n)
    return rng.randn(n, n_features) + 0.9 * rng.randn(n_classes, n_features)[y], y


DIGITS = load_digits(return_X_y=True)
CASES = [
    ("dense 20000 x 50, separated", plane(0.0), {}),
    ("dense 20000 x 50, nearly", plane(0.05), {}),
    ("dense 20000 x 50, noisy", plane(0.1), {}),
    ("dense 20000 x 50, very noisy", plane(0.5), {}),
    ("digits 1797 x 64, 10 classes", DIGITS, {}),
    ("blobs 20000 x 100, 10 classes", blobs(), {}),
    ("dense 20000 x 50, nearly, l2", plane(0.05), {"penalty": "l2", "alpha": 1e-6}),
    ("digits, l2", DIGITS, {"penalty": "l2"}),
    ("dense 20000 x 50, nearly, l1", plane(0.05), {"penalty": "l1", "alpha": 1e-6}),
    ("digits, l1", DIGITS, {"penalty": "l1"}),
    ("CSR 20000 x 2000, separated", sparse_plane(0.0), {}),
    ("CSR 20000 x 2000, noisy", sparse_plane(0.5), {}),
    ("CSR 20000 x 2000, separated, l2", sparse_plane(0.0), {"penalty": "l2"}),
    ("CSR 20000 x 2000, separated, l1", sparse_plane(0.0), {"penalty": "l1"}),
]


def seconds(model, X, y, start):
    """Return the seconds of a fit."""
    begin = time.perf_counter()
    model.fit(X, y, coef_init=start[0].copy(), intercept_init=start[1].copy())
    return time.perf_counter() - begin


def compare(X, y, params, shuffle, rounds):
    """Return share of mistakes, medians of milliseconds per epoch and of ratios."""
    params = {**params, "max_iter": EPOCHS, "tol": None, "shuffle": shuffle}
    ours, theirs = PerceptronClassifier(**params), Perceptron(**params)
    first = PerceptronClassifier(**params).fit(X, y)
    start = first.coef_, first.intercept_
    pairs = [
        (seconds(ours, X, y, start), seconds(theirs, X, y, start))
        for _ in range(rounds)
    ]
    a, b = (1e3 / EPOCHS * statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(x / y for x, y in pairs)
    return ours.mistakes_curve_[-1] / len(y) / len(ours.coef_), a, b, ratio


def main(rounds=7):
    """Print the table."""
    warnings.simplefilter("ignore")
    print(f"{'ms per epoch':34} {'order':9} mistakes    sknn  sklearn  ratio")
    for name, (X, y), params in CASES:
        for shuffle in (False, True):
            mistakes, a, b, ratio = compare(X, y, params, shuffle, rounds)
            order = "shuffled" if shuffle else "as it is"
            print(
                f"{name:34} {order:9} {mistakes:7.1%} {a:8.2f} {b:8.2f} {ratio:6.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
