"""What each activation and its slope take, as a multiple of ReLU's.

    python tests/benchmarks/activations.py [--rows 200] [--units 100] [--repeats 200]

In float32 and float64, values from a normal distribution. All run in turn in this
process; ratios are taken turn by turn and their median is quoted.
"""

import argparse
import time

import numpy as np

from sknn.activations import ACTIVATIONS

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--rows", type=int, default=200)
parser.add_argument("--units", type=int, default=100)
parser.add_argument("--repeats", type=int, default=200)
options = parser.parse_args()


def seconds(name, z):
    """Time the function that a training step calls, which overwrites its arrays."""
    value, slope = z.copy(), np.empty_like(z)
    start = time.perf_counter()
    ACTIVATIONS[name].value_and_slope(z, value, slope)
    return time.perf_counter() - start


print(f"{'activation':<12}{'float32':>9}{'float64':>9}   median of seconds over ReLU's")
shape = (options.rows, options.units)
columns = []
for dtype in (np.float32, np.float64):
    z = np.random.default_rng(0).normal(size=shape).astype(dtype)
    turns = [[seconds(name, z) for name in ACTIVATIONS] for _ in range(options.repeats)]
    relu = [turn[list(ACTIVATIONS).index("relu")] for turn in turns]
    columns.append(np.median(np.array(turns) / np.array(relu)[:, None], axis=0))
for name, *ratios in zip(ACTIVATIONS, *columns, strict=True):
    print(f"{name:<12}" + "".join(f"{ratio:9.1f}" for ratio in ratios))
