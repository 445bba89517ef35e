"""What is no table of numbers is refused by name, by all estimators alike.

At `fit` as at `predict`; extreme numbers give finite answers, or one error.
"""

import array
import re
import warnings
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.neural_network import MLPClassifier as SklearnClassifier

from sknn import MLPClassifier
from tests.estimators.outcomes import (
    CODES,
    MODELS,
    TABULAR,
    N,
    X,
    answers,
    assert_refused,
    assert_sound,
    cases_of,
    check_not_fitted,
    fitted,
    quiet,
    reference,
    run_row,
    target,
)
from tests.estimators.test_inputs_of_every_kind import (
    NAMES,
    SPARSE,
    SPELLINGS,
    SPELLINGS_OF_CATEGORIES,
    pa,
    typed_frame,
)


def matrix():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return np.matrix(X)


NAN_AT_TOP = np.where(np.arange(N)[:, None] == 0, np.nan, X)
TWO_D = "2D|2-dimensional|[Dd]im|two dimensions"

# What is no table of numbers, for any estimator, and a word that says so.
NO_TABLES = {
    "None": (lambda: None, TWO_D),
    "a number": (lambda: 3.0, TWO_D),
    "a string": (lambda: "abc", f"{TWO_D}|string"),
    "bytes": (lambda: b"abc", f"{TWO_D}|string"),
    "no dimension": (lambda: np.array(1.0), TWO_D),
    "one dimension": (lambda: X[:, 0], TWO_D),
    "array.array": (lambda: array.array("d", X[:, 0]), TWO_D),
    "three dimensions": (lambda: X[:, :, None], TWO_D),
    "ragged list": (lambda: [[1, 2, 3], [1, 2]] * 12, "X.*inhomogeneous"),
    "ragged objects": (lambda: np.array([[1], [2, 3]] * 12, dtype=object), "X"),
    "cells that are lists": (
        lambda: np.frompyfunc(lambda v: [v], 1, 1)(X),
        "X.*sequence",
    ),
    "dict": (lambda: {"a": [1, 2]}, f"X.*(dict|{TWO_D})"),
    "set": (lambda: {1, 2}, f"X.*(set|{TWO_D})"),
    "generator": (lambda: (row for row in X), f"X.*(generator|{TWO_D})"),
    "function": (lambda: len, f"X.*(function|{TWO_D})"),
    "class": (lambda: int, f"X.*(type|{TWO_D})"),
    "list of dicts": (lambda: [{"a": 1}] * N, f"X.*(dict|{TWO_D})"),
    "structured": (lambda: _records(X), "X is a structured array"),
    "records": (lambda: _records(X).view(np.recarray), "X is a structured array"),
    "np.matrix": (matrix, "np.matrix is not supported"),
    "complex": (lambda: X.astype(complex), "Complex data not supported"),
    "pandas complex": (lambda: pd.DataFrame(X.astype(complex)), "Complex data"),
    "masked array": (lambda: np.ma.masked_array(X, X > 1), r"X is masked.*X\.filled"),
    "empty list": (list, TWO_D),
    "list of an empty list": (lambda: [[]], r"0 feature\(s\)"),
    "no rows": (lambda: X[:0], r"0 sample\(s\)"),
    "no columns": (lambda: X[:, :0], r"0 feature\(s\)"),
    "words": (lambda: np.full((N, 3), "a"), "could not convert string to float"),
    "objects, some words": (
        lambda: np.array([[1.0, "a", None]] * N, dtype=object),
        "could not convert string to float: 'a'",
    ),
    "infinity": (lambda: np.where(X[0, 0] == X, np.inf, X), "X contains infinity"),
    "minus infinity": (lambda: np.where(X[0, 0] == X, -np.inf, X), "X contains inf"),
    "float32 infinity": (lambda: np.full((N, 3), np.inf, np.float32), "X contains inf"),
    "longdouble beyond float64": (
        lambda: (X + 3).astype(np.longdouble) * np.longdouble("1e4000"),
        "X contains infinity or a value too large",
    ),
    "int beyond float64": (lambda: [[10**400, 1, 2]] * N, "X.*too large to convert"),
    "pandas series": (lambda: pd.Series(X[:, 0]), TWO_D),
    "pandas no rows": (lambda: pd.DataFrame(X)[:0], r"0 sample\(s\)"),
    "pandas no columns": (lambda: pd.DataFrame(X)[[]], "0 feature|has 0 features"),
    "pandas names of several kinds": (
        lambda: pd.DataFrame(X, columns=[0, "b", "c"]),
        "Feature names are only supported if all.*string names",
    ),
    "pandas periods": (
        lambda: pd.DataFrame(X, columns=NAMES).assign(
            c=pd.period_range("2020", periods=N)
        ),
        "X.*(Period|times)",
    ),
    "pandas intervals": (
        lambda: pd.DataFrame(X, columns=NAMES).assign(c=pd.interval_range(0, N)),
        "X.*Interval",
    ),
    "polars lazy": (
        lambda: pl.DataFrame(X).lazy(),
        r"X is a LazyFrame.*pass X\.collect\(\)",
    ),
    "polars series": (lambda: pl.Series(X[:, 0].tolist()), TWO_D),
    "polars lists": (
        lambda: pl.DataFrame({name: [[1.0]] * N for name in NAMES}),
        "X.*cannot be used.*sequence",
    ),
    "sparse of one dimension": (
        lambda: sparse.coo_array(X[:, 0]),
        f"{TWO_D}|Sparse|inconsistent|24 features",
    ),
    "sparse complex": (lambda: sparse.csr_array(X.astype(complex)), "Complex|Sparse"),
    "sparse infinity": (lambda: sparse.csr_array(X + np.inf), "X contains inf|Sparse"),
    "sparse NaN": (lambda: sparse.csr_array(NAN_AT_TOP), "X contains NaN|Sparse"),
    "sparse no rows": (lambda: sparse.csr_array((0, 3)), r"0 sample\(s\)|Sparse"),
    "sparse no columns": (lambda: sparse.csr_array((N, 0)), r"0 feature\(s\)|Sparse"),
}

