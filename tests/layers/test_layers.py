"""Every layer: gradients, dtype, pickles, re-entrant passes; what each one computes."""

import dataclasses
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from sknn.activations import ACTIVATIONS
from sknn.initializers import Glorot, He, Zeros
from sknn.layers import (
    LAYERS,
    PBLD,
    PLR,
    Activation,
    BatchNorm,
    Columns,
    Dense,
    Dropout,
    Embedding,
    Layer,
    LayerNorm,
    MonotonicActivation,
    MonotonicDense,
    PiecewiseLinear,
    Residual,
    Scale,
)
from sknn.layers.monotonic import MONOTONIC_ACTIVATIONS
from sknn.losses import LOSSES, SquaredError
from sknn.network import Network
from sknn.objective import Objective
from sknn.optimizers import Adam
from sknn.tape import Tape

N_IN = 4
EXAMPLES = {
    "dense": [
        Dense(3),
        Dense(1, He(), Zeros()),
        Dense(3, parametrization="ntk"),
    ],
    "activation": [Activation(name) for name in ACTIVATIONS],
    "dropout": [Dropout(0.4), Dropout(0.0)],
    "batch_norm": [BatchNorm(), BatchNorm(0.3, 0.1), BatchNorm(trainable=False)],
    "layer_norm": [LayerNorm(), LayerNorm(0.1)],
    "residual": [
        Residual([LayerNorm(), Activation("tanh"), Dense(N_IN)]),
        Residual([Dense(3), BatchNorm(), Activation("gelu"), Dropout(0.3)]),
        Residual([Dense(5), Activation("silu"), Residual([Dense(2)]), Dense(N_IN)]),
        Residual([Activation("gelu"), Dropout(0.2)]),
    ],
    # What lies between two codes counts as the nearer one: `rows` are codes, too.
    "embedding": [
        Embedding((2, 3, 1, 2)),
        Embedding((2, 3, 1, 2), dim=3, one_hot_max_size=2),
        Embedding((2, 3, 1, 2), dim=2, one_hot_max_size=0, scale=0.3),
        Embedding((2, 0, 1, 30), dim=1, trainable=False),
    ],
    "plr": [PLR(3, 2, 0.5), PLR(1, 1)],
    "pbld": [PBLD(3, 3, 0.5), PBLD(1, 2)],
    "piecewise_linear": [
        PiecewiseLinear(4),
        PiecewiseLinear(1),
        PiecewiseLinear(5, 3),
        PiecewiseLinear(3, 2, trainable=False),
    ],
    "columns": [
        Columns(
            [((0, 2), PBLD(2, 2)), ((1, 3), Embedding((3, 2), one_hot_max_size=2))]
        ),
        Columns([(range(1, 4), Dense(2)), ((3, 0, 3), None), ((0, 1), Dropout(0.3))]),
        Columns([(range(2), PiecewiseLinear(3)), ((2,), Columns([((0,), PLR(2, 2))]))]),
        Columns([((1,), Activation("tanh")), (range(1, 4), BatchNorm()), ((3,), None)]),
    ],
    "scale": [Scale(), Scale(trainable=False)],
    "monotonic_dense": [
        MonotonicDense(3),
        MonotonicDense(2, He(), Zeros(), signs=(1, 0, -1, 0)),
        MonotonicDense(1, signs=(0, 0, 0, 0), trainable=False),
    ],
    "monotonic_activation": [MonotonicActivation(n) for n in MONOTONIC_ACTIVATIONS],
}
EACH = pytest.mark.parametrize(
    "layer", [layer for examples in EXAMPLES.values() for layer in examples], ids=repr
)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def network_of(layer, dtype=np.float64):
    """A network of this layer alone."""
    return Network([layer], N_IN, dtype, np.random.RandomState(0))


def rows(n=6, dtype=np.float64, seed=0):
    """Input whose entries are not next to the kinks at 0."""
    x = np.random.default_rng(seed).normal(size=(n, N_IN))
    return (x + 0.01 * np.sign(x)).astype(dtype)


def recording(seed=0):
    return Tape(training=True, rng=np.random.RandomState(seed))


