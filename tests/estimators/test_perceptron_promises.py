"""What PerceptronClassifier promises beyond scikit-learn's numbers."""

import copy
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits, load_iris, make_blobs
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import PerceptronClassifier
from sknn.training import perceptron as rooms

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
]


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.fixture(scope="module")
def separable():
    X, y = make_blobs(200, 3, centers=[[0, 0, 0], [6, 6, 6]], random_state=0)
    return X, y


def interrupt_later(monkeypatch, calls, error):
    """Make the rule fail after some of its passes over the samples."""
    original, count = rooms.trainer.Training.epochs, [0]

    def epochs(self):
        for epoch in original(self):
            count[0] += 1
            if count[0] > calls:
                raise error
            yield epoch

    monkeypatch.setattr(rooms.trainer.Training, "epochs", epochs)


def test_separable_classes_converge_without_a_warning(separable):
    model = PerceptronClassifier(max_iter=50).fit(*separable)
    assert model.converged_
    assert model.mistakes_curve_[-1] == 0
    assert model.score(*separable) == 1.0
    assert model.n_iter_ == len(model.mistakes_curve_)


def test_classes_that_overlap_do_not_converge(iris):
    with pytest.warns(ConvergenceWarning, match="Maximum number of iteration reached"):
        model = PerceptronClassifier(max_iter=3).fit(*iris)
    assert not model.converged_
    assert len(model.mistakes_curve_) == 3


def test_the_pocket_is_at_least_as_good_as_the_last_weights():
    X, y = load_digits(return_X_y=True)
    X = X + np.random.RandomState(0).normal(scale=8, size=X.shape)
    settings = {"max_iter": 4, "tol": None}
    last = PerceptronClassifier(**settings).fit(X, y)
    best = PerceptronClassifier(pocket=True, **settings).fit(X, y)
    one_vs_rest = [
        ((m.decision_function(X) > 0) != (y[:, None] == m.classes_)).sum(axis=0)
        for m in (last, best)
    ]
    assert (one_vs_rest[1] <= one_vs_rest[0]).all()
    assert one_vs_rest[1].sum() < one_vs_rest[0].sum()


def test_averaging_helps_where_classes_overlap(iris):
    last = PerceptronClassifier(max_iter=20, tol=None).fit(*iris)
    mean = PerceptronClassifier(max_iter=20, tol=None, average=True).fit(*iris)
    assert mean.score(*iris) >= last.score(*iris) - 0.02
    assert not np.allclose(mean.coef_, last.coef_)


def test_the_joint_rule_separates_what_it_can(separable):
    X, y = load_digits(return_X_y=True)
    model = PerceptronClassifier(multi_class="joint", max_iter=100, tol=None).fit(X, y)
    assert model.coef_.shape == (10, 64)
    assert model.score(X, y) > 0.99
    two = PerceptronClassifier(multi_class="joint").fit(*separable)
    assert two.score(*separable) == 1.0


def test_the_joint_rule_is_that_of_a_plain_loop(iris):
    X, y = iris
    W, b = np.zeros((3, 4)), np.zeros(3)
    mistakes = []
    for _ in range(5):
        mistakes.append(0)
        for x, k in zip(X, y, strict=True):
            scores = W @ x + b
            others = np.delete(scores, k)
            if scores[k] > others.max():
                continue
            rival = int(np.flatnonzero(np.arange(3) != k)[others.argmax()])
            for row, sign in ((k, 1.0), (rival, -1.0)):
                W[row] += sign * x
                b[row] += sign
            mistakes[-1] += 1
    model = PerceptronClassifier(
        multi_class="joint", shuffle=False, max_iter=5, tol=None
    ).fit(X, y)
    np.testing.assert_allclose(model.coef_, W, atol=1e-12)
    np.testing.assert_allclose(model.intercept_, b, atol=1e-12)
    assert model.mistakes_curve_ == mistakes


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt()])
def test_an_interrupted_fit_leaves_the_earlier_model(iris, monkeypatch, error):
    X, y = iris
    model = PerceptronClassifier(max_iter=10, tol=None).fit(X, y)
    before = copy.deepcopy(vars(model))
    interrupt_later(monkeypatch, 0, error)
    for call in (
        lambda: model.fit(X[:, :2], y == 1),
        lambda: model.partial_fit(X, y),
    ):
        with pytest.raises(type(error)):
            call()
    assert vars(model).keys() == before.keys()
    np.testing.assert_array_equal(model.coef_, before["coef_"])
    fresh = PerceptronClassifier()
    with pytest.raises(type(error)):
        fresh.fit(X, y)
    with pytest.raises(NotFittedError):
        fresh.predict(X)


