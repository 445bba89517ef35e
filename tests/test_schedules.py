"""Learning rates follow their formulas, and remember nothing."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from sknn.schedules import (
    SCHEDULES,
    Adaptive,
    Constant,
    InverseScaling,
    Progress,
    Schedule,
)

ROWS = pytest.mark.parametrize("name", SCHEDULES)
COUNTS = st.integers(0, 10_000)


@pytest.mark.parametrize("schedule", [Constant(), InverseScaling(), Adaptive()])
@given(rate=st.floats(1e-6, 10.0))
def test_the_first_rate_is_the_initial_one(schedule, rate):
    assert schedule(rate, Progress()) == rate


@ROWS
@given(samples=COUNTS, epoch=COUNTS, stalled=st.integers(0, 100))
def test_the_rate_is_a_function_of_progress_alone(name, samples, epoch, stalled):
    progress = Progress(samples, epoch, stalled)
    schedule = SCHEDULES[name]()
    rate = schedule(0.1, progress)
    assert type(rate) is float
    assert 0 <= rate < float("inf")
    schedule(0.1, Progress(1, 2, 3))
    assert schedule(0.1, progress) == rate == SCHEDULES[name]()(0.1, progress)


@ROWS
def test_the_rate_scales_with_the_initial_one(name):
    progress = Progress(samples=500, epoch=5, stalled=2)
    schedule = SCHEDULES[name]()
    assert schedule(0.4, progress) == pytest.approx(4 * schedule(0.1, progress), 1e-14)


@ROWS
def test_a_schedule_clones_pickles_and_compares_by_value(name):
    schedule = SCHEDULES[name]()
    twin = clone(schedule)
    assert isinstance(schedule, Schedule)
    assert twin is not schedule
    assert twin == schedule == pickle.loads(pickle.dumps(schedule))
    assert schedule.get_params() == vars(schedule)


def test_constant_never_changes():
    schedule = Constant()
    assert schedule(0.3, Progress(10**9, 10**6, 10)) == 0.3
    assert schedule.stops(0.3)


@pytest.mark.parametrize(
    ("power_t", "samples", "expected"),
    [
        (0.5, 3, 0.1 / 2),
        (0.5, 99, 0.1 / 10),
        (1.0, 3, 0.1 / 4),
        (2.0, 3, 0.1 / 16),
        (0.0, 3, 0.1),
    ],
)
def test_invscaling_divides_by_a_power_of_the_samples_seen(power_t, samples, expected):
    schedule = InverseScaling(power_t)
    rate = schedule(0.1, Progress(samples=samples, epoch=77, stalled=7))
    assert rate == pytest.approx(expected, rel=1e-14)
    assert schedule.stops(rate)


def test_invscaling_of_the_example_in_scikit_learns_issue():
    # three epochs of 1000 rows at 0.1
    rate = InverseScaling()(0.1, Progress(samples=3000, epoch=3))
    assert rate == pytest.approx(0.0018254, rel=1e-4)


@pytest.mark.parametrize("power_t", [-0.1, float("nan"), "0.5", None])
def test_invscaling_refuses_exponents_below_zero(power_t):
    with pytest.raises(ValueError, match="'power_t' parameter of InverseScaling"):
        InverseScaling(power_t)(0.1, Progress())


@pytest.mark.parametrize(
    ("stalled", "expected"), [(0, 0.1), (1, 0.02), (2, 0.004), (3, 0.0008)]
)
def test_adaptive_divides_whenever_patience_has_run_out(stalled, expected):
    rate = Adaptive()(0.1, Progress(samples=123, epoch=4, stalled=stalled))
    assert rate == pytest.approx(expected, rel=1e-14)


def test_adaptive_has_a_divisor_of_its_own():
    assert Adaptive(divisor=2.0)(1.0, Progress(stalled=3)) == 0.125


def test_adaptive_stops_at_a_tiny_rate_only():
    assert [Adaptive().stops(rate) for rate in (1e-5, 1.1e-6)] == [False, False]
    assert [Adaptive().stops(rate) for rate in (1e-6, 1e-7)] == [True, True]
    assert Adaptive(min_learning_rate=1e-3).stops(1e-3)
    assert not Adaptive(min_learning_rate=1e-9).stops(1e-6)


@pytest.mark.parametrize("divisor", [1.0, 0.5, -2.0, float("inf"), None])
def test_adaptive_refuses_divisors_that_do_not_divide(divisor):
    with pytest.raises(ValueError, match="'divisor' parameter of Adaptive"):
        Adaptive(divisor=divisor)(0.1, Progress())
