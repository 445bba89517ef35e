"""What diagnostics measure, and what they make of it."""

import numpy as np
import pytest

from sknn import MLPClassifier, MLPRegressor
from sknn.layers import Activation, Dense, Residual
from sknn.losses import LOSSES
from sknn.network import Network
from sknn.training.batches import Batches
from sknn.training.diagnostics import Diagnostics

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
y = rng.normal(size=(40, 1))


def diagnose(layers, X=X, w=None):
    network = Network(layers, X.shape[1], rng=np.random.RandomState(0))
    batches = Batches(X, y, w, 10, X.dtype)
    return Diagnostics(network, LOSSES["squared_error"](), batches)


def test_norms_are_those_of_the_dense_gradients():
    found = diagnose([Dense(4), Residual([Activation("tanh"), Dense(4)]), Dense(1)])
    norms = found.measure()["gradient_norm"]
    network = found.objective.network
    found.objective.value_and_gradient(X, y)
    g = network.split(found.objective.gradient)
    expected = [
        np.sqrt((own["W"] ** 2).sum() + (own["b"] ** 2).sum())
        for own in (g[0], g[1]["1"], g[2])
    ]
    np.testing.assert_allclose(norms, expected, rtol=1e-12)


def test_a_relu_unit_that_no_sample_turns_on_is_dead():
    found = diagnose([Dense(4), Activation("relu"), Dense(1)])
    found.objective.network.views[0]["b"][0, 1:] = -1e3
    assert found.measure()["dead_units"] == [0.75]
    assert np.isnan(found.measure()["saturated_units"]).all()


@pytest.mark.parametrize("name", ["tanh", "logistic"])
def test_outputs_where_the_activation_is_flat_are_saturated(name):
    found = diagnose([Dense(4), Activation(name), Dense(1)])
    views = found.objective.network.views[0]
    views["W"][...] = 0.0
    views["b"][...] = [[0.0, 0.5, 50.0, -50.0]]
    assert found.measure()["saturated_units"] == [0.5]
    assert np.isnan(found.measure()["dead_units"]).all()


def test_up_to_256_samples_of_the_training_rows_are_looked_at():
    found = diagnose([Dense(1)])
    X_seen, y_seen, _ = found.batches.sample(256)
    np.testing.assert_array_equal(X_seen, X)
    np.testing.assert_array_equal(y_seen, y)
    many = Batches(np.arange(3000.0)[:, None], y, None, 10, float, rows=np.arange(1000))
    many.y = np.zeros((3000, 1))
    seen = many.sample(256)[0]
    assert seen.shape == (256, 1)
    assert seen.max() < 1000


def history(first, last, dead=(0.0,), saturated=(0.0,)):
    return {
        "gradient_norm": [[first, last]],
        "dead_units": [list(dead)],
        "saturated_units": [list(saturated)],
    }


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (history(1.0, 1.0), None),
        (history(1e-6, 1.0), "Gradients vanish: the first layer's is 1e-06 times"),
        (history(1e4, 1.0), "Gradients explode: the first layer's is 1e.04 times"),
        (history(np.inf, 1.0), "became infinite or NaN"),
        (history(1.0, 1.0, dead=(0.1, 0.8)), "dead: 80% of .* after hidden layer 2"),
        (
            history(1.0, 1.0, saturated=(np.nan, 0.9)),
            "saturated: 90% .* hidden layer 2",
        ),
        (history(0.0, 0.0), None),
    ],
)
def test_each_ill_is_named(record, words):
    ills = list(diagnose([Dense(1)]).ills(record))
    if words is None:
        assert ills == []
        return
    with pytest.raises(ValueError, match=words):
        raise ValueError(*ills)


def test_unscaled_inputs_are_named_with_the_largest():
    (ill,) = diagnose([Dense(1)], X * [1.0, 1.0, -4e5]).ills(history(1.0, 1.0))
    assert f"the largest |x| is {np.abs(X[:, 2] * 4e5).max():.3g}" in ill


def test_diagnostics_change_no_number_of_the_fit():
    settings = {"dropout": 0.3, "max_iter": 3, "random_state": 0, "tol": 0.0}
    settings |= {"normalization": "batch", "hidden_layer_sizes": (5, 4)}
    labels = (y[:, 0] > 0).astype(int)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        plain = MLPClassifier(**settings).fit(X, labels)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        watched = MLPClassifier(diagnostics=True, **settings).fit(X, labels)
    np.testing.assert_array_equal(plain._network.values, watched._network.values)
    record = watched.history_
    assert [len(column) for column in record.values()] == [3] * len(record)
    assert np.shape(record["gradient_norm"]) == (3, 3)
    assert (
        np.shape(record["dead_units"]) == np.shape(record["saturated_units"]) == (3, 2)
    )
    assert "gradient_norm" not in plain.history_


def test_lbfgs_is_diagnosed_too():
    with pytest.warns(UserWarning, match="lbfgs failed"):
        model = MLPRegressor(
            hidden_layer_sizes=(5,), solver="lbfgs", max_iter=4, diagnostics=True
        ).fit(X, y[:, 0])
    assert np.shape(model.history_["gradient_norm"]) == (4, 2)


def test_a_fit_warns_of_what_is_ill():
    labels = (y[:, 0] > 0).astype(int)
    deep = MLPClassifier(
        (8,) * 20, activation="logistic", diagnostics=True, random_state=0, tol=1.0
    )
    with pytest.warns(UserWarning, match="Gradients vanish: .* Set residual=True"):
        deep.fit(X, labels)
    raw = MLPClassifier((8,), diagnostics=True, random_state=0, tol=1e9)
    with pytest.warns(UserWarning, match=r"the largest \|x\| is .* StandardScaler"):
        raw.fit(X * 1e5, labels)