# Gaps: the tabular networks fill them, all others say what would.
GAPS = {
    "NaN": (lambda: NAN_AT_TOP, "X contains NaN"),
    "float32 NaN": (lambda: NAN_AT_TOP.astype(np.float32), "X contains NaN"),
    "objects with NaN": (lambda: NAN_AT_TOP.astype(object), "X contains NaN"),
    "list of None": (lambda: [[None] * 3, *X[1:].tolist()], "X contains NaN"),
    "pandas NaN": (lambda: pd.DataFrame(NAN_AT_TOP), "X contains NaN"),
    "pandas Float64 NA": (lambda: typed_frame("Float64", NAN_AT_TOP), "X contains NaN"),
    "pandas Int64 NA": (lambda: typed_frame("Int64", NAN_AT_TOP * 8), "X contains NaN"),
    "polars null": (
        lambda: pl.DataFrame({name: [None, *X[1:, 0].tolist()] for name in NAMES}),
        "X contains NaN",
    ),
    "pandas objects with NA": (
        lambda: typed_frame(object).mask(np.isnan(NAN_AT_TOP), pd.NA),
        "X.*cannot be used.*NAType",
    ),
}
if pa is not None:
    GAPS["pyarrow null"] = (
        lambda: pa.table({name: [None, *X[1:, 0].tolist()] for name in NAMES}),
        "X contains NaN",
    )

# Numbers that no network can use as they are, though they are numbers.
EXTREMES = {
    "1e300": lambda: X * 1e300,
    "largest float64": lambda: np.where(X > 0, 1, -1) * np.finfo(float).max,
    "one largest float64": lambda: np.where(X[0, 0] == X, np.finfo(float).max, X),
    "largest float32": lambda: (
        np.where(X > 0, 1, -1) * np.finfo(np.float32).max
    ).astype(np.float32),
    "subnormal": lambda: X * 5e-324,
    "1e-310": lambda: X * 1e-310,
    "subnormal float32": lambda: (X * 1e-45).astype(np.float32),
    "int of 100 bits": lambda: [[2**100, 1, 2]] * N,
    "largest uint64": lambda: np.full((N, 3), 2**64 - 1, dtype=np.uint64),
    "smallest int64": lambda: np.full((N, 3), -(2**63), dtype=np.int64),
    "constant": lambda: np.ones((N, 3)),
    "zeros": lambda: np.zeros((N, 3)),
    "minus zero": lambda: np.full((N, 3), -0.0),
    "one column": lambda: X[:, :1],
}


def _records(values):
    names = [(name, float) for name in NAMES]
    return np.array([tuple(row) for row in values], dtype=names)


def check_no_table(name, make, words):
    """`fit` and all that predicts refuse it, and the model stays what it was."""
    check_not_fitted(name, make, words)
    model, _ = reference(name, X)
    if name == "MLPAutoencoder" and "Sparse" in words:
        return "refused"  # a network that has been fitted takes it all the same
    for ask in ("predict", "predict_proba", "decision_function", "transform"):
        if hasattr(model, ask):
            call = partial(_ask, question=ask, X=make())
            assert_refused(model, call, words, "X has feature names")
    return "refused"


