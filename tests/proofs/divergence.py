"""Let training diverge in every way, with every solver, under every `on_divergence`.

    python tests/proofs/divergence.py

Each fit must stop with an error that names the epoch, or keep finite weights and warn,
or come back to a finite model; the counts are printed. About two minutes.
"""

import importlib.util
import pathlib
import re
import sys
import time
from collections import Counter

import numpy as np

from sknn.optimizers import OPTIMIZERS

TESTS = pathlib.Path(__file__).parents[1]


def load(path):
    """Import a module of tests: its situations are what is tried here."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # for pickles
    spec.loader.exec_module(module)
    return module


tests = load(TESTS / "estimators" / "test_divergence.py")


def outcome(name, solver, mode):
    """Fit, and say what came of it; AssertionError if it is bad."""
    make, X, y, _ = tests.SITUATIONS[name]
    model = make()
    if solver != "own":
        model.set_params(solver=solver)
    model, said = tests.fitted(model, X, y, mode)
    if said is not None:
        assert re.search(r"diverged in (epoch|iteration) \d+", said), said
    if mode == "raise" and said is not None:
        assert not [key for key in vars(model) if key.endswith("_")]
        return "stopped, epoch named, no model"
    tests.assert_sound(model, X if "float32" not in name else tests.X)
    assert np.isfinite(model._network.values).all()
    if said is None:
        return "did not diverge, finite"
    kept = "Rescued" not in said
    assert not kept or "parameters are kept" in said, said
    return "last finite weights kept, epoch named" if kept else "rescued, epoch named"


def main():
    begin, found, bad = time.perf_counter(), Counter(), []
    for name in tests.SITUATIONS:
        solvers = ["own"] if "lbfgs" in name else ["own", *OPTIMIZERS]
        for solver in solvers:
            for mode in tests.MODES:
                try:
                    found[mode, outcome(name, solver, mode)] += 1
                except Exception as error:
                    bad.append((name, solver, mode, repr(error)[:200]))
    for (mode, what), count in sorted(found.items()):
        print(f"{mode:8} {what:40} {count:5}")
    for item in bad:
        print("bad:", *item)
    n = found.total() + len(bad)
    print(f"{n} fits, {len(bad)} bad, {time.perf_counter() - begin:.0f} s")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
