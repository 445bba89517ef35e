"""Time of a training step with each loss and each optimiser, beside log loss and Adam.

    python tests/benchmarks/steps.py [--repeats 30]

A 64-100-10 network (10 raw columns for every loss that can have them), batches of 200,
one thread; epochs of 4000 samples run in turn in this process, ratios are taken repeat
by repeat and their median is quoted.
"""

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import time  # noqa: E402

import numpy as np  # noqa: E402

from sknn.layers import Activation, Dense  # noqa: E402
from sknn.losses import LOSSES, Quantile  # noqa: E402
from sknn.network import Network  # noqa: E402
from sknn.objective import Objective  # noqa: E402
from sknn.optimizers import OPTIMIZERS  # noqa: E402
from sknn.schedules import Constant  # noqa: E402
from sknn.training.batches import Batches  # noqa: E402
from sknn.training.state import TrainingState  # noqa: E402
from sknn.training.trainer import train  # noqa: E402

N, BATCH, N_RAW = 4000, 200, 10
BASE = ("multinomial_log_loss", "adam")


def epochs(loss, optimizer, dtype):
    """A function that runs one epoch."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(N, 64)).astype(dtype)
    n_outputs = N_RAW if loss.n_raw(N_RAW) == N_RAW else N_RAW // loss.n_raw(1)
    y = np.eye(n_outputs)[rng.randint(0, n_outputs, N)]
    if loss.link not in ("softmax", "logistic"):
        y = y + rng.gamma(2.0, size=y.shape)
    layers = [Dense(100), Activation("relu"), Dense(loss.n_raw(n_outputs))]
    network = Network(layers, 64, dtype, rng)
    objective = Objective(network, loss, 1e-4, rng)
    batches = Batches(X, y.astype(dtype), None, BATCH, dtype)
    state = TrainingState(rng)
    stream = train(objective, batches, optimizer, Constant(), state, learning_rate=1e-4)
    return lambda: next(stream)


def seconds(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=30)
    repeats = parser.parse_args().repeats
    losses = {name: kind() for name, kind in LOSSES.items()}
    losses["five quantiles"] = Quantile((0.05, 0.25, 0.5, 0.75, 0.95))
    cases = [(name, "adam") for name in losses if name != BASE[0]]
    cases += [(BASE[0], name) for name in OPTIMIZERS if name != BASE[1]]
    print("| loss | optimiser | float32 | float64 |\n|---|---|---|---|")
    for loss, optimizer in cases:
        ratios = []
        for dtype in (np.float32, np.float64):
            works = [
                epochs(losses[name], OPTIMIZERS[solver](), dtype)
                for name, solver in (BASE, (loss, optimizer))
            ]
            times = np.array([[seconds(w) for w in works] for _ in range(repeats)])
            ratios.append(np.median(times[3:, 1] / times[3:, 0]))
        shown = " | ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"| {loss} | {optimizer} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
