"""scikit-learn's callbacks see every epoch of a network and can end its training."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier, MLPRegressor
from sknn.estimators._sklearn import SUPPORTS_CALLBACKS

pytestmark = [
    pytest.mark.skipif(not SUPPORTS_CALLBACKS, reason="needs scikit-learn 1.9"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
SOLVERS = ["adam", "sgd", "lbfgs"]


class Recorder:
    """Keeps what it is told; asks to stop after `stop_after` epochs."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.losses, self.begun, self.ended, self.torn_down = [], 0, 0, False

    def setup(self, estimator, context):
        self.max_epochs = context.max_subtasks

    def on_fit_task_begin(self, estimator, context):
        self.begun += context.task_name == "epoch"

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        if context.task_name != "epoch":
            self.ended += 1
            return False
        loss = -np.log(fitted_estimator.predict_proba(X)[np.arange(len(y)), y]).mean()
        self.losses.append(loss)
        return self.stop_after is not None and len(self.losses) >= self.stop_after

    def teardown(self, estimator, context):
        self.torn_down = True


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.mark.parametrize("solver", SOLVERS)
def test_callbacks_see_a_fitted_estimator_after_each_epoch(iris, solver):
    recorder = Recorder()
    model = MLPClassifier(solver=solver, max_iter=6, random_state=0)
    model.set_callbacks(recorder).fit(*iris)
    assert recorder.begun == len(recorder.losses) == model.n_iter_ == 6
    assert recorder.max_epochs == 6
    assert recorder.ended == 1
    assert recorder.torn_down
    assert recorder.losses[-1] < recorder.losses[0]
    assert not [name for name in vars(model) if "callback_fit" in name]


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_callback_ends_training(iris, solver):
    model = MLPClassifier(solver=solver, max_iter=50, random_state=0)
    model.set_callbacks(Recorder(stop_after=3)).fit(*iris)
    assert model.n_iter_ == 3
    plain = MLPClassifier(solver=solver, max_iter=3, random_state=0).fit(*iris)
    np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])


def test_callbacks_change_nothing_in_the_fit(iris):
    watched = MLPClassifier(max_iter=5, random_state=0).set_callbacks(Recorder())
    plain = MLPClassifier(max_iter=5, random_state=0)
    np.testing.assert_array_equal(
        watched.fit(*iris).coefs_[1], plain.fit(*iris).coefs_[1]
    )


def test_a_failing_callback_leaves_no_model(iris):
    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
            raise RuntimeError("no more")

    failing = Failing()
    model = MLPClassifier(max_iter=5).set_callbacks(failing)
    with pytest.raises(RuntimeError, match="no more"):
        model.fit(*iris)
    assert failing.torn_down
    assert not hasattr(model, "coefs_")


def test_a_scoring_monitor_logs_every_epoch_of_a_search(iris):
    from sklearn.callback import ScoringMonitor

    monitor = ScoringMonitor(scoring="accuracy")
    network = MLPClassifier((5,), max_iter=4).set_callbacks(monitor)
    pipeline = make_pipeline(StandardScaler(), network)
    grid = {"mlpclassifier__alpha": [1e-4, 1e-2]}
    GridSearchCV(pipeline, grid, cv=2).fit(*iris)
    epochs = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(epochs) == 2 * 2 * 4 + 4  # candidates, folds, epochs; and the refit
    assert all(0 <= row["accuracy"] <= 1 for row in epochs)


def test_partial_fit_tells_callbacks_of_one_epoch():
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(30, 3)), rng.randint(0, 2, 30)
    recorder = Recorder()
    model = MLPClassifier(random_state=0).set_callbacks(recorder)
    model.partial_fit(X, y, classes=[0, 1]).partial_fit(X, y)
    assert len(recorder.losses) == 2
    assert hasattr(MLPRegressor(), "set_callbacks")
