"""Every spelling of X gives what the plain matrix gives: float64 in C order."""

import tempfile
from decimal import Decimal
from fractions import Fraction
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from tests.estimators.outcomes import (
    CODES,
    DENSE_ONLY,
    MODELS,
    TABULAR,
    N,
    X,
    answers,
    assert_same,
    assert_sound,
    cases_of,
    check_not_fitted,
    fitted,
    reference,
    run_row,
    target,
)

try:
    import pyarrow as pa
except ImportError:  # an optional package of pandas
    pa = None

WHOLE = X * 8
COUNTS = WHOLE + 16
SIGNS = (X > 0).astype(float)
NAMES = list("abc")


class Described:
    """Holds data in the way of NumPy's protocol, and says nothing else about it."""

    def __init__(self, data):
        self.__array_interface__ = data.__array_interface__
        self._data = data


class Convertible:
    def __array__(self, dtype=None, copy=None):
        return X.astype(dtype or float)


def on_disk(mode):
    with tempfile.TemporaryFile() as file:
        file.write(X.tobytes())
        file.flush()
        return np.memmap(file, float, mode, shape=X.shape)


def read_only():
    frozen = X.copy()
    frozen.flags.writeable = False
    return frozen


def unaligned():
    data = np.zeros(X.nbytes + 1, np.uint8)[1:].view(float).reshape(X.shape)
    data[...] = X
    assert not data.flags.aligned
    return data


def strided():
    wide = np.full((2 * N, 6), np.nan)
    wide[::2, ::2] = X
    return wide[::2, ::2]


def nested(kind):
    return [[kind(value) for value in row] for row in X.tolist()]


def typed_frame(dtype, values=X):
    return pd.DataFrame(values, columns=NAMES).astype(dtype)


# What gives the same as the plain matrix beside it.
SPELLINGS = {
    "list": (lambda: X.tolist(), X),
    "tuple": (lambda: tuple(map(tuple, X.tolist())), X),
    "list of arrays": (lambda: list(X), X),
    "list of Decimal": (lambda: nested(Decimal), X),
    "list of Fraction": (lambda: nested(Fraction), X),
    "list of strings": (lambda: nested(str), X),
    "Fortran order": (lambda: np.asfortranarray(X), X),
    "strides": (strided, X),
    "negative strides": (lambda: X[::-1, ::-1].copy()[::-1, ::-1], X),
    "read-only": (read_only, X),
    "unaligned": (unaligned, X),
    "memmap r": (lambda: on_disk("r"), X),
    "memmap r+": (lambda: on_disk("r+"), X),
    "memmap c": (lambda: on_disk("c"), X),
    "big-endian": (lambda: X.astype(">f8"), X),
    "big-endian float32": (lambda: X.astype(">f4"), X),
    "float16": (lambda: X.astype(np.float16), X),
    "longdouble": (lambda: X.astype(np.longdouble), X),
    "objects": (lambda: X.astype(object), X),
    "objects that are strings": (lambda: X.astype(str).astype(object), X),
    "strings": (lambda: X.astype(str), X),
    "bytes": (lambda: X.astype("S"), X),
    "int8": (lambda: WHOLE.astype(np.int8), WHOLE),
    "int64": (lambda: WHOLE.astype(np.int64), WHOLE),
    "uint8": (lambda: COUNTS.astype(np.uint8), COUNTS),
    "bool": (lambda: X > 0, SIGNS),
    "masked array without masks": (lambda: np.ma.masked_array(X), X),
    "memoryview": (lambda: memoryview(X), X),
    "__array__": (Convertible, X),
    "__array_interface__": (lambda: Described(X), X),
    "pandas": (lambda: pd.DataFrame(X), X),
    "pandas integer names": (lambda: pd.DataFrame(X, columns=[5, 7, 6]), X),
    "pandas odd names": (lambda: pd.DataFrame(X, columns=["", " ", "c\n"]), X),
    "pandas index": (lambda: pd.DataFrame(X, index=np.arange(N)[::-1]), X),
    "pandas index not unique": (lambda: pd.DataFrame(X, index=[0] * N), X),
    "pandas several levels of names": (
        lambda: pd.DataFrame(X, columns=pd.MultiIndex.from_product([["a"], NAMES])),
        X,
    ),
    "pandas Float64": (lambda: typed_frame("Float64"), X),
    "pandas Int64": (lambda: typed_frame("Int64", WHOLE), WHOLE),
    "pandas several floats": (lambda: typed_frame({"a": "f4", "b": "f2"}), X),
    "pandas one sparse column": (
        lambda: typed_frame({"a": pd.SparseDtype(float, 0.0)}),
        X,
    ),
    "polars": (lambda: pl.DataFrame(X, schema=NAMES), X),
    "polars integers": (lambda: pl.DataFrame(WHOLE.astype(int), schema=NAMES), WHOLE),
}
if pa is not None:
    SPELLINGS |= {
        "pandas arrow": (lambda: typed_frame("float64[pyarrow]"), X),
        "pandas arrow integers": (lambda: typed_frame("int64[pyarrow]", WHOLE), WHOLE),
        "pyarrow": (lambda: pa.table(dict(zip(NAMES, X.T, strict=True))), X),
        "pyarrow integers": (
            lambda: pa.table(dict(zip(NAMES, WHOLE.T.astype(int), strict=True))),
            WHOLE,
        ),
    }

