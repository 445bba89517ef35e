"""Networks go to scikit-learn and come back: predictions, and what comes after them."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor

from sknn import (
    MLPAutoencoder,
    MLPClassifier,
    MLPEstimator,
    MLPRegressor,
    PerceptronClassifier,
    TabularMLPClassifier,
    load,
    save,
)
from sknn.estimators._sklearn import SKLEARN_VERSION
from sknn.export import from_sklearn, to_sklearn
from sknn.layers import Activation, Dense
from sknn.losses import SquaredError
from sknn.optimizers import AdamW

HAS_POISSON = (SKLEARN_VERSION.major, SKLEARN_VERSION.minor) >= (1, 7)
NEEDS_POISSON = pytest.mark.skipif(
    not HAS_POISSON, reason="scikit-learn's networks have loss='poisson' from 1.7 on"
)


def binary(score):
    return np.where(score > 0, "yes", "no")


def three(score):
    return np.digitize(score, [-0.7, 0.7])


def both(score):
    return np.column_stack([score > 0, score > 1]).astype(int)


def one(score):
    return np.full(len(score), "only")


def number(score):
    return 100 + 20 * score


def two(score):
    return np.column_stack([score, 3 - 2 * score])


def counts(score):
    return np.floor(np.abs(3 * score))


def assert_equal_answers(a, b, X, tolerance=1e-13):
    for name in ("predict_proba", "predict"):
        if not (hasattr(a, name) and hasattr(b, name)):
            continue
        found, expected = getattr(a, name)(X), getattr(b, name)(X)
        assert found.dtype == expected.dtype
        if found.dtype.kind == "f":
            scale = max(1, np.abs(expected).max())
            assert np.abs(found - expected).max() <= tolerance * scale
        else:
            assert np.array_equal(found, expected)


OURS = [
    (MLPClassifier((5,)), binary),
    (MLPClassifier((5, 4), "tanh", dropout=0.3, input_dropout=0.1), three),
    (MLPClassifier((5,), "logistic", solver="lbfgs"), both),
    (MLPClassifier((5,), "identity", loss="focal", solver=AdamW()), three),
    (MLPClassifier((), early_stopping=True), binary),
    (MLPEstimator(layers=[Dense(3), Activation("tanh")]), three),
    (MLPRegressor(hidden_layer_sizes=(5,), normalize_y=True), number),
    (MLPRegressor("huber", (5,), learning_rate="cosine"), two),
    pytest.param(MLPRegressor("poisson", (5,)), counts, marks=NEEDS_POISSON),
    (PerceptronClassifier(), binary),
    (PerceptronClassifier(average=True), three),
]


@pytest.mark.parametrize(
    ("model", "target"), OURS, ids=lambda v: getattr(v, "__name__", str(v))
)
def test_scikit_learn_predicts_what_we_predict(model, target, numbers, fit):
    X, score = numbers
    ours = fit(model, X, target(score))
    theirs = to_sklearn(ours)
    assert type(theirs).__module__.startswith("sklearn.")
    assert_equal_answers(theirs, ours, X)
    if isinstance(ours, PerceptronClassifier):
        found, expected = (m.decision_function(X) for m in (theirs, ours))
        np.testing.assert_allclose(found, expected, rtol=1e-13)


THEIRS = [
    (TheirClassifier((5,)), binary),
    (TheirClassifier((5, 4), activation="tanh", solver="sgd"), three),
    (TheirClassifier((5,), activation="logistic", solver="lbfgs"), both),
    (TheirClassifier((5,), early_stopping=True), three),
    (TheirRegressor(hidden_layer_sizes=(5,), activation="identity"), number),
    (TheirRegressor(hidden_layer_sizes=5, solver="sgd", momentum=0.0), two),
]


@pytest.mark.parametrize(
    ("model", "target"), THEIRS, ids=lambda v: getattr(v, "__name__", str(v))
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_we_predict_what_scikit_learn_predicts(model, target, dtype, numbers, fit):
    X, score = numbers
    X, y = X.astype(dtype), target(score)
    theirs = fit(model, X, y.astype(dtype) if y.dtype.kind == "f" else y)
    ours = from_sklearn(theirs)
    tolerance = 1e-13 if dtype == np.float64 else 1e-6
    assert_equal_answers(ours, theirs, X, tolerance)
    for name, value in theirs.get_params().items():
        if name in ours.get_params() and name != "loss":
            assert getattr(ours, name) == value
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.loss_ == theirs.loss_
    again = to_sklearn(ours)
    assert_equal_answers(again, theirs, X, tolerance)
    assert again.get_params() == {**theirs.get_params(), **_as_tuple(theirs)}


def _as_tuple(theirs):
    sizes = np.atleast_1d(theirs.hidden_layer_sizes)
    return {"hidden_layer_sizes": tuple(sizes.tolist())}


def test_one_class_is_one_class(numbers, fit):
    X, score = numbers
    theirs = fit(TheirClassifier((5,)), X, one(score))
    assert from_sklearn(theirs).predict(X).tolist() == ["only"] * len(X)


@NEEDS_POISSON
def test_counts_stay_counts(numbers, fit):
    X, score = numbers
    model = TheirRegressor(hidden_layer_sizes=(5,)).set_params(loss="poisson")
    theirs = fit(model, X, counts(score))
    assert from_sklearn(theirs).loss == "poisson"
    assert_equal_answers(from_sklearn(theirs), theirs, X)


SOLVERS = [
    {"solver": "adam"},
    {"solver": "adam", "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-6},
    {"solver": "sgd"},
    {"solver": "sgd", "nesterovs_momentum": False, "learning_rate": "invscaling"},
    {"solver": "sgd", "momentum": 0.0},
]
SMALL = {"hidden_layer_sizes": (5,), "batch_size": 16, "random_state": 3}


def going_on(model, X, y, times):
    """Further calls of partial_fit, and the weights that they lead to."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(times):
            model.partial_fit(X, y)
    return np.concatenate([W.ravel() for W in [*model.coefs_, *model.intercepts_]])


