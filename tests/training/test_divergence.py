"""What shows divergence, what is to blame, and the way back."""

from dataclasses import dataclass

import numpy as np
import pytest

from sknn.layers import Activation, BatchNorm, Dense, Dropout, LayerNorm
from sknn.losses import LOSSES, Loss, SquaredError
from sknn.network import Network
from sknn.optimizers import Adam
from sknn.training import TrainingState
from sknn.training.batches import Batches
from sknn.training.divergence import (
    SAMPLE_SIZE,
    SafePoint,
    all_finite,
    exceeds,
    first_loss,
    loss_is_to_blame,
    loss_of_sample,
    loss_of_zeros,
    predicts,
)

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 3))
y = rng.normal(size=(300, 1))


def network(*layers, dtype=np.float64):
    layers = layers or (Dense(4), Activation("tanh"), Dense(1))
    return Network(layers, 3, dtype=dtype, rng=np.random.RandomState(0))


def batches(y=y, w=None, size=70, rows=None, dtype=np.float64):
    return Batches(X, y, w, size, dtype, rows=rows)


@dataclass
class Broken(Loss):
    """Writes NaN where `what` says."""

    what: str = "values"

    def pointwise(self, y, raw, gradient, tape):
        np.subtract(raw, y, out=gradient)
        values = 0.5 * gradient**2
        {"values": values, "gradient": gradient}[self.what][0] = np.nan
        return values


# Numbers -------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_bad_number_is_seen(bad, dtype):
    values = np.ones((2, 50), dtype)
    assert all_finite(values)
    values[1, 7] = bad
    assert not all_finite(values)


def test_squares_that_overflow_are_finite_numbers():
    assert all_finite(np.full(3, 1e200))
    assert all_finite(np.array([-1e38, 1e38], np.float32))


@pytest.mark.parametrize(
    ("loss", "reference", "expected"),
    [
        (2001.0, 2.0, True),
        (1999.0, 2.0, False),
        (-2.0, -2.0, False),  # a loss may be negative
        (1995.0, -2.0, False),
        (2000.0, -2.0, True),
        (1.0, 0.0, False),  # everything is many times zero
        (1e300, np.inf, False),
        (1e300, np.nan, False),
    ],
)
def test_a_loss_exceeds_many_times_a_reference(loss, reference, expected):
    assert exceeds(loss, reference, 1000.0) is expected


# Losses to compare with ------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("rows", [None, np.arange(5, 250)])
def test_the_first_loss_is_the_larger_one_of_the_network_and_of_zeros(weighted, rows):
    w = rng.uniform(size=(300, 1)) if weighted else None
    given, used = batches(w=w, rows=rows), slice(None) if rows is None else rows
    weights = 1.0 if w is None else w[used]
    net = network()
    zero = 0.5 * np.mean(weights * y[used] ** 2)
    own = 0.5 * np.mean(weights * (net.predict(X[used]) - y[used]) ** 2)
    expected = pytest.approx(max(own, zero))
    assert first_loss(net, SquaredError(), given) == expected
    net.values *= 0.0
    assert first_loss(net, SquaredError(), given) == pytest.approx(zero)


def test_the_first_loss_sees_every_sample():
    far = y.copy()
    far[1] = 1e6  # which is not among the 256 of a sample
    picked = np.arange(SAMPLE_SIZE) * 300 // SAMPLE_SIZE
    odd = next(i for i in range(300) if i not in picked)
    far[[1, odd]] = far[[odd, 1]]
    assert first_loss(network(), SquaredError(), batches(far)) > 1e9
    assert loss_of_sample(network(), SquaredError(), batches(far)) < 1e3
    assert loss_of_zeros(network(), SquaredError(), batches(far)) < 1e3


def test_the_loss_of_a_sample_is_that_of_training_and_always_the_same():
    net = network(Dense(4), BatchNorm(), Activation("relu"), Dropout(0.5), Dense(1))
    before = net.values.copy()
    first = loss_of_sample(net, SquaredError(), batches())
    net.views[1]["mean"][...] = 1e30  # running statistics are for predictions
    assert loss_of_sample(net, SquaredError(), batches()) == first
    net.views[1]["mean"][...] = 0.0
    np.testing.assert_array_equal(net.values, before)


