"""Categories become codes, missing numbers means, and X one matrix of floats."""

import datetime
import pickle
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn import config_context
from sklearn.ensemble import HistGradientBoostingClassifier

from sknn import MLPRegressor
from sknn.estimators._columns import ColumnEncoder, resolve_categorical
from sknn.layers import Embedding

NAN = np.nan
GAPS = np.array([[1.0, NAN, 2.0], [3.0, 4.0, 2.0], [NAN, 8.0, 2.0]])
MEANS = [[1.0, 6.0, 2.0], [3.0, 4.0, 2.0], [2.0, 8.0, 2.0]]
HOLES = [[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]  # the third column has none


def _learn(X, categorical_features="from_dtype", missing="error", **others):
    return ColumnEncoder.learn(
        X, categorical_features=categorical_features, missing=missing, **others
    )


def _codes(seen, new):
    """Return the codes of `new` after a look at `seen`; both are single columns."""
    encoder = _learn(seen, [0])
    codes = encoder.transform(new)
    assert codes.shape == (len(new), 1)
    return encoder.n_categories[0], codes[:, 0].tolist()


def _mixed_frame(library):
    columns = {
        "x": [0.5, None, 2.5],
        "color": ["red", None, "blue"],
        "n": [1, 2, 3],
        "flag": [True, False, None],
    }
    if library is pl:
        return pl.DataFrame(columns)
    columns["flag"] = pd.array(columns["flag"], dtype="boolean")
    return pd.DataFrame(columns)


# --- which columns are categorical ---------------------------------------------------

FRAME = pd.DataFrame(
    {
        "a": pd.Categorical(["x", "y"] * 5),
        "b": np.arange(10.0),
        "c": [0, 1] * 5,
        "d": pd.Categorical([1, 2] * 5),
    }
)


@pytest.mark.parametrize(
    ("X", "categorical_features"),
    [
        (FRAME, "from_dtype"),
        (FRAME, ["a", "d"]),
        (FRAME, np.array(["d", "a", "c"], dtype=object)),
        (FRAME, pd.Index(["a", "d"])),
        (FRAME, (0, 2, 3)),
        (FRAME, [True, False, False, True]),
        (pl.from_pandas(FRAME[["c", "b"]]), ["c"]),
        (FRAME[["c", "b"]].to_numpy(), [0]),
        (FRAME[["c", "b"]].to_numpy(), np.array([False, True])),
    ],
)
def test_categorical_columns_are_those_of_histogram_boosting(X, categorical_features):
    oracle = HistGradientBoostingClassifier(
        max_iter=1, categorical_features=categorical_features
    ).fit(X, [0, 1] * 5)
    mask = resolve_categorical(X, categorical_features)
    assert mask.dtype == bool
    np.testing.assert_array_equal(mask, oracle.is_categorical_)


@pytest.mark.parametrize(
    "categorical_features", [None, [], np.zeros(2, dtype=bool), "from_dtype"]
)
def test_no_column_of_an_array_need_be_categorical(categorical_features):
    X = np.zeros((3, 2))
    assert not resolve_categorical(X, categorical_features).any()
    assert not resolve_categorical(sparse.csr_array(X), categorical_features).any()


@pytest.mark.parametrize(
    "dtype", ["object", "str", "string", "category", "bool", "boolean"]
)
def test_strings_categories_and_booleans_of_pandas_are_categorical(dtype):
    kind = "bool" if dtype.startswith("bool") else "str"
    column = pd.Series([True, False, True]).astype(kind).astype(dtype)
    X = pd.DataFrame({"number": [1, 2, 3], "category": column})
    assert resolve_categorical(X, "from_dtype").tolist() == [False, True]


@pytest.mark.parametrize(
    "dtype", ["int8", "float32", "Int64", "Float64", "datetime64[ns]"]
)
def test_numbers_and_times_of_pandas_are_not_categorical(dtype):
    X = pd.DataFrame({"a": pd.Series([1, 2]).astype(dtype)})
    assert not resolve_categorical(X, "from_dtype").any()


def test_strings_categories_and_booleans_of_polars_are_categorical():
    X = pl.DataFrame({"string": ["a", "b"], "number": [1, 2], "flag": [True, False]})
    X = X.with_columns(
        pl.col("string").cast(pl.Categorical).alias("categorical"),
        pl.col("string").cast(pl.Enum(["a", "b"])).alias("enum"),
        pl.struct("number").alias("struct"),
        pl.lit(None).alias("null"),
    )
    expected = [True, False, True, True, True, False, False]
    assert resolve_categorical(X, "from_dtype").tolist() == expected


def test_a_name_marks_all_columns_that_bear_it():
    X = pd.DataFrame([[1.0, 2.0, 3.0]], columns=["a", "a", "b"])
    assert resolve_categorical(X, ["a"]).tolist() == [True, True, False]


def test_names_of_an_array_may_be_given_beside_it():
    assert resolve_categorical([[1, 2]], ["b"], ["a", "b"]).tolist() == [False, True]


def test_the_mask_is_no_view_of_the_users():
    given = np.array([True, False])
    resolve_categorical([[1, 2]], given)[:] = False
    assert given.tolist() == [True, False]


@pytest.mark.parametrize(
    ("categorical_features", "message"),
    [
        ("from_type", "with one dimension, 'from_dtype' or None, got: 'from_type'"),
        ([1.5], r"must be an array-like of bool, int or str .* got: \[1.5\]"),
        ([[0]], "with one dimension"),
        ([None], "must be an array-like of bool, int or str"),
        (3, "with one dimension"),
        ([2], r"must be in \[0, n_features - 1\] = \[0, 1\], got: \[2\]"),
        ([-1], r"must be in \[0, n_features - 1\] = \[0, 1\], got: \[-1\]"),
        ([True], r"must have shape \(n_features,\) = \(2,\), got: \(1,\)"),
        (["z"], r"item value 'z' .* Observed feature names: \['a', 'b'\]"),
    ],
)
def test_what_names_no_column_is_refused(categorical_features, message):
    X = pd.DataFrame({"a": [1, 2], "b": [1, 2]})
    with pytest.raises(ValueError, match=f"^categorical_features .*{message}"):
        resolve_categorical(X, categorical_features)


def test_names_need_a_frame():
    with pytest.raises(ValueError, match="on data without feature names"):
        resolve_categorical(np.zeros((2, 2)), ["a"])


# --- categories ----------------------------------------------------------------------


@pytest.mark.parametrize("missing", [None, NAN, pd.NA, pd.NaT])
@pytest.mark.parametrize("seen_missing", [True, False])
def test_unseen_and_missing_share_the_code_after_the_last(missing, seen_missing):
    seen = np.array([["b"], ["a"], [missing if seen_missing else "a"]], dtype=object)
    new = np.array([["a"], ["z"], [missing], ["b"]], dtype=object)
    assert _codes(seen, new) == (2, [0, 2, 2, 1])


@pytest.mark.parametrize("missing", [None, NAN])
def test_missing_categories_are_found_without_pandas(missing, monkeypatch):
    monkeypatch.delitem(sys.modules, "pandas")
    column = np.array([["b"], [missing], ["a"]], dtype=object)
    assert _codes(column, column) == (2, [1, 2, 0])


@pytest.mark.parametrize("dtype", ["object", "str", "string", "category"])
def test_all_strings_of_pandas_have_the_same_codes(dtype):
    seen = pd.DataFrame({"a": pd.Series(["y", None, "x"], dtype=dtype)})
    new = pd.DataFrame({"a": pd.Series(["x", "new", None, "y"], dtype=dtype)})
    assert _codes(seen, new) == (2, [0, 2, 2, 1])


@pytest.mark.parametrize("dtype", ["string[pyarrow]", "int64[pyarrow]"])
def test_columns_backed_by_arrow_have_the_same_codes(dtype):
    pytest.importorskip("pyarrow")
    seen = pd.DataFrame({"a": pd.Series(["2", None, "1"]).astype(dtype)})
    assert _codes(seen, seen) == (2, [1, 2, 0])


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical, pl.Enum(["x", "y", "z"])])
def test_all_strings_of_polars_have_the_same_codes(dtype):
    seen = pl.DataFrame({"a": pl.Series(["y", None, "x"]).cast(dtype)})
    new = pl.DataFrame({"a": pl.Series(["x", "z", None, "y"]).cast(dtype)})
    assert _codes(seen, new) == (2, [0, 2, 2, 1])