@pytest.mark.parametrize(
    "solver", SOLVERS, ids=lambda v: getattr(v, "__name__", str(v))
)
@pytest.mark.parametrize(("shuffle", "times"), [(False, 5), (True, 1)])
def test_we_go_on_as_scikit_learn_goes_on(solver, shuffle, times, numbers):
    X, y = numbers[0], three(numbers[1])
    theirs = TheirClassifier(**SMALL, **solver, shuffle=shuffle)
    for _ in range(4):
        theirs.partial_fit(X, y, classes=[0, 1, 2])
    ours = from_sklearn(theirs)
    expected = going_on(theirs, X, y, times)
    found = going_on(ours, X, y, times)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)
    assert ours.loss_ == pytest.approx(theirs.loss_, abs=1e-10)
    assert ours.t_ == theirs.t_


@pytest.mark.parametrize(
    "solver", SOLVERS, ids=lambda v: getattr(v, "__name__", str(v))
)
def test_scikit_learn_goes_on_as_we_go_on(solver, numbers):
    X, y = numbers
    ours = MLPRegressor(**SMALL, **solver, shuffle=False)
    for _ in range(4):
        ours.partial_fit(X, y)
    theirs = to_sklearn(ours)
    expected, found = going_on(ours, X, y, 5), going_on(theirs, X, y, 5)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_an_adaptive_rate_goes_on_at_its_height(numbers, fit):
    X, score = numbers
    model = TheirClassifier((5,), solver="sgd", learning_rate="adaptive", tol=1.0)
    theirs = fit(model.set_params(n_iter_no_change=1), X, three(score))
    ours = from_sklearn(theirs)
    assert ours._state.stalled > 0
    assert ours._optimizer.learning_rate == pytest.approx(
        ours.learning_rate_init / 5**ours._state.stalled
    )


