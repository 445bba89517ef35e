"""Chunks of rows, dense or sparse: products with weights, and sums into them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from sknn._array import Array
from sknn.training.perceptron.state import Weights

_CHUNK_BYTES = 1 << 19  # stays in the processor's second nearest memory
_FEWEST, _MOST = 16, 4096


class DenseChunk:
    """Some rows of a plain array.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_features)
        The rows.
    """

    def __init__(self, x: Array) -> None:
        self.x, self.n_rows = x, len(x)

    def products(self, coef: Array, start: int, stop: int) -> Array:
        """Return the inner products of rows with a function or several, a new array."""
        return self.x[start:stop].dot(coef.T)

    def add(self, function: Array, row: int, factor: float) -> None:
        """Add `row` times a factor to the weights of a function, in place."""
        if factor == 1.0:
            function += self.x[row]
        elif factor == -1.0:
            function -= self.x[row]
        else:
            function += factor * self.x[row]

    def support(self, row: int) -> tuple[Any, Array]:
        """Return the features that `row` stores and their values."""
        return slice(None), self.x[row]


class SparseChunk:
    """Some rows of a CSR array.

    Parameters
    ----------
    x : sparse matrix of shape (n_rows, n_features)
        The rows.
    """

    def __init__(self, x: Any) -> None:
        self.x, self.n_rows = x, x.shape[0]
        self._ends = x.indptr.tolist()
        self._row_of = np.repeat(np.arange(self.n_rows), np.diff(x.indptr))

    def products(self, coef: Array, start: int, stop: int) -> Array:
        """Return the inner products of rows with a function or several, a new array."""
        stop = min(stop, self.n_rows)
        if coef.ndim == 2 and len(coef) > 1:
            return self.x[start:stop] @ coef.T
        entries = slice(self._ends[start], self._ends[stop])
        terms = coef.T.take(self.x.indices[entries], axis=0).ravel()
        terms *= self.x.data[entries]
        rows = self._row_of[entries] - start
        # Without any entry, bincount forgets that these are no counts.
        products = np.bincount(rows, terms, stop - start).astype(np.float64, copy=False)
        return products if coef.ndim == 1 else products[:, None]

    def add(self, function: Array, row: int, factor: float) -> None:
        """Add `row` times a factor to the weights of a function, in place."""
        features, values = self.support(row)
        function[features] += factor * values

    def support(self, row: int) -> tuple[Any, Array]:
        """Return the features that `row` stores and their values."""
        entries = slice(self._ends[row], self._ends[row + 1])
        return self.x.indices[entries], self.x.data[entries]


Chunk = DenseChunk | SparseChunk


class DenseRows:
    """A plain array that gives out chunks.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The table, in C order; it is never copied as a whole.
    """

    def __init__(self, X: Array) -> None:
        self.X = X
        fitting = _CHUNK_BYTES // (8 * X.shape[1])
        self.largest = min(max(fitting, _FEWEST), _MOST, len(X))
        self._buffer = np.empty((self.largest, X.shape[1]), dtype=X.dtype)

    def chunk(self, rows: Any) -> DenseChunk:
        """Return a chunk of these rows; it is valid until the next one is asked for."""
        if isinstance(rows, slice):
            x = self.X[rows]
        else:
            # The rows are known to be valid: "clip" spares numpy a check and a copy.
            out = self._buffer[: len(rows)]
            x = self.X.take(rows, axis=0, out=out, mode="clip")
        return DenseChunk(x.astype(np.float64, copy=False))


class SparseRows:
    """A CSR array that gives out chunks.

    Parameters
    ----------
    X : sparse matrix of shape (n_samples, n_features)
        The table, in canonical CSR.
    """

    largest = _MOST

    def __init__(self, X: Any) -> None:
        self.X = X

    def chunk(self, rows: Any) -> SparseChunk:
        """Return a chunk of these rows."""
        return SparseChunk(self.X[rows].astype(np.float64, copy=False))


def rows_of(X: Any) -> DenseRows | SparseRows:
    """Return the source of chunks for a plain array or a CSR array."""
    return SparseRows(X) if sparse.issparse(X) else DenseRows(X)


def exact_scores(chunk: Chunk, weights: Weights, row: int) -> Array:
    """Return the scores of a row with terms summed up in their order.

    Products group their sums in ways of their own.
    """
    features, values = chunk.support(row)
    terms = weights.coef[:, features] * values
    sums = np.add.accumulate(terms, axis=1)[:, -1] if terms.size else 0.0
    return sums + weights.intercept
