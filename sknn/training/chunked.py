"""ChunkedBatches: minibatches of data that comes in chunks, a chunk at a time.

Stands in the place of `Batches` before the trainer. Where chunks come from, and whether
they are what they were before, is for those to know who give them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import sparse

from sknn._array import Array
from sknn.training.batches import Batch, Batches
from sknn.training.state import TrainingState

Chunk = tuple[Any, Array, "Array | None"]


class ChunkedBatches:
    """A training set in chunks that gives out minibatches.

    Batches run on across the borders of chunks, so that all but the last of an epoch
    have `batch_size` rows. Samples are shuffled within their chunk.

    Parameters
    ----------
    chunks : callable
        Returns an iterator over the chunks in their order, anew at each call. Each is
        a tuple of input, targets (or codes into `table`) and weights as `Batches`
        takes them.
    n_samples : int
        Number of rows of all chunks.
    sample : Batches
        A few of the samples, spread over all, with what is the same for every chunk:
        size of batches, dtype and table.
    """

    def __init__(
        self,
        chunks: Callable[[], Iterator[Chunk]],
        n_samples: int,
        sample: Batches,
    ) -> None:
        self.chunks, self.n_samples, self.few = chunks, n_samples, sample
        self.batch_size, self.dtype = sample.batch_size, sample.dtype
        # What is asked about all samples is answered by these.
        self.X, self.y, self.table = sample.X, sample.y, sample.table

    @property
    def n_batches(self) -> int:
        """Number of batches of an epoch."""
        return -(-self.n_samples // self.batch_size)

    def sample(self, size: int) -> Batch:
        """Return up to `size` samples spread over the training set, as one batch."""
        return self.few.sample(size)

    def draw_order(
        self, state: TrainingState, shuffle: bool
    ) -> np.random.RandomState | None:
        """Return what draws the order within each chunk; None keeps it."""
        return state.rng if shuffle else None

    def epoch(self, rng: np.random.RandomState | None) -> Iterator[Batch]:
        """Yield every sample once, chunk by chunk.

        Parameters
        ----------
        rng : RandomState or None
            Shuffles the samples of each chunk; None keeps their order.

        Yields
        ------
        X, y, w : ndarray
            One batch; valid until the next one is asked for.
        """
        begun: list[Batch] = []  # pieces of a batch that the next chunk goes on with
        missing = 0
        for chunk in self.chunks():
            n = chunk[0].shape[0]
            order = None if rng is None else rng.permutation(n)
            first = min(missing, n)
            if begun and first:
                begun.append(self._copy(chunk, order, 0, first))
                missing -= first
                if not missing:
                    yield _joined(begun)
                    begun = []
            stop = n - (n - first) % self.batch_size
            if stop > first:
                yield from self._part(chunk, order, first, stop).epoch(None)
            if stop < n and first < n:
                begun.append(self._copy(chunk, order, stop, n))
                missing = self.batch_size - (n - stop)
            del chunk  # before the next one is read
        if begun:
            yield _joined(begun)

    def _part(
        self, chunk: Chunk, order: Array | None, start: int, stop: int
    ) -> Batches:
        X, y, w = chunk
        rows = None if order is None else order[start:stop]
        if rows is None:
            part = slice(start, stop)
            X, y, w = X[part], y[part], None if w is None else w[part]
        return Batches(X, y, w, self.batch_size, self.dtype, self.table, rows)

    def _copy(self, chunk: Chunk, order: Array | None, start: int, stop: int) -> Batch:
        X, y, w = self._part(chunk, order, start, stop).whole()
        return X.copy(), y.copy(), None if w is None else w.copy()


def _joined(pieces: list[Batch]) -> Batch:
    """Return one batch of several pieces."""
    if len(pieces) == 1:
        return pieces[0]
    X, y, w = zip(*pieces, strict=True)
    whole = (
        sparse.vstack(X, format="csr") if sparse.issparse(X[0]) else np.concatenate(X)
    )
    weights = None if w[0] is None else np.concatenate(w)
    return whole, np.concatenate(y), weights