def test_a_warm_start_goes_on_from_the_weights(numbers, fit):
    X, score = numbers
    theirs = fit(TheirClassifier((5,), solver="lbfgs"), X, three(score))
    ours = from_sklearn(theirs).set_params(warm_start=True)
    assert fit(ours, X, three(score)).loss_ < theirs.loss_


def test_random_states_of_others_are_not_drawn_from(numbers, fit):
    X, score = numbers
    theirs = fit(TheirClassifier((5,)), X, three(score))
    state = np.random.RandomState(5)
    theirs.set_params(random_state=state)
    before = state.get_state()[2]
    to_sklearn(from_sklearn(theirs))
    assert state.get_state()[2] == before


def test_names_of_columns_come_along(numbers, fit):
    pd = pytest.importorskip("pandas")
    X, score = numbers
    frame = pd.DataFrame(X, columns=list("abcd"))
    ours = fit(MLPClassifier((5,)), frame, three(score))
    theirs = to_sklearn(ours)
    assert theirs.feature_names_in_.tolist() == list("abcd")
    assert_equal_answers(from_sklearn(theirs), ours, frame)


class Squared(SquaredError):
    """A loss with a link of its own."""

    def link_inverse(self, raw):
        return raw**2


REFUSED = [
    (MLPRegressor(Squared(), (5,)), number, "Squared stands in the way"),
    (MLPClassifier((5,), "gelu"), binary, r"Activation\('gelu'\) stands in the way"),
    (MLPClassifier((5,), normalization="batch"), binary, "BatchNorm"),
    (MLPClassifier((5, 4), residual=True), binary, "Residual"),
    (MLPClassifier((5, 4), ("relu", "tanh")), binary, "one activation"),
    (MLPClassifier((5, 4), ("relu", "identity")), binary, "one activation"),
    (MLPClassifier((5,), missing="mean"), binary, "missing='mean'.*in a pipeline"),
    (MLPClassifier((5,)), one, "one class"),
    (MLPRegressor("gaussian_nll", (5,)), number, "GaussianNLL stands in the way"),
    (MLPRegressor("quantile", (5,), quantile=(0.1, 0.9)), number, "Quantile stands"),
]


@pytest.mark.parametrize(
    ("model", "target", "words"), REFUSED, ids=lambda v: getattr(v, "__name__", str(v))
)
def test_what_scikit_learn_does_not_have_is_named(model, target, words, numbers, fit):
    X, score = numbers
    with pytest.raises(ValueError, match=words):
        to_sklearn(fit(model, X, target(score)))


@pytest.mark.parametrize("convert", [to_sklearn, from_sklearn])
@pytest.mark.parametrize("other", [LogisticRegression(), TabularMLPClassifier(), 3])
def test_other_things_are_refused(convert, other):
    with pytest.raises(TypeError, match=f"got .*{type(other).__name__}"):
        convert(other)


def test_what_is_not_fitted_is_refused():
    for model in (MLPClassifier(), PerceptronClassifier()):
        with pytest.raises(NotFittedError):
            to_sklearn(model)
    with pytest.raises(NotFittedError):
        from_sklearn(TheirClassifier())
    with pytest.raises(TypeError, match="MLPAutoencoder"):
        to_sklearn(MLPAutoencoder())


@pytest.mark.parametrize(
    "solver", SOLVERS[:3], ids=lambda v: getattr(v, "__name__", str(v))
)
def test_what_has_come_from_scikit_learn_can_be_saved(solver, numbers, tmp_path):
    X, y = numbers
    theirs = TheirRegressor(**SMALL, **solver).partial_fit(X, y)
    save(from_sklearn(theirs), tmp_path / "model")
    found = going_on(load(tmp_path / "model"), X, y, 1)
    np.testing.assert_allclose(found, going_on(theirs, X, y, 1), rtol=0, atol=1e-10)
