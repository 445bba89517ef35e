"""Losses equal their formulas, their own differences, SciPy's and scikit-learn's."""

import json
import pathlib
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit, kl_div, log_expit, log_softmax, logsumexp, softmax
from scipy.stats import norm
from sklearn.base import clone
from sklearn.metrics import log_loss, mean_poisson_deviance, mean_squared_error

from sknn.losses import (
    LOSSES,
    AbsoluteError,
    BinaryFocalLoss,
    BinaryLogLoss,
    Gamma,
    GaussianNLL,
    Huber,
    Loss,
    MultinomialFocalLoss,
    MultinomialLogLoss,
    Poisson,
    Quantile,
    SquaredError,
    Tweedie,
    classification,
)
from sknn.tape import Tape

ORACLE = json.loads(pathlib.Path(__file__).with_name("torch_oracle.json").read_text())

# Every row of the table as it is, and other settings of those that have some.
CASES = {name: loss() for name, loss in LOSSES.items()} | {
    repr(loss): loss
    for loss in (
        Huber(delta=0.2),
        Quantile(0.9),
        Quantile((0.1, 0.5, 0.9)),
        Quantile([0.05, 0.3, 0.8, 0.95]),
        GaussianNLL(sigma_min=0.3),
        Tweedie(power=1),
        Tweedie(power=1.1),
        Tweedie(power=1.9),
        Tweedie(power=2.0),
        BinaryLogLoss(label_smoothing=0.1),
        MultinomialLogLoss(label_smoothing=0.3),
        BinaryFocalLoss(gamma=0.0),
        BinaryFocalLoss(gamma=0.7),
        MultinomialFocalLoss(gamma=0.0),
        MultinomialFocalLoss(gamma=3.5),
    )
}
ROWS = pytest.mark.parametrize("name", CASES)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
WEIGHTED = pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])

# Negative log likelihoods with the links that make their gradients plain.
CANONICAL = pytest.mark.parametrize(
    "name", ["squared_error", "poisson", "binary_log_loss", "multinomial_log_loss"]
)


def huber(loss, y, raw):
    r = np.abs(y - raw)
    far = loss.delta * (r - 0.5 * loss.delta)
    return np.where(r <= loss.delta, 0.5 * r**2, far)


def pinball(loss, y, raw):
    levels = np.atleast_1d(loss.quantile)
    r = y[..., None] - loss.quantiles(raw)
    return np.where(r > 0, levels * r, (levels - 1) * r).sum(axis=-1)


def gaussian(loss, y, raw):
    sigma = loss.sigma_min + np.logaddexp(raw[..., 1::2], 0)
    return -norm.logpdf(y, raw[..., ::2], sigma)


def gamma(loss, y, raw):
    return raw - np.log(y) + y / np.exp(raw) - 1


def tweedie(loss, y, raw):
    p, mu = loss.power, np.exp(raw)
    if p == 1:
        return kl_div(y, mu)
    if p == 2:
        return gamma(loss, y, raw)
    least = y ** (2 - p) / (1 - p) / (2 - p)
    return least - y * mu ** (1 - p) / (1 - p) + mu ** (2 - p) / (2 - p)


def binary(loss, y, raw):
    smooth = (1 - loss.label_smoothing) * y + loss.label_smoothing / 2
    return -smooth * log_expit(raw) - (1 - smooth) * log_expit(-raw)


def multinomial(loss, y, raw):
    share = loss.label_smoothing
    smooth = (1 - share) * y + share / y.shape[-1]
    return -smooth * log_softmax(raw, axis=-1)


def binary_focal(loss, y, raw):
    z = np.where(y == 1, raw, -raw)
    return -(expit(-z) ** loss.gamma) * log_expit(z)


def multinomial_focal(loss, y, raw):
    log_p = np.sum(y * log_softmax(raw, axis=-1), axis=-1, keepdims=True)
    return -((1 - np.exp(log_p)) ** loss.gamma) * log_p


