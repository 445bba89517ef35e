"""Validation data, groups and weights on their way through pipelines and searches."""

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    cross_validate,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier, MLPEstimator, MLPRegressor
from sknn.losses import MultinomialLogLoss

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SETTINGS = {
    "hidden_layer_sizes": (6,),
    "early_stopping": True,
    "max_iter": 6,
    "learning_rate_init": 0.02,
    "random_state": 0,
}
NETWORKS = {
    "classifier": MLPClassifier(**SETTINGS),
    "regressor": MLPRegressor(**SETTINGS),
    "estimator": MLPEstimator(**SETTINGS, task="regression"),
}
EVERYTHING = ("X_val", "y_val", "sample_weight_val", "groups", "sample_weight")


def data(name):
    """Return 100 rows to train on and 40 to validate on, far from unit scale."""
    load = load_iris if name == "classifier" else load_diabetes
    X, y = load(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(y))[:140]
    X, y = 50 + 100 * X[order], y[order]
    y = y if name == "classifier" else y / 100
    return X[:100], y[:100], X[100:], y[100:]


def loss_by_hand(model, X, y):
    """Return the mean loss of a fitted pipeline on raw data."""
    if hasattr(model, "classes_"):
        return -np.log(model.predict_proba(X)[np.arange(len(y)), y]).mean()
    return 0.5 * np.mean((model.predict(X) - y) ** 2)


def best_validation_loss(model):
    network = model.named_steps["net"]
    return network.history_["validation_loss"][network.best_iter_ - 1]


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def pipeline(network, scaler=None, transform_input=("X_val",)):
    """Return scaler and network, which requests all that its `fit` takes."""
    network = sklearn.clone(network)
    network.set_fit_request(**dict.fromkeys(EVERYTHING, True))
    scaler = scaler or StandardScaler().set_fit_request(sample_weight=False)
    steps = [("scale", scaler), ("net", network)]
    return Pipeline(steps, transform_input=list(transform_input))


# Through a pipeline ---------------------------------------------------------------


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("name", NETWORKS)
def test_the_network_sees_validation_data_scaled(name):
    X, y, X_val, y_val = data(name)
    model = pipeline(NETWORKS[name]).fit(X, y, X_val=X_val, y_val=y_val)
    by_hand = loss_by_hand(model, X_val, y_val)
    assert best_validation_loss(model) == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.usefixtures("routing")
def test_data_outside_transform_input_arrive_as_they_are():
    X, y, X_val, y_val = data("classifier")
    model = pipeline(NETWORKS["classifier"], transform_input=())
    model.fit(X, y, X_val=X_val, y_val=y_val)
    assert best_validation_loss(model) > 10 * loss_by_hand(model, X_val, y_val)


@pytest.mark.usefixtures("routing")
def test_weights_and_groups_arrive_with_the_rest():
    X, y, X_val, y_val = data("classifier")
    w, w_val = 1.0 + np.arange(100) % 3, 1.0 + np.arange(40) % 2
    groups = np.arange(100) // 5
    model = pipeline(NETWORKS["classifier"])
    model.fit(X, y, X_val=X_val, y_val=y_val, sample_weight=w, sample_weight_val=w_val)
    scaler = StandardScaler().fit(X)
    scaled, scaled_val = scaler.transform(X), scaler.transform(X_val)
    network = model.named_steps["net"]
    assert network.best_validation_score_ == network.score(scaled_val, y_val, w_val)
    alone = sklearn.clone(NETWORKS["classifier"]).fit(scaled, y, w, groups=groups)
    model.fit(X, y, sample_weight=w, groups=groups)
    network = model.named_steps["net"]
    np.testing.assert_array_equal(network.coefs_[0], alone.coefs_[0])
    assert network._state.validation_rows.size == 10


@pytest.mark.usefixtures("routing")
def test_what_is_not_requested_is_an_error_that_says_so():
    X, y, X_val, y_val = data("classifier")
    model = Pipeline([("net", MLPClassifier(**SETTINGS))])
    with pytest.raises(UnsetMetadataPassedError, match="set_fit_request"):
        model.fit(X, y, X_val=X_val, y_val=y_val)


def test_without_routing_the_names_of_steps_carry_data_already_scaled():
    X, y, X_val, y_val = data("classifier")
    model = Pipeline([("scale", StandardScaler()), ("net", NETWORKS["classifier"])])
    scaled = StandardScaler().fit(X).transform(X_val)
    model.fit(X, y, net__X_val=scaled, net__y_val=y_val)
    by_hand = loss_by_hand(model, X_val, y_val)
    assert best_validation_loss(model) == pytest.approx(by_hand, rel=1e-12)