def test_ctrl_c_keeps_the_last_complete_epoch(iris, monkeypatch):
    three = PerceptronClassifier(max_iter=3, tol=None).fit(*iris)
    interrupt_later(monkeypatch, 3, KeyboardInterrupt())
    with pytest.warns(UserWarning, match="interrupted"):
        model = PerceptronClassifier(max_iter=10, tol=None).fit(*iris)
    assert model.n_iter_ == 3
    np.testing.assert_array_equal(model.coef_, three.coef_)


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        (np.zeros((5, 2)), np.zeros(5, int), "number of classes has to be greater"),
        (np.zeros((0, 2)), np.zeros(0), "0 sample"),
        (np.full((4, 2), np.nan), [0, 1, 0, 1], "NaN"),
        (np.zeros(4), [0, 1, 0, 1], "Expected 2D array"),
        ([["a", "b"]] * 4, [0, 1, 0, 1], "could not convert"),
        (np.zeros((4, 2)), [0, 1, 0], "inconsistent"),
        (np.zeros((4, 2)), [0.1, 1.5, 0.2, 1.1], "Unknown label type"),
    ],
)
def test_bad_data_is_refused_clearly(X, y, words):
    with pytest.raises(ValueError, match=words):
        PerceptronClassifier().fit(X, y)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"penalty": "l3"}, "'penalty' parameter"),
        ({"alpha": -1.0}, "'alpha' parameter"),
        ({"eta0": 0.0}, "'eta0' parameter"),
        ({"max_iter": 0}, "'max_iter' parameter"),
        ({"multi_class": "all"}, "'multi_class' parameter"),
        ({"average": True, "pocket": True}, "exclude each other"),
        ({"class_weight": {9: 1.0}}, "class_weight"),
    ],
)
def test_bad_parameters_are_refused_clearly(iris, parameters, words):
    with pytest.raises(ValueError, match=words):
        PerceptronClassifier(**parameters).fit(*iris)


def test_negative_and_missing_weights_are_refused(iris):
    X, y = iris
    with pytest.raises(ValueError, match="Negative values"):
        PerceptronClassifier().fit(X, y, sample_weight=-np.ones(150))
    with pytest.raises(ValueError, match="coef_init"):
        PerceptronClassifier().fit(X, y, coef_init=np.zeros((2, 4)))
    with pytest.raises(ValueError, match="classes must be passed"):
        PerceptronClassifier().partial_fit(X, y)
    with pytest.raises(ValueError, match="'balanced' is not supported"):
        PerceptronClassifier(class_weight="balanced").partial_fit(
            X, y, classes=[0, 1, 2]
        )
    assert not hasattr(PerceptronClassifier(early_stopping=True), "partial_fit")


def test_scikit_learns_machinery_accepts_it(iris):
    X, y = iris
    names = np.array(["a", "b", "c"])[y]
    frame = pd.DataFrame(X, columns=list("wxyz"))
    model = PerceptronClassifier(max_iter=50).fit(frame, names)
    assert set(model.predict(pl.from_pandas(frame))) <= set("abc")
    assert list(model.feature_names_in_) == list("wxyz")
    again = pickle.loads(pickle.dumps(clone(model).fit(frame, names)))
    np.testing.assert_array_equal(again.coef_, model.coef_)
    grid = {"perceptronclassifier__penalty": [None, "l2"]}
    pipeline = make_pipeline(StandardScaler(), PerceptronClassifier(max_iter=30))
    assert GridSearchCV(pipeline, grid, cv=2).fit(X, names).best_score_ > 0.6
    assert CalibratedClassifierCV(model, cv=2).fit(X, names).score(X, names) > 0.7
    requests = PerceptronClassifier().get_metadata_routing().fit.requests
    assert {"sample_weight", "coef_init", "intercept_init"} <= set(requests)


def test_weights_can_be_made_sparse_and_dense_again(iris):
    X, y = iris
    model = PerceptronClassifier(penalty="l1", max_iter=20).fit(X, y)
    dense, scores = model.coef_.copy(), model.decision_function(X)
    assert sparse.issparse(model.sparsify().coef_)
    np.testing.assert_allclose(model.decision_function(X), scores)
    np.testing.assert_array_equal(model.densify().coef_, dense)


def test_linear_explainers_take_it(iris):
    shap = pytest.importorskip("shap")
    X, y = iris
    model = PerceptronClassifier(max_iter=20).fit(X, (y == 0).astype(int))
    values = shap.LinearExplainer(model, X)(X[:5])
    np.testing.assert_allclose(
        values.values.sum(axis=1) + values.base_values, model.decision_function(X[:5])
    )
