"""Every spelling of sample weights weighs the same, or is refused by name."""

from decimal import Decimal
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from tests.estimators.outcomes import (
    CODES,
    MODELS,
    WEIGHTS,
    N,
    X,
    answers,
    assert_refused,
    assert_same,
    cases_of,
    fitted,
    frozen,
    masked,
    objects,
    reference,
    run_row,
    target,
)
from tests.estimators.test_inputs_of_every_kind import pa

ABC = np.array(list("abc"))[CODES]
HALF = np.arange(N) % 2

WEIGHT_SPELLINGS = {
    "list": lambda: WEIGHTS.tolist(),
    "tuple": lambda: tuple(WEIGHTS.tolist()),
    "objects": lambda: WEIGHTS.astype(object),
    "strings": lambda: WEIGHTS.astype(str),
    "Decimal": lambda: objects(map(Decimal, WEIGHTS.tolist())),
    "float16": lambda: WEIGHTS.astype(np.float16),
    "float32": lambda: WEIGHTS.astype(np.float32),
    "longdouble": lambda: WEIGHTS.astype(np.longdouble),
    "big-endian": lambda: WEIGHTS.astype(">f8"),
    "strides": lambda: np.repeat(WEIGHTS, 2)[::2],
    "negative strides": lambda: WEIGHTS[::-1].copy()[::-1],
    "read-only": lambda: frozen(WEIGHTS),
    "masked without masks": lambda: np.ma.masked_array(WEIGHTS),
    "pandas": lambda: pd.Series(WEIGHTS, index=np.arange(N)[::-1]),
    "pandas Float64": lambda: pd.Series(WEIGHTS, dtype="Float64"),
    "polars": lambda: pl.Series(WEIGHTS.tolist()),
}
if pa is not None:
    WEIGHT_SPELLINGS |= {
        "pandas arrow": lambda: pd.Series(WEIGHTS, dtype="float64[pyarrow]"),
        "pyarrow": lambda: pa.array(WEIGHTS.tolist()),
    }

NO_WEIGHTS = {
    "zero": (lambda: np.zeros(N), "non-zero|sums to zero"),
    "minus zero": (lambda: np.full(N, -0.0), "non-zero|sums to zero"),
    "zero as a number": (lambda: 0, "non-zero|sums to zero"),
    "negative": (lambda: WEIGHTS - 0.5, "Negative values.*sample_weight"),
    "one just negative": (
        lambda: np.where(np.arange(N), WEIGHTS, -1e-300),
        "Negative values.*sample_weight",
    ),
    "a negative number": (lambda: -1.0, "Negative values.*sample_weight"),
    "NaN": (lambda: np.where(HALF, np.nan, WEIGHTS), "sample_weight contains NaN"),
    "NaN as a number": (lambda: np.nan, "sample_weight contains NaN"),
    "infinity": (lambda: np.where(HALF, np.inf, WEIGHTS), "sample_weight contains inf"),
    "infinity as a number": (lambda: np.inf, "sample_weight contains NaN or inf"),
    "list of None": (lambda: [None] * N, "sample_weight contains NaN"),
    "pandas NA": (
        lambda: pd.Series([None, *WEIGHTS[1:]], dtype="Float64"),
        "sample_weight contains NaN",
    ),
    "polars null": (
        lambda: pl.Series([None, *WEIGHTS[1:].tolist()]),
        "sample_weight contains NaN",
    ),
    "too short": (lambda: WEIGHTS[:-1], r"sample_weight.shape == \(23,\)"),
    "too long": (lambda: np.append(WEIGHTS, 1), r"sample_weight.shape == \(25,\)"),
    "empty": (list, "sample_weight.*0 sample"),
    "a column": (lambda: WEIGHTS[:, None], "Sample weights must be 1D"),
    "a row": (lambda: WEIGHTS[None], "Sample weights must be 1D"),
    "two columns": (lambda: np.c_[WEIGHTS, WEIGHTS], "Sample weights must be 1D"),
    "a frame": (lambda: pd.DataFrame({"w": WEIGHTS}), "Sample weights must be 1D"),
    "no dimension": (lambda: np.array(2.0), "sample_weight.*at least 1 dimension"),
    "words": (lambda: ABC, "sample_weight.*could not convert string"),
    "a word": (lambda: "balanced", "sample_weight.*could not convert string"),
    "dict": (lambda: {0: 1.0}, "sample_weight.*dict"),
    "generator": (lambda: (w for w in WEIGHTS), "sample_weight.*generator"),
    "function": (lambda: len, "sample_weight.*function"),
    "ragged": (lambda: [[1.0], [1.0, 2.0]] * 12, "sample_weight.*inhomogeneous"),
    "complex": (lambda: WEIGHTS.astype(complex), "Complex data not supported"),
    "sparse": (lambda: sparse.csr_array(WEIGHTS[:, None]), "Sparse.*sample_weight"),
    "masked": (lambda: masked(WEIGHTS), "sample_weight is masked in places"),
    "an int beyond float64": (lambda: [10**400] * N, "sample_weight.*too large"),
    "longdouble beyond float64": (
        lambda: WEIGHTS.astype(np.longdouble) * np.longdouble("1e4000"),
        "sample_weight contains infinity",
    ),
    "largest float64": (
        lambda: np.full(N, np.finfo(float).max),
        "sample_weight sums to infinity",
    ),
}


def check_weights(name, make):
    """A fit with a spelling of weights equals that with the plain ones."""
    y = target(name)
    expected = answers(fitted(name, X, y, sample_weight=WEIGHTS), X)
    assert_same(answers(fitted(name, X, y, sample_weight=make()), X), expected)
    return "worked"


def check_no_weights(name, make, words):
    y = target(name)
    for model in (MODELS[name](), reference(name, X)[0]):
        assert_refused(model, lambda m: m.fit(X, y, sample_weight=make()), words)
    return "refused"


TABLES = {
    "weights": (check_weights, {k: (v,) for k, v in WEIGHT_SPELLINGS.items()}),
    "no weights": (check_no_weights, NO_WEIGHTS),
}
cases = partial(cases_of, "sample_weight", TABLES, MODELS)
weights = partial(run_row, TABLES, MODELS)


@pytest.mark.parametrize("spelling", WEIGHT_SPELLINGS)
def test_weights_weigh_the_same_in_every_spelling(spelling):
    assert set(weights("weights", spelling).values()) == {"worked"}


@pytest.mark.parametrize("kind", NO_WEIGHTS)
def test_what_is_no_weight_is_refused_by_name(kind):
    assert set(weights("no weights", kind).values()) == {"refused"}
