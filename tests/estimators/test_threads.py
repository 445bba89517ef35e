"""Methods that read a model see one model, whatever other threads publish meanwhile.

    python -m pytest -m slow tests/estimators/test_threads.py

runs the long form: publication at every line of every method.
"""

import copy
import functools
import os
import sys

import numpy as np
import pandas as pd
import pytest

import sknn
from sknn import (
    MLPAutoencoder,
    MLPClassifier,
    MLPEnsembleClassifier,
    MLPEnsembleRegressor,
    MLPEstimator,
    MLPRegressor,
    MLPTransformer,
    PerceptronClassifier,
    TabularMLPClassifier,
    TabularMLPRegressor,
)

PACKAGE = os.path.dirname(sknn.__file__)

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
two = np.where(X[:, 0] > 0, "yes", "no")
three = np.digitize(X[:, 1], [-0.5, 0.5])
several = (X[:, :2] > 0).astype(int)
numbers, larger = X[:, 0], 1e3 * X[:, 1] + 500
frame = pd.DataFrame({"a": X[:, 0], "b": np.where(X[:, 1] > 0, "u", "v")})
other_frame = frame.assign(a=50 * frame["a"], b=np.where(X[:, 1] > 0.5, "w", "u"))

BRIEF = {"max_iter": 2, "random_state": 0}
SMALL = {"hidden_layer_sizes": (4,), **BRIEF}
FEW = {"n_estimators": 2, "min_steps": 0, **SMALL}
PROBABILITIES = ["predict", "predict_proba", "predict_log_proba"]
SCORES = [*PROBABILITIES, "decision_function"]

# An estimator, its methods, what it was fitted on, what it is fitted on meanwhile, and
# what it is asked about if that is not X.
CASES = {
    "classifier": (MLPClassifier(**SMALL), SCORES, (X, two), (2 * X, three)),
    "multilabel": (MLPClassifier(**SMALL), SCORES, (X, several), (X, two)),
    "encoded": (
        MLPClassifier(categorical_features="from_dtype", scaling="robust", **SMALL),
        SCORES,
        (frame, two),
        (other_frame, three),
        frame[frame["b"] == "u"],
    ),
    "regressor": (
        MLPRegressor(normalize_y=True, **SMALL),
        ["predict"],
        (X, numbers),
        (X, larger),
    ),
    "distribution": (
        MLPRegressor(loss="gaussian_nll", normalize_y=True, **SMALL),
        ["predict_interval"],
        (X, numbers),
        (X, larger),
    ),
    "quantiles": (
        MLPRegressor(loss="quantile", quantile=[0.05, 0.95], normalize_y=True, **SMALL),
        ["predict", "predict_quantiles", "predict_interval"],
        (X, numbers),
        (X, larger),
    ),
    "estimator": (MLPEstimator(**SMALL), ["predict"], (X, two), (X, larger)),
    "autoencoder": (
        MLPAutoencoder(2, (4,), **BRIEF),
        ["predict", "transform"],
        (X, None),
        (50 * X, None),
    ),
    "transformer": (
        MLPTransformer(MLPClassifier((4, 3), **BRIEF)),
        ["transform"],
        (X, two),
        (50 * X, three),
    ),
    "perceptron": (
        PerceptronClassifier(max_iter=20),
        ["predict", "decision_function"],
        (X, two),
        (X, three),
    ),
    "ensemble": (
        MLPEnsembleClassifier(MLPClassifier(**SMALL), 2),
        PROBABILITIES,
        (X, two),
        (50 * X, three),
    ),
    "ensemble of regressors": (
        MLPEnsembleRegressor(MLPRegressor(normalize_y=True, **SMALL), 2),
        ["predict"],
        (X, numbers),
        (X, larger),
    ),
    "tabular": (
        TabularMLPClassifier(**FEW),
        SCORES,
        (frame, two),
        (other_frame, three),
        frame[frame["b"] == "u"],
    ),
    "tabular regressor": (
        TabularMLPRegressor(**FEW),
        ["predict", "predict_interval"],
        (frame, numbers),
        (other_frame, larger),
        frame[frame["b"] == "u"],
    ),
}


def fitted(estimator, X, y):
    return copy.copy(estimator).fit(X, y)


def while_published(work, publish, at):
    """Return what `work` gives if `publish` happens at its line `at`; and its lines."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line":
            count += 1
            if count == at:
                publish()
        return trace

    sys.settrace(trace)
    try:
        answer = work()
    finally:
        sys.settrace(None)
    return answer, count


def publish_within(old, new, method, asked, tries):
    """Return how many answers were of the old model, and how many of the new one."""
    answers = [getattr(model, method)(asked) for model in (old, new)]
    assert answers[0].tobytes() != answers[1].tobytes()
    _, lines = while_published(lambda: getattr(old, method)(asked), None, -1)
    counts = [0, 0]
    for at in np.unique(np.linspace(1, lines, tries).astype(int)):
        model = copy.copy(old)

        def publish(model=model):
            model.__dict__ = copy.copy(new).__dict__

        work = functools.partial(getattr(model, method), asked)
        answer, _ = while_published(work, publish, at)
        same = [answer.tobytes() == known.tobytes() for known in answers]
        assert any(same), f"a mix at line {at} of {lines}"
        counts[same.index(True)] += 1
    return counts


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    "tries", [12, pytest.param(10_000, marks=pytest.mark.slow)], ids=["short", "long"]
)
def test_publication_at_any_line_of_a_method_makes_no_mix(case, tries):
    estimator, methods, data, other, *asked = CASES[case]
    old, new = fitted(estimator, *data), fitted(estimator, *other)
    for method in methods:
        of_old, of_new = publish_within(old, new, method, (asked or [X])[0], tries)
        assert of_old >= 10
        assert of_new <= 2


class NotToBeWalked(dict):
    """Attributes of an estimator: a fit sets some of scikit-learn's while it runs."""

    def __iter__(self):
        raise AssertionError("dictionary may change size during iteration")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("case", CASES)
def test_no_method_walks_over_attributes(case):
    estimator, methods, data, _, *asked = CASES[case]
    model = fitted(estimator, *data)
    model.__dict__ = NotToBeWalked(vars(model))
    for method in methods:
        assert len(getattr(model, method)((asked or [X])[0]))
