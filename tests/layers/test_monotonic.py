"""Monotonic layers: no output moves against a sign, and what they can still fit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from sknn.activations import ACTIVATIONS
from sknn.initializers import Glorot, He, LeCun, Scaled, Zeros
from sknn.layers import Activation, Dense, Dropout, MonotonicActivation, MonotonicDense
from sknn.layers.monotonic import MONOTONIC_ACTIVATIONS, monotonic_chain
from sknn.losses import LOSSES
from sknn.network import Network
from sknn.objective import Objective
from sknn.tape import Tape

SPLIT = ("relu", "leaky_relu", "elu", "selu", "softplus")
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@st.composite
def networks(draw, dtype):
    """Any chain, with parameters at any scale or after random steps."""
    signs = draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=4))
    sizes = draw(st.lists(st.integers(1, 9), max_size=3))
    names = [draw(st.sampled_from(MONOTONIC_ACTIVATIONS)) for _ in sizes]
    rates = [draw(st.sampled_from([0.0, 0.3])) for _ in sizes]
    rng = np.random.RandomState(draw(st.integers(0, 2**31)))
    layers = monotonic_chain(sizes, names, rates, signs, draw(st.integers(1, 3)))
    network = Network(layers, len(signs), dtype, rng)
    if draw(st.booleans()):
        network.values *= draw(st.sampled_from([0.01, 3.0, 30.0]))
    else:
        descend(network, rng)
    return network, signs, np.random.default_rng(rng.randint(2**31))


def descend(network, rng, n_steps=60):
    """Steps of SGD towards targets that fall, whatever the signs."""
    objective = Objective(network, LOSSES["squared_error"](), 1e-3, rng)
    X = rng.normal(size=(20, network.n_features)).astype(network.values.dtype)
    y = np.repeat(-3 * X.sum(axis=1, keepdims=True), network.n_outputs, axis=1)
    for _ in range(n_steps):
        objective.value_and_gradient(X, y)
        gradient = objective.gradient[: network.n_trainable]
        norm = np.linalg.norm(gradient)
        network.values[: network.n_trainable] -= 0.3 * gradient / max(norm, 1e-3)


def magnitude(network, X):
    """What the terms of each output add up to without their signs: rounding's scale."""
    size = np.abs(X)
    for layer, views in zip(network.layers, network.views, strict=True):
        if isinstance(layer, MonotonicDense):
            size = size @ np.abs(views["W"]) + np.abs(views["b"])
        elif isinstance(layer, MonotonicActivation):
            size = 2 * size + 2  # |f(x)| of each form of each function is below
    return size


def on_grid(rng, signs, column, dtype):
    """Rows that differ in one column only, in ascending order there."""
    X = np.tile(rng.normal(scale=3, size=len(signs)), (201, 1))
    X[:, column] = np.linspace(-10, 10, 201)
    return X.astype(dtype)


# Monotone by construction -----------------------------------------------------------


@DTYPES
@settings(max_examples=60)
@given(data=st.data())
def test_no_output_moves_against_a_sign(dtype, data):
    network, signs, rng = data.draw(networks(dtype))
    for column, sign in enumerate(signs):
        X = on_grid(rng, signs, column, dtype)
        y = network.forward(X, Tape())
        bound = 16 * np.finfo(dtype).eps * magnitude(network, X)[1:]
        if sign:
            assert (sign * np.diff(y, axis=0) >= -bound).all()


@DTYPES
@settings(max_examples=60)
@given(data=st.data())
def test_no_slope_is_against_a_sign_to_the_bit(dtype, data):
    """Going back, there are only products and sums of numbers that are not negative."""
    network, signs, rng = data.draw(networks(dtype))
    X = rng.normal(scale=3, size=(50, len(signs))).astype(dtype)
    tape = Tape(recording=True)
    for output in range(network.n_outputs):
        dy = np.zeros_like(network.forward(X, tape))
        dy[:, output] = 1
        dx = network.backward(dy, tape)
        assert dx.dtype == dtype
        assert (dx * np.abs(signs) * signs >= 0).all()


@settings(max_examples=30)
@given(data=st.data())
def test_dropout_keeps_every_draw_monotone(data):
    network, signs, rng = data.draw(networks(np.float64))
    for column, sign in enumerate(signs):
        X = on_grid(rng, signs, column, float)
        tape = Tape(training=True, rng=np.random.RandomState(0))
        dy = np.ones_like(network.forward(X, tape))
        assert (sign * network.backward(dy, tape)[:, column] >= 0).all()


