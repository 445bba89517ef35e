"""The game that Shapley values share out: columns as players, a network as payoff."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from sknn.explain._problem import Problem
from sknn.explain.native.foreign import MixedColumnsError
from sknn.explain.native.head import Head, head_of, passing_on
from sknn.explain.native.source import (
    NotNativeError,
    Source,
    find_parents,
    front_of,
    sources_of,
)
from sknn.layers import Dense
from sknn.network import Network

Array = Any
_KEPT_BYTES = 1 << 26
_CHECKED = 32  # background rows on which the network is compared with the model


@dataclass(frozen=True)
class Mixtures:
    """Base of the games, played by giving each cell to the row or to the background.

    Parameters
    ----------
    X, background : ndarray of shapes (n, m) and (B, m)
        Rows to explain, rows to compare with.
    owner : ndarray of int of shape (m,)
        The player of each cell; -1 for cells that never differ.
    n_players : int
        Number of players.
    """

    X: Array
    background: Array
    owner: Array
    n_players: int

    def outputs(self, cells: Array) -> Array:
        """Return the outputs (n, C) of rows (n, m)."""
        raise NotImplementedError

    def differs(self, i: int) -> Array:
        """Tell which players differ between row i and each background row, (B, p)."""
        same = self.X[i] == self.background
        same |= np.isnan(self.X[i]) & np.isnan(self.background)
        found = np.zeros((len(self.background), self.n_players), dtype=bool)
        for j in range(self.n_players):
            found[:, j] = ~same[:, self.owner == j].all(axis=1)
        return found

    def walk(self, i: int, orders: Array, b: Array) -> tuple[Array, Array]:
        """Return the outputs along walks from background rows to row i.

        Parameters
        ----------
        i : int
            The explained row.
        orders : ndarray of int of shape (W, p)
            The players in the order in which each walk shows them.
        b : ndarray of int of shape (W,)
            The background row that each walk begins with.

        Returns
        -------
        forward, backward : ndarray of shape (p + 1, W, C)
            After 0 to p steps, in this order and in the opposite one.
        """
        place = np.argsort(orders, axis=1)  # the step at which each player is shown
        opposite = orders.shape[1] - 1 - place
        return self._walk_by(i, place, b), self._walk_by(i, opposite, b)

    def _walk_by(self, i: int, place: Array, b: Array) -> Array:
        n_steps = place.shape[1]
        place = np.concatenate([place, np.full((len(b), 1), n_steps)], axis=1)
        shown = place[:, self.owner] < np.arange(n_steps + 1)[:, None, None]
        cells = np.where(shown, self.X[i], self.background[b])
        outputs = self.outputs(cells.reshape(-1, cells.shape[-1]))
        return outputs.reshape(n_steps + 1, len(b), -1)

    def coalitions(self, i: int, b: Array, players: Array) -> Array:
        """Return the outputs of all coalitions of `players` with background rows.

        Parameters
        ----------
        i : int
            The explained row.
        b : ndarray of int of shape (k,)
            Background rows.
        players : ndarray of int of shape (p,)
            Who takes part.

        Returns
        -------
        outputs : ndarray of shape (k, 2 ** p, C)
            Bit j of the second index says whether ``players[j]`` is shown.
        """
        masks = np.arange(2 ** len(players))[:, None] >> np.arange(len(players)) & 1
        shown = np.zeros((len(masks), self.n_players + 1), dtype=bool)
        shown[:, players] = masks
        cells = np.where(
            shown[:, self.owner], self.X[i], self.background[b][:, None, :]
        )
        outputs = self.outputs(cells.reshape(-1, cells.shape[-1]))
        return outputs.reshape(len(b), len(masks), -1)

    @property
    def width(self) -> int:
        """Number of cells of what is put together for a walk's step."""
        return self.X.shape[1]

    def of_background(self, rows: slice = slice(None)) -> Array:
        """Return the outputs (n, C) of these background rows."""
        return self.outputs(self.background[rows])

    def of_rows(self) -> Array:
        """Return the outputs (n, C) of the explained rows."""
        return self.outputs(self.X)

    def base_values(self) -> Array:
        """Return the mean output over the background, (C,)."""
        return self.of_background().mean(axis=0)


@dataclass(frozen=True)
class BlackBox(Mixtures):
    """`Mixtures` of the codes of a table, for any model.

    Parameters
    ----------
    function : callable
        Maps rows (n, m) to outputs (n, C).
    """

    function: Callable[[Array], Array]

    def outputs(self, cells: Array) -> Array:
        """Return the outputs (n, C) of rows (n, m)."""
        return self.function(cells)


