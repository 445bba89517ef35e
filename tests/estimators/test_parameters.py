"""Rows of parameters check values, say what is allowed, and make docstrings."""

import inspect

import numpy as np
import pytest

from sknn import MLPClassifier, MLPEstimator, MLPRegressor
from sknn.activations import ACTIVATIONS
from sknn.estimators import _mlp_parameters
from sknn.estimators._parameters import (
    InvalidParameterError,
    integer,
    one_of,
    real,
    sequence_of,
    validate_parameters,
)
from sknn.losses import LOSSES
from sknn.optimizers import OPTIMIZERS
from sknn.schedules import SCHEDULES
from sknn.training.averaging import AVERAGES

MODELS = [MLPClassifier, MLPRegressor, MLPEstimator]


@pytest.mark.parametrize("cls", MODELS)
def test_rows_and_constructor_name_the_same_parameters_in_order(cls):
    names = list(inspect.signature(cls).parameters)
    assert names == [name for name in cls._rows if name in names]
    assert set(names) == set(cls._rows)


@pytest.mark.parametrize("cls", MODELS)
def test_every_default_is_allowed_and_documented(cls):
    model = cls()
    validate_parameters(model, cls._rows, cls._rows)
    for name, parameter in inspect.signature(cls).parameters.items():
        type_line = cls._rows[name].type_line
        assert f"\n{name} : {type_line}\n    " in cls.__doc__
        shown = type_line.rpartition("default=")[2].strip("'")
        default = parameter.default
        same = shown == str(default) or float(shown) == float(default)
        assert same, (name, shown, default)


@pytest.mark.parametrize(
    ("allowed", "good", "bad"),
    [
        (real(0.0), [0, 0.0, 1e300, np.float32(1)], [-1, np.nan, np.inf, "0", True]),
        (real(0.0, 1.0, "left"), [0, 0.5], [1, 1.0, -1e-9]),
        (real(0.0, closed="right"), [1e-300, 5], [0, -1]),
        (integer(1), [1, np.int64(3)], [0, 1.0, True, "1", None]),
        (one_of("a", "b"), ["a", "b"], ["c", None, ["a"]]),
        (sequence_of(integer(1), "ints"), [[1, 2], (), np.array([3])], ["1", 1, [0]]),
        (integer(1) | one_of("auto"), [1, "auto"], [0, "one"]),
    ],
)
def test_allowed_values_pass_and_others_do_not(allowed, good, bad):
    assert all(allowed.check(value) is True for value in good)
    assert not any(allowed.check(value) for value in bad)


TABLES = {
    "activation": (ACTIVATIONS, "tanh"),
    "solver": (OPTIMIZERS, "adam"),
    "learning_rate": (SCHEDULES, "exponential"),
    "average": (AVERAGES, "ema"),
    "loss": (LOSSES, "huber"),
}


@pytest.mark.parametrize("keyword", TABLES)
def test_a_row_put_into_a_table_is_a_name_like_the_others(keyword, monkeypatch):
    table, known = TABLES[keyword]
    X, y = np.random.default_rng(0).normal(size=(2, 20, 1))

    def predictions(name):
        model = MLPRegressor(random_state=0, **{keyword: name})
        return model.partial_fit(X, y[:, 0]).predict(X)

    with pytest.raises(InvalidParameterError):
        predictions("mine")
    monkeypatch.setitem(table, "mine", table[known])
    np.testing.assert_array_equal(predictions("mine"), predictions(known))


def test_a_loss_for_labels_is_no_name_for_numbers():
    with pytest.raises(InvalidParameterError):
        MLPRegressor(loss="binary_log_loss").fit([[1.0], [2.0]], [1.0, 2.0])


def test_an_error_names_parameter_class_allowed_and_value():
    with pytest.raises(InvalidParameterError) as caught:
        MLPRegressor(alpha=-1.5).fit([[0.0]], [0.0])
    assert str(caught.value) == (
        "The 'alpha' parameter of MLPRegressor must be a float in the range "
        "[0.0, inf). Got -1.5 instead."
    )
    assert issubclass(InvalidParameterError, ValueError)
    assert issubclass(InvalidParameterError, TypeError)


def test_every_row_belongs_to_an_estimator():
    used = set().union(*(cls._rows for cls in MODELS))
    assert used == set(_mlp_parameters.PARAMETERS)
