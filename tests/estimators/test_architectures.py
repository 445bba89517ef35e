"""Keywords and lists of layers: what is built, fitted, published and refused."""

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils import get_tags

from sknn import MLPClassifier, MLPEstimator, MLPRegressor
from sknn.initializers import Glorot, He, LeCun, Orthogonal, Scaled, Zeros
from sknn.layers import (
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    LayerNorm,
    Residual,
)
from sknn.network import Network

X, y = make_classification(
    n_samples=150, n_features=6, n_informative=5, n_redundant=0, random_state=0
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fitted(estimator=MLPClassifier, sizes=(8, 5), **settings):
    settings = {"max_iter": 4, "random_state": 0, **settings}
    if "layers" not in settings:
        settings["hidden_layer_sizes"] = sizes
    return estimator(**settings).fit(X, y)


def layers_of(model):
    return list(model._network.layers)


# Keywords ------------------------------------------------------------------------


def test_normalization_stands_between_kernel_and_activation():
    built = layers_of(fitted(normalization="batch", dropout=0.1))
    assert [type(layer) for layer in built] == [
        *(Dense, BatchNorm, Activation, Dropout) * 2,
        Dense,
    ]
    assert LayerNorm() in layers_of(fitted(normalization="layer"))


def test_residual_adds_each_hidden_layer_to_the_one_before():
    built = layers_of(fitted(sizes=(8, 8, 5), residual=True, normalization="layer"))
    small = Scaled(Glorot(6.0), 2**-0.5)
    assert built == [
        Dense(8),
        Residual([LayerNorm(), Activation("relu"), Dense(8, small, small)]),
        Residual([LayerNorm(), Activation("relu"), Dense(5, small, small)]),
        LayerNorm(),
        Activation("relu"),
        Dense(1),
    ]


def test_one_hidden_layer_has_nothing_to_be_added_to():
    plain, residual = fitted(sizes=(8,)), fitted(sizes=(8,), residual=True)
    np.testing.assert_array_equal(plain._network.values, residual._network.values)
    assert len(fitted(sizes=(), residual=True, normalization="batch").coefs_) == 1


def test_input_dropout_comes_first():
    assert layers_of(fitted(input_dropout=0.2))[0] == Dropout(0.2)


@pytest.mark.parametrize(
    ("given", "kernel"),
    [
        ("glorot", Glorot()),
        ("he", He()),
        ("lecun", LeCun()),
        ("orthogonal", Orthogonal()),
        (Orthogonal(2.0), Orthogonal(2.0)),
    ],
)
def test_weight_init_says_how_all_kernels_start(given, kernel):
    dense = [layer for layer in layers_of(fitted(weight_init=given)) if layer != 0]
    dense = [layer for layer in dense if isinstance(layer, Dense)]
    assert {layer.kernel_init for layer in dense} == {kernel}
    assert {layer.bias_init for layer in dense} == {Zeros()}


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor, MLPEstimator])
@pytest.mark.parametrize(
    "settings",
    [
        {"normalization": "batch"},
        {"normalization": "layer", "residual": True, "sizes": (8, 8, 8)},
        {"input_dropout": 0.2, "dropout": (0.1, 0.0)},
        {"numeric_embedding": "plr"},
        {"numeric_embedding": "pbld"},
        {"numeric_embedding": "piecewise_linear"},
        {"layers": [Dense(7), Residual([BatchNorm(), Activation("gelu"), Dense(4)])]},
    ],
    ids=str,
)
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.filterwarnings("ignore:task=:UserWarning")
def test_every_architecture_fits_predicts_clones_and_pickles(
    estimator, settings, solver
):
    model = fitted(estimator, solver=solver, **settings)
    assert np.isfinite(model.predict(X)).all()
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(twin.predict(X), model.predict(X))
    again = clone(model).fit(X, y)
    np.testing.assert_array_equal(again._network.values, model._network.values)


@pytest.mark.parametrize(
    "settings",
    [
        {"normalization": "batch", "dropout": 0.2},
        {"normalization": "layer", "residual": True, "input_dropout": 0.1},
        {"numeric_embedding": "piecewise_linear"},
        {"normalization": "batch", "early_stopping": True},
    ],
    ids=str,
)
def test_two_epochs_and_two_more_equal_four(settings):
    whole = fitted(max_iter=4, tol=0.0, **settings)
    parts = fitted(max_iter=2, tol=0.0, warm_start=True, **settings)
    parts = pickle.loads(pickle.dumps(parts)).fit(X, y)
    np.testing.assert_array_equal(parts._network.values, whole._network.values)


def test_partial_fits_move_the_running_statistics_like_epochs():
    settings = {"normalization": "batch", "max_iter": 3, "random_state": 0, "tol": 0.0}
    model = MLPClassifier((8,), **settings)
    for _ in range(3):
        model.partial_fit(X, y, classes=[0, 1])
    whole = MLPClassifier((8,), **settings).fit(X, y)
    np.testing.assert_array_equal(model._network.values, whole._network.values)


