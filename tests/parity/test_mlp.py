"""At the defaults the numbers are scikit-learn's, to rounding."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import (
    make_classification,
    make_multilabel_classification,
    make_regression,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier as ReferenceClassifier
from sklearn.neural_network import MLPRegressor as ReferenceRegressor
from sklearn.utils.fixes import parse_version

from sknn import MLPClassifier, MLPEstimator, MLPRegressor
from sknn.estimators._sklearn import SKLEARN_VERSION

pytestmark = [
    pytest.mark.skipif(
        parse_version("1.9") > SKLEARN_VERSION,
        reason="the numbers are those of scikit-learn 1.9",
    ),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

N = 450  # three batches of 200, the last one smaller


def _data(task):
    if task == "binary":
        return make_classification(N, 12, random_state=0)
    if task == "multiclass":
        return make_classification(N, 12, n_informative=8, n_classes=4, random_state=0)
    if task == "multilabel":
        X, y = make_multilabel_classification(N, 12, random_state=0)
        return X / 10, y
    n_targets = 3 if task == "multioutput" else 1
    X, y = make_regression(N, 12, n_targets=n_targets, random_state=0)
    return X, y / 100


TASKS = ("binary", "multiclass", "multilabel", "regression", "multioutput")
STOCHASTIC = {
    "adam": {"solver": "adam"},
    "sgd": {"solver": "sgd"},
    "sgd without momentum": {"solver": "sgd", "momentum": 0.0},
    "sgd without Nesterov": {"solver": "sgd", "nesterovs_momentum": False},
    "invscaling": {
        "solver": "sgd",
        "learning_rate": "invscaling",
        "learning_rate_init": 0.03,
    },
    "invscaling without Nesterov": {
        "solver": "sgd",
        "learning_rate": "invscaling",
        "nesterovs_momentum": False,
    },
    "adaptive": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "tol": 0.02,
        "n_iter_no_change": 2,
    },
    "adaptive without momentum": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "momentum": 0.0,
        "tol": 0.02,
        "n_iter_no_change": 2,
    },
}


def _pair(task, **parameters):
    regression = task in ("regression", "multioutput")
    ours, theirs = (
        (MLPRegressor, ReferenceRegressor)
        if regression
        else (MLPClassifier, ReferenceClassifier)
    )
    parameters = {
        "hidden_layer_sizes": (15, 7),
        "random_state": 3,
        "max_iter": 20,
        **parameters,
    }
    return ours(**parameters), theirs(**parameters)


def _distance(ours, theirs):
    """Largest difference over the largest entry, the worst of all arrays."""
    return max(
        np.abs(np.asarray(a) - np.asarray(b)).max() / np.abs(b).max()
        for a, b in zip(ours, theirs, strict=True)
    )


def assert_same_fit(ours, theirs, limit, curves=True):
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.t_ == theirs.t_
    assert ours.out_activation_ == theirs.out_activation_
    assert _distance(ours.coefs_, theirs.coefs_) <= limit
    assert _distance(ours.intercepts_, theirs.intercepts_) <= limit
    if curves:
        assert _distance([ours.loss_curve_], [theirs.loss_curve_]) <= limit
        assert _distance([ours.loss_], [theirs.loss_]) <= limit


# What is sparse is the input, which no activation sees.
@pytest.mark.parametrize(
    ("activation", "form"),
    [(name, "dense") for name in ("relu", "tanh", "logistic", "identity")]
    + [("relu", "csr")],
)
@pytest.mark.parametrize("solver", STOCHASTIC)
@pytest.mark.parametrize("task", TASKS)
def test_stochastic_fit_equals_scikit_learn(task, solver, activation, form):
    X, y = _data(task)
    X = sparse.csr_matrix(X) if form == "csr" else X
    # scikit-learn's loss of several outputs lacks their number as a factor
    # (deviation 4), which its stopping rule therefore sees too
    curves = task != "multioutput"
    factor = 1 if curves else y.shape[1]
    ours, theirs = _pair(task, activation=activation, **STOCHASTIC[solver])
    ours.set_params(tol=factor * theirs.tol)
    assert_same_fit(ours.fit(X, y), theirs.fit(X, y), 1e-12, curves)

    ours, theirs = _pair(task, activation=activation, max_iter=10, **STOCHASTIC[solver])
    ours.set_params(tol=factor * theirs.tol)
    X = X.astype(np.float32)
    ours, theirs = ours.fit(X, y), theirs.fit(X, y)
    assert ours.coefs_[0].dtype == theirs.coefs_[0].dtype == np.float32
    assert_same_fit(ours, theirs, 1e-4, curves)


@pytest.mark.parametrize("form", ["dense", "csr"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("task", TASKS[:-1])
def test_lbfgs_equals_scikit_learn(task, activation, form):
    X, y = _data(task)
    X = sparse.csr_matrix(X) if form == "csr" else X
    ours, theirs = _pair(task, solver="lbfgs", activation=activation)
    ours, theirs = ours.fit(X, y), theirs.fit(X, y)
    assert ours.n_iter_ == theirs.n_iter_
    assert _distance(ours.coefs_, theirs.coefs_) <= 1e-10
    assert _distance(ours.intercepts_, theirs.intercepts_) <= 1e-10
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-10)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_lbfgs_reaches_the_loss_that_scikit_learn_reaches(task):
    X, y = _data(task)
    parameters = {"solver": "lbfgs", "alpha": 1.0, "activation": "tanh"}
    ours, theirs = _pair(task, max_iter=3000, **parameters)
    ours, theirs = ours.fit(X, y), theirs.fit(X, y)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=2e-2)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_early_stopping_equals_scikit_learn(task, solver, dtype):
    X, y = _data(task)
    ours, theirs = _pair(
        task, solver=solver, early_stopping=True, learning_rate_init=0.01, max_iter=15
    )
    X = X.astype(dtype)
    ours, theirs = ours.fit(X, y), theirs.fit(X, y)
    limit = 1e-12 if dtype == np.float64 else 1e-4
    assert_same_fit(ours, theirs, limit)
    assert ours.best_loss_ is theirs.best_loss_ is None
    scores = _distance([ours.validation_scores_], [theirs.validation_scores_])
    assert scores <= limit
    assert ours.best_validation_score_ == pytest.approx(
        theirs.best_validation_score_, rel=limit
    )


@pytest.mark.parametrize("solver", STOCHASTIC)
@pytest.mark.parametrize("task", TASKS)
def test_first_partial_fit_equals_scikit_learn(task, solver):
    X, y = _data(task)
    ours, theirs = _pair(task, **STOCHASTIC[solver])
    labels = np.arange(5) if task == "multilabel" else np.unique(y)
    known = {} if task in ("regression", "multioutput") else {"classes": labels}
    ours.partial_fit(X, y, **known)
    theirs.partial_fit(X, y, **known)
    assert_same_fit(ours, theirs, 1e-12, curves=task != "multioutput")


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("task", ["regression"])
def test_poisson_equals_scikit_learn(task, solver):
    X, y = _data(task)
    counts = np.random.RandomState(0).poisson(np.exp(0.5 * y)).astype(float)
    ours, theirs = _pair(task, loss="poisson", solver=solver)
    ours, theirs = ours.fit(X, counts), theirs.fit(X, counts)
    assert ours.out_activation_ == "exp"
    limit = 1e-12 if solver != "lbfgs" else 1e-10
    assert _distance(ours.coefs_, theirs.coefs_) <= limit
    assert _distance([ours.predict(X)], [theirs.predict(X)]) <= limit


@pytest.mark.parametrize("task", TASKS)
def test_predictions_equal_scikit_learn(task):
    X, y = _data(task)
    ours, theirs = _pair(task)
    ours, theirs = ours.fit(X, y), theirs.fit(X, y)
    if task in ("regression", "multioutput"):
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-10)
    else:
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
        np.testing.assert_allclose(
            ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-10
        )
        np.testing.assert_allclose(
            ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-9
        )
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y), rel=1e-12)


def test_full_batch_sample_weights_equal_scikit_learn():
    X, y = _data("multiclass")
    w = np.random.RandomState(0).uniform(0.1, 3.0, N)
    for solver in ("adam", "lbfgs"):
        ours, theirs = _pair("multiclass", solver=solver, batch_size=N)
        ours.fit(X, y, sample_weight=w)
        theirs.fit(X, y, sample_weight=w)
        assert _distance(ours.coefs_, theirs.coefs_) <= 1e-10


@pytest.mark.parametrize("sizes", [(), 5, [4, 3, 2], np.array([6])])
def test_every_spelling_of_hidden_layers_equals_scikit_learn(sizes):
    X, y = _data("multiclass")
    ours, theirs = _pair("multiclass", hidden_layer_sizes=sizes, activation="logistic")
    assert_same_fit(ours.fit(X, y), theirs.fit(X, y), 1e-12)


def test_without_shuffle_and_with_a_shared_random_state_equals_scikit_learn():
    X, y = _data("binary")
    ours, theirs = _pair("binary", shuffle=False, batch_size=64)
    assert_same_fit(ours.fit(X, y), theirs.fit(X, y), 1e-12)
    rng_ours, rng_theirs = np.random.RandomState(5), np.random.RandomState(5)
    for _ in range(2):
        ours, theirs = _pair("binary")
        ours.set_params(random_state=rng_ours).fit(X, y)
        theirs.set_params(random_state=rng_theirs).fit(X, y)
        assert_same_fit(ours, theirs, 1e-12)


def test_estimator_with_a_task_is_the_specialist():
    X, y = _data("multiclass")
    specialist = MLPClassifier((9,), random_state=0, max_iter=5).fit(X, y)
    general = MLPEstimator((9,), random_state=0, max_iter=5).fit(X, y)
    np.testing.assert_array_equal(specialist.coefs_[0], general.coefs_[0])
    X, y = _data("regression")
    numbers = MLPRegressor(hidden_layer_sizes=(9,), random_state=0, max_iter=5)
    general = MLPEstimator((9,), task="regression", random_state=0, max_iter=5)
    np.testing.assert_array_equal(
        numbers.fit(X, y).coefs_[0], general.fit(X, y).coefs_[0]
    )


def test_constructors_have_the_same_order_and_defaults():
    import inspect

    pairs = (MLPClassifier, ReferenceClassifier), (MLPRegressor, ReferenceRegressor)
    for ours, theirs in pairs:
        mine = list(inspect.signature(ours).parameters.values())
        reference = list(inspect.signature(theirs).parameters.values())
        for a, b in zip(mine, reference, strict=False):
            assert (a.name, a.default, a.kind) == (b.name, b.default, b.kind)
        extra = mine[len(reference) :]
        assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in extra)


def test_convergence_warning_has_the_same_text():
    X, y = _data("binary")
    texts = []
    for model in _pair("binary", max_iter=2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(X, y)
        (warning,) = (w for w in caught if w.category is ConvergenceWarning)
        texts.append(str(warning.message))
    assert texts[0] == texts[1]


@pytest.mark.parametrize("stop", ["loss", "score", "adaptive"])
def test_verbose_prints_the_same_lines(stop, capsys):
    X, y = _data("binary")
    parameters = {
        "loss": {"tol": 1.0, "n_iter_no_change": 2},
        "score": {"tol": 1.0, "n_iter_no_change": 2, "early_stopping": True},
        "adaptive": {
            "tol": 1.0,
            "n_iter_no_change": 1,
            "solver": "sgd",
            "learning_rate": "adaptive",
        },
    }[stop]
    printed = []
    for model in _pair("binary", verbose=True, max_iter=40, **parameters):
        model.fit(X, y)
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert "Iteration 1, loss = " in printed[0]


def test_bad_parameters_are_refused_in_the_same_words():
    X, y = _data("binary")
    bad = [
        {"alpha": -1},
        {"max_iter": 0},
        {"learning_rate_init": 0.0},
        {"beta_1": 1.0},
        {"momentum": 1.5},
        {"shuffle": "yes"},
        {"hidden_layer_sizes": -3},
        {"hidden_layer_sizes": (3, -1)},
        {"validation_fraction": 1.0},
        {"tol": None},
        {"max_fun": 0},
        {"random_state": "seed"},
        {"verbose": "loud"},
    ]
    for parameters in bad:
        texts = []
        for model in (MLPClassifier(**parameters), ReferenceClassifier(**parameters)):
            with pytest.raises(ValueError) as caught:
                model.fit(X, y)
            texts.append(str(caught.value))
        assert texts[0] == texts[1], parameters
