"""An exception or Ctrl-C at any line of fit, save or load leaves all whole, or nothing.

    python -m pytest -m slow tests/estimators/test_interruptions.py

runs the long form: 1000 random lines of each case instead of 25, or 8.
"""

import contextlib
import copy
import os
import random
import sys
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError

import sknn
from sknn import MLPClassifier, MLPEnsembleClassifier, PerceptronClassifier
from sknn.persistence import FileFormatError

PACKAGE = os.path.dirname(sknn.__file__)
X, Y = load_iris(return_X_y=True)
CASES = {
    "adam": {},
    "early stopping": {"early_stopping": True},
    "lbfgs": {"solver": "lbfgs"},
}
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 4, "batch_size": 40, "random_state": 0}


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
    model = MLPClassifier(**SMALL, **parameters)
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


def fitted(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind.fit(X, Y)


def bits(model):
    return scores(model).tobytes()


def scores(model):
    ask = getattr(model, "predict_proba", None) or model.decision_function
    return ask(X)


WORK = {
    "partial_fit": (MLPClassifier(**SMALL), lambda m, path: m.partial_fit(X, Y)),
    "resume": (
        MLPClassifier(**SMALL),
        lambda m, path: m.fit(X, Y, resume_from=path),
    ),
    "checkpoint": (
        MLPClassifier(**SMALL, warm_start=True),
        lambda m, path: m.set_params(checkpoint=path).fit(X, Y),
    ),
    "ensemble": (
        MLPEnsembleClassifier(MLPClassifier(**SMALL), 2, random_state=1),
        lambda m, path: m.fit(X[::-1], Y[::-1]),
    ),
    "perceptron": (
        PerceptronClassifier(max_iter=4, random_state=0),
        lambda m, path: m.fit(X[::-1], Y[::-1]),
    ),
    "save": (MLPClassifier(**SMALL), lambda m, path: sknn.save(m, path)),
    "load": (MLPClassifier(**SMALL), lambda m, path: sknn.load(path)),
}
LONG = [8, pytest.param(1000, marks=pytest.mark.slow)]


@contextlib.contextmanager
def passing(error):
    """Pass over an interruption, also where others tell of it in their words.

    It may come while a file is read, or where scikit-learn asks whether there is a
    `partial_fit`.
    """
    try:
        yield
    except error:
        pass
    except (FileFormatError, AttributeError) as told:
        if not isinstance(told.__cause__, error):
            raise


def interrupted_work(name, error, tries, folder, seed):
    """Interrupt at random lines; return what is left of a model and of its file."""
    model, work = WORK[name]
    path = folder / "model.sknn"
    first = fitted(MLPClassifier(**SMALL, checkpoint=path))
    stored = path.read_bytes()
    begin = fitted(clone(model))
    if name == "resume":
        begin = first.set_params(checkpoint=None)
    whole = copy.deepcopy(begin)
    lines = run_with_interruption(lambda: work(copy.deepcopy(begin), path), -1, None)
    work(whole, path)
    files, draw = {stored, path.read_bytes()}, random.Random(seed)
    for _ in range(tries):
        path.write_bytes(stored)
        one = copy.deepcopy(begin)
        at = draw.randint(1, lines)
        with passing(error):
            run_with_interruption(lambda m=one: work(m, path), at, error)
        yield one, bits(begin), bits(whole), path, files


def what_is_left(name, error, tries, folder, seed=0):
    """Yield for each interruption whether model and file are whole, and nothing else.

    Ctrl-C keeps an epoch of those that there would have been: that is whole, too.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Training interrupted")
        for model, before, after, path, files in interrupted_work(
            name, error, tries, folder, seed
        ):
            if error is InterruptedByTestError:
                whole = bits(model) in (before, after)
            else:
                whole = bool(np.isfinite(scores(model)).all())
            whole &= name == "checkpoint" or path.read_bytes() in files
            whole &= 1 <= sknn.load(path).n_iter_ <= 4
            yield whole and [e.name for e in path.parent.iterdir()] == [path.name]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("error", [InterruptedByTestError, KeyboardInterrupt])
@pytest.mark.parametrize("name", WORK)
@pytest.mark.parametrize("tries", LONG, ids=["short", "long"])
def test_no_line_leaves_half_a_model_or_half_a_file(name, error, tries, tmp_path):
    left = list(what_is_left(name, error, tries, tmp_path, seed=len(name)))
    assert len(left) == tries
    assert all(left)