def test_running_statistics_may_prevent_predictions():
    net = network(Dense(4), BatchNorm(), Dense(1))
    assert predicts(net, batches())
    net.views[1]["mean"][...] = 1e308
    net.views[1]["variance"][...] = 1e-300
    assert not predicts(net, batches())


def test_a_square_that_overflows_on_the_way_is_seen():
    net = network(Dense(4), LayerNorm(), Dense(1))
    assert predicts(net, batches())
    net.views[0]["W"][...] *= 1e170
    assert not predicts(net, batches())


def test_what_cannot_be_computed_is_infinite_or_nan_and_silent():
    net = network(dtype=np.float32)
    net.values[...] = 1e38
    given = batches(y.astype(np.float32), dtype=np.float32)
    assert not np.isfinite(loss_of_sample(net, SquaredError(), given))
    assert not np.isfinite(first_loss(net, SquaredError(), given))
    given = Batches(1e300 * X, y.astype(np.float32), None, 50, np.float32)
    assert not np.isfinite(loss_of_sample(network(dtype=np.float32), Broken(), given))


# Blame ---------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["values", "gradient"])
def test_a_loss_that_gives_nan_is_to_blame(what):
    assert loss_is_to_blame(network(), Broken(what), batches())


@dataclass
class BrokenAway(SquaredError):
    """Is NaN wherever a prediction is not zero."""

    def pointwise(self, y, raw, gradient, tape):
        values = super().pointwise(y, raw, gradient, tape)
        values[raw != 0] = np.nan
        return values


def test_a_loss_is_tried_where_the_network_predicts_unless_that_is_far_out():
    net = network(Dense(1))
    for scale, to_blame in ((0.0, False), (0.1, True), (1e5, False)):
        net.values[...] = scale
        assert loss_is_to_blame(net, BrokenAway(), batches()) == to_blame


@pytest.mark.parametrize("name", [name for name in LOSSES if "nomial" not in name])
def test_our_losses_are_never_to_blame(name):
    loss = LOSSES[name]()
    net, targets = network(Dense(loss.n_raw(1))), np.clip(abs(y), 0.01, 1.0)
    for scale in (1.0, 1e30, np.nan):
        net.values[...] = scale
        assert not loss_is_to_blame(net, loss, batches(targets))


def test_a_network_without_finite_predictions_leaves_the_loss_to_be_tried_at_zero():
    net = network()
    net.values[...] = np.nan
    assert loss_is_to_blame(net, Broken(), batches())
    assert not loss_is_to_blame(net, SquaredError(), batches())
    assert loss_is_to_blame(net, SquaredError(), batches(1e200 * y))


# The way back --------------------------------------------------------------------


def test_a_safe_point_brings_parameters_average_and_counters_back():
    values, state = np.arange(4.0), TrainingState(np.random.RandomState(0))
    state.adopt(Adam(), values)
    state.epoch, state.samples, state.average = 3, 30, np.ones(4)
    safe = SafePoint.of(values, state)
    values += 1
    state.epoch, state.samples, state.steps = 4, 40, 12
    state.average += 1
    state.n_averaged = 5
    memory = state.memory["gradients"]
    memory[...] = 7.0
    safe.restore(values, state)
    np.testing.assert_array_equal(values, np.arange(4.0))
    np.testing.assert_array_equal(state.average, np.ones(4))
    assert (state.epoch, state.samples, state.n_averaged, state.steps) == (3, 30, 0, 0)
    assert state.memory["gradients"] is memory  # steppers are bound to the array
    assert not memory.any()


def test_a_safe_point_moves_on_and_can_be_used_twice():
    values, state = np.zeros(3), TrainingState(np.random.RandomState(0))
    safe = SafePoint.of(values, state)
    values[...], state.epoch, state.average = 1.0, 1, np.full(3, 0.5)
    safe.move(values, state)
    for _ in range(2):
        values[...], state.epoch = np.nan, 2
        state.average[...] = np.nan
        safe.restore(values, state)
        np.testing.assert_array_equal(values, np.ones(3))
        np.testing.assert_array_equal(state.average, np.full(3, 0.5))
        assert state.epoch == 1
    values[...] = 2.0
    state.average[...] = 2.0
    safe.move(values, state)
    safe.restore(values, state)
    np.testing.assert_array_equal(state.average, np.full(3, 2.0))
