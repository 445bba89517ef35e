"""An exception or Ctrl-C at any line of fit leaves a whole model or none.

    python -m pytest -m slow tests/estimators/test_interruptions.py

runs the long form: 1000 random lines of each case instead of 25.
"""

import copy
import os
import random
import sys
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError

import sknn
from sknn import MLPClassifier

PACKAGE = os.path.dirname(sknn.__file__)
X, Y = load_iris(return_X_y=True)
CASES = {
    "adam": {},
    "early stopping": {"early_stopping": True},
    "lbfgs": {"solver": "lbfgs"},
}


class InterruptedByTestError(Exception):
    """What goes wrong at a random line."""


def run_with_interruption(work, at, error):
    """Run `work`, raising `error` at line event `at`; return how many there were."""
    count = [0]

    def trace(frame, event, argument):
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line":
            count[0] += 1
            if count[0] == at:
                raise error
        return trace

    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(None)
    return count[0]


def is_unfitted_or_whole(model):
    """Whole it is where the interruption came between publication and return."""
    try:
        model.predict(X)
    except NotFittedError:
        return not [name for name in vars(model) if name.endswith("_")]
    return is_whole(model)


def is_whole(model):
    lengths = {len(column) for column in model.history_.values()}
    good = np.isfinite(model.predict_proba(X)).all() and len(lengths) == 1
    return good and len(model.loss_curve_) >= model.n_iter_ >= 1


def same_attributes(a, b):
    return a.keys() == b.keys() and a["_network"] is b["_network"]


def interrupt(parameters, error, tries, seed):
    """Interrupt first fits and refits at random lines; return how each ended."""
    model = MLPClassifier((4,), max_iter=4, batch_size=40, random_state=0, **parameters)
    lines = run_with_interruption(lambda: copy.copy(model).fit(X, Y), -1, None)
    draw, ends = random.Random(seed), []
    for _ in range(tries):
        at = draw.randint(1, lines)
        first, again = copy.copy(model), copy.copy(model).fit(X, Y)
        before = dict(vars(again))
        for fitted, kept in ((first, None), (again, before)):
            try:
                run_with_interruption(lambda f=fitted: f.fit(X, Y), at, error)
            except error:
                untouched = kept is not None and same_attributes(vars(fitted), kept)
                ends.append(untouched or is_unfitted_or_whole(fitted))
            else:
                ends.append(is_whole(fitted))
    return ends


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("error", [InterruptedByTestError, KeyboardInterrupt])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    "tries", [25, pytest.param(1000, marks=pytest.mark.slow)], ids=["short", "long"]
)
def test_no_line_leaves_half_a_model(case, error, tries):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Training interrupted")
        ends = interrupt(CASES[case], error, tries, seed=len(case))
    assert len(ends) == 2 * tries
    assert all(ends)
