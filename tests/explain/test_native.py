"""Methods that work within a network: axioms, oracles, pipelines, fallbacks."""

import itertools
import math
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier as SklearnMLP
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
    TargetEncoder,
)

from sknn import (
    MLPClassifier,
    MLPEnsembleClassifier,
    MLPEnsembleRegressor,
    MLPEstimator,
    MLPRegressor,
    PerceptronClassifier,
)
from sknn.explain import explain
from sknn.explain.native import game, source
from sknn.explain.native.exact import shapley_values
from sknn.explain.native.source import NotNativeError, sources_of

pytest.importorskip("shap")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ADDITIVE = ["exact", "permutation", "deep"]
CONFIGS = {
    "relu": {},
    "tanh": {"activation": "tanh"},
    "gelu": {"activation": "gelu", "hidden_layer_sizes": (6, 5)},
    "leaky_relu": {"activation": "leaky_relu", "hidden_layer_sizes": (6, 5, 4)},
    "batch norm": {"normalization": "batch", "hidden_layer_sizes": (6, 5)},
    "layer norm": {"normalization": "layer", "hidden_layer_sizes": (6, 5)},
    "residual": {"residual": True, "hidden_layer_sizes": (6, 6, 5)},
    "norm and residual": {
        "residual": True,
        "normalization": "batch",
        "hidden_layer_sizes": (6, 4),
    },
    "dropout": {"dropout": 0.3, "input_dropout": 0.1},
    "plr": {"numeric_embedding": "plr"},
    "pbld": {"numeric_embedding": "pbld"},
    "piecewise": {"numeric_embedding": "piecewise_linear"},
    "monotonic": {"monotonic_cst": [1, 0, -1, 0, 0], "activation": "tanh"},
    "linear": {"hidden_layer_sizes": ()},
    "logistic": {"activation": "logistic", "dtype": "float32"},
}


def data(n=60, d=5):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(n, d))
    return X, X[:, 0] - 2 * X[:, 1] * X[:, 2] + np.sin(2 * X[:, 3])


def fitted(kind=MLPRegressor, n_classes=None, **options):
    X, y = data()
    if kind is MLPClassifier:
        y = np.digitize(y, [-1, 1] if n_classes == 3 else [0])
    options = {"hidden_layer_sizes": (6,), "max_iter": 15, "random_state": 0} | options
    return kind(**options).fit(X, y)