FORMULAS = {  # of one sample, in columns to be summed
    SquaredError: lambda loss, y, raw: 0.5 * (y - raw) ** 2,
    AbsoluteError: lambda loss, y, raw: np.abs(y - raw),
    Huber: huber,
    Quantile: pinball,
    GaussianNLL: gaussian,
    Poisson: lambda loss, y, raw: kl_div(y, np.exp(raw)),
    Gamma: gamma,
    Tweedie: tweedie,
    BinaryLogLoss: binary,
    MultinomialLogLoss: multinomial,
    BinaryFocalLoss: binary_focal,
    MultinomialFocalLoss: multinomial_focal,
}
LINKS = {
    "identity": lambda raw: raw,
    "exp": np.exp,
    "logistic": expit,
    "softmax": lambda raw: softmax(raw, axis=-1),
}


def formula(loss, y, raw):
    """Losses of the samples, as the books have them."""
    return np.sum(FORMULAS[type(loss)](loss, y, raw), axis=-1)


def takes_zeros(loss):
    return not isinstance(loss, Gamma) and getattr(loss, "power", 1) < 2


def targets_for(loss, rng, shape):
    """Targets of the kind that a loss with this link takes."""
    if loss.link == "exp":
        return rng.poisson(2.0, shape) + (0.0 if takes_zeros(loss) else 0.5)
    if loss.link == "logistic":
        return rng.integers(0, 2, shape).astype(float)
    if loss.link == "softmax":
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    return rng.normal(size=shape)


def problem(name, n=9, k=3, weighted=False, seed=0):
    """A loss with targets, raw predictions and weights of mean 1."""
    rng, loss = np.random.default_rng(seed), clone(CASES[name])
    w = rng.uniform(0.1, 2.0, (n, 1))
    return (
        loss,
        targets_for(loss, rng, (n, k)),
        rng.normal(size=(n, loss.n_raw(k))),
        w / w.mean() if weighted else None,
    )


def evaluate(loss, y, raw, w=None, tape=None):
    """Value and gradient, on a tape of their own if none is given."""
    gradient = np.full_like(raw, np.nan)
    value = loss.value_and_gradient(y, raw, w, gradient, tape or Tape())
    return value, gradient


def test_every_row_has_its_formula_and_a_known_link():
    assert set(FORMULAS) == set(LOSSES.values())
    assert {loss.link for loss in LOSSES.values()} <= set(LINKS)


# Values and gradients ------------------------------------------------------------


@ROWS
@WEIGHTED
@pytest.mark.parametrize(("n", "k"), [(9, 3), (1, 2), (5, 1)])
def test_value_is_the_mean_of_weighted_formulas(name, weighted, n, k):
    loss, y, raw, w = problem(name, n, k, weighted)
    value, _ = evaluate(loss, y, raw, w)
    weights = np.ones(n) if w is None else w[:, 0]
    np.testing.assert_allclose(
        value, np.sum(weights * formula(loss, y, raw)) / n, rtol=1e-12, atol=1e-14
    )


@ROWS
@WEIGHTED
@pytest.mark.parametrize("scale", [0.1, 1.0, 4.0])
def test_gradient_is_the_difference_quotient(name, weighted, scale, differences):
    loss, y, raw, w = problem(name, weighted=weighted)
    raw *= scale
    value, gradient = evaluate(loss, y, raw, w)
    quotient = differences(lambda: evaluate(loss, y, raw, w)[0], raw)
    rounding = 1e-11 * max(1.0, abs(value))
    np.testing.assert_allclose(gradient, quotient, rtol=1e-6, atol=rounding)


@ROWS
@given(n=st.integers(1, 12), k=st.integers(1, 6), seed=st.integers(0, 1000))
def test_any_shape_gives_the_mean_of_its_samples(name, n, k, seed):
    loss, y, raw, _ = problem(name, n, k, seed=seed)
    value, gradient = evaluate(loss, y, raw)
    alone = [evaluate(loss, y[i : i + 1], raw[i : i + 1]) for i in range(n)]
    np.testing.assert_allclose(
        value, np.mean([v for v, _ in alone]), rtol=1e-12, atol=1e-14
    )
    expected = np.concatenate([g for _, g in alone]) / n
    np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=1e-15)


