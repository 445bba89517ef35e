"""Optimisers equal slow plain replicas, step in place and resume exactly."""

import copy
import itertools
import json
import pathlib
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.base import clone

from sknn._array import Rows
from sknn.layers import Activation
from sknn.network import Network
from sknn.optimizers import (
    OPTIMIZERS,
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    Lion,
    NAdam,
    Optimizer,
    RMSProp,
    adam,
    base,
    clip_by_norm,
)

ORACLE = json.loads(
    pathlib.Path(__file__)
    .with_name("parity")
    .joinpath("optimizer_oracle.json")
    .read_text()
)


class PlainSGD:
    """SGD as the papers write it, on a new array at each step."""

    def __init__(self, optimizer, values):
        self.o, self.velocity = optimizer, np.zeros_like(values)

    def step(self, p, g, rate, number):
        momentum = self.o.momentum
        self.velocity = momentum * self.velocity - rate * g
        if self.o.nesterov:
            return p + momentum * self.velocity - rate * g
        return p + self.velocity


class PlainAdam:
    """Adam with running means, both corrections, and epsilon in either place."""

    def __init__(self, optimizer, values):
        self.o, self.m, self.v = optimizer, np.zeros_like(values), np.zeros_like(values)

    def step(self, p, g, rate, number):
        b1, b2 = self.o.beta_1, self.o.beta_2
        self.m = b1 * self.m + (1 - b1) * g
        self.v = b2 * self.v + (1 - b2) * g**2
        if not self.o.epsilon_hat:
            m, v = self.m / (1 - b1**number), self.v / (1 - b2**number)
            return p - rate * m / (np.sqrt(v) + self.o.epsilon)
        rate = rate * np.sqrt(1 - b2**number) / (1 - b1**number)
        return p - rate * self.m / (np.sqrt(self.v) + self.o.epsilon)


class PlainNAdam:
    """NAdam with the product of momenta as a running number."""

    def __init__(self, optimizer, values):
        self.o, self.m, self.v = optimizer, np.zeros_like(values), np.zeros_like(values)
        self.product = 1.0

    def step(self, p, g, rate, number):
        b1, b2 = self.o.beta_1, self.o.beta_2
        mu, after = (
            b1 * (1 - 0.5 * 0.96 ** (t * self.o.momentum_decay))
            for t in (number, number + 1)
        )
        self.product *= mu
        self.m = b1 * self.m + (1 - b1) * g
        self.v = b2 * self.v + (1 - b2) * g**2
        ahead = after * self.m / (1 - self.product * after)
        way = ahead + (1 - mu) * g / (1 - self.product)
        return p - rate * way / (np.sqrt(self.v / (1 - b2**number)) + self.o.epsilon)


class PlainAdaGrad:
    """AdaGrad with the gradients of all steps, whose squares it sums anew each time."""

    def __init__(self, optimizer, values):
        self.o, self.gradients = optimizer, []

    def step(self, p, g, rate, number):
        self.gradients.append(g)
        norms = np.linalg.norm(self.gradients, axis=0)
        return p - rate * g / (norms + self.o.epsilon)


class PlainRMSProp:
    """RMSProp with the mean of squares, and the sum of ways where there is momentum."""

    def __init__(self, optimizer, values):
        self.o, self.v, self.way = optimizer, np.zeros_like(values), 0.0

    def step(self, p, g, rate, number):
        self.v = self.o.rho * self.v + (1 - self.o.rho) * g**2
        self.way = self.o.momentum * self.way + g / (np.sqrt(self.v) + self.o.epsilon)
        return p - rate * self.way


class PlainLion:
    """Lion as its paper's algorithm 2 has it, line by line, without the decay."""

    def __init__(self, optimizer, values):
        self.o, self.m = optimizer, np.zeros_like(values)

    def step(self, p, g, rate, number):
        direction = np.sign(self.o.beta_1 * self.m + (1 - self.o.beta_1) * g)
        self.m = self.o.beta_2 * self.m + (1 - self.o.beta_2) * g
        return p - rate * direction


