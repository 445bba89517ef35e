"""Interrupt at random lines: nothing half may be left of a model or of a file.

    python tests/proofs/interruptions.py [tries of each case]

An exception, or Ctrl-C, is raised at a random line of sknn within first fits, refits,
partial_fit, resumed fits, fits with checkpoints, of ensembles and perceptrons, within
save and within load. The earlier model must have survived, or the new one be whole.
"""

import sys
import tempfile
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.estimators.test_interruptions import (
    CASES,
    WORK,
    InterruptedByTestError,
    interrupt,
    what_is_left,
)

ERRORS = {"an exception": InterruptedByTestError, "Ctrl-C": KeyboardInterrupt}


def outcomes(tries):
    """Yield for each case what was interrupted, by what, and whether all was whole."""
    for how, error in ERRORS.items():
        for name, parameters in CASES.items():
            ends = interrupt(parameters, error, tries, seed=0)
            yield f"fit and refit, {name}", how, ends
        for name in WORK:
            with tempfile.TemporaryDirectory() as folder:
                yield name, how, list(what_is_left(name, error, tries, Path(folder)))


def main(tries="250"):
    warnings.simplefilter("ignore")
    begin, n, bad = time.perf_counter(), 0, 0
    for name, how, ends in outcomes(int(tries)):
        n, bad = n + len(ends), bad + ends.count(False)
        print(f"{name:30} {how:15} {len(ends):6} tried, {ends.count(False)} half")
    print(f"{n} interruptions, {bad} half states, {time.perf_counter() - begin:.1f} s")
    return bad


if __name__ == "__main__":
    sys.exit(bool(main(*sys.argv[1:])))
