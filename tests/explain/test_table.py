"""Codes and the way back, for every kind of table and column."""

import datetime

import numpy as np
import pytest
import scipy.sparse as sp

from sknn.explain import _formats
from sknn.explain._formats import as_table
from sknn.explain._table import encode


def names_of(d):
    return [f"x{j}" for j in range(d)]


def test_a_float_array_is_its_own_code_in_float64():
    X = np.array([[1.5, np.nan], [0.25, 3.0]], dtype=np.float32)
    table, background, codes = encode(X[:1], X[1:], names_of(2))
    assert codes.dtype == np.float64
    np.testing.assert_array_equal(table.decode(background), X[:1])
    np.testing.assert_array_equal(table.decode(codes), X[1:])
    assert table.missing == ["x1"]
    assert table.display(codes) is None


def test_an_integer_array_comes_back_as_integers_rounded_to_the_nearest():
    X = np.array([[1, 2], [3, 4]])
    table, _, codes = encode(X, X, names_of(2))
    decoded = table.decode(codes + 0.4)
    assert decoded.dtype == X.dtype
    np.testing.assert_array_equal(decoded, X)


def test_integers_beyond_float64_stay_exact():
    X = np.array([[2**53], [2**53 + 1]])
    table, _, codes = encode(X, X, ["id"])
    np.testing.assert_array_equal(table.decode(codes), X)


def test_an_object_array_keeps_strings_and_numbers_apart():
    X = np.array([["a", 1.0, True], ["b", 2.5, 1]], dtype=object)
    table, _, codes = encode(X, X, names_of(3))
    assert table.coded == [0, 2]
    decoded = table.decode(codes)
    assert decoded.tolist() == X.tolist()
    assert [type(value) for value in decoded[:, 2]] == [bool, int]


def test_a_string_array_comes_back():
    X = np.array([["a", "b"], ["c", "b"]])
    table, _, codes = encode(X[:1], X[1:], names_of(2))
    np.testing.assert_array_equal(table.decode(codes), X[1:])


def test_a_boolean_array_is_categories():
    X = np.array([[True, False], [False, False]])
    table, _, codes = encode(X, X, names_of(2))
    assert table.coded == [0, 1]
    assert table.decode(codes).dtype == bool
    np.testing.assert_array_equal(table.decode(codes), X)


@pytest.mark.parametrize("container", [sp.csr_matrix, sp.csc_array, sp.coo_array])
def test_a_sparse_matrix_comes_back_as_rows_of_its_kind(container):
    X = container(np.array([[0.0, 1.0], [2.0, 0.0], [0.0, 0.0]]))
    table, _, codes = encode(X, X, names_of(2))
    decoded = table.decode(codes)
    assert decoded.format == "csr"
    assert isinstance(decoded, sp.sparray) == isinstance(X, sp.sparray)
    np.testing.assert_array_equal(decoded.toarray(), X.toarray())


def test_a_sparse_matrix_too_wide_to_be_dense_is_refused(monkeypatch):
    monkeypatch.setattr(_formats, "DENSE_CELLS", 10)
    X = sp.csr_array((3, 4))
    with pytest.raises(ValueError, match=r"sparse with 6 rows and 4 columns.*fewer"):
        encode(X, X, names_of(4))


def test_a_pandas_frame_comes_back_with_its_columns_and_dtypes(mixed_frame):
    pd = pytest.importorskip("pandas")
    background, X = mixed_frame[:50], mixed_frame[50:]
    table, first, second = encode(background, X, list(X.columns))
    for codes, frame in ((first, background), (second, X)):
        decoded = table.decode(codes)
        pd.testing.assert_frame_equal(decoded, frame.reset_index(drop=True))
    assert table.missing == ["age", "visits"]
    assert table.coded == [2, 3, 4, 5]


