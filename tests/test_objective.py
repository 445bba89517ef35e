"""The objective's gradient is right for every activation, loss, weight and input."""

import json
import pathlib
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from sknn import objective as objective_room
from sknn.activations import ACTIVATIONS
from sknn.layers import Activation, Dense, Dropout
from sknn.losses import LOSSES, SquaredError
from sknn.network import Network
from sknn.objective import Objective

ORACLE = pathlib.Path(__file__).parent / "parity" / "torch_oracle.json"
STORED = json.loads(ORACLE.read_text())["networks"]
N, N_FEATURES, HIDDEN, N_OUTPUTS = 6, 4, (5, 3), 2


def targets_for(link, rng):
    if link == "exp":
        return rng.poisson(2.0, (N, N_OUTPUTS)) + 0.5
    if link == "logistic":
        return rng.integers(0, 2, (N, N_OUTPUTS)).astype(float)
    if link == "softmax":
        return np.eye(N_OUTPUTS)[rng.integers(0, N_OUTPUTS, N)]
    return rng.normal(size=(N, N_OUTPUTS))


def layers_with(activation, n_raw):
    first, second = (Dense(units) for units in HIDDEN)
    function = Activation(activation)
    return [first, function, second, function, Dense(n_raw)]


def sparse_rows(rng):
    X = rng.normal(size=(N, N_FEATURES)) * (rng.random((N, N_FEATURES)) < 0.6)
    X[:, 0] = rng.normal(size=N)  # no empty row: two would be the same sample
    return X


def nearest_to_zero(network, X):
    """The smallest input of any activation, where kinks would spoil differences."""
    smallest = np.inf
    for layer, p in zip(network.layers, network.views, strict=True):
        if isinstance(layer, Activation):
            smallest = min(smallest, np.abs(X).min())
            X = ACTIVATIONS[layer.name].value(X, np.empty_like(X))
        else:
            X = X @ p["W"] + p["b"]
    return smallest


def problem(activation="tanh", loss="squared_error", alpha=0.0, weighted=False):
    """An objective with X, y, w whose activations all stay on one side of 0."""
    n_raw = LOSSES[loss]().n_raw(N_OUTPUTS)
    for seed in range(100):
        rng = np.random.default_rng(seed)
        network = Network(
            layers_with(activation, n_raw), N_FEATURES, rng=np.random.RandomState(seed)
        )
        X = sparse_rows(rng)
        if nearest_to_zero(network, X) > 5e-3:
            break
    else:
        pytest.fail("no seed keeps the activations away from their kinks")
    y = targets_for(LOSSES[loss].link, rng)
    w = rng.uniform(0.2, 2.0, (N, 1))
    w = w / w.mean() if weighted else None
    return Objective(network, LOSSES[loss](), alpha), X, y, w


def value_of(objective, *data):
    return float(objective.value_and_gradient(*data))


@pytest.mark.parametrize(
    ("weighted", "form", "alpha"),
    [
        (False, np.asarray, 0.0),
        (True, np.asarray, 0.1),
        (True, sparse.csr_matrix, 0.1),
    ],
    ids=["plain", "weighted", "weighted csr"],
)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradient_is_the_difference_quotient(
    activation, loss, weighted, form, alpha, differences
):
    objective, X, y, w = problem(activation, loss, alpha, weighted)
    X = form(X)
    objective.value_and_gradient(X, y, w)
    gradient = objective.gradient.copy()
    quotient = differences(
        lambda: value_of(objective, X, y, w), objective.network.values
    )
    np.testing.assert_allclose(gradient, quotient, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("stored", STORED, ids=lambda s: s["loss"])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix], ids=["dense", "csr"])
