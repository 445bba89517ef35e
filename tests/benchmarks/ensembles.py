"""Time of an ensemble trained as one stack over that of its members one by one.

Run with ``OMP_NUM_THREADS=1 python tests/benchmarks/ensembles.py``, about 3 minutes.
Both come to the same numbers. `--stack` forces the stack for networks of any size.
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.base import clone

from sknn import MLPClassifier, MLPEnsembleClassifier
from sknn.estimators import _together

NETS = {
    "4-10-3": (150, 4, (10,), 3, 100),
    "30-32-2": (569, 30, (32,), 2, 60),
    "64-100-10": (1797, 64, (100,), 10, 20),
    "50-256-256-2": (2000, 50, (256, 256), 2, 6),
}


def made(n, n_features, n_classes):
    """Return data that a network can learn."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(n, n_features)).astype(np.float32)
    scores = X @ rng.normal(size=(n_features, n_classes))
    return X, scores.argmax(axis=1)


def together(ensemble, X, y):
    """Return the seconds of one fit of the ensemble."""
    started = time.perf_counter()
    ensemble.fit(X, y)
    return time.perf_counter() - started


def one_by_one(ensemble, X, y):
    """Return the seconds of the same by hand: clone, fit, predict what is left out."""
    pairs = zip(ensemble.estimators_, ensemble.estimators_samples_, strict=True)
    started = time.perf_counter()
    for member, rows in pairs:
        model = clone(member).fit(X[rows], y[rows])
        model.predict_proba(X[np.setdiff1d(np.arange(len(y)), rows)])
    return time.perf_counter() - started


def compare(sizes, k, dtype, early_stopping, repeats):
    """Return the median seconds of both, interleaved."""
    n, n_features, hidden, n_classes, epochs = sizes
    X, y = made(n, n_features, n_classes)
    net = MLPClassifier(
        hidden,
        max_iter=epochs,
        n_iter_no_change=np.inf,
        dtype=dtype,
        early_stopping=early_stopping,
    )
    ensemble = MLPEnsembleClassifier(net, k, resampling="folds", random_state=0)
    together(ensemble, X, y)
    pairs = [
        (one_by_one(ensemble, X, y), together(ensemble, X, y)) for _ in range(repeats)
    ]
    return np.median(pairs, axis=0)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--stack", action="store_true")
    options = parser.parse_args()
    if options.stack:
        _together._CACHE_BYTES = np.iinfo(int).max
    print("| net | k | dtype | early stopping | one by one, s | together, s | gain |")
    print("|---|---|---|---|---|---|---|")
    settings = (("float32", False), ("float64", False), ("float32", True))
    for name, sizes in NETS.items():
        for k in (5, 20):
            for dtype, early in settings:
                single, stack = compare(sizes, k, dtype, early, options.repeats)
                print(
                    f"| {name} | {k} | {dtype} | {'yes' if early else 'no'} "
                    f"| {single:.3f} | {stack:.3f} | {single / stack:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main()
