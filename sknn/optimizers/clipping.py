"""Clipping: what happens to a gradient before any optimiser sees it."""

from __future__ import annotations

from typing import Any

import numpy as np

from sknn._array import Array, Rows, flatten, squared_norm


def clip_by_norm(gradient: Array, max_norm: float, rows: Rows | None = None) -> Any:
    """Scale `gradient` in place so that its norm is at most `max_norm`.

    Parameters
    ----------
    gradient : ndarray of shape (..., n_parameters)
        Changed in place; each network of a stack on its own.
    max_norm : float
        Largest Euclidean norm allowed.
    rows : Rows or None, default=None
        Gradient by the first ``rows.size`` parameters; changed in place, and what
        `gradient` holds for them is passed over.

    Returns
    -------
    norm : float
        The norm before.

    References
    ----------
    Pascanu et al., "On the difficulty of training recurrent neural networks", ICML
    2013, algorithm 1.
    """
    rest = gradient if rows is None else gradient[..., rows.size :]
    squares = squared_norm(rest)
    if rows is not None:
        flat = flatten(rows.values)
        squares = squares + squared_norm(flat)
    norm = np.sqrt(squares)
    factor = np.asarray(max_norm / np.maximum(norm, max_norm), dtype=gradient.dtype)
    rest *= factor[..., None]
    if rows is not None:
        flat *= factor[..., None]
    return norm
