"""Solvers and schedules by name and as objects: fits, searches, resuming, refusals."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV

from sknn import MLPClassifier
from sknn.layers import Activation, Dense
from sknn.optimizers import OPTIMIZERS, SGD, AdaGrad, Adam, AdamW, Lion, NAdam, RMSProp
from sknn.schedules import SCHEDULES, Cosine, Curve, OneCycle, Warmup

X, y = make_classification(
    200, 6, n_informative=5, n_redundant=0, class_sep=1.5, random_state=0
)
IGNORE = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RATES = {"lion": 0.003, "sgd": 0.1}


def network(**settings):
    return MLPClassifier((10,), **{"random_state": 0, "batch_size": 50, **settings})


@IGNORE
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", OPTIMIZERS)
def test_every_solver_learns_by_its_name(solver, dtype):
    model = network(solver=solver, learning_rate_init=RATES.get(solver, 0.02))
    model.set_params(max_iter=60).fit(X.astype(dtype), y)
    assert model.score(X, y) > 0.9
    assert model.coefs_[0].dtype == dtype


@IGNORE
@pytest.mark.parametrize("solver", ["sgd", "adamw", "lion"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_moves_the_rate_of_every_solver(solver, schedule):
    model = network(solver=solver, learning_rate=schedule, learning_rate_init=0.01)
    model.set_params(max_iter=40, tol=0.0, n_iter_no_change=5).fit(X, y)
    rates = model.history_["learning_rate"]
    legacy = schedule in ("invscaling", "adaptive") and solver != "sgd"
    still = schedule in ("constant", "adaptive", "plateau") or legacy
    assert np.isfinite(rates).all()
    if not still:
        assert len(set(rates)) > 1
    elif schedule == "constant" or legacy:
        assert set(rates) == {0.01}


@IGNORE
def test_scikit_learns_names_mean_what_they_do_there():
    plain = network(max_iter=5).fit(X, y)
    for name in ("invscaling", "adaptive"):
        same = network(max_iter=5, learning_rate=name).fit(X, y)
        np.testing.assert_array_equal(same.coefs_[0], plain.coefs_[0])


@pytest.mark.parametrize(
    "schedule", [n for n, s in SCHEDULES.items() if issubclass(s, Curve)]
)
def test_a_curve_ends_with_the_fit_and_without_a_warning(schedule):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = network(learning_rate=schedule, max_iter=10, n_iter_no_change=np.inf)
        rates = model.fit(X, y).history_["learning_rate"]
    assert len(rates) == 10
    assert rates[-1] < 0.1 * max(rates)


@IGNORE
@pytest.mark.parametrize(
    "solver", [AdamW(), NAdam(), AdaGrad(), RMSProp(momentum=0.5), Lion()]
)
@pytest.mark.parametrize(
    "schedule", ["exponential", Warmup(epochs=3), Cosine(total=8), OneCycle(total=8)]
)
def test_four_epochs_and_four_more_equal_eight(solver, schedule):
    settings = {"solver": solver, "learning_rate": schedule, "tol": 0.0}
    whole = network(max_iter=8, **settings).fit(X, y)
    parts = network(max_iter=4, warm_start=True, **settings).fit(X, y)
    parts = pickle.loads(pickle.dumps(parts)).fit(X, y)
    np.testing.assert_array_equal(parts._network.values, whole._network.values)


def test_partial_fit_needs_a_total_for_curves():
    for given in ("cosine", OneCycle(), Warmup(Cosine())):
        assert not hasattr(network(learning_rate=given), "partial_fit")
    assert hasattr(network(learning_rate=Warmup()), "partial_fit")
    model = network(learning_rate=Cosine(total=5))
    for _ in range(5):
        model.partial_fit(X, y, classes=[0, 1])
    assert model.history_["learning_rate"][-1] < 1e-3


@IGNORE
def test_solvers_and_schedules_are_searched():
    grid = [
        {"solver": list(OPTIMIZERS), "learning_rate": ["one_cycle"]},
        {"solver": [AdamW()], "solver__weight_decay": [0.0, 0.1]},
        {"learning_rate": [Warmup()], "learning_rate__epochs": [1, 3]},
        {"average": ["ema", "swa"], "l1_ratio": [0.5]},
    ]
    search = GridSearchCV(network(max_iter=4), grid, cv=2).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert len(search.cv_results_["params"]) == len(OPTIMIZERS) + 6


@IGNORE
def test_layers_have_rates_of_their_own():
    layers = [Dense(8, lr_factor=0.0), Activation("relu")]
    model = MLPClassifier(layers=layers, random_state=0, max_iter=5).fit(X, y)
    start = MLPClassifier(layers=layers, random_state=0, max_iter=1).fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], start.coefs_[0])
    assert (model.coefs_[1] != start.coefs_[1]).any()


@IGNORE
def test_keywords_reach_the_solvers_that_have_them():
    by_name = network(solver="adamw", beta_1=0.8, max_iter=4).fit(X, y)
    as_object = network(solver=AdamW(0.8, 0.999, 1e-8), max_iter=4).fit(X, y)
    np.testing.assert_array_equal(by_name.coefs_[0], as_object.coefs_[0])
    with pytest.raises(ValueError, match=r"beta_1=0\.8 contradicts solver"):
        network(solver=AdamW(), beta_1=0.8).fit(X, y)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"solver": "adadelta"}, "'solver' parameter"),
        ({"solver": AdamW(weight_decay=-1.0)}, "weight_decay"),
        ({"solver": Lion(beta_1=1.0)}, "beta_1"),
        ({"solver": SGD(momentum=2.0)}, "momentum"),
        ({"solver": Adam(lazy="yes")}, "lazy"),
        ({"learning_rate": "linear"}, "'learning_rate' parameter"),
        ({"learning_rate": Cosine(total=0)}, "total"),
        ({"learning_rate": OneCycle(pct_start=2.0)}, "pct_start"),
        ({"layers": [Dense(3, lr_factor=-1.0)]}, "lr_factor"),
        ({"l1_ratio": 1.5}, "'l1_ratio' parameter"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(settings, words):
    with pytest.raises((ValueError, TypeError), match=words):
        MLPClassifier(**settings).fit(X, y)
