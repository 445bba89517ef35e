"""A factor for each input: what it computes, how it learns and is explained."""

import numpy as np
import pytest

from sknn import MLPClassifier, MLPRegressor
from sknn.layers import Activation, Columns, Dense, Dropout, Embedding, Scale
from sknn.losses import SquaredError
from sknn.network import Network
from sknn.objective import Objective
from sknn.tape import Tape

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N_IN = 3


def data(n=20, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, N_IN)), rng.normal(size=(n, 2))


def network_of(*layers):
    """A network whose factors are no longer 1."""
    network = Network(list(layers), N_IN, rng=np.random.RandomState(0))
    network.views[0]["s"][...] = [[0.5, -2.0, 3.0]]
    return network


def test_each_input_is_multiplied_with_its_factor():
    x, _ = data()
    y = network_of(Scale()).forward(x, Tape())
    np.testing.assert_array_equal(y, x * [0.5, -2.0, 3.0])


def test_factors_start_at_one_and_are_not_penalised():
    (factors,), n_out = Scale().build(N_IN)
    assert (factors.name, factors.shape, n_out) == ("s", (1, N_IN), N_IN)
    assert not factors.penalized
    x, _ = data()
    network = Network([Scale()], N_IN, rng=np.random.RandomState(0))
    np.testing.assert_array_equal(network.forward(x, Tape()), x)


def test_outputs_stand_for_the_inputs_one_by_one():
    np.testing.assert_array_equal(Scale().origins(N_IN), range(N_IN))


@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_hold_where_factors_have_moved(weighted, differences):
    network = network_of(Scale(), Dense(4), Activation("tanh"), Dense(2))
    x, y = data()
    w = np.random.default_rng(1).uniform(0.2, 2.0, (20, 1)) if weighted else None
    objective = Objective(network, SquaredError(), alpha=0.3)
    numeric = differences(lambda: objective.value_and_gradient(x, y, w), network.values)
    objective.value_and_gradient(x, y, w)
    np.testing.assert_allclose(objective.gradient, numeric, rtol=1e-6, atol=1e-9)


def test_the_gradient_by_the_input_passes_through_the_factors():
    network, tape = network_of(Scale()), Tape(training=True)
    network.forward(data()[0], tape)
    dx = network.backward(np.ones((20, N_IN)), tape)
    np.testing.assert_array_equal(dx, np.tile([0.5, -2.0, 3.0], (20, 1)))


# In a network --------------------------------------------------------------------

SETTINGS = {"max_iter": 10, "learning_rate_init": 0.02, "random_state": 0}


def fit(**settings):
    x, y = data(60)
    model = MLPRegressor(hidden_layer_sizes=(6,), **{**SETTINGS, **settings})
    return model.fit(x, y[:, 0])


def test_factors_stand_in_front_of_the_first_kernel_and_behind_embeddings():
    x, y = data(60)
    codes = np.column_stack([x, np.arange(60) % 3])
    settings = {"input_scale": 6.0, "input_dropout": 0.1, "activation": "tanh"}
    model = MLPClassifier((6,), categorical_features=[3], **settings, **SETTINGS)
    model.fit(codes, y[:, 0] > 0)
    embedding, *rest = model._network.layers
    assert embedding == Columns([((0, 1, 2), None), ((3,), Embedding((3,)))])
    assert rest[:2] == [Scale(lr_factor=6.0), Dropout(0.1)]
    assert isinstance(rest[2], Dense)
    assert fit(input_scale=2.0)._network.layers[0] == Scale(lr_factor=2.0)


@pytest.mark.parametrize("lr_factor", [0.5, 6.0])
def test_a_first_step_of_adam_moves_each_factor_by_the_rate_times_its_factor(lr_factor):
    model = fit(input_scale=lr_factor, max_iter=1, batch_size=60, epsilon=1e-30)
    moved = np.abs(model._network.views[0]["s"] - 1)
    np.testing.assert_allclose(moved, 0.02 * lr_factor, rtol=1e-10)


@pytest.mark.parametrize("embedding", [None, "pbld"])
@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
def test_deep_explanations_pass_through_the_factors_and_add_up(
    embedding, parametrization
):
    pytest.importorskip("shap")
    from sknn.explain import explain

    settings = {"numeric_embedding": embedding, "parametrization": parametrization}
    model = fit(input_scale=6.0, activation="tanh", dtype="float64", **settings)
    assert np.ptp(model._network.views[1 if embedding else 0]["s"]) > 0.05
    x, _ = data(60)
    found = explain(model, x[:5], background=x[20:], method="deep")
    total = found.values.sum(axis=1) + found.base_values
    np.testing.assert_allclose(total, model.predict(x[:5]), atol=1e-10)


def test_of_a_linear_network_deep_explanations_are_factors_times_distances():
    pytest.importorskip("shap")
    from sknn.explain import explain

    x, y = data(60)
    model = MLPRegressor(hidden_layer_sizes=(), input_scale=6.0, **SETTINGS)
    model.fit(x, y[:, 0])
    slopes = model._network.views[0]["s"][0] * model.coefs_[0][:, 0]
    found = explain(model, x[:5], background=x[20:], method="deep")
    expected = slopes * (x[:5] - x[20:].mean(axis=0))
    np.testing.assert_allclose(found.values, expected, atol=1e-12)
