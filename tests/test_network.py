"""The network: one vector with views, passes forward and backward, copies, stacks."""

import copy
import json
import pathlib
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from sknn import network as network_room
from sknn.activations import ACTIVATIONS
from sknn.initializers import Glorot, Zeros
from sknn.layers import Activation, Dense, Dropout, Layer, Param
from sknn.losses import LOSSES, MultinomialLogLoss, SquaredError
from sknn.network import Network
from sknn.objective import Objective
from sknn.tape import Tape

ORACLE = pathlib.Path(__file__).parent / "parity" / "torch_oracle.json"
LAYERS = (Dense(5), Activation("tanh"), Dense(3), Activation("relu"), Dense(2))
N_FEATURES = 4


def make(layers=LAYERS, n_features=N_FEATURES, dtype=np.float64, seed=0):
    return Network(layers, n_features, dtype, np.random.RandomState(seed))


def rows(n=8, seed=0, n_features=N_FEATURES):
    return np.random.default_rng(seed).normal(size=(n, n_features))


def plain_forward(network, X):
    """The textbook: one product and one function after the other."""
    for layer, p in zip(network.layers, network.views, strict=True):
        if isinstance(layer, Dense):
            X = X @ p["W"] + p["b"]
        elif isinstance(layer, Activation):
            X = ACTIVATIONS[layer.name].value(X, np.empty_like(X))
    return X


@dataclass(frozen=True)
class Scale(Layer):
    """A test's layer with every kind of parameter: ``y = x * (s + c) + frozen``."""

    trains: bool = True

    def build(self, n_in):
        shape, fan = (1, n_in), (n_in, n_in)
        return (
            Param("frozen", shape, Glorot(), fan, penalized=False, trainable=False),
            Param("c", shape, Glorot(), fan, penalized=False, trainable=self.trains),
            Param("s", shape, Glorot(), fan, trainable=self.trains),
        ), n_in

    def forward(self, x, p, tape):
        tape.saved = x
        return x * (p["s"] + p["c"]) + p["frozen"]

    def backward(self, dy, p, g, tape, need_dx=True):
        if g is not None:
            g["s"][...] = g["c"][...] = (dy * tape.saved).sum(axis=-2, keepdims=True)
        return dy * (p["s"] + p["c"]) if need_dx else None


# The vector ----------------------------------------------------------------------


def test_the_vector_holds_kernels_then_intercepts_each_in_the_order_of_layers():
    network = make()
    assert network.n_penalized == 4 * 5 + 5 * 3 + 3 * 2
    assert network.n_trainable == network.n_parameters == network.n_penalized + 10
    assert network.values.shape == (network.n_parameters,)
    dense = [network.views[i] for i in (0, 2, 4)]
    parts = [p["W"].ravel() for p in dense] + [p["b"].ravel() for p in dense]
    np.testing.assert_array_equal(network.values, np.concatenate(parts))


def test_the_vector_ends_with_frozen_parameters():
    network = make([Scale(), Dense(2), Scale(trains=False)], 3)
    first, dense, last = network.views
    order = [first["s"], dense["W"], first["c"], dense["b"]]
    frozen = [first["frozen"], last["frozen"], last["c"], last["s"]]
    np.testing.assert_array_equal(
        network.values, np.concatenate([part.ravel() for part in order + frozen])
    )
    assert network.n_penalized == 3 + 6
    assert network.n_trainable == 9 + 3 + 2
    assert network.n_parameters == 14 + 3 + 6


def test_views_are_windows_on_the_vector():
    network = make()
    for number, (i, name) in enumerate([(0, "W"), (2, "b"), (4, "W")]):
        view = network.views[i][name]
        assert np.shares_memory(view, network.values)
        view[...] = 100.0 + number
        assert (network.values == 100.0 + number).sum() == view.size
    network.values[...] = -1.0
    assert all((v == -1.0).all() for views in network.views for v in views.values())


def test_every_entry_of_the_vector_belongs_to_one_view():
    network = make([Scale(), Dense(3), Dropout(0.5), Scale(trains=False), Dense(1)], 2)
    network.values[...] = 0.0
    for views in network.views:
        for view in views.values():
            view += 1.0
    assert (network.values == 1.0).all()


def test_split_gives_the_views_of_any_vector_of_that_length():
    network = make()
    vector = np.arange(float(network.n_parameters))
    for views, ours in zip(network.split(vector), network.views, strict=True):
        assert views.keys() == ours.keys()
        for name, view in views.items():
            assert view.shape == ours[name].shape
            assert np.shares_memory(view, vector)


