"""Predict and fit in many threads at once, and compare with one thread, to the bit.

    python tests/proofs/threads.py [predictions of each thread]

Prints how many answers were compared and how many differed; ends with an error if one
did. Threads are switched as often as the interpreter can, every 10 µs. About 5 minutes.
"""

import copy
import random
import sys
import threading
import time
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
from catalogue import (
    CASES,
    SMALL,
    X,
    ask,
    bits,
    digest,
    labels,
    layers_covered,
    learned,
    methods_of,
    numbers,
)

from sknn import MLPClassifier, MLPRegressor
from sknn.layers import LAYERS, Activation, BatchNorm, Dense, Dropout, LayerNorm
from sknn.losses import GaussianNLL, Huber, Quantile, Tweedie
from sknn.optimizers import OPTIMIZERS
from sknn.schedules import SCHEDULES
from sknn.training.averaging import AVERAGES

N_THREADS = 8


@contextmanager
def restless():
    """Switch threads as often as can be, without warnings of short fits."""
    before, filters = sys.getswitchinterval(), warnings.filters[:]
    sys.setswitchinterval(1e-5)
    warnings.simplefilter("ignore")
    try:
        yield
    finally:
        sys.setswitchinterval(before)
        # Not `catch_warnings`: scikit-learn's own, in other threads, would tear it up.
        warnings.filters[:] = filters
        warnings._filters_mutated()


def questions(case, model, n=12, seed=0):
    """Return rows to ask about: alone, few, many; with a method, and its answer."""
    draw, asked = random.Random(seed), []
    for method in methods_of(model):
        for _ in range(n):
            start, size = draw.randrange(150), draw.choice([1, 1, 2, 7, 40, 90])
            rows = case.X[start : start + size]
            asked.append((model, method, rows, bits(ask(model, method, rows))))
    return asked


def predict_at_once(n, cases=CASES):
    """Ask all models in all threads; return the number of answers and differences."""
    models = {name: case.fitted() for name, case in cases.items()}
    asked = [questions(cases[name], model) for name, model in models.items()]
    assert len(cases) < len(CASES) or layers_covered(models.values()) == set(LAYERS)

    def one_thread(seed):
        draw, different = random.Random(seed), 0
        for i in range(n):
            # By turns, so that a model is asked by several threads at the same time.
            model, method, rows, known = draw.choice(asked[(i // 5) % len(asked)])
            different += bits(ask(model, method, rows)) != known
        return different

    with restless(), ThreadPoolExecutor(N_THREADS) as pool:
        return n * N_THREADS, sum(pool.map(one_thread, range(N_THREADS)))


def predict_during_refits(case, seconds, n_states=2):
    """Ask a model that is fitted anew meanwhile; count whose answers came."""
    rows = case.X[:20]
    sizes = [case.X.shape[0] - 20 * i for i in range(n_states)]
    known = {answer_of: [] for answer_of in methods_of(case.fitted())}
    for n in sizes:
        model = case.fitted(n)
        for method, kept in known.items():
            kept.append(bits(ask(model, method, rows)))
    found, done = Counter(), threading.Event()

    def read():
        count, methods = Counter(), list(known)
        while not done.is_set():
            for method in methods:
                answer, states = bits(ask(model, method, rows)), known[method]
                count[states.index(answer) if answer in states else "mix"] += 1
        return count

    with restless(), ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        end = time.perf_counter() + seconds
        try:
            while time.perf_counter() < end:
                for n in sizes:
                    case.fit(model, n)
                    found["fits"] += 1
        finally:
            done.set()
        for reader in readers:
            found.update(reader.result())
    return found


def fit_at_once(cases=CASES, rounds=2):
    """Fit all cases in threads; return how many, and how many were not as alone."""
    alone = {name: digest(case.fitted(), case.X[:50]) for name, case in cases.items()}
    jobs = list(cases) * rounds

    def work(name):
        model = copy.deepcopy(cases[name].estimator)
        return digest(cases[name].fit(model), cases[name].X[:50]) != alone[name]

    with restless(), ThreadPoolExecutor(N_THREADS) as pool:
        return len(jobs), sum(pool.map(work, jobs))


def stop_late(epoch):
    """Stop after three epochs: a callback that is a function."""
    return epoch.iteration == 3


def shared_parameters():
    """Yield a name, a class and parameters with objects that several fits share."""
    for name, kind in OPTIMIZERS.items():
        yield name, MLPClassifier, {"solver": kind()}
    for name, kind in SCHEDULES.items():
        yield name, MLPClassifier, {"learning_rate": kind(), "solver": "sgd"}
    for name, kind in AVERAGES.items():
        yield name, MLPClassifier, {"average": kind()}
    for loss in (GaussianNLL(), Huber(), Quantile((0.1, 0.9)), Tweedie()):
        yield repr(loss), MLPRegressor, {"loss": loss}
    layers = [Dense(6), BatchNorm(), Activation("gelu"), Dropout(0.2), LayerNorm()]
    yield "layers", MLPClassifier, {"layers": layers, "hidden_layer_sizes": (100,)}
    yield "a function as callback", MLPClassifier, {"callbacks": [stop_late]}


def fit_sharing(rounds=4):
    """Fit estimators that share parameter objects; return how many, and differences."""
    jobs = [
        kind(**{**SMALL, **given, "random_state": seed})
        for _, kind, given in shared_parameters()
        for seed in range(rounds)
    ]

    def work(estimator):
        model = copy.copy(estimator)  # which shares the objects, as `clone` does not
        y = np.abs(numbers) if isinstance(model, MLPRegressor) else labels
        return bits(learned(model.fit(X, y)))

    with restless():
        alone = [work(job) for job in jobs]
        with ThreadPoolExecutor(N_THREADS) as pool:
            at_once = list(pool.map(work, jobs))
    return len(jobs), sum(a != b for a, b in zip(alone, at_once, strict=True))


def fit_sharing_a_generator():
    """Fit with one RandomState for all; return how many, and differences."""

    def fits(run):
        shared = np.random.RandomState(0)
        jobs = [MLPClassifier(**{**SMALL, "random_state": shared}) for _ in range(16)]
        return list(run(lambda job: bits(learned(job.fit(X, labels))), jobs))

    with restless(), ThreadPoolExecutor(N_THREADS) as pool:
        alone, at_once = fits(map), fits(pool.map)
    return len(alone), sum(a != b for a, b in zip(alone, at_once, strict=True))


def report(what, n, different):
    print(f"{what:62} {n:8} {different:6} differ", flush=True)
    return different


def main(n="10000"):
    begin, bad = time.perf_counter(), 0
    one = {"classifier": CASES["classifier"]}
    what = f"{N_THREADS} threads, {n} predictions each"
    bad += report(f"{what}, of one model", *predict_at_once(int(n), one))
    bad += report(f"{what}, of {len(CASES)} models", *predict_at_once(int(n)))
    total = Counter()
    for case in CASES.values():
        total += predict_during_refits(case, 1.5)
    mixes, fits = total.pop("mix", 0), total.pop("fits")
    what = f"predictions during {fits} refits ({total[0]} of one fit, {total[1]} other)"
    bad += report(what, sum(total.values()) + mixes, mixes)
    bad += report("fits of different models at once", *fit_at_once(rounds=6))
    bad += report("fits at once that share parameter objects", *fit_sharing(8))
    report("exception: fits that share a RandomState", *fit_sharing_a_generator())
    print(f"{time.perf_counter() - begin:.0f} s")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main(*sys.argv[1:])
