"""Networks in a stack come to the numbers that each comes to alone."""

import itertools

import numpy as np
import pytest

from sknn.layers import Activation, BatchNorm, Dense, Dropout
from sknn.losses import LOSSES
from sknn.network import Network
from sknn.objective import Objective
from sknn.optimizers import OPTIMIZERS, SGD, Adam
from sknn.schedules import Adaptive, Constant, Cosine, InverseScaling
from sknn.training.averaging import EMA, SWA
from sknn.training.batches import Batches
from sknn.training.stack import (
    Member,
    Plan,
    RandomStates,
    StackedBatches,
    release,
    train_stack,
)
from sknn.training.state import TrainingState
from sknn.training.trainer import train

K, N, BATCH = 3, 47, 10
PLAIN = (Dense(6), Activation("tanh"), Dense(3))
ALL = (Dense(6), BatchNorm(), Activation("relu"), Dropout(0.3), Dense(3))


def data():
    rng = np.random.RandomState(0)
    return rng.normal(size=(N, 4)), rng.randint(0, 3, N), rng.rand(N)


def make(layers=PLAIN, dtype="float64", rows=None, w=None, alpha=(0.1,) * K, l1=0.0):
    X, y, _ = data()
    members = []
    for i in range(K):
        rng = np.random.RandomState(i)
        network = Network(layers, X.shape[1], dtype, rng)
        weights = None if w is None else w.astype(dtype)[:, None]
        own = None if rows is None else rows[i]
        table = np.eye(3, dtype=dtype)
        batches = Batches(X, y, weights, BATCH, dtype, table, own)
        loss = LOSSES["multinomial_log_loss"]()
        objective = Objective(network, loss, alpha[i], rng, l1)
        members.append(Member(objective, batches, TrainingState(rng)))
        members[-1].state.begin(4)
    return members


def alone(member, plan):
    return train(member.objective, member.batches, state=member.state, **vars(plan))


def compare(together, singles, plan, n_epochs=4, exactly=True, rtol=1e-11):
    stack = train_stack(together, plan)
    found = [next(stack) for _ in range(n_epochs)]
    for i, (member, single) in enumerate(zip(together, singles, strict=True)):
        expected = list(itertools.islice(alone(single, plan), n_epochs))
        release(member)
        pairs = []
        for epochs, epoch in zip(found, expected, strict=True):
            # NumPy 1 adds float32 and Python's floats in float64, but not in arrays
            assert epochs[i].loss == pytest.approx(epoch.loss, rel=1e-6)
            if together[0].network.values.dtype == np.float64:
                pairs.append((epochs[i].loss, epoch.loss))
            pairs.append((epochs[i].learning_rate, epoch.learning_rate))
        pairs.append((member.network.values, single.network.values))
        pairs.append((member.state.permutation, single.state.permutation))
        if plan.average is not None:
            pairs.append((member.state.average, single.state.average))
        memory = single.state.memory
        pairs += [(member.state.memory[name], memory[name]) for name in memory]
        for ours, theirs in pairs:
            if exactly:
                np.testing.assert_array_equal(ours, theirs)
            else:
                np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=1e-12)
        for name in ("epoch", "samples", "steps", "learning_rate", "n_averaged"):
            assert getattr(member.state, name) == getattr(single.state, name)


def test_the_only_network_of_a_stack_is_trained_as_alone():
    compare(make()[:1], make()[:1], Plan(Adam(), Constant(), 0.01))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimiser_comes_to_the_same_bits(name, dtype):
    plan = Plan(OPTIMIZERS[name](weight_decay=0.01), Constant(), 0.01)
    compare(make(ALL, dtype), make(ALL, dtype), plan)


@pytest.mark.parametrize(
    "plan",
    [
        Plan(Adam(), Cosine(), 0.05),
        Plan(SGD(), InverseScaling(), 0.05),
        Plan(SGD(), Adaptive(), 0.05),
        Plan(Adam(), Constant(), 0.05, shuffle=False),
        Plan(Adam(), Constant(), 0.05, max_grad_norm=0.1),
        Plan(Adam(), Constant(), 0.05, average=EMA(0.9)),
        Plan(Adam(), Cosine(total=9), 0.05, average=SWA(start=0.5)),
    ],
    ids=str,
)
def test_every_way_of_training_comes_to_the_same_bits(plan):
    compare(make(ALL), make(ALL), plan)


