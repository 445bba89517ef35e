"""The memory of optimisers, from ours to scikit-learn's and back.

Ours is one vector, in which Adam's sums stand without the factors ``1 - beta``; theirs
is a list of arrays, of kernels, then of intercepts.
"""

from __future__ import annotations

import math
from typing import Any

from sknn._array import Array
from sknn.estimators._build import build_optimizer, is_stochastic
from sknn.estimators._sklearn import forget_optimizer, optimizer_of
from sknn.estimators.mlp import BaseMLP
from sknn.network import Network
from sknn.optimizers import Adam
from sknn.schedules import Adaptive
from sknn.training.state import TrainingState


def hand_over_memory(estimator: BaseMLP, theirs: Any) -> None:
    """Give scikit-learn our optimiser's memory, or let it start anew."""
    state, optimizer = estimator._state, optimizer_of(theirs)
    ours = state.optimizer
    goes_on = (
        is_stochastic(theirs.solver)
        and estimator.solver == theirs.solver
        and ours == build_optimizer(estimator)
        and bool(state.memory)
        and not estimator.normalize_y
    )
    if not goes_on:
        forget_optimizer(theirs)
        return
    lists = {k: _as_list(estimator._network, v) for k, v in state.memory.items()}
    if isinstance(ours, Adam):
        optimizer.ms = [m * (1 - ours.beta_1) for m in lists["gradients"]]
        optimizer.vs = [v * (1 - ours.beta_2) for v in lists["squares"]]
        optimizer.t = state.steps
    else:
        optimizer.velocities = lists["velocity"]
        optimizer.learning_rate = state.learning_rate


def take_over_memory(mlp: Any, ours: BaseMLP, state: TrainingState) -> None:
    """Put scikit-learn's memory into the state, where there is one."""
    theirs = optimizer_of(mlp)
    if theirs is None or not is_stochastic(mlp.solver):
        return
    network, optimizer = ours._network, build_optimizer(ours)
    state.adopt(optimizer, network.values)
    if isinstance(optimizer, Adam):
        sums = [m / (1 - optimizer.beta_1) for m in theirs.ms]
        squares = [v / (1 - optimizer.beta_2) for v in theirs.vs]
        _write_list(network, sums, state.memory["gradients"])
        _write_list(network, squares, state.memory["squares"])
        state.steps = theirs.t
        return
    if state.memory:
        _write_list(network, theirs.velocities, state.memory["velocity"])
    state.learning_rate = theirs.learning_rate
    if mlp.learning_rate == "adaptive":
        lowered = math.log(mlp.learning_rate_init / theirs.learning_rate)
        state.stalled = round(lowered / math.log(Adaptive().divisor))


def _views(network: Network, vector: Array) -> list[Array]:
    """Return kernels, then intercepts, as views of a vector of the parameters."""
    own = [p for p in network.split(vector) if p]
    return [p["W"] for p in own] + [p["b"][0] for p in own]


def _as_list(network: Network, vector: Array) -> list[Array]:
    return [view.copy() for view in _views(network, vector)]


def _write_list(network: Network, arrays: list[Array], vector: Array) -> None:
    for view, array in zip(_views(network, vector), arrays, strict=True):
        view[...] = array