def _ask(model, question, X):
    getattr(model, question)(X)


def check_gaps(name, make, words):
    """Missing numbers are refused by all but the tabular networks."""
    if name not in TABULAR:
        return check_not_fitted(name, make, words)
    assert_sound(answers(fitted(name, make(), target(name)), make()))
    return "worked"


def check_extreme(name, make):
    """Extreme numbers give finite answers, or one error that says what helps."""
    model = MODELS[name]()
    try:
        with quiet():
            model.fit(make(), target(name))
            found = answers(model, make())
    except ValueError as error:
        assert re.search("[Ss]cale|[Ss]caling", str(error)), error
        return "refused"
    assert_sound(found)
    return "worked"


COLUMNS = {
    "reordered": (lambda f: f[["c", "a", "b"]], "must be in the same order"),
    "missing": (lambda f: f[["a", "b"]], "now missing:\n- c|has 2 features"),
    "additional": (lambda f: f.assign(d=1.0), "unseen at fit time:\n- d"),
    "renamed": (lambda f: f.rename(columns={"a": "A"}), "unseen at fit time:\n- A"),
    "of other case": (lambda f: f.rename(columns=str.upper), "unseen at fit time"),
    "an array too wide": (lambda f: np.hstack([X, X]), "has 6 features"),
    "an array too narrow": (lambda f: X[:, :2], "has 2 features"),
}


def check_columns(name, change, words):
    """A frame with other columns than in `fit` is refused."""
    frame = pd.DataFrame(X, columns=NAMES)
    model = fitted(name, frame, target(name))
    for ask in ("predict", "predict_proba", "transform"):
        if hasattr(model, ask):
            call = partial(_ask, question=ask, X=change(frame))
            assert_refused(model, call, words, "X does not have valid feature names")
    return "refused"


TABLES = {
    "no table": (check_no_table, NO_TABLES),
    "gaps": (check_gaps, GAPS),
    "extreme": (check_extreme, {k: (v,) for k, v in EXTREMES.items()}),
    "columns": (check_columns, COLUMNS),
}
cases = partial(cases_of, "X", TABLES, MODELS)
run = partial(run_row, TABLES, MODELS)


@pytest.mark.parametrize("kind", NO_TABLES)
def test_what_is_no_table_of_numbers_is_refused_by_name(kind):
    assert set(run("no table", kind).values()) == {"refused"}


@pytest.mark.parametrize("kind", GAPS)
def test_gaps_are_refused_or_filled(kind):
    found = run("gaps", kind)
    assert {n for n in found if found[n] == "worked"} == found.keys() & TABULAR


@pytest.mark.parametrize("kind", EXTREMES)
def test_extreme_numbers_give_finite_answers_or_one_error(kind):
    assert set(run("extreme", kind).values()) <= {"worked", "refused"}


@pytest.mark.parametrize("change", COLUMNS)
def test_other_columns_than_in_fit_are_refused(change):
    assert set(run("columns", change).values()) == {"refused"}


def test_scikit_learn_takes_and_refuses_the_same_tables():
    def takes(kind, make):
        try:
            with quiet(), np.errstate(all="ignore"):
                kind((4,), max_iter=2, random_state=0).fit(make(), CODES)
        except (TypeError, ValueError, OverflowError):
            return False
        return True

    tables = {**SPELLINGS, **SPELLINGS_OF_CATEGORIES, **NO_TABLES, **GAPS}
    makes = {name: make for name, (make, _) in tables.items()} | SPARSE
    makes.pop("polars lazy")  # of which older versions warn
    differ = {
        name
        for name, make in makes.items()
        if takes(MLPClassifier, make) != takes(SklearnClassifier, make)
    }
    # docs/deviations.md
    assert differ == {"masked array"}


def test_a_frame_of_sparse_columns_with_gaps_is_refused():
    def with_gaps():
        return pd.DataFrame(NAN_AT_TOP).astype(pd.SparseDtype(float, np.nan))

    words = "fill value must be 0|contains NaN"  # by the version of scikit-learn
    check_not_fitted("MLPClassifier", with_gaps, words)


def test_one_row_and_two_are_enough_or_refused():
    for name, make in MODELS.items():
        for n in (1, 2, 3):
            model = make()
            try:
                with quiet():
                    model.fit(X[:n], target(name)[:n])
            except ValueError as error:
                assert n == 1, name
                assert re.search("sample|class", str(error)), error
            else:
                ask = model.transform if name == "MLPTransformer" else model.predict
                assert len(ask(X)) == N
