"""Embeddings and Columns: against PyTorch's numbers, plain replicas, odd data."""

import dataclasses
import json
import pathlib
import warnings

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import special

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
    LayerNorm,
    PiecewiseLinear,
    Residual,
)
from sknn.network import Network
from sknn.tape import Tape

PARITY = pathlib.Path(__file__).parents[1] / "parity"
ORACLE = json.loads((PARITY / "embedding_oracle.json").read_text())["cases"]

N_IN = 4
COUNTS = (2, 12, 30, 1)  # categories of the columns: one-hot, learned, learned, one-hot
EACH = pytest.mark.parametrize(
    "layer",
    [
        Embedding(COUNTS, dim=3),
        Embedding(COUNTS, dim=2, one_hot_max_size=0),
        Embedding(COUNTS, one_hot_max_size=30),
        PLR(3, 2, 0.5),
        PBLD(3, 3, 0.5),
        PiecewiseLinear(5),
        PiecewiseLinear(4, 3),
        Columns(
            [((0, 2), PBLD(2, 2)), ([3, 0], Embedding((5, 20))), (range(1, 3), None)]
        ),
        Columns([((0, 3, 0), Activation("tanh")), (range(4), PiecewiseLinear(3, 2))]),
    ],
    ids=repr,
)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def network_of(layer, n_in=N_IN, dtype=np.float64, seed=0):
    return Network([layer], n_in, dtype, np.random.RandomState(seed))


