"""How weights move: at samples on the right side, and at mistakes.

Between two mistakes weights stay, shrink, or shrink and are truncated, each in a way
that is known in advance. So the samples of a window can be scored at once, as if no
mistake was among them, and what comes before the first mistake is right.
"""

from __future__ import annotations

import numpy as np

from sknn._array import Array
from sknn.training.perceptron.chunks import Chunk
from sknn.training.perceptron.rule import Powers, Rule
from sknn.training.perceptron.state import State, Weights

Changes = list[tuple[int, float]]


class Resting:
    """Weights that only mistakes move.

    Parameters
    ----------
    rule : Rule
        The step.
    longest : int
        Samples of the longest window.
    """

    def __init__(self, rule: Rule, longest: int) -> None:
        self.rule, self.powers = rule, Powers(rule.shrink, longest)

    def scores(self, chunk: Chunk, state: State, start: int, stop: int) -> Array:
        """Return the scores of rows if none of them is a mistake.

        `state` is that before the row `start`.
        """
        scores = chunk.products(state.weights.coef, start, stop)
        scores += state.weights.intercept
        return scores

    def total(self, state: State, n: int) -> Array:
        """Return the sum of the weights behind each of `n` samples on the right side."""
        return n * state.weights.coef

    def follow(self, state: State, n: int) -> None:
        """Let `n` samples pass that are on the right side."""

    def learn(self, state: State, chunk: Chunk, row: int, changes: Changes) -> None:
        """Let a sample pass that is a mistake."""
        weights, rate = state.weights, self.rule.intercept_rate
        features, values = chunk.support(row)
        for function, update in changes:
            weights.coef[function][features] += update * values
            weights.intercept[function] += update * rate

    def finish(self, state: State) -> None:
        """Bring the state up to date."""
