"""Blocks of rows, dense or sparse: their scores, their kernel, their effect.

A block knows the weights before its first row only. What an update at one row does to
the scores of later rows is the kernel between the rows, so that no weights in between
are ever formed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from sknn._array import Array
from sknn.training.perceptron.rule import Tables
from sknn.training.perceptron.state import Weights
from sknn.training.perceptron.targets import RowTargets

_NUMBERS = 1 << 15  # so many fit into the processor's nearest memory
_BLOCK_BYTES = 1 << 19  # and so many bytes into the next
_LARGEST = 4096


class Block:
    """What dense and sparse blocks share.

    Parameters
    ----------
    x : {ndarray, sparse matrix} of shape (n_rows, n_features)
        The rows.
    tables : Tables
        Of the rule.
    """

    def __init__(self, x: Any, tables: Tables) -> None:
        self.x, self.tables = x, tables
        self.n_rows = x.shape[0]

    def scores(self, weights: Weights, start: int, stop: int) -> Array:
        """Return the scores of some rows if none of them brings an update.

        `weights` are those before the row `start`.
        """
        scores = self.rows(start, stop).dot(weights.coef.T)
        if self.tables.shrinks:
            scores *= self.tables.powers[: stop - start, None]
        scores += weights.intercept
        return scores

    def kernel(self, row: int, stop: int) -> Array:
        """Return what an update of one at `row` adds to the scores of rows behind it.

        These are the rows up to `stop`.
        """
        kernel = self.products(row, stop)
        if self.tables.shrinks:
            kernel *= self.tables.powers[: len(kernel)]
        kernel += self.tables.intercept_rate
        return kernel

    def rows(self, start: int, stop: int) -> Any:
        """Return some of the rows."""
        raise NotImplementedError

    def products(self, row: int, stop: int) -> Array:
        """Return the inner products of `row` and those behind it, as a new array."""
        raise NotImplementedError

    def squared_norms(self, rows: Array) -> Array:
        """Return the squared Euclidean norms of some rows."""
        raise NotImplementedError

    def add(
        self, coef: Array, rows: Array, factors: Array, in_order: bool = False
    ) -> None:
        """Add these rows times their factors to `coef`, in place.

        `in_order` asks for the sums that single steps make, to the last digit.
        """
        raise NotImplementedError

    def advance(
        self,
        weights: Weights,
        rows: Array,
        updates: Array,
        start: int,
        stop: int,
        in_order: bool = False,
    ) -> None:
        """Take `weights` from before the row `start` to before `stop`, in place.

        Parameters
        ----------
        weights : Weights
            Changed in place.
        rows : ndarray of shape (n_updates,)
            The rows between them that bring updates, in their order.
        updates : ndarray of shape (n_updates, n_functions)
            Their updates.
        start, stop : int
            The rows passed.
        in_order : bool, default=False
            Whether to make the sums that single steps make, to the last digit.
        """
        steps = self.tables.intercept_rate * updates
        if in_order:
            add_one_by_one(weights.intercept, steps)
        else:
            weights.intercept += np.add.reduce(steps)
        if self.tables.shrinks:
            powers = self.tables.powers
            weights.coef *= powers[stop - start]
            updates = updates * powers[stop - 1 - rows][:, None]
        self.add(weights.coef, rows, updates, in_order)

    def exact_scores(self, weights: Weights, settled: Settled, row: int) -> Array:
        """Return the scores of `row` at its turn, digit for digit as by single steps.

        `weights` are those before the first row.
        """
        known, weights = settled.rows < row, weights.select()
        rows, updates = settled.rows[known], settled.updates[known]
        self.advance(weights, rows, updates, 0, row, in_order=True)
        terms = self.terms(weights.coef, row)
        sums = np.add.accumulate(terms, axis=1)[:, -1] if terms.size else 0.0
        return sums + weights.intercept

    def terms(self, coef: Array, row: int) -> Array:
        """Return the terms of the inner products of functions and `row`."""
        raise NotImplementedError

    def head(self, n: int) -> Block:
        """Return the first `n` rows as a block."""
        raise NotImplementedError

    def accumulate(
        self, total: Weights, weights: Weights, rows: Array, updates: Array
    ) -> None:
        """Add the weights behind each of the rows to `total`, in place.

        `weights` are those before the first row; the rest is as for `advance`.
        """
        n, left = self.n_rows, self.n_rows - rows
        total.intercept += n * weights.intercept
        total.intercept += self.tables.intercept_rate * (left @ updates)
        total.coef += weights.coef * (self.tables.sums[n + 1] - 1.0)
        self.add(total.coef, rows, updates * self.tables.sums[left][:, None])


@dataclass(frozen=True)
class Settled:
    """A block whose mistakes are known.

    Parameters
    ----------
    block : DenseBlock or SparseBlock
        The rows.
    targets : BinaryRows, OneVsRestRows or JointRows
        Their targets.
    margins : ndarray of shape (n_rows,) or (n_rows, n_functions)
        Margins of each row at its turn.
    rows : ndarray of shape (n_mistakes,)
        Rows that are a mistake in some problem, in their order.
    updates : ndarray of shape (n_mistakes, n_functions)
        What they bring.
    """

    block: Any
    targets: RowTargets
    margins: Array
    rows: Array
    updates: Array

    def until(self, row: int, margins: Array) -> Settled:
        """Return the block up to and with `row`, with other margins for that row."""
        head = slice(0, row + 1)
        targets, settled = self.targets.take(head), self.margins[head]
        settled[row] = margins
        rows = self.rows[self.rows < row]
        if margins.min() <= 0.0:
            rows = np.append(rows, row)
        updates = targets.updates(settled, rows)
        return Settled(self.block.head(row + 1), targets, settled, rows, updates)


class DenseBlock(Block):
    """A block of rows in a plain array."""

    def rows(self, start: int, stop: int) -> Array:
        """Return some of the rows."""
        return self.x[start:stop]

    def products(self, row: int, stop: int) -> Array:
        """Return the inner products of `row` and those behind it, as a new array."""
        return self.x[row + 1 : stop].dot(self.x[row])

    def squared_norms(self, rows: Array) -> Array:
        """Return the squared Euclidean norms of some rows."""
        x = self.x[rows]
        return np.einsum("ij,ij->i", x, x)

    def terms(self, coef: Array, row: int) -> Array:
        """Return the terms of the inner products of functions and `row`."""
        return coef * self.x[row]

    def head(self, n: int) -> DenseBlock:
        """Return the first `n` rows as a block."""
        return DenseBlock(self.x[:n], self.tables)

    def add(
        self, coef: Array, rows: Array, factors: Array, in_order: bool = False
    ) -> None:
        """Add these rows times their factors to `coef`, in place."""
        x = self.x[rows]
        if not in_order:
            coef += factors.T.dot(x)
            return
        at_once = max(1, _NUMBERS // coef.size)
        for start in range(0, len(rows), at_once):
            some = slice(start, start + at_once)
            add_one_by_one(coef, factors[some, :, None] * x[some, None, :])


class SparseBlock(Block):
    """A block of rows in CSR.

    `support_squares` has one line for each row added last: the squared norms of the
    functions behind it, over the features that the row stores.

    Parameters
    ----------
    x, tables : sparse matrix, Tables
        As for a Block.
    scratch : ndarray of shape (n_features,)
        Zeros, and zeros again when a method returns.
    """

    def __init__(self, x: Any, tables: Tables, scratch: Array) -> None:
        super().__init__(x, tables)
        self.scratch = scratch
        self.support_squares: list[Array] = []

    def row(self, row: int) -> tuple[Array, Array]:
        """Return the features and the values that `row` stores."""
        entries = slice(self.x.indptr[row], self.x.indptr[row + 1])
        return self.x.indices[entries], self.x.data[entries]

    def rows(self, start: int, stop: int) -> Any:
        """Return some of the rows."""
        return self.x if stop - start == self.n_rows else self.x[start:stop]

    def products(self, row: int, stop: int) -> Array:
        """Return the inner products of `row` and those behind it, as a new array."""
        features, values = self.row(row)
        self.scratch[features] = values
        products = self.x @ self.scratch
        self.scratch[features] = 0.0
        return products[row + 1 : stop]

    def terms(self, coef: Array, row: int) -> Array:
        """Return the terms of the inner products of functions and `row`."""
        features, values = self.row(row)
        return coef[:, features] * values

    def head(self, n: int) -> SparseBlock:
        """Return the first `n` rows as a block."""
        return SparseBlock(self.x[:n], self.tables, self.scratch)

    def squared_norms(self, rows: Array) -> Array:
        """Return the squared Euclidean norms of some rows."""
        return np.array([(self.row(row)[1] ** 2).sum() for row in rows])

    def add(
        self, coef: Array, rows: Array, factors: Array, in_order: bool = False
    ) -> None:
        """Add these rows times their factors to `coef`, in place."""
        self.support_squares = []
        for row, factor in zip(rows, factors, strict=True):
            features, values = self.row(row)
            for function in np.flatnonzero(factor):
                coef[function][features] += factor[function] * values
            if self.tables.shrinks:
                squares = (coef[:, features] ** 2).sum(axis=1)
                self.support_squares.append(squares)


class DenseRows:
    """A plain array that gives out blocks.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The table, in C order; it is never copied as a whole.
    """

    def __init__(self, X: Array) -> None:
        self.X = X
        self.largest = min(max(_BLOCK_BYTES // (8 * X.shape[1]), 8), _LARGEST)
        self._buffer = np.empty((self.largest, X.shape[1]), dtype=X.dtype)

    def block(self, rows: Any, tables: Tables) -> DenseBlock:
        """Return a block of these rows; it is valid until the next one is asked for."""
        if isinstance(rows, slice):
            x = self.X[rows]
        else:
            # The rows are known to be valid: "clip" spares numpy a check and a copy.
            out = self._buffer[: len(rows)]
            x = self.X.take(rows, axis=0, out=out, mode="clip")
        return DenseBlock(x.astype(np.float64, copy=False), tables)


class SparseRows:
    """A CSR array that gives out blocks.

    Parameters
    ----------
    X : sparse matrix of shape (n_samples, n_features)
        The table, in canonical CSR.
    """

    def __init__(self, X: Any) -> None:
        self.X = X
        self.largest = _LARGEST
        self._scratch = np.zeros(X.shape[1])

    def block(self, rows: Any, tables: Tables) -> SparseBlock:
        """Return a block of these rows."""
        x = self.X[rows].astype(np.float64, copy=False)
        return SparseBlock(x, tables, self._scratch)


def add_one_by_one(total: Array, terms: Array) -> None:
    """Add terms to `total` in place and in their order.

    A product would group the sums; then ties between classes, which are common where
    features are counts or decimals, would fall out otherwise than by single steps.
    """
    sums = np.concatenate([total[None], terms])
    total[...] = np.add.accumulate(sums, axis=0, out=sums)[-1]


def rows_of(X: Any) -> DenseRows | SparseRows:
    """Return the source of blocks for a plain array or a CSR array."""
    return SparseRows(X) if sparse.issparse(X) else DenseRows(X)
