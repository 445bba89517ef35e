"""What fit, warm starts, partial_fit and predictions promise."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    cross_val_score,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sknn import MLPClassifier, MLPEstimator, MLPRegressor
from sknn.activations import ACTIVATIONS
from sknn.optimizers import SGD, Adam
from sknn.schedules import Adaptive, InverseScaling

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
]


@pytest.fixture(autouse=True)
def _seed():
    """Make estimators without a seed, which draw globally, the same each time."""
    np.random.seed(0)


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return StandardScaler().fit_transform(X), (y - y.mean()) / y.std()


def assert_same_model(a, b):
    for left, right in zip(
        a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_, strict=True
    ):
        np.testing.assert_array_equal(left, right)
    untimed = [
        {k: v for k, v in model.history_.items() if k != "time"} for model in (a, b)
    ]
    assert untimed[0] == untimed[1]


GOING_ON = [
    {},
    {"batch_size": 32},
    {"solver": "sgd", "learning_rate": "invscaling"},
    {"solver": "sgd", "learning_rate": "adaptive", "tol": 1.0, "n_iter_no_change": 1},
    {"solver": "sgd", "momentum": 0.0},
    {"dropout": 0.3, "max_grad_norm": 0.5},
    {"dtype": "float32", "activation": "gelu"},
    {"shuffle": False},
]


@pytest.mark.parametrize("extra", [{}, {"early_stopping": True}])
@pytest.mark.parametrize("parameters", GOING_ON)
def test_five_epochs_and_five_more_equal_ten(iris, parameters, extra):
    parameters = {"random_state": 1, "hidden_layer_sizes": (8,), **parameters, **extra}
    whole = MLPClassifier(max_iter=10, **parameters).fit(*iris)
    half = MLPClassifier(max_iter=5, warm_start=True, **parameters).fit(*iris)
    half = pickle.loads(pickle.dumps(half)).fit(*iris)
    assert half.n_iter_ == 5
    assert_same_model(whole, half)


@pytest.mark.parametrize("parameters", GOING_ON)
def test_ten_partial_fits_equal_ten_epochs(iris, parameters):
    parameters = {"random_state": 1, "hidden_layer_sizes": (8,), **parameters}
    whole = MLPClassifier(max_iter=10, **parameters).fit(*iris)
    parts = MLPClassifier(**parameters)
    for _ in range(10):
        parts.partial_fit(*iris, classes=[0, 1, 2])
    assert parts.n_iter_ == 1
    assert_same_model(whole, parts)


def test_a_fit_that_had_converged_goes_on_with_new_patience(iris):
    model = MLPClassifier(tol=10.0, warm_start=True, random_state=0).fit(*iris)
    assert model.n_iter_ == 12
    assert model.fit(*iris).n_iter_ > 1
    assert len(model.loss_curve_) == model.history_["epoch"][-1]


def test_warm_start_refuses_another_architecture(iris):
    model = MLPClassifier((5,), max_iter=2, warm_start=True).fit(*iris)
    with pytest.raises(ValueError, match="hidden_layer_sizes, activation, dropout"):
        model.set_params(hidden_layer_sizes=(6,)).fit(*iris)


def test_warm_start_may_change_the_solver(iris):
    model = MLPClassifier((5,), max_iter=2, warm_start=True, random_state=0).fit(*iris)
    before = model.loss_
    for solver in ("sgd", "lbfgs", "adam", SGD(momentum=0.5)):
        model.set_params(solver=solver).fit(*iris)
    assert model.loss_ < before
    assert len(model.history_["loss"]) == len(model.history_["learning_rate"]) == 10


# --- publication -----------------------------------------------------------------


class Interruption(Exception):
    """Stands for anything that can go wrong."""


def _interrupt_after(monkeypatch, calls, error):
    from sknn.objective import Objective

    original, count = Objective.value_and_gradient, [0]

    def value_and_gradient(self, *args):
        count[0] += 1
        if count[0] > calls:
            raise error
        return original(self, *args)

    monkeypatch.setattr(Objective, "value_and_gradient", value_and_gradient)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_an_exception_leaves_the_earlier_model(iris, monkeypatch, solver):
    X, y = iris
    model = MLPClassifier((5,), solver=solver, max_iter=5, random_state=0).fit(X, y)
    before = copy.deepcopy(vars(model))
    expected = model.predict_proba(X)
    _interrupt_after(monkeypatch, 3, Interruption())
    with pytest.raises(Interruption):
        model.fit(X[:, :3], y.astype(str))
    with pytest.raises(Interruption):
        model.set_params(warm_start=True).fit(X, y)
    model.set_params(warm_start=False)
    assert vars(model).keys() == before.keys()
    assert model.n_features_in_ == 4
    np.testing.assert_array_equal(model.predict_proba(X), expected)


def test_an_exception_in_partial_fit_leaves_the_earlier_model(iris, monkeypatch):
    X, y = iris
    model = MLPClassifier((5,), batch_size=30, random_state=0)
    model.partial_fit(X, y, classes=[0, 1, 2])
    twin = copy.deepcopy(model)
    with monkeypatch.context() as patch:
        _interrupt_after(patch, 3, Interruption())
        with pytest.raises(Interruption):
            model.partial_fit(X, y)
    assert_same_model(model, twin)
    assert_same_model(model.partial_fit(X, y), twin.partial_fit(X, y))


@pytest.mark.parametrize("error", [Interruption, KeyboardInterrupt])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_failed_first_fit_leaves_an_unfitted_estimator(
    iris, monkeypatch, solver, error
):
    model = MLPClassifier(solver=solver)
    _interrupt_after(monkeypatch, 0, error())
    with pytest.raises(error):
        model.fit(*iris)
    with pytest.raises(NotFittedError):
        model.predict(iris[0])
    assert not hasattr(model, "coefs_")
    assert not hasattr(model, "n_features_in_")


@pytest.mark.parametrize("early_stopping", [False, True])
def test_ctrl_c_keeps_the_last_complete_epoch_and_warns(
    iris, monkeypatch, early_stopping
):
    parameters = {
        "hidden_layer_sizes": (5,),
        "batch_size": 30,
        "random_state": 0,
        "early_stopping": early_stopping,
    }
    X, y = iris
    three = MLPClassifier(max_iter=3, **parameters).fit(X, y)
    steps_per_epoch = -(-len(three._state.permutation) // 30)
    _interrupt_after(monkeypatch, 3 * steps_per_epoch + 2, KeyboardInterrupt())
    with pytest.warns(UserWarning, match=r"Training interrupted by user\."):
        model = MLPClassifier(**parameters).fit(X, y)
    assert model.n_iter_ == 3
    assert_same_model(model, three)


def test_ctrl_c_in_lbfgs_keeps_the_last_iteration(iris, monkeypatch):
    whole = MLPClassifier((5,), solver="lbfgs", random_state=0, max_iter=30).fit(*iris)
    _interrupt_after(monkeypatch, 20, KeyboardInterrupt())
    model = MLPClassifier((5,), solver="lbfgs", random_state=0)
    with pytest.warns(UserWarning, match="Training interrupted"):
        model.fit(*iris)
    assert 1 < model.n_iter_ < 30
    assert model.loss_curve_ == whole.loss_curve_[: model.n_iter_]
    assert log_loss(iris[1], model.predict_proba(iris[0])) < model.loss_curve_[0]


def test_fit_leaves_its_input_alone(iris):
    X, y = (a.copy() for a in iris)
    w = np.ones(len(y))
    for parameters in (
        {"dropout": 0.5},
        {"hidden_layer_sizes": ()},
        {"solver": "lbfgs"},
    ):
        model = MLPClassifier(max_iter=3, early_stopping=True, **parameters)
        model.fit(X, y, sample_weight=w).predict_proba(X)
    np.testing.assert_array_equal(X, iris[0])
    np.testing.assert_array_equal(y, iris[1])
    assert (w == 1).all()


def test_the_global_random_state_is_not_touched_with_a_seed(iris):
    before = np.random.get_state()[1].copy()
    MLPClassifier(max_iter=3, random_state=0, dropout=0.5, early_stopping=True).fit(
        *iris
    )
    np.testing.assert_array_equal(before, np.random.get_state()[1])


# --- parameters ------------------------------------------------------------------


def test_dropout_regularises_and_is_off_at_predict(iris):
    X, y = iris
    model = MLPClassifier((50,), dropout=0.5, random_state=0, max_iter=60).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(X))
    plain = MLPClassifier((50,), random_state=0, max_iter=60).fit(X, y)
    assert model.loss_ > plain.loss_
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_trains(iris, activation):
    model = MLPClassifier(
        (16,), activation, random_state=0, max_iter=200, learning_rate_init=0.01
    )
    assert model.fit(*iris).score(*iris) > 0.95


def test_activation_and_dropout_may_differ_by_layer(iris):
    model = MLPClassifier(
        (8, 6, 4), ("gelu", "identity", "tanh"), dropout=(0.1, 0.0, 0.2), max_iter=3
    ).fit(*iris)
    assert [type(layer).__name__ for layer in model._network.layers] == [
        *("Dense", "Activation", "Dropout"),
        "Dense",
        *("Dense", "Activation", "Dropout"),
        "Dense",
    ]


def test_dtype_sets_the_precision_of_everything_learned(iris):
    X, y = iris
    model = MLPClassifier(dtype="float32", max_iter=3, random_state=0).fit(X, y)
    assert model.coefs_[0].dtype == model.predict_proba(X).dtype == np.float32
    cast = MLPClassifier(max_iter=3, random_state=0).fit(X.astype(np.float32), y)
    assert_same_model(model, cast)
    double = MLPClassifier(dtype=np.float64, max_iter=3).fit(X.astype(np.float32), y)
    assert double.coefs_[0].dtype == np.float64


def test_lbfgs_keeps_the_dtype_and_has_curves(iris):
    X, y = iris
    model = MLPClassifier(solver="lbfgs", max_iter=9).fit(X.astype(np.float32), y)
    assert model.coefs_[0].dtype == np.float32
    assert len(model.loss_curve_) == model.n_iter_ == 9
    assert model.best_loss_ == min(model.loss_curve_)
    assert model.validation_scores_ is None


def test_max_grad_norm_bounds_the_step(iris):
    start = MLPClassifier((5,), max_iter=1, learning_rate_init=1e-300, random_state=0)
    values = start.fit(*iris)._network.values
    model = MLPClassifier(
        (5,),
        solver=SGD(momentum=0.0),
        batch_size=150,
        max_iter=1,
        max_grad_norm=1e-3,
        learning_rate_init=1.0,
        random_state=0,
    ).fit(*iris)
    step = np.linalg.norm(model._network.values - values)
    assert step == pytest.approx(1e-3, rel=1e-6)


@pytest.mark.parametrize(
    ("given", "spelled"),
    [
        ({"solver": Adam(beta_1=0.8)}, {"solver": "adam", "beta_1": 0.8}),
        (
            {"solver": SGD(0.5, False)},
            {"solver": "sgd", "momentum": 0.5, "nesterovs_momentum": False},
        ),
        (
            {"solver": SGD(), "learning_rate": InverseScaling(0.25)},
            {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.25},
        ),
    ],
)
def test_objects_equal_their_strings(iris, given, spelled):
    a = MLPClassifier((5,), random_state=0, max_iter=4, **given).fit(*iris)
    b = MLPClassifier((5,), random_state=0, max_iter=4, **spelled).fit(*iris)
    assert_same_model(a, b)


def test_schedule_objects_hold_for_adam_too(iris):
    model = MLPClassifier(learning_rate=InverseScaling(), max_iter=3).fit(*iris)
    rates = model.history_["learning_rate"]
    assert rates == [1e-3, 1e-3 / 151**0.5, 1e-3 / 301**0.5]
    named = MLPClassifier(learning_rate="invscaling", max_iter=3).fit(*iris)
    assert named.history_["learning_rate"] == [1e-3] * 3


@pytest.mark.parametrize(
    "parameters",
    [
        {"solver": Adam(), "beta_1": 0.5},
        {"solver": SGD(), "momentum": 0.5},
        {"learning_rate": Adaptive(), "power_t": 0.1},
    ],
)
def test_a_keyword_that_contradicts_an_object_is_refused(iris, parameters):
    with pytest.raises(ValueError, match="contradicts"):
        MLPClassifier(**parameters).fit(*iris)


def test_objects_are_cloned_and_searched(iris):
    model = MLPClassifier((5,), solver=Adam(), learning_rate=Adaptive(), max_iter=3)
    twin = clone(model)
    assert twin.solver == model.solver
    assert twin.solver is not model.solver
    grid = {"solver__beta_1": [0.5, 0.9], "learning_rate__divisor": [2.0, 5.0]}
    grid["solver__weight_decay"] = [0.0, 0.1]
    search = GridSearchCV(model, grid, cv=2).fit(*iris)
    assert set(search.best_params_) == set(grid)
    assert model.solver == Adam()


def test_weight_decay_shrinks_kernels_and_spares_intercepts(iris):
    plain = MLPClassifier((5,), solver=SGD(momentum=0.0), alpha=0.0, max_iter=1)
    plain.set_params(learning_rate_init=0.1, batch_size=150, random_state=0)
    decayed = clone(plain).set_params(solver__weight_decay=0.5)
    start = clone(plain).set_params(learning_rate_init=1e-300).fit(*iris)
    plain.fit(*iris), decayed.fit(*iris)
    for i in range(2):
        np.testing.assert_allclose(
            plain.coefs_[i] - decayed.coefs_[i], 0.05 * start.coefs_[i], atol=1e-15
        )
        np.testing.assert_array_equal(plain.intercepts_[i], decayed.intercepts_[i])
    with pytest.raises(ValueError, match="'weight_decay' parameter of Adam must lie"):
        MLPClassifier(solver=Adam(weight_decay=-1.0)).fit(*iris)


STRING_VALUED = {
    "activation": ["relu", "tanh", "gelu", "mish"],
    "solver": ["adam", "sgd", "lbfgs"],
    "learning_rate": ["constant", "invscaling", "adaptive"],
    "batch_size": ["auto", 50],
    "dtype": [None, "float32", "float64"],
    "scoring": [None, "loss", "balanced_accuracy"],
    "class_weight": [None, "balanced"],
}


def test_searches_run_over_every_string_valued_parameter(iris):
    model = MLPClassifier((4,), max_iter=2, random_state=0, early_stopping=True)
    for name, values in STRING_VALUED.items():
        search = GridSearchCV(model, {name: values}, cv=2, error_score="raise")
        assert len(search.fit(*iris).cv_results_["params"]) == len(values)
    randomized = RandomizedSearchCV(
        model, STRING_VALUED, n_iter=6, cv=2, random_state=0, error_score="raise"
    )
    assert randomized.fit(*iris).best_score_ > 0
    halving = HalvingGridSearchCV(
        model, {"activation": ["relu", "tanh", "gelu"]}, cv=2, error_score="raise"
    )
    assert halving.fit(*iris).best_score_ > 0


# --- weights and classes ---------------------------------------------------------


def test_weights_are_the_same_in_every_batch_size(iris):
    """Small steps over two batches move twice as far as one step over both."""
    X, y = iris[0][:100], iris[1][:100]
    w = np.r_[np.full(50, 100.0), np.ones(50)]
    model = MLPClassifier((), solver=SGD(momentum=0.0), alpha=0.0, max_iter=1)
    model.set_params(shuffle=False, random_state=0, learning_rate_init=1e-300)
    start = model.fit(X, y)._network.values.copy()
    moved = {}
    for batch_size in (50, 100):
        model.set_params(batch_size=batch_size, learning_rate_init=1e-7)
        moved[batch_size] = model.fit(X, y, sample_weight=w)._network.values - start
    np.testing.assert_allclose(moved[50], 2 * moved[100], rtol=1e-4)


def test_a_batch_of_zero_weights_changes_nothing_but_the_penalty(iris):
    X, y = iris
    w = np.r_[np.zeros(75), np.ones(75)]
    model = MLPClassifier(batch_size=25, shuffle=False, max_iter=2, random_state=0)
    model.fit(X, y, sample_weight=w)
    assert np.isfinite(model.loss_curve_).all()


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_class_weights_equal_sample_weights(iris, solver):
    X, y = iris
    weights = {0: 1.0, 1: 3.0, 2: 0.5}
    model = MLPClassifier((5,), solver=solver, max_iter=10, random_state=0)
    by_class = clone(model).set_params(class_weight=weights).fit(X, y)
    by_sample = clone(model).fit(X, y, sample_weight=np.array([1.0, 3.0, 0.5])[y])
    assert_same_model(by_class, by_sample)


def test_balanced_weights_count_a_weight_of_two_as_two_samples(iris):
    X, y = iris[0][:120], iris[1][:120]
    w = np.where(np.arange(120) % 3 == 0, 2.0, 1.0)
    twice = np.repeat(np.arange(120), w.astype(int))
    model = MLPClassifier((5,), solver="lbfgs", class_weight="balanced", max_iter=15)
    model.set_params(random_state=0)
    weighted = clone(model).fit(X, y, sample_weight=w)
    repeated = clone(model).fit(X[twice], y[twice])
    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-6
    )


def test_class_weights_of_a_multilabel_target():
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(60, 4)), rng.randint(0, 2, (60, 3))
    for weights in ("balanced", [{0: 1.0, 1: 2.0}] * 3):
        model = MLPClassifier(class_weight=weights, max_iter=3).fit(X, y)
        assert model.predict(X).shape == (60, 3)


def test_balanced_weights_are_refused_by_partial_fit(iris):
    model = MLPClassifier(class_weight="balanced")
    with pytest.raises(ValueError, match="not supported for partial_fit"):
        model.partial_fit(*iris, classes=[0, 1, 2])


def test_class_weights_let_early_stopping_watch_the_loss(iris):
    model = MLPClassifier(early_stopping=True, class_weight="balanced", max_iter=5)
    model.fit(*iris)
    np.testing.assert_allclose(
        model.validation_scores_, -np.array(model.history_["validation_loss"])
    )
    model.set_params(scoring="accuracy").fit(*iris)
    assert all(0 <= score <= 1 for score in model.validation_scores_)


def test_tags_say_what_the_estimators_can():
    tags = MLPRegressor().__sklearn_tags__()
    assert tags.target_tags.multi_output
    assert tags.input_tags.sparse
    assert not tags.target_tags.positive_only
    assert MLPRegressor("poisson").__sklearn_tags__().target_tags.positive_only
    assert MLPClassifier().__sklearn_tags__().classifier_tags.multi_label


def test_log_losses_are_exact_however_sure_the_network():
    """A sample misclassified by a score of 100 costs 100, where a clip says 36."""
    X, y = np.array([[1.0], [-1.0]]), np.array([0, 1])
    model = MLPClassifier((), max_iter=1, warm_start=True, alpha=0.0).fit(X, y)
    model.coefs_[0][:], model.intercepts_[0][:] = 100.0, 0.0
    model.set_params(learning_rate_init=1e-300).fit(X, y)
    assert model.loss_ == pytest.approx(100.0, rel=1e-12)


def test_one_class_gives_one_column_of_probabilities(iris):
    X, _ = iris
    for parameters in ({}, {"solver": "lbfgs"}, {"early_stopping": True}):
        model = MLPClassifier(max_iter=3, **parameters).fit(X, np.full(len(X), "only"))
        assert model.predict_proba(X).shape == (len(X), 1)
        assert set(model.predict(X)) == {"only"}
        assert (model.predict_proba(X) == 1).all()


def test_decision_function_gives_the_logits(iris):
    X, y = iris
    three = MLPClassifier(max_iter=20).fit(X, y)
    scores = three.decision_function(X)
    assert scores.shape == (150, 3)
    softmax = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax, three.predict_proba(X))
    two = MLPClassifier(max_iter=20).fit(X[:100], y[:100])
    scores = two.decision_function(X[:100])
    assert scores.shape == (100,)
    np.testing.assert_allclose(
        1 / (1 + np.exp(-scores)), two.predict_proba(X[:100])[:, 1]
    )
    assert not hasattr(MLPRegressor(), "decision_function")


# --- early stopping and validation -----------------------------------------------


def test_early_stopping_is_stratified_for_several_classes():
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1, 2], [80, 15, 5])
    X = rng.normal(size=(100, 3))
    model = MLPClassifier(
        early_stopping=True, validation_fraction=0.2, max_iter=2, random_state=0
    ).fit(X, y)
    held = y[model._state.validation_rows]
    assert np.bincount(held).tolist() == [16, 3, 1]


def test_the_only_member_of_a_class_is_trained_on():
    X, y = np.random.RandomState(0).normal(size=(40, 3)), np.zeros(40, int)
    y[:15], y[7] = 1, 2
    model = MLPClassifier(early_stopping=True, max_iter=2, random_state=0).fit(X, y)
    assert 7 in model._state.train_rows
    rows = np.concatenate([model._state.train_rows, model._state.validation_rows])
    assert sorted(rows) == list(range(40))


def test_early_stopping_restores_the_best_weights(diabetes):
    X, y = diabetes
    model = MLPRegressor(
        early_stopping=True,
        learning_rate_init=0.05,
        n_iter_no_change=8,
        random_state=0,
        hidden_layer_sizes=(30,),
    ).fit(X, y)
    scores = model.validation_scores_
    best = int(np.argmax(scores))
    assert best < len(scores) - 1
    assert model.best_validation_score_ == scores[best]
    held = model._state.validation_rows
    assert model.score(X[held], y[held]) == pytest.approx(scores[best], rel=1e-12)


@pytest.mark.parametrize("scoring", ["loss", "roc_auc_ovr", "neg_log_loss"])
def test_early_stopping_watches_any_scorer(iris, scoring):
    X, y = iris
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = MLPClassifier(
        early_stopping=True, scoring=scoring, max_iter=30, random_state=0
    ).fit(frame, y.astype(str))
    history = model.history_
    assert {len(column) for column in history.values()} == {model.n_iter_}
    assert ("score" in history) == (scoring != "loss")
    if scoring != "roc_auc_ovr":
        np.testing.assert_allclose(
            history["validation_score"],
            -np.array(history["validation_loss"]),
            rtol=1e-6,
        )
    assert model.best_validation_score_ == max(model.validation_scores_)


def test_scoring_may_be_a_callable(iris):
    def negative_mistakes(estimator, X, y):
        return -float((estimator.predict(X) != y).sum())

    model = MLPClassifier(early_stopping=True, scoring=negative_mistakes, max_iter=5)
    assert all(score <= 0 for score in model.fit(*iris).validation_scores_)


def test_a_score_of_nan_is_passed_over(iris):
    scores = iter([np.nan, 0.2, 0.6, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])

    def scoring(estimator, X, y):
        return next(scores)

    # each epoch is scored twice: on the held rows and on those of training
    model = MLPClassifier(early_stopping=True, n_iter_no_change=2, max_iter=6)
    model.set_params(scoring=scoring).fit(*iris)
    assert model.best_validation_score_ == 0.5
    never = MLPClassifier(early_stopping=True, max_iter=3)
    never.set_params(scoring=lambda *_: np.nan).fit(*iris)
    assert never.n_iter_ == 3
    assert np.isfinite(never.coefs_[0]).all()


def test_given_validation_data_is_scored_and_nothing_held_out(iris):
    X, y = iris
    train, held = np.arange(0, 150, 2), np.arange(1, 150, 2)
    plain = MLPClassifier((5,), random_state=0, max_iter=8).fit(X[train], y[train])
    watched = MLPClassifier((5,), random_state=0, max_iter=8).fit(
        X[train], y[train], X_val=X[held], y_val=y[held]
    )
    np.testing.assert_array_equal(plain.coefs_[0], watched.coefs_[0])
    assert watched.history_["validation_score"][-1] == watched.score(X[held], y[held])
    assert watched.history_["validation_loss"][-1] == pytest.approx(
        log_loss(y[held], watched.predict_proba(X[held]))
    )
    assert watched.validation_scores_ is None
    stopped = MLPClassifier((5,), early_stopping=True, n_iter_no_change=2).fit(
        X[train], y[train], X_val=X[held], y_val=y[held], sample_weight_val=np.ones(75)
    )
    assert stopped.best_validation_score_ == stopped.score(X[held], y[held])


def test_given_validation_data_stops_lbfgs(diabetes):
    X, y = diabetes
    model = MLPRegressor(
        hidden_layer_sizes=(50,),
        solver="lbfgs",
        early_stopping=True,
        n_iter_no_change=5,
        max_iter=2000,
        random_state=0,
    ).fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
    assert model.n_iter_ < 2000
    assert model.score(X[200:], y[200:]) == pytest.approx(model.best_validation_score_)


def test_validation_data_must_come_in_pairs(iris):
    with pytest.raises(ValueError, match="X_val and y_val must be given together"):
        MLPClassifier().fit(*iris, X_val=iris[0])
    with pytest.raises(ValueError, match="classes not in"):
        MLPClassifier(max_iter=1).fit(
            iris[0][:100], iris[1][:100], X_val=iris[0], y_val=iris[1]
        )


def test_partial_fit_is_hidden_where_it_cannot_work():
    assert hasattr(MLPClassifier(), "partial_fit")
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit")
    assert not hasattr(MLPRegressor(early_stopping=True), "partial_fit")


# --- data kinds ------------------------------------------------------------------


@pytest.mark.parametrize(
    "form", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array]
)
def test_sparse_input_gives_the_dense_fit(iris, form):
    X, y = iris
    kept = np.where(np.abs(X) < 0.5, 0.0, X)
    for parameters in ({}, {"solver": "lbfgs"}, {"early_stopping": True}):
        model = MLPClassifier((5,), max_iter=5, random_state=0, **parameters)
        dense, thin = clone(model).fit(kept, y), clone(model).fit(form(kept), y)
        np.testing.assert_allclose(dense.coefs_[0], thin.coefs_[0], rtol=1e-9)
        np.testing.assert_allclose(
            dense.predict_proba(kept), thin.predict_proba(form(kept)), rtol=1e-9
        )


def test_fortran_strided_readonly_and_big_endian_input_give_the_same_fit(iris):
    X, y = iris
    expected = MLPClassifier((5,), max_iter=3, random_state=0).fit(X, y)
    readonly = X.copy()
    readonly.setflags(write=False)
    wide = np.repeat(X, 2, axis=1)[:, ::2]
    for given in (np.asfortranarray(X), readonly, wide, X.astype(">f8"), X.tolist()):
        model = MLPClassifier((5,), max_iter=3, random_state=0).fit(given, y)
        assert_same_model(model, expected)


@pytest.mark.parametrize("dtype", ["Float64", "float32", "Int64", "object"])
def test_pandas_dtypes_work(iris, dtype):
    X, y = iris
    frame = pd.DataFrame((X * 10).round(), columns=list("abcd")).astype(dtype)
    target = pd.Series(y).astype("Int64")
    model = MLPClassifier((5,), max_iter=3).fit(frame, target)
    assert list(model.feature_names_in_) == list("abcd")
    assert set(model.predict(frame)) <= {0, 1, 2}
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[list("dcba")])


def test_polars_frames_work(iris):
    X, y = iris
    frame = pl.DataFrame({name: X[:, i] for i, name in enumerate("abcd")})
    model = MLPClassifier((5,), max_iter=3).fit(frame, pl.Series(y))
    assert list(model.feature_names_in_) == list("abcd")
    assert model.predict_proba(frame).shape == (150, 3)


@pytest.mark.parametrize(
    "labels",
    [
        lambda y: np.array(["a", "b", "c"])[y],
        lambda y: np.array(["a", "b", "c"], dtype=object)[y],
        lambda y: pd.Series(["a", "b", "c"], dtype="category").iloc[y],
        lambda y: y > 0,
        lambda y: y * 10 - 5,
        lambda y: y[:, None] == np.arange(3),
        lambda y: sparse.csr_matrix(np.eye(3, dtype=int)[y]),
    ],
)
def test_every_kind_of_label_comes_back(iris, labels):
    X, y = iris
    given = labels(y)
    model = MLPClassifier((10,), solver="lbfgs", max_iter=200, random_state=0)
    predicted = model.fit(X, given).predict(X)
    expected = given.toarray() if sparse.issparse(given) else np.asarray(given)
    assert (predicted == expected).mean() > 0.95
    assert model.score(X, expected) > 0.95


def test_several_outputs_are_regressed_at_once(diabetes):
    X, y = diabetes
    both = np.column_stack([y, -2 * y])
    model = MLPRegressor(
        solver="lbfgs", hidden_layer_sizes=(), max_iter=500, alpha=0, tol=1e-7
    )
    predicted = model.fit(X, both).predict(X)
    np.testing.assert_allclose(predicted[:, 1], -2 * predicted[:, 0], atol=1e-3)
    np.testing.assert_allclose(
        predicted[:, 0],
        np.c_[X, np.ones(len(X))]
        @ np.linalg.lstsq(np.c_[X, np.ones(len(X))], y, rcond=None)[0],
        atol=1e-3,
    )


# --- scikit-learn's machinery ----------------------------------------------------


def test_meta_estimators_accept_the_classifier(iris):
    X, y = iris
    base = MLPClassifier((5,), solver="lbfgs", max_iter=30, random_state=0)
    for meta in (
        CalibratedClassifierCV(base, cv=2),
        BaggingClassifier(base, n_estimators=2, random_state=0),
        VotingClassifier([("a", base), ("b", base)], voting="soft"),
        StackingClassifier([("a", base), ("b", base)], cv=2),
        OneVsRestClassifier(base),
    ):
        assert meta.fit(X, y).score(X, y) > 0.9


def test_meta_estimators_accept_the_regressor(diabetes):
    X, y = diabetes
    base = MLPRegressor(
        hidden_layer_sizes=(5,), solver="lbfgs", max_iter=30, random_state=0
    )
    for meta in (
        BaggingRegressor(base, n_estimators=2, random_state=0),
        VotingRegressor([("a", base), ("b", base)]),
        StackingRegressor([("a", base), ("b", base)], cv=2),
    ):
        assert meta.fit(X, y).score(X, y) > 0.3


def test_pipelines_with_mixed_columns_work():
    rng = np.random.RandomState(0)
    frame = pd.DataFrame({"x": rng.normal(size=80), "c": rng.choice(list("ab"), 80)})
    y = (frame["x"] + (frame["c"] == "a") > 0.5).astype(int)
    columns = ColumnTransformer(
        [("n", StandardScaler(), ["x"]), ("c", OneHotEncoder(), ["c"])]
    )
    pipeline = make_pipeline(columns, MLPClassifier((8,), solver="lbfgs", max_iter=200))
    assert pipeline.fit(frame, y).score(frame, y) > 0.95


def test_metadata_routing_carries_weights_and_validation_data(iris):
    import sklearn

    X, y = iris
    with sklearn.config_context(enable_metadata_routing=True):
        model = MLPClassifier((4,), max_iter=2).set_fit_request(
            sample_weight=True, X_val=True, y_val=True
        )
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, model)
        pipeline.fit(X, y, sample_weight=np.ones(150), X_val=X, y_val=y)
    assert "validation_loss" in pipeline[-1].history_
    assert {"sample_weight", "X_val", "y_val", "sample_weight_val"} <= set(
        MLPClassifier().get_metadata_routing().fit.requests
    )


def test_weights_can_be_read_and_written_in_place(iris):
    X, y = iris
    model = MLPClassifier((5,), max_iter=3).fit(X, y)
    other = MLPClassifier((5,), max_iter=3, random_state=9).fit(X, y)
    model.coefs_ = other.coefs_
    for i, intercept in enumerate(other.intercepts_):
        model.intercepts_[i] = intercept
    np.testing.assert_array_equal(model.predict_proba(X), other.predict_proba(X))
    model.coefs_[0][:] = 0
    assert (model.coefs_[0] == 0).all()
    assert [c.shape for c in model.coefs_] == [(4, 5), (5, 3)]
    assert [b.shape for b in model.intercepts_] == [(5,), (3,)]
    with pytest.raises(ValueError, match="coefs_ must have the shapes"):
        model.coefs_ = [np.zeros((4, 5))]


def test_divergence_is_an_error_that_leaves_no_model(diabetes):
    X, y = diabetes
    model = MLPRegressor(solver="sgd", learning_rate_init=1e6, max_iter=20)
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        model.fit(X, y)
    assert not hasattr(model, "coefs_")


def test_the_loss_of_several_outputs_is_that_of_its_gradient(diabetes):
    """Summed over outputs: three equal columns have three times the loss of one."""
    X, y = diabetes
    three = np.column_stack([y, y, y])
    curves = []
    for target in (y, three):
        model = MLPRegressor(hidden_layer_sizes=(), max_iter=1, alpha=0.0)
        model.set_params(learning_rate_init=1e-300, random_state=0).fit(X, target)
        predicted = model.predict(X).reshape(len(X), -1)
        error = ((predicted - target.reshape(len(X), -1)) ** 2).sum(axis=1)
        assert model.loss_ == pytest.approx(0.5 * error.mean())
        curves.append(model.loss_)
    assert curves[1] > 2 * curves[0]


def test_probabilities_of_yes_or_no_are_never_certain():
    X = np.array([[-1e4], [1e4]])
    for target in ([0, 1], [[0, 1], [1, 0]]):
        model = MLPClassifier((), solver="lbfgs", alpha=0.0).fit(X, target)
        p = model.predict_proba(10 * X)
        assert (p > 0).all()
        assert (model.predict_proba(X) <= 1).all()
        assert np.isfinite(model.predict_log_proba(X)).all()


def test_a_few_rows_still_leave_two_to_validate_on(iris):
    X, y = iris[0][::15], iris[1][::15]
    model = MLPClassifier(early_stopping=True, max_iter=2).fit(X, y)
    assert len(model._state.validation_rows) == 2
    with pytest.raises(ValueError, match="The validation set is too small"):
        model.fit(X[:3], y[:3])


def test_float32_is_kept_where_targets_are_float64(diabetes):
    X, y = diabetes
    model = MLPRegressor(max_iter=2).fit(X.astype(np.float32), y)
    assert model.predict(X.astype(np.float32)).dtype == np.float32
    assert {values.dtype for values in model._state.memory.values()} == {
        np.dtype(np.float32)
    }


def test_regression_targets_of_one_column_are_flattened_with_a_warning(diabetes):
    X, y = diabetes
    with pytest.warns(UserWarning, match="column-vector y was passed"):
        MLPRegressor(max_iter=1).fit(X, y[:, None])


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        (np.zeros((0, 3)), np.zeros(0), "0 sample"),
        (np.zeros((5, 0)), np.zeros(5, int), "0 feature"),
        (np.zeros(5), np.zeros(5, int), "Expected 2D array"),
        (np.full((5, 2), np.nan), np.zeros(5, int), "contains NaN"),
        (np.full((5, 2), np.inf), np.zeros(5, int), "infinity"),
        (np.array([["a", "b"]] * 5), np.zeros(5, int), "could not convert"),
        (np.zeros((5, 2)), np.zeros(4, int), "inconsistent numbers of samples"),
        (np.zeros((5, 2)), None, "requires y to be passed"),
        (np.zeros((5, 2)), np.linspace(0, 1, 5), "Unknown label type"),
        (np.zeros((5, 2)), np.array([0, 1, np.nan, 0, 1]), "NaN"),
        (np.zeros((5, 2)), np.arange(10).reshape(5, 2), "Multioutput target data"),
        (np.zeros((5, 2), complex), np.zeros(5, int), "Complex data"),
    ],
)
def test_bad_data_is_refused_clearly(X, y, words):
    with pytest.raises(ValueError, match=words):
        MLPClassifier(max_iter=1).fit(X, y)


def test_bad_numbers_are_refused_clearly(diabetes):
    X, y = diabetes
    for bad, words in (
        (np.where(y > 2, np.nan, y), "Input y contains NaN"),
        (np.where(y > 2, np.inf, y), "Input y contains infinity"),
        (np.array(["a"] * len(y)), "could not convert|dtype='numeric'"),
    ):
        with pytest.raises(ValueError, match=words):
            MLPRegressor(max_iter=1).fit(X, bad)
    with pytest.raises(ValueError, match="needs targets y >= 0"):
        MLPRegressor(loss="poisson", max_iter=1).fit(X, y)


def test_bad_weights_are_refused_clearly(iris):
    X, y = iris
    for bad, words in (
        (-np.ones(150), "Negative values in data passed to `sample_weight`"),
        (np.zeros(150), "sample_weight|Sample weights"),
        (np.ones(149), "sample_weight.shape"),
        (np.full(150, np.nan), "NaN"),
    ):
        with pytest.raises(ValueError, match=words):
            MLPClassifier(max_iter=1).fit(X, y, sample_weight=bad)
    with pytest.raises(ValueError, match="not in class_weight"):
        MLPClassifier(class_weight={9: 1.0}, max_iter=1).fit(X, y)


def test_a_million_rows_are_predicted_in_blocks():
    import tracemalloc

    X = np.zeros((1_000_000, 4), dtype=np.float32)
    rng = np.random.RandomState(0)
    model = MLPClassifier((256, 256), max_iter=1, dtype="float32")
    model.fit(rng.normal(size=(100, 4)), rng.randint(0, 2, 100))
    tracemalloc.start()
    result = model.predict_proba(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # the result, its two columns' halves, the mask of the check of finiteness
    assert peak - result.nbytes < 64e6


def test_float_and_integer_targets_of_an_auto_task(iris, diabetes):
    X, y = iris
    assert MLPEstimator(max_iter=1).fit(X, y).task_ == "classification"
    auto = MLPEstimator(max_iter=1).fit(*diabetes)
    assert auto.task_ == "regression"
    assert not hasattr(auto, "predict_proba")
    assert not hasattr(auto, "classes_")
    assert auto.__sklearn_tags__().estimator_type == "regressor"
    assert MLPEstimator().__sklearn_tags__().estimator_type == "classifier"
    assert not hasattr(clone(auto), "task_")


def test_a_regression_by_name_is_cross_validated(diabetes):
    model = MLPEstimator((5,), task="regression", solver="lbfgs", max_iter=30)
    assert cross_val_score(model, *diabetes, cv=3).mean() > 0.2
    with pytest.warns(UserWarning, match="holds only 0 and 1"):
        MLPEstimator(max_iter=1).fit(diabetes[0], (diabetes[1] > 0).astype(float))


def test_partial_fit_of_an_auto_task_classifies_with_classes(iris):
    X, y = iris
    assert MLPEstimator().partial_fit(X, y, classes=[0, 1, 2]).task_ == "classification"
    assert MLPEstimator().partial_fit(X, y.astype(float) + 0.5).task_ == "regression"
    with pytest.raises(ValueError, match="classes must be passed"):
        MLPClassifier().partial_fit(X, y)


def test_no_warning_but_the_one_of_convergence(iris):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        MLPClassifier(max_iter=2).fit(*iris)
    assert [w.category for w in caught] == [ConvergenceWarning]


def test_cancer_is_classified():
    X, y = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), MLPClassifier(random_state=0, max_iter=100))
    assert cross_val_score(model, X, y, cv=3).mean() > 0.96
