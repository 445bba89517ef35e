"""Deviances equal scikit-learn's, fit means, and stay calm far from the targets."""

import numpy as np
import pytest
from sklearn.metrics import mean_gamma_deviance, mean_tweedie_deviance

from sknn.losses import Gamma, Poisson, Tweedie
from sknn.tape import Tape

WEIGHTED = pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
POWERS = pytest.mark.parametrize("power", [1, 1.0, 1.01, 1.3, 1.5, 1.99, 2, 2.0])
EACH = pytest.mark.parametrize(
    "loss", [Poisson(), Gamma(), Tweedie(1.2), Tweedie(1.5), Tweedie(1.8)], ids=repr
)


def sample(n=40, k=1, zeros=False, weighted=False):
    rng = np.random.default_rng(0)
    y, w = rng.gamma(2.0, 1.5, size=(n, k)), rng.uniform(0.1, 2.0, (n, 1))
    if zeros:
        y[::3] = 0.0
    return y, rng.normal(size=(n, k)), w / w.mean() if weighted else None


@WEIGHTED
@POWERS
def test_tweedie_is_half_of_scikit_learns_deviance(power, weighted, evaluate):
    y, raw, w = sample(zeros=power < 2, weighted=weighted)
    theirs = mean_tweedie_deviance(
        y[:, 0],
        np.exp(raw[:, 0]),
        sample_weight=None if w is None else w[:, 0],
        power=power,
    )
    value, _ = evaluate(Tweedie(power), y, raw, w)
    np.testing.assert_allclose(value, theirs / 2, rtol=1e-11)


@WEIGHTED
def test_gamma_is_half_of_scikit_learns_deviance(weighted, evaluate):
    y, raw, w = sample(weighted=weighted)
    theirs = mean_gamma_deviance(
        y[:, 0], np.exp(raw[:, 0]), sample_weight=None if w is None else w[:, 0]
    )
    np.testing.assert_allclose(evaluate(Gamma(), y, raw, w)[0], theirs / 2, rtol=1e-12)


@pytest.mark.parametrize(("power", "end"), [(1, Poisson()), (2, Gamma())])
def test_tweedie_ends_in_poisson_and_gamma(power, end, evaluate):
    y, raw, w = sample(weighted=True)
    expected = evaluate(end, y, raw, w)
    value, gradient = evaluate(Tweedie(power), y, raw, w)
    assert value == expected[0]
    np.testing.assert_array_equal(gradient, expected[1])
    inside = 1 + 1e-6 if power == 1 else 2 - 1e-6
    close = evaluate(Tweedie(inside), y, raw, w)
    np.testing.assert_allclose(close[0], expected[0], rtol=1e-5)
    np.testing.assert_allclose(close[1], expected[1], rtol=1e-4, atol=1e-6)


@EACH
@pytest.mark.parametrize("size", [1e-20, 1e-3, 1.0, 1e3, 1e20])
def test_an_exact_prediction_costs_nothing(loss, size, evaluate):
    y = size * sample()[0]
    value, gradient = evaluate(loss, y, np.log(y))
    scale = size ** (2 - getattr(loss, "power", 1 if loss == Poisson() else 2))
    np.testing.assert_allclose(value, 0.0, atol=1e-13 * scale)
    np.testing.assert_allclose(gradient, 0.0, atol=1e-14 * scale)


@EACH
@WEIGHTED
def test_the_best_constant_is_the_logarithm_of_the_mean(loss, weighted, best_constant):
    y, _, w = sample(k=2, zeros=loss != Gamma(), weighted=weighted)
    found = best_constant(loss, y, w)
    mean = np.average(y, axis=0, weights=None if w is None else w[:, 0])
    np.testing.assert_allclose(found[0], np.log(mean), rtol=1e-6, atol=1e-7)


def test_gamma_does_not_depend_on_the_units(evaluate):
    y, raw, w = sample(weighted=True)
    expected = evaluate(Gamma(), y, raw, w)
    for unit in (1e-9, 1e9):
        found = evaluate(Gamma(), unit * y, raw + np.log(unit), w)
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-12)
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-11, atol=1e-15)


# Far from the targets -------------------------------------------------------------


