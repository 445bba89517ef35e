"""Losses as keywords: linear models against scikit-learn's, intervals, refusals."""

import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris, make_regression
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    HuberRegressor,
    LogisticRegression,
    PoissonRegressor,
    QuantileRegressor,
    TweedieRegressor,
)
from sklearn.metrics import mean_pinball_loss
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import scale
from sklearn.utils.fixes import parse_version

from sknn import MLPClassifier, MLPEstimator, MLPRegressor, PerceptronClassifier
from sknn.estimators._sklearn import SKLEARN_VERSION
from sknn.losses import GaussianNLL, Huber, Loss, Quantile, SquaredError, Tweedie

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)
X = rng.normal(size=(300, 3))
mean = np.exp(0.5 + X @ [0.3, -0.4, 0.1])
counts = rng.poisson(mean).astype(float)
positive = rng.gamma(2.0, mean / 2)
number = X @ [1.0, -2.0, 0.5] + rng.standard_t(3, size=300)


def linear(loss, alpha=0.0, **settings):
    """A network without hidden layers, trained to convergence."""
    return MLPRegressor(
        loss,
        (),
        solver="lbfgs",
        alpha=alpha,
        tol=1e-9,
        max_iter=5000,
        random_state=0,
        **settings,
    )


# Linear models -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "theirs", "y"),
    [
        ("poisson", PoissonRegressor(alpha=0.1), counts),
        ("gamma", GammaRegressor(alpha=0.1), positive),
        ("tweedie", TweedieRegressor(power=1.5, alpha=0.1, link="log"), counts),
        (Tweedie(1.2), TweedieRegressor(power=1.2, alpha=0.1, link="log"), counts),
    ],
    ids=str,
)
def test_generalised_linear_models_have_scikit_learns_coefficients(loss, theirs, y):
    theirs.set_params(tol=1e-9, max_iter=5000).fit(X, y)
    ours = linear(loss, alpha=0.1 * len(y)).fit(X, y)
    np.testing.assert_allclose(ours.coefs_[0][:, 0], theirs.coef_, rtol=1e-4)
    np.testing.assert_allclose(ours.intercepts_[0], theirs.intercept_, rtol=1e-4)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-4)


def test_huber_is_scikit_learns_at_its_scale():
    theirs = HuberRegressor(alpha=0.5, tol=1e-9, max_iter=5000).fit(X, number)
    loss = Huber(delta=theirs.epsilon * theirs.scale_)
    ours = linear(loss, alpha=0.5 * theirs.scale_).fit(X, number)
    np.testing.assert_allclose(ours.coefs_[0][:, 0], theirs.coef_, rtol=1e-4)
    np.testing.assert_allclose(ours.intercepts_[0], theirs.intercept_, atol=1e-4)


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_quantiles_come_near_the_best_linear_ones(quantile):
    theirs = QuantileRegressor(quantile=quantile, alpha=0.0).fit(X, number)
    ours = MLPRegressor(
        "quantile", (), quantile=quantile, max_iter=1500, learning_rate_init=0.01
    ).set_params(alpha=0.0, random_state=0, tol=0.0)
    ours.fit(X, number)
    best, reached = (
        mean_pinball_loss(number, model.predict(X), alpha=quantile)
        for model in (theirs, ours)
    )
    assert reached < 1.002 * best


@pytest.mark.parametrize("n_classes", [2, 3])
def test_log_loss_is_logistic_regression(n_classes):
    iris, labels = load_iris(return_X_y=True)
    iris, rows = scale(iris), labels < n_classes
    theirs = LogisticRegression(C=0.5, tol=1e-10, max_iter=5000)
    theirs.fit(iris[rows], labels[rows])
    ours = MLPClassifier((), solver="lbfgs", alpha=2.0, tol=1e-9, max_iter=5000)
    ours.set_params(random_state=0).fit(iris[rows], labels[rows])
    np.testing.assert_allclose(
        ours.predict_proba(iris), theirs.predict_proba(iris), atol=1e-4
    )


