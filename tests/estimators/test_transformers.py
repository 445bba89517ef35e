"""MLPTransformer and MLPAutoencoder: features from hidden layers, and back."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from sknn import MLPAutoencoder, MLPClassifier, MLPRegressor, MLPTransformer
from sknn.layers import BatchNorm, Dense

iris, labels = load_iris(return_X_y=True)
X = scale(iris)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def relu(z):
    return np.maximum(z, 0)


# MLPTransformer ------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_features_are_the_activations_of_the_hidden_layer(dtype):
    network = MLPClassifier((6, 4), max_iter=3, random_state=0, dropout=0.3)
    x = X.astype(dtype)
    (W0, W1, _), (b0, b1, _) = (
        (fit := network.fit(x, labels)).coefs_,
        fit.intercepts_,
    )
    first = relu(x @ W0 + b0)
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    for layer, expected in ((0, first), (-2, first), (1, relu(first @ W1 + b1))):
        features = MLPTransformer(network, layer=layer).fit_transform(x, labels)
        assert features.dtype == dtype
        np.testing.assert_allclose(features, expected, rtol=tolerance, atol=tolerance)


def test_the_last_layer_times_the_last_kernel_is_the_decision():
    network = MLPClassifier(
        (6, 5, 4), residual=True, normalization="batch", max_iter=5, random_state=0
    )
    features = MLPTransformer(FrozenEstimator(network.fit(X, labels))).fit(X, labels)
    decision = features.transform(X) @ network.coefs_[-1] + network.intercepts_[-1]
    np.testing.assert_allclose(decision, network.decision_function(X), rtol=1e-10)


def test_features_work_in_pipelines_searches_and_frames():
    model = make_pipeline(
        StandardScaler(),
        MLPTransformer(MLPClassifier((8,), max_iter=30, random_state=0)),
        LogisticRegression(),
    )
    grid = {"mlptransformer__estimator__alpha": [1e-4, 1.0]}
    search = GridSearchCV(model, grid, cv=3).fit(iris, labels)
    assert search.best_score_ > 0.8
    frame = pd.DataFrame(X, columns=list("abcd"))
    transformer = MLPTransformer(MLPClassifier((3,), max_iter=3), random_state=0)
    out = transformer.set_output(transform="pandas").fit_transform(frame, labels)
    assert list(out.columns) == [f"mlptransformer{i}" for i in range(3)]
    assert list(transformer.feature_names_in_) == list("abcd")


def test_names_of_an_earlier_fit_are_forgotten():
    transformer = MLPTransformer(MLPClassifier((3,), solver="lbfgs"))
    transformer.fit(pd.DataFrame(X, columns=list("abcd")), labels)
    assert not hasattr(transformer.fit(X, labels), "feature_names_in_")


def test_the_network_given_is_not_fitted_and_a_frozen_one_is_used_as_it_is():
    network = MLPRegressor(hidden_layer_sizes=(5,), max_iter=3)
    MLPTransformer(network).fit(X, iris[:, 0])
    assert not hasattr(network, "coefs_")
    network.fit(X, iris[:, 0])
    kept = network.coefs_[0].copy()
    frozen = MLPTransformer(FrozenEstimator(network)).fit(X[:5], iris[:5, 1])
    np.testing.assert_array_equal(frozen.estimator_.coefs_[0], kept)


def test_a_random_state_of_its_own_goes_to_the_network():
    network = MLPClassifier((5,), max_iter=2)
    one, two = (
        MLPTransformer(network, random_state=1).fit_transform(X, labels) for _ in "ab"
    )
    np.testing.assert_array_equal(one, two)


def test_sparse_input_categories_and_missing_values_pass_through():
    network = MLPClassifier((5,), max_iter=3, random_state=0)
    expected = MLPTransformer(network).fit(X, labels).transform(X)
    ours = MLPTransformer(network).fit(sparse.csr_matrix(X), labels)
    np.testing.assert_allclose(ours.transform(sparse.csc_matrix(X)), expected)
    frame = pd.DataFrame({"a": X[:, 0], "b": pd.Categorical(labels)})
    frame.loc[3, "a"] = np.nan
    mixed = network.set_params(categorical_features="from_dtype", missing="mean")
    assert MLPTransformer(mixed).fit(frame, labels).transform(frame).shape == (150, 5)


@pytest.mark.parametrize("layer", [1, -2, 0.5, None])
def test_a_layer_that_there_is_not_is_refused(layer):
    transformer = MLPTransformer(MLPClassifier((5,), max_iter=2), layer=layer)
    with pytest.raises(ValueError, match=r"'layer' parameter .* 1 hidden layer"):
        transformer.fit(X, labels)
    assert not hasattr(transformer, "estimator_")
    with pytest.raises(ValueError, match="0 hidden layer"):
        MLPTransformer(MLPClassifier((), max_iter=2)).fit(X, labels)


def test_only_networks_can_be_given():
    with pytest.raises(ValueError, match="'estimator' parameter of MLPTransformer"):
        MLPTransformer(LogisticRegression()).fit(X, labels)


def test_metadata_reaches_the_network():
    w = np.linspace(0.1, 2, 150)
    network = MLPClassifier((5,), max_iter=3, random_state=0)
    expected = clone(network).fit(X, labels, sample_weight=w).coefs_[0]
    plain = MLPTransformer(network).fit(X, labels, sample_weight=w)
    np.testing.assert_array_equal(plain.estimator_.coefs_[0], expected)
    with sklearn.config_context(enable_metadata_routing=True):
        network.set_fit_request(sample_weight=True)
        routed = MLPTransformer(network).fit(X, labels, sample_weight=w)
    np.testing.assert_array_equal(routed.estimator_.coefs_[0], expected)


# MLPAutoencoder ------------------------------------------------------------------


def test_a_linear_autoencoder_finds_what_pca_finds():
    auto = MLPAutoencoder(
        2, (), solver="lbfgs", alpha=0.0, max_iter=2000, tol=1e-8, random_state=0
    ).fit(X)
    pca = PCA(2).fit(X)
    expected = pca.inverse_transform(pca.transform(X))
    np.testing.assert_allclose(auto.predict(X), expected, atol=1e-4)
    share = pca.explained_variance_ratio_.sum()
    np.testing.assert_allclose(auto.score(X), share, rtol=1e-7)


def test_hidden_layers_explain_more_than_pca():
    digits = (load_digits().data[:600] / 16).astype("f")
    auto = MLPAutoencoder(2, (64, 32), activation="gelu", random_state=0, max_iter=150)
    share = PCA(2).fit(digits).explained_variance_ratio_.sum()
    assert auto.fit(digits).score(digits) > share + 0.1


def test_the_decoder_mirrors_the_encoder():
    auto = MLPAutoencoder(2, (8, 5), activation=("relu", "tanh"), max_iter=2).fit(X)
    assert [W.shape for W in auto.coefs_] == [
        *[(4, 8), (8, 5), (5, 2)],
        *[(2, 5), (5, 8), (8, 4)],
    ]
    names = [layer.name for layer in auto._network.layers if hasattr(layer, "name")]
    assert names == ["relu", "tanh", "tanh", "relu"]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"normalization": "layer", "residual": True, "hidden_layer_sizes": (8, 8)},
        {"normalization": "batch", "solver": "lbfgs"},
        {"input_dropout": 0.2, "dropout": 0.1, "early_stopping": True},
        {"diagnostics": True, "hidden_layer_sizes": ()},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_codes_decode_to_the_reconstruction(settings, dtype):
    auto = MLPAutoencoder(3, **{"max_iter": 4, "random_state": 0, **settings})
    x = X.astype(dtype)
    codes = auto.fit_transform(x)
    assert codes.shape == (150, 3)
    assert codes.dtype == auto.inverse_transform(codes).dtype == dtype
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(
        auto.inverse_transform(codes), auto.predict(x), rtol=tolerance, atol=tolerance
    )
    twin = pickle.loads(pickle.dumps(auto))
    np.testing.assert_array_equal(twin.transform(x), codes)


def test_partial_fits_equal_epochs_and_a_single_column_is_taken():
    settings = {"max_iter": 3, "random_state": 0, "tol": 0.0}
    parts = MLPAutoencoder(**settings)
    for _ in range(3):
        parts.partial_fit(X)
    whole = MLPAutoencoder(**settings).fit(X)
    np.testing.assert_array_equal(parts.transform(X), whole.transform(X))
    assert MLPAutoencoder(1, max_iter=2).fit_transform(X[:, :1]).shape == (150, 1)


def test_weights_count_and_names_come_out():
    auto = MLPAutoencoder(2, (), solver="lbfgs", max_iter=300, random_state=0)
    w = np.r_[np.ones(50), np.zeros(100)]
    weighted = clone(auto).fit(X, sample_weight=w)
    alone = clone(auto).fit(X[:50])
    np.testing.assert_allclose(weighted.score(X[:50]), alone.score(X[:50]), atol=1e-3)
    frame = pd.DataFrame(X, columns=list("abcd"))
    out = auto.set_output(transform="pandas").fit_transform(frame)
    assert list(out.columns) == ["mlpautoencoder0", "mlpautoencoder1"]


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (lambda: MLPAutoencoder(0).fit(X), "'n_components' parameter"),
        (lambda: MLPAutoencoder(max_iter=2).fit(sparse.csr_matrix(X)), "[Ss]parse"),
        (
            lambda: MLPAutoencoder(max_iter=2).fit(X).inverse_transform(X),
            "n_components=2",
        ),
    ],
)
def test_bad_input_is_named(work, words):
    with pytest.raises((ValueError, TypeError), match=words):
        work()


def test_a_kernel_within_a_block_is_a_hidden_layer_too():
    from sknn.layers import Residual

    network = MLPClassifier(layers=[Dense(6), Residual([BatchNorm(), Dense(6)])])
    network.set_params(max_iter=2, random_state=0)
    first = MLPTransformer(network, layer=0).fit(X, labels)
    W, b = first.estimator_.coefs_[0], first.estimator_.intercepts_[0]
    np.testing.assert_allclose(first.transform(X), X @ W + b, rtol=1e-12)
