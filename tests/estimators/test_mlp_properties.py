"""Properties of the estimators over shapes, dtypes and parameters (hypothesis)."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from sknn import MLPClassifier, MLPRegressor
from sknn.activations import ACTIVATIONS

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Got `batch_size`:UserWarning"),
]

SHAPES = st.tuples(st.integers(2, 40), st.integers(1, 6))
DTYPES = st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.float16])
NETWORKS = st.fixed_dictionaries(
    {
        "hidden_layer_sizes": st.lists(st.integers(1, 7), max_size=3).map(tuple),
        "activation": st.sampled_from(sorted(ACTIVATIONS)),
        "solver": st.sampled_from(["adam", "sgd", "lbfgs"]),
        "batch_size": st.one_of(st.just("auto"), st.integers(1, 50)),
        "alpha": st.sampled_from([0.0, 1e-4, 1.0]),
        "dropout": st.sampled_from([0.0, 0.5]),
        "shuffle": st.booleans(),
        "max_iter": st.integers(1, 3),
        "random_state": st.integers(0, 5),
        "learning_rate_init": st.just(1e-5),  # unscaled data must not diverge
    }
)


def draw(shape, dtype, seed):
    X = np.random.RandomState(seed).uniform(0, 9, shape)
    return X.astype(dtype)


@given(SHAPES, DTYPES, NETWORKS, st.integers(1, 5), st.booleans())
def test_classifier_property_shapes_dtypes_and_probabilities(
    shape, dtype, parameters, n_classes, as_sparse
):
    X = draw(shape, dtype, 0)
    y = np.arange(shape[0]) % n_classes
    if as_sparse and X.dtype.kind == "f" and X.dtype != np.float16:
        X = sparse.csr_matrix(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = MLPClassifier(**parameters).fit(X, y)
    expected = np.float32 if dtype is np.float32 else np.float64
    assert all(c.dtype == expected for c in model.coefs_)
    p = model.predict_proba(X)
    assert p.shape == (shape[0], len(model.classes_))
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    chosen = model.classes_[p.argmax(axis=1)]
    ties = np.isclose(p.max(axis=1), np.sort(p, axis=1)[:, -2]) if p.shape[1] > 1 else 0
    assert ((model.predict(X) == chosen) | ties).all()
    assert len(model.loss_curve_) == model.n_iter_ <= parameters["max_iter"]


@given(SHAPES, DTYPES, NETWORKS, st.integers(1, 3))
def test_regressor_property_shapes_dtypes_and_resumption(
    shape, dtype, parameters, n_outputs
):
    X = draw(shape, dtype, 1)
    y = np.random.RandomState(2).normal(size=(shape[0], n_outputs))
    y = y[:, 0] if n_outputs == 1 else y
    model = MLPRegressor(**parameters).fit(X, y)
    assert model.predict(X).shape == y.shape
    assert np.isfinite(model.predict(X)).all()
    if parameters["solver"] != "lbfgs":
        parts = MLPRegressor(**parameters)
        for _ in range(model.n_iter_):
            parts.partial_fit(X, y)
        np.testing.assert_array_equal(parts.predict(X), model.predict(X))


@given(SHAPES, NETWORKS, st.integers(0, 10_000))
def test_weights_property_scale_does_not_matter(shape, parameters, seed):
    """Weights times a power of two give the same fit, to the bit."""
    X = draw(shape, np.float64, seed)
    y = np.arange(shape[0]) % 2
    w = np.random.RandomState(seed).uniform(0.5, 2.0, shape[0])
    parameters = {**parameters, "alpha": 0.0}
    one = MLPClassifier(**parameters).fit(X, y, sample_weight=w)
    four = MLPClassifier(**parameters).fit(X, y, sample_weight=4 * w)
    np.testing.assert_array_equal(one.predict_proba(X), four.predict_proba(X))