def test_networks_have_weights_and_penalties_of_their_own():
    options = {"w": data()[2], "alpha": (0.1, 0.5, 0.02), "l1": 0.3}
    compare(make(ALL, **options), make(ALL, **options), Plan(Adam(), Constant(), 0.05))


@pytest.mark.parametrize("layers", [PLAIN, ALL])
@pytest.mark.parametrize("weighted", [False, True])
def test_uneven_sets_are_filled_up_with_what_weighs_nothing(layers, weighted):
    rows = [np.arange(N)[i:] for i in range(K)]
    options = {"rows": rows, "w": data()[2] if weighted else None}
    plan = Plan(SGD(), Constant(), 0.05)
    compare(make(layers, **options), make(layers, **options), plan, exactly=False)


def test_sets_smaller_than_a_batch_are_filled_up():
    rows = [np.arange(9), np.arange(8), np.arange(10)]
    plan = Plan(SGD(), Constant(), 0.05)
    compare(make(rows=rows), make(rows=rows), plan, exactly=False)


def test_rows_may_come_more_than_once():
    rng = np.random.RandomState(0)
    rows = [rng.randint(N, size=N) for _ in range(K)]
    compare(make(ALL, rows=rows), make(ALL, rows=rows), Plan(Adam(), Constant(), 0.05))


def test_a_member_goes_on_alone_after_its_release():
    plan = Plan(Adam(), Constant(), 0.01)
    together, singles = make(ALL), make(ALL)
    stack = train_stack(together, plan)
    next(stack), next(stack)
    release(together[1])
    list(itertools.islice(alone(together[1], plan), 3))
    list(itertools.islice(alone(singles[1], plan), 5))
    ours, theirs = together[1].network, singles[1].network
    np.testing.assert_array_equal(ours.values, theirs.values)
    assert ours.values.base is None


def test_a_stack_goes_on_from_single_networks():
    plan = Plan(Adam(), Constant(), 0.01)
    together, singles = make(ALL), make(ALL)
    for member in (*together, *singles):
        list(itertools.islice(alone(member, plan), 2))
    compare(together, singles, plan)


def test_what_has_another_number_of_batches_is_not_alike():
    one, other, _ = make(rows=[np.arange(N), np.arange(N - 10), np.arange(N)])
    assert one.likeness() != other.likeness()
    one, other, _ = make()
    assert one.likeness() == other.likeness()


def test_pace_differs_where_rates_do():
    plan = Plan(SGD(), Adaptive(), 0.05)
    one, other, _ = make()
    assert plan.pace(one.state) == plan.pace(other.state)
    other.state.stalled += 1
    assert plan.pace(one.state) != plan.pace(other.state)
    other.state.stalled, other.state.backoff = 0, 0.1
    assert plan.pace(one.state) != plan.pace(other.state)


@pytest.mark.parametrize("batch_size", [1, 7, N])
def test_each_network_sees_each_of_its_samples_once_an_epoch(batch_size):
    X, y, _ = data()
    rows = [np.arange(i, N) for i in (0, 1, 2)]
    sets = [Batches(X, y[:, None], None, batch_size, "float32", None, r) for r in rows]
    if len({s.n_batches for s in sets}) > 1:
        sets = sets[:1] * 3
    seen = [[] for _ in sets]
    for batch in StackedBatches(sets).epoch([None] * 3):
        for i, count in enumerate(batch.counts):
            seen[i].append(batch.X[i, :count].copy())
            if batch.w is not None:
                assert batch.w[i].sum() == pytest.approx(batch.X.shape[1], rel=1e-6)
                assert not batch.w[i, count:].any()
    for found, own in zip(seen, sets, strict=True):
        expected = X if own.rows is None else X[own.rows]
        np.testing.assert_array_equal(np.concatenate(found), expected.astype("float32"))


def test_random_states_draw_as_each_would_alone():
    seeds = [np.random.RandomState(i) for i in range(2)]
    both = RandomStates(seeds)
    alone = [np.random.RandomState(i) for i in range(2)]
    assert both.bytes(24) == alone[0].bytes(12) + alone[1].bytes(12)
    both.counts = np.array([4, 3])  # rows of three bytes, the last one fills up
    assert both.bytes(24) == alone[0].bytes(12) + alone[1].bytes(9) + bytes(3)