@pytest.mark.parametrize(
    "column",
    [
        np.array([[2.0], [NAN], [-0.5]]),
        np.array([[2.0], [NAN], [-0.5]], dtype=np.float32),
        np.array([[2.0], [NAN], [-0.5]], dtype=object),
        np.array([["b"], [None], ["a"]], dtype=object),
        [["b"], [None], ["a"]],
        pd.DataFrame({"a": pd.Series([4, None, 3], dtype="Int64")}),
        pd.DataFrame({"a": pd.Series([True, None, False], dtype="boolean")}),
        pd.DataFrame({"a": [True, None, False]}, dtype=object),
        pd.DataFrame({"a": pd.Categorical([7, None, 5], categories=[9, 7, 5])}),
        pd.DataFrame({"a": pd.Categorical([0.5, None, 0.25])}),
        pd.DataFrame({"a": pd.to_datetime(["2021-01-01", None, "2020-01-01"])}),
        pl.DataFrame({"a": [True, None, False]}),
        pl.DataFrame({"a": [2, None, 1]}),
        pl.DataFrame({"a": [2.0, NAN, 1.0]}),
        pl.DataFrame({"a": [datetime.date(2021, 1, 1), None, datetime.date.min]}),
    ],
)
def test_codes_follow_the_sorted_values_that_occur(column):
    assert _codes(column, column) == (2, [1, 2, 0])