# The same for what the tabular networks take for categories.
SPELLINGS_OF_CATEGORIES = {
    "pandas objects": (lambda: typed_frame(object), X),
    "pandas strings": (lambda: typed_frame(str), X),
    "pandas string dtype": (lambda: typed_frame(str).astype("string"), X),
    "pandas categories of numbers": (lambda: typed_frame("category"), X),
    "pandas categories of strings": (lambda: typed_frame(str).astype("category"), X),
    "pandas boolean": (lambda: typed_frame("boolean", X > 0), SIGNS),
    "polars strings": (lambda: pl.DataFrame(X.astype(str), schema=NAMES), X),
    "polars booleans": (lambda: pl.DataFrame(X > 0, schema=NAMES), SIGNS),
}


def csr(kind=sparse.csr_array, **parts):
    made = kind(X)
    for name, change in parts.items():
        setattr(made, name, change(getattr(made, name)))
    return made


def stored_zeros():
    made = sparse.csr_array(X + 100)
    made.data -= 100
    assert made.nnz == X.size
    return made


def twice(kind):
    rows, columns = np.indices(X.shape).reshape(2, -1)
    made = sparse.coo_array(
        (np.tile(X.ravel() / 2, 2), (np.tile(rows, 2), np.tile(columns, 2))), X.shape
    )
    if kind == "coo":
        return made
    order = np.argsort(made.row, kind="stable")
    starts = np.arange(0, 2 * X.size + 1, 6)
    return sparse.csr_array((made.data[order], made.col[order], starts), X.shape)


def unsorted():
    made = sparse.csr_array(X)
    for start, stop in zip(made.indptr[:-1], made.indptr[1:], strict=True):
        for part in (made.indices, made.data):
            part[start:stop] = part[start:stop][::-1].copy()
    made.has_sorted_indices = False
    return made


SPARSE = {
    f"{form} {kind}": lambda form=form, kind=kind: getattr(sparse, f"{form}_{kind}")(X)
    for form in ("csr", "csc", "coo", "bsr", "dia", "dok", "lil")
    for kind in ("array", "matrix")
}
SPARSE |= {
    "csr int64 indices": lambda: csr(
        indices=lambda i: i.astype(np.int64), indptr=lambda i: i.astype(np.int64)
    ),
    "csc int64 indices": lambda: csr(
        sparse.csc_matrix,
        indices=lambda i: i.astype(np.int64),
        indptr=lambda i: i.astype(np.int64),
    ),
    "csr stored zeros": stored_zeros,
    "csr duplicates": lambda: twice("csr"),
    "coo duplicates": lambda: twice("coo"),
    "csr unsorted": unsorted,
    "csr read-only": lambda: csr(data=lambda d: np.frombuffer(d.tobytes())),
    "csr longdouble": lambda: sparse.csr_array(X.astype(np.longdouble)),
}