def quiet(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return explain(*args, **options)


def plain_shapley(f, x, background):
    """Return Shapley values by the definition, over all orders."""
    d = len(x)
    values = np.zeros((d, f(background[:1]).shape[-1]))

    def v(coalition):
        rows = background.copy()
        rows[:, list(coalition)] = x[list(coalition)]
        return f(rows).mean(axis=0)

    for order in itertools.permutations(range(d)):
        for k, j in enumerate(order):
            values[j] += v(order[: k + 1]) - v(order[:k])
    return values / math.factorial(d)


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("method", ADDITIVE)
def test_values_add_up_whatever_the_layers(config, method):
    model, X = fitted(**CONFIGS[config]), data()[0]
    found = quiet(model, X[:5], background=X[20:32], method=method, random_state=0)
    total = found.values.sum(axis=1) + found.base_values
    rtol = 1e-5 if config == "logistic" else 1e-10
    np.testing.assert_allclose(total, model.predict(X[:5]), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("config", ["relu", "batch norm", "plr", "monotonic"])
def test_exact_values_are_those_of_the_definition(config):
    model, X = fitted(**CONFIGS[config]), data()[0]
    found = explain(model, X[:2], background=X[20:26], method="exact")
    for x, values in zip(X, found.values, strict=False):
        expected = plain_shapley(lambda Z: model.predict(Z)[:, None], x, X[20:26])
        np.testing.assert_allclose(values, expected[:, 0], atol=1e-12)


def test_values_of_a_game_are_those_of_the_formula():
    rng = np.random.default_rng(0)
    outputs = rng.normal(size=(2**4, 2))
    expected = np.zeros((4, 2))
    for k, rest in itertools.product(range(4), range(2**4)):
        if rest >> k & 1:
            continue
        size = rest.bit_count()
        weight = math.factorial(size) * math.factorial(3 - size) / math.factorial(4)
        expected[k] += weight * (outputs[rest | 1 << k] - outputs[rest])
    np.testing.assert_allclose(shapley_values(outputs), expected, atol=1e-14)


@pytest.mark.parametrize("config", ["relu", "tanh", "residual", "layer norm"])
def test_walks_are_unbiased_and_know_their_errors(config):
    model, X = fitted(**CONFIGS[config]), data()[0]
    exact = explain(model, X[:4], background=X[20:32], method="exact").values
    walks = [
        explain(
            model, X[:4], background=X[20:32], method="permutation", random_state=seed
        )
        for seed in range(30)
    ]
    errors = np.array([found.values - exact for found in walks])
    stated = np.array([found.error_std for found in walks])
    mean_error = np.abs(errors.mean(axis=0))
    assert (mean_error <= 4 * stated.mean(axis=0) / np.sqrt(30) + 1e-12).all()
    covered = np.abs(errors) <= 1.96 * stated + 1e-12
    assert 0.9 <= covered.mean() <= 0.99


def test_rounds_shrink_errors_with_their_square_root():
    model, X = fitted(hidden_layer_sizes=(6, 5)), data()[0]
    options = {"background": X[20:32], "method": "permutation", "random_state": 0}
    one = explain(model, X[:4], rounds=1, **options).error_std.mean()
    many = explain(model, X[:4], rounds=16, **options).error_std.mean()
    assert 3.2 < one / many < 5.0


def test_a_column_without_a_weight_gets_nothing():
    model, X = fitted(), data()[0]
    model.coefs_[0][2] = 0
    for method in [*ADDITIVE, "expected_gradients", "gradient"]:
        found = explain(model, X[:3], background=X[20:32], method=method)
        assert np.abs(found.values[:, 2]).max() < 1e-14


def test_equal_columns_with_equal_weights_get_the_same():
    model, X = fitted(), data()[0].copy()
    X[:, 1] = X[:, 0]
    model.coefs_[0][1] = model.coefs_[0][0]
    for method in ("exact", "deep", "expected_gradients"):
        values = explain(model, X[:3], background=X[20:32], method=method).values
        np.testing.assert_allclose(values[:, 0], values[:, 1], atol=1e-13)


@pytest.mark.parametrize("method", ["exact", "permutation", "deep"])
def test_a_row_does_not_depend_on_the_others_nor_on_the_order_of_the_background(method):
    model, X = fitted(), data()[0]
    background = X[20:32]
    whole = explain(model, X[:6], background=background, method=method, random_state=0)
    one = explain(model, X[3:4], background=background, method=method, random_state=0)
    scale = np.abs(whole.values).max()
    assert np.abs(whole.values[3] - one.values[0]).max() <= 1e-12 * scale
    if method != "permutation":
        mixed = explain(model, X[:6], background=background[::-1], method=method)
        assert np.abs(whole.values - mixed.values).max() <= 1e-12 * scale


def test_the_same_seed_gives_the_same_bits():
    model, X = fitted(), data()[0]
    options = {"background": X[20:32], "method": "permutation"}
    one, other = (explain(model, X[:3], random_state=3, **options) for _ in range(2))
    np.testing.assert_array_equal(one.values, other.values)
    other = explain(model, X[:3], random_state=4, **options)
    assert not np.array_equal(one.values, other.values)


def test_deep_equals_expected_gradients_for_one_hidden_layer():
    model, X = fitted(activation="tanh"), data()[0]
    deep = explain(model, X[:4], background=X[20:32], method="deep").values
    paths = explain(
        model, X[:4], background=X[20:32], method="expected_gradients", n_nodes=60
    )
    np.testing.assert_allclose(deep, paths.values, atol=1e-10)


@pytest.mark.parametrize("method", [*ADDITIVE, "linear", "integrated_gradients"])
def test_all_methods_agree_on_a_linear_model(method):
    model, X = fitted(hidden_layer_sizes=()), data()[0]
    found = explain(model, X[:4], background=X[20:32], method=method)
    coef = model.coefs_[0][:, 0]
    expected = (X[:4] - X[20:32].mean(axis=0)) * coef
    np.testing.assert_allclose(found.values, expected, atol=1e-12)


def test_methods_within_the_network_are_linear_in_its_outputs():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(40, 4))
    model = MLPRegressor(hidden_layer_sizes=(6,), max_iter=5, random_state=0)
    model.fit(X, rng.normal(size=(40, 2)))
    both = explain(model, X[:3], background=X[20:30], method="deep")
    summed = MLPRegressor(hidden_layer_sizes=(6,), max_iter=1).fit(X, X[:, 0])
    summed.coefs_ = [model.coefs_[0], model.coefs_[1].sum(axis=1, keepdims=True)]
    summed.intercepts_ = [model.intercepts_[0], model.intercepts_[1].sum(keepdims=True)]
    one = explain(summed, X[:3], background=X[20:30], method="deep")
    np.testing.assert_allclose(both.values.sum(axis=-1), one.values, atol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("output", ["margin", "probability"])
@pytest.mark.parametrize("method", [*ADDITIVE, "expected_gradients"])
def test_classes_have_margins_and_probabilities(n_classes, output, method):
    model, X = fitted(MLPClassifier, n_classes), data()[0]
    options = {"n_nodes": 64} if method == "expected_gradients" else {}
    options["random_state"] = 0
    found = quiet(
        model, X[:4], background=X[20:32], method=method, output=output, **options
    )
    f = model.decision_function if output == "margin" else model.predict_proba
    total = found.values.sum(axis=1) + found.base_values
    loose = method == "expected_gradients"  # whose nodes miss the kinks
    np.testing.assert_allclose(total, f(X[:4]), atol=0.05 if loose else 1e-9)
    if n_classes == 3 or output == "probability":
        assert found.output_names == [str(label) for label in model.classes_]
        part = quiet(
            model,
            X[:4],
            background=X[20:32],
            method=method,
            output=output,
            target=1,
            **options,
        )
        np.testing.assert_allclose(part.values, found.values[..., 1], atol=1e-12)


def test_deep_warns_where_its_rules_are_not_elementwise():
    X = data()[0]
    classifier = fitted(MLPClassifier, 3)
    with pytest.warns(UserWarning, match="softmax"):
        explain(
            classifier, X[:2], background=X[9:], method="deep", output="probability"
        )
    with pytest.warns(UserWarning, match="layer normalisation"):
        explain(fitted(normalization="layer"), X[:2], background=X[9:], method="deep")


@pytest.mark.parametrize("loss", ["poisson", "gaussian_nll", "quantile"])
@pytest.mark.parametrize("method", ["exact", "permutation"])
def test_losses_with_links_are_explained_in_units_of_y(loss, method):
    X, y = data()
    model = MLPRegressor(loss, (6,), max_iter=10, random_state=0)
    if loss == "quantile":
        model.set_params(quantile=[0.1, 0.5, 0.9])
    if loss != "poisson":
        model.set_params(normalize_y=True)
    model.fit(X, np.abs(y))
    found = explain(model, X[:3], background=X[20:32], method=method)
    total = found.values.sum(axis=1) + found.base_values
    np.testing.assert_allclose(total, model.predict(X[:3]), rtol=1e-9)
    if loss == "poisson":
        deep = explain(model, X[:3], background=X[20:32], method="deep")
        total = deep.values.sum(axis=1) + deep.base_values
        np.testing.assert_allclose(total, model.predict(X[:3]), rtol=1e-9)


def mixed_frame(n=80):
    rng = np.random.RandomState(0)
    size = rng.normal(size=n)
    return pd.DataFrame(
        {
            "size": np.where(rng.rand(n) < 0.1, np.nan, size),
            "town": rng.choice(["Rome", "Oslo", "Bonn"], n),
            "grade": pd.Categorical(rng.choice(list("abcd"), n)),
            "old": rng.rand(n) < 0.5,
            "count": pd.array(rng.randint(0, 4, n), dtype="Int64"),
        }
    ), (size > 0).astype(int)


def encoded_pipeline():
    columns = ColumnTransformer(
        [
            ("number", make_pipeline(SimpleImputer(), StandardScaler()), ["size"]),
            ("town", OneHotEncoder(sparse_output=False), ["town"]),
            ("grade", OrdinalEncoder(), ["grade"]),
        ],
        remainder="passthrough",
    )
    return make_pipeline(columns, MLPClassifier((6,), max_iter=10, random_state=0))


def own_encoding():
    return MLPClassifier(
        (6,),
        categorical_features="from_dtype",
        missing="indicator",
        max_iter=10,
        random_state=0,
    )


@pytest.mark.parametrize("make", [encoded_pipeline, own_encoding])
@pytest.mark.parametrize("method", ADDITIVE)
def test_frames_of_many_kinds_are_explained_on_their_own_columns(make, method):
    X, y = mixed_frame()
    model = make().fit(X, y)
    found = explain(model, X[:4], background=X[20:36], method=method, random_state=0)
    assert found.feature_names == list(X)
    assert found.display_data[0, 1] == X["town"][0]
    total = found.values.sum(axis=1) + found.base_values
    np.testing.assert_allclose(total, model.decision_function(X[:4]), atol=1e-9)
    exact = explain(model, X[:4], background=X[20:36], method="exact").values
    black_box = explain(
        Hidden(model), X[:4], background=X[20:36], method="exact"
    ).values
    np.testing.assert_allclose(exact, black_box, atol=1e-10)


class Hidden:
    """A model whose inside nobody can see."""

    _estimator_type = "classifier"

    def __init__(self, model):
        self.model = model
        self.classes_ = model.classes_
        self.n_features_in_ = model.n_features_in_
        if hasattr(model, "feature_names_in_"):
            self.feature_names_in_ = model.feature_names_in_

    def __sklearn_tags__(self):
        return self.model.__sklearn_tags__()

    def fit(self, X, y):
        return self

    def predict(self, X):
        return self.model.predict(X)

    def decision_function(self, X):
        return self.model.decision_function(X)


PIPELINES = {
    "scaler": lambda: make_pipeline(StandardScaler(), net()),
    "nested": lambda: make_pipeline(make_pipeline(StandardScaler()), net()),
    "search": lambda: GridSearchCV(net(), {"alpha": [1e-4]}, cv=2),
    "function": lambda: make_pipeline(FunctionTransformer(np.tanh), net()),
    "target encoder": lambda: make_pipeline(TargetEncoder(cv=2), net()),
    "one hot": lambda: make_pipeline(OneHotEncoder(handle_unknown="ignore"), net()),
    "passthrough": lambda: make_pipeline("passthrough", net()),
}
MIXING = {
    "pca": lambda: make_pipeline(StandardScaler(), PCA(3), net()),
    "polynomials": lambda: make_pipeline(PolynomialFeatures(2), net()),
}


def net():
    return MLPClassifier((6,), max_iter=5, random_state=0)


def rounded():
    X, y = load_iris(return_X_y=True)
    return np.round(X[:100]), y[:100]


@pytest.mark.parametrize("name", MIXING)
def test_a_network_behind_mixed_columns_is_a_black_box_which_is_said(name):
    X, y = rounded()
    model = MIXING[name]().fit(X, y)
    with pytest.warns(UserWarning, match="black box.*mixes columns"):
        explain(model, X[::30], background=X[5::9])


@pytest.mark.filterwarnings("ignore:The pipeline is explained as a black box")
@pytest.mark.parametrize("name", [*PIPELINES, *MIXING])
def test_pipelines_are_explained_on_their_own_columns(name):
    X, y = rounded()
    model = (PIPELINES | MIXING)[name]().fit(X, y)
    for method in ("exact", "permutation"):
        found = explain(model, X[::30], background=X[5::9], method=method)
        total = found.values.sum(axis=1) + found.base_values
        np.testing.assert_allclose(total, model.decision_function(X[::30]), atol=1e-9)


@pytest.mark.parametrize("name", PIPELINES)
def test_pipelines_that_pass_columns_one_by_one_are_opened(name):
    X, y = rounded()
    model = PIPELINES[name]().fit(X, y)
    deep = explain(model, X[::30], background=X[5::9], method="deep")
    total = deep.values.sum(axis=1) + deep.base_values
    np.testing.assert_allclose(total, model.decision_function(X[::30]), atol=1e-9)


@pytest.mark.parametrize("name", MIXING)
def test_deep_says_why_it_cannot_look_into_a_pipeline(name):
    X, y = rounded()
    model = MIXING[name]().fit(X, y)
    with pytest.raises(ValueError, match=r"mixes columns.*Use\s+method='permutation'"):
        explain(model, X[::30], background=X[5::9], method="deep")


def test_deep_needs_a_network():
    X, y = load_iris(return_X_y=True)
    forest = RandomForestClassifier(3, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="RandomForestClassifier is neither"):
        explain(forest, X[:2], background=X[9:19], method="deep", output="probability")
    with pytest.raises(NotNativeError, match="neither a network nor a linear model"):
        sources_of(forest)


@pytest.mark.parametrize(
    "model",
    [LinearRegression(), LogisticRegression(), PerceptronClassifier(max_iter=5)],
    ids=lambda model: type(model).__name__,
)
def test_linear_models_are_networks_of_one_kernel(model):
    X, y = load_iris(return_X_y=True)
    model.fit(X, y)
    found = explain(model, X[:4], background=X[20:40], method="linear")
    exact = explain(model, X[:4], background=X[20:40], method="exact")
    np.testing.assert_allclose(found.values, exact.values, atol=1e-11)
    wrong = fitted(), data()[0]
    with pytest.raises(ValueError, match="without hidden layers"):
        explain(wrong[0], wrong[1][:2], background=wrong[1][9:], method="linear")


def test_networks_of_scikit_learn_are_opened_too():
    X, y = load_iris(return_X_y=True)
    model = SklearnMLP((6,), max_iter=10, random_state=0).fit(X, y)
    options = {"background": X[20:40], "output": "probability"}
    exact = explain(model, X[::50], method="exact", **options)
    deep = quiet(model, X[::50], method="deep", **options)
    for found in (exact, deep):
        total = found.values.sum(axis=1) + found.base_values
        np.testing.assert_allclose(total, model.predict_proba(X[::50]), atol=1e-9)


def test_sparse_input_is_explained_as_dense():
    X, y = rounded()
    model = net().fit(X, y)
    dense = explain(model, X[::30], background=X[5::9], method="deep").values
    found = explain(
        model,
        sparse.csr_array(X[::30]),
        background=sparse.csr_array(X[5::9]),
        method="deep",
    )
    np.testing.assert_allclose(found.values, dense, atol=1e-12)


def test_float32_is_close_to_float64():
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    model = MLPClassifier((20, 10), max_iter=20, random_state=0).fit(X, y)
    for method in ("deep", "permutation"):
        options = {"background": X[50:80], "method": method, "random_state": 0}
        wide = explain(model, X[:5], dtype="float64", **options).values
        narrow = explain(model, X[:5], dtype="float32", **options).values
        assert np.abs(wide - narrow).max() < 1e-4 * np.abs(wide).max()


def test_rows_equal_to_the_background_get_finite_values():
    model, X = fitted(activation="tanh", hidden_layer_sizes=(6, 5)), data()[0]
    for method in [*ADDITIVE, "expected_gradients"]:
        found = explain(model, X[:3], background=X[:3], method=method)
        assert np.isfinite(found.values).all()
        same = explain(model, X[:1], background=X[:1], method=method)
        assert np.abs(same.values).max() < 1e-14


def test_exact_counts_only_the_columns_that_differ():
    rng = np.random.RandomState(0)
    X = np.zeros((30, 40))
    X[:, :3] = rng.normal(size=(30, 3))
    model = MLPRegressor(hidden_layer_sizes=(5,), max_iter=3).fit(X, X[:, 0])
    found = explain(model, X[:2], background=X[5:9], method="exact")
    assert not found.values[:, 3:].any()
    X = rng.normal(size=(30, 18))
    model = MLPRegressor(hidden_layer_sizes=(5,), max_iter=3).fit(X, X[:, 0])
    with pytest.raises(ValueError, match=r"up to 16 columns.*row 0 of X has 18"):
        explain(model, X[:2], background=X[5:9], method="exact")


def test_auto_is_linear_for_linear_models_exact_for_few_columns_else_walks():
    X, y = load_diabetes(return_X_y=True)
    linear = LinearRegression().fit(X, y)
    found = explain(linear, X[:2], background=X[9:19])
    exact = explain(linear, X[:2], background=X[9:19], method="exact")
    np.testing.assert_allclose(found.values, exact.values, atol=1e-9)
    assert found.error_std is None
    model, Z = fitted(), data()[0]
    assert explain(model, Z[:2], background=Z[9:19]).error_std is None
    rng = np.random.RandomState(0)
    wide = rng.normal(size=(30, 20))
    model = MLPEstimator((5,), task="regression", max_iter=2).fit(wide, wide[:, 0])
    assert explain(model, wide[:2], background=wide[9:]).error_std is not None


def test_groups_of_columns_are_single_players():
    model, X = fitted(hidden_layer_sizes=(6, 5)), data()[0]
    groups = {"first": [0, 2], "last": "x4"}
    for method in ("exact", "permutation", "deep"):
        found = explain(model, X[:3], background=X[20:32], method=method, groups=groups)
        assert found.feature_names[:2] == ["first", "last"]
        assert found.values.shape == (3, 4)
        total = found.values.sum(axis=1) + found.base_values
        np.testing.assert_allclose(total, model.predict(X[:3]), atol=1e-10)
    exact = explain(model, X[:3], background=X[20:32], method="exact", groups=groups)
    search = GridSearchCV(model, {"alpha": [1e-4]}, cv=2).fit(*data())
    search.best_estimator_ = TransformedTargetRegressor(model).fit(*data())
    search.best_estimator_.regressor_ = model  # nobody can see through these two
    black_box = explain(
        search, X[:3], background=X[20:32], method="exact", groups=groups
    )
    np.testing.assert_allclose(exact.values, black_box.values, atol=1e-12)
    assert "=" in str(exact.display_data[0, 0])
    assert np.isnan(exact.data[0, 0])
    assert exact.data[0, 1] == X[0, 4]


def test_transformed_columns_are_explained_at_the_last_step():
    X, y = mixed_frame()
    model = encoded_pipeline().fit(X, y)
    found = explain(
        model, X[:4], background=X[20:36], method="exact", groups="transformed"
    )
    whole = explain(model, X[:4], background=X[20:36], method="exact")
    assert len(found.feature_names) == 7
    assert "town__town_Oslo" in found.feature_names
    np.testing.assert_allclose(found.values.sum(axis=1), whole.values.sum(axis=1))


def test_walks_go_on_to_a_tolerance():
    model, X = fitted(hidden_layer_sizes=(6, 5)), data()[0]
    options = {"background": X[20:32], "method": "permutation", "random_state": 0}
    plain = explain(model, X[:3], **options)
    tol = plain.error_std.max() / 4
    found = explain(model, X[:3], tol=tol, **options)
    assert found.error_std.max() <= tol
    exact = explain(model, X[:3], background=X[20:32], method="exact").values
    assert np.abs(found.values - exact).max() < 6 * tol


@pytest.mark.parametrize(
    "method", [*ADDITIVE, "expected_gradients", "integrated_gradients", "gradient"]
)
def test_ensembles_are_explained_by_the_mean_of_their_members(method):
    X, y = data()
    net = MLPRegressor(hidden_layer_sizes=(6,), max_iter=5)
    model = MLPEnsembleRegressor(net, 3, random_state=0).fit(X, y)
    options = {"background": X[20:32], "method": method, "random_state": 0}
    found = explain(model, X[:3], **options)
    each = [explain(member, X[:3], **options).values for member in model.estimators_]
    np.testing.assert_allclose(found.values, np.mean(each, axis=0), atol=1e-12)
    if method in ADDITIVE:
        total = found.values.sum(axis=1) + found.base_values
        np.testing.assert_allclose(total, model.predict(X[:3]), atol=1e-10)


def test_ensembles_of_classifiers_have_probabilities():
    X, y = mixed_frame()
    model = MLPEnsembleClassifier(own_encoding(), 2, resampling="folds").fit(X, y)
    for method in ("exact", "permutation", "deep"):
        found = explain(model, X[:3], background=X[20:36], method=method)
        total = found.values.sum(axis=1) + found.base_values
        np.testing.assert_allclose(total, model.predict_proba(X[:3]), atol=1e-9)


def test_where_a_number_is_missing_belongs_to_its_column():
    X, y = mixed_frame()
    model = own_encoding().fit(X, y)
    missing = X[X["size"].isna()]
    found = explain(model, missing, background=X[20:50], method="deep")
    total = found.values.sum(axis=1) + found.base_values
    np.testing.assert_allclose(total, model.decision_function(missing), atol=1e-9)
    with pytest.raises(ValueError, match=r"one by one|mixes"):
        both = make_pipeline(
            FunctionTransformer(lambda Z: np.column_stack([Z[:, 0] * Z[:, 1], Z])),
            net(),
        ).fit(*rounded())
        explain(both, rounded()[0][:3], background=rounded()[0][5:9], method="deep")


def test_large_parts_are_computed_anew_and_blocks_of_columns_found(monkeypatch):
    X, y = rounded()
    model = make_pipeline(StandardScaler(), net()).fit(X, y)
    options = {"background": X[5::9], "random_state": 0}
    plain = [explain(model, X[::30], method=m, **options).values for m in ADDITIVE]
    monkeypatch.setattr(game, "_KEPT_BYTES", 0)
    monkeypatch.setattr(source, "_CELLS", 1)
    for method, values in zip(ADDITIVE, plain, strict=True):
        found = explain(model, X[::30], method=method, **options)
        np.testing.assert_array_equal(found.values, values)