def test_levels_are_sorted_and_ordered_categories_keep_their_order(mixed_frame):
    table, _, _ = encode(mixed_frame, mixed_frame, list(mixed_frame.columns))
    labels = {column.name: column.labels for column in table.columns}
    assert labels["colour"] == ("blue", "green", "red")
    assert labels["size"] == ("S", "M", "L")
    assert labels["member"] == ("False", "True")
    assert labels["when"] == tuple(sorted(labels["when"]))


def test_display_shows_strings_as_they_are_and_numbers_as_numbers(mixed_frame):
    table, _, codes = encode(mixed_frame, mixed_frame, list(mixed_frame.columns))
    shown = table.display(codes)
    assert shown[:, 3].tolist() == mixed_frame["colour"].tolist()
    np.testing.assert_array_equal(shown[:, 0].astype(float), mixed_frame["age"])


def test_missing_values_of_every_sort_come_back_as_they_were():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {
            "text": pd.array(["a", pd.NA, "b"], dtype="string"),
            "thing": pd.Series(["a", None, float("nan")], dtype=object),
            "kind": pd.Categorical(["u", None, "v"]),
            "flag": pd.array([True, None, False], dtype="boolean"),
            "day": pd.to_datetime(["2024-01-01", None, "2024-01-02"]),
            "real": pd.array([0.5, None, 1.5], dtype="Float64"),
        }
    )
    table, codes, _ = encode(frame, frame, list(frame.columns))
    decoded = table.decode(codes)
    pd.testing.assert_frame_equal(decoded, frame)
    assert decoded["thing"][1] is None
    assert table.missing == list(frame.columns)


def test_categories_that_differ_between_tables_are_joined():
    pd = pytest.importorskip("pandas")
    background = pd.DataFrame({"c": pd.Categorical(["a", "b"])})
    X = pd.DataFrame({"c": pd.Categorical(["b", "z"])})
    table, _, codes = encode(background, X, ["c"])
    decoded = table.decode(codes)["c"]
    assert decoded.tolist() == ["b", "z"]
    assert decoded.cat.categories.tolist() == ["a", "b", "z"]


def test_a_polars_frame_comes_back_with_its_dtypes_and_nulls():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        {
            "real": [0.5, None, 2.0],
            "count": pl.Series([1, 2, None], dtype=pl.Int32),
            "text": ["a", "b", None],
            "flag": [True, False, None],
            "kind": pl.Series(["u", "v", "u"], dtype=pl.Categorical),
            "day": [datetime.date(2024, 1, d) for d in (1, 2, 3)],
        }
    )
    table, codes, _ = encode(frame, frame, frame.columns)
    assert table.decode(codes).equals(frame)
    assert table.decode(codes).schema == frame.schema
    assert table.coded == [2, 3, 4, 5]


def test_a_fingerprint_depends_on_the_values_of_its_row_alone():
    X = np.array([["m", 1.0], ["z", 2.0], ["a", 2.0]], dtype=object)
    table_of_all, _, all_codes = encode(X, X, names_of(2))
    table_of_one, _, one_code = encode(X[1:2], X[1:2], names_of(2))
    prints = [table_of_all.fingerprint(row) for row in all_codes]
    assert len(set(prints)) == 3
    assert table_of_one.fingerprint(one_code[0]) == prints[1]


def test_complex_numbers_are_refused_by_column():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"fine": [1.0, 2.0], "z": [1j, 2j]})
    with pytest.raises(ValueError, match="'z' holds complex numbers"):
        encode(frame, frame, ["fine", "z"])


def test_values_without_a_hash_are_refused_by_column():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"lists": [[1], [2]]})
    with pytest.raises(ValueError, match="column 'lists' holds values"):
        encode(frame, frame, ["lists"])


def test_a_single_row_without_its_second_axis_is_refused():
    with pytest.raises(ValueError, match=r"X must have rows and columns.*X\[\[i\]\]"):
        as_table(np.zeros(3), "X")


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_an_empty_table_is_refused(shape):
    with pytest.raises(ValueError, match="background must have at least one row"):
        as_table(np.zeros(shape), "background")