def test_lbfgs_predicts_with_the_statistics_of_all_samples():
    model = fitted(sizes=(8,), normalization="batch", solver="lbfgs", max_iter=20)
    z = X @ model.coefs_[0] + model.intercepts_[0]
    own = model._network.views[1]
    np.testing.assert_allclose(own["mean"][0], z.mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(own["variance"][0], z.var(axis=0, ddof=1), rtol=1e-10)


def test_weights_of_samples_count_in_batch_normalisation():
    rows = np.concatenate([np.arange(150), np.arange(40)])
    w = np.bincount(rows, minlength=150).astype(float)
    settings = {
        "normalization": "batch",
        "batch_size": 190,
        "solver": "sgd",
        "learning_rate_init": 0.1,
        "shuffle": False,
        "max_iter": 30,
        "random_state": 0,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weighted = MLPClassifier((8,), **settings).fit(X, y, w)
        repeated = MLPClassifier((8,), **settings).fit(X[rows], y[rows])
    for ours, theirs in zip(weighted.coefs_, repeated.coefs_, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


# Lists of layers -----------------------------------------------------------------

LAYERS = [
    Dense(64),
    BatchNorm(),
    Activation("gelu"),
    Residual([LayerNorm(), Activation("relu"), Dense(64)]),
    Dropout(0.1),
    Dense(32),
]


def test_coefs_are_the_dense_kernels_in_order():
    model = fitted(layers=LAYERS)
    assert [W.shape for W in model.coefs_] == [(6, 64), (64, 64), (64, 32), (32, 1)]
    assert [b.shape for b in model.intercepts_] == [(64,), (64,), (32,), (1,)]
    assert model.n_layers_ == 5
    model.coefs_[1][...] = 0.0
    assert (model._network.views[3]["2"]["W"] == 0).all()


def test_layers_are_not_changed_by_a_fit_and_print_shortly():
    model = MLPClassifier(layers=LAYERS, max_iter=2)
    kept = list(LAYERS)
    model.fit(X, y)
    assert model.layers is LAYERS
    assert kept == LAYERS
    assert "Dense(64), BatchNorm()" in repr(model).replace("\n", " ")


def test_layers_are_searched():
    grid = {"layers": [[Dense(8)], [Dense(8), BatchNorm(), Activation("relu")]]}
    search = GridSearchCV(MLPClassifier(max_iter=3, random_state=0), grid, cv=2)
    search.fit(X, y)
    assert search.best_params_["layers"] in grid["layers"]


def test_an_empty_list_is_a_linear_model():
    linear = fitted(layers=[])
    np.testing.assert_array_equal(linear.coefs_[0], fitted(sizes=()).coefs_[0])


def test_a_given_list_equals_the_keywords_that_say_the_same():
    keywords = fitted(normalization="batch", activation=("gelu", "tanh"))
    listed = fitted(
        layers=[
            *(Dense(8), BatchNorm(), Activation("gelu")),
            *(Dense(5), BatchNorm(), Activation("tanh")),
        ]
    )
    np.testing.assert_array_equal(listed._network.values, keywords._network.values)


@pytest.mark.parametrize(
    "settings",
    [
        {"hidden_layer_sizes": (50,)},
        {"activation": "tanh"},
        {"dropout": 0.1},
        {"normalization": "batch"},
        {"residual": True},
        {"weight_init": "he"},
    ],
    ids=str,
)
def test_keywords_beside_layers_are_refused(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"^{name}=.* contradicts layers="):
        MLPClassifier(layers=[Dense(3)], **settings).fit(X, y)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("layers", [Dense]),
        ("layers", Dense(3)),
        ("layers", "dense"),
        ("layers", {}),
        ("normalization", "group"),
        ("residual", 1),
        ("input_dropout", 1.0),
        ("weight_init", "zeros"),
        ("numeric_embedding", "ple"),
        ("categorical_embedding", Dense(3)),
        ("missing", "median"),
        ("diagnostics", "yes"),
    ],
)
def test_bad_values_are_refused_by_name(name, value):
    with pytest.raises((ValueError, TypeError), match=f"'{name}' parameter of"):
        MLPClassifier(**{name: value}).fit(X, y)


def test_frozen_layers_keep_what_they_were_given():
    start = [np.full((6, 8), 0.3), None]
    model = MLPClassifier(
        layers=[Dense(8, trainable=False), Activation("tanh")], random_state=0
    )
    model.fit(X, y, coefs_init=start)
    np.testing.assert_array_equal(model.coefs_[0], 0.3)
    assert model.loss_curve_[-1] < model.loss_curve_[0]


# Initial weights -----------------------------------------------------------------


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_fit_starts_from_given_weights(solver):
    first = fitted(solver=solver, max_iter=50)
    coefs = [W.copy() for W in first.coefs_]
    intercepts = [b.copy() for b in first.intercepts_]
    model = MLPClassifier((8, 5), solver=solver, max_iter=1, random_state=1)
    model.fit(X, y, coefs_init=coefs, intercepts_init=intercepts)
    np.testing.assert_allclose(model.loss_curve_[0], first.loss_, rtol=0.1)
    for W, kept in zip(first.coefs_, coefs, strict=True):
        np.testing.assert_array_equal(W, kept)


def test_none_among_initial_weights_leaves_a_layer_to_its_draw():
    model = MLPClassifier((8, 5), max_iter=1, random_state=0, learning_rate_init=1e-12)
    plain = clone(model).fit(X, y)
    model.fit(X, y, coefs_init=[None, np.ones((8, 5)), None])
    np.testing.assert_allclose(model.coefs_[0], plain.coefs_[0], atol=1e-9)
    np.testing.assert_allclose(model.coefs_[1], 1.0, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("coefs_init", [np.ones((6, 8))], "coefs_init must have the shapes"),
        ("coefs_init", [np.ones((6, 7)), None, None], "coefs_init must have the sh"),
        ("coefs_init", [np.full((6, 8), np.nan), None, None], "coefs_init must be fin"),
        ("coefs_init", "abc", "coefs_init must be a list of arrays of numbers"),
        ("coefs_init", 3.0, "coefs_init must be a list of arrays of numbers"),
        ("coefs_init", [[["a"]], None, None], "coefs_init must be a list of arrays"),
        ("intercepts_init", [np.ones(9), None, None], "intercepts_init must have"),
    ],
)
def test_initial_weights_that_do_not_fit_are_refused(name, given, words):
    model = MLPClassifier((8, 5))
    with pytest.raises(ValueError, match=words):
        model.fit(X, y, **{name: given})
    assert not hasattr(model, "coefs_")