@pytest.mark.parametrize(
    ("seen", "new", "expected"),
    [
        (["a", "b"], [NAN, 1.5], (2, [2, 2])),
        ([1.0, 2.0], [NAN, 1.0], (2, [2, 0])),
        ([1, 2], ["a", 2], (2, [2, 1])),
        ([1.0, NAN], [True, False], (1, [0, 1])),
        ([True, False], [0.0, NAN], (2, [0, 2])),
        ([NAN, NAN], ["a", None], (0, [0, 0])),
        ([None, None], [1.0, NAN], (0, [0, 0])),
    ],
)
def test_another_dtype_at_predict_does_no_harm(seen, new, expected):
    seen, new = pd.DataFrame({"a": seen}), pd.DataFrame({"a": new})
    assert _codes(seen, new) == expected


def test_numbers_among_the_strings_of_a_list_stay_numbers():
    encoder = _learn([["a", 10.0, 1], ["b", 9.0, 2]], [0, 1])
    assert encoder.transform([["b", 10, 3], ["c", 9, 4.5]]).tolist() == [
        [3.0, 1.0, 1.0],
        [4.5, 2.0, 0.0],
    ]


def test_strings_longer_than_those_seen_are_unseen():
    assert _codes(np.array([["ab"], ["a"]]), np.array([["abc"], ["a"]])) == (2, [2, 0])


@pytest.mark.parametrize(
    ("X", "label"),
    [
        (pd.DataFrame({"n": [1, 2], "m": [1, "a"]}), "'m'"),
        (np.array([[1, 1], [2, "a"]], dtype=object), "1"),
        (pd.DataFrame({"n": [1, 2], "m": [["list"], "a"]}), "'m'"),
    ],
)
def test_a_column_of_several_types_is_named(X, label):
    message = f"Column {label} of X cannot be categorical.*uniformly strings or numbers"
    with pytest.raises(ValueError, match=message):
        _learn(X, [1])


