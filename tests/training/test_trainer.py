"""The trainer: losses, counters and rates by a plain loop; resuming to the bit."""

import copy
import itertools
import pickle

import numpy as np
import pytest
from scipy import sparse

from sknn.layers import Activation, Dense, Dropout
from sknn.losses import MultinomialLogLoss, SquaredError
from sknn.network import Network
from sknn.objective import Objective
from sknn.optimizers import SGD, Adam
from sknn.schedules import SCHEDULES, Adaptive, Constant, InverseScaling
from sknn.training import Batches, TrainingState, train

N, D, BATCH = 23, 4, 5  # four batches and a smaller one


def data(n=N, seed=0):
    rng = np.random.default_rng(seed)
    w = rng.uniform(0.2, 2.0, (n, 1))
    return rng.normal(size=(n, D)), rng.normal(size=(n, 2)), w / w.mean()


def make(dropout=0.0, alpha=0.1, dtype=np.float64, seed=0):
    """An objective and a state that draw from one random state."""
    rng = np.random.RandomState(seed)
    drop = [Dropout(dropout)] if dropout else []
    layers = [*drop, Dense(6), Activation("tanh"), *drop, Dense(2)]
    network = Network(layers, D, dtype, rng)
    return Objective(network, SquaredError(), alpha, rng), TrainingState(rng)


def start(objective, state, optimizer=None, schedule=None, w=None, **options):
    X, y, _ = data()
    batches = Batches(X, y, w, BATCH, objective.network.values.dtype)
    optimizer, schedule = optimizer or Adam(), schedule or Constant()
    options = {"learning_rate": 0.05} | options
    return train(objective, batches, optimizer, schedule, state, **options)


def take(epochs, n):
    return list(itertools.islice(epochs, n))


def assert_close(objective, twin):
    values = objective.network.values
    np.testing.assert_allclose(values, twin.network.values, rtol=1e-12)


class Spy(Objective):
    """Keeps the batches that it is shown."""

    def __init__(self, *args):
        super().__init__(*args)
        self.seen = []

    def value_and_gradient(self, X, y, w=None):
        self.seen.append((X.copy(), y.copy(), None if w is None else w.copy()))
        return super().value_and_gradient(X, y, w)


def spying(objective):
    return Spy(objective.network, objective.loss, objective.alpha)


# One epoch -----------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_epochs_equal_a_plain_loop_over_batches(weighted, shuffle):
    X, y, w = data()
    (objective, state), (twin, _) = make(), make()
    rng, order = copy.deepcopy(state.rng), np.arange(N)
    epochs = start(
        objective, state, SGD(0.0), w=w if weighted else None, shuffle=shuffle
    )
    for number, epoch in enumerate(take(epochs, 4), start=1):
        summed = 0.0
        if shuffle:
            rng.shuffle(order)  # the order of the epoch before
        for first in range(0, N, BATCH):
            rows = order[first : first + BATCH]
            weights = w[rows] if weighted else None
            # the loss before the step
            summed += len(rows) * twin.value_and_gradient(X[rows], y[rows], weights)
            twin.network.values -= 0.05 * twin.gradient
        assert epoch.number == number
        np.testing.assert_allclose(epoch.loss, summed / N, rtol=1e-12)
    assert_close(objective, twin)


@pytest.mark.parametrize("shuffle", [False, True])
def test_each_epoch_shows_every_sample_once(shuffle):
    X, y, w = data()
    objective, state = make()
    spy = spying(objective)
    epochs = start(spy, state, w=w, shuffle=shuffle)
    orders = []
    for _ in range(3):
        spy.seen.clear()
        next(epochs)
        assert [len(batch) for batch, _, _ in spy.seen] == [5, 5, 5, 5, 3]
        shown = [np.concatenate([b[k] for b in spy.seen]) for k in range(3)]
        order = [int(np.flatnonzero((row == X).all(axis=1))[0]) for row in shown[0]]
        assert sorted(order) == list(range(N))
        np.testing.assert_array_equal(shown[1], y[order])
        np.testing.assert_array_equal(shown[2], w[order])
        orders.append(order)
    in_order = [order == list(range(N)) for order in orders]
    assert in_order == [not shuffle] * 3
    assert (orders[0] == orders[1]) == (not shuffle)


def test_without_shuffling_the_order_stays_and_nothing_is_drawn():
    objective, state = make()
    before = state.rng.get_state()[1].copy()
    take(start(objective, state, shuffle=False), 3)
    np.testing.assert_array_equal(state.rng.get_state()[1], before)
    np.testing.assert_array_equal(state.permutation, np.arange(N))