# Sparse input --------------------------------------------------------------------


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_array])
def test_sparse_input_meets_dense_and_dropout_first(kind):
    dense = fitted(normalization="batch", residual=True)
    ours = MLPClassifier((8, 5), normalization="batch", residual=True, random_state=0)
    ours.set_params(max_iter=4).fit(kind(X), y)
    np.testing.assert_allclose(ours._network.values, dense._network.values, rtol=1e-9)
    dropped = MLPClassifier((8,), input_dropout=0.3, max_iter=4, random_state=0)
    assert np.isfinite(dropped.fit(kind(X), y).predict_proba(kind(X))).all()


def test_input_dropout_drops_stored_entries_of_sparse_input_alike():
    full = np.abs(X) + 1.0  # all entries are stored: the same draws, the same numbers
    model = MLPClassifier((8,), input_dropout=0.3, max_iter=3, random_state=0)
    dense, ours = clone(model).fit(full, y), model.fit(sparse.csr_matrix(full), y)
    np.testing.assert_allclose(ours._network.values, dense._network.values, rtol=1e-9)


@pytest.mark.parametrize(
    "settings",
    [
        {"layers": [BatchNorm(), Dense(3)]},
        {"layers": [Residual([Dense(6)])]},
        {"numeric_embedding": "pbld"},
    ],
    ids=str,
)
def test_layers_that_need_dense_input_say_so(settings):
    model = MLPClassifier(max_iter=2, **settings)
    assert not get_tags(model).input_tags.sparse
    with pytest.raises(ValueError, match=r"X is sparse, but .* takes dense input"):
        model.fit(sparse.csr_matrix(X), y)
    with pytest.raises(ValueError, match=r"X is sparse, but .* takes dense input"):
        model.fit(X, y).predict(sparse.csr_matrix(X))
    assert get_tags(MLPClassifier(layers=[Dense(3)])).input_tags.sparse


# Deep networks -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "low", "high"),
    [
        ({"activation": "logistic"}, 0.0, 0.2),
        ({"residual": True}, 0.90, 1.0),
        ({"residual": True, "normalization": "layer"}, 0.94, 1.0),
    ],
    ids=["sigmoid", "residual", "layer norm and residual"],
)
def test_thirty_layers_train_where_the_identity_passes(settings, low, high):
    X, y = load_digits(return_X_y=True)
    X = (X / 8 - 1).astype("f")
    model = MLPClassifier((32,) * 30, max_iter=60, random_state=0, **settings)
    assert low <= model.fit(X[::2], y[::2]).score(X[1::2], y[1::2]) <= high


def test_cross_validation_takes_architectures():
    model = MLPClassifier(
        (16, 16),
        residual=True,
        normalization="batch",
        learning_rate_init=0.02,
        max_iter=60,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert cross_val_score(model, X, y, cv=3).mean() > 0.75


def test_threads_predict_with_one_estimator_at_once():
    model = fitted(
        sizes=(30, 30), normalization="batch", residual=True, numeric_embedding="pbld"
    )
    inputs = [X[i::7].copy() for i in range(7)] * 20
    expected = [model.predict_proba(x) for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        for ours, theirs in zip(
            pool.map(model.predict_proba, inputs), expected, strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.filterwarnings("ignore:.*not scaled")
def test_a_stack_of_fitted_networks_predicts_what_each_does():
    models = [
        fitted(random_state=s, normalization="batch", numeric_embedding="plr")
        for s in range(3)
    ]
    stack = Network.stack([model._network for model in models]).predict(X)
    for raw, model in zip(stack, models, strict=True):
        np.testing.assert_allclose(raw[:, 0], model.decision_function(X), rtol=1e-10)
