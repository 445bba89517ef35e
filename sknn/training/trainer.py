"""The trainer: a generator of epochs of minibatch descent.

It changes the network's parameters and the state in place and decides nothing: whoever
draws from it looks at each epoch and stops by not asking for the next.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from sknn._array import Array
from sknn.objective import Objective
from sknn.optimizers import Optimizer, clip_by_norm
from sknn.schedules import Schedule
from sknn.training.averaging import Averaging
from sknn.training.batches import Batches
from sknn.training.chunked import ChunkedBatches
from sknn.training.state import TrainingState


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training set has come to.

    Parameters
    ----------
    number : int
        Counted from 1 since the first fit.
    loss : float
        Mean over the samples of loss and penalty, each batch taken before its step.
    time : float
        Seconds it took.
    learning_rate : float or None, default=None
        The rate of its last step, where the optimiser has one.
    """

    number: int
    loss: float
    time: float
    learning_rate: float | None = None


def train(
    objective: Objective,
    batches: Batches | ChunkedBatches,
    optimizer: Optimizer,
    schedule: Schedule,
    state: TrainingState,
    *,
    learning_rate: float,
    shuffle: bool = True,
    max_grad_norm: float | None = None,
    average: Averaging | None = None,
) -> Iterator[Epoch]:
    """Train without end, one epoch at each turn.

    Parameters
    ----------
    objective : Objective
        What is minimised; its network's parameters change in place.
    batches : Batches
        The training set.
    optimizer : Optimizer
        Makes the steps; its memory lives in `state`.
    schedule : Schedule
        Gives the rate of each epoch, or of each step, from `learning_rate`.
    state : TrainingState
        Where to go on from; changed in place. Its `begin` says how many epochs will be
        asked for, the horizon of schedules without one of their own.
    learning_rate : float
        The initial rate; ``state.backoff`` is a factor of it.
    shuffle : bool, default=True
        Whether each epoch has an order of its own.
    max_grad_norm : float or None, default=None
        Largest norm of a batch's gradient.
    average : Averaging or None, default=None
        Averages the parameters into ``state.average``.

    Yields
    ------
    epoch : Epoch
        The epoch just completed.
    """
    objective.keep_rows(optimizer.lazy and sparse.issparse(batches.X))
    state.adopt(optimizer, _trained(objective.network.values, objective))
    step = _make_step(objective, optimizer, state, max_grad_norm, average)
    while True:
        started = time.perf_counter()
        initial = learning_rate * state.backoff
        state.learning_rate = schedule(initial, state.progress())
        order = batches.draw_order(state, shuffle)
        rates = _rates(schedule, initial, state, batches)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            loss, rate = _run_epoch(objective, batches, order, step, state, rates)
        state.epoch += 1
        state.samples += batches.n_samples
        state.learning_rate = schedule(initial, state.progress())
        if average is not None:
            average.after_epoch(objective.network.values, state)
        yield Epoch(state.epoch, loss, time.perf_counter() - started, rate)


def _trained(vector: Array, objective: Objective) -> Array:
    return vector[..., : objective.network.n_trainable]


def _make_step(
    objective: Objective,
    optimizer: Optimizer,
    state: TrainingState,
    max_grad_norm: float | None,
    average: Averaging | None,
) -> Callable[[float, int], None]:
    gradient = _trained(objective.gradient, objective)
    values = _trained(objective.network.values, objective)
    decayed = objective.network.n_penalized
    rows = objective.rows
    network, tape = objective.network, objective.tape
    step = optimizer.stepper(
        values, gradient, state.memory, decayed, rows, network.lr_segments
    )
    if max_grad_norm is None and not network.n_buffers and average is None:
        return step

    def full_step(learning_rate: float, number: int) -> None:
        if max_grad_norm is not None:
            clip_by_norm(gradient, max_grad_norm, rows)
        step(learning_rate, number)
        network.update_buffers(tape)
        if average is not None:
            average.after_step(network.values, state)

    return full_step


def _rates(
    schedule: Schedule, initial: float, state: TrainingState, batches: Any
) -> Iterator[float]:
    """Return the rate of each step of the epoch that begins."""
    if not schedule.per_step:
        return itertools.repeat(state.learning_rate)
    n_steps = batches.n_batches
    fractions = (i / n_steps for i in range(n_steps))
    return (schedule(initial, state.progress(fraction)) for fraction in fractions)


def _run_epoch(
    objective: Objective,
    batches: Any,
    order: Any,
    step: Callable[[float, int], None],
    state: TrainingState,
    rates: Iterator[float],
) -> tuple[float, float]:
    """Step through all batches; return the loss, and the rate of the last step."""
    evaluate, rate = objective.value_and_gradient, state.learning_rate
    summed, number = 0.0, state.steps
    for (X, y, w), rate in zip(batches.epoch(order), rates, strict=False):
        summed += float(evaluate(X, y, w)) * y.shape[0]
        number += 1
        step(rate, number)
    state.steps = number
    return float(summed / batches.n_samples), rate
