"""What `import sknn` costs beyond scikit-learn.

    python tests/benchmarks/import_time.py [repetitions]

Each repetition is a process of its own that imports scikit-learn first and sknn then;
the figure is the time of the second import. It is taken twice: after `import sklearn`
alone, and after the parts of scikit-learn that a script with a neural network imports
anyway. Prints the median and the range. Byte code is kept, as an installer writes it.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[2]
PROBE = """
import time
begin = time.perf_counter()
import {first}
middle = time.perf_counter()
import sknn
print(middle - begin, time.perf_counter() - middle)
"""
BASELINES = (
    "sklearn",
    "sklearn.neural_network, sklearn.model_selection, sklearn.pipeline",
)


def import_times(first, cache):
    """Return the seconds that `first` took, and sknn after it."""
    environment = os.environ | {"PYTHONPYCACHEPREFIX": cache}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    output = subprocess.run(
        [sys.executable, "-c", PROBE.format(first=first)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [float(seconds) for seconds in output.split()]


def summary(seconds):
    """Return median and range in milliseconds as text."""
    low, high = min(seconds), max(seconds)
    return (
        f"{1e3 * statistics.median(seconds):7.1f} ms "
        f"({1e3 * low:.1f} to {1e3 * high:.1f})"
    )


def main(repetitions=15):
    """Print the figures."""
    with tempfile.TemporaryDirectory() as cache:
        for first in BASELINES:
            import_times(first, cache)  # writes the byte code
            rounds = [import_times(first, cache) for _ in range(repetitions)]
            baseline, ours = zip(*rounds, strict=True)
            print(f"import {first}")
            print(f"    took                {summary(baseline)}")
            print(f"    import sknn added   {summary(ours)}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