def test_a_value_that_cannot_be_looked_up_is_refused_at_predict():
    encoder = _learn(pd.DataFrame({"m": ["a", "b"]}))
    with pytest.raises(ValueError, match="Column 'm' of X cannot be categorical: unh"):
        encoder.transform(pd.DataFrame({"m": ["a", ["b"]]}))


# --- numbers -------------------------------------------------------------------------


def test_missing_numbers_are_refused_with_the_remedy():
    message = "Input X contains NaN.\nMLP .* missing='mean'.* missing='indicator'"
    for X in (GAPS, GAPS.tolist(), pd.DataFrame(GAPS), sparse.csc_matrix(GAPS)):
        with pytest.raises(ValueError, match=message):
            _learn(X, estimator_name="MLP")
        with pytest.raises(ValueError, match=message):
            _learn(np.ones((1, 3)), estimator_name="MLP").transform(X)


FORMS = {
    "array": np.array,
    "list": np.ndarray.tolist,
    "objects": lambda X: np.where(np.isnan(X), None, X.astype(object)),
    "pandas": pd.DataFrame,
    "Float64": lambda X: pd.DataFrame(X).astype("Float64"),
    "Int64": lambda X: pd.DataFrame(X).astype("Int64"),
    "Int64 and others": lambda X: pd.DataFrame(X).astype({0: "Int64", 1: object}),
    "polars": lambda X: pl.DataFrame(X, schema=list("abc")).fill_nan(None),
    "polars integers": lambda X: FORMS["polars"](X).cast(pl.Int64),
}


@pytest.mark.parametrize("form", FORMS)
def test_missing_numbers_become_means_and_are_indicated(form):
    X = FORMS[form](GAPS)
    filled = _learn(X, None, "mean").transform(X)
    assert filled.tolist() == MEANS and filled.dtype == np.float64
    encoder = _learn(X, None, "indicator")
    assert (encoder.n_numeric, encoder.n_indicators, encoder.width) == (5, 2, 5)
    np.testing.assert_array_equal(encoder.transform(X), np.hstack([MEANS, HOLES]))


@pytest.mark.parametrize("missing", ["mean", "indicator"])
def test_a_gap_in_a_column_that_had_none_gets_the_mean_only(missing):
    encoder = _learn(GAPS, None, missing)
    holes = [0.0, 0.0] if missing == "indicator" else []
    assert encoder.transform([[0.0, 0.0, NAN]]).tolist() == [[0.0, 0.0, 2.0, *holes]]


def test_a_column_that_is_all_missing_becomes_zero():
    X = np.array([[NAN, 1.0], [NAN, 2.0]])
    assert _learn(X, missing="mean").transform(X).tolist() == [[0.0, 1.0], [0.0, 2.0]]
    X = sparse.csr_array(X)
    assert _learn(X, missing="mean").transform(X).toarray().tolist()[0] == [0.0, 1.0]


def test_means_of_large_float32_do_not_overflow():
    X = np.array([[3e38], [3e38], [NAN]], dtype=np.float32)
    for data in (X, sparse.csr_array(X)):
        filled = _learn(data, missing="mean").transform(data)
        assert filled.dtype == np.float32
        assert filled[[2], [0]] == X[0]


@pytest.mark.parametrize("missing", ["error", "mean", "indicator"])
def test_infinite_numbers_are_refused(missing):
    X = np.array([[1.0], [np.inf]])
    message = "Input X contains infinity or a value too large for dtype"
    for data in (X, pd.DataFrame(X), pl.DataFrame(X), sparse.csr_array(X)):
        with pytest.raises(ValueError, match=message):
            _learn(data, missing=missing)
        with pytest.raises(ValueError, match=message):
            _learn(X[:1], missing=missing).transform(data)