@ROWS
def test_targets_and_raw_predictions_are_left_as_they_are(name):
    loss, y, raw, w = problem(name, weighted=True)
    kept = y.copy(), raw.copy(), w.copy()
    evaluate(loss, y, raw, w)
    for now, before in zip((y, raw, w), kept, strict=True):
        np.testing.assert_array_equal(now, before)


@ROWS
def test_a_reused_tape_changes_nothing(name):
    tape = Tape()
    for n in (9, 4, 12, 9):
        loss, y, raw, w = problem(name, n, weighted=True, seed=n)
        value, gradient = evaluate(loss, y, raw, w, tape)
        expected = evaluate(loss, y, raw, w)
        assert value == expected[0]
        np.testing.assert_array_equal(gradient, expected[1])


# Weights -------------------------------------------------------------------------


@ROWS
def test_a_weight_multiplies_its_sample(name):
    loss, y, raw, _ = problem(name, n=4)
    w = np.array([[0.0], [1.0], [2.5], [0.5]])
    value, gradient = evaluate(loss, y, raw, w)
    _, plain = evaluate(loss, y, raw)
    np.testing.assert_allclose(gradient, w * plain, rtol=1e-13)
    expected = np.mean(w[:, 0] * formula(loss, y, raw))
    np.testing.assert_allclose(value, expected, rtol=1e-12)


@ROWS
def test_weights_of_mean_one_equal_repeated_rows(name):
    loss, y, raw, _ = problem(name, n=5)
    times = np.array([3, 1, 0, 2, 4])
    w = (times / times.mean())[:, None]
    value, gradient = evaluate(loss, y, raw, w)
    rows = np.repeat(np.arange(5), times)
    repeated, by_row = evaluate(loss, y[rows], raw[rows])
    np.testing.assert_allclose(value, repeated, rtol=1e-13)
    summed = np.zeros_like(raw)
    np.add.at(summed, rows, by_row)
    np.testing.assert_allclose(gradient, summed, rtol=1e-12, atol=1e-16)


@ROWS
def test_weights_of_one_change_nothing(name):
    loss, y, raw, _ = problem(name)
    value, gradient = evaluate(loss, y, raw, np.ones((9, 1)))
    expected = evaluate(loss, y, raw)
    assert value == expected[0]
    np.testing.assert_array_equal(gradient, expected[1])


# Other implementations -----------------------------------------------------------


@WEIGHTED
@pytest.mark.parametrize("k", [2, 3, 7])
def test_multinomial_log_loss_is_scikit_learns(k, weighted):
    loss, y, raw, w = problem("multinomial_log_loss", 20, k, weighted)
    theirs = log_loss(
        y.argmax(axis=1),
        softmax(raw, axis=1),
        sample_weight=None if w is None else w[:, 0],
        labels=range(k),
    )
    np.testing.assert_allclose(evaluate(loss, y, raw, w)[0], theirs, rtol=1e-12)


@WEIGHTED
@pytest.mark.parametrize("k", [1, 3])
def test_binary_log_loss_is_the_sum_of_scikit_learns_over_outputs(k, weighted):
    loss, y, raw, w = problem("binary_log_loss", 20, k, weighted)
    sample_weight = None if w is None else w[:, 0]
    theirs = sum(
        log_loss(y[:, j], expit(raw[:, j]), sample_weight=sample_weight, labels=[0, 1])
        for j in range(k)
    )
    np.testing.assert_allclose(evaluate(loss, y, raw, w)[0], theirs, rtol=1e-12)


@WEIGHTED
def test_poisson_is_half_of_scikit_learns_deviance(weighted):
    loss, y, raw, w = problem("poisson", 20, 1, weighted)
    theirs = mean_poisson_deviance(
        y[:, 0], np.exp(raw[:, 0]), sample_weight=None if w is None else w[:, 0]
    )
    np.testing.assert_allclose(evaluate(loss, y, raw, w)[0], theirs / 2, rtol=1e-12)


@WEIGHTED
def test_squared_error_is_half_of_scikit_learns_summed_over_outputs(weighted):
    loss, y, raw, w = problem("squared_error", 20, 3, weighted)
    theirs = mean_squared_error(
        y,
        raw,
        sample_weight=None if w is None else w[:, 0],
        multioutput="raw_values",
    ).sum()
    np.testing.assert_allclose(evaluate(loss, y, raw, w)[0], theirs / 2, rtol=1e-12)


