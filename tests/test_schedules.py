"""Learning rates follow their formulas, and remember nothing."""

import dataclasses
import inspect
import json
import math
import pathlib
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from sknn import schedules
from sknn.schedules import (
    SCHEDULES,
    Adaptive,
    Constant,
    Cosine,
    CosLog4,
    Curve,
    Exponential,
    FlatCos,
    InverseScaling,
    OneCycle,
    Plateau,
    Progress,
    Schedule,
    Step,
    Warmup,
)

ORACLE = json.loads(
    pathlib.Path(__file__)
    .with_name("parity")
    .joinpath("optimizer_oracle.json")
    .read_text()
)
ROWS = pytest.mark.parametrize("name", SCHEDULES)
CURVES = [
    Cosine(),
    Cosine(end_factor=0.25),
    OneCycle(),
    OneCycle(pct_start=0.6, div_factor=4.0, final_div_factor=50.0),
    CosLog4(),
    FlatCos(),
    FlatCos(flat_share=0.8),
]
EACH_CURVE = pytest.mark.parametrize("curve", CURVES, ids=repr)
COUNTS = st.integers(0, 10_000)
SHARES = np.linspace(0.0, 1.0, 241)


def at(share, n_epochs=8):
    """Progress at a share of training."""
    epoch = min(int(share * n_epochs), n_epochs - 1)
    return Progress(epoch=epoch, fraction=share * n_epochs - epoch, n_epochs=n_epochs)


@pytest.mark.parametrize(
    "schedule",
    [
        Constant(),
        InverseScaling(),
        Adaptive(),
        Plateau(),
        Step(),
        Exponential(),
        Cosine(total=3),
        FlatCos(total=3),
        Warmup(start_factor=1.0),
    ],
    ids=repr,
)
@given(rate=st.floats(1e-6, 10.0))
def test_the_first_rate_is_the_initial_one(schedule, rate):
    assert schedule(rate, Progress()) == rate


