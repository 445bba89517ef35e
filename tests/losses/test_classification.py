"""Label smoothing and focal losses: what they are without, and what they do."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.metrics import log_loss

from sknn.losses import (
    BinaryFocalLoss,
    BinaryLogLoss,
    MultinomialFocalLoss,
    MultinomialLogLoss,
)
from sknn.tape import Tape

PAIRS = pytest.mark.parametrize(
    ("focal", "plain"),
    [(BinaryFocalLoss, BinaryLogLoss), (MultinomialFocalLoss, MultinomialLogLoss)],
)
SMOOTH = pytest.mark.parametrize("loss", [BinaryLogLoss, MultinomialLogLoss])
FOCAL = pytest.mark.parametrize("loss", [BinaryFocalLoss, MultinomialFocalLoss])


def sample(loss, n=20, k=3):
    rng = np.random.default_rng(0)
    if loss.link == "softmax":
        y = np.eye(k)[rng.integers(0, k, n)]
    else:
        y = rng.integers(0, 2, (n, k)).astype(float)
    w = rng.uniform(0.1, 2.0, (n, 1))
    return y, 2 * rng.normal(size=(n, k)), w / w.mean()


# Label smoothing ------------------------------------------------------------------


@SMOOTH
def test_smoothing_is_the_plain_loss_of_softer_targets(loss, evaluate):
    y, raw, w = sample(loss)
    share, n_answers = 0.2, 3 if loss is MultinomialLogLoss else 2
    softer = (1 - share) * y + share / n_answers
    expected = evaluate(loss(), softer, raw, w)
    value, gradient = evaluate(loss(label_smoothing=share), y, raw, w)
    np.testing.assert_allclose(value, expected[0], rtol=1e-13)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-12, atol=1e-17)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_smoothing_mixes_scikit_learns_log_losses_of_all_answers(share, evaluate):
    _, raw, _ = sample(MultinomialLogLoss)
    codes = np.random.default_rng(1).integers(0, 3, 20)
    p = softmax(raw, axis=1)
    even = np.mean([log_loss(np.full(20, c), p, labels=range(3)) for c in range(3)])
    expected = (1 - share) * log_loss(codes, p, labels=range(3)) + share * even
    value, _ = evaluate(MultinomialLogLoss(share), np.eye(3)[codes], raw)
    np.testing.assert_allclose(value, expected, rtol=1e-12)


@SMOOTH
def test_the_best_scores_under_smoothing_are_finite(loss, best_constant):
    k = 3
    y = np.tile(np.eye(k)[:1], (5, 1))  # without smoothing no score would be enough
    found = loss().link_inverse(best_constant(loss(label_smoothing=0.1), y))
    n_answers = k if loss is MultinomialLogLoss else 2
    np.testing.assert_allclose(found[0], 0.9 * y[0] + 0.1 / n_answers, rtol=1e-5)


@SMOOTH
@pytest.mark.parametrize("share", [-0.1, 1.0, 2, np.nan, "a lot", None])
def test_a_share_that_is_none_is_refused(loss, share):
    message = rf"'label_smoothing' parameter of {loss.__name__} must lie in \[0\.0, 1"
    with pytest.raises(ValueError, match=message):
        loss(label_smoothing=share).validate()


# Focal losses ---------------------------------------------------------------------


@PAIRS
def test_without_focus_it_is_the_log_loss(focal, plain, evaluate):
    y, raw, w = sample(focal)
    expected = evaluate(plain(), y, raw, w)
    value, gradient = evaluate(focal(gamma=0), y, raw, w)
    np.testing.assert_allclose(value, expected[0], rtol=1e-12)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-11, atol=1e-16)


@PAIRS
@pytest.mark.parametrize("gamma", [0.5, 2.0, 2, 5.0])
def test_a_sample_counts_by_the_missing_probability_to_the_gamma(focal, plain, gamma):
    y, raw, _ = sample(focal, k=1 if focal is BinaryFocalLoss else 3)
    gradient, tape = np.empty_like(raw), Tape()
    values = plain().pointwise(y, raw, gradient, tape).sum(axis=-1)
    if focal is BinaryFocalLoss:
        p_t = expit(np.where(y == 1, raw, -raw))[:, 0]
    else:
        p_t = np.sum(y * softmax(raw, axis=1), axis=1)
    found = focal(gamma).pointwise(y, raw, gradient, Tape()).sum(axis=-1)
    np.testing.assert_allclose(found, (1 - p_t) ** gamma * values, rtol=1e-11)


def test_gamma_two_is_as_any_other_gamma(evaluate):
    # It has a short cut of its own.
    y, raw, w = sample(BinaryFocalLoss)
    two, next_to_it = (
        evaluate(BinaryFocalLoss(gamma), y, raw, w) for gamma in (2, 2 + 1e-12)
    )
    for i in range(2):
        np.testing.assert_allclose(two[i], next_to_it[i], rtol=1e-10)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_two_classes_in_two_outputs_or_one_are_the_same_loss(gamma, evaluate):
    y, raw, w = sample(BinaryFocalLoss, k=1)
    one = evaluate(BinaryFocalLoss(gamma), y, raw, w)
    both, classes = np.hstack([np.zeros_like(raw), raw]), np.hstack([1 - y, y])
    two = evaluate(MultinomialFocalLoss(gamma), classes, both, w)
    np.testing.assert_allclose(one[0], two[0], rtol=1e-12)
    np.testing.assert_allclose(one[1], two[1][:, 1:], rtol=1e-11, atol=1e-16)


@FOCAL
@pytest.mark.parametrize("gamma", [0.0, 0.01, 0.5, 1.0, 2.0, 30.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("score", [5.0, 17.0, 40.0, 90.0, 800.0, 1e8])
def test_sure_answers_have_finite_losses_and_slopes(
    loss, gamma, dtype, score, evaluate
):
    y, raw, _ = sample(loss)
    raw = (score * np.sign(raw)).astype(dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value, gradient = evaluate(loss(gamma), y.astype(dtype), raw)
    assert np.isfinite(value)
    assert value >= 0
    assert np.isfinite(gradient).all()
    right = (raw > 0) == (y == 1)
    assert np.abs(gradient[right.all(axis=-1)]).max(initial=0.0) < 0.05


@FOCAL
def test_rounding_does_not_take_the_loss_below_zero(loss, evaluate):
    # log(exp(x)) - x is as soon negative as positive, and has no power of gamma.
    for x in np.linspace(-3, 3, 101):
        y, raw = np.ones((1, 1)), np.array([[x + 40]])
        value, gradient = evaluate(loss(3.5), y, raw)
        assert value >= 0
        assert np.isfinite(gradient).all()


@FOCAL
@pytest.mark.parametrize("gamma", [-0.5, np.inf, np.nan, "strong", None])
def test_a_gamma_that_is_no_focus_is_refused(loss, gamma):
    message = rf"'gamma' parameter of {loss.__name__} must lie in \[0"
    with pytest.raises(ValueError, match=message):
        loss(gamma).validate()


# Targets --------------------------------------------------------------------------


def test_yes_or_no_losses_refuse_other_targets():
    shares, others = np.array([[0.0], [0.3], [1.0]]), np.array([[0.0], [3.0]])
    BinaryLogLoss().check_targets(shares)
    BinaryFocalLoss().check_targets(np.array([[0.0], [1.0]]))
    BinaryFocalLoss().check_targets(np.array([0, 1, 1]))  # codes of labels
    with pytest.raises(ValueError, match=r"loss='binary_log_loss' needs .* 3\.0\. Use"):
        BinaryLogLoss().check_targets(others)
    with pytest.raises(ValueError, match=r"loss='binary_focal' needs targets y of 0"):
        BinaryFocalLoss().check_targets(shares)