REPLICAS = {
    SGD: PlainSGD,
    Adam: PlainAdam,
    AdamW: PlainAdam,
    NAdam: PlainNAdam,
    AdaGrad: PlainAdaGrad,
    RMSProp: PlainRMSProp,
    Lion: PlainLion,
}
CONFIGURED = [
    *(kind() for kind in OPTIMIZERS.values()),
    SGD(momentum=0.0),
    SGD(momentum=0.0, nesterov=False),
    SGD(momentum=0.8, nesterov=False),
    SGD(momentum=1.0),
    SGD(weight_decay=0.3),
    Adam(weight_decay=0.3),
    Adam(beta_1=0.7, beta_2=0.9, epsilon=1e-3),
    Adam(beta_1=0.0, beta_2=0.0),
    Adam(lazy=True),
    Adam(epsilon=1e-3, epsilon_hat=False),
    AdamW(0.8, 0.9, 1e-3, weight_decay=0.3),
    NAdam(0.8, 0.9, 1e-3, 0.7, weight_decay=0.3),
    NAdam(beta_1=0.0, beta_2=0.0, momentum_decay=0.0),
    AdaGrad(1e-3, weight_decay=0.3),
    RMSProp(0.8, 1e-3, 0.9, weight_decay=0.3),
    RMSProp(rho=0.0, momentum=1.0),
    Lion(0.7, 0.9, weight_decay=0.3),
    Lion(beta_1=0.0, beta_2=0.0),
]
EACH = pytest.mark.parametrize("optimizer", CONFIGURED, ids=repr)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


N_DECAYED = 6


def gradients(steps, shape=17, seed=0):
    """Gradients of very different sizes, zeros among them."""
    rng = np.random.default_rng(seed)
    shape = (steps, *np.atleast_1d(shape))
    scale = 10.0 ** rng.integers(-6, 3, size=shape)
    return rng.normal(size=shape) * scale * (rng.random(shape) < 0.9)


def rates(steps):
    return [0.1 / (1 + t) ** 0.3 for t in range(steps)]


def run(
    optimizer, values, gs, memory=None, first=1, segments=None, n_decayed=N_DECAYED
):
    """Step through gradients, starting from step number `first`."""
    gradient = np.zeros_like(values)
    memory = optimizer.memory(values) if memory is None else memory
    step = optimizer.stepper(values, gradient, memory, n_decayed, segments=segments)
    every = rates(first - 1 + len(gs))[first - 1 :]
    for number, (g, rate) in enumerate(zip(gs, every, strict=True), start=first):
        gradient[...] = g
        step(rate, number)
    return values, memory


def pickled(value):
    return pickle.loads(pickle.dumps(value))


def start(dtype=np.float64, shape=17):
    return np.random.default_rng(1).normal(size=shape).astype(dtype)


def test_every_row_has_a_replica():
    assert set(REPLICAS) == set(OPTIMIZERS.values())


@EACH
@pytest.mark.parametrize("n_decayed", [0, 6, 17])
def test_twenty_steps_equal_the_plain_replica(optimizer, n_decayed):
    gs, values = gradients(20), start()
    replica, expected = REPLICAS[type(optimizer)](optimizer, values), values.copy()
    gradient, memory = np.zeros_like(values), optimizer.memory(values)
    step = optimizer.stepper(values, gradient, memory, n_decayed)
    for number, (g, rate) in enumerate(zip(gs, rates(20), strict=True), start=1):
        gradient[...] = g
        step(rate, number)
        expected[:n_decayed] *= 1 - rate * optimizer.weight_decay
        expected = replica.step(expected, g, rate, number)
        np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-12)


def test_momentum_zero_is_plain_descent():
    values, gs = start(), gradients(3)
    expected = values.copy()
    for g, rate in zip(gs, rates(3), strict=True):
        expected = expected - rate * g
    run(SGD(momentum=0.0), values, gs)
    np.testing.assert_allclose(values, expected, rtol=1e-14)