@DTYPES
@settings(max_examples=30)
@given(seed=st.integers(0, 1000))
def test_falling_is_rising_of_the_negated_input_to_the_bit(dtype, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(40, 3)).astype(dtype)
    flipped = X * np.array([-1, 1, -1], dtype)
    outputs = []
    for signs, given_X in (((1, 0, -1), X), ((-1, 0, 1), flipped)):
        layers = monotonic_chain([7, 5], ["relu", "tanh"], [0, 0], signs, 2)
        network = Network(layers, 3, dtype, np.random.RandomState(seed))
        outputs.append(network.forward(given_X, Tape()).copy())
    np.testing.assert_array_equal(*outputs)


def test_signs_hold_for_a_stack():
    layers = monotonic_chain([6, 4], ["elu", "relu"], [0, 0], (1, -1, 0), 1)
    alone = [Network(layers, 3, rng=np.random.RandomState(s)) for s in range(4)]
    stack, tape = Network.stack(alone), Tape(recording=True)
    X = np.random.default_rng(0).normal(size=(30, 3))
    dx = stack.backward(np.ones_like(stack.forward(X, tape)), tape)
    assert (dx[..., 0] >= 0).all()
    assert (dx[..., 1] <= 0).all()
    assert (dx[..., 2] > 0).any()
    assert (dx[..., 2] < 0).any()


# The layers, one by one -------------------------------------------------------------


def test_the_kernel_has_the_sign_of_each_input():
    W = np.array([[1.0, -2.0], [3.0, -4.0], [5.0, -6.0]])
    expected = [[1, 2], [3, -4], [-5, -6]]
    layer = MonotonicDense(2, signs=(1, 0, -1))
    np.testing.assert_array_equal(layer.kernel(W), expected)
    np.testing.assert_array_equal(MonotonicDense(2).kernel(W), np.abs(W))
    network = Network([layer], 3)
    network.views[0]["W"][...] = W
    network.views[0]["b"][...] = [[7, 8]]
    X = np.random.default_rng(0).normal(size=(5, 3))
    y = X @ np.array(expected) + [[7, 8]]
    np.testing.assert_allclose(network.forward(X, Tape()), y, rtol=1e-14, atol=1e-14)


def test_free_inputs_alone_make_a_dense_layer():
    dense, ours = (
        Network([layer], 3, rng=np.random.RandomState(0))
        for layer in (Dense(4), MonotonicDense(4, Glorot(), Glorot(), (0, 0, 0)))
    )
    X = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_array_equal(dense.forward(X, Tape()), ours.forward(X, Tape()))


def test_a_kernel_of_zeros_has_a_gradient():
    network = Network([MonotonicDense(2, signs=(1, -1))], 2)
    objective = Objective(network, LOSSES["squared_error"]())
    X = np.array([[1.0, -2.0], [2.0, 1.0], [0.5, -1.0]])
    objective.value_and_gradient(X, np.array([[1.0, 2.0], [0.0, 1.0], [1.0, -1.0]]))
    assert (network.split(objective.gradient)[0]["W"] != 0).all()


@pytest.mark.parametrize("signs", [(), (1, -1, 0, 1, 0, -1)])
def test_sparse_input_gives_the_gradient_of_dense_input(signs):
    rng = np.random.RandomState(0)
    X = sparse.random(30, 6, 0.2, format="csr", random_state=rng)
    layers = monotonic_chain([5], ["relu"], [0], signs or (1,) * 6, 1)
    network = Network(layers, 6, rng=rng)
    y = rng.normal(size=(30, 1))
    dense, ours = (Objective(network, LOSSES["squared_error"](), 0.1) for _ in "12")
    expected = dense.value_and_gradient(X.toarray(), y)
    np.testing.assert_allclose(ours.value_and_gradient(X, y), expected, rtol=1e-12)
    np.testing.assert_allclose(ours.gradient, dense.gradient, rtol=1e-9, atol=1e-12)


def test_rows_of_constrained_inputs_start_smaller_by_the_root_of_their_number():
    signs = (1, 0, -1, 1, 1)
    kernels = []
    for layer in (Dense(3, He()), MonotonicDense(3, He(), signs=signs)):
        network = Network([layer], 5, rng=np.random.RandomState(0))
        kernels.append(network.views[0]["W"].copy())
    factor = np.where(np.array(signs) == 0, 1.0, 0.5)[:, None]
    np.testing.assert_allclose(kernels[1], kernels[0] * factor, rtol=1e-14)