@pytest.mark.parametrize(
    "stored", ORACLE["cases"], ids=lambda case: f"{case['loss']}-{case['fields']}"
)
def test_losses_and_gradient_equal_pytorchs(stored):
    loss = LOSSES[stored["loss"]](**stored["fields"])
    y, raw = np.array(stored["y"]), np.array(stored["raw"])
    gradient = np.empty_like(raw)
    values = loss.pointwise(y, raw, gradient, Tape()).sum(axis=-1)
    np.testing.assert_allclose(values, stored["values"], rtol=1e-12)
    np.testing.assert_allclose(gradient, stored["gradient"], rtol=1e-10, atol=1e-15)


def test_two_classes_in_two_outputs_or_one_are_the_same_loss():
    binary, y, raw, _ = problem("binary_log_loss", 8, 1)
    multinomial = MultinomialLogLoss()
    both = np.hstack([np.zeros_like(raw), raw])
    np.testing.assert_allclose(
        evaluate(binary, y, raw)[0],
        evaluate(multinomial, np.hstack([1 - y, y]), both)[0],
        rtol=1e-13,
    )


# Far from zero -------------------------------------------------------------------


def softmax_reference(y, raw):
    exact = raw.astype(np.longdouble)
    p = softmax(exact, axis=-1)
    value = np.mean(logsumexp(exact, axis=-1) - np.sum(y * exact, axis=-1))
    return float(value), ((p - y) / len(y)).astype(float)


@pytest.mark.parametrize("offset", [0.0, 300.0, -300.0, 700.0, -700.0, 1e4, -1e4])
def test_multinomial_is_exact_wherever_the_scores_lie(offset):
    # Around zero exp is taken as it is; further out the rows' maxima come off first.
    loss, y, raw, _ = problem("multinomial_log_loss", 6, 4)
    raw += offset
    value, gradient = evaluate(loss, y, raw)
    expected = softmax_reference(y, raw)
    np.testing.assert_allclose(value, expected[0], rtol=1e-12, atol=4e-16 * abs(offset))
    # Without the maxima taken off, exp(z) is off by z roundings.
    np.testing.assert_allclose(
        gradient, expected[1], rtol=1e-12 if abs(offset) < 100 else 5e-13, atol=1e-16
    )


@pytest.mark.parametrize("spread", [1.0, 30.0, 250.0])
def test_multinomial_is_the_same_with_and_without_the_shift(monkeypatch, spread):
    loss, y, raw, w = problem("multinomial_log_loss", 40, 5, weighted=True)
    raw *= spread / np.abs(raw).max()
    assert not classification._may_overflow(raw)
    plain = evaluate(loss, y, raw, w)
    monkeypatch.setattr(classification, "_may_overflow", lambda raw: True)
    shifted = evaluate(loss, y, raw, w)
    np.testing.assert_allclose(plain[0], shifted[0], rtol=1e-13)
    np.testing.assert_allclose(plain[1], shifted[1], rtol=1e-12, atol=1e-17)


@DTYPES
def test_the_shift_is_made_exactly_where_exp_could_overflow(dtype):
    largest = np.log(np.finfo(dtype).max)
    many = np.full((50, 2), 0.5 * largest, dtype)  # a large norm of harmless scores
    assert not classification._may_overflow(np.zeros((3, 2), dtype))
    assert not classification._may_overflow(many)
    for extreme in (largest, -largest, 1e4, -1e4, np.nan):
        for others in (many, np.zeros_like(many)):
            one = others.copy()
            one[7, 1] = extreme
            assert classification._may_overflow(one)