@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_the_elastic_net_is_scikit_learns(l1_ratio):
    theirs = ElasticNet(alpha=0.2, l1_ratio=l1_ratio, tol=1e-9).fit(X, number)
    ours = MLPRegressor("squared_error", (), l1_ratio=l1_ratio, random_state=0)
    ours.set_params(alpha=0.2 * len(number), batch_size=300, learning_rate="cosine")
    ours.set_params(max_iter=1500, learning_rate_init=0.02, n_iter_no_change=np.inf)
    ours.fit(X, number)
    np.testing.assert_allclose(ours.coefs_[0][:, 0], theirs.coef_, atol=2e-3)


# Intervals -----------------------------------------------------------------------


def spread_data(n=3000, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, size=(n, 1))
    y = 100 + 20 * (
        np.sin(2 * x[:, 0]) + (0.2 + 0.3 * abs(x[:, 0])) * rng.normal(size=n)
    )
    return x, y


NETWORK = {
    "hidden_layer_sizes": (32,),
    "normalize_y": True,
    "learning_rate_init": 0.01,
    "max_iter": 60,
    "random_state": 0,
}


@pytest.mark.parametrize("estimator", [MLPRegressor, MLPEstimator])
@pytest.mark.parametrize(
    "settings",
    [
        {"loss": "quantile", "quantile": [0.05, 0.5, 0.95]},
        {"loss": Quantile((0.05, 0.25, 0.95))},
        {"loss": "gaussian_nll"},
        {"loss": GaussianNLL()},
    ],
    ids=str,
)
def test_intervals_cover_what_they_promise(estimator, settings):
    model = estimator(**NETWORK, **settings).fit(*spread_data())
    x, y = spread_data(seed=2)
    low, high = model.predict_interval(x, coverage=0.9).T
    assert 0.87 < np.mean((low <= y) & (y <= high)) < 0.93
    narrow, wide = np.abs(x[:, 0]) < 0.3, np.abs(x[:, 0]) > 1.7
    assert (high - low)[wide].mean() > 2 * (high - low)[narrow].mean()
    assert model.score(x, y) > 0.55  # the noise leaves 0.63 to explain


def test_quantiles_do_not_cross_and_predict_is_the_median():
    levels = [0.01, 0.3, 0.5, 0.9]
    model = MLPRegressor("quantile", quantile=levels, **NETWORK).fit(*spread_data())
    far = np.linspace(-50, 50, 400)[:, None]
    quantiles = model.predict_quantiles(far)
    assert quantiles.shape == (400, 4)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    np.testing.assert_array_equal(model.predict(far), quantiles[:, 2])
    assert model.n_outputs_ == 1
    assert model.coefs_[-1].shape[1] == 4


def test_quantiles_may_come_as_an_array():
    listed = MLPRegressor("quantile", quantile=[0.1, 0.9], max_iter=2, random_state=0)
    array = clone(listed).set_params(quantile=np.array([0.1, 0.9])).fit(X, number)
    np.testing.assert_array_equal(array.predict(X), listed.fit(X, number).predict(X))
    with pytest.raises(ValueError, match=r"quantile=.* has no meaning"):
        MLPRegressor(quantile=np.array([0.1, 0.9])).fit(X, number)


def test_standard_deviations_are_in_the_units_of_y():
    x, y = spread_data()
    model = MLPRegressor("gaussian_nll", **NETWORK).fit(x, y)
    mean, std = model.predict(x, return_std=True)
    assert mean.shape == std.shape == y.shape
    z = (y - mean) / std
    assert abs(z.std() - 1) < 0.1
    with pytest.raises(ValueError, match="return_std=True needs loss='gaussian_nll'"):
        MLPRegressor(**NETWORK).fit(x, y).predict(x, return_std=True)


def test_several_outputs_have_quantiles_and_deviations_each():
    x, y = spread_data(600)
    both = np.c_[y, -y]
    quantiles = MLPRegressor("quantile", quantile=[0.1, 0.9], **NETWORK).fit(x, both)
    assert quantiles.predict_quantiles(x).shape == (600, 2, 2)
    assert quantiles.predict_interval(x, coverage=0.8).shape == (600, 2, 2)
    assert quantiles.predict(x).shape == (600, 2)
    normal = MLPRegressor("gaussian_nll", **NETWORK).fit(x, both)
    assert normal.predict(x, return_std=True)[1].shape == (600, 2)
    assert normal.n_outputs_ == 2