def test_counters_count_steps_samples_and_epochs():
    objective, state = make()
    epochs = start(objective, state)
    for number in (1, 2, 3):
        assert next(epochs).number == number
        assert state.epoch == number
        assert state.samples == N * number
        assert state.steps == 5 * number


def test_an_epoch_tells_its_time_and_its_rate():
    objective, state = make()
    for epoch in take(start(objective, state, learning_rate=0.02), 2):
        assert epoch.time > 0
        assert epoch.learning_rate == 0.02
        assert type(epoch.loss) is float


def test_nothing_happens_before_the_first_epoch_is_asked_for():
    objective, state = make()
    kept = objective.network.values.copy()
    start(objective, state)
    np.testing.assert_array_equal(objective.network.values, kept)
    assert (state.optimizer, state.permutation, state.epoch) == (None, None, 0)


@pytest.mark.parametrize("optimizer", [SGD(), Adam()], ids=repr)
def test_the_loss_falls(optimizer):
    objective, state = make(alpha=0.0)
    epochs = take(start(objective, state, optimizer, learning_rate=0.02), 60)
    assert epochs[-1].loss < 0.5 * epochs[0].loss


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_csr_trains_as_dense_does(dtype):
    X, y, w = data()
    X[X < 0] = 0.0
    results = []
    for form in (np.asarray, sparse.csr_matrix):
        objective, state = make(dtype=dtype)
        batches = Batches(form(X), y, w, BATCH, dtype)
        epochs = train(objective, batches, SGD(), Constant(), state, learning_rate=0.01)
        losses = [epoch.loss for epoch in take(epochs, 3)]
        results.append((losses, objective.network.values))
        assert objective.network.values.dtype == dtype
    tolerance = 1e-12 if dtype == np.float64 else 1e-4
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def test_divergence_is_silent_and_leaves_numbers_that_are_not_finite():
    objective, state = make()
    epochs = take(start(objective, state, SGD(), learning_rate=1e200), 3)
    assert not np.isfinite(epochs[-1].loss)


def test_a_training_set_of_another_size_gets_an_order_of_its_own():
    objective, state = make()
    take(start(objective, state), 2)
    X, y, _ = data(n=9)
    batches = Batches(X, y, None, BATCH, np.float64)
    epochs = train(objective, batches, Adam(), Constant(), state, learning_rate=0.01)
    assert next(epochs).number == 3
    assert sorted(state.permutation) == list(range(9))
    assert state.samples == 2 * N + 9


# Resuming ------------------------------------------------------------------------

CARRY = {
    "copy": lambda network, state: (network.copy(), state.copy()),
    "pickle": lambda *both: pickle.loads(pickle.dumps(both)),
}


@pytest.mark.parametrize("carry", CARRY.values(), ids=CARRY)
@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", [SGD(), SGD(0.0), Adam()], ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_three_epochs_and_three_equal_six_to_the_bit(
    optimizer, schedule, dropout, carry, dtype
):
    rule = SCHEDULES[schedule]()
    whole, at_end = make(dropout, dtype=dtype)
    expected = take(start(whole, at_end, optimizer, rule), 6)

    objective, state = make(dropout, dtype=dtype)
    epochs = take(start(objective, state, optimizer, rule), 3)
    network, state = carry(objective.network, state)
    resumed = Objective(network, objective.loss, objective.alpha, state.rng)
    epochs += take(start(resumed, state, copy.deepcopy(optimizer), rule), 3)

    for ours, theirs in zip(epochs, expected, strict=True):
        assert (ours.number, ours.loss, ours.learning_rate) == (
            theirs.number,
            theirs.loss,
            theirs.learning_rate,
        )
    np.testing.assert_array_equal(network.values, whole.network.values)
    assert (state.epoch, state.steps, state.samples) == (6, 30, 6 * N)
    np.testing.assert_array_equal(state.permutation, at_end.permutation)
    assert state.rng.randint(1 << 30) == at_end.rng.randint(1 << 30)


def test_a_copy_of_the_state_is_not_moved_by_training_on():
    objective, state = make()
    epochs = start(objective, state)
    next(epochs)
    twin = state.copy()
    kept = {name: array.copy() for name, array in twin.memory.items()}
    take(epochs, 2)
    assert (twin.epoch, twin.steps) == (1, 5)
    for name, array in twin.memory.items():
        np.testing.assert_array_equal(array, kept[name])


