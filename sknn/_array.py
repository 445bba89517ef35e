"""Products, sums and row selection for dense and sparse arrays, with and without `out`.

Knows shapes and nothing of networks: samples lie on axis -2, features on axis -1, and
any axes before them count networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[Any]

# A sparse product up to this size is made in one piece, a larger one piece by piece.
_BLOCK_BYTES = 1 << 20


@dataclass
class Rows:
    """A few rows of a matrix; all others are zero.

    Parameters
    ----------
    shape : (int, int)
        Of the whole matrix.
    index : ndarray of shape (n_rows,)
        Which rows, in ascending order.
    values : ndarray of shape (..., n_rows, n_columns)
        These rows; axes in front count networks.
    """

    shape: tuple[int, int]
    index: Array = field(default_factory=lambda: np.empty(0, np.intp))
    values: Array = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def size(self) -> int:
        """Number of entries of the whole matrix."""
        return self.shape[0] * self.shape[1]

    def matrices(self, vector: Array) -> Iterator[Array]:
        """Yield views of this shape of what `vector` begins with, one per network."""
        for i in np.ndindex(vector.shape[:-1]):
            yield vector[i][: self.size].reshape(self.shape)

    def take(self, vector: Array) -> Array:
        """Return these rows of the matrix that `vector` begins with."""
        shape = (*vector.shape[:-1], len(self.index), self.shape[1])
        taken = np.empty(shape, vector.dtype)
        networks = np.ndindex(vector.shape[:-1])
        for i, matrix in zip(networks, self.matrices(vector), strict=True):
            # Without "clip" numpy checks the index and copies through a buffer.
            matrix.take(self.index, axis=0, out=taken[i], mode="clip")
        return taken


def matmul(a: Any, b: Array, out: Array) -> Array:
    """Write ``a @ b`` to `out`; `a` may be sparse, or either may be a stack."""
    if not isinstance(a, np.ndarray) and sparse.issparse(a):
        for i in np.ndindex(b.shape[:-2]):
            out[i] = a @ b[i]
        return out
    if a.ndim == b.ndim == 2:
        # ndarray.dot has a third of np.matmul's fixed cost, and fixed costs are what a
        # step of a small network consists of.
        return a.dot(b, out)
    return np.matmul(a, b, out=out)


def cross(x: Any, y: Array, out: Array | Rows) -> None:
    """Write ``x.T @ y`` to `out`, which is filled whole, or given the rows not zero.

    Rows that belong to columns of a sparse `x` without an entry are not computed.
    """
    if isinstance(out, Rows):
        out.index, columns = _occupied(x)
        out.values = np.empty((*y.shape[:-2], len(out.index), y.shape[-1]), y.dtype)
        matmul(columns, y, out.values)
    elif not isinstance(x, np.ndarray) and sparse.issparse(x):
        _sparse_cross(x, y, out)
    else:
        matmul(transpose(x), y, out)


def _sparse_cross(x: Any, y: Array, out: Array) -> None:
    """Write ``x.T @ y`` by pieces: SciPy's product is an array as large as `out`."""
    if out.nbytes <= max(_BLOCK_BYTES, x.nnz * out.itemsize):
        matmul(x.T, y, out)
        return
    index, columns = _occupied(x)
    size = max(1, _BLOCK_BYTES // (out.shape[-1] * out.itemsize))
    out[...] = 0.0
    for start in range(0, len(index), size):
        piece, rows = columns[start : start + size], index[start : start + size]
        for i in np.ndindex(y.shape[:-2]):
            out[i][rows] = piece @ y[i]


def _occupied(x: Any) -> tuple[Array, Any]:
    """Return which columns of `x` have entries, and these columns as rows."""
    if isinstance(x, np.ndarray):
        return np.arange(x.shape[-1]), transpose(x)
    columns = x.tocsc()
    index = np.flatnonzero(np.diff(columns.indptr))
    starts = np.append(columns.indptr[index], columns.indptr[-1:])
    parts = (columns.data, columns.indices, starts)
    return index, sparse.csr_array(parts, shape=(len(index), x.shape[0]))


def transpose(a: Any) -> Any:
    """Return `a` with samples and features exchanged; stacks keep their order."""
    return a.T if a.ndim == 2 else a.swapaxes(-1, -2)


def total(values: Array) -> Any:
    """Sum over samples and features: a number, or one number per network."""
    if values.ndim == 2:
        return np.add.reduce(values, axis=None)
    # Each on its own, so that a stack comes to the bits of its networks.
    networks = np.ndindex(values.shape[:-2])
    sums = [np.add.reduce(values[i], axis=None) for i in networks]
    return np.array(sums, dtype=values.dtype).reshape(values.shape[:-2])


def squared_norm(vector: Array) -> Any:
    """Sum of squares over the last axis: a number, or one number per network."""
    if vector.ndim == 1:
        return vector.dot(vector)
    # Each by a product of its own, so that a stack comes to the bits of its networks.
    networks = np.ndindex(vector.shape[:-1])
    norms = [vector[i].dot(vector[i]) for i in networks]
    return np.array(norms, dtype=vector.dtype).reshape(vector.shape[:-1])


def flatten(matrices: Array) -> Array:
    """Return a view of one matrix, or of a stack, with its last two axes as one."""
    *lead, n, width = matrices.shape
    return matrices.reshape(*lead, n * width)


def scalar(value: float, like: Array) -> Array:
    """Return `value` as a zero-dimensional array of `like`'s dtype.

    An operation with such an operand costs half of one with a Python float, which is
    converted anew at every call.
    """
    return np.full_like(like, value, shape=(), subok=False)


def as_rows(X: Any) -> Any:
    """Return `X` in the layout that gives out rows fast: C order, or CSR.

    A C-ordered array is returned as it is, never copied.
    """
    if sparse.issparse(X):
        return X.tocsr()
    return np.ascontiguousarray(X)


def largest(X: Any) -> float:
    """Return the largest absolute value, without a copy of X; 0 where it is empty."""
    values = X if isinstance(X, np.ndarray) else X.data
    return float(max(values.max(), -values.min())) if values.size else 0.0
