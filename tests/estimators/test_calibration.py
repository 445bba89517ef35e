"""Temperatures that are the best there are, intervals that are those of CV+."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, softmax
from scipy.stats import binom
from sklearn.metrics import log_loss

from sknn.estimators._calibration import Residuals, fit_temperature
from sknn.losses import BinaryLogLoss, MultinomialLogLoss

# Temperature ---------------------------------------------------------------------

KINDS = pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
LOSS = {
    "binary": BinaryLogLoss(),
    "multiclass": MultinomialLogLoss(),
    "multilabel": BinaryLogLoss(),
}
WIDTH = {"binary": 1, "multiclass": 4, "multilabel": 3}


def sample(kind, n=400, seed=0):
    """Logits, and labels drawn with just their probabilities."""
    rng = np.random.default_rng(seed)
    raw = 2 * rng.normal(size=(n, WIDTH[kind]))
    if kind == "multiclass":
        edges = softmax(raw, axis=1).cumsum(axis=1)
        drawn = (rng.random((n, 1)) > edges).sum(axis=1)
        return raw, np.eye(raw.shape[1])[drawn]
    return raw, (rng.random(raw.shape) < expit(raw)).astype(float)


def value(kind, raw, y, temperature, w=None):
    """The mean log loss, summed over labels, in plain NumPy."""
    if kind == "multiclass":
        losses = -np.sum(y * np.log(softmax(raw / temperature, axis=1)), axis=1)
    else:
        p = expit(raw / temperature)
        losses = -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p), axis=1)
    return np.average(losses, weights=w)


def fit(kind, raw, y, w=None):
    return fit_temperature(raw, y, w, LOSS[kind])


@KINDS
def test_labels_drawn_by_their_probabilities_have_temperature_one(kind):
    assert abs(fit(kind, *sample(kind, 40_000)) - 1) < 0.03


@KINDS
@pytest.mark.parametrize("factor", [0.1, 0.5, 3.0, 20.0])
def test_scores_that_are_stretched_have_that_temperature(kind, factor):
    raw, y = sample(kind)
    expected = factor * fit(kind, raw, y)
    np.testing.assert_allclose(fit(kind, factor * raw, y), expected, rtol=1e-8)


@KINDS
@pytest.mark.parametrize("weighted", [False, True])
def test_no_other_temperature_has_a_lower_loss(kind, weighted, differences):
    raw, y = sample(kind)
    w = np.random.default_rng(1).uniform(0, 2, len(y)) if weighted else None
    best = fit(kind, raw, y, w)
    t = np.array([best])
    slope = differences(lambda: value(kind, raw, y, t[0], w), t)
    np.testing.assert_allclose(slope, 0, atol=1e-10)
    least = value(kind, raw, y, best, w)
    assert all(value(kind, raw, y, best * f, w) > least for f in (0.5, 0.9, 1.1, 2.0))


def test_the_derivative_by_the_inverse_temperature_vanishes():
    raw, y = sample("multiclass")
    p = softmax(raw / fit("multiclass", raw, y), axis=1)
    # in closed form: on average the score of the label is that which is expected
    np.testing.assert_allclose(np.sum(raw * p), np.sum(raw * y), rtol=1e-10)


@KINDS
def test_a_weight_of_two_counts_twice_and_one_of_zero_not_at_all(kind):
    raw, y = sample(kind)
    w = np.random.default_rng(1).integers(0, 3, len(y))
    repeated = np.repeat(np.arange(len(y)), w)
    expected = fit(kind, raw[repeated], y[repeated])
    for unit in (1, 1e-6, 1e6):
        np.testing.assert_allclose(fit(kind, raw, y, unit * w), expected, rtol=1e-8)


@KINDS
def test_scores_and_targets_in_float32_do(kind):
    raw, y = sample(kind)
    found = fit(kind, raw.astype(np.float32), y.astype(np.float32))
    np.testing.assert_allclose(found, fit(kind, raw, y), rtol=1e-5)


@KINDS
def test_nothing_that_was_given_is_changed(kind):
    raw, y = sample(kind)
    w = np.ones(len(y))
    kept = pickle.dumps((raw, y, w))
    fit(kind, raw, y, w)
    assert pickle.dumps((raw, y, w)) == kept


@KINDS
def test_the_temperature_ends_at_its_limits(kind):
    raw, y = sample(kind)
    if kind == "multiclass":
        right = np.eye(y.shape[1])[raw.argmax(axis=1)]
        wrong = np.eye(y.shape[1])[raw.argmin(axis=1)]
    else:
        right, wrong = (raw > 0).astype(float), (raw < 0).astype(float)
    assert fit(kind, raw, right) == pytest.approx(np.exp(-5))
    assert fit(kind, raw, wrong) == pytest.approx(np.exp(5))


@KINDS
def test_scores_that_say_nothing_have_temperature_one(kind):
    raw, y = sample(kind)
    assert fit(kind, np.zeros_like(raw), y) == 1.0


@KINDS
def test_huge_scores_do_not_overflow(kind):
    raw, y = sample(kind)
    assert fit(kind, 1e20 * raw, y) == pytest.approx(np.exp(5))


def test_the_loss_is_that_of_scikit_learn():
    raw, y = sample("multiclass")
    temperature, labels = fit("multiclass", raw, y), y.argmax(axis=1)
    before, after = (
        log_loss(labels, softmax(scores, axis=1)) for scores in (raw, raw / temperature)
    )
    assert after == pytest.approx(value("multiclass", raw, y, temperature))
    assert after < before


# Intervals -----------------------------------------------------------------------


def brute_force(predictions, errors, coverage):
    """CV+ for one output: all sums and differences, sorted."""
    n = sum(map(len, errors))
    rank = int(np.ceil(round(coverage * (n + 1), 9)))
    ends = []
    for each in np.transpose(predictions):
        pairs = list(zip(each, errors, strict=True))
        upper = np.sort(np.concatenate([mu + np.abs(e) for mu, e in pairs]))
        lower = np.sort(np.concatenate([mu - np.abs(e) for mu, e in pairs]))
        ends.append(sorted([lower[n - rank], upper[rank - 1]]))
    return np.array(ends)


def interval(predictions, errors, coverage):
    columns = [np.asarray(p)[:, None] for p in predictions]
    return Residuals.of(errors).interval(columns, coverage)[:, 0]


@given(
    seed=st.integers(0, 10**6),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    ties=st.booleans(),
    share=st.floats(0.01, 0.99),
)
def test_intervals_are_those_of_all_sums_sorted(seed, sizes, ties, share):
    rng = np.random.default_rng(seed)
    errors = [rng.standard_cauchy(n) for n in sizes]
    predictions = [3 * rng.normal(size=4) for _ in sizes]
    if ties:
        errors, predictions = ([np.round(a) for a in b] for b in (errors, predictions))
    n = sum(sizes)
    coverage = share * n / (n + 1)
    np.testing.assert_allclose(
        interval(predictions, errors, coverage),
        brute_force(predictions, errors, coverage),
        rtol=1e-12,
        atol=1e-12,
    )


def test_one_wild_error_costs_the_others_no_digits():
    rng = np.random.default_rng(0)
    errors = [np.append(rng.normal(size=20), 1e30), rng.normal(size=20)]
    predictions = rng.normal(size=(2, 5))
    found = interval(predictions, errors, 0.8)
    np.testing.assert_allclose(
        found, brute_force(predictions, errors, 0.8), rtol=1e-12, atol=1e-12
    )


def test_one_member_is_split_conformal_prediction():
    rng = np.random.default_rng(0)
    errors, mu = rng.normal(size=99), rng.normal(size=5)
    radius = np.sort(np.abs(errors))[89]  # the 90th of 99 + 1
    expected = np.column_stack([mu - radius, mu + radius])
    np.testing.assert_array_equal(interval([mu], [errors], 0.9), expected)


def test_errors_count_by_their_size_in_whatever_order():
    rng = np.random.default_rng(0)
    errors, predictions = rng.normal(size=(3, 30)), rng.normal(size=(3, 5))
    expected = interval(predictions, errors, 0.9)
    shuffled = [-rng.permutation(e) for e in errors]
    np.testing.assert_array_equal(interval(predictions, shuffled, 0.9), expected)


def test_each_output_has_an_interval_of_its_own():
    rng = np.random.default_rng(0)
    errors, predictions = rng.normal(size=(3, 30, 2)), rng.normal(size=(3, 5, 2))
    found = Residuals.of(errors).interval(predictions, 0.8)
    assert found.shape == (5, 2, 2)
    for j in range(2):
        alone = interval(predictions[..., j], errors[..., j], 0.8)
        np.testing.assert_array_equal(found[:, j], alone)


def test_intervals_grow_with_coverage():
    rng = np.random.default_rng(0)
    errors, predictions = rng.normal(size=(4, 25)), rng.normal(size=(4, 7))
    wide = [interval(predictions, errors, c) for c in (0.5, 0.7, 0.9, 0.99)]
    for inner, outer in pairwise(wide):
        assert (outer[:, 0] <= inner[:, 0]).all()
        assert (inner[:, 1] <= outer[:, 1]).all()
    assert (wide[0][:, 0] <= wide[0][:, 1]).all()


@pytest.mark.parametrize(
    ("coverage", "n"),
    [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19), (0.98, 49), (2 / 3, 2)],
)
def test_as_many_samples_are_needed_as_the_message_says(coverage, n):
    mu = np.zeros(1)
    found = interval([mu], [np.arange(1.0, n + 1)], coverage)
    np.testing.assert_array_equal(found, [[-n, n]])  # the greatest error
    message = rf"coverage={coverage} needs at least {n} samples .* got {n - 1}\."
    if n > 1:
        with pytest.raises(ValueError, match=message):
            interval([mu], [np.arange(1.0, n)], coverage)


@pytest.mark.parametrize("n_members", [1, 4])
@pytest.mark.parametrize("coverage", [0.6, 0.9])
def test_so_many_new_samples_lie_within(n_members, coverage):
    """Ridge regression, each member without a fold; a binomial test of the share."""
    rng = np.random.default_rng(n_members)
    X, X_new = rng.normal(size=(2000, 3)), rng.normal(size=(2000, 3))
    slope = np.array([1.0, -2.0, 0.5])
    y, y_new = (x @ slope + rng.standard_t(3, len(x)) for x in (X, X_new))
    errors, predictions = [], []
    for k in range(n_members):
        left_out = np.arange(2000) % max(n_members, 5) == k
        own = np.linalg.lstsq(X[~left_out], y[~left_out], rcond=None)[0]
        errors.append(y[left_out] - X[left_out] @ own)
        predictions.append(X_new @ own)
    low, high = interval(predictions, errors, coverage).T
    share = np.mean((low <= y_new) & (y_new <= high))
    # the share varies by the new samples and by those that were left out
    n = 1 / (1 / 2000 + 1 / sum(map(len, errors)))
    within = binom.interval(1 - 1e-4, int(n), coverage)
    assert within[0] / int(n) <= share <= within[1] / int(n)


def test_residuals_pickle():
    residuals = Residuals.of([np.array([1.0, -3.0]), np.array([2.0])])
    twin = pickle.loads(pickle.dumps(residuals))
    assert twin.n_samples == 3
    assert twin.of_members[0].tolist() == [[1.0], [3.0]]
