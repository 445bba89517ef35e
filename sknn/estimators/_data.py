"""Data of one fit: input, targets as codes, weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sknn._array import Array, as_rows
from sknn.training.batches import Batches

NO_WEIGHT = (
    "sample_weight sums to zero over the training data: at least one sample must have "
    "a positive weight."
)


@dataclass(frozen=True)
class Request:
    """What a call of `fit` or `partial_fit` was given; the names are those of `fit`.

    Parameters
    ----------
    X, y, sample_weight, X_val, y_val, sample_weight_val : array-like or None
        Training data, validation data.
    groups, classes : array-like or None
        Groups of the samples; all labels that will come.
    coefs_init, intercepts_init : list of array-like or None
        What to start from.
    resume_from : str, path-like or None
        A checkpoint to go on from.
    incremental : bool
        Whether one epoch goes on from the last call.
    rows : ndarray or None
        The samples to train on, of those in X; None takes all.
    held : ndarray or None
        The samples of X that validate; None leaves it to early stopping.
    """

    X: Any
    y: Any
    sample_weight: Any = None
    X_val: Any = None
    y_val: Any = None
    sample_weight_val: Any = None
    groups: Any = None
    classes: Any = None
    coefs_init: Any = None
    intercepts_init: Any = None
    resume_from: Any = None
    incremental: bool = False
    rows: Array | None = None
    held: Array | None = None


def rows_of(array: Any, rows: Array | None) -> Any:
    """Return these rows of an array; None for `rows` takes all, for the array none."""
    return array if array is None or rows is None else as_rows(array)[rows]


class Sum:
    """Sum of numbers that may come in parts: the same bits, whatever the parts."""

    _SIZE = 1024

    def __init__(self) -> None:
        self._sums: list[float] = []
        self._rest = np.empty(0)

    def add(self, values: Array) -> None:
        """Take in some more numbers."""
        values = np.concatenate([self._rest, values])
        end = len(values) // self._SIZE * self._SIZE
        self._sums += values[:end].reshape(-1, self._SIZE).sum(axis=1).tolist()
        self._rest = values[end:].copy()

    def total(self) -> float:
        """Return the sum of all, infinity where it is beyond float64."""
        try:
            return math.fsum([*self._sums, self._rest.sum()])
        except OverflowError:
            return math.inf


@dataclass(frozen=True)
class Data:
    """Samples to train on, or to be scored on.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
        Input.
    labels : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Targets as the user gave them.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Targets encoded: codes, or rows of numbers.
    w : ndarray of shape (n_samples,) or None
        Sample weights.
    rows : ndarray or None, default=None
        Which of these samples are meant; None means all.
    """

    X: Any
    labels: Array
    y: Array
    w: Array | None
    rows: Array | None = None

    @property
    def n_samples(self) -> int:
        """Number of samples that are meant."""
        return self.X.shape[0] if self.rows is None else len(self.rows)

    def only(self, rows: Array) -> Data:
        """Return data that means these rows, without a copy of them."""
        return replace(self, rows=rows)

    def blocks(self, size: int) -> Iterator[Data]:
        """Yield the samples in order, no more than `size` at a time."""
        for start in range(0, self.n_samples, size):
            block: Any = slice(start, start + size)
            yield self.take(block if self.rows is None else self.rows[block])

    def take(self, rows: Any) -> Data:
        """Return these rows of all, a copy where `rows` is no slice."""
        w = None if self.w is None else self.w[rows]
        return Data(as_rows(self.X)[rows], self.labels[rows], self.y[rows], w)

    def batches(
        self,
        mean: float,
        size: int,
        dtype: Any,
        table: Array | None,
        rows: Array | None,
    ) -> Batches:
        """Return batches of these rows of all, weights divided by `mean`."""
        w = None if self.w is None else (self.w / mean).astype(dtype)[:, None]
        return Batches(self.X, self.y, w, size, dtype, table, rows)

    def mean_weight(self, rows: Array | None = None) -> float:
        """Return the mean weight of these rows; raise where all are zero."""
        if self.w is None:
            return 1.0
        w = self.w if rows is None else self.w[rows]
        sum_of_all = Sum()
        with np.errstate(over="ignore"):
            sum_of_all.add(w)
            mean = sum_of_all.total() / len(w)
        if not mean > 0:
            raise ValueError(NO_WEIGHT)
        if not np.finfo(float).tiny <= mean < np.inf:
            raise ValueError(
                f"sample_weight, times class_weight, has a mean of {mean:.3g} over the "
                "training data: multiply it by a constant, so that it is about 1."
            )
        return mean
