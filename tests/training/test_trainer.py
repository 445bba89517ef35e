"""The trainer: losses, counters and rates by a plain loop; resuming to the bit."""

import copy
import dataclasses
import itertools
import pickle

import numpy as np
import pytest
from scipy import sparse

from sknn.initializers import Ones
from sknn.layers import (
    Activation,
    BatchNorm,
    Columns,
    Dense,
    Dropout,
    Layer,
    LayerNorm,
    Param,
    Residual,
)
from sknn.losses import MultinomialLogLoss, SquaredError
from sknn.network import Network
from sknn.objective import Objective
from sknn.optimizers import OPTIMIZERS, SGD, Adam, AdamW
from sknn.schedules import (
    SCHEDULES,
    Adaptive,
    Constant,
    Cosine,
    Curve,
    InverseScaling,
    OneCycle,
    Schedule,
    Warmup,
)
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
    state.begin(options.pop("n_epochs", None))
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
@pytest.mark.parametrize(
    "optimizer", [SGD(0.0), *(kind() for kind in OPTIMIZERS.values())], ids=repr
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_three_epochs_and_three_equal_six_to_the_bit(
    optimizer, schedule, dropout, carry, dtype
):
    kind = SCHEDULES[schedule]
    rule = kind(total=6) if issubclass(kind, Curve) else kind()
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


@dataclasses.dataclass
class Noting(Schedule):
    """Notes what it is told."""

    told: list = dataclasses.field(default_factory=list)
    per_step = True

    def __call__(self, initial, progress):
        self.told.append(progress)
        return initial * 0.9 ** (5 * progress.epochs)


@pytest.mark.parametrize("schedule", [InverseScaling(), Cosine(total=3)], ids=repr)
def test_the_factor_of_a_rescue_multiplies_the_rate(schedule):
    ends = []
    for rate, backoff in ((0.04, 0.25), (0.01, 1.0)):
        objective, state = make()
        state.backoff = backoff
        take(start(objective, state, schedule=schedule, learning_rate=rate), 2)
        ends.append((*objective.network.values, state.learning_rate))
    assert ends[0] == ends[1]


def test_a_schedule_that_moves_with_the_steps_is_asked_before_each():
    X, y, _ = data()
    (objective, state), (twin, _) = make(), make()
    schedule = Noting()
    epochs = start(objective, state, SGD(0.0), schedule, shuffle=False, n_epochs=2)
    found = [epoch.learning_rate for epoch in take(epochs, 2)]
    for number in range(2):
        for first in range(0, N, BATCH):
            rows = slice(first, first + BATCH)
            twin.value_and_gradient(X[rows], y[rows])
            rate = 0.05 * 0.9 ** (5 * number + first // BATCH)
            twin.network.values -= rate * twin.gradient
        assert found[number] == pytest.approx(rate, rel=1e-12)  # of the last step
    assert_close(objective, twin)
    assert state.learning_rate == pytest.approx(0.05 * 0.9**10, rel=1e-12)
    assert {(told.first_epoch, told.n_epochs) for told in schedule.told} == {(0, 2)}
    assert max(told.epochs for told in schedule.told) == 2


def test_a_schedule_that_moves_with_the_epochs_is_asked_twice_in_each():
    asked = []

    class Asked(Constant):
        def __call__(self, initial, progress):
            asked.append(progress.fraction)
            return super().__call__(initial, progress)

    take(start(*make(), SGD(), Asked()), 3)
    assert asked == [0.0] * 6


def test_without_a_total_each_call_runs_through_the_curve():
    objective, state = make()
    curves = []
    for n_epochs in (4, 2):
        epochs = start(objective, state, SGD(0.0), Cosine(), n_epochs=n_epochs)
        curves.append([epoch.learning_rate for epoch in take(epochs, n_epochs)])
        assert state.learning_rate == pytest.approx(0.0, abs=1e-17)
    for rates, n_epochs in zip(curves, (4, 2), strict=True):
        shares = (np.arange(n_epochs) + 0.8) / n_epochs  # before the last of five steps
        expected = 0.05 * np.cos(0.5 * np.pi * shares) ** 2
        np.testing.assert_allclose(rates, expected, rtol=1e-12)
    assert state.epoch == 6


def test_after_its_total_a_curve_stays_at_its_end():
    objective, state = make()
    epochs = start(objective, state, SGD(0.0), Cosine(0.5, total=2))
    rates = [epoch.learning_rate for epoch in take(epochs, 4)]
    assert rates[2:] == [0.025, 0.025]


@pytest.mark.parametrize("schedule", [OneCycle(), Warmup(Cosine())], ids=repr)
def test_a_curve_without_a_horizon_is_refused_before_anything_moves(schedule):
    objective, state = make()
    kept = objective.network.values.copy()
    with pytest.raises(ValueError, match=r"give the number of epochs"):
        next(start(objective, state, SGD(), schedule))
    np.testing.assert_array_equal(objective.network.values, kept)
    assert state.steps == state.epoch == 0


# Factors of the learning rate -----------------------------------------------------


@dataclasses.dataclass(frozen=True, repr=False)
class Slow(Layer):
    """Scales each column; declares a factor of its own for one parameter."""

    def build(self, n_in):
        fan = (n_in, n_in)
        scale = Param("scale", (1, n_in), Ones(), fan, lr_factor=4.0)
        return (scale, Param("shift", (1, n_in), Ones(), fan, penalized=False)), n_in

    def forward(self, x, p, tape):
        tape.saved = x
        return x * p["scale"] + p["shift"]

    def backward(self, dy, p, g, tape, need_dx=True):
        if g is not None:
            g["scale"][...] = (dy * tape.saved).sum(axis=-2, keepdims=True)
            g["shift"][...] = dy.sum(axis=-2, keepdims=True)
        return dy * p["scale"] if need_dx else None


def network_of(layers, n_in=D, dtype=np.float64):
    return Network(layers, n_in, dtype, np.random.RandomState(0))


FACTORED = {
    "chain": [Dense(6, lr_factor=2.0), Activation("tanh"), Dense(2)],
    "own": [Slow(lr_factor=0.5), Dense(6, lr_factor=3.0), BatchNorm(), Dense(2)],
    "frozen": [Dense(6, trainable=False, lr_factor=9.0), Dense(2, lr_factor=0.1)],
    "residual": [
        Residual([LayerNorm(lr_factor=0.5), Dense(D)], lr_factor=4.0),
        Dense(2),
    ],
    "columns": [
        Columns([([0, 2], Dense(3, lr_factor=5.0)), ([1, 3], Slow())], lr_factor=0.2),
        Dense(2, lr_factor=0.0),
    ],
}


def factors_of(network):
    """The factor of each trained parameter, by walking through the containers."""
    factors = np.full(network.values.shape[-1], np.nan)

    def fill(layer, views, factor):
        factor = factor * layer.lr_factor
        inner = dict(layer.children())
        for name, view in views.items():
            if name in inner:
                fill(inner[name], view, factor)
            else:
                view[...] = factor * (4.0 if name == "scale" else 1.0)

    for layer, views in zip(network.layers, network.split(factors), strict=True):
        fill(layer, views, 1.0)
    return factors[: network.n_trainable]


@pytest.mark.parametrize("layers", FACTORED.values(), ids=FACTORED)
def test_containers_multiply_the_factors_of_the_layers_within(layers):
    network = network_of(layers)
    ends, factors = zip(*network.lr_segments, strict=True)
    assert ends[-1] == network.n_trainable
    found = np.repeat(factors, np.diff([0, *ends]))
    np.testing.assert_allclose(found, factors_of(network), rtol=1e-15)
    stacked = Network.stack([network, network])
    assert stacked.lr_segments == network.copy().lr_segments == network.lr_segments


def test_parameters_of_one_factor_stand_together():
    layers = [Dense(3, lr_factor=f) for f in (2.0, 1.0, 2.0, 1.0)]
    segments = network_of(layers, 3).lr_segments
    assert segments == [(18, 2.0), (36, 1.0), (42, 2.0), (48, 1.0)]


def test_without_factors_there_is_one_segment_and_nothing_moves():
    plain = [Dense(6), BatchNorm(), Activation("tanh"), Dense(2)]
    ones = [Dense(6, lr_factor=1.0), BatchNorm(), Activation("tanh"), Dense(2)]
    network = network_of(plain)
    assert network.lr_segments == [(network.n_trainable, 1.0)]
    np.testing.assert_array_equal(network.values, network_of(ones).values)
    assert network_of([Activation("relu")]).lr_segments == []


def test_factors_do_not_change_what_is_drawn():
    drawn = network_of([Dense(3), Dense(2)]).views
    moved = network_of([Dense(3), Dense(2, lr_factor=0.5)]).views
    for one, other in zip(drawn, moved, strict=True):
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize("layers", FACTORED.values(), ids=FACTORED)
@pytest.mark.parametrize("optimizer", [SGD(0.0), AdamW(weight_decay=0.3)], ids=repr)
def test_each_parameter_is_trained_at_the_rate_of_its_factor(layers, optimizer):
    network, (_, state) = network_of(layers), make()
    objective, factors = Objective(network, SquaredError()), factors_of(network)
    twin = Objective(network.copy(), SquaredError())
    take(start(objective, state, optimizer, shuffle=False), 2)

    X, y, _ = data()
    n, penalized = network.n_trainable, np.arange(network.n_trainable)
    penalized = penalized < network.n_penalized
    values, memories = twin.network.values[..., :n], {}
    for number, first in enumerate([*range(0, N, BATCH)] * 2, start=1):
        rows = slice(first, first + BATCH)
        twin.value_and_gradient(X[rows], y[rows])
        after = values.copy()
        for factor in np.unique(factors):  # one optimiser for each factor
            moved = values.copy()
            memory = memories.setdefault(factor, optimizer.memory(moved))
            step = optimizer.stepper(moved, twin.gradient[:n], memory, penalized.sum())
            step(0.05 * factor, number)
            after = np.where(factors == factor, moved, after)
        values[...] = after
        twin.network.update_buffers(twin.tape)
    assert_close(objective, twin)
    rested = np.flatnonzero(factors == 0.0)
    np.testing.assert_array_equal(
        network.values[rested], network_of(layers).values[rested]
    )


@pytest.mark.parametrize("kind", OPTIMIZERS.values())
def test_a_stack_trains_at_factors_as_its_networks_do(kind):
    X, y, _ = data()
    networks = [
        Network(FACTORED["residual"], D, np.float64, np.random.RandomState(seed))
        for seed in range(3)
    ]
    stacked, optimizer = Network.stack(networks), kind(weight_decay=0.2)
    for network in (stacked, *networks):
        objective = Objective(network, SquaredError(), 0.1)
        step = optimizer.stepper(
            network.values,
            objective.gradient,
            optimizer.memory(network.values),
            network.n_penalized,
            segments=network.lr_segments,
        )
        for number in range(1, 9):
            objective.value_and_gradient(X, y)
            step(0.05, number)
    for i, network in enumerate(networks):
        np.testing.assert_allclose(stacked.values[i], network.values, rtol=1e-9)


@pytest.mark.parametrize("kind", OPTIMIZERS.values())
def test_lazy_rows_are_stepped_at_the_factor_of_their_kernel(kind):
    X, y, _ = data()
    X[np.abs(X) < 0.3] = 0.0
    X[:, 0] = 1.0
    layers = [Dense(6, lr_factor=3.0), Activation("tanh"), Dense(2)]
    ends = []
    for optimizer in (kind(weight_decay=0.2), kind(weight_decay=0.2, lazy=True)):
        network = network_of(layers)
        objective = Objective(network, SquaredError(), 0.1)
        # every batch has all columns, where a lazy step is an ordinary one
        batches = Batches(sparse.csr_matrix(X), y, None, N, np.float64)
        state = TrainingState(np.random.RandomState(0))
        run = train(
            objective, batches, optimizer, Constant(), state, learning_rate=0.01
        )
        take(run, 4)
        assert (objective.rows is not None) == optimizer.lazy
        ends.append(network.values)
    np.testing.assert_allclose(*ends, rtol=1e-9)


@pytest.mark.parametrize("lr_factor", [-0.5, np.inf, np.nan, None, "2"])
def test_a_factor_that_is_no_factor_is_refused(lr_factor):
    for layer in (Dense(3, lr_factor=lr_factor), Residual([Dense(3)], lr_factor=-1.0)):
        with pytest.raises(ValueError, match=r"'lr_factor' parameter of (Dense|Res)"):
            network_of([layer])


def test_a_layers_factor_is_part_of_what_it_is():
    assert repr(Dense(3)) == "Dense(3)"
    assert repr(Dense(3, lr_factor=0.5)) == "Dense(3, lr_factor=0.5)"
    assert Dense(3, lr_factor=0.5) != Dense(3)
    assert Dense(3, lr_factor=1.0) == Dense(3)


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