SINGLE = np.ones((2, 2), dtype=np.float32)


@pytest.mark.parametrize(
    ("X", "dtype"),
    [
        (SINGLE, np.float32),
        (sparse.csc_matrix(SINGLE), np.float32),
        (pd.DataFrame(SINGLE), np.float32),
        (pd.DataFrame(SINGLE).astype("Float32"), np.float32),
        (pd.DataFrame(SINGLE).assign(s="a"), np.float32),
        (pl.DataFrame(SINGLE).with_columns(s=pl.lit("a")), np.float32),
        (pd.DataFrame(SINGLE).assign(b=True), np.float32),
        (pd.DataFrame(SINGLE).assign(i=np.int8(1)), np.float64),
        (SINGLE.astype(np.float16), np.float64),
        (SINGLE.astype(object), np.float64),
        (SINGLE.astype(bool), np.float64),
        (SINGLE.tolist(), np.float64),
        (pd.DataFrame({"s": ["a", "b"]}), np.float64),
    ],
)
def test_only_float32_alone_stays_float32(X, dtype):
    assert _learn(X).transform(X).dtype == dtype


@pytest.mark.parametrize("dtype", ["bool", "boolean"])
def test_booleans_are_numbers_where_they_are_not_categorical(dtype):
    X = pd.DataFrame({"b": pd.Series([True, False], dtype=dtype), "x": SINGLE[:, 0]})
    assert _learn(X, None).transform(X).tolist() == [[1.0, 1.0], [0.0, 1.0]]
    X = pl.DataFrame({"b": [True, False, None], "x": [1.0, 1.0, 1.0]})
    assert _learn(X, None, "mean").transform(X)[:, 0].tolist() == [1.0, 0.0, 0.5]


@pytest.mark.parametrize("categorical_features", ["from_dtype", None])
@pytest.mark.parametrize(
    "X", [[["a"]], np.array([["a"]]), np.array([["a"], [1]], dtype=object)]
)
def test_strings_that_are_not_categorical_are_no_numbers(X, categorical_features):
    with pytest.raises(ValueError, match="could not convert string to float"):
        _learn(X, categorical_features)


@pytest.mark.parametrize("library", [pd, pl])
def test_strings_of_a_frame_that_are_not_categorical_are_no_numbers(library):
    with pytest.raises(ValueError, match="could not convert string to float"):
        _learn(library.DataFrame({"s": ["a", "b"], "x": [1.0, 2.0]}), None)


@pytest.mark.parametrize(
    ("X", "label"),
    [
        (np.array([["2020-01-01"]], dtype="datetime64[D]"), "0"),
        (np.array([[5]], dtype="timedelta64[s]"), "0"),
        (pd.DataFrame({"x": [1.0], "t": [pd.Timestamp(2020, 1, 1)]}), "'t'"),
        (pl.DataFrame({"x": [1.0], "t": [datetime.date(2020, 1, 1)]}), "'t'"),
    ],
)
def test_times_are_no_numbers(X, label):
    with pytest.raises(TypeError, match=f"got times in column {label}: turn them"):
        _learn(X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([1.0, 2.0], "Expected 2D array, got 1D array"),
        (pd.Series([1.0]), "Expected a 2-dimensional container"),
        (np.zeros((2, 2, 2)), "Found array with dim 3"),
        (np.array([[1j]]), "Complex data not supported"),
        (pd.DataFrame({"x": [1j], "y": [1.0]}), "Complex data not supported"),
        (np.empty((0, 2)), r"0 sample\(s\) \(shape=\(0, 2\)\) .* required by MLP"),
        (pd.DataFrame({"x": []}), r"0 sample\(s\)"),
        (pd.DataFrame({"s": []}, dtype=str), r"0 sample\(s\)"),
        (pl.DataFrame(), r"0 sample\(s\)"),
        (pd.DataFrame(index=[0, 1]), r"0 feature\(s\) \(shape=\(2, 0\)\)"),
        (sparse.csr_array((0, 2)), r"0 sample\(s\)"),
    ],
)
def test_what_is_no_table_of_numbers_gets_the_words_of_scikit_learn(X, message):
    with pytest.raises(ValueError, match=message):
        _learn(X, estimator_name="MLP")