def test_no_random_state_leaves_zeros():
    network = Network(LAYERS, N_FEATURES)
    assert not network.values.any()
    assert network.values.dtype == np.float64


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_vector_has_the_dtype_asked_for_and_the_same_draws(dtype):
    network = make(dtype=dtype)
    assert network.values.dtype == dtype
    np.testing.assert_array_equal(network.values, make().values.astype(dtype))


# Forward and backward ------------------------------------------------------------


@given(
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    names=st.lists(st.sampled_from(sorted(ACTIVATIONS)), min_size=3, max_size=3),
    n=st.integers(1, 9),
    n_features=st.integers(1, 5),
)
def test_forward_is_the_textbook_chain(sizes, names, n, n_features):
    layers = []
    for units, name in zip(sizes[:-1], names, strict=False):
        layers += [Dense(units), Activation(name)]
    network, X = make([*layers, Dense(sizes[-1])], n_features), rows(n, 0, n_features)
    expected = plain_forward(network, X)
    assert network.n_outputs == sizes[-1]
    for tape in (Tape(), Tape(training=True)):
        raw = network.forward(X, tape)
        np.testing.assert_allclose(raw, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(network.predict(X), expected, rtol=1e-12, atol=1e-14)


INPUT_FIRST = {
    "dense": LAYERS,
    "activation": (Activation("relu"), Dense(2)),
    "dropout": (Dropout(0.5), Dense(2)),
    "dropout twice": (Dropout(0.5), Dropout(0.5), Activation("elu"), Dense(2)),
    "dropout alone": (Dropout(0.5),),
}


@pytest.mark.parametrize("layers", INPUT_FIRST.values(), ids=INPUT_FIRST)
@pytest.mark.parametrize("training", [False, True])
def test_no_pass_writes_over_the_input(layers, training):
    network, X = make(layers), rows()
    kept = X.copy()
    tape = Tape(training, np.random.RandomState(0), recording=True)
    for _ in range(2):
        raw = network.forward(X, tape)
        network.backward(np.ones_like(raw), tape)
        np.testing.assert_array_equal(X, kept)
    network.predict(X)
    np.testing.assert_array_equal(X, kept)


@pytest.mark.parametrize("first", ["dense", "activation", "dropout"])
@pytest.mark.parametrize("training", [False, True])
def test_the_gradient_by_the_input_is_the_difference_quotient(
    first, training, differences
):
    layers = {
        "dense": (Dense(5), Activation("gelu"), Dropout(0.3), Dense(2)),
        "activation": (Activation("tanh"), Dense(5), Activation("softplus"), Dense(2)),
        "dropout": (Dropout(0.3), Dense(5), Activation("silu"), Dense(2)),
    }[first]
    network, X = make(layers), rows()
    dy = np.random.default_rng(1).normal(size=(8, 2))

    def fresh():
        return Tape(training, np.random.RandomState(0), recording=True)

    tape = fresh()
    network.forward(X, tape)
    dx = network.backward(dy.copy(), tape).copy()
    quotient = differences(lambda: float((network.forward(X, fresh()) * dy).sum()), X)
    np.testing.assert_allclose(dx, quotient, rtol=1e-6, atol=1e-10)


def test_the_gradient_by_the_input_is_pytorchs():
    for stored in json.loads(ORACLE.read_text())["networks"]:
        sizes = [len(b) for b in stored["b"]]
        layers = []
        for units, name in zip(sizes[:-1], stored["activations"], strict=True):
            layers += [Dense(units), Activation(name)]
        network = Network([*layers, Dense(sizes[-1])], len(stored["X"][0]))
        dense = [views for views in network.views if views]
        for views, W, b in zip(dense, stored["W"], stored["b"], strict=True):
            views["W"][...], views["b"][...] = W, b
        tape = Tape(recording=True)
        raw = network.forward(np.array(stored["X"]), tape)
        np.testing.assert_allclose(raw, stored["raw"], rtol=1e-12, atol=1e-14)
        dx = network.backward(np.array(stored["d_raw"]), tape)
        np.testing.assert_allclose(dx, stored["d_X"], rtol=1e-10, atol=1e-13)


def test_one_forward_serves_several_backwards():
    network, X = make(), rows()
    tape = Tape(training=True)
    dy = np.random.default_rng(1).normal(size=network.forward(X, tape).shape)
    dx = [network.backward(dy.copy(), tape).copy() for _ in range(2)]
    np.testing.assert_array_equal(*dx)
    gradients = np.full((2, network.n_parameters), np.nan)
    for gradient in gradients:
        network.backward(dy.copy(), tape, network.split(gradient))
    np.testing.assert_array_equal(*gradients)
    np.testing.assert_array_equal(network.backward(dy.copy(), tape), dx[0])


def test_training_computes_no_gradient_by_the_input():
    network, X = make(), rows()
    tape = Tape(training=True)
    dy = np.ones_like(network.forward(X, tape))
    views = network.split(np.zeros(network.n_parameters))
    assert network.backward(dy, tape, views) is None


def test_training_goes_back_to_the_first_trained_layer_only():
    # Its input's gradient would fail: this layer records nothing.
    layers = (Activation("tanh"), Scale(trains=False), Dense(3), Dense(1))
    network, X = make(layers), rows()
    tape = Tape(training=True)
    dy = np.ones_like(network.forward(X, tape))
    tape.layers(4)[0].saved = tape.layers(4)[1].saved = None
    gradient = np.zeros(network.n_parameters)
    network.backward(dy, tape, network.split(gradient))
    assert gradient[: network.n_trainable].all()
    assert not gradient[network.n_trainable :].any()


# Prediction ----------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 15, 16, 17, 100])
def test_prediction_in_blocks_of_rows_equals_one_block(monkeypatch, n):
    network, X = make(), rows(n)
    expected = network.predict(X)
    row_bytes = network_room._BLOCK_BYTES / network.block_rows
    monkeypatch.setattr(network_room, "_BLOCK_BYTES", int(16 * row_bytes))
    assert network.block_rows == 16
    np.testing.assert_allclose(network.predict(X), expected, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(expected, plain_forward(network, X), rtol=1e-12)


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csr_array])
def test_prediction_of_csr_equals_dense(monkeypatch, kind):
    X = rows(600) * (np.random.default_rng(1).random((600, N_FEATURES)) < 0.3)
    network = make()
    expected = network.predict(X)
    for block_bytes in (1 << 23, 1):
        monkeypatch.setattr(network_room, "_BLOCK_BYTES", block_bytes)
        raw = network.predict(kind(X))
        np.testing.assert_allclose(raw, expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("order", [np.asfortranarray, lambda X: X[::-1][::-1]])
def test_prediction_takes_any_order_in_memory(order):
    X = rows(300)
    np.testing.assert_allclose(
        make().predict(order(X)), make().predict(X), rtol=1e-13, atol=1e-15
    )


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_prediction_casts_to_the_networks_dtype(convert, dtype):
    X = np.round(rows(20) * 3)
    network = make(dtype=np.float32)
    raw = network.predict(convert(X.astype(dtype)))
    assert raw.dtype == np.float32
    np.testing.assert_array_equal(raw, network.predict(convert(X.astype(np.float32))))


def test_a_prediction_is_a_new_array_each_time():
    network = make()
    first = network.predict(rows())
    kept = first.copy()
    second = network.predict(rows(seed=1))
    assert not np.shares_memory(first, second)
    np.testing.assert_array_equal(first, kept)


def test_no_rows_give_no_predictions():
    assert make().predict(np.empty((0, N_FEATURES))).shape == (0, 2)


def test_threads_predict_what_one_thread_predicts(monkeypatch):
    monkeypatch.setattr(network_room, "_BLOCK_BYTES", 1)
    network = make()
    inputs = [rows(700, seed) for seed in range(4)] * 4
    expected = [network.predict(X) for X in inputs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(network.predict, inputs))
    for ours, alone in zip(together, expected, strict=True):
        np.testing.assert_array_equal(ours, alone)


# Copies --------------------------------------------------------------------------

COPIES = {
    "pickle": lambda network: pickle.loads(pickle.dumps(network)),
    "deepcopy": copy.deepcopy,
    "copy": Network.copy,
}


@pytest.mark.parametrize("carry", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("stacked", [False, True])
def test_a_copy_has_parameters_and_views_of_its_own(carry, stacked):
    network = Network.stack([make(seed=0), make(seed=1)]) if stacked else make()
    twin, X = carry(network), rows()
    expected = network.predict(X)
    np.testing.assert_array_equal(twin.predict(X), expected)
    assert twin.layers == network.layers
    assert (twin.n_penalized, twin.n_trainable) == (41, 51)
    twin.values += 1.0
    assert not np.array_equal(twin.predict(X), expected)
    np.testing.assert_array_equal(network.predict(X), expected)
    twin.views[0]["W"][...] = 7.0
    assert (twin.values == 7.0).sum() == twin.views[0]["W"].size


def test_a_copy_can_have_another_dtype():
    twin = make().copy(np.float32)
    assert twin.values.dtype == np.float32
    assert twin.views[0]["W"].dtype == np.float32
    np.testing.assert_array_equal(twin.values, make().values.astype(np.float32))


def test_copies_inside_a_larger_object_are_deep():
    network = make()
    twin = copy.deepcopy({"network": network})["network"]
    assert not np.shares_memory(twin.values, network.values)


def test_a_pickle_is_little_larger_than_the_vector():
    network = make([Dense(100), Activation("relu"), Dense(10)], 64)
    network.predict(rows(2000, n_features=64))
    assert len(pickle.dumps(network)) < network.values.nbytes + 2000


# Stacks --------------------------------------------------------------------------


@pytest.mark.parametrize("own_X", [False, True], ids=["shared X", "X of its own"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_a_stack_of_three_networks_equals_three_runs_one_by_one(own_X, loss, alpha):
    rng, loss = np.random.default_rng(0), LOSSES[loss]()
    networks = [make(seed=seed) for seed in range(3)]
    X = rng.normal(size=(3, 8, N_FEATURES) if own_X else (8, N_FEATURES))
    y = np.eye(2)[rng.integers(0, 2, 8)] + (0.5 if loss.link == "exp" else 0.0)
    y = y[:, : 2 // loss.n_raw(1)]  # the networks have two raw columns
    w = rng.uniform(0.5, 1.5, (8, 1))
    stack = Objective(Network.stack(networks), loss, alpha)
    for _ in range(2):
        values = stack.value_and_gradient(X, y, w)
    assert values.shape == (3,)
    assert stack.gradient.shape == (3, networks[0].n_parameters)
    for i, network in enumerate(networks):
        alone, own = Objective(network, loss, alpha), X[i] if own_X else X
        np.testing.assert_allclose(
            values[i], alone.value_and_gradient(own, y, w), rtol=1e-13
        )
        np.testing.assert_allclose(
            stack.gradient[i], alone.gradient, rtol=1e-12, atol=1e-15
        )
        np.testing.assert_allclose(
            stack.network.forward(X, Tape())[i], network.predict(own), rtol=1e-13
        )


def test_a_stack_holds_copies_of_its_networks():
    networks = [make(seed=seed) for seed in range(3)]
    stack = Network.stack(networks)
    assert stack.values.shape == (3, networks[0].n_parameters)
    for values, network in zip(stack.values, networks, strict=True):
        np.testing.assert_array_equal(values, network.values)
    assert stack.views[0]["W"].shape == (3, N_FEATURES, 5)
    assert stack.views[0]["b"].shape == (3, 1, 5)
    stack.views[0]["W"][1] = 5.0
    assert (stack.values[1] == 5.0).sum() == 20
    assert not (networks[1].values == 5.0).any()


def test_a_stack_goes_back_to_the_input_of_each_network():
    networks = [make(seed=seed) for seed in range(3)]
    stack, X = Network.stack(networks), rows()
    dy = np.random.default_rng(1).normal(size=(3, 8, 2))
    tape = Tape(recording=True)
    stack.forward(X, tape)
    dx = stack.backward(dy.copy(), tape)
    for i, network in enumerate(networks):
        own = Tape(recording=True)
        network.forward(X, own)
        expected = network.backward(dy[i].copy(), own)
        np.testing.assert_allclose(dx[i], expected, rtol=1e-12, atol=1e-15)


def test_a_stack_predicts_in_blocks_of_rows(monkeypatch):
    networks = [make(seed=seed) for seed in range(3)]
    monkeypatch.setattr(network_room, "_BLOCK_BYTES", 1)
    raw = Network.stack(networks).predict(rows(600))
    for i, network in enumerate(networks):
        np.testing.assert_allclose(raw[i], network.predict(rows(600)), rtol=1e-13)


def test_a_network_of_zeros_predicts_its_intercept():
    network = Network([Dense(2, Zeros(), Zeros())], N_FEATURES)
    network.views[0]["b"][...] = [1.0, -2.0]
    np.testing.assert_array_equal(network.predict(rows(3)), [[1.0, -2.0]] * 3)


@pytest.mark.parametrize("loss", [SquaredError(), MultinomialLogLoss()])
def test_a_pass_reuses_its_scratch(loss):
    network, X, y = make(), rows(), np.eye(2)[[0, 1] * 4]
    objective = Objective(network, loss)
    objective.value_and_gradient(X, y)
    raw = network.forward(X, objective.tape)
    address = raw.__array_interface__["data"]
    for _ in range(3):
        objective.value_and_gradient(X, y)
        raw = network.forward(X, objective.tape)
        assert raw.__array_interface__["data"] == address


def test_a_stack_predicts_x_of_its_own_in_blocks(monkeypatch):
    nets = [Network([Dense(2)], 3, rng=np.random.RandomState(i)) for i in range(3)]
    X = np.random.default_rng(0).normal(size=(3, 600, 3))
    monkeypatch.setattr(network_room, "_BLOCK_BYTES", 1)
    raw = Network.stack(nets).predict(X)
    for i in range(3):
        np.testing.assert_allclose(raw[i], nets[i].predict(X[i]))


def test_backward_with_a_sink_returns_none_without_trained_parameters():
    network = Network([Activation("relu")], 2)
    assert network.backward(np.ones((1, 2)), Tape(True), [{}]) is None
