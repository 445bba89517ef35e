"""What training of a perceptron changes: weights and the memory of its rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sknn._array import Array
from sknn.training.perceptron.rule import Rule


@dataclass
class Weights:
    """Weights of several linear functions.

    Parameters
    ----------
    coef : ndarray of shape (n_functions, n_features)
        Weights of the features.
    intercept : ndarray of shape (n_functions,)
        Constants.
    """

    coef: Array
    intercept: Array

    def select(self, functions: Any = slice(None)) -> Weights:
        """Return a copy of some of the functions."""
        return Weights(_select(self.coef, functions), self.intercept[functions].copy())

    def copies(self) -> tuple[Array, Array]:
        """Return copies of both arrays."""
        return self.coef.copy(), self.intercept.copy()

    def replace(self, functions: Any, other: Weights) -> None:
        """Copy `other` over some of the functions."""
        self.coef[functions] = other.coef
        self.intercept[functions] = other.intercept

    def is_finite(self) -> bool:
        """Tell whether every number is finite."""
        return bool(np.isfinite(self.coef).all() and np.isfinite(self.intercept).all())


@dataclass
class Norms:
    """Norms of each function, as the objective of scikit-learn knows them.

    They are renewed at updates: from the weights before these are truncated and, where
    rows are sparse, from the features that the updated row stores and from no others.

    Parameters
    ----------
    squares : ndarray of shape (n_functions,)
        Sums of squared weights.
    sizes : ndarray of shape (n_functions,)
        Sums of absolute weights.
    """

    squares: Array
    sizes: Array

    @classmethod
    def of(cls, coef: Array) -> Norms:
        """Return the norms of these functions."""
        return cls((coef**2).sum(axis=1), np.abs(coef).sum(axis=1))

    def select(self, functions: Any) -> Norms:
        """Return a copy for some of the functions."""
        return Norms(self.squares[functions].copy(), self.sizes[functions].copy())

    def replace(self, functions: Any, other: Norms) -> None:
        """Copy `other` over some of the functions."""
        self.squares[functions] = other.squares
        self.sizes[functions] = other.sizes

    def renew(self, function: int, coef: Array) -> None:
        """Take the norms of a function from these weights."""
        self.squares[function] = coef.dot(coef)
        self.sizes[function] = np.abs(coef).sum()

    def shrink(self, factor: float) -> None:
        """Follow weights that were multiplied by `factor`."""
        self.squares *= factor**2
        self.sizes *= factor


@dataclass
class Average:
    """The mean of the weights behind each sample, from a sample on.

    Parameters
    ----------
    start : int
        The first sample that counts, from 1.
    total : Weights
        Sum of the weights that count.
    seen : ndarray of shape (n_functions,)
        Samples so far; problems that stop early have seen fewer.
    """

    start: int
    total: Weights
    seen: Array

    @classmethod
    def none(cls, start: int, weights: Weights) -> Average:
        """Return the average before the first sample."""
        zeros = Weights(np.zeros_like(weights.coef), np.zeros_like(weights.intercept))
        return cls(start, zeros, np.zeros(len(weights.intercept), dtype=int))

    @property
    def waiting(self) -> int:
        """Number of samples that do not count yet, where all functions have as many."""
        return max(0, self.start - 1 - int(self.seen[0]))

    def select(self, functions: Any = slice(None)) -> Average:
        """Return a copy for some of the functions."""
        seen = self.seen[functions].copy()
        return Average(self.start, self.total.select(functions), seen)

    def replace(self, functions: Any, other: Average) -> None:
        """Copy `other` over some of the functions."""
        self.total.replace(functions, other.total)
        self.seen[functions] = other.seen

    def add(self, weights: Weights, n: int = 1) -> None:
        """Let `n` samples pass behind which the weights are these."""
        counted = max(0, n - self.waiting)
        self.total.coef += counted * weights.coef
        self.total.intercept += counted * weights.intercept
        self.seen += n

    def as_dict(self) -> dict[str, Any]:
        """Return a copy as plain data."""
        return {
            "start": self.start,
            "coef": self.total.coef.copy(),
            "intercept": self.total.intercept.copy(),
            "seen": self.seen.copy(),
        }

    def of(self, weights: Weights) -> Weights:
        """Return the means; `weights` themselves where nothing counts yet."""
        count = np.maximum(self.seen - self.start + 1, 0)
        n = np.maximum(count, 1)
        known = count > 0
        return Weights(
            np.where(known[:, None], self.total.coef / n[:, None], weights.coef),
            np.where(known, self.total.intercept / n, weights.intercept),
        )


@dataclass
class State:
    """All that a pass over the samples changes.

    Parameters
    ----------
    weights : Weights
        The functions.
    norms : Norms or None
        Their norms, if the objective is watched and has a penalty.
    paid : ndarray of shape (n_functions, n_features)
        What each weight has moved because of the l1 penalty.
    due : float, default=0.0
        What the samples so far demand of each weight.
    average : Average or None, default=None
        The mean of the weights, if it is asked for.
    """

    weights: Weights
    norms: Norms | None
    paid: Array
    due: float = 0.0
    average: Average | None = None

    @classmethod
    def at(
        cls, weights: Weights, rule: Rule, watched: bool = False, average: Any = None
    ) -> State:
        """Return the state before the first sample; `weights` are not copied."""
        # Without an l1 penalty nothing is paid, and an array without columns says so.
        paid = np.zeros_like(weights.coef[:, : None if rule.truncates else 0])
        norms = Norms.of(weights.coef) if watched and not rule.rests else None
        return cls(weights, norms, paid, average=average)

    def select(self, functions: Any) -> State:
        """Return a copy for some of the functions."""
        return State(
            self.weights.select(functions),
            None if self.norms is None else self.norms.select(functions),
            _select(self.paid, functions),
            self.due,
            None if self.average is None else self.average.select(functions),
        )

    def replace(self, functions: Any, other: State) -> None:
        """Copy `other` over some of the functions."""
        self.weights.replace(functions, other.weights)
        if self.norms is not None and other.norms is not None:
            self.norms.replace(functions, other.norms)
        self.paid[functions] = other.paid
        if self.average is not None and other.average is not None:
            self.average.replace(functions, other.average)
        self.due = other.due


def _select(coef: Array, functions: Any) -> Array:
    # Features stay in memory as they are: sparse rows want them in columns.
    return coef[functions].copy("C" if coef.flags.c_contiguous else "F")