# Clipping ------------------------------------------------------------------------


def test_gradients_are_clipped_before_the_step():
    X, y, _ = data()
    (objective, state), (twin, _) = make(), make()
    epochs = take(
        start(objective, state, SGD(0.0), shuffle=False, max_grad_norm=2.0), 2
    )
    norms, losses = [], []
    for _ in range(2):
        for first in range(0, N, BATCH):
            rows = slice(first, first + BATCH)
            losses.append(len(X[rows]) * twin.value_and_gradient(X[rows], y[rows]) / N)
            norms.append(np.linalg.norm(twin.gradient))
            scale = min(1.0, 2.0 / norms[-1])
            twin.network.values -= 0.05 * scale * twin.gradient
    assert min(norms) < 2.0 < max(norms)  # both cases occur
    np.testing.assert_allclose(sum(epoch.loss for epoch in epochs), sum(losses))
    assert_close(objective, twin)


def test_a_tiny_norm_bounds_the_way_of_an_epoch():
    objective, state = make()
    before = objective.network.values.copy()
    take(start(objective, state, SGD(0.0), max_grad_norm=1e-6), 1)
    way = np.linalg.norm(objective.network.values - before)
    assert 0 < way <= 5 * 0.05 * 1e-6 * (1 + 1e-9)


def test_a_huge_norm_clips_nothing():
    (objective, state), (twin, other) = make(), make()
    take(start(objective, state, max_grad_norm=1e9), 2)
    take(start(twin, other), 2)
    np.testing.assert_array_equal(objective.network.values, twin.network.values)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_weight_decay_shrinks_kernels_and_spares_intercepts(momentum):
    objective, state = make()
    before = objective.network.copy()
    # Clipped to next to nothing, the gradient leaves the decay alone.
    options = {"max_grad_norm": 1e-30, "learning_rate": 0.02}
    take(start(objective, state, SGD(momentum, weight_decay=0.5), **options), 2)
    for views, old in zip(objective.network.views, before.views, strict=True):
        if views:
            shrunk = old["W"] * (1 - 0.02 * 0.5) ** 10
            np.testing.assert_allclose(views["W"], shrunk, rtol=1e-13)
            np.testing.assert_array_equal(views["b"], old["b"])


# Schedules -----------------------------------------------------------------------


def test_invscaling_moves_the_rate_after_each_epoch():
    objective, state = make()
    epochs = start(objective, state, SGD(), InverseScaling(0.5), learning_rate=0.1)
    for number in range(4):
        epoch = next(epochs)
        expected = 0.1 / (number * N + 1) ** 0.5
        assert epoch.learning_rate == pytest.approx(expected, rel=1e-14)
        expected = 0.1 / ((number + 1) * N + 1) ** 0.5
        assert state.learning_rate == pytest.approx(expected, rel=1e-14)


def test_adaptive_moves_the_rate_when_the_state_says_that_patience_ran_out():
    objective, state = make()
    epochs = start(objective, state, SGD(), Adaptive(), learning_rate=0.1)
    assert next(epochs).learning_rate == 0.1
    assert next(epochs).learning_rate == 0.1
    state.stalled += 1
    assert next(epochs).learning_rate == pytest.approx(0.02)
    state.stalled += 1
    assert next(epochs).learning_rate == pytest.approx(0.004)


def test_the_rate_of_the_schedule_is_the_rate_of_the_steps():
    X, y, _ = data()
    (objective, state), (twin, _) = make(), make()
    take(start(objective, state, SGD(0.0), InverseScaling(1.0), shuffle=False), 2)
    for rate in (0.05, 0.05 / (N + 1)):
        for first in range(0, N, BATCH):
            rows = slice(first, first + BATCH)
            twin.value_and_gradient(X[rows], y[rows])
            twin.network.values -= rate * twin.gradient
    assert_close(objective, twin)


def test_classes_are_trained_from_codes_as_from_one_hot_rows():
    X, y, _ = data()
    codes, table = y.argmax(axis=1), np.eye(2)
    ends = []
    for targets, rows in ((codes, table), (table[codes], None)):
        network = make()[0].network
        objective = Objective(network, MultinomialLogLoss())
        state = TrainingState(np.random.RandomState(1))
        batches = Batches(X, targets, None, BATCH, np.float64, table=rows)
        take(
            train(objective, batches, Adam(), Constant(), state, learning_rate=0.01), 3
        )
        ends.append(network.values)
    np.testing.assert_array_equal(*ends)
