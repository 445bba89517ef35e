"""What is known of layers before a fit is what they turn out to be after it."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator

from sknn import (
    MLPAutoencoder,
    MLPClassifier,
    MLPEnsembleClassifier,
    MLPEstimator,
    MLPRegressor,
    MLPTransformer,
    PerceptronClassifier,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from sknn.layers import (
    Activation,
    BatchNorm,
    Columns,
    Dense,
    Dropout,
    LayerNorm,
    PiecewiseLinear,
    Residual,
)

SCHEDULE = {"learning_rate": "cosine", "max_iter": 2, "random_state": 0}
BLOCK = Residual([LayerNorm(), Activation("relu"), Dense(6), Dropout(0.1)])
ESTIMATORS = [
    MLPClassifier((5, 3), **SCHEDULE),
    MLPClassifier((5, 5, 5), residual=True, normalization="batch", **SCHEDULE),
    MLPClassifier(layers=[Dense(6), BLOCK, BatchNorm()], **SCHEDULE),
    MLPClassifier((4,), numeric_embedding="plr", input_dropout=0.5, **SCHEDULE),
    MLPRegressor(hidden_layer_sizes=(), **SCHEDULE),
    MLPEstimator((3,), **SCHEDULE),
    MLPAutoencoder(2, (5,), **SCHEDULE),
    MLPTransformer(MLPClassifier((3,), **SCHEDULE)),
    MLPEnsembleClassifier(MLPClassifier((3,), **SCHEDULE), 2, random_state=0),
    PerceptronClassifier(tol=None, max_iter=2),
]


def flat(parts):
    for part in parts:
        yield part
        yield from flat(part.children)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_planned_layers_are_the_fitted_ones(estimator):
    X, y = load_iris(return_X_y=True)
    n_outputs = 1 if isinstance(estimator, MLPRegressor) else 3
    vague = estimator._architecture()
    planned = estimator._architecture(4, n_outputs)
    fitted = estimator.fit(X, y)._architecture()
    assert not planned.is_fitted and fitted.is_fitted
    assert planned.n_inputs == fitted.n_inputs == 4
    assert planned.n_parameters == fitted.n_parameters
    assert planned.n_networks == fitted.n_networks
    parts = zip(*map(flat, (vague.parts, planned.parts, fitted.parts)), strict=True)
    for unknown, told, known in parts:
        assert told.layer == known.layer
        assert type(unknown.layer) is type(known.layer)
        assert (told.n_in, told.n_out) == (known.n_in, known.n_out)
        assert told.n_parameters == known.n_parameters
        assert unknown.n_out in (None, known.n_out)
        assert unknown.n_parameters in (None, known.n_parameters)
    assert vague.n_inputs is vague.n_parameters is vague.parts[-1].n_out is None


def test_parameters_are_counted_without_statistics():
    X, y = load_iris(return_X_y=True)
    clf = MLPClassifier((5,), normalization="batch", **SCHEDULE).fit(X, y)
    found = clf._architecture()
    assert [part.n_parameters for part in found.parts] == [25, 10, 0, 18]
    network = clf._network
    assert found.n_parameters == network.n_parameters - network.n_buffers


def test_views_are_those_of_the_network():
    X, y = load_iris(return_X_y=True)
    layers = [Dense(5), Residual([Activation("relu"), Dense(3)])]
    clf = MLPClassifier(layers=layers, **SCHEDULE).fit(X, y)
    kernels = [
        part.views["W"]
        for part in flat(clf._architecture().parts)
        if isinstance(part.layer, Dense)
    ]
    for kernel, coef in zip(kernels, clf.coefs_, strict=True):
        assert np.shares_memory(kernel, coef)
    assert "P" in clf._architecture().parts[1].views


def test_layers_side_by_side_know_their_columns():
    columns = Columns([([0, 2], PiecewiseLinear(3)), ([1], None)])
    X, y = load_iris(return_X_y=True)
    clf = MLPClassifier(layers=[columns, Dense(4)], **SCHEDULE).fit(X, y)
    part = clf._architecture().parts[0]
    (child,) = part.children
    assert (child.n_in, part.n_in) == (2, 4)
    assert part.n_out == child.n_out + 1


def test_categories_are_announced():
    clf = MLPClassifier((4,), categorical_features="from_dtype", **SCHEDULE)
    names = [type(part.layer).__name__ for part in clf._architecture(2, 1).parts]
    assert names == ["Embedding", "Dense", "Activation", "Dense"]
    assert clf._architecture(2, 1).n_parameters is None
    X = pd.DataFrame({"a": np.arange(30.0), "b": ["x", "y", "z"] * 10})
    names = [
        type(p.layer).__name__ for p in clf.fit(X, X["b"] == "x")._architecture().parts
    ]
    assert names == ["Columns", "Dense", "Activation", "Dense"]


@pytest.mark.parametrize("cls", [TabularMLPClassifier, TabularMLPRegressor])
def test_tabular_networks_say_how_many_they_are(cls):
    assert cls()._architecture().n_networks == 8
    assert cls(3)._architecture().n_networks == 3


def test_frozen_networks_are_looked_into():
    X, y = load_iris(return_X_y=True)
    clf = MLPClassifier((3,), **SCHEDULE).fit(X, y)
    features = MLPTransformer(FrozenEstimator(clf))
    assert features._architecture().n_parameters == 15 + 12
    assert features.fit(X, y)._architecture().n_parameters == 15 + 12
