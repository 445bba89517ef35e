"""scikit-learn's Perceptron, number for number, where samples keep their order."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_iris,
    load_wine,
    make_classification,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Perceptron, SGDClassifier
from sklearn.utils.fixes import parse_version

from sknn.estimators._sklearn import SKLEARN_VERSION
from sknn.estimators.perceptron import PerceptronClassifier

pytestmark = [
    pytest.mark.skipif(
        parse_version("1.9") > SKLEARN_VERSION,
        reason="the numbers are those of scikit-learn 1.9",
    ),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

PENALTIES = [None, "l2", "l1", "elasticnet"]


def binary():
    return make_classification(
        240, 15, n_informative=8, flip_y=0.1, class_sep=0.7, random_state=1
    )


def multiclass():
    return make_classification(
        200, 12, n_informative=8, n_classes=4, random_state=2, class_sep=0.8
    )


def sparse_binary():
    X = sparse.random(240, 60, density=0.1, random_state=3, format="csr")
    w = np.random.RandomState(3).randn(60)
    return X, (X @ w > 0).astype(int)


def sparse_multiclass():
    X, _ = sparse_binary()
    w = np.random.RandomState(4).randn(60)
    return X, np.digitize(X @ w, [-0.4, 0.4])


DATA = {f.__name__: f() for f in (binary, multiclass, sparse_binary, sparse_multiclass)}


def difference(ours, theirs):
    """Return the largest difference over the largest entry."""
    return np.abs(ours - theirs).max() / max(np.abs(theirs).max(), 1e-300)


def assert_same_fit(X, y, *, fit=None, theirs=Perceptron, same=1e-10, **params):
    their_params = {"loss": "perceptron", "learning_rate": "constant", "eta0": 1.0}
    fixed = their_params if theirs is SGDClassifier else {}
    a = PerceptronClassifier(shuffle=False, **params).fit(X, y, **(fit or {}))
    b = theirs(shuffle=False, **{**fixed, **params}).fit(X, y, **(fit or {}))
    assert_same_model(a, b, same)
    return a


def assert_same_model(a, b, same=1e-10):
    assert difference(a.coef_, b.coef_) <= same
    assert difference(a.intercept_, b.intercept_) <= max(same, 1e-300)
    assert (a.n_iter_, a.t_) == (b.n_iter_, b.t_)
    assert a.coef_.shape == b.coef_.shape
    assert a.intercept_.shape == b.intercept_.shape
    assert a.classes_.tolist() == b.classes_.tolist()


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("data", DATA)
def test_default_stopping_gives_the_same_weights_after_the_same_epochs(data, penalty):
    assert_same_fit(*DATA[data], penalty=penalty)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("data", DATA)
def test_tol_none_makes_all_epochs(data, penalty):
    model = assert_same_fit(*DATA[data], penalty=penalty, tol=None, max_iter=12)
    assert model.n_iter_ == 12


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("data", DATA)
def test_early_stopping_holds_out_the_same_rows_and_stops_alike(data, penalty):
    params = {"early_stopping": True, "validation_fraction": 0.2}
    assert_same_fit(*DATA[data], penalty=penalty, alpha=1e-3, **params)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("data", DATA)
def test_weights_of_samples_and_classes_count_alike(data, penalty):
    X, y = DATA[data]
    w = np.random.RandomState(5).uniform(0, 2, len(y))
    w[::7] = 0.0
    class_weight = {label: 0.5 + 0.3 * label for label in np.unique(y)}
    for given in (class_weight, "balanced"):
        assert_same_fit(
            X,
            y,
            penalty=penalty,
            class_weight=given,
            max_iter=8,
            fit={"sample_weight": w},
        )


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("data", DATA)
def test_other_rates_strengths_and_no_intercept(data, penalty):
    X, y = DATA[data]
    assert_same_fit(
        X,
        y,
        penalty=penalty,
        eta0=0.37,
        alpha=0.003,
        l1_ratio=0.4,
        fit_intercept=False,
        max_iter=15,
        n_iter_no_change=3,
        tol=0.01,
    )


@pytest.mark.parametrize("alpha", [0.0, 0.5, 3.0])
@pytest.mark.parametrize("penalty", ["l2", "elasticnet"])
@pytest.mark.parametrize("data", ["binary", "sparse_binary"])
def test_strengths_from_none_to_all_that_wipe_the_weights_out(data, penalty, alpha):
    assert_same_fit(*DATA[data], penalty=penalty, alpha=alpha, max_iter=6)


@pytest.mark.parametrize("data", DATA)
def test_without_penalty_the_bits_are_the_same(data):
    assert_same_fit(*DATA[data], tol=None, max_iter=20, eta0=0.3, same=0.0)


@pytest.mark.parametrize("eta0", [1.0, 0.1])
@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
def test_ties_in_decimal_data_are_decided_alike(load, eta0):
    X, y = load(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(y))
    assert_same_fit(X[order], y[order], tol=None, max_iter=80, eta0=eta0, same=0.0)


@pytest.mark.parametrize("eta0", [1.0, 0.1])
def test_ties_in_counts_are_decided_alike(eta0):
    X, y = load_digits(return_X_y=True)
    assert_same_fit(X[:600], y[:600], tol=None, max_iter=25, eta0=eta0, same=0.0)
    model = assert_same_fit(
        sparse.csr_matrix(X[:400]), y[:400], max_iter=8, tol=None, eta0=eta0, same=0.0
    )
    assert model.n_iter_ == 8


@pytest.mark.parametrize("data", DATA)
def test_initial_weights_and_warm_start_go_on_alike(data):
    X, y = DATA[data]
    n = 1 if len(np.unique(y)) == 2 else len(np.unique(y))
    rng = np.random.RandomState(6)
    start = {"coef_init": rng.randn(n, X.shape[1]), "intercept_init": rng.randn(n)}
    copies = {name: array.copy() for name, array in start.items()}
    params = {"shuffle": False, "max_iter": 4, "tol": None, "warm_start": True}
    ours = PerceptronClassifier(**params).fit(X, y, **start)
    theirs = Perceptron(**params).fit(X, y, **copies)
    assert_same_model(ours, theirs)
    assert_same_model(ours.fit(X, y), theirs.fit(X, y))
    if n == 1:
        flat = {"coef_init": copies["coef_init"][0], "intercept_init": 0.5}
        assert_same_model(ours.fit(X, y, **flat), theirs.fit(X, y, **flat))


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("data", DATA)
def test_partial_fit_goes_on_alike(data, penalty):
    X, y = DATA[data]
    params = {"shuffle": False, "penalty": penalty, "class_weight": {0: 0.7}}
    ours, theirs = PerceptronClassifier(**params), Perceptron(**params)
    for part in np.array_split(np.arange(len(y)), 4) * 3:
        for model in (ours, theirs):
            model.partial_fit(X[part], y[part], classes=np.unique(y))
        assert_same_model(ours, theirs)


@pytest.mark.parametrize("penalty", [None, "l2"])
@pytest.mark.parametrize("average", [True, 150, 10**6])
@pytest.mark.parametrize("data", DATA)
def test_average_is_that_of_sgd_classifier(data, average, penalty):
    params = {"average": average, "penalty": penalty, "alpha": 1e-3, "max_iter": 6}
    assert_same_fit(*DATA[data], theirs=SGDClassifier, tol=None, **params)


def test_separated_data_stop_after_the_same_number_of_epochs():
    X, y = load_iris(return_X_y=True)
    y = (y == 0).astype(int)
    for params in ({}, {"tol": None, "max_iter": 30}, {"early_stopping": True}):
        model = assert_same_fit(X, y, same=0.0, **params)
        assert model.converged_


def test_predictions_and_scores_are_the_same():
    for X, y in DATA.values():
        a = PerceptronClassifier(shuffle=False).fit(X, y)
        b = Perceptron(shuffle=False).fit(X, y)
        np.testing.assert_array_equal(a.predict(X), b.predict(X))
        np.testing.assert_allclose(
            a.decision_function(X), b.decision_function(X), rtol=1e-9, atol=1e-9
        )
        assert a.score(X, y) == b.score(X, y)


def test_float32_comes_as_close_as_its_digits_allow():
    X, y = multiclass()
    X = X.astype(np.float32)
    params = {"shuffle": False, "max_iter": 3, "tol": None}
    a = PerceptronClassifier(**params).fit(X, y)
    b = Perceptron(**params).fit(X, y)
    assert a.coef_.dtype == b.coef_.dtype == np.float32
    assert difference(a.coef_, b.coef_) < 1e-4


def test_the_warning_at_the_limit_is_the_same():
    X, y = binary()
    texts = []
    for kind in (PerceptronClassifier, Perceptron):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            kind(max_iter=2, shuffle=False).fit(X, y)
        assert [w.category for w in caught] == [ConvergenceWarning]
        texts.append(str(caught[0].message))
    assert texts[0] == texts[1]


def test_constructor_and_methods_have_the_same_parameters_and_defaults():
    ours, theirs = PerceptronClassifier().get_params(), Perceptron().get_params()
    assert {name: ours[name] for name in theirs} == theirs
    assert set(ours) - set(theirs) == {"average", "pocket", "multi_class"}
    for method in ("fit", "partial_fit", "score", "predict", "decision_function"):
        names = [
            getattr(kind, method).__code__.co_varnames
            if not hasattr(getattr(kind, method), "__wrapped__")
            else getattr(kind, method).__wrapped__.__code__.co_varnames
            for kind in (PerceptronClassifier, Perceptron)
        ]
        assert names[0][:2] == names[1][:2]
