"""Microseconds per training step of a 50-256-256-2 network with each kind of layer.

    python tests/benchmarks/layers.py [--repeats 30] [--threads 1]

Batches of 256 of 5120 samples, Adam, cross-entropy; sknn and PyTorch (where installed)
run epochs of the same network in turn in this process. Ratios are taken repeat by
repeat and their median is quoted.
"""

import argparse
import os
import time

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--repeats", type=int, default=30)
parser.add_argument("--threads", type=int, default=1)
options = parser.parse_args()
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(options.threads)

import numpy as np  # noqa: E402

from sknn.layers import (  # noqa: E402
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    LayerNorm,
    Residual,
)
from sknn.losses.classification import MultinomialLogLoss  # noqa: E402
from sknn.network import Network  # noqa: E402
from sknn.objective import Objective  # noqa: E402
from sknn.optimizers import Adam  # noqa: E402
from sknn.schedules import Constant  # noqa: E402
from sknn.training.batches import Batches  # noqa: E402
from sknn.training.state import TrainingState  # noqa: E402
from sknn.training.trainer import train  # noqa: E402

try:
    import torch
    from torch import nn
except ImportError:
    torch = None

N, BATCH, N_IN, UNITS, N_OUT = 5120, 256, 50, 256, 2


def chain(after):
    """Two hidden layers, each followed by what `after` returns."""
    return lambda: [Dense(UNITS), *after(), Dense(UNITS), *after(), Dense(N_OUT)]


def relu():
    return Activation("relu")


CASES = {
    "plain": chain(lambda: [relu()]),
    "dropout": chain(lambda: [relu(), Dropout(0.1)]),
    "batch norm": chain(lambda: [BatchNorm(), relu()]),
    "layer norm": chain(lambda: [LayerNorm(), relu()]),
    "residual": lambda: [
        Dense(UNITS),
        Residual([relu(), Dense(UNITS)]),
        relu(),
        Dense(N_OUT),
    ],
    "layer norm, dropout, residual": lambda: [
        Dense(UNITS),
        Residual([LayerNorm(), relu(), Dropout(0.1), Dense(UNITS)]),
        LayerNorm(),
        relu(),
        Dense(N_OUT),
    ],
}


def as_torch(layers, n_in=N_IN):
    """The same network as a PyTorch module."""

    class Skip(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return x + self.inner(x)

    modules = []
    for layer in layers:
        if isinstance(layer, Dense):
            modules.append(nn.Linear(n_in, layer.units))
            n_in = layer.units
        elif isinstance(layer, Residual):
            modules.append(Skip(as_torch(layer.layers, n_in)))
        elif isinstance(layer, BatchNorm):
            modules.append(nn.BatchNorm1d(n_in))
        elif isinstance(layer, LayerNorm):
            modules.append(nn.LayerNorm(n_in))
        else:
            dropout = isinstance(layer, Dropout)
            modules.append(nn.Dropout(layer.rate) if dropout else nn.ReLU())
    return nn.Sequential(*modules)


def our_epochs(layers, X, y):
    rng = np.random.RandomState(0)
    network = Network(layers, N_IN, X.dtype, rng)
    objective = Objective(network, MultinomialLogLoss(), 0.0, rng)
    table = np.eye(N_OUT, dtype=X.dtype)
    batches = Batches(X, y, None, BATCH, X.dtype, table)
    state = TrainingState(rng)
    epochs = train(objective, batches, Adam(), Constant(), state, learning_rate=1e-3)
    return lambda: next(epochs)


def torch_epochs(layers, X, y):
    torch.manual_seed(0)
    inputs, targets = torch.from_numpy(X), torch.from_numpy(y)
    model = as_torch(layers).to(inputs.dtype)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    loss = nn.CrossEntropyLoss()

    def epoch():
        for rows in torch.randperm(N).split(BATCH):
            optimizer.zero_grad()
            value = loss(model(inputs[rows]), targets[rows])
            value.backward()
            optimizer.step()

    return epoch


def seconds(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main():
    if torch is not None:
        torch.set_num_threads(options.threads)
    print("| layers | dtype | sknn µs | PyTorch µs | PyTorch / sknn |")
    print("|---|---|---|---|---|")
    rng = np.random.RandomState(0)
    for dtype in (np.float32, np.float64):
        X = rng.normal(size=(N, N_IN)).astype(dtype)
        y = rng.randint(0, N_OUT, N)
        for name, make in CASES.items():
            works = [our_epochs(make(), X, y)]
            if torch is not None:
                works.append(torch_epochs(make(), X, y))
            for work in works:
                work()
            times = np.array(
                [[seconds(work) for work in works] for _ in range(options.repeats)]
            )
            steps = N // BATCH
            medians = np.median(times, axis=0) / steps * 1e6
            row = f"| {name} | {np.dtype(dtype).name} | {medians[0]:.0f} "
            if torch is None:
                print(row + "| | |", flush=True)
                continue
            ratio = np.median(times[:, 1] / times[:, 0])
            print(f"{row}| {medians[1]:.0f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