@ROWS
@given(
    samples=COUNTS,
    epoch=COUNTS,
    stalled=st.integers(0, 100),
    fraction=st.floats(0, 1, exclude_max=True),
)
def test_the_rate_is_a_function_of_progress_alone(
    name, samples, epoch, stalled, fraction
):
    progress = Progress(samples, epoch, stalled, fraction, epoch // 2, 6000)
    schedule = SCHEDULES[name]()
    rate = schedule(0.1, progress)
    assert type(rate) is float
    assert 0 <= rate < float("inf")
    schedule(0.1, Progress(1, 2, 3, 0.4, 1, 9))
    assert schedule(0.1, progress) == rate == SCHEDULES[name]()(0.1, progress)


@ROWS
def test_the_rate_scales_with_the_initial_one(name):
    progress = Progress(samples=500, epoch=5, stalled=2, n_epochs=7)
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


def test_every_schedule_has_a_row():
    defined = {
        value
        for value in vars(schedules).values()
        if inspect.isclass(value) and issubclass(value, Schedule)
    }
    assert defined - {Schedule, Curve} == set(SCHEDULES.values())


# Rates that move from epoch to epoch -----------------------------------------------


@pytest.mark.parametrize(
    ("stalled", "expected"),
    [(0, 0.1), (1, 0.05), (2, 0.025), (3, 0.02), (4, 0.02), (10_000, 0.02)],
)
def test_plateau_multiplies_whenever_patience_has_run_out(stalled, expected):
    schedule = Plateau(factor=0.5, min_learning_rate=0.02)
    rate = schedule(0.1, Progress(samples=123, epoch=4, stalled=stalled))
    assert rate == pytest.approx(expected, rel=1e-14)
    assert schedule.stops(rate) == (expected == 0.02)


def test_plateau_does_not_raise_a_rate_that_is_below_the_least_one():
    assert Plateau(min_learning_rate=0.02)(0.01, Progress(stalled=3)) == 0.01


@pytest.mark.parametrize("epoch", [0, 1, 2, 3, 5, 6, 300])
def test_step_and_exponential_count_epochs(epoch):
    progress = Progress(epoch=epoch, fraction=0.9, stalled=3)
    expected = 0.5 * 0.9**epoch
    assert Exponential(0.9)(0.5, progress) == pytest.approx(expected, rel=1e-14)
    expected = 0.5 * 0.9 ** math.floor(epoch / 3)
    assert Step(3, 0.9)(0.5, progress) == pytest.approx(expected, rel=1e-14)


# Curves over the whole of training -------------------------------------------------


def cosine(a, b, t):
    """From `a` to `b` by half a cosine; another form than that of sknn."""
    return a + (b - a) * np.sin(0.5 * np.pi * t) ** 2


def one_cycle(o, t):
    start, peak = 1 / o.div_factor, o.pct_start
    if t < peak:
        return cosine(start, 1, t / peak)
    return cosine(1, start / o.final_div_factor, (t - peak) / (1 - peak))


FORMULAS = {
    Cosine: lambda o, t: cosine(1, o.end_factor, t),
    OneCycle: one_cycle,
    CosLog4: lambda o, t: np.sin(np.pi * np.log2(1 + 15 * t)) ** 2,
    FlatCos: lambda o, t: 1 if t < o.flat_share else flat(o, t),
}


def flat(o, t):
    return cosine(1, 0, (t - o.flat_share) / (1 - o.flat_share))


@EACH_CURVE
def test_a_curve_follows_its_formula(curve):
    rates = [curve(0.3, at(share)) for share in SHARES]
    expected = [0.3 * FORMULAS[type(curve)](curve, share) for share in SHARES]
    np.testing.assert_allclose(rates, expected, rtol=1e-12, atol=1e-14)
    assert min(rates) >= 0
    assert max(rates) <= 0.3


@EACH_CURVE
def test_a_curve_is_smooth(curve):
    factors = np.array([curve.curve(share) for share in np.linspace(0, 1, 8001)])
    assert np.abs(np.diff(factors)).max() < 0.01


@pytest.mark.parametrize(
    ("curve", "ends"),
    [
        (Cosine(), (1, 0)),
        (Cosine(end_factor=0.25), (1, 0.25)),
        (OneCycle(), (1 / 25, 1 / 25e4)),
        (CosLog4(), (0, 0)),
        (FlatCos(), (1, 0)),
    ],
    ids=repr,
)
def test_a_curve_begins_and_ends_where_it_should(curve, ends):
    found = curve(1.0, at(0.0)), curve(1.0, at(1.0))
    np.testing.assert_allclose(found, ends, rtol=1e-12, atol=1e-14)
    # beyond its end it stays there
    assert curve(1.0, Progress(epoch=99, fraction=0.5, n_epochs=8)) == found[1]


def test_curves_rise_and_fall_where_they_should():
    def signs(curve):
        factors = [curve.curve(share) for share in SHARES]
        return np.sign(np.diff(np.round(factors, 12)))

    assert (signs(Cosine()) == -1).all()
    assert (signs(OneCycle())[:72] == 1).all()
    assert (signs(OneCycle())[72:] == -1).all()
    assert (signs(FlatCos())[:120] == 0).all()
    assert (signs(FlatCos())[120:] == -1).all()


def test_coslog4_has_four_cycles_each_twice_as_long():
    ends = np.array([0, 1, 3, 7, 15]) / 15
    np.testing.assert_allclose([CosLog4().curve(t) for t in ends], 0, atol=1e-12)
    peaks = (2 ** (np.arange(4) + 0.5) - 1) / 15
    np.testing.assert_allclose([CosLog4().curve(t) for t in peaks], 1, rtol=1e-12)
    factors = np.array([CosLog4().curve(t) for t in np.linspace(0, 1, 6001)])
    turns = np.diff(np.sign(np.diff(factors)))
    assert (turns < 0).sum() == 4


@EACH_CURVE
def test_the_horizon_is_that_of_the_call_or_a_total_of_its_own(curve):
    first = curve(0.1, Progress(epoch=3, fraction=0.5, n_epochs=10))
    again = curve(0.1, Progress(epoch=13, fraction=0.5, first_epoch=10, n_epochs=10))
    assert again == first  # a call that goes on begins anew
    own = dataclasses.replace(curve, total=10)
    assert own(0.1, Progress(epoch=3, fraction=0.5)) == first
    goes_on = Progress(epoch=3, fraction=0.5, first_epoch=3, n_epochs=99)
    assert own(0.1, goes_on) == first


@EACH_CURVE
def test_a_curve_without_a_horizon_says_what_to_do(curve):
    remedy = rf"{type(curve).__name__}\(total=100\), or use fit"
    for schedule in (curve, Warmup(curve)):
        with pytest.raises(ValueError, match=remedy):
            schedule(0.1, Progress(epoch=3))


def test_schedules_say_whether_they_move_with_every_step():
    per_step = {name for name, kind in SCHEDULES.items() if kind.per_step}
    assert per_step == {"warmup", "cosine", "one_cycle", "coslog4", "flat_cos"}


# Warm-up --------------------------------------------------------------------------


def test_warmup_rises_in_a_line_and_then_leaves_the_schedule_alone():
    inner, schedule = Cosine(total=20), Warmup(Cosine(total=20), 4, 0.2)
    for epochs in np.linspace(0, 20, 161):
        epoch = int(epochs)
        progress = Progress(epoch=epoch, fraction=epochs - epoch)
        factor = np.interp(epochs, [0, 4], [0.2, 1.0])
        expected = factor * inner(0.3, progress)
        assert schedule(0.3, progress) == pytest.approx(expected, rel=1e-12)
        if epochs >= 4:
            assert schedule(0.3, progress) == inner(0.3, progress)


def test_warmup_lets_its_schedule_decide_when_to_stop():
    for inner in (Constant(), Adaptive(), Plateau(min_learning_rate=0.01)):
        for rate in (1e-7, 1e-3, 0.1):
            assert Warmup(inner).stops(rate) == inner.stops(rate)
    stalled = Progress(epoch=50, stalled=2)
    assert Warmup(Adaptive())(0.1, stalled) == Adaptive()(0.1, stalled)


def test_parameters_of_the_schedule_within_are_reached_by_name():
    schedule = clone(Warmup(Cosine(end_factor=0.1)))
    schedule.set_params(schedule__total=7, epochs=2.0)
    assert schedule == Warmup(Cosine(end_factor=0.1, total=7), 2.0)
    assert schedule.get_params()["schedule__end_factor"] == 0.1


# Beside PyTorch -------------------------------------------------------------------


def shares_of(row):
    """The share of training at each step of the stored rates.

    One step is one epoch here. PyTorch's one cycle reaches peak and end one step early.
    """
    n = ORACLE["total"]
    if row["kind"] != "OneCycle":
        return np.arange(n) / n
    peak = row["fields"].get("pct_start", 0.3)
    return np.interp(np.arange(n), [0, peak * n - 1, n - 1], [0, peak, 1])


@pytest.mark.parametrize("row", ORACLE["schedules"], ids=lambda row: row["kind"])
def test_rates_equal_pytorchs(row):
    schedule, n = getattr(schedules, row["kind"])(**row["fields"]), ORACLE["total"]
    progress = [at(share, n) for share in shares_of(row)]
    rates = [schedule(ORACLE["initial"], each) for each in progress]
    np.testing.assert_allclose(rates, row["rates"], rtol=1e-10, atol=1e-12)


# Fields ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "values"),
    [
        (Plateau, "factor", [0.0, 1.0, -1, math.nan, None]),
        (Plateau, "min_learning_rate", [-1e-9, None]),
        (Step, "step_size", [0, -3, None]),
        (Step, "gamma", [0.0, 1.1, None]),
        (Exponential, "gamma", [0.0, 1.1, "0.9"]),
        (Warmup, "epochs", [0, -1, None]),
        (Warmup, "start_factor", [-0.1, 1.1, None]),
        (Cosine, "end_factor", [-0.1, 1.1, None]),
        (Cosine, "total", [0, -3, "ten"]),
        (OneCycle, "pct_start", [0.0, 1.0, None]),
        (OneCycle, "div_factor", [0.5, None]),
        (OneCycle, "final_div_factor", [0.5, None]),
        (FlatCos, "flat_share", [-0.1, 1.0, None]),
    ],
)
def test_a_field_out_of_its_range_is_refused_by_name(kind, name, values):
    for value in values:
        schedule = kind().set_params(**{name: value})
        with pytest.raises(ValueError, match=f"'{name}' parameter of {kind.__name__}"):
            schedule(0.1, at(0.2))
