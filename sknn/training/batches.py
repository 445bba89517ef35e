"""Batches: the training set in minibatches, in the order of a permutation.

X in C order or CSR is never copied, other layouts once: rows are gathered into buffers
a few batches at a time, and cast there if the network's dtype is another one.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

from sknn._array import Array, as_rows
from sknn.training.state import TrainingState

# Rows are gathered for as many batches at once as fit here: one gather for many small
# batches costs less than one for each.
_CHUNK_BYTES = 1 << 17

#: As many samples are enough to know a training set by.
SAMPLE = 256

Batch = tuple[Any, Array, "Array | None"]


class Batches:
    """A training set that gives out minibatches.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_rows, n_features)
        Input.
    y : ndarray of shape (n_rows, n_outputs) or (n_rows,)
        Targets, or codes into `table`.
    w : ndarray of shape (n_rows, 1) or None
        Sample weights.
    batch_size : int
        Samples per batch; the last batch of an epoch may be smaller.
    dtype : dtype
        Of the batches.
    table : ndarray of shape (n_codes, n_outputs) or None, default=None
        Row `c` is the target that code `c` in `y` stands for.
    rows : ndarray or None, default=None
        The rows to train on; None takes all.
    """

    def __init__(
        self,
        X: Any,
        y: Array,
        w: Array | None,
        batch_size: int,
        dtype: Any,
        table: Array | None = None,
        rows: Array | None = None,
    ) -> None:
        self.X = as_rows(X)
        self.y, self.w, self.table = y, w, table
        self.rows = rows
        self.n_samples = X.shape[0] if rows is None else len(rows)
        self.batch_size = batch_size
        self.dtype = np.dtype(dtype)
        self._make_buffers()

    def _make_buffers(self) -> None:
        row_bytes = self.X.shape[1] * self.X.dtype.itemsize
        batches = max(1, _CHUNK_BYTES // max(1, row_bytes * self.batch_size))
        if sparse.issparse(self.X):
            batches = 1
        self._chunk = max(1, min(batches * self.batch_size, self.n_samples))
        self._buffers: dict[tuple[str, Any], Array] = {}

    @property
    def n_batches(self) -> int:
        """Number of batches of an epoch."""
        return -(-self.n_samples // self.batch_size)

    def draw_order(self, state: TrainingState, shuffle: bool) -> Array | None:
        """Return the order of the epoch that begins; None where samples keep theirs."""
        if state.permutation is None or len(state.permutation) != self.n_samples:
            state.permutation = np.arange(self.n_samples)
        if not shuffle:
            return None
        # as scikit-learn: each epoch shuffles the order of the one before
        state.rng.shuffle(state.permutation)
        return state.permutation

    def ordered(self, permutation: Array | None) -> Array:
        """Return the rows of X in the order of `permutation`."""
        if permutation is None:
            return np.arange(self.n_samples) if self.rows is None else self.rows
        return permutation if self.rows is None else self.rows[permutation]

    def has_set_of(self, other: Batches) -> bool:
        """Tell whether both draw from the same samples, whichever rows they take."""
        if self.X is not other.X or self.w is not None or other.w is not None:
            return False
        pairs = (self.y, other.y), (self.table, other.table)
        return all(np.array_equal(a, b) for a, b in pairs)  # type: ignore[arg-type]

    def take(self, rows: Array, X: Array, y: Array, w: Array | None = None) -> None:
        """Write these rows of a dense training set into arrays.

        Parameters
        ----------
        rows : ndarray of int of shape (..., n)
            Rows of X.
        X, y, w : ndarray of shape (..., n, n_columns)
            Receive input, targets and sample weights; weights are 1 where there are
            none.
        """
        targets, codes = self.y, rows
        if self.table is not None:
            targets, codes = self.table, self.y.take(rows, mode="clip")
        wanted = [(self.X, rows, X), (targets, codes, y)]
        if w is not None and self.w is not None:
            wanted.append((self.w, rows, w))
        elif w is not None:
            w[...] = 1.0
        for source, index, out in wanted:
            if source.dtype == out.dtype:
                source.take(index, axis=0, out=out, mode="clip")
            else:
                np.copyto(out, source.take(index, axis=0), casting="unsafe")

    def epoch(self, permutation: Array | None) -> Iterator[Batch]:
        """Yield every sample once, in the order of `permutation`.

        Parameters
        ----------
        permutation : ndarray of shape (n_samples,) or None
            Order of the samples; None keeps theirs.

        Yields
        ------
        X, y, w : ndarray
            One batch; valid until the next one is asked for.
        """
        whole = permutation is None and self.rows is None
        order = None if whole else self.ordered(permutation)
        for start in range(0, self.n_samples, self._chunk):
            stop = min(start + self._chunk, self.n_samples)
            rows = slice(start, stop) if order is None else order[start:stop]
            X, y, w = self._gather(rows)
            for first in range(0, stop - start, self.batch_size):
                batch = slice(first, first + self.batch_size)
                yield X[batch], y[batch], None if w is None else w[batch]

    def whole(self) -> Batch:
        """Return all samples as one batch, in their order."""
        rows = slice(None) if self.rows is None else self.rows
        X = self.X if self.rows is None else self.X[rows]
        return self._cast("X", X), self._targets(rows), self._weights(rows)

    def sample(self, size: int) -> Batch:
        """Return up to `size` samples spread over the training set, as one batch.

        Parameters
        ----------
        size : int
            Largest number of samples.

        Returns
        -------
        X, y, w : ndarray
            The same samples at each call; valid until the next batch is asked for.
        """
        n = min(size, self.n_samples)
        picks = np.arange(n) * self.n_samples // n
        return self._gather(picks if self.rows is None else self.rows[picks])

    def _gather(self, rows: Any) -> Batch:
        if isinstance(rows, slice) or sparse.issparse(self.X):
            X = self.X[rows]
        else:
            X = self._take("rows of X", self.X, rows)
        return self._cast("X", X), self._targets(rows), self._weights(rows)

    def _targets(self, rows: Any) -> Array:
        if self.table is not None:
            return self._take("y", self.table, self._select("codes", self.y, rows))
        return self._select("y", self.y, rows)

    def _weights(self, rows: Any) -> Array | None:
        return None if self.w is None else self._select("w", self.w, rows)

    def _select(self, name: str, source: Array, rows: Any) -> Array:
        if isinstance(rows, slice):
            return source[rows]
        return self._take(name, source, rows)

    def _take(self, name: str, source: Array, rows: Array) -> Array:
        out = self._buffer(name, (len(rows), *source.shape[1:]), source.dtype)
        # The rows are known to be valid: "clip" spares numpy the check and a copy.
        return source.take(rows, axis=0, out=out, mode="clip")

    def _cast(self, name: str, X: Any) -> Any:
        if X.dtype == self.dtype:
            return X
        if sparse.issparse(X):
            return X.astype(self.dtype)
        out = self._buffer(name, X.shape, self.dtype)
        np.copyto(out, X, casting="unsafe")
        return out

    def _buffer(self, name: str, shape: tuple[int, ...], dtype: Any) -> Array:
        buffer = self._buffers.get((name, shape))
        if buffer is None:
            buffer = self._buffers[name, shape] = np.empty(shape, dtype=dtype)
        return buffer


def checksum(sample: Batch, n_samples: int) -> int:
    """Return a number that another training set would hardly have.

    Parameters
    ----------
    sample : tuple of ndarray
        Some of its samples: X, y, w.
    n_samples : int
        How many it has.
    """
    X, y, w = sample
    if sparse.issparse(X):
        X = X.toarray() if X.shape[1] < SAMPLE else X.tocsr().data
    number = zlib.crc32(str((n_samples, X.shape)).encode())
    for part in (X, y, w):
        if part is not None:
            number = zlib.crc32(np.ascontiguousarray(part).tobytes(), number)
    return number
