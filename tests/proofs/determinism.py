"""Fit the same models in other circumstances, and compare what comes out, to the bit.

    python tests/proofs/determinism.py [other interpreters...]

Processes (joblib's, fork, spawn), BLAS threads, hash seeds, other Pythons with the same
wheels; and how far a prediction depends on the rows beside it. About 2 minutes.
"""

import json
import multiprocessing
import os
import pathlib
import subprocess
import sys
import warnings

import joblib
import numpy as np
from catalogue import CASES, SMALL, Case, ask, digest, labels, learned, methods_of
from threadpoolctl import threadpool_limits

from sknn import MLPClassifier
from sknn.network import Network

ROOT = pathlib.Path(__file__).parents[2]
SIZES = [
    1,
    2,
    3,
    5,
    8,
    16,
    33,
    64,
    100,
    255,
    256,
    257,
    1000,
    2500,
]  # the last one of several blocks
wide = np.random.RandomState(1).normal(size=(1000, 100))


def digest_of(name):
    """Return the digest of one case, fitted here and now."""
    warnings.simplefilter("ignore")
    return digest(CASES[name].fitted(), CASES[name].X[:50])


def digests():
    """Return the digests of all cases."""
    return {name: digest_of(name) for name in CASES}


def elsewhere(interpreter=sys.executable, **environment):
    """Return the digests of another process, or why there are none."""
    path = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [interpreter, __file__, "--digests"],
        env=os.environ | path | environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return done.stderr.splitlines()[-1]
    return json.loads(done.stdout)


def in_processes(how):
    """Return the digests of processes that are made by fork or spawn."""
    with multiprocessing.get_context(how).Pool(2) as pool:
        return dict(zip(CASES, pool.map(digest_of, CASES), strict=True))


def in_joblib():
    """Return the digests of joblib's processes."""
    found = joblib.Parallel(2)(joblib.delayed(digest_of)(name) for name in CASES)
    return dict(zip(CASES, found, strict=True))


def large_cases():
    """Return cases whose products are large enough for several BLAS threads."""
    X, y = np.tile(wide, (2, 1)), np.resize(labels, 2000)
    given = {"max_iter": 5, "batch_size": 500, "random_state": 0}
    kinds = {
        "256, 256": {"hidden_layer_sizes": (256, 256)},
        "256, 256, lbfgs": {"hidden_layer_sizes": (256, 256), "solver": "lbfgs"},
        "400, float32": {"hidden_layer_sizes": (400,), "dtype": "float32"},
    }
    return {n: Case(MLPClassifier(**given | kind), X, y) for n, kind in kinds.items()}


def with_blas_threads(case):
    """Return the largest difference of weights with 1 and 2 threads, by the largest."""
    found = []
    for n in (1, 2):
        with threadpool_limits(n):
            found.append(learned(case.fitted()))
    return max(
        np.abs(a - b).max() / np.abs(a).max() for a, b in zip(*found, strict=True)
    )


def networks():
    """Yield a name and fitted networks without preprocessing, of both dtypes."""
    for name, case in CASES.items():
        model = case.fitted()
        network = getattr(getattr(model, "estimator_", model), "_network", None)
        if network is not None and not getattr(model, "_columns", None):
            yield name, network, case.X
    for widths in ((100,), (256, 256), (37, 11)):
        for dtype in (np.float32, np.float64):
            given = {**SMALL, "hidden_layer_sizes": widths, "max_iter": 1}
            y = np.resize(labels, 1000)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = MLPClassifier(**given).fit(wide.astype(dtype), y)
            yield f"{widths}, {np.dtype(dtype)}", model._network, wide.astype(dtype)


def beside(network: Network, X, sizes=SIZES, n_tries=4, seed=0):
    """Return how far predictions depend on the rows beside, by the largest of all.

    Each batch is of other rows, in another order, around rows that are predicted alone.
    """
    rng = np.random.default_rng(seed)
    alone = np.concatenate([network.predict(X[i : i + 1]) for i in range(X.shape[0])])
    far = 0.0
    for n in sizes:
        for _ in range(n_tries):
            rows = rng.integers(0, X.shape[0], n)
            far = max(far, np.abs(network.predict(X[rows]) - alone[rows]).max())
    return float(far / np.abs(alone).max())


def answers_beside(case, sizes=(1, 2, 7, 64, 240), seed=0):
    """Return the same for the methods of an estimator, of numbers, over all of them."""
    model, rng, far = case.fitted(), np.random.default_rng(seed), 0.0
    for method in methods_of(model):
        whole = ask(model, method, case.X)
        for n in sizes:
            rows = rng.integers(0, case.X.shape[0], n)
            for a, b in zip(whole, ask(model, method, case.X[rows]), strict=True):
                if np.asarray(a).dtype.kind == "f":
                    far = max(far, np.abs(a[rows] - b).max() / np.abs(a).max())
                else:
                    assert (a[rows] == b).all()
    return float(far)


def compare(what, known, found):
    """Print how many digests differ; return how many."""
    if isinstance(found, str):
        print(f"{what:52} not run: {found}")
        return 0
    different = [name for name in known if known[name] != found[name]]
    print(f"{what:52} {len(known):4} {len(different):4} differ {different or ''}")
    return len(different)


def main(*interpreters):
    if interpreters[:1] == ("--digests",):
        print(json.dumps(digests()))
        return
    known = digests()
    bad = compare("again in this process", known, digests())
    np.dot(wide.T, wide)  # so that BLAS has threads before the fork
    bad += compare("multiprocessing, fork after BLAS", known, in_processes("fork"))
    bad += compare("multiprocessing, spawn", known, in_processes("spawn"))
    bad += compare("joblib, loky", known, in_joblib())
    for seed in "012":
        found = elsewhere(PYTHONHASHSEED=seed)
        bad += compare(f"PYTHONHASHSEED={seed}", known, found)
    for interpreter in interpreters:
        compare(interpreter, known, elsewhere(interpreter))
    far = {name: with_blas_threads(case) for name, case in CASES.items()}
    equal = sum(value == 0 for value in far.values())
    print(f"1 and 2 BLAS threads: weights of {equal} of {len(far)} small models equal")
    for name, case in large_cases().items():
        print(
            f"    {name}, batches of 500: {with_blas_threads(case):.1e} of the largest"
        )
    worst = {"float32": ("", 0.0), "float64": ("", 0.0)}
    for name, network, X in networks():
        kind = str(network.values.dtype)
        worst[kind] = max(worst[kind], (name, beside(network, X)), key=lambda w: w[1])
    for kind, (name, value) in worst.items():
        print(f"rows beside, {kind}: {value:.1e} of the largest output ({name})")
        bad += value > {"float32": 1e-5, "float64": 1e-13}[kind]
    values = {name: answers_beside(case) for name, case in CASES.items()}
    name = max(values, key=values.get)
    print(f"rows beside, answers of estimators: {values[name]:.1e} ({name})")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main(*sys.argv[1:])
