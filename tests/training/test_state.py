"""The state of training: its history, its memory, its copies."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sknn.optimizers import OPTIMIZERS, SGD, Adam
from sknn.schedules import Progress
from sknn.training import TrainingState


def new_state():
    return TrainingState(np.random.RandomState(0))


@pytest.fixture
def state():
    return new_state()


# History -------------------------------------------------------------------------


def test_history_keeps_the_order_in_which_its_columns_came(state):
    state.record(epoch=1, loss=0.5, time=0.1)
    state.record(time=0.1, score=0.7, loss=0.4, epoch=2)
    assert list(state.history) == ["epoch", "loss", "time", "score"]
    assert state.history["loss"] == [0.5, 0.4]
    assert state.history["epoch"] == [1, 2]


def test_columns_that_come_and_go_are_filled_with_nan(state):
    state.record(loss=3.0)
    state.record(loss=2.0, score=0.5)
    state.record(loss=1.0)
    np.testing.assert_array_equal(state.history["score"], [np.nan, 0.5, np.nan])
    assert state.history["loss"] == [3.0, 2.0, 1.0]


@given(
    st.lists(st.dictionaries(st.sampled_from("abcd"), st.floats(0, 1), min_size=1)),
    st.data(),
)
def test_all_columns_of_the_history_have_one_entry_per_epoch(epochs, data):
    state = new_state()
    for entries in epochs:
        state.record(**entries)
    for name, column in state.history.items():
        assert len(column) == len(epochs)
        for given_value, entries in zip(column, epochs, strict=True):
            np.testing.assert_equal(given_value, entries.get(name, np.nan))
    kept = data.draw(st.integers(0, len(epochs)))
    state.rewind(kept)
    assert {len(column) for column in state.history.values()} <= {kept}


def test_rewind_forgets_later_epochs_and_the_optimisers_memory(state):
    values = np.zeros(3)
    state.adopt(Adam(), values)
    state.steps = 12
    for epoch in (1, 2, 3):
        state.epoch = epoch
        state.record(epoch=epoch, loss=1.0 / epoch)
    state.rewind(2)
    assert state.epoch == 2
    assert state.history == {"epoch": [1, 2], "loss": [1.0, 0.5]}
    state.record(epoch=3, loss=0.4)
    assert state.history == {"epoch": [1, 2, 3], "loss": [1.0, 0.5, 0.4]}
    state.adopt(Adam(), values)
    assert state.steps == 0
    assert not state.memory["gradients"].any()


# The optimiser's memory ----------------------------------------------------------


@pytest.mark.parametrize("kind", OPTIMIZERS.values())
def test_adopt_makes_memory_for_a_first_optimiser(state, kind):
    values, optimizer = np.ones(5, np.float32), kind()
    state.adopt(optimizer, values)
    assert state.optimizer == optimizer
    assert set(state.memory) == set(optimizer.names())
    for array in state.memory.values():
        assert (array.shape, array.dtype) == (values.shape, values.dtype)
        assert not array.any()


@pytest.mark.parametrize("kind", OPTIMIZERS.values())
def test_adopt_keeps_the_memory_of_an_optimiser_of_the_same_kind(state, kind):
    values = np.ones(5)
    state.adopt(kind(), values)
    state.steps = 7
    for array in state.memory.values():
        array += 1.0
    kept, other = dict(state.memory), kind()
    state.adopt(other, values)
    assert state.optimizer == other
    assert state.steps == 7
    for name, array in state.memory.items():
        assert array is kept[name]
        assert (array == 1.0).all()


@pytest.mark.parametrize(
    ("first", "then", "size"),
    [
        (SGD(), Adam(), 5),
        (Adam(), SGD(), 5),
        (SGD(), SGD(momentum=0.0), 5),
        (SGD(momentum=0.0), SGD(), 5),
        (Adam(), Adam(), 6),
        (Adam(0.9), Adam(0.5), 5),  # the sums in memory hold for one beta only
    ],
)
def test_adopt_makes_new_memory_where_the_old_one_does_not_fit(
    state, first, then, size
):
    state.adopt(first, np.ones(5))
    state.steps = 7
    for array in state.memory.values():
        array += 1.0
    state.adopt(then, np.ones(size))
    assert state.optimizer == then
    assert state.steps == 0
    assert set(state.memory) == set(then.names())
    for array in state.memory.values():
        assert array.shape == (size,)
        assert not array.any()


def test_adopt_makes_new_memory_for_another_dtype(state):
    state.adopt(Adam(), np.ones(3, np.float32))
    state.adopt(Adam(), np.ones(3))
    assert {array.dtype for array in state.memory.values()} == {np.dtype(np.float64)}


def test_adopt_notices_parameters_set_on_the_same_object(state):
    optimizer = Adam()
    state.adopt(optimizer, np.ones(3))
    state.steps = 7
    state.adopt(optimizer.set_params(beta_1=0.5), np.ones(3))
    assert state.steps == 0


# Copies --------------------------------------------------------------------------

COPIES = {
    "copy": TrainingState.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda state: pickle.loads(pickle.dumps(state)),
}


@pytest.mark.parametrize("carry", COPIES.values(), ids=COPIES)
def test_a_copy_changes_without_touching_the_state(state, carry):
    state.adopt(Adam(), np.ones(5))
    state.permutation, state.best_values = np.arange(4), np.ones(5)
    state.record(loss=1.0)
    twin = carry(state)
    assert twin.rng.randint(1 << 30) == np.random.RandomState(0).randint(1 << 30)
    twin.record(loss=0.5)
    twin.memory["gradients"] += 1.0
    twin.permutation[:] = 0
    twin.best_values[:] = 0.0
    twin.epoch = 9
    assert state.rng.randint(1 << 30) == np.random.RandomState(0).randint(1 << 30)
    assert state.history == {"loss": [1.0]}
    assert not state.memory["gradients"].any()
    assert state.permutation.tolist() == [0, 1, 2, 3]
    assert state.best_values.all()
    assert state.epoch == 0


def test_states_share_nothing_that_they_start_with():
    one, other = new_state(), new_state()
    one.record(loss=1.0)
    one.memory["velocity"] = np.ones(2)
    assert not other.history
    assert not other.memory


def test_progress_tells_a_schedule_how_far_the_fit_has_come(state):
    state.samples, state.epoch, state.stalled = 300, 3, 1
    assert state.progress() == Progress(samples=300, epoch=3, stalled=1)
    state.begin(n_epochs=7)
    state.epoch = 5
    expected = Progress(300, 5, 1, fraction=0.25, first_epoch=3, n_epochs=7)
    assert state.progress(0.25) == expected
    assert expected.epochs == 5.25


@pytest.mark.parametrize("carry", COPIES.values(), ids=COPIES)
def test_copies_keep_the_horizon(state, carry):
    state.epoch = 4
    state.begin(n_epochs=9)
    assert carry(state).progress() == Progress(epoch=4, first_epoch=4, n_epochs=9)


def test_a_state_of_before_there_were_horizons_has_none(state):
    old = {k: v for k, v in vars(state).items() if k not in ("first_epoch", "n_epochs")}
    restored = TrainingState.__new__(TrainingState)
    restored.__dict__.update(old)
    assert restored.progress() == Progress()