def codes(n=40, counts=COUNTS, seed=0):
    """Codes with some of the slot of unseen and missing."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, np.array(counts) + 1, (n, len(counts))).astype(float)


def inputs(layer, n=40, seed=0):
    if isinstance(layer, Embedding):
        return codes(n, seed=seed)
    return np.random.default_rng(seed).normal(size=(n, N_IN))


def output(layer, x):
    """Output at the parameters of seed 0."""
    return network_of(layer, x.shape[-1], x.dtype).forward(x, Tape()).copy()


def passes(network, x, dy):
    """Output, gradient by the trained parameters, gradient by the input."""
    tape, gradient = Tape(training=True), np.full_like(network.values, np.nan)
    y = network.forward(x, tape).copy()
    network.backward(dy.copy(), tape, network.split(gradient))
    return y, gradient[..., : network.n_trainable], network.backward(dy.copy(), tape)


# All -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case", ORACLE, ids=lambda case: f"{case['layer']}-{case['arguments']}"
)
def test_numbers_are_those_of_pytorch(case):
    layer = LAYERS[case["layer"]](**case["arguments"])
    x, dy = np.array(case["x"]), np.array(case["dy"])
    network = Network([layer], x.shape[1])
    assert network.views[0].keys() == case["parameters"].keys()
    for name, values in case["parameters"].items():
        network.views[0][name][...] = values
    gradient, tape = np.full_like(network.values, np.nan), Tape(training=True)
    y = network.forward(x, tape)
    np.testing.assert_allclose(y, case["y"], rtol=0, atol=1e-10)
    (g,) = network.split(gradient)
    network.backward(dy.copy(), tape, [g])
    for name, values in case["gradients"].items():
        np.testing.assert_allclose(g[name], values, rtol=0, atol=1e-10)
    expected = np.zeros_like(x) if case["dx"] is None else case["dx"]
    dx = network.backward(dy.copy(), tape)
    np.testing.assert_allclose(dx, expected, rtol=0, atol=1e-10)


@EACH
@pytest.mark.parametrize("shared", [True, False])
def test_a_stack_computes_what_its_networks_do_one_by_one(layer, shared):
    networks = [network_of(layer, seed=s) for s in range(3)]
    for s, network in enumerate(networks):  # edges of their own, too
        network.adapt(inputs(layer, seed=10 + s))
    own = [inputs(layer, seed=0 if shared else s) for s in range(3)]
    X = own[0] if shared else np.stack(own)
    dy = np.random.default_rng(1).normal(size=(3, 40, networks[0].n_outputs))
    stacked = passes(Network.stack(networks), X, dy)
    for i, network in enumerate(networks):
        for whole, alone in zip(stacked, passes(network, own[i], dy[i]), strict=True):
            # One-hot columns of a shared input are the same for all networks.
            part = whole[i] if whole.ndim > alone.ndim else whole
            np.testing.assert_allclose(part, alone, rtol=1e-11, atol=1e-12)


@EACH
@DTYPES
def test_input_in_column_order_gives_the_same(layer, dtype):
    x = inputs(layer).astype(dtype)
    y = output(layer, np.asfortranarray(x))
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, output(layer, x))


@EACH
def test_an_output_depends_on_its_origin_alone(layer):
    x = inputs(layer)
    y, origins = output(layer, x), layer.origins(N_IN)
    assert origins.shape == (y.shape[1],)
    assert origins.dtype.kind == "i"
    for j in range(N_IN):
        moved = x.copy()
        moved[:, j] = np.roll(x[:, j], 1)
        changed = (output(layer, moved) != y).any(axis=0)
        assert (origins[changed] == j).all()
        assert changed.any() == (j in origins)


@EACH
def test_frozen_layers_have_no_trained_parameters(layer):
    frozen = dataclasses.replace(layer, trainable=False)
    network = Network([Dense(N_IN), frozen], N_IN, rng=np.random.RandomState(0))
    assert network.n_trainable == N_IN * N_IN + N_IN  # those of Dense
    assert network.n_parameters == network.n_trainable + network_of(layer).values.size
    gradient, tape = np.zeros_like(network.values), Tape(training=True)
    dy = np.ones_like(network.forward(inputs(layer), tape))
    network.backward(dy, tape, network.split(gradient))
    assert (gradient[network.n_trainable :] == 0).all()


# Embedding -----------------------------------------------------------------------


def embed(x, counts, dim, one_hot_max_size, table):
    """The plain replica: outputs, and for each sample the rows of the table."""
    outputs, rows = [], []
    for sample in x:
        one_hot, learned, used, start = [], [], [], 0
        for code, count in zip(sample, counts, strict=True):
            known = code in range(count)
            if count <= one_hot_max_size:
                one_hot += [float(code == c) for c in range(count)]
                continue
            used.append(start + (int(code) if known else count))
            learned += list(table[used[-1]])
            start += count + 1
        outputs.append(one_hot + learned)
        rows.append(used)
    return np.array(outputs), rows


@given(
    counts=st.lists(st.integers(0, 12), min_size=1, max_size=5),
    dim=st.integers(1, 3),
    limit=st.integers(0, 9),
    seed=st.integers(0, 99),
)
def test_embedding_is_its_plain_replica(counts, dim, limit, seed):
    layer = Embedding(counts, dim, limit)
    network = network_of(layer, len(counts))
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 15, (11, len(counts))).astype(float)
    x[rng.random(x.shape) < 0.1] = np.nan
    table = network.views[0].get("table")
    expected, rows = embed(x, counts, dim, limit, table)
    dy = rng.normal(size=expected.shape)
    y, gradient, dx = passes(network, x, dy)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(dx, np.zeros_like(x))
    if table is not None:
        by_table = np.zeros_like(table)
        learned = dy[:, len(expected[0]) - dim * len(rows[0]) :].reshape(11, -1, dim)
        np.add.at(by_table, np.array(rows), learned)
        np.testing.assert_allclose(
            gradient.reshape(table.shape), by_table, rtol=1e-12, atol=1e-14
        )


@pytest.mark.parametrize("limit", [0, 8])
@pytest.mark.parametrize("code", [3.0, 4.0, 1e9, np.inf, -1.0, -np.inf, np.nan])
@DTYPES
def test_what_is_no_category_gives_zeros_and_no_warning(limit, code, dtype):
    x = np.full((5, 1), code, dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = output(Embedding((3,), one_hot_max_size=limit), x)
    np.testing.assert_array_equal(y, np.zeros_like(y))


@pytest.mark.parametrize("limit", [0, 8])
def test_a_number_between_codes_counts_as_the_nearer_one(limit):
    layer = Embedding((3,), one_hot_max_size=limit)
    near = output(layer, np.array([[-0.4], [0.3], [0.9], [1.4], [2.4]]))
    exact = output(layer, np.array([[0.0], [0.0], [1.0], [1.0], [2.0]]))
    np.testing.assert_array_equal(near, exact)


def test_one_hot_columns_come_first_then_the_learned_ones():
    layer = Embedding((12, 2, 20, 3), dim=2)
    x = np.array([[0.0, 1.0, 5.0, 0.0]])
    y = output(layer, x)
    np.testing.assert_array_equal(y[0, :5], [0, 1, 1, 0, 0])
    assert layer.origins(4).tolist() == [1, 1, 3, 3, 3, 0, 0, 2, 2]


@pytest.mark.parametrize(("count", "width"), [(8, 8), (9, 8), (7, 7), (0, 0), (100, 8)])
def test_columns_of_up_to_eight_categories_are_one_hot(count, width):
    layer = Embedding((count,))
    assert layer.build(1)[1] == width
    assert bool(layer.build(1)[0]) == (count > 8)


def test_tables_start_normal_with_zeros_for_the_slots():
    layer = Embedding((4000, 3, 3000), dim=6, scale=0.5)
    table = network_of(layer, 3).views[0]["table"]
    slots = [4000, 7001]
    assert table.shape == (7002, 6)
    assert (table[slots] == 0).all()
    drawn = np.delete(table, slots, axis=0)
    np.testing.assert_allclose(drawn.std(), 0.5, rtol=0.02)
    np.testing.assert_allclose(drawn.mean(), 0, atol=0.02)
    assert (drawn != 0).all()


def test_a_slot_is_trained_where_the_data_have_it_and_stays_zero_elsewhere():
    network = network_of(Embedding((2, 2), dim=3, one_hot_max_size=0), 2)
    x = np.array([[2.0, 0.0], [0.0, 1.0]])  # the first column has its slot
    tape, gradient = Tape(training=True), np.zeros_like(network.values)
    network.forward(x, tape)
    (g,) = network.split(gradient)
    network.backward(np.ones((2, 6)), tape, [g])
    np.testing.assert_array_equal(g["table"][:, 0], [1, 0, 1, 1, 1, 0])


def test_tables_are_penalised():
    (table,), _ = Embedding((30,)).build(1)
    assert (table.name, table.shape) == ("table", (31, 8))
    assert table.penalized
    assert table.trainable
    assert not table.buffer


def test_many_categories_are_told_apart_in_float32():
    n = 100_003
    layer = Embedding((n, n), dim=1)
    network = network_of(layer, 2, np.float32)
    x = np.array([[n - 1, n - 2], [n - 2, n - 1]], np.float32)
    table = network.views[0]["table"][:, 0]
    rows = [[n - 1, 2 * n - 1], [n - 2, 2 * n]]
    np.testing.assert_array_equal(network.forward(x, Tape()), table[np.array(rows)])


@pytest.mark.parametrize("given", [[3, 9], np.array([3, 9]), (3.0, 9)])
def test_counts_become_a_tuple_of_ints(given):
    layer = Embedding(given)
    assert layer == Embedding((3, 9))
    assert [type(c) for c in layer.n_categories] == [int, int]
    assert repr(layer) == "Embedding(n_categories=(3, 9))"


def test_an_embedding_without_counts_says_what_it_needs():
    for call in (Embedding().build, Embedding().origins):
        with pytest.raises(ValueError, match=r"'n_categories' parameter .* is empty"):
            call(3)


def test_counts_and_columns_must_agree():
    with pytest.raises(ValueError, match=r"one entry per column, here 3\. Got 2"):
        Embedding((3, 4)).build(3)


# Numbers -------------------------------------------------------------------------


def test_frequencies_start_normal_and_phases_uniform():
    views = network_of(PBLD(500, sigma=0.3), 20).views[0]
    np.testing.assert_allclose(views["frequencies"].std(), 0.3, rtol=0.03)
    np.testing.assert_allclose(np.abs(views["phases"]).max(), np.pi, rtol=0.01)
    np.testing.assert_allclose(views["phases"].std(), np.pi / np.sqrt(3), rtol=0.03)
    views = network_of(PLR(500, sigma=3.0), 20).views[0]
    np.testing.assert_allclose(views["frequencies"].std(), 3, rtol=0.03)


@pytest.mark.parametrize(
    ("layer", "n_in"), [(PLR(50), 100), (PBLD(16), 16), (PiecewiseLinear(25, 8), 25)]
)
def test_linear_maps_start_as_those_of_pytorch(layer, n_in):
    views = network_of(layer, 30).views[0]
    for name in ("W", "b"):
        bound = np.abs(views[name]).max() * np.sqrt(n_in)
        assert 0.9 < bound <= 1


@pytest.mark.parametrize("layer", [PLR(), PBLD(), PiecewiseLinear(4, 2)], ids=repr)
def test_intercepts_and_phases_are_free_of_the_penalty(layer):
    params, _ = layer.build(3)
    free = {p.name for p in params if not p.penalized}
    assert free == {p.name for p in params} & {"b", "phases"}


def test_pbld_begins_each_feature_with_itself():
    x = np.random.default_rng(0).normal(size=(8, 3))
    np.testing.assert_array_equal(output(PBLD(), x)[:, ::4], x)


@pytest.mark.parametrize("layer", [PLR(sigma=2.0), PBLD(sigma=2.0)], ids=repr)
def test_periodic_embeddings_are_bounded_and_finite_far_out(layer):
    x = np.array([[1e6], [-1e6], [0.0]], np.float32)
    network = network_of(layer, 1, np.float32)
    y, gradient, dx = passes(network, x, np.ones((3, network.n_outputs), np.float32))
    assert np.isfinite(gradient).all()
    assert np.isfinite(dx).all()
    first = 1 if isinstance(layer, PBLD) else 0
    assert np.abs(y[:, first:]).max() < 20


# PiecewiseLinear -----------------------------------------------------------------


def adapted(layer, X):
    network = network_of(layer, X.shape[1], X.dtype)
    network.adapt(X)
    return network


def encode(x, edges):
    """Equation 1 of the paper for one number and the edges of its feature."""
    out = []
    for t in range(1, len(edges)):
        left, right = edges[t - 1], edges[t]
        if x < left and t > 1:
            out.append(0.0)
        elif x >= right and t < len(edges) - 1:
            out.append(1.0)
        else:
            out.append((x - left) / (right - left))
    return out


@given(n_bins=st.integers(1, 7), seed=st.integers(0, 99))
def test_the_encoding_is_equation_1_on_the_quantiles(n_bins, seed):
    rng = np.random.default_rng(seed)
    X, new = rng.normal(size=(50, 2)), 2 * rng.normal(size=(20, 2))
    network = adapted(PiecewiseLinear(n_bins), X)
    edges = np.quantile(X, np.linspace(0, 1, n_bins + 1), axis=0)
    expected = [encode(a, edges[:, 0]) + encode(b, edges[:, 1]) for a, b in new]
    ours = network.forward(new, Tape())
    np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-12)


@given(
    values=st.lists(
        st.sampled_from([-3.0, 0.0, 0.1, 2.0, 7.0]), min_size=2, max_size=60
    ),
    n_bins=st.integers(1, 9),
)
@example(values=[-3.0] * 5 + [0.0] * 3, n_bins=7)  # np.quantile: -2.7e-15 beside 0
def test_bins_of_few_values_are_those_of_the_distinct_quantiles(values, n_bins):
    X = np.array(values)[:, None]
    new = np.linspace(-5, 9, 57)[:, None]
    y = adapted(PiecewiseLinear(n_bins), X).forward(new, Tape())
    edges = np.unique(np.quantile(X, np.linspace(0, 1, n_bins + 1)))
    kept = np.diff(edges, prepend=-np.inf) > 1e-12  # quantiles round
    expected = np.array([encode(v, edges[kept]) for v in new[:, 0]])
    n_real = kept.sum() - 1
    np.testing.assert_allclose(y[:, :n_real], expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(y[:, n_real:], 0)


@given(n_bins=st.integers(1, 9), seed=st.integers(0, 99))
def test_the_encoding_times_the_widths_is_x_again(n_bins, seed):
    rng = np.random.default_rng(seed)
    X = np.round(rng.normal(size=(30, 1)), 1)
    network = adapted(PiecewiseLinear(n_bins), X)
    x = 3 * rng.normal(size=(20, 1))
    edges = network.views[0]["edges"][0]
    restored = edges[0] + network.forward(x, Tape()) @ np.diff(edges)
    np.testing.assert_allclose(restored, x[:, 0], rtol=1e-12, atol=1e-12)


@DTYPES
@pytest.mark.parametrize("value", [0.0, 5.0, 1e20, -1e-30])
@pytest.mark.parametrize("dim", [None, 2])
def test_a_constant_column_gives_zeros_without_warnings(dtype, value, dim):
    X = np.full((30, 1), value, dtype)
    layer = PiecewiseLinear(6, dim)
    network = adapted(layer, X)
    new = np.array([[value], [value + 1], [-7]], dtype)
    y, gradient, dx = passes(network, new, np.ones((3, network.n_outputs), dtype))
    flat = 0 if dim is None else np.broadcast_to(network.views[0]["b"], y.shape)
    np.testing.assert_array_equal(y, flat)
    np.testing.assert_array_equal(dx, np.zeros_like(new))
    assert np.isfinite(gradient).all()


@DTYPES
def test_quantiles_that_differ_by_rounding_make_no_bin(dtype):
    X = np.ones((40, 1), dtype)
    X[::2] = np.nextafter(X[0, 0], dtype(2))
    X[0] = 4
    y = adapted(PiecewiseLinear(5), X).forward(np.array([[2.5]], dtype), Tape())
    np.testing.assert_allclose(y, [[0.5, 0, 0, 0, 0]], rtol=1e-5, atol=1e-5)


def test_before_it_adapts_the_layer_has_normal_quantiles():
    edges = network_of(PiecewiseLinear(9), 2).views[0]["edges"].reshape(2, 10)
    expected = special.ndtri((np.arange(10) + 0.5) / 10)
    np.testing.assert_allclose(edges, [expected, expected], rtol=1e-14)


def test_edges_are_buffers():
    network = network_of(PiecewiseLinear(4, 3))
    assert network.n_buffers == 4 * 5
    assert network.n_trainable == network.n_parameters - 20
    assert network.n_penalized == network.views[0]["W"].size


def test_a_stack_adapts_all_its_networks_to_shared_data():
    X = inputs(PiecewiseLinear())
    stack = Network.stack([network_of(PiecewiseLinear(4), seed=s) for s in range(3)])
    stack.adapt(X)
    expected = adapted(PiecewiseLinear(4), X).views[0]["edges"]
    np.testing.assert_array_equal(stack.views[0]["edges"], np.stack([expected] * 3))


def test_outputs_of_an_encoding_are_not_written_over_by_the_next_layer():
    network = Network([PiecewiseLinear(3), Activation("tanh"), Dropout(0.2)], N_IN)
    network._initialize(np.random.RandomState(0))
    x = inputs(network.layers[0])
    tape = Tape(training=True, rng=np.random.RandomState(0))
    network.forward(x, tape)
    encoding = tape.layers(3)[0].saved[1]
    np.testing.assert_array_equal(encoding, output(PiecewiseLinear(3), x))


# Columns -------------------------------------------------------------------------


def test_columns_puts_the_outputs_of_its_parts_side_by_side():
    x = np.random.default_rng(0).normal(size=(6, 5))
    layer = Columns([([4, 0], Dense(3)), (slice(1, 3), None), ((2,), Dense(2))])
    network = network_of(layer, 5)
    views = network.views[0]
    y = network.forward(x, Tape())
    expected = [
        x[:, [4, 0]] @ views["0"]["W"] + views["0"]["b"],
        x[:, 1:3],
        x[:, 2:3] @ views["2"]["W"] + views["2"]["b"],
    ]
    np.testing.assert_allclose(y, np.hstack(expected), rtol=1e-14)
    names = [param.name for param in layer.build(5)[0]]
    assert names == ["0.W", "0.b", "2.W", "2.b"]


def test_gradients_of_a_column_add_up_over_parts_and_repetitions():
    layer = Columns([((0, 2), None), ((2, 2, 0), None), (range(2, 4), None)])
    dy = np.random.default_rng(0).normal(size=(6, 7))
    _, _, dx = passes(network_of(layer, 5), np.ones((6, 5)), dy)
    expected = np.zeros((6, 5))
    np.add.at(expected, (slice(None), [0, 2, 2, 2, 0, 2, 3]), dy)
    np.testing.assert_allclose(dx, expected, rtol=1e-14, atol=1e-15)
    assert (dx[:, [1, 4]] == 0).all()


def test_neighbouring_columns_are_views_and_others_copies():
    x = np.ones((6, 5))
    layer = Columns([(range(1, 4), Dense(2)), ((1, 3), Dense(2)), ((4,), Dense(1))])
    tape = Tape(training=True)
    network_of(layer, 5).forward(x, tape)
    seen = [own.saved for own in tape.layers(1)[0].layers(3)]
    assert [np.shares_memory(part, x) for part in seen] == [True, False, True]


def test_parts_do_not_write_over_what_others_read():
    layer = Columns([(range(3), Activation("relu")), (range(3), Dropout(0.5))])
    network = Network([Dense(3), layer, Dense(2)], 2, rng=np.random.RandomState(0))
    x = np.random.default_rng(0).normal(size=(6, 2))
    tape = Tape(training=True, rng=np.random.RandomState(0))
    network.forward(x, tape)
    z = tape.layers(3)[0].product("z", x, network.views[0]["W"])
    expected = x @ network.views[0]["W"] + network.views[0]["b"]
    np.testing.assert_allclose(z, expected, rtol=1e-14)


@pytest.mark.parametrize(
    "given",
    [
        [([0, 1], None), ([3], Dense(1))],
        (((0, 1), None), (np.array([3]), Dense(1))),
        [(slice(2), None), (range(3, 4), Dense(1))],
        [(slice(0, 2, 1), None), (slice(3, 4), Dense(1))],
    ],
)
def test_columns_become_tuples_of_ints(given):
    layer = Columns(given)
    assert layer.parts == (((0, 1), None), ((3,), Dense(1)))
    assert hash(layer) == hash(Columns(layer.parts))


def test_children_are_the_layers_of_the_parts_by_the_index_of_their_part():
    inner = Residual([Dense(2), Dense(1)])
    layer = Columns([((0,), None), ((1,), inner), ((0, 1), BatchNorm())])
    assert layer.children() == (("1", inner), ("2", BatchNorm()))
    network, tape = network_of(layer, 2), Tape(training=True)
    network.forward(np.random.default_rng(0).normal(size=(9, 2)), tape)
    walked = [type(found).__name__ for found, _, _ in network.walk(tape)]
    assert walked == ["Columns", "Residual", "Dense", "Dense", "BatchNorm"]
    before = network.views[0]["2"]["mean"].copy()
    network.update_buffers(tape, 1.0)
    assert (network.views[0]["2"]["mean"] != before).all()


def test_a_frozen_layer_freezes_its_parts():
    layer = Columns([((0,), Dense(2)), ((1,), None)], trainable=False)
    assert layer.parts[0][1] == Dense(2, trainable=False)
    assert network_of(layer, 2).n_trainable == 0


def test_layers_of_parts_adapt_to_their_columns():
    X = np.random.default_rng(0).normal(size=(50, 3))
    part = PiecewiseLinear(4)
    layer = Columns(
        [((2, 0), part), ((1,), Dense(2)), (range(2), Columns([((1,), part)]))]
    )
    network = adapted(layer, X)
    views = network.views[0]
    for ours, columns in ((views["0"], [2, 0]), (views["2"]["0"], [1])):
        expected = adapted(part, X[:, columns]).views[0]["edges"]
        np.testing.assert_array_equal(ours["edges"], expected)


def test_layers_after_columns_adapt_to_what_it_gives_out():
    X = np.random.default_rng(0).normal(size=(50, 3))
    chain = [Columns([((2,), Activation("relu")), ((0,), None)]), PiecewiseLinear(4)]
    network = Network(chain, 3)
    network.adapt(X)
    y = np.column_stack([np.maximum(X[:, 2], 0), X[:, 0]])
    expected = adapted(PiecewiseLinear(4), y).views[0]["edges"]
    np.testing.assert_array_equal(network.views[1]["edges"], expected)


def test_origins_go_through_all_layers():
    inner = Columns([((1, 0), None), ((1,), PiecewiseLinear(2))])
    layer = Columns(
        [((5, 3), Embedding((2, 12), dim=2)), ((4, 2), inner), ((0, 0), BatchNorm())]
    )
    assert layer.origins(6).tolist() == [5, 5, 3, 3, 2, 4, 2, 2, 0, 0]


@pytest.mark.parametrize("mixing", [Dense(2), LayerNorm(), Residual([Dense(1)])])
def test_layers_that_mix_columns_have_no_origins(mixing):
    with pytest.raises(ValueError, match=r"mixes them"):
        Columns([((0,), None), ((1,), mixing)]).origins(2)


@pytest.mark.parametrize("ask", ["build", "origins"])
def test_columns_must_be_there(ask):
    layer = Columns([((0, 1), None), ((4,), None)])
    getattr(layer, ask)(5)
    with pytest.raises(ValueError, match=r"columns from 0 to 3\. Got 4 instead"):
        getattr(layer, ask)(4)


# Errors --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parts",
    [
        [],
        None,
        7,
        [Dense(2)],
        [((), None)],
        [(range(0), Dense(2))],
        [((0,), Dense)],
        [((0,), "relu")],
        [((-1,), None)],
        [((0.5,), None)],
        [((True,), None)],
        [(("a",), None)],
        [(slice(2, None), None)],
        [((0,), None, None)],
        [(0, None)],
    ],
    ids=repr,
)
def test_parts_that_are_none_are_refused(parts):
    with pytest.raises(ValueError, match="'parts' parameter of Columns must be a list"):
        Columns(parts)


@pytest.mark.parametrize(
    ("make", "parameter"),
    [
        (lambda: Embedding(5), "n_categories"),
        (lambda: Embedding((2, -1)), "n_categories"),
        (lambda: Embedding((2.5,)), "n_categories"),
        (lambda: Embedding(("a",)), "n_categories"),
        (lambda: Embedding((np.nan,)), "n_categories"),
        (lambda: Embedding((3,), dim=0), "dim"),
        (lambda: Embedding((3,), dim=1.5), "dim"),
        (lambda: Embedding((3,), one_hot_max_size=-1), "one_hot_max_size"),
        (lambda: Embedding((3,), one_hot_max_size=None), "one_hot_max_size"),
        (lambda: Embedding((3,), scale=0), "scale"),
        (lambda: PLR(0), "n_frequencies"),
        (lambda: PLR(dim=0), "dim"),
        (lambda: PLR(sigma=0.0), "sigma"),
        (lambda: PLR(sigma=-1.0), "sigma"),
        (lambda: PBLD(0), "n_frequencies"),
        (lambda: PBLD(dim=1), "dim"),
        (lambda: PBLD(sigma=np.nan), "sigma"),
        (lambda: PiecewiseLinear(0), "n_bins"),
        (lambda: PiecewiseLinear(True), "n_bins"),
        (lambda: PiecewiseLinear(dim=0), "dim"),
    ],
)
def test_fields_are_checked(make, parameter):
    with pytest.raises(ValueError, match=f"The '{parameter}' parameter of .* Got "):
        make()
