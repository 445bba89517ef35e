"""What a call may come to: it works and is right, or it is refused and changes nothing.

Shared by the tables of spellings (`test_inputs_of_every_kind` and its siblings) and by
`tests/proofs/bad_input.py`, which runs them all.
"""

import pickle
import re
import warnings
from contextlib import contextmanager
from functools import cache, partial

import numpy as np
from sklearn.exceptions import ConvergenceWarning

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

N = 24
# In eighths, so that half precision holds them all.
X = np.random.RandomState(0).randint(-16, 17, (N, 3)) / 8
CODES = np.array([0, 1, 2] * (N // 3))
NUMBERS = X @ [1.0, 2.0, -1.0] + 0.25
WEIGHTS = np.random.RandomState(1).randint(1, 9, N) / 8

_SHORT = {"max_iter": 2, "random_state": 0}
_NET = {"hidden_layer_sizes": (4,), **_SHORT}
_TABLE = {"n_estimators": 2, "min_steps": 0, "dtype": "float64", **_NET}

MODELS = {
    "MLPClassifier": lambda: MLPClassifier(**_NET),
    "MLPRegressor": lambda: MLPRegressor(**_NET),
    "MLPEstimator of classes": lambda: MLPEstimator(task="classification", **_NET),
    "MLPEstimator of numbers": lambda: MLPEstimator(task="regression", **_NET),
    "PerceptronClassifier": lambda: PerceptronClassifier(max_iter=3),
    "MLPEnsembleClassifier": lambda: MLPEnsembleClassifier(
        MLPClassifier(**_NET), 2, random_state=0
    ),
    "MLPEnsembleRegressor": lambda: MLPEnsembleRegressor(
        MLPRegressor(**_NET), 2, random_state=0
    ),
    "TabularMLPClassifier": lambda: TabularMLPClassifier(**_TABLE),
    "TabularMLPRegressor": lambda: TabularMLPRegressor(**_TABLE),
    "MLPAutoencoder": lambda: MLPAutoencoder(2, **_NET),
    "MLPTransformer": lambda: MLPTransformer(MLPClassifier(**_NET)),
}
OF_NUMBERS = [name for name in MODELS if re.search("Regressor|numbers", name)]
OF_CLASSES = [name for name in MODELS if re.search("Classifier|classes", name)]
TABULAR = {name for name in MODELS if name.startswith("Tabular")}
DENSE_ONLY = {*TABULAR, "MLPAutoencoder"}

_QUESTIONS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
)


@contextmanager
def quiet(*ignored):
    """Warnings are errors but for these, and the one that two epochs are too few."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "pandas.DataFrame with sparse columns found")
        for message in ignored:
            warnings.filterwarnings("ignore", message)
        yield


def objects(values):
    made = np.empty(N, dtype=object)
    made[:] = list(values)
    return made


def frozen(values):
    made = values.copy()
    made.flags.writeable = False
    return made


def masked(values):
    return np.ma.masked_array(values, np.arange(N) == 0)


def target(name):
    """Return y for a model."""
    return NUMBERS if name in OF_NUMBERS else CODES


def answers(model, X, *ignored):
    """Return what a fitted model answers about X, by method."""
    with quiet(*ignored):
        found = {q: getattr(model, q)(X) for q in _QUESTIONS if hasattr(model, q)}
        if isinstance(model, TabularMLPRegressor):
            found["predict_interval"] = model.predict_interval(X, coverage=0.8)
    return found


def fitted(name, X, y, **given):
    """Return a model of this name, fitted."""
    with quiet():
        return MODELS[name]().fit(X, y, **given)


@cache
def _reference(name, key):
    X, y = np.frombuffer(key[0]).reshape(key[1]), target(name)
    model = fitted(name, X, y)
    return model, answers(model, X)


def reference(name, X):
    """Return the model that a plain matrix gives, and its answers about it."""
    return _reference(name, (X.tobytes(), X.shape))


def assert_same(found, expected, rtol=1e-10):
    """Check that two sets of answers agree."""
    assert found.keys() == expected.keys()
    for question, answer in expected.items():
        answer, other = np.asarray(answer), np.asarray(found[question])
        assert other.shape == answer.shape, question
        if answer.dtype.kind in "fc":
            np.testing.assert_allclose(other, answer, rtol, rtol, err_msg=question)
        else:
            np.testing.assert_array_equal(other, answer, err_msg=question)


def assert_sound(found):
    """Check that answers are finite, and probabilities those of something."""
    for question, answer in found.items():
        if question != "predict_log_proba" and np.asarray(answer).dtype.kind == "f":
            assert np.isfinite(answer).all(), question
    p = found.get("predict_proba")
    if p is not None and np.ndim(found["predict"]) == 1:
        np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-6)


def _learned(model):
    """Return everything that a model has learned, as bytes."""
    return {
        name: pickle.dumps(value)
        for name, value in vars(model).items()
        if (name.endswith("_") or name.startswith("_")) and not name.startswith("_skl")
    }


def assert_refused(model, call, words, *ignored):
    """Check that a call raises one clear error and changes nothing.

    A warning would be an error of another kind, and so fail.
    """
    before = _learned(model)
    try:
        with quiet(*ignored):
            call(model)
    except (TypeError, ValueError) as error:
        assert re.search(words, str(error), re.DOTALL), f"{words!r} not in: {error}"
    else:
        raise AssertionError(f"not refused, though {words!r} was expected")
    assert _learned(model) == before


def check_not_fitted(name, make, words):
    """`fit` refuses this X, and leaves an unfitted estimator."""
    model = MODELS[name]()
    assert_refused(model, lambda m: m.fit(make(), target(name)), words)
    assert not [attribute for attribute in vars(model) if attribute.endswith("_")]
    return "refused"


def cases_of(what, tables, models):
    """Yield a name for each case of these tables, and what runs it."""
    for table, (check, rows) in tables.items():
        for row, given in rows.items():
            for name in models:
                yield f"{what}, {table}: {row}, {name}", partial(check, name, *given)


def run_row(tables, models, table, row):
    """Return what became of one row of a table with every third model, by model.

    The proof takes all of them; over the rows, so do the tests.
    """
    check, rows = tables[table]
    found = {}
    for name in list(models)[list(rows).index(row) % 3 :: 3]:
        try:
            found[name] = check(name, *rows[row])
        except Exception as error:
            error.add_note(f"with {name}")
            raise
    return found