def test_what_a_loss_does_not_have_does_not_exist():
    assert not hasattr(MLPRegressor(), "predict_quantiles")
    assert not hasattr(MLPRegressor("gaussian_nll"), "predict_quantiles")
    assert hasattr(MLPRegressor("gaussian_nll"), "predict_interval")
    model = MLPRegressor("quantile", quantile=[0.1, 0.9], **NETWORK)
    model.fit(*spread_data(100))
    with pytest.raises(ValueError, match=r"needs the quantiles 0\.05 and 0\.95"):
        model.predict_interval(np.zeros((1, 1)))
    with pytest.raises(ValueError, match=r"coverage must lie in \(0, 1\), got 90"):
        model.predict_interval(np.zeros((1, 1)), coverage=90)


# normalize_y ---------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_normalize_y_is_scaling_by_hand(solver, dtype):
    x, y = X.astype(dtype), (1e4 + 300 * number).astype(dtype)
    settings = {"hidden_layer_sizes": (8,), "solver": solver, "random_state": 0}
    settings["max_iter"] = 30
    ours = MLPRegressor(normalize_y=True, **settings).fit(x, y)
    wide = y.astype(float)
    scaled = (wide - wide.mean()) / wide.std()
    theirs = MLPRegressor(**settings).fit(x, scaled.astype(dtype))
    expected = theirs.predict(x).astype(float) * wide.std() + wide.mean()
    np.testing.assert_allclose(ours.predict(x), expected, rtol=1e-4)
    assert ours.predict(x).dtype == dtype
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-3)


def test_normalize_y_with_weights_constants_outputs_and_early_stopping():
    w = np.r_[np.ones(200), np.zeros(100)]
    model = MLPRegressor(normalize_y=True, max_iter=5).fit(X, number, w)
    np.testing.assert_allclose(model._targets.center, number[:200].mean())
    settings = {"normalize_y": True, "random_state": 0}
    constant = MLPRegressor(max_iter=300, **settings).fit(X, np.full(300, 7.0))
    np.testing.assert_allclose(constant.predict(X), 7.0, atol=0.2)
    both = np.c_[number, 1000 * number]
    several = MLPRegressor(
        normalize_y=True, early_stopping=True, random_state=0, learning_rate_init=0.01
    ).fit(X, both)
    assert several.score(X, both) > 0.5
    assert several.best_validation_score_ > 0.2


def test_normalize_y_is_refused_where_it_cannot_be():
    with pytest.raises(ValueError, match="normalize_y=True needs a loss"):
        MLPRegressor("poisson", normalize_y=True).fit(X, counts)
    with pytest.raises(ValueError, match=r"normalize_y=True cannot .* classes"):
        MLPEstimator(normalize_y=True, task="classification").fit(X, counts > 1)


# Classes -------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{"loss": "focal"}, {"label_smoothing": 0.1}])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_focal_loss_and_label_smoothing_are_less_sure(settings, n_classes):
    iris, labels = load_iris(return_X_y=True)
    rows = labels < n_classes
    plain = MLPClassifier((10,), solver="lbfgs", alpha=1.0, random_state=0)
    plain.set_params(max_iter=300)
    other = clone(plain).set_params(**settings).fit(iris[rows], labels[rows])
    plain.fit(iris[rows], labels[rows])
    sure = plain.predict_proba(iris[rows]).max(axis=1).mean()
    assert other.predict_proba(iris[rows]).max(axis=1).mean() < sure
    assert other.score(iris[rows], labels[rows]) > 0.9


def test_multilabel_targets_take_both():
    y = np.c_[number > 0, X[:, 0] > 0].astype(int)
    for settings in ({"loss": "focal"}, {"label_smoothing": 0.1}):
        model = MLPClassifier((10,), max_iter=100, random_state=0, **settings)
        assert model.fit(X, y).score(X, y) > 0.4


# A loss of one's own -------------------------------------------------------------


@dataclass
class LogCosh(Loss):
    """Logarithm of the hyperbolic cosine of the residual."""

    def pointwise(self, y, raw, gradient, tape):
        np.subtract(raw, y, out=gradient)
        values = np.logaddexp(gradient, -gradient) - np.log(2)
        np.tanh(gradient, out=gradient)
        return values


