"""Classes as margins: which samples are mistakes, and what a mistake changes.

A margin is positive where a sample is on the right side; the step activation makes a
margin of zero a mistake. Features and weights are unknown here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from sknn._array import Array


@dataclass(frozen=True)
class OneVsRest:
    """One binary problem per class, or a single one for two classes.

    Parameters
    ----------
    sides : ndarray of shape (n_classes, n_problems)
        On which side of a problem a class is, -1 or 1.
    class_weight : ndarray of shape (n_classes, n_problems)
        Weight of a class in a problem.
    """

    sides: Array
    class_weight: Array

    @classmethod
    def of(cls, class_weight: Array) -> OneVsRest:
        """Return the problems for classes of these weights."""
        n = len(class_weight)
        if n == 2:
            return cls(np.array([[-1.0], [1.0]]), class_weight[:, None])
        own = np.eye(n, dtype=bool)
        # as scikit-learn: the rest weighs one, whatever its classes weigh elsewhere
        return cls(np.where(own, 1.0, -1.0), np.where(own, class_weight, 1.0))

    @property
    def n_problems(self) -> int:
        """Number of problems, each of which stops on its own."""
        return self.sides.shape[1]

    def select(self, problems: Array) -> OneVsRest:
        """Return some of the problems."""
        return OneVsRest(self.sides[:, problems], self.class_weight[:, problems])

    def rows(
        self, codes: Array, weights: Array, eta0: float
    ) -> BinaryRows | OneVsRestRows:
        """Return targets for rows of these classes and weights."""
        if self.n_problems > 1:
            return OneVsRestRows(self, codes, weights, eta0)
        sizes = eta0 * (self.class_weight[codes, 0] * weights)
        return BinaryRows(self.sides[codes, 0], sizes, bool((sizes == 1.0).all()))

    def weights_of(self, codes: Array) -> Array:
        """Return the class weight of each row in each problem."""
        return self.class_weight[codes]

    def are_right(self, scores: Array, codes: Array) -> Array:
        """Tell for each row and problem whether the prediction is right."""
        return (scores > 0) == (self.sides[codes] > 0)


@dataclass(frozen=True)
class Joint:
    """One problem over all classes, in which the highest score wins.

    A mistake raises the scores of the true class and lowers those of the class that
    was taken for it.

    Parameters
    ----------
    class_weight : ndarray of shape (n_classes,)
        Weight of each class.

    References
    ----------
    Crammer, K. and Singer, Y. (2003). Ultraconservative online algorithms for
    multiclass problems. JMLR 3, 951-991.

    Duda, R. O. and Hart, P. E. (1973). Pattern classification and scene analysis,
    section 5.12, Kesler's construction.
    """

    class_weight: Array
    n_problems: ClassVar[int] = 1

    def select(self, problems: Array) -> Joint:
        """Return itself: there is one problem."""
        return self

    def rows(self, codes: Array, weights: Array, eta0: float) -> JointRows:
        """Return targets for rows of these classes and weights."""
        sizes = eta0 * (self.class_weight[codes] * weights)
        return JointRows(codes, sizes, len(self.class_weight))

    def weights_of(self, codes: Array) -> Array:
        """Return the class weight of each row."""
        return self.class_weight[codes][:, None]

    def are_right(self, scores: Array, codes: Array) -> Array:
        """Tell for each row whether the prediction is right."""
        return (scores.argmax(axis=1) == codes)[:, None]


@dataclass(frozen=True)
class BinaryRows:
    """Targets of some rows in a single problem; their margins are a vector.

    Parameters
    ----------
    sides : ndarray of shape (n_rows,)
        On which side a row is, -1 or 1.
    sizes : ndarray of shape (n_rows,)
        Size of the update that a mistake would bring.
    all_one : bool
        Whether all sizes are one, which saves a multiplication.
    """

    sides: Array
    sizes: Array
    all_one: bool
    n_problems: ClassVar[int] = 1

    def take(self, rows: Any) -> BinaryRows:
        """Return the targets of some of the rows."""
        return BinaryRows(self.sides[rows], self.sizes[rows], self.all_one)

    def empty(self, n: int) -> Array:
        """Return room for the margins of `n` rows."""
        return np.empty(n)

    @cached_property
    def _opposite(self) -> Array:
        return -self.sides

    def margins(self, scores: Array, start: int = 0) -> Array:
        """Return the margins of these scores, which are those of rows from `start`."""
        return scores[:, 0] * self.sides[start : start + len(scores)]

    def spread(self, margins: Array, row: int, kernel: Array) -> Array:
        """Return what a mistake at `row` adds to the margins behind it."""
        relative = self.sides if self.sides.item(row) > 0 else self._opposite
        kernel *= relative[row + 1 : row + 1 + len(kernel)]
        if not self.all_one:
            kernel *= self.sizes[row]
        return kernel

    def updates(self, margins: Array, rows: Array) -> Array:
        """Return the updates that mistaken rows bring to each function."""
        return (self.sides[rows] * self.sizes[rows])[:, None]

    def count(self, updates: Array) -> Any:
        """Return the number of updates in each problem."""
        return len(updates) if self.all_one else np.count_nonzero(updates)

    def losses(self, margins: Array) -> Any:
        """Return how far the margins of mistakes are below zero, for each problem."""
        return -margins.sum()

    def gains(self, margins: Array, rows: Array) -> Array:
        """Return updates times scores, summed over the functions of each problem."""
        return (self.sizes[rows] * margins[rows])[:, None]


@dataclass(frozen=True)
class OneVsRestRows:
    """Targets of some rows in several binary problems.

    Parameters
    ----------
    problems : OneVsRest
        The problems.
    codes : ndarray of shape (n_rows,)
        True class.
    weights : ndarray of shape (n_rows,)
        Weights of the rows.
    eta0 : float
        Size of the update of a mistake of weight one.
    """

    problems: OneVsRest
    codes: Array
    weights: Array
    eta0: float

    @property
    def n_problems(self) -> int:
        """Number of problems."""
        return self.problems.n_problems

    def take(self, rows: Any) -> OneVsRestRows:
        """Return the targets of some of the rows."""
        return replace(self, codes=self.codes[rows], weights=self.weights[rows])

    def empty(self, n: int) -> Array:
        """Return room for the margins of `n` rows."""
        return np.empty((n, self.n_problems))

    # One number per row and problem: made for the rows of a block, never for all.

    @cached_property
    def sides(self) -> Array:
        """On which side each row is, of shape (n_rows, n_problems)."""
        return self.problems.sides[self.codes]

    @cached_property
    def sizes(self) -> Array:
        """Size of the update that a mistake would bring, (n_rows, n_problems)."""
        class_weight = self.problems.class_weight[self.codes]
        return self.eta0 * (class_weight * self.weights[:, None])

    def margins(self, scores: Array, start: int = 0) -> Array:
        """Return the margins of these scores, which are those of rows from `start`."""
        return scores * self.sides[start : start + len(scores)]

    def spread(self, margins: Array, row: int, kernel: Array) -> Array:
        """Return what mistakes at `row` add to the margins behind it."""
        behind = self.sides[row + 1 : row + 1 + len(kernel)]
        change = behind * self.updates(margins, row)
        change *= kernel[:, None]
        return change

    def updates(self, margins: Array, rows: Array | int) -> Array:
        """Return the updates that mistaken rows bring to each function."""
        updates = self.sides[rows] * self.sizes[rows]
        updates *= margins[rows] <= 0
        return updates

    def count(self, updates: Array) -> Any:
        """Return the number of updates in each problem."""
        return (updates != 0.0).sum(axis=0)

    def losses(self, margins: Array) -> Any:
        """Return how far the margins of mistakes are below zero, for each problem."""
        return -np.minimum(margins, 0.0).sum(axis=0)

    def gains(self, margins: Array, rows: Array) -> Array:
        """Return updates times scores, summed over the functions of each problem."""
        return self.sizes[rows] * np.minimum(margins[rows], 0.0)


@dataclass(frozen=True)
class JointRows:
    """Targets of rows where the highest score wins.

    The margin over a class is the score of the true class less that of the other; over
    the true class itself it is infinite.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,)
        True class.
    sizes : ndarray of shape (n_rows,)
        Size of the update that a mistake would bring.
    n_classes : int
        Number of classes.
    """

    codes: Array
    sizes: Array
    n_classes: int
    n_problems: ClassVar[int] = 1

    def empty(self, n: int) -> Array:
        """Return room for the margins of `n` rows."""
        return np.empty((n, self.n_classes))

    def take(self, rows: Any) -> JointRows:
        """Return the targets of some of the rows."""
        return JointRows(self.codes[rows], self.sizes[rows], self.n_classes)

    def margins(self, scores: Array, start: int = 0) -> Array:
        """Return the margins of these scores, which are those of rows from `start`."""
        rows, codes = np.arange(len(scores)), self.codes[start : start + len(scores)]
        margins = scores[rows, codes][:, None] - scores
        margins[rows, codes] = np.inf
        return margins

    def spread(self, margins: Array, row: int, kernel: Array) -> Array:
        """Return what a mistake at `row` adds to the margins behind it."""
        update = self.updates(margins, np.array([row]))[0]
        codes = self.codes[row + 1 : row + 1 + len(kernel)]
        change = update[codes][:, None] - update
        change *= kernel[:, None]
        return change

    def updates(self, margins: Array, rows: Array) -> Array:
        """Return the updates that mistaken rows bring to each function."""
        updates = np.zeros((len(rows), margins.shape[1]))
        each = np.arange(len(rows))
        updates[each, self.codes[rows]] = self.sizes[rows]
        updates[each, margins[rows].argmin(axis=1)] = -self.sizes[rows]
        return updates

    def count(self, updates: Array) -> Any:
        """Return the number of updates."""
        return np.count_nonzero(updates.any(axis=1))

    def losses(self, margins: Array) -> Any:
        """Return how far the lowest margins of mistakes are below zero, in total."""
        return -margins.min(axis=1).sum()

    def gains(self, margins: Array, rows: Array) -> Array:
        """Return updates times scores, summed over the functions."""
        return (self.sizes[rows] * margins[rows].min(axis=1))[:, None]


Targets = OneVsRest | Joint
RowTargets = BinaryRows | OneVsRestRows | JointRows
