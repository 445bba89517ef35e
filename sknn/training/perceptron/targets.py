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

# A problem, the distance of its margin from zero, and (function, update) pairs.
Mistake = tuple[int, float, list[tuple[int, float]]]


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
        sides = self.sides[codes, 0]
        return BinaryRows(
            sides, sides * (eta0 * (self.class_weight[codes, 0] * weights))
        )

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
        return JointRows(codes, eta0 * (self.class_weight[codes] * weights))

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
    updates : ndarray of shape (n_rows,)
        The update that a mistake brings.
    """

    sides: Array
    updates: Array
    n_problems: ClassVar[int] = 1

    def take(self, rows: Any) -> BinaryRows:
        """Return the targets of some of the rows."""
        return BinaryRows(self.sides[rows], self.updates[rows])

    def margins(self, scores: Array, start: int = 0) -> Array:
        """Return the margins of these scores, which belong to rows from `start` on."""
        return scores[:, 0] * self.sides[start : start + len(scores)]

    def mistakes(self, margin: Any, row: int) -> list[Mistake]:
        """Return what goes wrong at a row of this margin."""
        update = self.updates.item(row)
        return [(0, -float(margin), [(0, update)] if update else [])]


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

    @cached_property
    def sides(self) -> Array:
        """On which side each row is: made for few rows at a time, never for all."""
        return self.problems.sides[self.codes]

    def margins(self, scores: Array, start: int = 0) -> Array:
        """Return the margins of these scores, which belong to rows from `start` on."""
        return scores * self.sides[start : start + len(scores)]

    def mistakes(self, margins: Array, row: int) -> list[Mistake]:
        """Return what goes wrong at a row of these margins."""
        wrong = np.flatnonzero(margins <= 0.0).tolist()
        return [(k, -margins.item(k), self._changes(k, row)) for k in wrong]

    def _changes(self, problem: int, row: int) -> list[tuple[int, float]]:
        class_weight = self.problems.class_weight[self.codes[row], problem]
        size = self.eta0 * (class_weight * self.weights.item(row))
        side = self.sides.item(row, problem)
        return [(problem, side * float(size))] if size else []


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
        Size of the update that a mistake brings.
    """

    codes: Array
    sizes: Array
    n_problems: ClassVar[int] = 1

    def take(self, rows: Any) -> JointRows:
        """Return the targets of some of the rows."""
        return JointRows(self.codes[rows], self.sizes[rows])

    def margins(self, scores: Array, start: int = 0) -> Array:
        """Return the margins of these scores, which belong to rows from `start` on."""
        rows, codes = np.arange(len(scores)), self.codes[start : start + len(scores)]
        margins = scores[rows, codes][:, None] - scores
        margins[rows, codes] = np.inf
        return margins

    def mistakes(self, margins: Array, row: int) -> list[Mistake]:
        """Return what goes wrong at a row of these margins."""
        rival, size = int(margins.argmin()), self.sizes.item(row)
        changes = [(self.codes.item(row), size), (rival, -size)]
        return [(0, -margins.item(rival), changes if size else [])]


Targets = OneVsRest | Joint
RowTargets = BinaryRows | OneVsRestRows | JointRows
