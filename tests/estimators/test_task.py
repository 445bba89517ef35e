"""What task='auto' makes of y."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from sknn.estimators._task import resolve_task

N = 900  # sqrt(N) = 30 is the limit of integer labels


@pytest.mark.parametrize(
    "y",
    [
        ["a", "b"] * 5,
        np.array(["a", "b"], dtype=object),
        np.array([True, False]),
        [0, 1, 2, 1],
        np.arange(N) % 10,
        pd.Series(["a", "b"]),
        pd.Series([1, 2, 3], dtype="category"),
        pd.Series([1, 2, 3] * 9, dtype="Int64"),
        pd.Series([True, False], dtype="boolean"),
        pl.Series(["a", "b"]),
        pl.Series([1, 2, 1]),
        np.array([[0, 1], [1, 1]]),
        sparse.csr_matrix([[0, 1], [1, 1]]),
    ],
)
def test_labels_are_classified(y):
    assert resolve_task("auto", y) == "classification"


@pytest.mark.parametrize(
    "y",
    [
        [0.5, 1.5],
        np.array([1.0, 2.0, 3.0], dtype=np.float32),
        np.arange(N),
        pd.Series([1.5, 2.5]),
        pd.Series([1.5, 2.5], dtype="Float64"),
        pl.Series([1.5, 2.5]),
        np.array([[0, 5], [1, 7]]),
        np.array([[0.0, 1.0], [1.0, 1.0]]),
        np.arange(N)[:, None],
    ],
)
def test_numbers_are_regressed(y):
    assert resolve_task("auto", y) == "regression"


@pytest.mark.parametrize(
    ("n_values", "task"),
    [
        (16, "classification"),
        (30, "classification"),
        (31, "regression"),
        (60, "regression"),
    ],
)
def test_integers_near_the_limit_are_named_as_ambiguous(n_values, task):
    with pytest.warns(UserWarning, match="different values: task='auto' takes this"):
        assert resolve_task("auto", np.arange(N) % n_values) == task


def test_floats_that_look_like_labels_are_named():
    with pytest.warns(UserWarning, match="holds only 0 and 1: task='auto' takes this"):
        assert resolve_task("auto", [0.0, 1.0, 1.0]) == "regression"
    with pytest.warns(UserWarning, match="is float and always"):
        assert resolve_task("auto", [2.5, 2.5]) == "classification"


def test_a_named_task_and_given_classes_decide():
    assert resolve_task("regression", [0, 1]) == "regression"
    assert resolve_task("classification", [0.5, 1.0]) == "classification"
    assert resolve_task("auto", [0.5, 1.5], classes=[0.5, 1.5]) == "classification"