def check_spelling(name, make, plain, rtol=1e-10):
    """A fit on a spelling equals that on the plain matrix, and so do its answers."""
    model, expected = reference(name, plain)
    other = fitted(name, make(), target(name))
    assert_same(answers(other, make()), expected, rtol)
    assert_same(answers(model, make(), "X has feature names"), expected, rtol)
    return "worked"


def check_category(name, make, plain):
    """The same, where the tabular networks learn categories instead."""
    if name not in TABULAR:
        return check_spelling(name, make, plain)
    assert_sound(answers(fitted(name, make(), target(name)), make()))
    return "worked"


def check_sparse(name, make):
    """A sparse matrix is its dense form, or is refused where only that is taken."""
    if name in DENSE_ONLY:
        return check_not_fitted(name, make, "Sparse data was passed.*toarray")
    if name != "PerceptronClassifier":
        return check_spelling(name, make, X)
    # as scikit-learn: the intercept moves more slowly where X is sparse
    expected = answers(fitted(name, sparse.csr_array(X), CODES), X)
    model = fitted(name, make(), CODES)
    assert_same(answers(model, X, "X does not have valid"), expected)
    assert_same(answers(model, make()), expected)
    return "worked"


TABLES = {
    "spelling": (check_spelling, SPELLINGS),
    "category": (check_category, SPELLINGS_OF_CATEGORIES),
    "sparse": (check_sparse, {k: (v,) for k, v in SPARSE.items()}),
}
cases = partial(cases_of, "X", TABLES, MODELS)
run = partial(run_row, TABLES, MODELS)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_a_table_is_that_table(spelling):
    assert set(run("spelling", spelling).values()) == {"worked"}


@pytest.mark.parametrize("spelling", SPELLINGS_OF_CATEGORIES)
def test_numbers_under_other_dtypes_are_numbers_or_categories(spelling):
    assert set(run("category", spelling).values()) == {"worked"}


@pytest.mark.parametrize("form", SPARSE)
def test_every_sparse_matrix_is_its_dense_form_or_refused(form):
    found = run("sparse", form)
    assert {n for n in found if found[n] == "refused"} == found.keys() & DENSE_ONLY


def test_float32_stays_float32_in_every_spelling():
    model = fitted("MLPClassifier", X.astype(np.float32), CODES)
    expected = answers(model, X)
    assert model.coefs_[0].dtype == np.float32
    for make in (
        lambda: np.asfortranarray(X, np.float32),
        lambda: sparse.csr_array(X.astype(np.float32)),
        lambda: typed_frame(np.float32),
        lambda: typed_frame("Float32"),
        lambda: pl.DataFrame(X.astype(np.float32), schema=NAMES),
    ):
        other = fitted("MLPClassifier", make(), CODES)
        assert_same(answers(other, make()), expected, rtol=1e-5)


def test_a_frame_of_sparse_columns_is_a_table():
    def make():
        return typed_frame(pd.SparseDtype(float, 0.0))

    check_spelling("MLPClassifier", make, X)
    check_spelling("TabularMLPRegressor", make, X)


def test_times_count_in_their_unit_but_not_in_tables():
    days = WHOLE.astype(np.int64)
    for dtype in ("datetime64[D]", "timedelta64[D]"):
        check_spelling("MLPClassifier", lambda d=dtype: days.astype(d), WHOLE)
        check_not_fitted(
            "TabularMLPClassifier", lambda d=dtype: days.astype(d), "times"
        )


def test_two_columns_of_one_name_are_taken_by_place_or_refused():
    frame = pd.DataFrame(X, columns=["a", "a", "b"])
    try:
        fitted("MLPClassifier", frame, CODES)
    except ValueError as error:  # scikit-learn from 1.9 on
        assert "unique column names" in str(error)
    else:
        check_spelling("MLPClassifier", lambda: frame, X)