@dataclass(frozen=True)
class Game(Mixtures):
    """`Mixtures` of what a network sees, behind all that works column by column.

    Where the network goes on with a kernel, mixtures are sums of the players' parts of
    its scores, and rows are not put together at all.

    Parameters
    ----------
    network : Network
        In the dtype of the computation.
    first : int
        The layer that the cells of X and background are the input of.
    head : Head
        From raw scores to outputs.
    """

    network: Network
    first: int
    head: Head

    def outputs(self, cells: Array) -> Array:
        """Return the outputs (n, C) of cells (n, m)."""
        return self.head(self.network.predict(cells, slice(self.first, None)))

    @property
    def begins_with_kernel(self) -> bool:
        """Whether the first layer is a plain kernel, which sums up cells."""
        layers = self.network.layers
        return self.first < len(layers) and type(layers[self.first]) is Dense

    @property
    def width(self) -> int:
        """Number of scores behind the kernel, or of cells where there is none."""
        return self._kernel[0].shape[1] if self.begins_with_kernel else super().width

    @cached_property
    def _kernel(self) -> tuple[Array, Array]:
        views = self.network.views[self.first]
        return views["W"], views["b"]

    @cached_property
    def _background_parts(self) -> Array:
        """What each player of each background row adds to the scores, (B, p, h)."""
        return self._parts(self.background)

    def _parts_of_background(self, b: Any) -> Array:
        """Return what the players of these background rows add; kept if not large."""
        W, _ = self._kernel
        size = len(self.background) * self.n_players * W.shape[1] * W.itemsize
        if size <= _KEPT_BYTES:
            return self._background_parts[b]
        return self._parts(self.background[b])

    def _parts(self, cells: Array) -> Array:
        W, _ = self._kernel
        if np.array_equal(self.owner, np.arange(self.n_players)):
            return cells[:, :, None] * W
        parts = np.zeros((len(cells), self.n_players, W.shape[1]), dtype=W.dtype)
        for j in range(self.n_players):
            own = np.flatnonzero(self.owner == j)
            np.matmul(cells[:, own], W[own], out=parts[:, j])
        return parts

    def _parts_of_row(self, i: int) -> Array:
        """Return what each player of an explained row adds, (1, p, h), kept for i."""
        known = self.__dict__.get("_last_parts", (None, None))
        if known[0] != i:
            known = i, self._parts(self.X[i : i + 1])
            self.__dict__["_last_parts"] = known
        return known[1]

    @cached_property
    def _background_scores(self) -> Array:
        W, b = self._kernel
        return self.background @ W + b

    def _rest(self, scores: Array) -> Array:
        """Return the outputs (..., C) of scores (..., h) behind the first kernel."""
        flat = scores.reshape(-1, scores.shape[-1])
        raw = self.network.predict(flat, slice(self.first + 1, None))
        return self.head(raw).reshape(*scores.shape[:-1], -1)

    def walk(self, i: int, orders: Array, b: Array) -> tuple[Array, Array]:
        """Return the outputs along walks, as `Mixtures.walk` does."""
        if not self.begins_with_kernel:
            return super().walk(i, orders, b)
        steps = (
            self._parts(self.X[i : i + 1]) - self._background_parts[b[0] : b[-1] + 1]
        )
        n, p, h = steps.shape
        scores = np.empty((p + 1, len(b), h), dtype=steps.dtype)
        scores[0] = self._background_scores[b]
        # which step of which background row, step by step
        index = (b - b[0]) * p + orders.T
        steps.reshape(n * p, h).take(index, axis=0, out=scores[1:], mode="clip")
        for k in range(p):  # faster than np.add.accumulate, which adds one by one
            np.add(scores[k], scores[k + 1], out=scores[k + 1])
        # What the opposite walk shows first, this one shows last.
        opposite = (scores[0] + scores[-1]) - scores[::-1]
        return self._rest(scores), self._rest(opposite)

    def coalitions(self, i: int, b: Array, players: Array) -> Array:
        """Return the outputs of all coalitions, as `Mixtures.coalitions` does."""
        if not self.begins_with_kernel:
            return super().coalitions(i, b, players)
        own = self._parts_of_row(i)[:, players]
        steps = own - self._parts_of_background(b)[:, players]
        shape = (len(b), 2 ** len(players), steps.shape[-1])
        scores = np.empty(shape, dtype=steps.dtype)
        scores[:, 0] = self._background_scores[b]
        for j in range(len(players)):
            n = 2**j
            np.add(scores[:, :n], steps[:, j, None], out=scores[:, n : 2 * n])
        return self._rest(scores)