def test_a_loss_of_ones_own_works_as_it_is():
    X, y = make_regression(200, 4, noise=1.0, random_state=0)
    model = MLPRegressor(LogCosh(), (20,), normalize_y=True, random_state=0)
    model.set_params(solver="lbfgs").fit(X, y)
    assert model.score(X, y) > 0.98
    assert pickle.loads(pickle.dumps(model)).loss == LogCosh()


# Choosing ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["squared_error", "absolute_error", "huber", "quantile", "gaussian_nll"],
)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_every_regression_loss_learns(name, solver):
    settings = {"solver": solver, "normalize_y": True, "random_state": 0}
    model = MLPRegressor(name, (16,), learning_rate_init=0.01, **settings)
    assert model.fit(X, number).score(X, number) > 0.5


def test_losses_are_searched_by_name_and_by_their_parameters():
    grid = [
        {"loss": ["squared_error", "huber", Quantile(0.4)]},
        {"loss": [Huber()], "loss__delta": [0.5, 2.0]},
        {"loss": ["quantile"], "quantile": [0.3, [0.2, 0.5]]},
    ]
    model = MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, random_state=0)
    search = GridSearchCV(model, grid, cv=2).fit(X, number)
    assert len(search.cv_results_["params"]) == 7
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (MLPRegressor("focal"), "'loss' parameter of MLPRegressor"),
        (MLPClassifier(loss="huber"), "'loss' parameter of MLPClassifier"),
        (MLPRegressor(quantile=0.3), "quantile=0.3 has no meaning for 'squared_error'"),
        (MLPRegressor("quantile", quantile=[0.9, 0.1]), "quantile"),
        (MLPRegressor("quantile", quantile=1.0), "'quantile' parameter"),
        (MLPRegressor("quantile", quantile=[]), "quantile"),
        (MLPRegressor(Quantile(0.3), quantile=0.3), "quantile=0.3 contradicts loss="),
        (MLPRegressor(Huber(-1.0)), "'delta' parameter of Huber"),
        (MLPRegressor("gamma"), r"[Gg]amma"),
        (MLPRegressor("tweedie"), r"[Tt]weedie"),
        (MLPClassifier(label_smoothing=1.0), "'label_smoothing' parameter"),
        (
            MLPClassifier(loss="focal", label_smoothing=0.1),
            "label_smoothing=0.1 has no meaning for 'focal'",
        ),
        (
            MLPEstimator(task="regression", loss="focal"),
            "loss='focal' cannot be used where y holds numbers",
        ),
        (
            MLPEstimator(task="classification", loss="huber"),
            "loss='huber' cannot be used where y holds classes",
        ),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(model, words):
    y = np.where(number > 0, 1, -1)
    with pytest.raises((ValueError, TypeError), match=words):
        model.fit(X, y)


def test_an_object_may_stand_for_its_name():
    one = MLPRegressor(SquaredError(), max_iter=3, random_state=0).fit(X, number)
    two = MLPRegressor("squared_error", max_iter=3, random_state=0).fit(X, number)
    np.testing.assert_array_equal(one.coefs_[0], two.coefs_[0])


# Calibration ---------------------------------------------------------------------


@pytest.mark.parametrize("method", ["isotonic", "sigmoid", "temperature"])
@pytest.mark.parametrize(
    "classifier",
    [
        MLPClassifier((5,), max_iter=50, learning_rate_init=0.02, random_state=0),
        MLPClassifier(
            loss="focal", max_iter=50, learning_rate_init=0.02, random_state=0
        ),
        MLPEstimator(
            (5,),
            task="classification",
            max_iter=50,
            learning_rate_init=0.02,
            random_state=0,
        ),
        PerceptronClassifier(random_state=0),
    ],
    ids=lambda classifier: type(classifier).__name__,
)
def test_every_classifier_can_be_calibrated(classifier, method):
    if method == "temperature" and parse_version("1.8") > SKLEARN_VERSION:
        pytest.skip("scikit-learn 1.8 brought temperature scaling")
    iris, labels = load_iris(return_X_y=True)
    calibrated = CalibratedClassifierCV(classifier, method=method, cv=3)
    p = calibrated.fit(scale(iris), labels).predict_proba(scale(iris))
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-6)
    assert (p.argmax(axis=1) == labels).mean() > 0.8