def test_value_and_gradient_equal_pytorchs(stored, form):
    layers, sizes = [], [len(b) for b in stored["b"]]
    for units, name in zip(sizes[:-1], stored["activations"], strict=True):
        layers += [Dense(units), Activation(name)]
    X, y = np.array(stored["X"]), np.array(stored["y"])
    w = None if stored["w"] is None else np.array(stored["w"])
    network = Network([*layers, Dense(sizes[-1])], X.shape[1])
    dense = [views for views in network.views if views]
    for views, W, b in zip(dense, stored["W"], stored["b"], strict=True):
        views["W"][...], views["b"][...] = W, b
    objective = Objective(network, LOSSES[stored["loss"]](), stored["alpha"])
    value = objective.value_and_gradient(form(X), y, w)
    np.testing.assert_allclose(value, stored["value"], rtol=1e-12)
    ours = [views for views in network.split(objective.gradient) if views]
    for views, d_W, d_b in zip(ours, stored["d_W"], stored["d_b"], strict=True):
        np.testing.assert_allclose(views["W"], d_W, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(views["b"], [d_b], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix], ids=["dense", "csr"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_call_is_pure(loss, form):
    objective, X, y, w = problem("relu", loss, 0.1, weighted=True)
    X = form(X)
    kept = [objective.network.values.copy(), y.copy(), w.copy(), X.copy()]
    value = objective.value_and_gradient(X, y, w)
    gradient = objective.gradient.copy()
    objective.value_and_gradient(X[:2], y[:2], w[:2])  # a call in between
    assert objective.value_and_gradient(X, y, w) == value
    np.testing.assert_array_equal(objective.gradient, gradient)
    for now, before in zip((objective.network.values, y, w), kept, strict=False):
        np.testing.assert_array_equal(now, before)
    assert abs(X - kept[3]).max() == 0


def test_the_gradient_is_written_to_the_same_array_at_each_call():
    objective, X, y, _ = problem()
    gradient = objective.gradient
    objective.value_and_gradient(X, y)
    assert objective.gradient is gradient
    assert gradient.any()


def test_parameters_are_read_at_each_call():
    objective, X, y, _ = problem()
    first = objective.value_and_gradient(X, y)
    objective.network.values *= 1.5
    assert objective.value_and_gradient(X, y) != first


@given(n=st.integers(1, N), dtype=st.sampled_from([np.float32, np.float64]))
def test_any_number_of_samples_gives_their_mean(n, dtype):
    objective, X, y, _ = problem(alpha=0.0)
    twin = Objective(objective.network.copy(dtype), objective.loss)
    X, y = X.astype(dtype), y.astype(dtype)
    value = twin.value_and_gradient(X[:n], y[:n])
    assert twin.gradient.dtype == dtype
    gradient = twin.gradient.copy()
    values, gradients = [], []
    for i in range(n):
        values.append(twin.value_and_gradient(X[i : i + 1], y[i : i + 1]))
        gradients.append(twin.gradient.copy())
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(value, np.mean(values), rtol=tolerance)
    np.testing.assert_allclose(
        gradient, np.mean(gradients, axis=0), rtol=tolerance, atol=tolerance
    )


# Penalty -------------------------------------------------------------------------


@pytest.mark.parametrize("block_bytes", [1 << 17, 64, 8, 1])
def test_the_penalty_is_on_kernels_and_divided_by_the_batch(monkeypatch, block_bytes):
    monkeypatch.setattr(objective_room, "_BLOCK_BYTES", block_bytes)
    (penalized, X, y, _), (free, *_) = problem(alpha=0.3), problem()
    value = penalized.value_and_gradient(X, y) - free.value_and_gradient(X, y)
    kernels = [p["W"] for p in free.network.views if p]
    expected = 0.3 / (2 * N) * sum((W**2).sum() for W in kernels)
    np.testing.assert_allclose(value, expected, rtol=1e-10)
    rest = free.network.split(penalized.gradient - free.gradient)
    for views, own in zip(rest, free.network.views, strict=True):
        if views:
            np.testing.assert_allclose(
                views["W"], 0.3 / N * own["W"], rtol=1e-9, atol=1e-15
            )
            np.testing.assert_array_equal(views["b"], np.zeros_like(own["b"]))


def test_the_penalty_does_not_depend_on_the_weights():
    (penalized, X, y, w), (free, *_) = (
        problem(alpha=0.3, weighted=True),
        problem(weighted=True),
    )
    penalties = [
        penalized.value_and_gradient(X, y, v) - free.value_and_gradient(X, y, v)
        for v in (w, None)
    ]
    np.testing.assert_allclose(*penalties, rtol=1e-10)


def test_a_network_without_kernels_has_no_penalty():
    network = Network([Activation("tanh")], 2)
    objective = Objective(network, SquaredError(), alpha=1.0)
    X = np.ones((3, 2))
    value = objective.value_and_gradient(X, np.zeros((3, 2)))
    np.testing.assert_allclose(value, np.tanh(1.0) ** 2)


# Rows ------------------------------------------------------------------------------


def rows_problem(first=()):
    """Four samples of five columns, the second and the last of them empty."""
    rng = np.random.default_rng(0)
    layers = [*first, Dense(3), Activation("tanh"), Dense(N_OUTPUTS)]
    network = Network(layers, 5, rng=np.random.RandomState(0))
    objective = Objective(network, SquaredError(), 0.3, np.random.RandomState(1))
    X, y = rng.normal(size=(4, 5)), rng.normal(size=(4, N_OUTPUTS))
    X[:, [1, 4]] = 0.0
    return objective, sparse.csr_array(X), y


def gradient_by_rows(objective):
    rows = objective.rows
    gradient = objective.gradient.copy()
    assert not gradient[: rows.size].any()
    gradient[: rows.size].reshape(rows.shape)[rows.index] = rows.values
    return gradient


@pytest.mark.parametrize("l1_ratio", [0.0, 0.4])
def test_by_rows_the_gradient_is_the_difference_quotient(l1_ratio, differences):
    objective, X, y = rows_problem()
    objective.l1_ratio = l1_ratio
    objective.keep_rows()
    objective.value_and_gradient(X, y)
    assert objective.rows.index.tolist() == [0, 2, 3]
    gradient = gradient_by_rows(objective)
    quotient = differences(lambda: value_of(objective, X, y), objective.network.values)
    np.testing.assert_allclose(gradient, quotient, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.4, 1.0])
def test_by_rows_the_penalty_is_that_of_these_rows_and_other_kernels(l1_ratio):
    objective, X, y = rows_problem()
    free = Objective(objective.network, SquaredError())
    objective.l1_ratio = l1_ratio
    objective.keep_rows()
    found = objective.value_and_gradient(X, y) - free.value_and_gradient(X, y)
    first, _, last = objective.network.views
    W = np.concatenate([first["W"][[0, 2, 3]].ravel(), last["W"].ravel()])
    penalty = l1_ratio * np.abs(W).sum() + (1 - l1_ratio) / 2 * (W**2).sum()
    np.testing.assert_allclose(found, 0.3 / 4 * penalty, rtol=1e-10)


def test_by_rows_without_penalty_nothing_differs():
    objective, X, y = rows_problem()
    objective.alpha = 0.0
    value = objective.value_and_gradient(X, y)
    gradient = objective.gradient.copy()
    twin = Objective(objective.network, SquaredError())
    twin.keep_rows()
    assert twin.value_and_gradient(X, y) == value
    np.testing.assert_array_equal(gradient_by_rows(twin), gradient)
    twin.keep_rows(False)
    assert twin.value_and_gradient(X, y) == value
    np.testing.assert_array_equal(twin.gradient, gradient)


def test_by_rows_dense_input_has_all_rows():
    objective, X, y = rows_problem()
    value = objective.value_and_gradient(X.toarray(), y)
    gradient = objective.gradient.copy()
    twin = Objective(objective.network, SquaredError(), objective.alpha)
    twin.keep_rows()
    np.testing.assert_allclose(twin.value_and_gradient(X.toarray(), y), value)
    np.testing.assert_array_equal(gradient_by_rows(twin), gradient)


def test_rows_are_kept_for_a_trained_dense_layer_behind_dropout_only():
    class Own(Dense):
        """May write its gradient in a way of its own."""

    kept = [[], [Dropout(0.5)]]
    other = [[Dense(4, trainable=False)], [Own(4)]]
    for first in kept + other:
        objective, X, y = rows_problem(first)
        objective.keep_rows()
        assert (objective.rows is not None) == (first in kept)
        objective.value_and_gradient(X, y)
    objective = Objective(Network([Activation("tanh")], 5), SquaredError())
    objective.keep_rows()
    assert objective.rows is None


# Dropout -------------------------------------------------------------------------


def dropout_problem(first):
    hidden = [Dense(5), Activation("tanh"), Dropout(0.4), Dense(N_OUTPUTS)]
    layers = [Dropout(0.3), *hidden] if first else hidden
    rng = np.random.default_rng(0)
    network = Network(layers, N_FEATURES, rng=np.random.RandomState(0))
    objective = Objective(
        network, SquaredError(), alpha=0.1, rng=np.random.RandomState(1)
    )
    return objective, rng.normal(size=(N, N_FEATURES)), rng.normal(size=(N, N_OUTPUTS))


@pytest.mark.parametrize("first", [False, True], ids=["hidden", "of the input too"])
def test_with_frozen_dropout_the_gradient_is_the_difference_quotient(
    first, differences
):
    objective, X, y = dropout_problem(first)
    frozen = objective.tape.rng.get_state()

    def value():
        objective.tape.rng.set_state(frozen)
        return value_of(objective, X, y)

    value()
    gradient = objective.gradient.copy()
    quotient = differences(value, objective.network.values)
    np.testing.assert_allclose(gradient, quotient, rtol=1e-6, atol=1e-10)


def test_dropout_draws_anew_at_each_call():
    objective, X, y = dropout_problem(first=True)
    values = {value_of(objective, X, y) for _ in range(5)}
    assert len(values) == 5


def test_dropout_never_writes_over_the_training_set():
    objective, X, y = dropout_problem(first=True)
    kept = X.copy()
    for _ in range(3):
        objective.value_and_gradient(X, y)
    np.testing.assert_array_equal(X, kept)


# Memory --------------------------------------------------------------------------


def test_a_call_allocates_nothing_large():
    rng = np.random.default_rng(0)
    layers = [Dense(300), Activation("relu"), Dense(2)]
    network = Network(layers, 1000, rng=np.random.RandomState(0))
    objective = Objective(network, SquaredError(), alpha=0.1)
    X, y = rng.normal(size=(200, 1000)), rng.normal(size=(200, 2))
    objective.value_and_gradient(X, y)
    tracemalloc.start()
    try:
        objective.value_and_gradient(X, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # ReLU's mask of bools is all: 200 × 300 bytes.
    assert peak < 0.05 * network.values.nbytes


@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
def test_an_elastic_net_penalty_has_its_gradient(l1_ratio, differences):
    rng = np.random.default_rng(0)
    network = Network([Dense(3), Dense(2)], 4, rng=np.random.RandomState(0))
    objective = Objective(
        network, LOSSES["squared_error"](), alpha=0.7, l1_ratio=l1_ratio
    )
    X, y = rng.normal(size=(5, 4)), rng.normal(size=(5, 2))
    value = objective.value_and_gradient(X, y)
    gradient = objective.gradient.copy()
    numeric = differences(lambda: objective.value_and_gradient(X, y), network.values)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-9)
    W = network.values[: network.n_penalized]
    penalty = l1_ratio * np.abs(W).sum() + (1 - l1_ratio) / 2 * (W**2).sum()
    plain = Objective(network, LOSSES["squared_error"]()).value_and_gradient(X, y)
    np.testing.assert_allclose(value, plain + 0.7 / 5 * penalty, rtol=1e-12)
