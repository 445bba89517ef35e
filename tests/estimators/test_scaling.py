"""Columns of numbers on one scale, and what lets one learning rate suit all widths."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from sknn import MLPClassifier, MLPEnsembleClassifier, MLPEstimator, MLPRegressor
from sknn.estimators._columns import ColumnEncoder
from sknn.estimators._scaling import NumericScaler
from sknn.initializers import LeCun, Normal, Zeros
from sknn.layers import Dense, Scale

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
KINDS = pytest.mark.parametrize("kind", ["standard", "robust"])
SETTINGS = {"max_iter": 5, "learning_rate_init": 0.02, "random_state": 0}
MAX = np.finfo(np.float64).max


def table(n=50, seed=0):
    """Columns of all sizes, one skewed, one that mostly repeats itself."""
    rng = np.random.default_rng(seed)
    mostly = np.where(rng.random(n) < 0.8, 2.0, rng.normal(size=n))
    return np.column_stack(
        [
            rng.normal(size=n),
            1e6 + 1e-2 * rng.normal(size=n),
            np.exp(3 * rng.normal(size=n)),
            mostly,
            np.full(n, 0.1),
        ]
    )


X = table()
y = (X[:, 0] + X[:, 3] > 1).astype(int)


def scale(numbers, kind, new=None):
    scaler = NumericScaler.learn(numbers, kind)
    return scaler.transform(numbers if new is None else new)


def robust(numbers, new):
    """The formula, column by column, in plain Python."""
    columns = []
    for seen, column in zip(numbers.T, new.T, strict=True):
        seen = np.sort(seen[~np.isnan(seen)])
        first, median, third = np.quantile(seen, [0.25, 0.5, 0.75])
        distance = third - first
        if distance == 0:
            distance = (seen[-1] - seen[0]) / 2
        z = (column - median) / distance if distance > 0 else 0.0 * column
        columns.append(z / np.sqrt(1 + (z / 3) ** 2))
    return np.column_stack(columns)


# The numbers ---------------------------------------------------------------------


def test_standard_is_the_standard_scaler_of_scikit_learn():
    oracle, new = StandardScaler().fit(X), table(seed=1)
    for given in (X, new):
        expected = oracle.transform(given)
        np.testing.assert_allclose(scale(X, "standard", given), expected, atol=1e-10)


def test_robust_is_the_plain_formula():
    new = np.vstack([table(seed=1), 1e4 * table(seed=2)])
    for given in (X, new):
        found = scale(X, "robust", given)
        np.testing.assert_allclose(found, robust(X, given), rtol=1e-9, atol=1e-10)
    assert np.abs(scale(X, "robust", new)).max() <= 3


def test_outliers_stay_in_order_and_come_no_further_than_three():
    new = np.sort(np.random.default_rng(0).standard_cauchy(1000))[:, None]
    found = scale(X[:, :1], "robust", new)[:, 0]
    assert (np.diff(found) > 0).all()
    assert -3 < found[0] < -2.5 < 2.5 < found[-1] < 3


def test_half_the_range_stands_in_where_the_quartiles_are_equal():
    column = np.array([[5.0]] * 8 + [[1.0], [9.0]])
    scaler = NumericScaler.learn(column, "robust")
    assert (scaler.center, scaler.factor) == (5.0, 0.25)


@KINDS
def test_constant_columns_become_zero_whatever_comes_later(kind):
    constant = np.tile([0.1, 1e9 + 0.1, -MAX, 0.0], (7, 1))
    np.testing.assert_array_equal(scale(constant, kind), np.zeros((7, 4)))
    later = np.array([[MAX, -MAX, MAX, 1.0]])
    np.testing.assert_array_equal(scale(constant, kind, later), np.zeros((1, 4)))


# Below, squares vanish: to 'standard' such a column is constant, as in scikit-learn.
@pytest.mark.parametrize(
    ("kind", "exponent"),
    [("standard", -150), ("robust", -300), ("standard", 307), ("robust", 307)],
)
def test_the_unit_of_a_column_does_not_matter(kind, exponent):
    unit = 10.0**exponent
    found, expected = scale(X[:, :1] * unit, kind), scale(X[:, :1], kind)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@KINDS
def test_the_largest_numbers_do_not_overflow(kind):
    column = np.array([MAX, MAX, -MAX, 0.0, 1e308, -1e308])[:, None]
    expected = scale(column / 2.0**900, kind)
    np.testing.assert_allclose(scale(column, kind), expected, rtol=1e-9)


@KINDS
@pytest.mark.parametrize("spread", [1e-320, 1e-310, 1e-150, 1e-30, 1.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_lies_far_from_all_that_was_seen_stays_finite(kind, spread, dtype):
    seen = (spread * np.arange(5.0)[:, None]).astype(dtype)
    largest = np.finfo(dtype).max
    found = scale(seen, kind, np.array([[largest], [-largest]], dtype))
    assert np.isfinite(found.astype(np.float32)).all()
    assert found[0, 0] >= 0 >= found[1, 0]


@KINDS
def test_the_offset_of_a_column_costs_no_digits(kind):
    near = np.round(X[:, :1], 6)
    np.testing.assert_allclose(scale(near + 1e9, kind), scale(near, kind), atol=1e-6)


@KINDS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept_and_learned_from_in_float64(kind, dtype):
    numbers = X.astype(dtype)
    found = scale(numbers, kind)
    assert found.dtype == dtype
    expected = scale(numbers.astype(np.float64), kind)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert not np.shares_memory(found, numbers)


# Missing numbers -----------------------------------------------------------------


def gaps():
    numbers = np.where(np.random.default_rng(3).random(X.shape) < 0.2, np.nan, X)
    numbers[:, 2] = np.nan
    return numbers


@KINDS
def test_missing_numbers_are_left_out_of_what_is_learned(kind):
    numbers = gaps()
    found = NumericScaler.learn(numbers, kind)
    for i, column in enumerate(numbers.T):
        present = column[~np.isnan(column)][:, None]
        if len(present):
            alone = NumericScaler.learn(present, kind)
            np.testing.assert_allclose(found.center[i], alone.center[0], rtol=1e-12)
            np.testing.assert_allclose(found.factor[i], alone.factor[0], rtol=1e-9)
    assert (found.center[2], found.factor[2]) == (0.0, 0.0)  # without a number


@pytest.mark.parametrize(
    ("kind", "center"), [(None, "mean"), ("standard", "mean"), ("robust", "median")]
)
def test_what_is_missing_lies_at_the_center(kind, center):
    frame = pd.DataFrame({"x": [1.0, 2.0, 6.0, np.nan], "c": list("abab")})
    encoder = ColumnEncoder.learn(
        frame, categorical_features="from_dtype", missing="indicator", scaling=kind
    )
    filled = frame.fillna({"x": getattr(frame["x"], center)()})
    out, expected = encoder.transform(frame), encoder.transform(filled)
    np.testing.assert_array_equal(out[:, [0, 2]], expected[:, [0, 2]])
    assert out[:, 1].tolist() == [0, 0, 0, 1]  # indicators are not scaled
    assert out[:, 2].tolist() == [0, 1, 0, 1]  # codes neither
    assert kind is None or abs(out[3, 0]) < 1e-15


@KINDS
@pytest.mark.parametrize("missing", ["mean", "indicator"])
def test_columns_with_gaps_go_into_a_network(kind, missing):
    numbers = gaps()
    model = MLPClassifier((6,), scaling=kind, missing=missing, **SETTINGS)
    model.fit(numbers, y)
    assert model._network.n_features == (10 if missing == "indicator" else 5)
    void = np.full((2, 5), np.nan)
    assert np.isfinite(model.predict_proba(np.vstack([numbers, void]))).all()


def test_without_a_remedy_missing_numbers_are_refused():
    with pytest.raises(ValueError, match="contains NaN"):
        MLPClassifier(scaling="robust").fit(gaps(), y)


# In a network --------------------------------------------------------------------


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor, MLPEstimator])
def test_a_standard_scaled_network_is_one_behind_a_standard_scaler(estimator):
    scaler, new = StandardScaler().fit(X), table(seed=1)
    settings = {"hidden_layer_sizes": (6,), **SETTINGS, "dtype": "float64"}
    model = estimator(scaling="standard", **settings).fit(X, y)
    behind = estimator(**settings).fit(scaler.transform(X), y)
    name = "predict_proba" if estimator is MLPClassifier else "predict"
    expected = getattr(behind, name)(scaler.transform(new))
    np.testing.assert_allclose(getattr(model, name)(new), expected, atol=1e-10)


def test_a_robust_scaled_network_is_one_behind_the_formula():
    settings = {"hidden_layer_sizes": (6,), **SETTINGS, "dtype": "float64"}
    model = MLPClassifier(scaling="robust", **settings).fit(X, y)
    behind = MLPClassifier(**settings).fit(robust(X, X), y)
    new = table(seed=1)
    expected = behind.predict_proba(robust(X, new))
    np.testing.assert_allclose(model.predict_proba(new), expected, atol=1e-9)


@KINDS
def test_networks_in_float32_keep_the_digits_of_offset_columns(kind):
    near = np.round(X[:, [0, 3]], 6)
    model = MLPClassifier((6,), scaling=kind, dtype="float32", **SETTINGS)
    found = clone(model).fit(near + 1e9, y).predict_proba(near + 1e9)
    expected = model.fit(near, y).predict_proba(near)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@KINDS
def test_validation_data_is_scaled_as_the_training_data(kind):
    settings = {"early_stopping": True, "scoring": "loss", **SETTINGS}
    model = MLPClassifier((6,), scaling=kind, **settings)
    model.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    behind = MLPClassifier((6,), **settings)
    a, b = (scale(X[::2], kind, X[part::2]) for part in (0, 1))
    behind.fit(a, y[::2], X_val=b, y_val=y[1::2])
    np.testing.assert_allclose(
        model.validation_scores_, behind.validation_scores_, rtol=1e-9
    )


@KINDS
def test_frames_of_any_numbers_beside_categories_are_scaled(kind):
    frame = pd.DataFrame(
        {
            "single": X[:, 0].astype(np.float32),
            "count": np.arange(50),
            "nullable": pd.array([None, *range(49)], dtype="Int64"),
            "word": np.where(y, "yes", "no"),
            "flag": y > 0,
        }
    )
    settings = {"categorical_features": "from_dtype", "missing": "mean", **SETTINGS}
    model = MLPClassifier((6,), scaling=kind, **settings).fit(frame, y)
    numbers = frame[["single", "count", "nullable"]].astype(float)
    filled = numbers.fillna(numbers.median() if kind == "robust" else numbers.mean())
    expected = scale(numbers.to_numpy(), kind, filled.to_numpy())
    found = model._columns.transform(frame)
    np.testing.assert_allclose(found[:, :3], expected, atol=1e-12)
    assert set(found[:, 3]) == set(found[:, 4]) == {0.0, 1.0}


@KINDS
def test_frames_of_float32_stay_float32(kind):
    frame = pd.DataFrame(X[:, [0, 2]].astype(np.float32), columns=["a", "b"])
    model = MLPClassifier((6,), scaling=kind, **SETTINGS).fit(frame, y)
    assert model._columns.transform(frame).dtype == np.float32
    assert model.coefs_[0].dtype == np.float32


def test_sparse_data_cannot_be_scaled():
    model = MLPClassifier((6,), scaling="standard", **SETTINGS)
    with pytest.raises(TypeError, match=r"scaling is given\. Use X\.toarray"):
        model.fit(sparse.csr_array(X), y)
    with pytest.raises(TypeError, match=r"scaling is given\. Use X\.toarray"):
        model.fit(X, y).predict(sparse.csr_array(X))
    assert not get_tags(model).input_tags.sparse
    with pytest.raises(TypeError, match="scaling can only be used where X is dense"):
        model._columns.transform(sparse.csr_array(X))


@KINDS
def test_partial_fits_keep_the_scale_of_the_first(kind):
    model = MLPClassifier((6,), scaling=kind, random_state=0)
    model.partial_fit(X, y, classes=[0, 1])
    scaler = model._columns.scaler
    model.partial_fit(1e3 * X, y)
    assert model._columns.scaler is scaler
    np.testing.assert_array_equal(scaler.center, NumericScaler.learn(X, kind).center)


def test_scaling_is_cloned_searched_and_pickled():
    model = MLPClassifier((6,), scaling="robust", **SETTINGS)
    assert clone(model).get_params()["scaling"] == "robust"
    grid = {"scaling": [None, "standard", "robust"], "missing": ["error", "mean"]}
    search = GridSearchCV(model, grid, cv=2).fit(X, y)
    assert len(search.cv_results_["params"]) == 6
    twin = pickle.loads(pickle.dumps(model.fit(X, y)))
    np.testing.assert_array_equal(twin.predict_proba(X), model.predict_proba(X))


def test_members_of_ensembles_scale_by_their_own_samples():
    base = MLPClassifier((6,), scaling="robust", **SETTINGS)
    ensemble = MLPEnsembleClassifier(base, 2, resampling="folds", random_state=0)
    ensemble.fit(X, y)
    for member, rows in zip(
        ensemble.estimators_, ensemble.estimators_samples_, strict=True
    ):
        expected = NumericScaler.learn(X[rows], "robust")
        np.testing.assert_array_equal(member._columns.scaler.center, expected.center)


@pytest.mark.parametrize("scaling", ["minmax", True, 1.0])
def test_a_scaling_that_is_none_is_named(scaling):
    with pytest.raises(ValueError, match="'scaling' parameter"):
        MLPClassifier(scaling=scaling).fit(X, y)


@KINDS
@pytest.mark.parametrize("method", ["auto", "deep"])
def test_explanations_stand_on_the_columns_before_scaling_and_add_up(kind, method):
    pytest.importorskip("shap")
    from sknn.explain import explain

    numbers = X[:, [0, 1, 3]]
    settings = {"dtype": "float64", "activation": "tanh", **SETTINGS}
    model = MLPClassifier((6,), scaling=kind, **settings).fit(numbers, y)
    found = explain(
        model, numbers[:3], background=numbers[10:], method=method, random_state=0
    )
    total = found.values.sum(axis=1) + found.base_values
    np.testing.assert_allclose(total, model.decision_function(numbers[:3]), atol=1e-10)
    np.testing.assert_array_equal(found.data, numbers[:3])


# One learning rate for all widths ------------------------------------------------


def test_ntk_starts_kernels_by_their_width_and_the_output_at_zero():
    model = MLPClassifier((6, 4), parametrization="ntk", **SETTINGS).fit(X, y)
    kernels = [layer for layer in model._network.layers if isinstance(layer, Dense)]
    hidden = {"kernel_init": LeCun(), "bias_init": Normal(1.0)}
    assert kernels == [
        Dense(6, **hidden, parametrization="ntk"),
        Dense(4, **hidden, parametrization="ntk"),
        Dense(1, Zeros(), Zeros(), parametrization="ntk"),
    ]


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_kernels_under_ntk_are_kernels(estimator):
    settings = {"parametrization": "ntk", "activation": "tanh", **SETTINGS}
    model = estimator(hidden_layer_sizes=(6,), **settings).fit(X[:, [0, 3]], y)
    (W, V), (b, c) = model.coefs_, model.intercepts_
    raw = np.tanh(X[:, [0, 3]] @ W + b) @ V + c
    if estimator is MLPClassifier:
        found = model.decision_function(X[:, [0, 3]])
    else:
        found = model.predict(X[:, [0, 3]])
    np.testing.assert_allclose(found, raw[:, 0], rtol=1e-6)


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_parametrization_and_input_scale_are_cloned_and_searched(estimator):
    model = estimator(parametrization="ntk", input_scale=2.0, **SETTINGS)
    model.set_params(hidden_layer_sizes=(6,))
    known = clone(model).get_params()
    assert (known["parametrization"], known["input_scale"]) == ("ntk", 2.0)
    grid = {"parametrization": ["standard", "ntk"], "input_scale": [None, 6.0]}
    search = GridSearchCV(model, grid, cv=2).fit(X[:, [0, 3]], y)
    assert len(search.cv_results_["params"]) == 4


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"parametrization": "mup"}, "'parametrization' parameter"),
        ({"input_scale": -1.0}, "'input_scale' parameter"),
        ({"input_scale": np.inf}, "'input_scale' parameter"),
        ({"input_scale": "6"}, "'input_scale' parameter"),
        (
            {"parametrization": "ntk", "layers": [Dense(3)]},
            "parametrization='ntk' contradicts layers",
        ),
        (
            {"parametrization": "ntk", "monotonic_cst": [1, 0]},
            "parametrization='ntk' cannot be combined with monotonic_cst",
        ),
        (
            {"input_scale": 6.0, "monotonic_cst": [1, 0]},
            r"input_scale=6\.0 cannot be combined with monotonic_cst",
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_what_cannot_be_is_named(estimator, settings, words):
    with pytest.raises(ValueError, match=words):
        estimator(**settings).fit(X[:, [0, 3]], y)


def test_layers_of_ones_own_stand_behind_the_factors():
    model = MLPClassifier(layers=[Dense(3)], input_scale=6.0, **SETTINGS)
    model.fit(X[:, [0, 3]], y)
    assert model._network.layers[:2] == (Scale(lr_factor=6.0), Dense(3))


def test_factors_of_inputs_need_dense_data():
    model = MLPClassifier((6,), input_scale=6.0, **SETTINGS)
    assert not get_tags(model).input_tags.sparse
    with pytest.raises(ValueError, match=r"X is sparse, but Scale.* dense input only"):
        model.fit(sparse.csr_array(X), y)
    model.fit(X[:, [0, 3]], y)
    with pytest.raises(ValueError, match=r"X is sparse, but Scale.* dense input only"):
        model.predict(sparse.csr_array(X[:, [0, 3]]))


def test_ntk_takes_sparse_data_as_it_takes_dense():
    model = MLPClassifier((6,), parametrization="ntk", **SETTINGS)
    numbers = np.where(np.abs(X[:, [0, 3]]) < 1, 0.0, X[:, [0, 3]])
    found = clone(model).fit(sparse.csr_array(numbers), y).predict_proba(numbers)
    expected = model.fit(numbers, y).predict_proba(numbers)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
