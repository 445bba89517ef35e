"""Which method ``method="auto"`` means."""

from __future__ import annotations

from sknn.explain._problem import Problem
from sknn.explain.native.deep import is_linear
from sknn.explain.native.game import Average, Game, game_of

_FEW_PLAYERS = 10
# Coalitions that are evaluated without a thought: inside a network, and in a black box.
_NATIVE_BUDGET, _BUDGET = 10**8, 10**7


def choose_method(problem: Problem) -> str:
    """Return the method for a problem: without an error where that is cheap.

    'linear' for linear models, 'exact' for up to ten columns, else 'permutation'.
    """
    game = game_of(problem)
    if isinstance(game, Game) and is_linear(game):
        return "linear"
    n_coalitions = len(game.X) * len(game.background) * 2**game.n_players
    budget = _NATIVE_BUDGET if isinstance(game, (Game, Average)) else _BUDGET
    few = game.n_players <= _FEW_PLAYERS and n_coalitions <= budget
    return "exact" if few else "permutation"
