"""Embedding of categories: codes become unit vectors, or vectors that are learned.

Each column is embedded for itself; what mixes columns are the layers that follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import numpy as np
from scipy import sparse

from sknn._array import Array
from sknn.initializers import Fan, Initializer
from sknn.layers.base import Layer, Param, Views, check_count, check_in_range
from sknn.tape import Tape


class _Layout(NamedTuple):
    """Where the columns of one `Embedding` go."""

    one_hot: Array  # the column of each one-hot output
    category: Array  # and the code that it stands for
    learned: Array  # the columns with a table
    slots: Array  # their codes of unseen and missing
    starts: Array  # the first rows of their tables
    n_rows: int  # of all tables


@lru_cache(maxsize=64)
def _lay_out(n_categories: tuple[int, ...], one_hot_max_size: int) -> _Layout:
    counts = np.array(n_categories, dtype=np.intp)
    short = np.flatnonzero(counts <= one_hot_max_size)
    learned = np.flatnonzero(counts > one_hot_max_size)
    codes = [np.arange(counts[j]) for j in short]
    ends = np.cumsum(counts[learned] + 1)
    return _Layout(
        one_hot=np.repeat(short, counts[short]),
        category=np.concatenate(codes) if codes else short,
        learned=learned,
        slots=counts[learned],
        starts=ends - counts[learned] - 1,
        n_rows=int(counts[learned].sum()) + len(learned),
    )


@dataclass(frozen=True)
class _Tables(Initializer):
    """Normal rows for categories, a row of zeros for each slot."""

    scale: float
    slot_rows: tuple[int, ...]

    def __call__(
        self, rng: np.random.RandomState, shape: tuple[int, ...], fan: Fan
    ) -> Array:
        """Draw one parameter."""
        table = rng.normal(0.0, self.scale, shape)
        table[list(self.slot_rows)] = 0.0
        return table


@dataclass(frozen=True, repr=False)
class Embedding(Layer):
    r"""Embedding of categorical columns, :math:`y = (e_{x_1}, \dots, E_j[x_j], \dots)`.

    The input has one column of codes per categorical column. Codes 0, …, C - 1 are its
    C categories; all else (C and more, negative, NaN) is its slot of unseen and missing
    categories. What lies between two codes counts as the nearer one, so that the
    gradient by the input is zero.

    Columns of few categories become one-hot :math:`e_x`, all zeros for the slot. The
    others have a trained table :math:`E_j` of C + 1 rows, the last for the slot. That
    row starts at zero and stays there if training never meets it: what is unseen then
    adds nothing. Outputs: first those of all one-hot columns, then those of all
    learned ones; `origins` tells them apart.

    Shape: ``(n, n_columns) → (n, n_one_hot + dim * n_learned)``.

    Parameters
    ----------
    n_categories : sequence of int, default=()
        Number of categories C of each column. Empty leaves it to the estimator, which
        reads it from the data.
    dim : int, default=8
        Outputs of a learned column.
    one_hot_max_size : int, default=8
        Columns of at most so many categories become one-hot; 0 makes all learned.
    scale : float, default=1.0
        Standard deviation of the normal rows that categories start from; 1 is the
        spread of a standardized number.
    trainable : bool, default=True
        Whether training changes the tables.
    lr_factor : float, default=1.0
        Factor of the learning rate for the parameters of the layer.

    Notes
    -----
    The L2 penalty applies to the tables, which are kernels of one-hot columns. It pulls
    a category of few samples towards zero, which is what an unseen one gets.

    References
    ----------
    Guo & Berkhahn, "Entity embeddings of categorical variables", 2016;
    Holzmüller et al., "Better by default: strong pre-tuned MLPs and boosted trees on
    tabular data", NeurIPS 2024, section 3: one-hot up to 9 with the missing one.
    """

    n_categories: Sequence[int] = ()
    dim: int = 8
    one_hot_max_size: int = 8
    scale: float = 1.0

    output_is_free: ClassVar[bool] = True
    keeps_dy: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the fields; make a tuple of the counts."""
        object.__setattr__(self, "n_categories", _as_counts(self.n_categories))
        check_count(self, "dim")
        check_in_range(self, "one_hot_max_size", 0)
        check_in_range(self, "scale", 0.0, closed="neither")

    def build(self, n_in: int) -> tuple[tuple[Param, ...], int]:
        """Return the parameters for `n_in` inputs and the number of outputs."""
        self._check_columns(n_in)
        n_one_hot, n_learned = len(self._layout.one_hot), len(self._layout.learned)
        n_out = n_one_hot + self.dim * n_learned
        if not n_learned:
            return (), n_out
        rows = self._layout.n_rows
        slots = self._layout.starts + self._layout.slots
        init = _Tables(self.scale, tuple(slots.tolist()))
        return (Param("table", (rows, self.dim), init, (rows, self.dim)),), n_out

    def forward(self, x: Array, p: Views, tape: Tape) -> Array:
        """Return one-hot columns, then rows of the tables."""
        table = p.get("table")
        lead = x.shape[:-2] if table is None else table.shape[:-2] or x.shape[:-2]
        split = len(self._layout.one_hot)
        n_out = split + self.dim * len(self._layout.learned)
        y = tape.empty("y", (*lead, x.shape[-2], n_out), x)
        codes = np.rint(x, out=tape.empty("codes", x.shape, x))
        self._write_one_hot(codes, y[..., :split], tape)
        if table is not None:
            rows = self._find_rows(codes, table, tape)
            tape.saved = rows, tape.saved[1] if tape.saved else None
            out = y[..., split:].reshape(*rows.shape, self.dim)
            # Without "clip" NumPy gathers into a copy; all rows exist.
            np.take(table.reshape(-1, self.dim), rows, axis=0, out=out, mode="clip")
        return y

    def backward(
        self, dy: Array, p: Views, g: Views | None, tape: Tape, need_dx: bool = True
    ) -> Array | None:
        """Return zeros; sum `dy` over the samples of each row of the tables."""
        if g is not None and self.trainable and "table" in g:
            out, (rows, summing) = g["table"], tape.saved
            d = dy[..., len(self._layout.one_hot) :].reshape(-1, self.dim)
            summing = _one_per_column(rows, out.size // self.dim, summing, dy)
            tape.saved, total = (rows, summing), summing @ d
            np.copyto(out, total.reshape(out.shape))
        if not need_dx:
            return None
        dx = tape.empty("dx", (*dy.shape[:-1], len(self.n_categories)), dy)
        dx.fill(0.0)
        return dx

    def origins(self, n_in: int) -> Array:
        """Return the input column of each output."""
        self._check_columns(n_in)
        learned = np.repeat(self._layout.learned, self.dim)
        return np.concatenate([self._layout.one_hot, learned])

    def tables(self, p: Views) -> dict[int, Array]:
        """Return the table of each learned column, unseen and missing last.

        Parameters
        ----------
        p : dict of ndarray
            The parameters of the layer.

        Returns
        -------
        tables : dict of int to ndarray of shape (C + 1, dim)
            Views of the parameters, by the column of the input.
        """
        layout = self._layout
        starts = zip(layout.learned, layout.starts, layout.slots, strict=True)
        return {int(j): p["table"][..., a : a + c + 1, :] for j, a, c in starts}

    @property
    def _layout(self) -> _Layout:
        return _lay_out(tuple(self.n_categories), self.one_hot_max_size)

    def _check_columns(self, n_in: int) -> None:
        if not self.n_categories:
            raise ValueError(
                "The 'n_categories' parameter of Embedding is empty: pass the number "
                "of categories of each column, or leave it to the estimator's fit."
            )
        if len(self.n_categories) != n_in:
            raise ValueError(
                "The 'n_categories' parameter of Embedding must have one entry per "
                f"column, here {n_in}. Got {len(self.n_categories)} instead."
            )

    def _write_one_hot(self, codes: Array, out: Array, tape: Tape) -> None:
        columns, category = self._layout.one_hot, self._layout.category
        if not len(columns):
            return
        spread = tape.empty("spread", (*codes.shape[:-1], len(columns)), codes)
        np.take(codes, columns, axis=-1, out=spread, mode="clip")
        np.equal(spread, category.astype(codes.dtype), out=out)

    def _find_rows(self, codes: Array, table: Array, tape: Tape) -> Array:
        """Return the row of each code in the tables; a stack's follow each other."""
        _, _, learned, slots, starts, n_rows = self._layout
        shape = (*codes.shape[:-1], len(learned))
        known = tape.empty("known", shape, codes)
        np.take(codes, learned, axis=-1, out=known, mode="clip")
        np.fmin(known, slots, out=known)  # NaN too becomes the slot
        np.copyto(known, slots, where=known < 0)
        lead = table.shape[:-2]
        if lead:
            networks = np.arange(np.prod(lead)).reshape(*lead, 1, 1)
            starts = starts + n_rows * networks
            shape = (*lead, *shape[-2:])
        rows = tape.empty("rows", shape, codes, np.intp)
        return np.add(known, starts, out=rows, casting="unsafe")


def _one_per_column(rows: Array, n_rows: int, last: Any, like: Array) -> Any:
    """Return the sparse matrix with a one at each of `rows`, made of the last if fit.

    Its product is several times as fast as `np.add.at` (256 × 20 codes, 8 outputs:
    90 against 590 µs), but making one takes longer than that.
    """
    n = rows.size
    if last is not None and last.shape == (n_rows, n) and last.dtype == like.dtype:
        np.copyto(last.indices, rows.reshape(-1), casting="unsafe")
        return last
    ones = np.ones(n, like.dtype)
    indices = rows.reshape(-1).astype(np.int32)
    starts = np.arange(n + 1, dtype=np.int32)
    return sparse.csc_matrix((ones, indices, starts), shape=(n_rows, n))


def _as_counts(given: Any) -> tuple[int, ...]:
    try:
        counts = tuple(int(c) for c in given)
        right = all(c == g and c >= 0 for c, g in zip(counts, given, strict=True))
    except (TypeError, ValueError):
        right = False
    if not right:
        raise ValueError(
            "The 'n_categories' parameter of Embedding must be a sequence of ints of "
            f"at least 0, one per column. Got {given!r} instead."
        )
    return counts
