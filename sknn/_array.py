"""Products, sums and row selection for dense and sparse arrays, with and without `out`.

Knows shapes and nothing of networks: samples lie on axis -2, features on axis -1, and
any axes before them count networks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[Any]


def matmul(a: Any, b: Array, out: Array) -> Array:
    """Write ``a @ b`` to `out`; `a` may be sparse, or either may be a stack."""
    if not isinstance(a, np.ndarray) and sparse.issparse(a):
        out[...] = a @ b
        return out
    if a.ndim == b.ndim == 2:
        # ndarray.dot has a third of np.matmul's fixed cost, and fixed costs are what a
        # step of a small network consists of.
        return a.dot(b, out)
    return np.matmul(a, b, out=out)


def transpose(a: Any) -> Any:
    """Return `a` with samples and features exchanged; stacks keep their order."""
    return a.T if a.ndim == 2 else a.swapaxes(-1, -2)


def total(values: Array) -> Any:
    """Sum over samples and features: a number, or one number per network."""
    if values.ndim == 2:
        return np.add.reduce(values, axis=None)
    return np.add.reduce(values, axis=(-2, -1))


def squared_norm(vector: Array) -> Any:
    """Sum of squares over the last axis: a number, or one number per network."""
    if vector.ndim == 1:
        return vector.dot(vector)
    return np.einsum("...i,...i->...", vector, vector)


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
