"""Seconds per fit and microseconds per training step: sknn, scikit-learn, PyTorch.

    python tests/benchmarks/fit.py [--repeats 15] [--threads 1]

All fits of one line run in turn in this process, with the same data, the same number of
steps and, for scikit-learn, the same numbers out. Ratios are taken repeat by repeat and
their median is quoted. PyTorch runs where it is installed.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable
from itertools import pairwise

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--repeats", type=int, default=15)
parser.add_argument("--threads", type=int, default=1)
options = parser.parse_args()
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(options.threads)

import numpy as np  # noqa: E402
from sklearn.neural_network import MLPClassifier as ScikitLearn  # noqa: E402

from sknn import MLPClassifier  # noqa: E402

try:
    import torch
except ImportError:
    torch = None

# layer sizes, batch size, rows, epochs; targets against scikit-learn in float32 and
# float64 and against PyTorch in float32
CASES = [
    ((4, 10, 3), 32, 3200, 10, (5.0, 4.0, 6.0)),
    ((64, 100, 10), 200, 4000, 10, (2.6, 1.8, 2.5)),
    ((50, 256, 256, 2), 256, 2560, 5, (1.7, 1.3, 1.1)),
    ((784, 512, 512, 10), 128, 1280, 3, (1.25, 1.1, 0.85)),
]


def fit_sklearn_like(cls, X, y, sizes, batch_size, epochs):
    model = cls(
        sizes[1:-1],
        batch_size=batch_size,
        max_iter=epochs,
        random_state=0,
        tol=0.0,
        n_iter_no_change=10**6,
    )
    return model.fit(X, y)


def fit_torch(X, y, sizes, batch_size, epochs):
    torch.manual_seed(0)
    layers = []
    for n_in, n_out in pairwise(sizes):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1]).to(torch.from_numpy(X).dtype)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    loss = torch.nn.CrossEntropyLoss()
    inputs, targets = torch.from_numpy(X), torch.from_numpy(y)
    for _ in range(epochs):
        for rows in torch.randperm(len(y)).split(batch_size):
            optimizer.zero_grad()
            value = loss(model(inputs[rows]), targets[rows])
            value.backward()
            optimizer.step()
    return model


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(case, dtype):
    """Return the seconds of each repeat (rows) of each contender (columns)."""
    sizes, batch_size, rows, epochs, _ = case
    rng = np.random.RandomState(0)
    X = rng.normal(size=(rows, sizes[0])).astype(dtype)
    y = rng.randint(0, sizes[-1], rows)
    settings = (X, y, sizes, batch_size, epochs)
    works = {
        "sknn": lambda: fit_sklearn_like(MLPClassifier, *settings),
        "scikit-learn": lambda: fit_sklearn_like(ScikitLearn, *settings),
    }
    if torch is not None:
        works["PyTorch"] = lambda: fit_torch(*settings)
    for work in works.values():
        work()
    times = [[seconds(work) for work in works.values()] for _ in range(options.repeats)]
    return list(works), np.array(times)


def main():
    warnings.simplefilter("ignore")
    if torch is not None:
        torch.set_num_threads(options.threads)
    print(
        "| net | batch | dtype | package | s per fit | µs per step | sknn faster by |"
    )
    print("|---|---|---|---|---|---|---|")
    for case in CASES:
        sizes, batch_size, rows, epochs, targets = case
        steps = epochs * -(-rows // batch_size)
        for dtype, target in zip((np.float32, np.float64), targets, strict=False):
            names, times = measure(case, dtype)
            ratios = np.median(times / times[:, :1], axis=0)
            wanted = {"scikit-learn": target, "PyTorch": targets[2]}
            for i, name in enumerate(names):
                median = np.median(times[:, i])
                aim = wanted.get(name)
                if name == "PyTorch" and dtype is np.float64:
                    aim = None
                print(
                    f"| {'-'.join(map(str, sizes))} | {batch_size} "
                    f"| {np.dtype(dtype).name} | {name} | {median:.4f} "
                    f"| {median / steps * 1e6:.1f} | "
                    + ("" if i == 0 else f"{ratios[i]:.2f} ×")
                    + (f" (target {aim})" if aim else "")
                    + " |"
                )


if __name__ == "__main__":
    main()
