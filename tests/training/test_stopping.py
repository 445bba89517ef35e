"""Patience counts by hand-made sequences, as scikit-learn does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sknn.training import Patience, TrainingState
from sknn.training.stopping import keep


@pytest.fixture
def state():
    return TrainingState(np.random.RandomState(0))


def new_state():
    return TrainingState(np.random.RandomState(0))


def watch_losses(patience, state, losses):
    """Counters after each loss."""
    counts = []
    for loss in losses:
        patience.watch_loss(state, loss)
        counts.append(state.no_improvement_count)
    return counts


def watch_scores(patience, state, scores):
    """Counters after each score; the weights of an epoch are filled with its number."""
    counts = []
    for score in scores:
        state.epoch += 1
        patience.watch_score(state, score, np.full(3, float(state.epoch)))
        counts.append(state.no_improvement_count)
    return counts


@pytest.mark.parametrize(
    ("losses", "counts", "best"),
    [
        ([5.0, 4.0, 3.0], [0, 0, 0], 3.0),
        # an improvement by less than 0.5 is none, but the best loss follows it
        ([5.0, 4.6, 4.2, 3.8], [0, 1, 2, 3], 3.8),
        ([5.0, 4.5], [0, 0], 4.5),  # by exactly 0.5 is one
        ([5.0, 6.0, 4.0, 4.0, 1.0], [0, 1, 0, 1, 0], 1.0),
        ([5.0, 5.0, 5.0], [0, 1, 2], 5.0),
    ],
)
def test_losses_count_until_one_is_better_by_tol(state, losses, counts, best):
    assert watch_losses(Patience(0.5, 10), state, losses) == counts
    assert state.best_loss == best


@pytest.mark.parametrize(
    ("scores", "counts", "best", "epoch"),
    [
        ([0.5, 0.6, 0.7], [0, 0, 0], 0.7, 3),
        # an improvement by less than 0.05 counts as none, but is kept as the best
        ([0.5, 0.53, 0.56], [0, 1, 2], 0.56, 3),
        ([0.5, 0.75, 0.25, 0.75, 0.5], [0, 0, 1, 2, 3], 0.75, 2),
        ([0.5, 0.5], [0, 1], 0.5, 1),
        ([-3.0, -2.0], [0, 0], -2.0, 2),
    ],
)
def test_scores_count_until_one_is_better_by_tol(state, scores, counts, best, epoch):
    assert watch_scores(Patience(0.05, 10), state, scores) == counts
    assert state.best_score == best
    assert state.best_epoch == epoch
    np.testing.assert_array_equal(state.best_values, np.full(3, float(epoch)))


def test_tol_zero_still_counts_an_equal_loss(state):
    # as scikit-learn: worse is `loss > best - tol`, so that an equal loss is not
    assert watch_losses(Patience(0.0, 10), state, [1.0, 1.0, 1.5]) == [0, 0, 1]


def test_tol_zero_takes_an_equal_score_for_an_improvement(state):
    assert watch_scores(Patience(0.0, 10), state, [0.5, 0.5, 0.4]) == [0, 0, 1]
    assert state.best_epoch == 1


@pytest.mark.parametrize("n_iter_no_change", [1, 2, 5])
def test_patience_ends_with_one_epoch_more_than_are_borne(state, n_iter_no_change):
    patience = Patience(0.1, n_iter_no_change)
    ended = []
    for _ in range(n_iter_no_change + 2):
        patience.watch_loss(state, 1.0)
        ended.append(patience.exhausted(state))
    # the first loss is an improvement on infinity
    assert ended == [False] * (n_iter_no_change + 1) + [True]


def test_infinite_patience_never_ends(state):
    patience = Patience(1e9, np.inf)
    assert watch_losses(patience, state, [1.0] * 100)[-1] == 99
    assert not patience.exhausted(state)


def test_a_huge_tol_ends_patience_at_the_first_chance(state):
    # scikit-learn with n_iter_no_change=3, tol=1e9: n_iter_ is 5
    patience, epochs = Patience(1e9, 3), 0
    while not patience.exhausted(state):
        patience.watch_loss(state, 1.0 / (epochs + 1))
        epochs += 1
    assert epochs == 5


def test_the_best_values_are_a_copy_in_memory_that_is_reused(state):
    patience, values = Patience(0.0, 3), np.zeros(4)
    patience.watch_score(state, 0.1, values)
    first = state.best_values
    assert not np.shares_memory(first, values)
    values += 1.0
    assert not first.any()
    patience.watch_score(state, 0.2, values)
    assert state.best_values is first
    np.testing.assert_array_equal(first, values)
    patience.watch_score(state, 0.15, values + 1.0)
    np.testing.assert_array_equal(first, values)


def test_a_score_of_nan_is_never_the_best(state):
    watch_scores(Patience(0.0, 3), state, [0.5, np.nan, 0.4, np.nan])
    assert (state.best_score, state.best_epoch) == (0.5, 1)
    np.testing.assert_array_equal(state.best_values, np.full(3, 1.0))


def test_a_better_score_after_nan_is_the_best(state):
    watch_scores(Patience(0.0, 3), state, [0.5, np.nan, 0.6])
    assert (state.best_score, state.best_epoch) == (0.6, 3)


def test_a_loss_of_nan_is_never_the_best(state):
    watch_losses(Patience(0.0, 3), state, [0.5, np.nan, 0.6])
    assert state.best_loss == 0.5


def scikit_learns_losses(losses, tol):
    """Counters and best loss of sklearn's `_update_no_improvement_count`."""
    best, count, counts = np.inf, 0, []
    for loss in losses:
        count = count + 1 if loss > best - tol else 0
        if loss < best:
            best = loss
        counts.append(count)
    return counts, best