@dataclass(frozen=True)
class Average(Mixtures):
    """The mean of several games of the same players, as of an ensemble's members.

    Parameters
    ----------
    games : tuple of Game
        One per member.
    """

    games: tuple[Game, ...]

    @property
    def width(self) -> int:
        """Number of cells of what is put together for a walk's step."""
        return max(game.width for game in self.games)

    def differs(self, i: int) -> Array:
        """Tell which players differ between row i and each background row, (B, p)."""
        return np.any([game.differs(i) for game in self.games], axis=0)

    def joined(self, answers: Sequence[Array]) -> Array:
        """Return the outputs (..., C) from those of all games."""
        return np.mean(answers, axis=0)

    def walk(self, i: int, orders: Array, b: Array) -> tuple[Array, Array]:
        """Return the outputs along walks, as `Mixtures.walk` does."""
        walks = [game.walk(i, orders, b) for game in self.games]
        forward, backward = (self.joined(part) for part in zip(*walks, strict=True))
        return forward, backward

    def coalitions(self, i: int, b: Array, players: Array) -> Array:
        """Return the outputs of all coalitions, as `Mixtures.coalitions` does."""
        return self.joined([game.coalitions(i, b, players) for game in self.games])

    def of_background(self, rows: slice = slice(None)) -> Array:
        """Return the outputs (n, C) of these background rows."""
        return self.joined([game.of_background(rows) for game in self.games])

    def of_rows(self) -> Array:
        """Return the outputs (n, C) of the explained rows."""
        return self.joined([game.of_rows() for game in self.games])


@dataclass(frozen=True)
class Pooled(Average):
    """Several games whose scores are averaged before they become outputs.

    Parameters
    ----------
    head : Head
        From mean scores to outputs; the games' own heads pass scores on.
    """

    head: Head

    def joined(self, answers: Sequence[Array]) -> Array:
        """Return the outputs (..., C) from the scores of all games."""
        return self.head(np.mean(answers, axis=0))


def find_game(problem: Problem) -> Game | Average:
    """Return the game of a network; raise NotNativeError where there is none."""
    if "game" not in problem.found:
        try:
            problem.found["game"] = _make_game(problem)
        except NotNativeError as error:
            problem.found["game"] = error
    game = problem.found["game"]
    if isinstance(game, NotNativeError):
        raise game
    return game


def _make_game(problem: Problem) -> Game | Average:
    sources = sources_of(problem.model.output.raw.estimator)
    output = problem.model.output
    heads = [head_of(s.estimator, s.network.n_outputs, output) for s in sources]
    source, head = sources[0], heads[0]
    pooled = source.pools_scores and head.kind != "identity"
    if pooled:
        heads = [passing_on(s.network.n_outputs) for s in sources]
    games = tuple(map(partial(_game_of_source, problem), sources, heads))
    game: Game | Average = games[0]
    what = game.X, game.background, game.owner, game.n_players
    if pooled:
        game = Pooled(*what, games, head)
    elif len(games) > 1:
        game = Average(*what, games)
    _check_outputs(problem, game, source)
    return game


def _game_of_source(problem: Problem, source: Source, head: Head) -> Game:
    parents = find_parents(source, problem)
    network = source.network.copy(problem.dtype)
    first, parents = front_of(network, parents)
    players = problem.players
    owner = np.where(parents < 0, -1, players.owner[parents])

    def cells_of(codes: Array) -> Array:
        as_is = source.passes_as_is and problem.table.is_plain
        inputs = codes if as_is else source.inputs(problem.table.decode(codes))
        return network.predict(inputs.astype(problem.dtype), slice(0, first))

    X, background = cells_of(problem.X), cells_of(problem.background)
    return Game(X, background, owner, len(players.names), network, first, head)


def _check_outputs(problem: Problem, game: Game | Average, source: Source) -> None:
    """Raise NotNativeError where the networks are not all that the model does."""
    found = game.of_background(slice(_CHECKED))
    expected = problem.found.get("background outputs")
    if expected is None:
        expected = problem.model(problem.background[:_CHECKED])
    expected = expected[:_CHECKED]
    if source.clips:  # which shows in the rows concerned only
        rows = problem.background[_CHECKED:], problem.X
        found = game.of_background(), game.of_rows()
        expected = expected, *(problem.model(part) for part in rows if len(part))
        found, expected = np.concatenate(found), np.concatenate(expected)
    scale = np.abs(expected).max(initial=1.0)
    # the root of the coarser precision, about what many layers lose of it
    dtype = source.network.values.dtype
    loose = max(np.finfo(dtype).eps, np.finfo(problem.dtype).eps) ** 0.5
    if np.abs(found - expected).max(initial=0.0) > scale * loose:
        raise NotNativeError("its network alone does not give the model's outputs")


def game_of(problem: Problem) -> Mixtures:
    """Return the native game where there is one, else that of the black box.

    Warns where preprocessing hides a network.
    """
    try:
        return find_game(problem)
    except NotNativeError as error:
        _warn_of_black_box(problem, error)
        return black_box(problem)


def black_box(problem: Problem) -> BlackBox:
    """Return the game of a model that is not looked into."""
    players = problem.players
    what = problem.X, problem.background, players.owner, len(players.names)
    return BlackBox(*what, problem.model)


def _warn_of_black_box(problem: Problem, error: NotNativeError) -> None:
    """Say once why a network is not looked into."""
    if isinstance(error, MixedColumnsError) and not problem.found.get("warned"):
        problem.found["warned"] = True
        warnings.warn(
            f"The pipeline is explained as a black box, which takes longer: {error}.",
            UserWarning,
            stacklevel=5,
        )