# --- sparse --------------------------------------------------------------------------

ZEROS = np.array([[0.0, NAN, 1.0], [2.0, 0.0, 0.0], [0.0, 4.0, NAN]])


@pytest.mark.parametrize("missing", ["mean", "indicator"])
@pytest.mark.parametrize("kind", ["csr_matrix", "csc_matrix", "csr_array", "coo_array"])
def test_a_sparse_matrix_is_filled_as_a_dense_one_and_stays_sparse(kind, missing):
    X = getattr(sparse, kind)(ZEROS)
    encoder = _learn(X, missing=missing)
    out = encoder.transform(X)
    assert out.format == "csr" and out.shape == (3, encoder.width)
    assert out.nnz < out.shape[0] * out.shape[1]
    dense = _learn(ZEROS, missing=missing).transform(ZEROS)
    np.testing.assert_array_equal(out.toarray(), dense)
    assert np.isnan(X.data).any()  # the user's own is untouched


def test_categories_need_a_dense_matrix():
    X = sparse.csr_array(np.eye(3))
    message = "categorical_features can only be used where X is dense"
    with pytest.raises(TypeError, match=message):
        _learn(X, [0])
    encoder = _learn(np.eye(3), [0])
    with pytest.raises(TypeError, match=message):
        encoder.transform(X)


# --- the whole -----------------------------------------------------------------------


@pytest.mark.parametrize("library", [pd, pl])
def test_numbers_come_first_then_indicators_then_codes(library):
    X = _mixed_frame(library)
    encoder = _learn(X, missing="indicator")
    assert encoder.numeric_columns == (0, 2)
    assert encoder.categorical_columns == (1, 3)
    assert encoder.n_categories == (2, 2)
    assert (encoder.n_numeric, encoder.n_indicators, encoder.width) == (3, 1, 5)
    assert encoder.transform(X).tolist() == [
        [0.5, 1.0, 0.0, 1.0, 1.0],
        [1.5, 2.0, 1.0, 2.0, 0.0],
        [2.5, 3.0, 0.0, 0.0, 2.0],
    ]


def test_missing_categories_need_no_remedy():
    X = _mixed_frame(pd)[["color", "n"]]
    assert _learn(X).transform(X).tolist() == [[1.0, 1.0], [2.0, 2.0], [3.0, 0.0]]


def test_columns_with_one_name_are_told_apart():
    # Two numeric ones are scikit-learn's affair, which refuses them from 1.9 on.
    X = pd.DataFrame([[1.0, "x", "u"], [3.0, "y", "u"]], columns=["a", "a", "a"])
    assert _learn(X).transform(X).tolist() == [[1.0, 0.0, 0.0], [3.0, 1.0, 0.0]]


def test_columns_go_by_position_not_by_name():
    X = _mixed_frame(pd)
    encoder = _learn(X, missing="mean")
    renamed = X.set_axis(list("wxyz"), axis=1)
    np.testing.assert_array_equal(encoder.transform(renamed), encoder.transform(X))


def test_what_was_learned_survives_a_pickle_and_repeats_itself():
    X = _mixed_frame(pd)
    encoder = _learn(X, missing="indicator")
    expected = encoder.transform(X)
    for other in (pickle.loads(pickle.dumps(encoder)), _learn(X, missing="indicator")):
        np.testing.assert_array_equal(other.transform(X), expected)


def test_numbers_that_need_no_change_are_not_copied():
    X = np.random.RandomState(0).normal(size=(5, 3))
    for missing in ("error", "mean", "indicator"):
        assert np.shares_memory(_learn(X, missing=missing).transform(X), X)


