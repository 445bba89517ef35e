"""Absolute error and Huber's loss: their best constants, scikit-learn's values."""

import numpy as np
import pytest
from scipy.optimize import brentq
from sklearn.metrics import mean_absolute_error

from sknn.losses import AbsoluteError, Huber, SquaredError

WEIGHTED = pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])


def sample(n=31, k=2, weighted=False):
    rng = np.random.default_rng(0)
    y, w = rng.standard_t(2, size=(n, k)), rng.uniform(0.1, 2.0, (n, 1))
    return y, w / w.mean() if weighted else None


@WEIGHTED
def test_absolute_error_is_scikit_learns_summed_over_outputs(weighted, evaluate):
    y, w = sample(weighted=weighted)
    raw = np.random.default_rng(1).normal(size=y.shape)
    theirs = mean_absolute_error(
        y, raw, sample_weight=None if w is None else w[:, 0], multioutput="raw_values"
    )
    value, _ = evaluate(AbsoluteError(), y, raw, w)
    np.testing.assert_allclose(value, theirs.sum(), rtol=1e-12)


def test_the_best_constant_of_the_absolute_error_is_the_median(evaluate):
    y, _ = sample()
    median = np.median(y, axis=0)
    at = [
        evaluate(AbsoluteError(), y, np.tile(median + step, (31, 1)))
        for step in (-1e-6, 0.0, 1e-6)
    ]
    assert at[1][0] < min(at[0][0], at[2][0])
    assert (at[0][1].sum(axis=0) < 0).all()
    assert (at[2][1].sum(axis=0) > 0).all()
    np.testing.assert_array_equal(at[1][1].sum(axis=0), 0.0)


@WEIGHTED
@pytest.mark.parametrize("delta", [0.2, 1.0, 5.0])
def test_the_best_constant_of_huber_is_the_root_of_its_equation(
    delta, weighted, best_constant
):
    y, w = sample(weighted=weighted)
    found = best_constant(Huber(delta), y, w)
    weights = np.ones(31) if w is None else w[:, 0]
    for j in range(2):
        root = brentq(
            lambda c, column=y[:, j]: weights @ np.clip(column - c, -delta, delta),
            -50,
            50,
        )
        np.testing.assert_allclose(found[0, j], root, rtol=1e-6)


def test_a_wide_huber_is_the_squared_error_and_a_narrow_one_the_absolute(evaluate):
    y, w = sample(weighted=True)
    raw = np.random.default_rng(1).normal(size=y.shape)
    wide, narrow = evaluate(Huber(1e6), y, raw, w), evaluate(Huber(1e-9), y, raw, w)
    squared, absolute = (
        evaluate(loss, y, raw, w) for loss in (SquaredError(), AbsoluteError())
    )
    for i in range(2):
        np.testing.assert_allclose(wide[i], squared[i], rtol=1e-12)
        np.testing.assert_allclose(narrow[i] / 1e-9, absolute[i], rtol=1e-6)


@pytest.mark.parametrize("loss", [AbsoluteError(), Huber(), SquaredError()])
def test_an_exact_prediction_costs_nothing_and_pulls_nowhere(loss, evaluate):
    y, _ = sample()
    value, gradient = evaluate(loss, y, y.copy())
    assert value == 0.0
    np.testing.assert_array_equal(gradient, 0.0)


@pytest.mark.parametrize("delta", [0.0, -1.0, np.inf, np.nan, "wide", None])
def test_a_delta_that_is_no_width_is_refused(delta):
    with pytest.raises(ValueError, match=r"'delta' parameter of Huber must lie in \(0"):
        Huber(delta).validate()
