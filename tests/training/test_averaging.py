"""Averages of the weights: their formulas, what is published, resuming."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import make_classification

from sknn import MLPClassifier
from sknn.training.averaging import AVERAGES, EMA, SWA
from sknn.training.state import TrainingState

X, y = make_classification(200, 6, n_informative=5, n_redundant=0, random_state=0)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def state():
    return TrainingState(np.random.RandomState(0))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ema_follows_its_formula(dtype):
    rng, ours = np.random.default_rng(0), state()
    expected = None
    for t in range(50):
        values = rng.normal(size=5).astype(dtype)
        EMA(0.8).after_step(values, ours)
        d = min(0.8, (1 + t) / (10 + t))
        expected = values if expected is None else d * expected + (1 - d) * values
    assert ours.average.dtype == dtype
    np.testing.assert_allclose(ours.average, expected, rtol=1e-5)


@pytest.mark.parametrize(("start", "first"), [(0.5, 5), (0, 0), (7, 7)])
def test_swa_is_the_mean_of_the_last_epochs(start, first):
    rng, ours = np.random.default_rng(0), state()
    ours.begin(10)
    epochs = rng.normal(size=(10, 5))
    for values in epochs:
        ours.epoch += 1
        SWA(start).after_step(values, ours)
        SWA(start).after_epoch(values, ours)
    np.testing.assert_allclose(ours.average, epochs[first:].mean(axis=0), rtol=1e-12)


def fitted(**settings):
    settings = {"max_iter": 8, "random_state": 0, "tol": 0.0, **settings}
    return MLPClassifier((5,), **settings).fit(X, y)


def test_the_average_is_published_and_the_steps_stay_the_same():
    plain = fitted()
    for average in ("ema", "swa", EMA(0.5), SWA(2)):
        model = fitted(average=average)
        assert model.loss_curve_ == plain.loss_curve_
        np.testing.assert_array_equal(model._state.last_values, plain._network.values)
        np.testing.assert_array_equal(model._network.values, model._state.average)
        assert (model._network.values != plain._network.values).any()


def test_a_share_of_an_unknown_length_is_refused():
    ours = state()
    ours.begin(None)
    with pytest.raises(ValueError, match="partial_fit does not know"):
        SWA(0.5).after_epoch(np.zeros(3), ours)


def test_swa_before_its_start_publishes_the_last_weights():
    plain, model = fitted(), fitted(average=SWA(100))
    np.testing.assert_array_equal(model._network.values, plain._network.values)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("average", [EMA(0.9), SWA(2)])
def test_four_epochs_and_four_more_equal_eight(average, early_stopping):
    settings = {"average": average, "normalization": "batch", "dropout": 0.1}
    settings["early_stopping"] = early_stopping
    whole = fitted(**settings)
    parts = fitted(max_iter=4, warm_start=True, **settings)
    parts = pickle.loads(pickle.dumps(parts)).fit(X, y)
    np.testing.assert_array_equal(parts._network.values, whole._network.values)
    np.testing.assert_array_equal(parts._state.average, whole._state.average)


def test_validation_scores_are_those_of_the_average():
    model = fitted(average=EMA(0.9), max_iter=5)
    watched = MLPClassifier((5,), max_iter=5, random_state=0, tol=0.0, average=EMA(0.9))
    watched.fit(X, y, X_val=X, y_val=y)
    assert watched.history_["validation_score"][-1] == model.score(X, y)


def test_partial_fits_average_too():
    parts = MLPClassifier((5,), random_state=0, average=EMA(0.9), tol=0.0)
    for _ in range(8):
        parts.partial_fit(X, y, classes=[0, 1])
    whole = fitted(average=EMA(0.9))
    np.testing.assert_array_equal(parts._network.values, whole._network.values)
    assert not hasattr(MLPClassifier(average="swa"), "partial_fit")
    assert hasattr(MLPClassifier(average=SWA(5)), "partial_fit")


def test_lbfgs_has_no_average():
    plain = fitted(solver="lbfgs")
    model = fitted(solver="lbfgs", average="ema")
    np.testing.assert_array_equal(model._network.values, plain._network.values)


@pytest.mark.parametrize(
    ("average", "words"),
    [
        (EMA(1.0), "'decay' parameter of EMA"),
        (SWA(-1), "'start' parameter of SWA"),
        ("mean", "'average' parameter of MLPClassifier"),
    ],
)
def test_bad_averages_are_named(average, words):
    with pytest.raises(ValueError, match=words):
        MLPClassifier(average=average).fit(X, y)


def test_the_table_lists_all():
    assert {"ema": EMA, "swa": SWA} == AVERAGES