def test_adams_first_step_is_the_rate_whatever_the_gradients_size():
    values = np.zeros(4)
    run(Adam(), values, [np.array([1e-3, -1.0, 1e6, 0.0])])
    np.testing.assert_allclose(values, [-0.1, 0.1, -0.1, 0.0], rtol=1e-3)


@EACH
@DTYPES
@pytest.mark.parametrize("block_bytes", [1, 8, 40, 64, 1 << 20])
def test_the_block_size_changes_nothing(monkeypatch, optimizer, dtype, block_bytes):
    gs = gradients(5)
    expected, memory = run(optimizer, start(dtype), gs)
    monkeypatch.setattr(base, "_BLOCK_BYTES", block_bytes)
    values, blocked = run(optimizer, start(dtype), gs)
    np.testing.assert_array_equal(values, expected)
    for name in memory:
        np.testing.assert_array_equal(blocked[name], memory[name])


@EACH
def test_a_stack_steps_row_by_row(monkeypatch, optimizer):
    gs = gradients(6, (3, 17))
    rows = start(shape=(3, 17))
    single = [run(optimizer, row, gs[:, i]) for i, row in enumerate(rows)]
    for block_bytes in (1 << 17, 40):
        monkeypatch.setattr(base, "_BLOCK_BYTES", block_bytes)
        values, memory = run(optimizer, start(shape=(3, 17)), gs)
        for i, (row, own) in enumerate(single):
            np.testing.assert_array_equal(values[i], row)
            for name in memory:
                np.testing.assert_array_equal(memory[name][i], own[name])


@EACH
@DTYPES
def test_dtypes_are_kept(optimizer, dtype):
    values, memory = run(optimizer, start(dtype), gradients(10))
    assert {values.dtype, *(m.dtype for m in memory.values())} == {np.dtype(dtype)}
    exact, _ = run(optimizer, start(dtype).astype(float), gradients(10))
    scale = np.abs(exact).max()
    tolerance = 1e-5 if dtype == np.float32 else 1e-14
    np.testing.assert_allclose(values, exact, rtol=tolerance, atol=tolerance * scale)


@EACH
def test_the_gradient_is_left_as_it_is(optimizer):
    values, gradient = start(), gradients(1)[0]
    kept = gradient.copy()
    optimizer.stepper(values, gradient, optimizer.memory(values))(0.1, 1)
    np.testing.assert_array_equal(gradient, kept)


@EACH
def test_only_the_given_part_of_a_vector_is_changed(optimizer):
    vector, gradient = start(), gradients(1)[0]
    kept, part = vector[10:].copy(), vector[:10]
    optimizer.stepper(part, gradient[:10], optimizer.memory(part))(0.1, 1)
    np.testing.assert_array_equal(vector[10:], kept)


@EACH
def test_memory_starts_at_zero_with_the_names_that_are_announced(optimizer):
    values = start(np.float32)
    memory = optimizer.memory(values)
    assert tuple(memory) == optimizer.names()
    for array in memory.values():
        assert (array.shape, array.dtype) == (values.shape, values.dtype)
        assert not array.any()


@EACH
@pytest.mark.parametrize("carry", [copy.deepcopy, pickled])
def test_a_copy_of_the_memory_resumes_to_the_bit(optimizer, carry):
    gs = gradients(20)
    expected, at_end = run(optimizer, start(), gs)
    values, memory = run(optimizer, start(), gs[:8])
    values, memory = run(optimizer, *carry((values, gs[8:], memory)), first=9)
    np.testing.assert_array_equal(values, expected)
    for name in at_end:
        np.testing.assert_array_equal(memory[name], at_end[name])


