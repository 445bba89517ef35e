"""Answers about many rows, asked for a block of rows at a time.

Memory beyond input and answer is that of one block; what is answered, others know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from sknn.estimators._sklearn import safe_indexing

# What a block of X may take in float64.
INPUT_BYTES = 1 << 24

Answer = Callable[[Any], Any]


def in_blocks(answer: Answer, X: Any, size: int, n_columns: int) -> Any:
    """Return ``answer(X)``, computed in blocks of rows.

    Parameters
    ----------
    answer : callable
        Takes rows of X as they were given; returns an array with one row for each, or
        a tuple of such arrays.
    X : array-like, sparse matrix or data frame
        Input, not checked: what is no table goes to `answer` whole.
    size : int
        Largest number of rows of a block.
    n_columns : int
        Number of columns of X, as often as `answer` copies them.
    """
    n = _n_rows(X)
    # Anything so short needs no look at its width.
    if n <= 1:
        return answer(X)
    if sparse.issparse(X):
        X = X.tocsr()
        n_columns = 2 * X.nnz // n  # values and their columns
    size = max(1, min(size, INPUT_BYTES // (8 * max(1, n_columns))))
    if n <= size:
        return answer(X)
    out: Any = None
    for start in range(0, n, size):
        rows = slice(start, min(start + size, n))
        part = answer(_take(X, rows))
        if out is None:
            out = _like(part, n)
        _write(part, out, rows)
    return out


def _n_rows(X: Any) -> int:
    """Return the number of rows of a table, 0 of anything else."""
    if isinstance(X, list):
        return len(X)
    shape: Any = getattr(X, "shape", ())
    return shape[0] if len(shape) == 2 else 0


def _take(X: Any, rows: slice) -> Any:
    sliceable = isinstance(X, (np.ndarray, list)) or sparse.issparse(X)
    return X[rows] if sliceable else safe_indexing(X, rows)


def _like(part: Any, n: int) -> Any:
    """Return room for `n` rows of the kind that `part` holds a few of."""
    if isinstance(part, tuple):
        return tuple(_like(one, n) for one in part)
    return np.empty((n, *part.shape[1:]), dtype=part.dtype)


def _write(part: Any, out: Any, rows: slice) -> None:
    if isinstance(part, tuple):
        for one, whole in zip(part, out, strict=True):
            _write(one, whole, rows)
    else:
        out[rows] = part