# Through a search -----------------------------------------------------------------

GRID = {"net__alpha": [1e-4, 1.0]}
SEARCHES = {
    "grid": lambda model: GridSearchCV(model, GRID, cv=3),
    "random": lambda model: RandomizedSearchCV(model, GRID, n_iter=2, cv=3),
    "halving": lambda model: HalvingGridSearchCV(
        model, GRID, cv=3, resource="net__max_iter", max_resources=6, min_resources=2
    ),
    "two threads": lambda model: GridSearchCV(model, GRID, cv=3, n_jobs=2),
}


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("name", ["classifier", "regressor"])
def test_validation_data_go_through_a_search_over_a_pipeline(name, search):
    X, y, X_val, y_val = data(name)
    search = SEARCHES[search](pipeline(NETWORKS[name]))
    with joblib.parallel_config("threading"):
        search.fit(X, y, X_val=X_val, y_val=y_val)
    by_hand = loss_by_hand(search.best_estimator_, X_val, y_val)
    assert best_validation_loss(search.best_estimator_) == pytest.approx(by_hand)


@pytest.mark.usefixtures("routing")
def test_each_fold_validates_on_data_scaled_by_its_own_training_rows():
    X, y, X_val, y_val = data("regressor")
    result = cross_validate(
        pipeline(NETWORKS["regressor"]),
        *(X, y),
        params={"X_val": X_val, "y_val": y_val},
        cv=3,
        return_estimator=True,
    )
    means = [model.named_steps["scale"].mean_[0] for model in result["estimator"]]
    assert len(set(means)) == 3
    for model in result["estimator"]:
        by_hand = loss_by_hand(model, X_val, y_val)
        assert best_validation_loss(model) == pytest.approx(by_hand)


class SeenGroups(MLPClassifier):
    """Remembers, on the class, the groups of each fit."""

    seen = []

    def fit(self, X, y, sample_weight=None, *, groups=None):
        self.seen.append((groups, sample_weight))
        return super().fit(X, y, sample_weight, groups=groups)


@pytest.mark.usefixtures("routing")
def test_groups_divide_the_folds_and_within_them_the_held_rows():
    X, y, _, _ = data("classifier")
    groups, w = np.arange(100) // 5, 1.0 + np.arange(100)
    SeenGroups.seen = []
    network = SeenGroups(**SETTINGS, validation_split=GroupShuffleSplit(test_size=0.2))
    network.set_fit_request(groups=True, sample_weight=True)
    scaler = StandardScaler().set_fit_request(sample_weight=False)
    scorer = get_scorer("accuracy").set_score_request(sample_weight=True)
    search = GridSearchCV(
        Pipeline([("scale", scaler), ("net", network)]),
        {"net__alpha": [1e-4]},
        cv=GroupKFold(4),
        scoring=scorer,
    ).fit(X, y, groups=groups, sample_weight=w)
    folds = [train for train, _ in GroupKFold(4).split(X, y, groups)]
    rows = [*folds, np.arange(100)]
    for (seen, weights), expected in zip(SeenGroups.seen, rows, strict=True):
        np.testing.assert_array_equal(seen, groups[expected])
        np.testing.assert_array_equal(weights, w[expected])
    held = search.best_estimator_.named_steps["net"]._state.validation_rows
    assert len(set(groups[held])) == 4
    assert len(held) == 20


# Rows as many as in X -------------------------------------------------------------


class SeenRows(MLPClassifier):
    """Remembers, on the class, the numbers of rows of each fit."""

    seen = []

    def fit(self, X, y, *, X_val=None, y_val=None):
        self.seen.append((len(X), len(X_val)))
        return super().fit(X, y, X_val=X_val, y_val=y_val)


@pytest.mark.parametrize(
    ("n_val", "seen"),
    [
        (40, [(20, 20), (20, 20), (40, 40)]),  # cut like X: half of it is lost
        (39, [(20, 39), (20, 39), (40, 39)]),
    ],
)
def test_a_search_cuts_validation_data_only_where_they_are_as_long_as_X(n_val, seen):
    X, y, X_val, y_val = data("classifier")
    SeenRows.seen = []
    given = {"X_val": X_val[:n_val], "y_val": y_val[:n_val]}
    network = SeenRows(**{**SETTINGS, "loss": MultinomialLogLoss()})
    GridSearchCV(network, {"alpha": [1e-4]}, cv=2).fit(X[:40], y[:40], **given)
    assert SeenRows.seen == seen
