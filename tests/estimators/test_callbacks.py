import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn.estimators._callbacks import FitCallbacks
from sknn.estimators._sklearn import (
    SUPPORTS_CALLBACKS,
    CallbackSupportMixin,
    with_callbacks,
)

needs_callbacks = pytest.mark.skipif(
    not SUPPORTS_CALLBACKS, reason="sklearn.callback is new in scikit-learn 1.9"
)

X, Y = make_classification(n_samples=20, random_state=0)


class Majority(CallbackSupportMixin, ClassifierMixin, BaseEstimator):
    """Counts epochs and predicts the first class."""

    def __init__(self, max_iter=4, fail_at=None):
        self.max_iter = max_iter
        self.fail_at = fail_at

    @with_callbacks
    def fit(self, X, y, sample_weight=None):
        metadata = {"sample_weight": sample_weight}
        callbacks = FitCallbacks().begin(self, X, y, metadata, self.max_iter)
        for epoch in range(1, self.max_iter + 1):
            callbacks.epoch_begin()
            if epoch == self.fail_at:
                raise RuntimeError("broken")
            if callbacks.epoch_end(self._attributes(epoch)):
                break
        vars(self).update(self._attributes(epoch)())
        callbacks.end(self._attributes(epoch))
        return self

    def _attributes(self, epoch):
        return lambda: {"classes_": [0, 1], "n_iter_": epoch}

    def predict(self, X):
        return [self.classes_[0]] * len(X)


class Recorder:
    """Writes down what it is told, and may ask to stop."""

    def __init__(self, stop_at=None):
        self.stop_at = stop_at
        self.log = []

    def setup(self, estimator, context):
        self.log.append(("setup", None))

    def teardown(self, estimator, context):
        self.log.append(("teardown", None))

    def on_fit_task_begin(self, estimator, context, *, metadata):
        self.log.append((f"begin {context.task_name}", metadata))

    def on_fit_task_end(self, estimator, context, *, X, fitted_estimator):
        self.log.append((f"end {context.task_name}", fitted_estimator.n_iter_))
        return fitted_estimator.n_iter_ == self.stop_at and context.max_subtasks == 0

    def names(self):
        return [name for name, _ in self.log]


def test_without_a_fit_nothing_is_told_and_nothing_stops():
    callbacks = FitCallbacks()
    callbacks.epoch_begin()
    assert callbacks.epoch_end(lambda: pytest.fail("asked for attributes")) is False
    callbacks.end(lambda: pytest.fail("asked for attributes"))


def test_an_estimator_without_callbacks_fits_and_is_never_asked_for_attributes():
    assert Majority().fit(X, Y).n_iter_ == 4


@needs_callbacks
def test_each_epoch_is_a_subtask_of_the_fit():
    recorder = Recorder()
    Majority(max_iter=2).set_callbacks(recorder).fit(X, Y)
    epoch = ["begin epoch", "end epoch"]
    fit = ["begin fit", *epoch, *epoch, "end fit"]
    assert recorder.names() == ["setup", *fit, "teardown"]


@needs_callbacks
def test_a_fitted_estimator_is_made_from_the_attributes_of_the_moment():
    recorder, estimator = Recorder(), Majority(max_iter=3)
    estimator.set_callbacks(recorder).fit(X, Y)
    assert [n for name, n in recorder.log if name == "end epoch"] == [1, 2, 3]


@needs_callbacks
def test_a_request_to_stop_is_handed_on():
    recorder = Recorder(stop_at=2)
    assert Majority().set_callbacks(recorder).fit(X, Y).n_iter_ == 2
    assert recorder.names()[-2:] == ["end fit", "teardown"]


@needs_callbacks
def test_metadata_that_were_not_given_are_dropped():
    recorder = Recorder()
    estimator = Majority(max_iter=1).set_callbacks(recorder)
    estimator.fit(X, Y)
    assert ("begin fit", None) in recorder.log
    weights = [1.0] * len(Y)
    estimator.fit(X, Y, sample_weight=weights)
    assert ("begin fit", {"sample_weight": weights}) in recorder.log


@needs_callbacks
def test_callbacks_are_torn_down_when_the_fit_fails():
    recorder = Recorder()
    estimator = Majority(fail_at=2).set_callbacks(recorder)
    with pytest.raises(RuntimeError, match="broken"):
        estimator.fit(X, Y)
    assert recorder.names()[-2:] == ["begin epoch", "teardown"]
    assert not hasattr(estimator, "_callback_fit_ctx")


@needs_callbacks
def test_scores_of_each_epoch_are_monitored_inside_a_pipeline():
    from sklearn.callback import ScoringMonitor

    monitor = ScoringMonitor(scoring="accuracy")
    estimator = Majority(max_iter=3).set_callbacks(monitor)
    make_pipeline(StandardScaler(), estimator).fit(X, Y)
    data = monitor.get_logs().data
    assert [row["task_name"] for row in data] == ["fit", "epoch", "epoch", "epoch"]
    assert {row["accuracy"] for row in data} == {(Y == 0).mean()}