@DTYPES
@pytest.mark.parametrize("size", [80.0, 100.0, 640.0, 720.0, 1e4])
@pytest.mark.parametrize("name", ["binary_log_loss", "multinomial_log_loss"])
def test_log_losses_are_finite_however_sure_the_scores_are(name, size, dtype):
    loss, y, raw, _ = problem(name, 30, 3)
    raw = (size * np.sign(raw)).astype(dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value, gradient = evaluate(loss, y.astype(dtype), raw)
        prediction = loss.link_inverse(raw.copy())
    expected = np.mean(formula(loss, y, raw.astype(float)))
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    np.testing.assert_allclose(gradient, (prediction - y) / 30, atol=1e-8)


def far_targets(loss, dtype):
    """Targets at the edges of the domain, one sample each."""
    if loss.link == "softmax":
        return np.eye(3, dtype=dtype)
    if loss.link == "logistic":
        return np.array([[0.0], [1.0]], dtype)
    largest = 1e10 if dtype == np.float32 else 1e100
    y = np.array([[1.0], [1e-30], [largest]], dtype)
    if loss.link == "exp":
        return np.vstack([y, [[0.0]]]).astype(dtype) if takes_zeros(loss) else y
    return np.vstack([y, -y, [[0.0]]]).astype(dtype)


def far_scores(n_raw):
    """Raw predictions near and far, each with each in the first two columns."""
    levels = [x for size in (0.0, 1.0, 50.0, 1e3, 1e8) for x in (size, -size)]
    if n_raw == 1:
        return np.array(levels)[:, None]
    pairs = np.stack(np.meshgrid(levels, levels), axis=-1).reshape(-1, 2)
    return np.hstack([pairs, np.zeros((len(pairs), n_raw - 2))])


@ROWS
@DTYPES
def test_no_score_and_no_target_is_too_far(name, dtype):
    loss = CASES[name]
    y = far_targets(loss, dtype)
    raw = far_scores(loss.n_raw(y.shape[1])).astype(dtype)
    y, raw = (np.repeat(y, len(raw), axis=0), np.tile(raw, (len(y), 1)))
    gradient = np.full_like(raw, np.nan)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        values = loss.pointwise(y, raw, gradient, Tape())
        predictions = loss.link_inverse(raw.copy())
    assert values.dtype == gradient.dtype == predictions.dtype == dtype
    assert np.isfinite(values).all()
    assert np.isfinite(gradient).all()
    assert np.isfinite(predictions).all()
    if loss.link == "exp":
        assert (predictions > 0).all()


@ROWS
def test_scores_that_are_not_numbers_have_no_loss(name):
    loss, y, raw, _ = problem(name)
    raw[4] = np.nan
    with np.errstate(invalid="ignore"):
        value, gradient = evaluate(loss, y, raw)
    assert np.isnan(value)
    assert np.isnan(gradient[4]).any()
    assert np.isfinite(np.delete(gradient, 4, axis=0)).all()


@ROWS
def test_stacked_networks_have_losses_of_their_own(name):
    problems = [problem(name, weighted=True, seed=s) for s in range(3)]
    loss, _, _, w = problems[0]
    y, raw = (np.stack([p[i] for p in problems]) for i in (1, 2))
    for targets in (y, y[0]):  # of each network's own, or shared
        value, gradient = evaluate(loss, targets, raw, w)
        assert value.shape == (3,)
        for i in range(3):
            own = targets[i] if targets.ndim == 3 else targets
            expected = evaluate(loss, own, raw[i], w)
            np.testing.assert_allclose(value[i], expected[0], rtol=1e-13)
            np.testing.assert_allclose(gradient[i], expected[1], rtol=1e-13)


# Links ---------------------------------------------------------------------------


@ROWS
@DTYPES
def test_link_inverse_is_the_link_that_the_loss_names(name, dtype):
    loss, y, raw, _ = problem(name)
    raw = raw.astype(dtype)
    if loss.n_raw(3) > 3:  # a room of their own tests these
        assert loss.link_inverse(raw.copy()).shape == y.shape
        assert loss.link_inverse(raw.copy()).dtype == dtype
        return
    expected = LINKS[loss.link](raw.astype(float))
    prediction = loss.link_inverse(raw.copy())
    assert prediction.dtype == dtype
    np.testing.assert_allclose(
        prediction, expected, rtol=1e-13 if dtype == np.float64 else 1e-6
    )


@CANONICAL
def test_the_gradient_is_prediction_minus_target(name):
    loss, y, raw, _ = problem(name)
    _, gradient = evaluate(loss, y, raw)
    expected = (loss.link_inverse(raw.copy()) - y) / len(y)
    np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=1e-16)