@EACH
@pytest.mark.parametrize("raw", [-900.0, -310.0, -299.0, 299.0, 310.0, 900.0])
def test_gradients_hold_on_the_tangents(loss, raw, evaluate, differences):
    y, at = np.array([[2.0]]), np.array([[raw]])
    _, gradient = evaluate(loss, y, at)
    quotient = differences(lambda: evaluate(loss, y, at)[0], at)
    rounding = 1e-11 * abs(evaluate(loss, y, at)[0])
    np.testing.assert_allclose(gradient, quotient, rtol=1e-6, atol=rounding)


@EACH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_losses_rise_ever_faster_away_from_the_target(loss, dtype):
    # Convex throughout, also where the deviance goes over into its tangent.
    raw = np.linspace(-1200, 1200, 24001, dtype=dtype)[:, None]
    gradient, y = np.empty_like(raw), np.full_like(raw, 3.0)
    values = loss.pointwise(y, raw, gradient, Tape())
    assert (np.diff(gradient[:, 0]) >= 0).all()
    away = np.abs(raw[:, 0] - np.log(3.0)) > 1
    up = raw[:, 0] > np.log(3.0)
    assert (gradient[away & up] > 0).all()
    assert (gradient[away & ~up] < 0).all()
    assert (np.diff(values[away & up, 0]) > 0).all()
    assert (np.diff(values[away & ~up, 0]) < 0).all()


@EACH
def test_a_sample_far_out_changes_nothing_for_the_others(loss, evaluate):
    y, raw, _ = sample()
    expected = evaluate(loss, y, raw)[1]
    raw[5] = 1e3
    np.testing.assert_allclose(
        np.delete(evaluate(loss, y, raw)[1], 5), np.delete(expected, 5), rtol=1e-12
    )


@EACH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_square_of_a_gradient_is_finite_however_far_out(loss, dtype, evaluate):
    raw = np.array([[-1e3], [-60], [60], [1e3]], dtype)
    _, gradient = evaluate(loss, np.full_like(raw, 3.0), raw)
    assert np.isfinite(gradient**2).all()


@EACH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_score_predicts_zero_or_infinity(loss, dtype):
    raw = np.array([[-1e30, -1e4, -80, 0, 80, 1e4, 1e30]], dtype).T
    prediction = loss.link_inverse(raw.copy())
    assert (prediction > 0).all()
    assert np.isfinite(prediction).all()
    np.testing.assert_array_equal(prediction[2:5], np.exp(raw[2:5]))


# Targets and settings -------------------------------------------------------------


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
@pytest.mark.parametrize("loss", [Gamma(), Tweedie(2.0)], ids=repr)
def test_gamma_refuses_targets_that_are_not_positive(loss, value):
    message = rf"needs targets y > 0, got a smallest value of {value}\. Use"
    with pytest.raises(ValueError, match=message):
        loss.check_targets(np.array([[1.0], [value]]))


@pytest.mark.parametrize("value", [-1.0, -1e-9, np.nan])
@pytest.mark.parametrize("power", [1, 1.5])
def test_tweedie_refuses_targets_below_zero(power, value):
    Tweedie(power).check_targets(np.array([[0.0], [1.0]]))
    message = rf"loss='tweedie' with power={power} needs targets y >= 0, got a smallest"
    with pytest.raises(ValueError, match=message):
        Tweedie(power).check_targets(np.array([[1.0], [value]]))


def test_messages_name_the_loss_and_the_remedy():
    y = np.array([[0.0]])
    with pytest.raises(ValueError, match=r"^loss='gamma' .* Use loss='tweedie' or"):
        Gamma().check_targets(y)
    with pytest.raises(ValueError, match=r"^loss='tweedie' .* Use a power below 2"):
        Tweedie(2).check_targets(y)


@pytest.mark.parametrize("power", [0.99, 2.01, 0, 3, np.nan, "1.5", None])
def test_a_power_outside_its_interval_is_refused(power):
    message = r"'power' parameter of Tweedie must lie in \[1\.0, 2\.0\]. Got"
    with pytest.raises(ValueError, match=message):
        Tweedie(power).validate()
