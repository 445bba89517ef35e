"""Patience that looks at whole cycles of the learning rate."""

import math

import numpy as np
import pytest

from sknn import MLPClassifier
from sknn.schedules import Cosine, CosLog4, Warmup
from sknn.training.state import TrainingState
from sknn.training.stopping import CyclePatience


def ends_of(patience, scores, n_epochs, first_epoch=0):
    """The epochs at which patience has run out, with a score for each epoch."""
    state = TrainingState(np.random.RandomState(0), epoch=first_epoch)
    state.begin(n_epochs)
    found = []
    for score in scores:
        state.epoch += 1
        patience.watch_score(state, score, np.zeros(1))
        if patience.exhausted(state):
            found.append(state.epoch)
    return found


def cycles(tol=0.0, total=None):
    return CyclePatience(tol, math.inf, CosLog4(total=total))


def test_a_cycle_without_improvement_ends_training_where_it_ends():
    # cycles of 60 epochs end after 4, 12, 28 and 60
    rising = np.arange(60.0)
    assert ends_of(cycles(), rising, 60) == []
    best_early = np.where(rising < 3, rising, 0.0)
    assert ends_of(cycles(), best_early, 60)[0] == 12
    best_in_second = np.where(rising < 10, rising, 0.0)
    assert ends_of(cycles(), best_in_second, 60)[0] == 28
    best_in_third = np.where(rising < 20, rising, 0.0)
    assert ends_of(cycles(), best_in_third, 60) == [60]


def test_the_first_epoch_of_a_cycle_counts_to_it():
    scores = np.zeros(60)
    scores[12] = 1.0  # epoch 13, the first of the third cycle
    assert ends_of(cycles(), [-1.0, *scores[1:]], 60) == [60]
    scores = np.zeros(60)
    scores[11] = 1.0  # epoch 12, the last of the second
    assert ends_of(cycles(), [-1.0, *scores[1:]], 60)[0] == 28


def test_an_improvement_below_tol_is_none():
    scores = 1e-6 * np.arange(60.0)
    assert ends_of(cycles(tol=1e-3), scores, 60)[0] == 12


def test_cycles_are_those_of_the_call_or_of_the_curve():
    early = np.r_[1.0, np.zeros(59)]
    assert ends_of(cycles(), early, 60, first_epoch=100)[0] == 112
    assert ends_of(cycles(total=60), early, None)[0] == 12
    assert ends_of(cycles(), early, None) == []


@pytest.mark.parametrize(
    ("rate", "stops"),
    [("coslog4", True), (Warmup(CosLog4()), True), (Cosine(), False)],
)
def test_an_estimator_stops_after_a_cycle_in_vain_if_its_rate_has_cycles(rate, stops):
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(60, 5)), rng.randint(2, size=60)  # nothing to learn
    model = MLPClassifier(
        (20,),
        learning_rate=rate,
        learning_rate_init=0.05,
        max_iter=60,
        n_iter_no_change="cycle",
        early_stopping=True,
        scoring="loss",
        random_state=0,
    ).fit(X, y)
    assert model.n_iter_ == (12 if stops else 60)
    assert model.best_iter_ <= 4 or not stops


def test_the_message_says_that_it_was_a_cycle(capsys):
    X, y = np.random.RandomState(0).normal(size=(40, 3)), np.arange(40) % 2
    MLPClassifier(
        (5,),
        learning_rate="coslog4",
        learning_rate_init=0.3,
        max_iter=30,
        verbose=True,
        n_iter_no_change="cycle",
        early_stopping=True,
        scoring="loss",
        random_state=0,
    ).fit(X, y)
    assert (
        "for a whole cycle of the learning rate. Stopping." in capsys.readouterr().out
    )


def test_what_is_allowed_names_cycles():
    with pytest.raises(ValueError, match=r"'n_iter_no_change' .* \{'cycle'\}.* Got 0"):
        MLPClassifier(n_iter_no_change=0).fit([[0.0], [1.0]], [0, 1])
