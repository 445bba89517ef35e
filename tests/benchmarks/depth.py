"""What becomes of networks of 10 to 30 hidden layers of 32 units on the digits.

    OMP_NUM_THREADS=1 python tests/benchmarks/depth.py [--seeds 3] [--epochs 100]

Prints, as means over the seeds, the accuracy on held-out digits, the norm of the
gradient of the first and of the last layer after the first epoch, and the seconds of a
fit; the table of docs/guide/deep_networks.md. Gradients are those that
`diagnostics=True` records.
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier

CASES = [
    ("sigmoid", 30, {"activation": "logistic"}),
    ("tanh", 30, {"activation": "tanh"}),
    ("ReLU", 30, {}),
    ("ReLU, batch norm", 10, {"normalization": "batch"}),
    ("ReLU, batch norm", 20, {"normalization": "batch"}),
    ("ReLU, batch norm", 30, {"normalization": "batch"}),
    ("ReLU, layer norm", 30, {"normalization": "layer"}),
    ("ReLU, residual", 30, {"residual": True}),
    ("ReLU, batch norm, residual", 30, {"normalization": "batch", "residual": True}),
    ("ReLU, layer norm, residual", 30, {"normalization": "layer", "residual": True}),
]


def digits():
    """Scaled digits in float32, split into rows to train on and rows to test on."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, stratify=y, random_state=0
    )
    scaler = StandardScaler().fit(X_train)
    X_train, X_test = (scaler.transform(x).astype("f") for x in (X_train, X_test))
    return X_train, X_test, y_train, y_test


def run(depth, settings, seed, epochs, data):
    X_train, X_test, y_train, y_test = data
    network = MLPClassifier(
        (32,) * depth,
        max_iter=epochs,
        n_iter_no_change=epochs,
        random_state=seed,
        diagnostics=True,
        **settings,
    )
    started = time.perf_counter()
    network.fit(X_train, y_train)
    seconds = time.perf_counter() - started
    norms = network.history_["gradient_norm"][0]
    return network.score(X_test, y_test), norms[0], norms[-1], seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=100)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    data = digits()
    print("| network | layers | accuracy | first gradient | last gradient | seconds |")
    print("|---|---|---|---|---|---|")
    for name, depth, settings in CASES:
        rows = [
            run(depth, settings, seed, options.epochs, data)
            for seed in range(options.seeds)
        ]
        accuracy, first, last, seconds = np.mean(rows, axis=0)
        print(
            f"| {name} | {depth} | {accuracy:.3f} | {first:.1e} | {last:.1e} "
            f"| {seconds:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