def run(layer, x, dy, seed=0):
    """Output and gradients by parameters and input of one pass."""
    network, tape = network_of(layer, x.dtype), recording(seed)
    y = network.forward(x, tape).copy()
    gradient = np.full_like(network.values, np.nan)
    network.backward(dy.copy(), tape, network.split(gradient))
    dx = network.backward(dy.copy(), tape)
    return y, gradient[: network.n_trainable], dx


def test_every_layer_has_examples_and_its_name():
    assert set(EXAMPLES) == set(LAYERS)
    for name, examples in EXAMPLES.items():
        assert {type(layer) for layer in examples} == {LAYERS[name]}


# What holds for every layer ------------------------------------------------------


@EACH
@pytest.mark.parametrize("n", [1, 6])
def test_gradients_are_difference_quotients(layer, n, differences):
    network, x = network_of(layer), rows(n)
    dy = np.random.default_rng(1).normal(size=(n, network.n_outputs))

    def project():
        # A tape of equal seed at each call: random layers repeat what they drew.
        return float((network.forward(x, recording()) * dy).sum())

    _, gradient, dx = run(layer, x, dy)
    by_values = differences(project, network.values[: network.n_trainable])
    np.testing.assert_allclose(gradient, by_values, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(dx, differences(project, x), rtol=1e-6, atol=1e-9)


@EACH
def test_outputs_have_the_number_that_build_announces(layer):
    params, n_out = layer.build(N_IN)
    tape = Tape()
    for n in (1, 5, 300):
        assert network_of(layer).forward(rows(n), tape).shape == (n, n_out)
    assert len({param.name for param in params}) == len(params)


@EACH
@DTYPES
def test_dtypes_are_kept(layer, dtype):
    x = rows(dtype=dtype)
    dy = np.ones((6, network_of(layer).n_outputs), dtype)
    single, exact = run(layer, x, dy), run(layer, x.astype(float), dy.astype(float))
    for ours, theirs in zip(single, exact, strict=True):
        assert ours.dtype == dtype
        tolerance = 1e-5 if dtype == np.float32 else 0.0
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@EACH
def test_a_layer_is_frozen_equal_by_value_hashable_and_pickles(layer):
    assert isinstance(layer, Layer)
    twin = pickle.loads(pickle.dumps(layer))
    assert twin == layer
    assert hash(twin) == hash(layer)
    for field in dataclasses.fields(layer):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(layer, field.name, None)


@EACH
def test_a_pass_leaves_the_input_as_it_is(layer):
    x = rows()
    kept = x.copy()
    for tape in (Tape(), recording(), Tape(recording=True)):
        network_of(layer).forward(x, tape)
        np.testing.assert_array_equal(x, kept)


@EACH
def test_one_layer_serves_two_passes_at_once(layer):
    n_out = layer.build(N_IN)[1]
    inputs = [rows(seed=s) for s in (1, 2)]
    dys = [np.random.default_rng(s).normal(size=(6, n_out)) for s in (3, 4)]
    alone = [run(layer, inputs[seed], dys[seed], seed) for seed in (0, 1)]
    network, tapes = network_of(layer), [recording(0), recording(1)]
    outputs = [network.forward(x, tape) for x, tape in zip(inputs, tapes, strict=True)]
    for i in (1, 0):  # forward, forward, backward, backward
        gradient = np.zeros_like(network.values)
        np.testing.assert_array_equal(outputs[i], alone[i][0])
        network.backward(dys[i].copy(), tapes[i], network.split(gradient))
        np.testing.assert_array_equal(gradient[: network.n_trainable], alone[i][1])
        np.testing.assert_array_equal(
            network.backward(dys[i].copy(), tapes[i]), alone[i][2]
        )


@EACH
def test_threads_get_what_one_thread_gets(layer):
    def passes(seed):
        x, dy = rows(50, seed=seed), np.ones((50, layer.build(N_IN)[1]))
        return [run(layer, x, dy, seed) for _ in range(3)]

    expected = [passes(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for one, other in zip(pool.map(passes, range(4)), expected, strict=True):
            for a, b in zip(one, other, strict=True):
                for ours, theirs in zip(a, b, strict=True):
                    np.testing.assert_array_equal(ours, theirs)


@EACH
def test_a_layer_that_is_not_asked_for_dx_returns_none(layer):
    network, tape = network_of(layer), recording()
    dy = np.ones_like(network.forward(rows(), tape))
    own, g = tape.layers(1)[0], network.split(np.zeros_like(network.values))[0]
    assert layer.backward(dy.copy(), network.views[0], g, own, need_dx=False) is None
    assert layer.backward(dy.copy(), network.views[0], g, own, need_dx=True) is not None


@EACH
def test_backward_by_the_input_alone_needs_no_place_for_gradients(layer):
    network, tape = network_of(layer), recording()
    dy = np.ones_like(network.forward(rows(), tape))
    own = tape.layers(1)[0]
    dx = layer.backward(dy.copy(), network.views[0], None, own)
    np.testing.assert_array_equal(dx, network.backward(dy.copy(), tape))


@EACH
def test_a_stack_of_inputs_gives_a_stack_of_outputs(layer):
    stack = np.stack([rows(seed=s) for s in range(3)])
    y = network_of(layer).forward(stack, Tape()).copy()
    for x, output in zip(stack, y, strict=True):
        expected = network_of(layer).forward(x, Tape())
        np.testing.assert_allclose(output, expected, rtol=1e-14, atol=1e-16)


def passes(network, x, dy, seed=0):
    """Output, gradient by the trained parameters, gradient by the input."""
    tape, gradient = recording(seed), np.full_like(network.values, np.nan)
    y = network.forward(x, tape).copy()
    network.backward(dy.copy(), tape, network.split(gradient))
    return y, gradient[..., : network.n_trainable], network.backward(dy.copy(), tape)


@EACH
@pytest.mark.parametrize("shared", [True, False])
def test_a_stack_computes_what_its_networks_do_one_by_one(layer, shared):
    if "Dropout(0." in repr(layer):
        pytest.skip("the networks of a stack draw masks of their own")
    for layers in ([layer], [Activation("tanh"), layer], [Dense(N_IN), layer]):
        compare_stack(layers, shared)


def compare_stack(layers, shared):
    networks = [Network(layers, N_IN, rng=np.random.RandomState(s)) for s in range(3)]
    own = [rows(seed=0 if shared else s) for s in range(3)]
    X = own[0] if shared else np.stack(own)
    dy = np.random.default_rng(1).normal(size=(3, 6, networks[0].n_outputs))
    stacked = passes(Network.stack(networks), X, dy)
    for i, network in enumerate(networks):
        for whole, alone in zip(stacked, passes(network, own[i], dy[i]), strict=True):
            # What has no parameters gives the same for all networks.
            part = whole[i] if whole.ndim > alone.ndim else whole
            np.testing.assert_allclose(part, alone, rtol=1e-11, atol=1e-12)


@EACH
def test_a_tape_serves_batches_of_changing_size(layer):
    network, tape = network_of(layer), recording()
    x = rows(40)
    for n in (7, 40, 7, 1, 40):
        dy = np.ones((n, network.n_outputs))
        state = np.random.RandomState(0).get_state()
        tape.rng.set_state(state)
        expected = passes(network, x[:n], dy)
        np.testing.assert_array_equal(network.forward(x[:n], tape), expected[0])
        np.testing.assert_array_equal(network.backward(dy, tape), expected[2])


@EACH
def test_predictions_in_blocks_are_those_of_one_pass(layer):
    network, x = network_of(layer), rows(700)
    expected = network.forward(x, Tape())
    np.testing.assert_allclose(network.predict(x), expected, rtol=1e-12, atol=1e-14)


def targets_for(loss, n, rng):
    """Targets in the domain of a loss."""
    if loss.link == "softmax":
        return np.eye(3)[rng.integers(0, 3, n)]
    if loss.link == "logistic":
        return rng.integers(0, 2, (n, 2)).astype(float)
    return rng.poisson(2.0, (n, 2)) + 0.5


@EACH
@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_hold_with_every_activation_and_loss(layer, loss, differences):
    rng = np.random.default_rng(2)
    x, y = rows(), targets_for(LOSSES[loss](), 6, rng)
    n_raw = LOSSES[loss]().n_raw(y.shape[1])
    w = rng.uniform(0.2, 2.0, (6, 1))
    for activation in ACTIVATIONS:
        layers = [layer, Dense(2), Activation(activation), Dense(n_raw)]
        network = Network(layers, N_IN, rng=np.random.RandomState(1))
        # Away from the kinks of activations: no pre-activation is next to 0.
        network.views[1]["b"][...] = [[0.5, -0.4]]
        objective = Objective(network, LOSSES[loss](), alpha=0.3)
        # Along a random direction, where a mistake in any entry shows.
        values = network.values[: network.n_trainable]
        start, t = values.copy(), np.zeros(1)
        direction = rng.normal(size=start.size) / start.size

        def value(objective=objective, values=values, move=(start, direction, t)):
            values[...] = move[0] + move[2] * move[1]
            objective.tape = recording()
            return objective.value_and_gradient(x, y, w)

        numeric = differences(value, t)
        value()
        slope = objective.gradient[: network.n_trainable] @ direction
        np.testing.assert_allclose(slope, numeric[0], rtol=1e-6, atol=1e-8)


# Dense ---------------------------------------------------------------------------


@given(n=st.integers(1, 8), n_in=st.integers(1, 6), units=st.integers(1, 6))
def test_dense_is_x_times_w_plus_b(n, n_in, units):
    rng = np.random.default_rng(n)
    x, dy = rng.normal(size=(n, n_in)), rng.normal(size=(n, units))
    network, tape = Network([Dense(units)], n_in, rng=np.random.RandomState(0)), Tape()
    W, b = network.views[0]["W"], network.views[0]["b"]
    y = network.forward(x, tape)
    np.testing.assert_allclose(y, x @ W + b, rtol=1e-13, atol=1e-15)
    gradient = np.empty_like(network.values)
    (g,) = network.split(gradient)
    network.backward(dy.copy(), tape, [g])
    np.testing.assert_allclose(g["W"], x.T @ dy, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(g["b"], [dy.sum(axis=0)], rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(
        network.backward(dy.copy(), tape), dy @ W.T, rtol=1e-13, atol=1e-14
    )


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csr_array])
@DTYPES
def test_dense_takes_csr_input(kind, dtype):
    x = rows(8, dtype) * (np.random.default_rng(0).random((8, N_IN)) < 0.5)
    dy = np.random.default_rng(1).normal(size=(8, 3)).astype(dtype)
    expected, ours = run(Dense(3), x, dy), run(Dense(3), kind(x), dy)
    for one, other in zip(ours, expected, strict=True):
        assert one.dtype == dtype
        np.testing.assert_allclose(
            one, other, rtol=1e-12 if dtype == np.float64 else 1e-5, atol=1e-6
        )


def test_dense_declares_a_penalised_kernel_and_a_free_intercept():
    (kernel, bias), n_out = Dense(3, He(), Zeros()).build(4)
    assert n_out == 3
    assert (kernel.name, kernel.shape, kernel.init) == ("W", (4, 3), He())
    assert (bias.name, bias.shape, bias.init) == ("b", (1, 3), Zeros())
    assert kernel.fan == bias.fan == (4, 3)
    assert kernel.penalized
    assert not bias.penalized
    assert kernel.trainable
    assert bias.trainable


def test_dense_starts_by_glorots_rule():
    assert Dense(3) == Dense(3, Glorot(), Glorot())


@pytest.mark.parametrize("lr_factor", [1.0, 3.0])
def test_ntk_divides_the_rates_of_a_kernel_by_the_root_of_its_width(lr_factor):
    layer = Dense(3, parametrization="ntk", lr_factor=lr_factor)
    (kernel, bias), _ = layer.build(16)
    assert (kernel.lr_factor, bias.lr_factor) == (0.25, 0.1)
    (standard, free), _ = Dense(3, lr_factor=lr_factor).build(16)
    assert (standard.lr_factor, free.lr_factor) == (1.0, 1.0)
    rates = {factor for _, factor in Network([layer], 16).lr_segments}
    assert rates == {0.25 * lr_factor, 0.1 * lr_factor}


def literal_ntk(V, b, x, y, learning_rate, n_steps):
    """Adam on y = tanh(x V / root n + b) V / root n + b, squared errors halved."""
    V, b = [v.copy() for v in V], [c.copy() for c in b]
    roots, rates = [len(v) ** 0.5 for v in V], [1.0, 1.0, 0.1, 0.1]
    first, second = [0.0] * 4, [0.0] * 4
    for t in range(1, n_steps + 1):
        hidden = np.tanh(x @ V[0] / roots[0] + b[0])
        dy = (hidden @ V[1] / roots[1] + b[1] - y) / len(x)
        dz = dy @ V[1].T / roots[1] * (1 - hidden**2)
        gradients = [
            x.T @ dz / roots[0],
            hidden.T @ dy / roots[1],
            dz.sum(0),
            dy.sum(0),
        ]
        for i, (p, g) in enumerate(zip([*V, *b], gradients, strict=True)):
            first[i] = 0.9 * first[i] + 0.1 * g
            second[i] = 0.999 * second[i] + 0.001 * g**2
            mean, square = first[i] / (1 - 0.9**t), second[i] / (1 - 0.999**t)
            p -= learning_rate * rates[i] * (mean / np.sqrt(square)).reshape(p.shape)
    return V, b


def test_steps_of_ntk_are_those_of_kernels_divided_by_the_root_of_their_width():
    layers = [Dense(5, parametrization="ntk"), Dense(2, parametrization="ntk")]
    layers.insert(1, Activation("tanh"))
    network = Network(layers, N_IN, rng=np.random.RandomState(0))
    x, y = rows(20), np.random.default_rng(1).normal(size=(20, 2))
    W, b = ([network.views[i][name] for i in (0, 2)] for name in "Wb")
    scaled = [kernel * len(kernel) ** 0.5 for kernel in W]
    V, expected_b = literal_ntk(scaled, b, x, y, 0.1, n_steps=8)
    # Of the two forms' gradients epsilon would be another share.
    optimizer, objective = Adam(epsilon=1e-30), Objective(network, SquaredError())
    arrays, segments = (network.values, objective.gradient), network.lr_segments
    memory = optimizer.memory(network.values)
    step = optimizer.stepper(*arrays, memory, segments=segments)
    for number in range(1, 9):
        objective.value_and_gradient(x, y)
        step(0.1, number)
    for ours, literal in zip(W, V, strict=True):
        np.testing.assert_allclose(ours, literal / len(ours) ** 0.5, atol=1e-10)
    for ours, theirs in zip(b, expected_b, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-10)


@pytest.mark.parametrize("parametrization", ["NTK", None, 1])
def test_a_parametrization_that_is_none_is_named(parametrization):
    words = f"'parametrization' parameter of Dense .* Got {parametrization!r} instead"
    with pytest.raises(ValueError, match=words):
        Dense(3, parametrization=parametrization)


# Activation ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_applies_its_row_of_the_table(name):
    x = rows()
    expected, slope = np.empty_like(x), np.empty_like(x)
    ACTIVATIONS[name].value_and_slope(x, expected, slope)
    dy = np.random.default_rng(1).normal(size=x.shape)
    y, _, dx = run(Activation(name), x, dy)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(dx, dy * slope)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_pass_that_does_not_record_gives_the_same_values(name):
    network = Network([Dense(5), Activation(name)], N_IN, rng=np.random.RandomState(0))
    y = network.forward(rows(), Tape()).copy()
    recorded = network.forward(rows(), Tape(recording=True))
    np.testing.assert_allclose(y, recorded, rtol=1e-14, atol=1e-16)


def test_activation_works_in_the_memory_of_the_layer_before():
    network = Network([Dense(5), Activation("tanh")], N_IN)
    tape = Tape()
    y = network.forward(rows(), tape)
    assert np.shares_memory(y, tape.layers(2)[0].product("z", rows(), np.ones((4, 5))))


# Dropout -------------------------------------------------------------------------

RATES = pytest.mark.parametrize("rate", [0.05, 0.25, 0.5, 0.9, 0.999])
MANY = 400_000


def drop(rate, x, seed=0):
    return Dropout(rate).forward(x, {}, recording(seed)).copy()


@RATES
@DTYPES
def test_dropout_drops_its_share_and_scales_the_rest(rate, dtype):
    y = drop(rate, np.full((MANY // 4, 4), 3.0, dtype))
    assert y.dtype == dtype
    share = np.mean(y == 0)
    np.testing.assert_allclose(share, rate, atol=5 * np.sqrt(rate * (1 - rate) / MANY))
    # The rate is a multiple of 1/65536, and the scale is that rate's.
    exact = round(rate * 65536) / 65536
    np.testing.assert_allclose(y[y != 0], 3.0 / (1 - exact), rtol=1e-6)


@RATES
def test_of_all_possible_draws_dropout_drops_exactly_its_share(rate):
    class EveryDrawOnce:
        def bytes(self, length):
            if rate * 256 % 1 == 0:  # every one of the 256 draws as often
                assert length == 65536
                return np.arange(65536).astype("<u1").tobytes()
            assert length == 2 * 65536
            return np.arange(65536, dtype="<u2").tobytes()

    y = Dropout(rate).forward(np.ones((256, 256)), {}, Tape(True, EveryDrawOnce()))
    assert (y == 0).sum() == round(rate * 65536)
    np.testing.assert_allclose(y.sum(), 65536, rtol=1e-12)


@RATES
def test_dropout_keeps_the_mean(rate):
    mean = drop(rate, np.ones((4, MANY // 4))).mean()
    np.testing.assert_allclose(mean, 1, atol=5 * np.sqrt(rate / (1 - rate) / MANY))


@RATES
def test_dropout_drops_each_unit_and_each_sample_alike(rate):
    dropped = drop(rate, np.ones((500, 800))) == 0
    for axis, n in ((0, 500), (1, 800)):
        z = (dropped.mean(axis=axis) - rate) / np.sqrt(rate * (1 - rate) / n)
        assert abs(z.std() - 1) < 0.15  # as independent draws have it


def test_dropout_is_identity_at_predict():
    x = rows()
    for tape in (Tape(), Tape(recording=True), Tape(rng=np.random.RandomState(0))):
        assert Dropout(0.5).forward(x, {}, tape) is x
        dy = rows(seed=1)
        np.testing.assert_array_equal(
            Dropout(0.5).backward(dy, {}, None, tape), rows(seed=1)
        )


def test_equal_seeds_drop_alike_and_others_do_not():
    x = np.ones((30, 20))
    np.testing.assert_array_equal(drop(0.5, x, seed=3), drop(0.5, x, seed=3))
    assert (drop(0.5, x, seed=3) != drop(0.5, x, seed=4)).mean() > 0.3


def test_dropout_draws_anew_at_each_pass():
    tape, x = recording(), np.ones((30, 20))
    masks = [Dropout(0.5).forward(x, {}, tape).copy() for _ in range(3)]
    assert (masks[0] != masks[1]).any()
    assert (masks[1] != masks[2]).any()


def test_two_dropout_layers_draw_different_masks():
    network = Network([Dropout(0.5), Dropout(0.5)], N_IN)
    dropped = (network.forward(np.ones((20_000, N_IN)), recording()) == 0).mean()
    np.testing.assert_allclose(dropped, 0.75, atol=0.01)


def test_dropout_goes_back_through_the_mask_of_its_forward():
    x = np.ones((50, N_IN))
    y, _, dx = run(Dropout(0.3), x, np.ones_like(x))
    np.testing.assert_array_equal(dx, y)


def test_a_rate_of_zero_drops_nothing():
    np.testing.assert_array_equal(drop(0.0, rows()), rows())


@pytest.mark.parametrize("rate", [0.99999, 0.999999, np.nextafter(1, 0)])
def test_dropout_takes_every_rate_below_one(rate):
    y = Dropout(rate).forward(np.ones((4, 4)), {}, Tape(True, np.random.RandomState(0)))
    assert np.isfinite(y).all()
