"""Strings and sequences become layers, optimisers and schedules."""

import numpy as np
import pytest

from sknn import MLPClassifier
from sknn.estimators._build import (
    build_layers,
    build_optimizer,
    build_schedule,
    hidden_sizes,
    is_stochastic,
)
from sknn.initializers import Glorot, LeCun, Zeros
from sknn.layers import Activation, Dense, Dropout
from sknn.optimizers import SGD, Adam
from sknn.schedules import Adaptive, Constant, InverseScaling


def test_layers_follow_sizes_activations_and_dropout():
    model = MLPClassifier((4, 3), ("tanh", "selu"), dropout=(0.5, 0.0))
    layers = build_layers(model, 2)
    assert layers == [
        Dense(4),
        Activation("tanh"),
        Dropout(0.5),
        Dense(3, LeCun(), Zeros()),
        Activation("selu"),
        Dense(2, LeCun(), Zeros()),
    ]


def test_logistic_layers_start_with_scikit_learns_factor():
    layers = build_layers(MLPClassifier((3,), "logistic"), 1)
    assert layers[0] == Dense(3, Glorot(2.0), Glorot(2.0))
    assert layers[-1] == Dense(1, Glorot(2.0), Glorot(2.0))
    assert build_layers(MLPClassifier((), "logistic"), 1) == layers[-1:]


@pytest.mark.parametrize("given", [5, np.int64(5), [5], (5,), np.array([5])])
def test_every_spelling_of_one_hidden_layer_is_understood(given):
    assert hidden_sizes(given) == [5]


@pytest.mark.parametrize("given", [[5.5], ["a"], [[3, 4]], [None]])
def test_sizes_that_are_no_integers_are_refused(given):
    with pytest.raises(ValueError, match="hidden_layer_sizes must be integers"):
        hidden_sizes(given)


@pytest.mark.parametrize(
    ("parameters", "optimizer"),
    [
        ({}, Adam()),
        ({"beta_1": 0.5, "epsilon": 1e-3}, Adam(0.5, 0.999, 1e-3)),
        ({"solver": "sgd", "momentum": 0.5}, SGD(0.5)),
        ({"solver": "sgd", "nesterovs_momentum": False}, SGD(0.9, False)),
    ],
)
def test_optimizers_take_their_keywords(parameters, optimizer):
    assert build_optimizer(MLPClassifier(**parameters)) == optimizer


@pytest.mark.parametrize(
    ("parameters", "schedule"),
    [
        ({"solver": "sgd"}, Constant()),
        ({"solver": "sgd", "learning_rate": "adaptive"}, Adaptive()),
        (
            {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.1},
            InverseScaling(0.1),
        ),
        ({"solver": "adam", "learning_rate": "adaptive"}, Constant()),
        ({"solver": "adam", "learning_rate": Adaptive(2.0)}, Adaptive(2.0)),
    ],
)
def test_schedules_take_their_keywords(parameters, schedule):
    assert build_schedule(MLPClassifier(**parameters)) == schedule


def test_only_lbfgs_is_not_stochastic():
    assert [is_stochastic(s) for s in ("lbfgs", "adam", "sgd", Adam())] == [
        False,
        True,
        True,
        True,
    ]
