"""Do everything the package does, and look whether the process is as it was before.

    python tests/proofs/global_state.py

Looks at generators of random numbers, filters of warnings, NumPy's error handling, the
environment, thread pools, locale, open files, threads, limits, signals, configuration.
Half a minute.
"""

import contextlib
import copy
import functools
import gc
import io
import locale
import logging
import os
import random
import signal
import sys
import threading
import time
import warnings

import joblib
import numpy as np
import sklearn
from catalogue import CASES, SMALL, X, ask, labels, methods_of, numbers
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info

from sknn import MLPClassifier, MLPRegressor

METHODS = ["exact", "permutation", "kernel", "deep", "expected_gradients"]
METHODS += ["integrated_gradients", "gradient", "lime"]


def open_files():
    """Return what the descriptors of this process stand for, where the system tells."""
    found = []
    for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else ():
        with contextlib.suppress(OSError):  # the one that lists the folder
            found.append(os.readlink(f"/proc/self/fd/{name}"))
    return sorted(found)


def state():
    """Return all that a library might change and should not."""
    pools = [(pool["filepath"], pool["num_threads"]) for pool in threadpool_info()]
    return {
        "NumPy's generator": repr(np.random.get_state(legacy=False)),
        "Python's generator": random.getstate(),
        "filters of warnings": list(warnings.filters),
        "how warnings are shown": warnings.showwarning,
        "errstate": (np.geterr(), np.geterrcall(), np.getbufsize()),
        "print options": repr(np.get_printoptions()),
        "environment": dict(os.environ),
        "thread pools": sorted(pools),
        "locale": locale.setlocale(locale.LC_ALL),
        "sys.path": list(sys.path),
        "folder": os.getcwd(),
        "open files": open_files(),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "limits": (sys.getrecursionlimit(), sys.getswitchinterval()),
        "hooks": (sys.excepthook, sys.displayhook, sys.gettrace(), sys.getprofile()),
        "signals": [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)],
        "collector": (gc.isenabled(), gc.get_threshold()),
        "streams": (sys.stdout, sys.stderr),
        "logging": (logging.root.level, list(logging.root.handlers)),
        "scikit-learn": sklearn.get_config(),
    }


def changes(work):
    """Return the names of what `work` has changed; its errors and warnings are lost."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        before = state()
        with contextlib.suppress(Exception, KeyboardInterrupt):
            work()
        after = state()
    return [name for name in before if before[name] != after[name]]


def interrupt_in(n):
    """Return a callback that interrupts a fit in its epoch `n`."""

    def interrupt(epoch):
        if epoch.iteration == n:
            raise KeyboardInterrupt

    return interrupt


def use(case):
    """Fit a model, go on, and ask all that it answers."""
    model = case.fitted()
    if hasattr(model, "partial_fit") and not hasattr(model, "estimators_"):
        model.partial_fit(case.X, case.y)
    for method in methods_of(model):
        ask(model, method, case.X)
    copy.deepcopy(model)


def search(**options):
    grid = {"alpha": [1e-4, 1.0], "solver": ["adam", "no such solver"]}
    given = {"cv": 2, "error_score": -1.0, **options}
    return GridSearchCV(MLPClassifier(**SMALL), grid, **given).fit(X, labels)


def search_in_threads():
    with joblib.parallel_config("threading", n_jobs=2):
        search()


def explanation(network, method):
    given = {"background": X[:20], "method": method, "random_state": 0}
    from sknn.explain import explain

    return explain(network, X[:3], **given)


def actions():
    """Yield a name and a function for everything that is tried."""
    for name, case in CASES.items():
        yield f"fit, ask: {name}", lambda case=case: use(case)
    fits = {
        "a wrong parameter": ({"alpha": -1.0}, X, labels),
        "a wrong string": ({"solver": "none"}, X, labels),
        "NaN": ({}, np.where(X > 2, np.nan, X), labels),
        "too few labels": ({}, X, labels[:3]),
        "a callback that fails": ({"callbacks": lambda epoch: 1 / 0}, X, labels),
        "divergence": ({"solver": "sgd", "learning_rate_init": 1e9}, X, labels),
        "Ctrl-C": ({"callbacks": interrupt_in(2)}, X, labels),
        "Ctrl-C at once": ({"callbacks": interrupt_in(1)}, X, labels),
        "no time": ({"max_time": 1e-9}, X, labels),
        "verbose, diagnostics": ({"verbose": True, "diagnostics": True}, X, labels),
    }
    for name, (given, data, y) in fits.items():
        model = MLPClassifier(**{**SMALL, **given})
        yield name, lambda m=model, data=data, y=y: m.fit(data, y)
    for rescue in ("warn", "rescue"):
        given = {**SMALL, "solver": "sgd", "learning_rate_init": 1e9}
        model = MLPRegressor(**given, on_divergence=rescue)
        yield f"divergence, {rescue}", lambda m=model: m.fit(X, numbers)
    yield "a search", search
    network = CASES["two classes"].fitted()
    for method in METHODS:
        explanation(network, method)  # what a first use imports is another matter
        yield f"explain, {method}", functools.partial(explanation, network, method)


def main():
    begin, bad, n = time.perf_counter(), 0, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search_in_threads()  # joblib keeps its own things once used
        # (It is not among the actions: scikit-learn enters `catch_warnings` in each
        # of its threads, so that a search of any estimator may leave other filters.)
    for name, work in actions():
        changed = changes(work)
        n, bad = n + 1, bad + bool(changed)
        if changed:
            print(f"{name}: {', '.join(changed)}")
    what = f"{n} actions, {len(state())} states each, {bad} with a change"
    print(f"{what}, {time.perf_counter() - begin:.0f} s")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