@pytest.mark.parametrize("form", ["array", "objects", "pandas", "polars"])
def test_the_users_data_are_left_as_they_are(form):
    X = FORMS[form](GAPS)
    kept = pickle.dumps(X)
    _learn(X, [0], "indicator").transform(X)
    assert pickle.dumps(X) == kept


def test_frames_as_output_of_scikit_learn_change_nothing():
    X = _mixed_frame(pd)
    with config_context(transform_output="pandas"):
        encoder = _learn(X, missing="indicator")
        out = encoder.transform(X)
    assert type(out) is np.ndarray
    np.testing.assert_array_equal(out, encoder.transform(X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scaling", [None, "standard", "robust"])
@pytest.mark.parametrize("missing", ["error", "mean", "indicator"])
@pytest.mark.parametrize("categorical", [None, [1]])
def test_finite_floats_take_a_shorter_way_to_the_same_bits(
    dtype, scaling, missing, categorical
):
    X = np.random.default_rng(0).integers(0, 4, (30, 3)).astype(dtype)
    gaps = X.copy()
    if missing != "error":
        gaps[::5, 0] = np.nan
    encoder = _learn(gaps, categorical, missing, scaling=scaling)
    short, long = encoder.transform_finite(X), encoder.transform(X)
    assert short.dtype == long.dtype
    assert np.array_equal(short, long)


def test_what_is_not_finite_does_not_take_the_shorter_way():
    X = np.random.default_rng(0).normal(size=(30, 3))
    settings = {"learning_rate": "cosine", "max_iter": 3}
    model = MLPRegressor(scaling="standard", **settings).fit(X, X[:, 0])
    X[4, 1] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        model.predict(X)
    with pytest.raises(ValueError, match="2 features"):
        model.predict(X[:, :2])


def test_learned_rows_are_read_by_column_and_category():
    rng = np.random.default_rng(0)
    colours, sizes = rng.choice(["red", "green", "blue"], 200), rng.integers(0, 12, 200)
    X = pd.DataFrame({"colour": colours, "weight": rng.normal(size=200), "size": sizes})
    y = sizes + 3.0 * (colours == "red")
    model = MLPRegressor(
        hidden_layer_sizes=(),
        categorical_features=["colour", "size"],
        categorical_embedding=Embedding(dim=2, one_hot_max_size=0),
        learning_rate="cosine",
        max_iter=5,
        random_state=0,
    ).fit(X, y)
    rows, categories = model.embeddings_, model.categories_
    assert {name: table.shape for name, table in rows.items()} == {
        "colour": (4, 2),
        "size": (13, 2),
    }
    assert categories["colour"].tolist() == ["blue", "green", "red"]
    new = pd.DataFrame(
        {"colour": ["red", "pink"], "weight": [0.5, 0.0], "size": [7, 3]}
    )
    kernel, intercept = model.coefs_[0], model.intercepts_[0]
    known = np.concatenate([[0.5], rows["colour"][2], rows["size"][7]])
    unseen = np.concatenate([[0.0], rows["colour"][-1], rows["size"][3]])
    expected = np.array([known, unseen]) @ kernel + intercept
    assert_allclose(model.predict(new), expected.ravel(), rtol=1e-12)


def test_columns_without_a_table_have_categories_only():
    X = np.array([[0.0, 1.0], [1.0, 2.0], [0.0, 3.0]] * 5)
    settings = {"learning_rate": "cosine", "max_iter": 2}
    model = MLPRegressor(categorical_features=[0], **settings).fit(X, X[:, 1])
    assert model.embeddings_ == {}
    assert {i: found.tolist() for i, found in model.categories_.items()} == {0: [0, 1]}
    plain = MLPRegressor(**settings).fit(X, X[:, 1])
    assert plain.embeddings_ == plain.categories_ == {}
    for name in ("embeddings_", "categories_"):
        assert not hasattr(MLPRegressor(), name)