@EACH
def test_a_zero_gradient_at_the_start_changes_nothing_but_by_decay(optimizer):
    values, _ = run(optimizer, start(), np.zeros((3, 17)))
    factors = [1 - rate * optimizer.weight_decay for rate in rates(3)]
    decayed = start()[:N_DECAYED] * np.prod(factors)
    np.testing.assert_allclose(values[:N_DECAYED], decayed, rtol=1e-14)
    np.testing.assert_array_equal(values[N_DECAYED:], start()[N_DECAYED:])


def test_weight_decay_does_not_depend_on_the_gradients_size():
    # unlike a penalty, which Adam would divide by the gradient's root mean square
    ends = []
    for scale in (1e-3, 1e3):
        with_decay, without = start(), start()
        run(Adam(weight_decay=0.5, epsilon=1e-30), with_decay, [scale * start()])
        run(Adam(epsilon=1e-30), without, [scale * start()])
        ends.append(with_decay - without)
    np.testing.assert_allclose(*ends, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(ends[0][:N_DECAYED], -0.05 * start()[:N_DECAYED])
    assert not ends[0][N_DECAYED:].any()


CURVATURE, MINIMUM = np.linspace(1.0, 10.0, 12), np.linspace(-2, 2, 12)


def minimise(optimizer, rates):
    """Descend on a convex quadratic from zero."""
    values, gradient = np.zeros(12), np.zeros(12)
    step = optimizer.stepper(values, gradient, optimizer.memory(values))
    for number, rate in enumerate(rates, start=1):
        gradient[...] = CURVATURE * (values - MINIMUM)
        step(rate, number)
    return values


@pytest.mark.parametrize(
    ("optimizer", "rate"),
    [
        (SGD(0.0), 0.15),
        (SGD(0.9, False), 0.05),
        (SGD(), 0.05),
        (Adam(), 0.05),
        (NAdam(), 0.05),
        (AdaGrad(), 1.0),
    ],
    ids=repr,
)
def test_a_convex_quadratic_is_minimised(optimizer, rate):
    values = minimise(optimizer, [rate] * 2000)
    np.testing.assert_allclose(values, MINIMUM, atol=1e-6)


# AdaGrad's own rate falls as well: the two together end before the minimum.
DAMPED = [
    optimizer
    for optimizer in CONFIGURED
    if getattr(optimizer, "momentum", 0.0) < 1.0 and type(optimizer) is not AdaGrad
]


@pytest.mark.parametrize("optimizer", DAMPED, ids=repr)
def test_a_convex_quadratic_is_minimised_while_the_rate_falls(optimizer):
    # At one rate, those whose steps keep their length would go to and fro for ever.
    values = minimise(optimizer, 0.05 * 0.998 ** np.arange(8000))
    np.testing.assert_allclose(values, MINIMUM, atol=1e-6)


@EACH
def test_a_step_allocates_nothing_large(optimizer):
    values, gradient = np.zeros(1_000_000), np.ones(1_000_000)
    memory = optimizer.memory(values)
    segments = [(10, 2.0), (500_000, 1.0), (1_000_000, 2.0)]
    step = optimizer.stepper(values, gradient, memory, 900_000, segments=segments)
    step(0.1, 1)
    assert peak_of(lambda: step(0.1, 2)) < 0.01 * values.nbytes


def peak_of(work):
    """Bytes allocated at the same time, at most, while `work` runs."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# Beside PyTorch -----------------------------------------------------------------


def descend(optimizer, segments=None):
    """Descend on the logistic regression of the stored trajectories."""
    X, y, values = (np.array(ORACLE[name]) for name in ("X", "y", "start"))
    gradient = np.zeros_like(values)
    memory, n = optimizer.memory(values), len(values)
    step = optimizer.stepper(values, gradient, memory, n, segments=segments)
    for number, rate in enumerate(ORACLE["rates"], start=1):
        residual = 1 / (1 + np.exp(-X @ values)) - y
        gradient[...] = residual @ X / len(y) + ORACLE["ridge"] * values
        step(rate, number)
        yield values.copy()


def optimizer_of(row):
    kind = {kind.__name__: kind for kind in OPTIMIZERS.values()}[row["kind"]]
    return kind(**row["fields"])


@pytest.mark.parametrize("row", ORACLE["optimizers"], ids=lambda row: row["kind"])
def test_twenty_steps_equal_pytorchs(row):
    trajectory = list(descend(optimizer_of(row)))
    np.testing.assert_allclose(trajectory, row["trajectory"], rtol=1e-10, atol=1e-12)


def test_segments_equal_pytorchs_groups_of_parameters():
    row = ORACLE["groups"]
    trajectory = list(descend(optimizer_of(row), row["segments"]))
    np.testing.assert_allclose(trajectory, row["trajectory"], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("beta_1", [0.0, 0.5, 0.9, 0.999, 1 - 1e-12])
@pytest.mark.parametrize("decay", [0.0, 4e-3, 0.3, 0.5, 10.0, 1e6])
def test_nadams_products_of_momenta_are_those_of_a_running_number(beta_1, decay):
    product, adams = 1.0, adam._products(beta_1, decay)
    assert len(adams) < 3000
    ours, theirs = [], []
    for t in range(1, 5000):
        product *= beta_1 * (1 - 0.5 * 0.96 ** (t * decay))
        ours.append(1 - adam._product(beta_1, decay, t))
        theirs.append(1 - product)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


# Factors of the learning rate -----------------------------------------------------

SEGMENTS = [(2, 3.0), (7, 1.0), (8, 0.0), (13, 3.0), (17, 0.25)]


@EACH
@pytest.mark.parametrize("lead", [(), (3,)])
@pytest.mark.parametrize("block_bytes", [1, 40, 1 << 20])
def test_segments_step_as_if_each_were_alone_at_its_rate(
    monkeypatch, optimizer, lead, block_bytes
):
    monkeypatch.setattr(base, "_BLOCK_BYTES", block_bytes)
    gs = gradients(6, (*lead, 17))
    values, memory = run(optimizer, start(shape=(*lead, 17)), gs, segments=SEGMENTS)
    expected = start(shape=(*lead, 17))
    edges = [0, *(stop for stop, _ in SEGMENTS)]
    for (first, last), (_, factor) in zip(
        itertools.pairwise(edges), SEGMENTS, strict=True
    ):
        part, gradient = expected[..., first:last], np.zeros((*lead, last - first))
        own = optimizer.memory(part)
        step = optimizer.stepper(part, gradient, own, max(0, N_DECAYED - first))
        for number, (g, rate) in enumerate(zip(gs, rates(6), strict=True), start=1):
            gradient[...] = g[..., first:last]
            step(rate * factor, number)
        for name in own:
            np.testing.assert_array_equal(memory[name][..., first:last], own[name])
    np.testing.assert_array_equal(values, expected)


@EACH
@DTYPES
def test_factors_of_one_change_no_bit(optimizer, dtype):
    gs = gradients(5)
    expected, _ = run(optimizer, start(dtype), gs)
    for segments in ([], [(17, 1.0)], [(3, 1.0), (9, 1.0), (17, 1.0)]):
        values, _ = run(optimizer, start(dtype), gs, segments=segments)
        np.testing.assert_array_equal(values, expected)


@EACH
def test_a_factor_of_zero_lets_parameters_rest(optimizer):
    values, _ = run(optimizer, start(), gradients(5), segments=[(9, 0.0), (17, 1.0)])
    np.testing.assert_array_equal(values[:9], start()[:9])


@EACH
def test_rows_are_stepped_at_the_rate_of_their_segment(optimizer):
    segments, gs = [(12, 3.0), (14, 1.0), (17, 3.0)], gradients(5)
    expected, memory = run(optimizer, start(), gs, segments=segments, n_decayed=14)
    rows = Rows((4, 3), np.arange(4), np.zeros((4, 3)))
    values, rest = start(), np.full(17, np.nan)
    own = optimizer.memory(values)
    step = optimizer.stepper(values, rest, own, 14, rows, segments)
    for number, (g, rate) in enumerate(zip(gs, rates(5), strict=True), start=1):
        rows.values, rest[12:] = g[:12].reshape(4, 3), g[12:]
        step(rate, number)
    np.testing.assert_array_equal(values, expected)
    for name in memory:
        np.testing.assert_array_equal(own[name], memory[name])


# Rows ------------------------------------------------------------------------------


@EACH
@pytest.mark.parametrize("lead", [(), (3,)])
@pytest.mark.parametrize("block_bytes", [1, 40, 1 << 20])
def test_of_the_first_parameters_only_the_rows_that_are_given_are_stepped(
    monkeypatch, optimizer, lead, block_bytes
):
    monkeypatch.setattr(base, "_BLOCK_BYTES", block_bytes)
    rng, values = np.random.default_rng(2), start(shape=(*lead, 17))
    expected, memory = values.copy(), optimizer.memory(values)
    old = {name: array.copy() for name, array in memory.items()}
    rows, rest = Rows((4, 3)), np.full_like(values, np.nan)
    step = optimizer.stepper(values, rest, memory, 14, rows)
    for number, rate in enumerate(rates(6), start=1):
        rows.index = np.flatnonzero(rng.random(4) < 0.6)
        rows.values = rng.normal(size=(*lead, len(rows.index), 3))
        rest[..., 12:] = rng.normal(size=(*lead, 5))
        whole = np.zeros_like(values)
        whole[..., 12:] = rest[..., 12:]
        whole[..., :12].reshape(*lead, 4, 3)[..., rows.index, :] = rows.values
        stepped = np.isin(np.arange(17) // 3, rows.index) | (np.arange(17) >= 12)
        moved, after = expected.copy(), {k: v.copy() for k, v in old.items()}
        optimizer.stepper(moved, whole, after, 14)(rate, number)
        expected = np.where(stepped, moved, expected)
        old = {name: np.where(stepped, after[name], old[name]) for name in old}
        step(rate, number)
        np.testing.assert_array_equal(values, expected)
        for name in old:
            np.testing.assert_array_equal(memory[name], old[name])


# As objects ----------------------------------------------------------------------


@EACH
def test_an_optimizer_clones_pickles_and_compares_by_value(optimizer):
    assert isinstance(optimizer, Optimizer)
    assert optimizer.get_params() == vars(optimizer)
    twin = clone(optimizer)
    assert twin is not optimizer
    assert twin == optimizer == pickle.loads(pickle.dumps(optimizer))
    optimizer.validate()


@pytest.mark.parametrize(
    ("kind", "name", "values"),
    [
        (SGD, "weight_decay", [-0.1, np.inf, np.nan, None, "0.1"]),
        (Adam, "weight_decay", [-0.1, np.inf, np.nan, None]),
        (Adam, "lazy", [None, 1, "yes"]),
        (SGD, "momentum", [-0.1, 1.1, np.nan, None, "0.9"]),
        (Adam, "beta_1", [-0.1, 1.0, np.nan, None]),
        (Adam, "beta_2", [-0.1, 1.0, np.nan, None]),
        (Adam, "epsilon", [0.0, -1e-8, np.inf, np.nan, None]),
        (Adam, "epsilon_hat", [None, 0, "no"]),
        (AdamW, "weight_decay", [-0.1, None]),
        (NAdam, "beta_1", [-0.1, 1.0, np.nan, None]),
        (NAdam, "beta_2", [-0.1, 1.0, np.nan, None]),
        (NAdam, "epsilon", [0.0, None]),
        (NAdam, "momentum_decay", [-0.1, np.inf, np.nan, None]),
        (AdaGrad, "epsilon", [0.0, -1e-8, np.inf, np.nan, None]),
        (RMSProp, "rho", [-0.1, 1.0, np.nan, None]),
        (RMSProp, "epsilon", [0.0, None]),
        (RMSProp, "momentum", [-0.1, 1.1, np.nan, None]),
        (Lion, "beta_1", [-0.1, 1.0, np.nan, None]),
        (Lion, "beta_2", [-0.1, 1.0, np.nan, None]),
    ],
)
def test_a_field_out_of_its_range_is_refused_by_name(kind, name, values):
    for value in values:
        with pytest.raises(ValueError, match=f"'{name}' parameter of {kind.__name__}"):
            kind().set_params(**{name: value}).validate()


# Clipping ------------------------------------------------------------------------

VECTORS = hnp.arrays(
    np.float64,
    st.integers(1, 20),
    elements=st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-6),
)


@given(VECTORS.filter(np.any), st.floats(0.01, 100))
def test_clipping_bounds_the_norm_and_keeps_the_direction(gradient, max_norm):
    before = gradient.copy()
    norm = clip_by_norm(gradient, max_norm)
    np.testing.assert_allclose(norm, np.linalg.norm(before), rtol=1e-13)
    assert np.linalg.norm(gradient) <= max_norm * (1 + 1e-13)
    factor = min(1.0, max_norm / np.linalg.norm(before))
    np.testing.assert_allclose(gradient, factor * before, rtol=1e-12)
    if norm <= max_norm:
        np.testing.assert_array_equal(gradient, before)


@DTYPES
def test_clipping_keeps_the_dtype_and_works_in_place(dtype):
    gradient = np.array([3.0, 4.0], dtype)
    assert clip_by_norm(gradient, 1.0) == 5.0
    assert gradient.dtype == dtype
    np.testing.assert_allclose(gradient, [0.6, 0.8], rtol=1e-6)


def test_clipping_a_zero_gradient_leaves_zeros():
    gradient = np.zeros(3)
    assert clip_by_norm(gradient, 1.0) == 0.0
    assert gradient.tolist() == [0.0, 0.0, 0.0]


def test_clipping_treats_each_network_of_a_stack_on_its_own():
    stack = np.array([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]])
    np.testing.assert_allclose(clip_by_norm(stack, 1.0), [5.0, 0.5, 10.0])
    np.testing.assert_allclose(stack, [[0.6, 0.8], [0.3, 0.4], [0.6, 0.8]])


@pytest.mark.parametrize("lead", [(), (2,)])
def test_clipping_by_rows_clips_by_the_norm_of_the_whole(lead):
    rng = np.random.default_rng(0)
    rows = Rows((4, 3), np.array([0, 2]), rng.normal(size=(*lead, 2, 3)))
    whole = rng.normal(size=(*lead, 17))
    whole[..., :12] = 0.0
    gradient = whole.copy()
    whole[..., :12].reshape(*lead, 4, 3)[..., rows.index, :] = rows.values
    gradient[..., :12] = np.nan  # passed over
    norm = clip_by_norm(gradient, 0.7, rows)
    np.testing.assert_allclose(norm, clip_by_norm(whole, 0.7), rtol=1e-13)
    np.testing.assert_allclose(gradient[..., 12:], whole[..., 12:], rtol=1e-13)
    np.testing.assert_allclose(rows.values, rows.take(whole), rtol=1e-13)


def test_clipping_allocates_nothing_large():
    gradient = np.ones(1_000_000)
    assert peak_of(lambda: clip_by_norm(gradient, 1.0)) < 0.01 * gradient.nbytes


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_clipping_a_zero_gradient_is_silent_for_any_norm(dtype):
    gradient = np.zeros(3, dtype)
    assert clip_by_norm(gradient, 5.0) == 0
    assert not gradient.any()


@EACH
def test_a_network_without_trained_parameters_steps_without_effect(optimizer):
    values = Network([Activation("relu")], 2).values
    optimizer.stepper(values, values.copy(), optimizer.memory(values))(0.1, 1)