def scikit_learns_scores(scores, tol):
    """The same under early stopping, with the epoch of the best coefficients."""
    best, epoch, count, counts = -np.inf, 0, 0, []
    for number, score in enumerate(scores, start=1):
        count = count + 1 if score < best + tol else 0
        if score > best:
            best, epoch = score, number
        counts.append(count)
    return counts, best, epoch


NUMBERS = st.floats(-2, 2).map(lambda x: round(x, 1))
TOLS = st.sampled_from([0.0, 0.1, 0.15, 1.0])


@given(st.lists(NUMBERS | st.just(np.inf) | st.just(np.nan), max_size=20), TOLS)
def test_losses_count_as_in_scikit_learn(losses, tol):
    state = new_state()
    counts = watch_losses(Patience(tol, 3), state, losses)
    assert (counts, state.best_loss) == scikit_learns_losses(losses, tol)


@given(st.lists(NUMBERS, max_size=20), TOLS)
def test_scores_count_as_in_scikit_learn(scores, tol):
    state = new_state()
    counts = watch_scores(Patience(tol, 3), state, scores)
    expected = scikit_learns_scores(scores, tol)
    assert (counts, state.best_score, state.best_epoch) == expected


def test_keep_copies_into_the_array_that_there_is():
    values = np.arange(3.0)
    first = keep(values, None)
    assert not np.shares_memory(first, values)
    np.testing.assert_array_equal(first, values)
    assert keep(values + 1, first) is first
    np.testing.assert_array_equal(first, values + 1)


def test_the_first_score_may_be_nan():
    state, patience = TrainingState(np.random.RandomState(0)), Patience(0.0, 2)
    patience.watch_score(state, np.nan, np.zeros(2))
    patience.watch_score(state, 0.5, np.ones(2))
    assert state.best_score == 0.5
    np.testing.assert_array_equal(state.best_values, np.ones(2))
    for _ in range(3):
        patience.watch_score(state, 0.4, np.ones(2))
    assert patience.exhausted(state)