def test_outputs_start_at_a_scale_that_no_width_changes():
    X = np.random.default_rng(0).normal(size=(100, 20))
    scales = []
    for width in (30, 1000):
        signs = (1,) * 20
        layers = monotonic_chain([width] * 3, ["relu"] * 3, [0] * 3, signs, 1)
        drawn = [Network(layers, 20, rng=np.random.RandomState(s)) for s in range(3)]
        scales.append(np.mean([net.forward(X, Tape()).std() for net in drawn]))
    assert min(scales) > 0.05
    assert max(scales) < 2 * min(scales)  # undivided: 190 times


@pytest.mark.parametrize("name", SPLIT)
@DTYPES
def test_a_third_of_the_units_bends_up_one_down_and_one_both_ways(name, dtype):
    def f(z):
        return ACTIVATIONS[name].value(z, np.empty_like(z))

    x = np.random.default_rng(0).normal(scale=2, size=(50, 8)).astype(dtype)
    y = Network([MonotonicActivation(name)], 8, dtype).forward(x, Tape())
    one = f(np.ones(1, dtype))
    last = x[:, 6:]
    saturating = np.where(last < 0, f(last + 1) - one, one - f(1 - last))
    expected = np.hstack([f(x[:, :3].copy()), -f(-x[:, 3:6]), saturating])
    tolerance = 1e-6 if dtype == np.float32 else 1e-14
    np.testing.assert_allclose(y, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 17])
@pytest.mark.parametrize("name", SPLIT)
def test_a_pass_that_may_overwrite_its_input_gives_the_same(name, width):
    x = np.random.default_rng(width).normal(size=(6, width)).astype(np.float32)
    layer, tape = MonotonicActivation(name), Tape(recording=True)
    expected = layer.forward(x, {}, Tape()).copy()
    tape.reuse_input = True
    ours = x.copy()
    assert layer.forward(ours, {}, tape) is ours
    np.testing.assert_allclose(ours, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["identity", "logistic", "tanh"])
def test_what_bends_both_ways_or_not_at_all_is_applied_to_all_units(name):
    x = np.random.default_rng(0).normal(size=(5, 7))
    ours, plain = (
        layer.forward(x, {}, Tape())
        for layer in (MonotonicActivation(name), Activation(name))
    )
    np.testing.assert_array_equal(ours, plain)


def test_every_activation_is_either_monotone_or_refused():
    z = np.linspace(-12, 12, 100_001)
    for name, row in ACTIVATIONS.items():
        rises = (np.diff(row.value(z, np.empty_like(z))) >= -1e-12).all()
        assert rises == (name in MONOTONIC_ACTIVATIONS)
        if not rises:
            with pytest.raises(ValueError, match=f"{name!r} falls where its input"):
                MonotonicActivation(name)
    with pytest.raises(ValueError, match="'sine' is none of them"):
        MonotonicActivation("sine")


@pytest.mark.parametrize("signs", [(2, 0), (0.5,), ((1, 0),), ("up",), (None,), 1])
def test_signs_are_minus_one_zero_and_one(signs):
    with pytest.raises(ValueError, match="'signs' parameter of MonotonicDense"):
        MonotonicDense(3, signs=signs)


def test_there_is_one_sign_for_each_input():
    with pytest.raises(ValueError, match="each of the 3 inputs"):
        Network([MonotonicDense(2, signs=(1, 0))], 3)


def test_arrays_of_signs_become_tuples():
    layer = MonotonicDense(2, signs=np.array([1, 0, -1], np.int8))
    assert layer == MonotonicDense(2, signs=(1, 0, -1))
    assert hash(layer) == hash(MonotonicDense(2, signs=(1, 0, -1)))


# The chain --------------------------------------------------------------------------


def test_a_chain_has_signs_in_its_first_kernel_only():
    signs = np.array([1, 0, -1])
    assert monotonic_chain([5, 4], ["relu", "identity"], [0.2, 0], signs, 2) == [
        MonotonicDense(5, signs=(1, 0, -1)),
        MonotonicActivation("relu"),
        Dropout(0.2),
        MonotonicDense(4),
        MonotonicDense(2),
    ]


def test_a_chain_without_hidden_layers_is_linear():
    assert monotonic_chain([], [], [], (1, -1), 1) == [MonotonicDense(1, signs=(1, -1))]


def test_a_chain_starts_as_it_is_told():
    pairs = [(He(), Zeros()), (LeCun(), Scaled(Glorot(), 0.1))]
    first, _, last = monotonic_chain([5], ["relu"], [0], (1,), 1, pairs)
    assert first == MonotonicDense(5, He(), Zeros(), (1,))
    assert last == MonotonicDense(1, LeCun(), Scaled(Glorot(), 0.1))


def test_a_chain_refuses_activations_that_fall():
    with pytest.raises(ValueError, match="gelu"):
        monotonic_chain([5], ["gelu"], [0], (1, 0), 1)


