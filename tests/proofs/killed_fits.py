"""Kill fits with SIGKILL at random moments and resume them: the bits must be the same.

    python tests/proofs/killed_fits.py [number of kills]

A fit stores a checkpoint after each epoch, which takes most of its time: many kills
fall into the writing of a file. Each fit is killed and resumed until it ends by itself.
POSIX only.
"""

import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import load_iris

sys.path.insert(0, str(Path(__file__).parents[2]))

import sknn
from sknn import MLPClassifier
from sknn.estimators import _storing

SETTINGS = [
    {},
    {"dropout": 0.3, "normalization": "batch", "average": "ema"},
    {"early_stopping": True, "learning_rate": "cosine"},
    {"solver": "sgd", "learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 0.5},
    {"average": "swa", "learning_rate": "one_cycle", "solver": "nadam"},
]
X, Y = load_iris(return_X_y=True)


def network(i, path=None):
    settings = SETTINGS[i % len(SETTINGS)]
    return MLPClassifier(
        (64, 32), max_iter=12, random_state=i, checkpoint=path, **settings
    )


def bits(model):
    """Return everything that must be the same, as bytes and text."""
    parameters = b"".join(a.tobytes() for a in model.coefs_ + model.intercepts_)
    memory = b"".join(a.tobytes() for a in model._state.memory.values())
    curve = repr((model.loss_curve_, model.validation_scores_, model.n_iter_))
    return parameters + memory + curve.encode()


def work(i, path, result, writing):
    """Fit, or go on from the file, and leave the bits in another file."""
    warnings.simplefilter("ignore")
    write = _storing.write_tensors

    def watched(*args):
        writing.value = 1
        write(*args)
        writing.value = 0

    _storing.write_tensors = watched
    start = path if path.exists() else None
    model = network(i, path).fit(X, Y, resume_from=start)
    sknn.save(model, result)


def run_and_kill(i, path, result, delay):
    """Return whether the fit was killed, and whether that was within a write."""
    context = multiprocessing.get_context("fork")
    writing = context.Value("b", 0)
    process = context.Process(target=work, args=(i, path, result, writing))
    process.start()
    process.join(delay)
    if process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    if process.exitcode not in (0, -signal.SIGKILL):
        raise AssertionError(f"a fit ended with {process.exitcode}")
    return process.exitcode != 0, bool(writing.value)


def kills(n, seed=0):
    """Kill `n` times; return counts of kills, of those in a write, and of fits."""
    draw = random.Random(seed)
    done = within = stale = fits = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        while done < n:
            path, result = folder / "checkpoint", folder / "result"
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                begin = time.perf_counter()
                expected = bits(network(fits, path).fit(X, Y))
                whole = time.perf_counter() - begin
            path.unlink()
            while True:
                # The longest delays let the fit end by itself.
                delay = None if done >= n else draw.uniform(0.1, 1.3) * whole
                killed, in_write = run_and_kill(fits, path, result, delay)
                done, within = done + killed, within + (killed and in_write)
                if not killed:
                    break
            assert np.array_equal(bits(sknn.load(result)), expected), fits
            fits += 1
            stale += len(list(folder.glob(".*")))
            for file in folder.iterdir():
                file.unlink()
    return {"kills": done, "in a write": within, "files left": stale, "fits": fits}


def main(n="200"):
    begin = time.perf_counter()
    found = kills(int(n))
    print(
        f"{found['kills']} kills of {found['fits']} fits, {found['in a write']} of "
        f"them while a checkpoint was written; {found['files left']} temporary files "
        "left; every fit ended with the bits of the uninterrupted one, "
        f"{time.perf_counter() - begin:.1f} s"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
