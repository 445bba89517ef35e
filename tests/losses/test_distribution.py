"""Quantiles do not cross and are the sample's; means and spreads are those of y."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_pinball_loss

from sknn.losses import AbsoluteError, GaussianNLL, Quantile
from sknn.tape import Tape

WEIGHTED = pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
LEVELS = pytest.mark.parametrize(
    "levels",
    [(0.5,), (0.1, 0.9), (0.1, 0.5, 0.9), (0.05, 0.1, 0.25, 0.5), (0.6, 0.7, 0.99)],
)


def sample(n=40, k=2, weighted=False):
    rng = np.random.default_rng(0)
    y, w = rng.normal(size=(n, k)), rng.uniform(0.1, 2.0, (n, 1))
    return y, w / w.mean() if weighted else None


def raw_for(quantiles):
    """Raw predictions of given quantiles, of shape (n_outputs, n_quantiles)."""
    middle = quantiles.shape[-1] // 2
    steps = np.diff(quantiles, axis=-1)
    raw = np.log(np.expm1(steps))  # the inverse of softplus
    return np.insert(raw, middle, quantiles[:, middle], axis=-1).reshape(1, -1)


# Quantiles ------------------------------------------------------------------------


@WEIGHTED
@pytest.mark.parametrize("q", [0.01, 0.3, 0.5, 0.95])
def test_one_quantile_is_scikit_learns_pinball_loss(q, weighted, evaluate):
    y, w = sample(k=1, weighted=weighted)
    raw = np.random.default_rng(1).normal(size=y.shape)
    theirs = mean_pinball_loss(
        y[:, 0], raw[:, 0], alpha=q, sample_weight=None if w is None else w[:, 0]
    )
    for quantile in (q, (q,), [q], np.array([q])):
        value, _ = evaluate(Quantile(quantile), y, raw, w)
        np.testing.assert_allclose(value, theirs, rtol=1e-12)


@WEIGHTED
@LEVELS
def test_several_quantiles_are_scikit_learns_losses_summed(levels, weighted, evaluate):
    y, w = sample(weighted=weighted)
    loss = Quantile(levels)
    raw = np.random.default_rng(1).normal(size=(40, loss.n_raw(2)))
    quantiles = loss.quantiles(raw)
    theirs = sum(
        mean_pinball_loss(
            y,
            quantiles[..., i],
            alpha=level,
            sample_weight=None if w is None else w[:, 0],
            multioutput="raw_values",
        ).sum()
        for i, level in enumerate(levels)
    )
    np.testing.assert_allclose(evaluate(loss, y, raw, w)[0], theirs, rtol=1e-12)


def test_the_median_is_half_the_absolute_error(evaluate):
    y, w = sample(weighted=True)
    raw = np.random.default_rng(1).normal(size=y.shape)
    raw[3] = y[3]
    expected = evaluate(AbsoluteError(), y, raw, w)
    value, gradient = evaluate(Quantile(), y, raw, w)
    np.testing.assert_allclose(2 * value, expected[0], rtol=1e-12)
    np.testing.assert_allclose(2 * gradient, expected[1], rtol=1e-12)


@LEVELS
def test_raw_columns_of_an_output_stand_side_by_side(levels):
    size, middle = len(levels), len(levels) // 2
    raw = np.random.default_rng(0).normal(size=(7, 3 * size))
    kept = raw.copy()
    quantiles = Quantile(levels).quantiles(raw)
    assert quantiles.shape == (7, 3, size)
    for j in range(3):
        own = raw[:, j * size : (j + 1) * size]
        np.testing.assert_array_equal(quantiles[:, j, middle], own[:, middle])
        expected = np.logaddexp(np.delete(own, middle, axis=1), 0)
        steps = np.diff(quantiles[:, j], axis=-1)
        np.testing.assert_allclose(steps, expected, rtol=1e-9, atol=1e-14)
    np.testing.assert_array_equal(raw, kept)


@given(
    seed=st.integers(0, 10_000),
    size=st.integers(2, 9),
    scale=st.floats(1e-3, 1e8),
    single=st.booleans(),
)
def test_quantiles_never_cross(seed, size, scale, single):
    rng = np.random.default_rng(seed)
    loss = Quantile(tuple(np.arange(1, size + 1) / (size + 1)))
    raw = rng.normal(size=(6, loss.n_raw(3))) * scale
    raw = raw.astype(np.float32 if single else np.float64)
    quantiles = loss.quantiles(raw)
    assert quantiles.dtype == raw.dtype
    assert (np.diff(quantiles, axis=-1) >= 0).all()


@LEVELS
@WEIGHTED
def test_the_best_constants_are_the_samples_quantiles(levels, weighted, evaluate):
    # At the sample's quantiles no step in any raw direction lowers the loss.
    y, w = sample(n=37, weighted=weighted)
    loss, rng = Quantile(levels), np.random.default_rng(0)
    weights = np.ones(37) if w is None else w[:, 0]
    best = np.empty((2, len(levels)))
    for j in range(2):
        order = np.argsort(y[:, j])
        share = np.cumsum(weights[order]) / weights.sum()
        best[j] = y[order, j][np.searchsorted(share, levels)]
        if w is None:
            expected = np.quantile(y[:, j], levels, method="inverted_cdf")
            np.testing.assert_array_equal(best[j], expected)
    raw = raw_for(best)
    np.testing.assert_allclose(loss.quantiles(raw)[0], best, rtol=1e-9, atol=1e-12)
    least, _ = evaluate(loss, y, np.tile(raw, (37, 1)), w)
    for size in (1e-4, 1e-2, 1.0, 10.0):
        for _ in range(50):
            step = size * rng.normal(size=raw.shape) * (rng.random(raw.shape) < 0.5)
            value, _ = evaluate(loss, y, np.tile(raw + step, (37, 1)), w)
            assert value >= least - 1e-12


def test_gradient_descent_finds_the_quantiles_of_a_distribution(evaluate):
    y = np.random.default_rng(0).normal(size=(500, 1))
    loss = Quantile((0.05, 0.25, 0.5, 0.75, 0.95))
    constant, slope = np.zeros((1, 5)), np.zeros((1, 5))
    for t in range(1000):
        _, gradient = evaluate(loss, y, np.tile(constant, (500, 1)))
        slope = 0.9 * slope + gradient.sum(axis=0)
        constant -= 0.1 / (1 + 0.01 * t) * slope
    found = loss.quantiles(constant)[0, 0]
    expected = np.quantile(y[:, 0], loss.quantile)
    np.testing.assert_allclose(found, expected, atol=0.02)


@pytest.mark.parametrize(
    ("levels", "weights"),
    [
        ((0.1, 0.5, 0.9), (0, 1, 0)),
        ((0.5, 0.8), (1, 0)),
        ((0.2, 0.5), (0, 1)),
        ((0.1, 0.9), (0.5, 0.5)),
        ((0.1, 0.4, 0.8), (0, 0.75, 0.25)),
        ((0.6, 0.7, 0.8), (1, 0, 0)),
        ((0.1, 0.2, 0.3), (0, 0, 1)),
        ((0.9,), (1,)),
    ],
)
@DTYPES
def test_predictions_are_medians_interpolated_between_neighbours(
    levels, weights, dtype
):
    loss = Quantile(levels)
    raw = np.random.default_rng(0).normal(size=(6, loss.n_raw(2))).astype(dtype)
    expected = loss.quantiles(raw).astype(float) @ np.array(weights)
    prediction = loss.link_inverse(raw.copy())
    assert prediction.dtype == dtype
    rtol = 1e-12 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(prediction, expected, rtol=rtol, atol=rtol)


def test_a_single_quantile_predicts_itself():
    raw = np.random.default_rng(0).normal(size=(6, 2))
    for loss in (Quantile(0.9), Quantile((0.9,))):
        assert loss.n_raw(2) == 2
        np.testing.assert_array_equal(loss.link_inverse(raw.copy()), raw)
        np.testing.assert_array_equal(loss.quantiles(raw), raw[..., None])


@pytest.mark.parametrize("levels", [0.3, (0.3,), (0.2, 0.5, 0.7)])
def test_an_exact_prediction_pulls_nowhere(levels):
    loss = Quantile(levels)
    quantiles = np.array([[-1.0, 0.5, 2.0]])
    raw = raw_for(quantiles) if loss.n_raw(1) == 3 else np.array([[0.5]])
    at = loss.quantiles(raw)[0, 0]
    for i, y in enumerate(at):
        gradient = np.empty_like(raw)
        values = loss.pointwise(np.array([[y]]), raw, gradient, Tape())
        each = np.atleast_1d(levels)
        others = np.maximum(each * (y - at), (each - 1) * (y - at))
        np.testing.assert_allclose(values.sum(), others.sum(), rtol=1e-12)
        middle = len(at) // 2
        expected = sum((y < at[k]) - each[k] for k in range(len(at)) if k != i)
        np.testing.assert_allclose(gradient[0, middle], expected, atol=1e-12)


def test_the_eachgiven_are_left_as_they_are(evaluate):
    levels = np.array([0.2, 0.8])
    evaluate(Quantile(levels), np.zeros((3, 1)), np.zeros((3, 2)))
    assert levels.shape == (2,)


@pytest.mark.parametrize(
    "quantile",
    [
        0,
        1,
        1.5,
        -0.1,
        np.nan,
        (),
        (0.5, 0.5),
        (0.9, 0.1),
        (0.5, 1.0),
        [[0.5]],
        "a",
        None,
    ],
)
def test_quantiles_that_are_none_are_refused(quantile):
    message = r"'quantile' parameter of Quantile must be a number in \(0, 1\), or .*Got"
    with pytest.raises(ValueError, match=message):
        Quantile(quantile).validate()


@pytest.mark.parametrize("quantile", [0.5, (0.1, 0.9), [0.2, 0.3], np.array([0.1])])
def test_quantiles_in_any_sequence_are_accepted(quantile):
    Quantile(quantile).validate()


# Mean and spread ------------------------------------------------------------------


@WEIGHTED
def test_the_best_constants_are_mean_and_standard_deviation(weighted, best_constant):
    y, w = sample(n=200, weighted=weighted)
    y = 3.0 * y + [[5.0, -2.0]]
    loss, weights = GaussianNLL(), None if w is None else w[:, 0]
    raw = best_constant(loss, y, w)
    mean = np.average(y, axis=0, weights=weights)
    variance = np.average((y - mean) ** 2, axis=0, weights=weights)
    np.testing.assert_allclose(loss.link_inverse(raw)[0], mean, rtol=1e-5)
    found = loss.standard_deviation(raw)
    np.testing.assert_allclose(found[0], np.sqrt(variance), rtol=1e-5)


def test_the_columns_of_an_output_are_its_mean_and_spread():
    raw = np.array([[1.0, 0.0, -4.0, 2.0]])
    loss = GaussianNLL(sigma_min=0.25)
    np.testing.assert_array_equal(loss.link_inverse(raw.copy()), [[1.0, -4.0]])
    expected = 0.25 + np.logaddexp([[0.0, 2.0]], 0)
    np.testing.assert_allclose(loss.standard_deviation(raw), expected, rtol=1e-14)
    np.testing.assert_array_equal(raw, [[1.0, 0.0, -4.0, 2.0]])


@DTYPES
def test_the_spread_does_not_collapse_where_the_target_is_exact(dtype, evaluate):
    y = np.full((4, 1), 3.0, dtype)
    raw = np.tile(np.array([[3.0, -1e3]], dtype), (4, 1))
    loss = GaussianNLL()
    value, gradient = evaluate(loss, y, raw)
    np.testing.assert_allclose(loss.standard_deviation(raw), 1e-3, rtol=1e-6)
    np.testing.assert_allclose(value, np.log(1e-3 * np.sqrt(2 * np.pi)), rtol=1e-6)
    assert np.isfinite(gradient).all()


@DTYPES
def test_the_farthest_targets_have_finite_losses(dtype, evaluate):
    y = np.array([[1e20], [-1e20]], dtype)
    for spread in (-1e3, 0.0, 1e3):
        raw = np.tile(np.array([[0.0, spread]], dtype), (2, 1))
        with np.errstate(over="ignore"):  # of the squares that decide on the tangent
            value, gradient = evaluate(GaussianNLL(), y, raw)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()
        assert (gradient[:, 0] * y[:, 0] < 0).all()


def test_the_gradient_holds_on_the_tangent(differences):
    y, raw = np.array([[3e10, -1e10]]), np.array([[0.0, 0.3, 0.0, 1.0]])
    gradient = np.empty_like(raw)
    loss, sigma = GaussianNLL(), GaussianNLL().standard_deviation(raw)
    assert (np.abs(y / sigma) > 1e9).all()
    quotient = differences(lambda: loss.pointwise(y, raw, gradient, Tape()).sum(), raw)
    loss.pointwise(y, raw, gradient, Tape())
    # By the spreads: next to such values, steps of the means are lost in rounding.
    np.testing.assert_allclose(gradient[:, 1::2], quotient[:, 1::2], rtol=1e-6)
    np.testing.assert_allclose(gradient[:, ::2], -np.sign(y) * 1e9 / sigma, rtol=1e-12)


@pytest.mark.parametrize("sigma_min", [0.0, -1.0, np.inf, np.nan, "small", None])
def test_a_smallest_deviation_that_is_none_is_refused(sigma_min):
    message = r"'sigma_min' parameter of GaussianNLL must lie in \(0"
    with pytest.raises(ValueError, match=message):
        GaussianNLL(sigma_min).validate()