# What can be fitted -----------------------------------------------------------------


def adam(network, X, y, n_steps, rate, batch=200):
    """Plain Adam: these tests are about layers and need no trainer."""
    objective = Objective(network, LOSSES["squared_error"]())
    rng = np.random.RandomState(0)
    m, v = np.zeros_like(network.values), np.zeros_like(network.values)
    for t in range(1, n_steps + 1):
        rows = rng.randint(len(X), size=batch)
        objective.value_and_gradient(X[rows], y[rows])
        m += 0.1 * (objective.gradient - m)
        v += 0.001 * (objective.gradient**2 - v)
        falling = rate * (1 - t / (n_steps + 1)) * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        network.values -= falling * m / (np.sqrt(v) + 1e-8)
    return network


def error(layers, X, y, X_test, f_test, n_steps=2000, rate=0.005):
    """Root mean squared error against the noiseless target, in standard deviations."""
    network = Network(layers, X.shape[1], rng=np.random.RandomState(0))
    adam(network, X, y, n_steps, rate)
    residual = network.predict(X_test)[:, 0] - f_test
    return np.sqrt(np.mean(residual**2)) / f_test.std()


def chain(sizes, signs, name="relu"):
    return monotonic_chain(sizes, [name] * len(sizes), [0] * len(sizes), signs, 1)


def plain(sizes, name="relu"):
    pairs = [(Dense(units), Activation(name)) for units in sizes]
    return [layer for pair in pairs for layer in pair] + [Dense(1)]


@pytest.mark.parametrize("sizes", [(32,), (16, 16)], ids=str)
@pytest.mark.parametrize(
    "function",
    [lambda x: np.sqrt(x + 2), lambda x: np.tanh(3 * x), lambda x: np.exp(x)],
    ids=["concave", "sigmoid", "convex"],
)
def test_one_input_is_fitted_whichever_way_the_target_bends(function, sizes):
    X = np.linspace(-2, 2, 400)[:, None]
    f = function(X)
    assert error(chain(sizes, (1,)), X, f, X, f[:, 0]) < 0.05


def test_absolute_weights_with_relu_alone_fit_no_concave_target():
    X = np.linspace(-2, 2, 400)[:, None]
    f = np.tanh(3 * np.abs(X + 2) / 2)
    convex = [
        MonotonicDense(16),
        Activation("relu"),
        MonotonicDense(16),
        Activation("relu"),
        MonotonicDense(1),
    ]
    assert error(convex, X, f, X, f[:, 0]) > 0.5
    assert error(chain((16, 16), (1,)), X, f, X, f[:, 0]) < 0.05


def samples(function, seed=0, n=1000, noise=0.2):
    """Noisy training data and noiseless test data on a cube."""
    rng = np.random.RandomState(seed)
    X, X_test = (rng.uniform(-1.7, 1.7, (m, 4)) for m in (n, 4000))
    f, f_test = function(*X.T), function(*X_test.T)
    y = f + noise * f.std() * rng.normal(size=n)
    return X, y[:, None], X_test, f_test


def mixed(a, b, c, d):
    """Rising in a and b, falling in c, free in d, which decides how a acts."""
    bends = np.tanh(2 * a) + np.exp(b / 2) - np.sqrt(c + 1.8)
    return bends + 0.5 * a * (1 + np.sin(2 * d))


def interaction(a, b, c, d):
    """Rising in a, up and down in b, which decides how steep a is."""
    return a * (1 + np.sin(3 * b)) + np.cos(2 * b)


@pytest.mark.parametrize(
    ("function", "signs", "factor"),
    [(mixed, (1, 1, -1, 0), 1.2), (interaction, (1, 0, 0, 0), 1.5)],
    ids=["mixed", "interaction"],
)
def test_a_noisy_monotone_target_is_fitted_like_without_constraint(
    function, signs, factor
):
    data = samples(function)
    free = error(plain((64, 64)), *data, n_steps=1000, rate=0.003)
    ours = error(chain((64, 64), signs), *data, n_steps=1000, rate=0.003)
    assert ours < factor * free
    assert ours < 0.25


def test_a_target_that_falls_is_not_followed():
    X = np.linspace(-2, 2, 400)[:, None]
    f = X**2
    network = Network(chain((16,), (1,)), 1, rng=np.random.RandomState(0))
    y = adam(network, X, f, 1000, 0.01).predict(X)[:, 0]
    assert (np.diff(y) >= -1e-12).all()
    # The best fit that does not fall is constant up to where the target rises again.
    assert np.ptp(y[:200]) < 0.3
    assert abs(y[-1] - 4) < 0.5