@DTYPES
def test_a_yes_or_no_is_never_certain(dtype):
    raw = np.array([[-np.inf, -1e30, -1e4, -50, 50, 1e4, 1e30, np.inf]], dtype).T
    p = BinaryLogLoss().link_inverse(raw)
    assert p.dtype == dtype
    assert (p > 0).all()
    assert (p < 1).all()
    assert (np.log(p) > -np.inf).all()
    assert (np.log1p(-p) > -np.inf).all()


@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 1e4), k=st.integers(1, 6))
def test_class_probabilities_sum_to_one(seed, scale, k):
    raw = np.random.default_rng(seed).normal(size=(5, k)) * scale
    p = MultinomialLogLoss().link_inverse(raw)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-14)
    assert (p >= 0).all()


# Targets -------------------------------------------------------------------------


@ROWS
def test_targets_and_settings_inside_the_domain_pass(name):
    loss, y, _, _ = problem(name)
    loss.validate()
    loss.check_targets(y)


def test_poisson_takes_zeros():
    Poisson().check_targets(np.zeros((3, 1)))
    value, gradient = evaluate(Poisson(), np.zeros((1, 1)), np.zeros((1, 1)))
    assert (value, gradient[0, 0]) == (1.0, 1.0)


@pytest.mark.parametrize("value", [-1.0, -1e-9, np.nan, -np.inf])
def test_poisson_refuses_targets_below_zero(value):
    y = np.array([[1.0], [value], [0.0]])
    with pytest.raises(ValueError, match=r"loss='poisson' needs targets y >= 0, got"):
        Poisson().check_targets(y)


@CANONICAL
@WEIGHTED
def test_the_best_constant_prediction_is_the_weighted_mean(name, weighted):
    loss, y, _, w = problem(name, n=40, weighted=weighted)

    def objective(constant):
        raw = np.repeat(constant[None], 40, axis=0)
        value, gradient = evaluate(loss, y, raw, w)
        return value, gradient.sum(axis=0)

    best = minimize(objective, np.zeros(3), jac=True, options={"gtol": 1e-10}).x
    weights = None if w is None else w[:, 0]
    np.testing.assert_allclose(
        loss.link_inverse(best[None].copy())[0],
        np.average(y, axis=0, weights=weights),
        rtol=1e-6,
    )


# As objects ----------------------------------------------------------------------


@ROWS
def test_a_loss_clones_pickles_and_compares_by_value(name):
    loss = CASES[name]
    assert isinstance(loss, Loss)
    assert loss.get_params() == vars(loss)
    assert loss.set_params(**loss.get_params()) is loss
    twin = clone(loss)
    assert twin is not loss
    assert twin == loss == pickle.loads(pickle.dumps(loss))


def test_a_parameter_that_a_loss_does_not_have_is_refused():
    with pytest.raises(ValueError, match="SquaredError has no parameter 'delta'"):
        SquaredError().set_params(delta=1.0)


@ROWS
@WEIGHTED
def test_float32_stays_float32_and_close_to_float64(name, weighted):
    loss, y, raw, w = problem(name, 50, 4, weighted)
    single = raw.astype(np.float32)
    value, gradient = evaluate(
        loss, y.astype(np.float32), single, None if w is None else w.astype(np.float32)
    )
    exact = evaluate(loss, y, single.astype(float), w)
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(value, exact[0], rtol=1e-6)
    np.testing.assert_allclose(gradient, exact[1], rtol=1e-6, atol=4e-7 / 50)


def test_the_message_of_poisson_has_a_plain_number():
    with pytest.raises(ValueError, match=r"smallest value of -1\.0\."):
        Poisson().check_targets(np.array([[-1.0]]))


def test_the_binary_loss_keeps_its_digits_where_the_network_is_right():
    raw, y = (
        np.array([[12.0], [-12.0]], np.float32),
        np.array([[1.0], [0.0]], np.float32),
    )
    loss, gradient = BinaryLogLoss(), np.empty_like(raw)
    values = loss.pointwise(y, raw, gradient, Tape())
    np.testing.assert_allclose(values, np.log1p(np.exp(-12.0)), rtol=1e-6)
