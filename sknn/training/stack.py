"""Training of several networks of one architecture as one stack.

Each network has data, order, random state and counters of its own, and comes to the
numbers that it would come to alone; what they share is the fixed cost of every step.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sknn._array import Array
from sknn.network import Network
from sknn.objective import Objective
from sknn.optimizers import Optimizer, clip_by_norm
from sknn.schedules import Schedule
from sknn.training.averaging import Averaging
from sknn.training.batches import Batches
from sknn.training.state import TrainingState
from sknn.training.trainer import Epoch

# A step's batches of all networks are gathered for as many steps at once as fit here.
_CHUNK_BYTES = 1 << 18


@dataclass
class Member:
    """One network of a stack.

    Parameters
    ----------
    objective : Objective
        What is minimised for it.
    batches : Batches
        Its training set, dense.
    state : TrainingState
        Where to go on from.
    """

    objective: Objective
    batches: Batches
    state: TrainingState

    @property
    def network(self) -> Network:
        """The network."""
        return self.objective.network

    def likeness(self) -> tuple[Any, ...]:
        """Return what must be equal in all members of a stack."""
        network, objective, batches = self.network, self.objective, self.batches
        # Batch normalisation treats a batch of one sample in a way of its own.
        ends_alone = batches.n_samples % batches.batch_size == 1
        return (
            *(network.layers, network.n_features, network.values.dtype),
            *(objective.loss, objective.l1_ratio),
            *(batches.n_batches, batches.y.dtype, batches.y.shape[1:], ends_alone),
        )


@dataclass(frozen=True)
class Plan:
    """How the members of a stack are trained; the parameters are those of `train`."""

    optimizer: Optimizer
    schedule: Schedule
    learning_rate: float
    shuffle: bool = True
    max_grad_norm: float | None = None
    average: Averaging | None = None

    def pace(self, state: TrainingState) -> tuple[Any, ...]:
        """Return what must be equal in two states for them to make steps together."""
        rate = self.schedule(self.learning_rate * state.backoff, state.progress())
        horizon = (state.epoch - state.first_epoch, state.n_epochs, state.stalled)
        return (rate, state.steps, state.backoff, *horizon)


def train_stack(members: Sequence[Member], plan: Plan) -> Iterator[list[Epoch]]:
    """Train without end, one epoch of all members at each turn.

    The members' parameters and the optimiser's memory become views of the stack's; a
    member that leaves must be given arrays of its own by `release`.

    Parameters
    ----------
    members : sequence of Member
        Alike, and at one pace.
    plan : Plan
        How to train them.

    Yields
    ------
    epochs : list of Epoch
        The epoch just completed, of each member.
    """
    stack = _Stack(list(members), plan)
    while True:
        yield stack.run_epoch()


def release(member: Member) -> None:
    """Give a member arrays of its own again."""
    network, state = member.network, member.state
    network.bind(network.values.copy())
    state.memory = {name: array.copy() for name, array in state.memory.items()}


class _Stack:
    """The arrays that the members of a stack share."""

    def __init__(self, members: list[Member], plan: Plan) -> None:
        self.members, self.plan = members, plan
        self.states = [member.state for member in members]
        self._join_networks()
        self._join_memories()
        self.batches = StackedBatches([member.batches for member in members])
        self._make_objective()
        network = self.network
        trained = network.values[:, : network.n_trainable]
        self._gradient = self.objective.gradient[:, : network.n_trainable]
        self._step = plan.optimizer.stepper(
            trained,
            self._gradient,
            self._memory,
            network.n_penalized,
            None,
            network.lr_segments,
        )

    def _join_networks(self) -> None:
        networks = [member.network for member in self.members]
        self.network = Network.stack(networks)
        for network, values in zip(networks, self.network.values, strict=True):
            network.bind(values)

    def _join_memories(self) -> None:
        n, optimizer = self.network.n_trainable, self.plan.optimizer
        for member in self.members:
            member.state.adopt(optimizer, member.network.values[:n])
        self._memory = {
            name: np.stack([state.memory[name] for state in self.states])
            for name in optimizer.names()
        }
        for i, state in enumerate(self.states):
            state.memory = {name: array[i] for name, array in self._memory.items()}

    def _make_objective(self) -> None:
        first = self.members[0].objective
        self._alphas = np.array([member.objective.alpha for member in self.members])
        self._rngs = RandomStates([state.rng for state in self.states])
        self.objective = Objective(
            self.network, first.loss, first.alpha, self._rngs, first.l1_ratio
        )

    def run_epoch(self) -> list[Epoch]:
        """Train all members for an epoch."""
        started = time.perf_counter()
        plan, sizes = self.plan, self.batches.n_samples
        orders = [m.batches.draw_order(m.state, plan.shuffle) for m in self.members]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            losses, rate = self._run_batches(orders)
        for member, state, n in zip(self.members, self.states, sizes, strict=True):
            state.epoch += 1
            state.samples += n
            initial = plan.learning_rate * state.backoff
            state.learning_rate = plan.schedule(initial, state.progress())
            if plan.average is not None:
                plan.average.after_epoch(member.network.values, state)
        seconds = (time.perf_counter() - started) / len(self.members)
        numbers = [state.epoch for state in self.states]
        return [
            Epoch(number, float(loss), seconds, rate)
            for number, loss in zip(numbers, losses, strict=True)
        ]

    def _run_batches(self, orders: list[Array | None]) -> tuple[Array, float]:
        """Step through all batches; return the losses, and the rate of the last."""
        number, rate = self.states[0].steps, 0.0
        summed: Any = 0.0
        for batch, rate in zip(self.batches.epoch(orders), self._rates(), strict=False):
            self._rngs.counts = batch.counts
            self.objective.alpha = self._strengths(batch)
            value = self.objective.value_and_gradient(batch.X, batch.y, batch.w)
            summed = summed + value.astype(np.float64) * batch.counts
            number += 1
            self._update(rate, number)
        for state in self.states:
            state.steps = number
        return summed / self.batches.n_samples, rate

    def _rates(self) -> Iterator[float]:
        """Return the rate of each step of the epoch that begins."""
        schedule, state = self.plan.schedule, self.states[0]
        initial = self.plan.learning_rate * state.backoff
        if not schedule.per_step:
            return itertools.repeat(schedule(initial, state.progress()))
        n_steps = self.batches.n_batches
        fractions = (i / n_steps for i in range(n_steps))
        return (schedule(initial, state.progress(fraction)) for fraction in fractions)

    def _strengths(self, batch: StackedBatch) -> Any:
        """Return the penalty, whose share of a batch counts its own samples only."""
        rows, alphas = batch.X.shape[-2], self._alphas
        if (batch.counts == rows).all() and (alphas == alphas[0]).all():
            return float(alphas[0])
        return alphas * (rows / batch.counts)

    def _update(self, rate: float, number: int) -> None:
        plan = self.plan
        if plan.max_grad_norm is not None:
            clip_by_norm(self._gradient, plan.max_grad_norm)
        self._step(rate, number)
        self.network.update_buffers(self.objective.tape)
        if plan.average is not None:
            for member, state in zip(self.members, self.states, strict=True):
                plan.average.after_step(member.network.values, state)


class RandomStates:
    """The random states of several networks, which draw as if they were one.

    Each network draws for its own samples only, as it would alone.

    Parameters
    ----------
    states : sequence of RandomState
        One per network.

    Attributes
    ----------
    counts : ndarray of shape (n_networks,) or None
        Samples of each network in the batch, of which all have as many rows as the
        largest; None where they are equally many.
    """

    def __init__(self, states: Sequence[np.random.RandomState]) -> None:
        self.states = states
        self.counts: Array | None = None

    def bytes(self, length: int) -> bytes:
        """Return random bytes, the same number for each network."""
        each = length // len(self.states)
        if self.counts is None or (self.counts == self.counts[0]).all():
            return b"".join(state.bytes(each) for state in self.states)
        own = each // int(self.counts.max()) * self.counts
        drawn = zip(self.states, own.tolist(), strict=True)
        return b"".join(state.bytes(n).ljust(each, b"\0") for state, n in drawn)


@dataclass
class StackedBatch:
    """One batch of each network, filled up to the length of the largest.

    Parameters
    ----------
    X : ndarray of shape (n_networks, n_rows, n_features)
        Input.
    y : ndarray of shape (n_networks, n_rows, n_outputs)
        Targets.
    w : ndarray of shape (n_networks, n_rows, 1) or None
        Sample weights; zero for rows that only fill up, and larger for the others in
        proportion, so that the mean over all rows is that over a network's own.
    counts : ndarray of shape (n_networks,)
        Samples of each network.
    """

    X: Array
    y: Array
    w: Array | None
    counts: Array


@dataclass
class StackedBatches:
    """The training sets of several networks, which give out batches together.

    Parameters
    ----------
    members : list of Batches
        Dense training sets with the same number of batches.
    """

    members: list[Batches]
    _buffers: dict[Any, Array] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Compare the sizes of the batches."""
        self.n_batches = self.members[0].n_batches
        self.n_samples = np.array([batches.n_samples for batches in self.members])
        self._sizes = np.array([batches.batch_size for batches in self.members])
        first, *others = self.members
        self._one_set = all(first.has_set_of(other) for other in others)

    def epoch(self, orders: list[Array | None]) -> Iterator[StackedBatch]:
        """Yield every sample of each network once, in the order of each.

        Parameters
        ----------
        orders : list of ndarray of shape (n_samples,) or None
            Order of each network's samples; None keeps theirs.

        Yields
        ------
        batch : StackedBatch
            One batch of each; valid until the next one is asked for.
        """
        last = self.n_batches - 1
        rows = [
            batches.ordered(order)
            for batches, order in zip(self.members, orders, strict=True)
        ]
        size = self._chunk()
        for first in range(0, last, size):
            yield from self._chunk_of(rows, first, min(first + size, last), self._sizes)
        yield from self._chunk_of(
            rows, last, last + 1, self.n_samples - last * self._sizes
        )

    def _chunk(self) -> int:
        """Return for how many steps the rows are gathered at once."""
        X = self.members[0].X
        row_bytes = X.shape[1] * X.dtype.itemsize
        step = int(self._sizes.max()) * row_bytes * len(self.members)
        return max(1, _CHUNK_BYTES // max(1, step))

    def _chunk_of(
        self, rows: list[Array], first: int, stop: int, counts: Array
    ) -> Iterator[StackedBatch]:
        """Yield batches `first` to `stop`, each with `counts` samples per network."""
        n, length = stop - first, int(counts.max())
        filled = bool((counts < length).any())
        index = self._index(rows, first, n, counts)
        X, y, w = self._arrays(n, length, filled)
        self._take(index, X, y, w)
        if w is not None and filled:
            for i, count in enumerate(counts.tolist()):
                w[i] *= length / count
                w[i, :, count:] = 0
        for j in range(n):
            yield StackedBatch(X[:, j], y[:, j], None if w is None else w[:, j], counts)

    def _index(self, rows: list[Array], first: int, n: int, counts: Array) -> Array:
        """Return the rows of `n` batches of each network; a first one fills up."""
        length = int(counts.max())
        index = np.empty((len(rows), n, length), dtype=np.intp)
        sizes = zip(self._sizes.tolist(), counts.tolist(), strict=True)
        for own, into, (size, count) in zip(rows, index, sizes, strict=True):
            start = first * size
            taken = own[start : start + n * count].reshape(n, count)
            into[:, :count] = taken
            into[:, count:] = taken[:, :1]
        return index

    def _take(self, index: Array, X: Array, y: Array, w: Array | None) -> None:
        """Write the samples of each network."""
        if self._one_set:
            self.members[0].take(index, X, y, w)
            return
        for i, batches in enumerate(self.members):
            batches.take(index[i], X[i], y[i], None if w is None else w[i])

    def _arrays(
        self, n: int, length: int, filled: bool
    ) -> tuple[Array, Array, Array | None]:
        first = self.members[0]
        y = first.y if first.table is None else first.table
        weighted = filled or any(batches.w is not None for batches in self.members)
        shape = (len(self.members), n, length)
        return (
            self._buffer("X", (*shape, first.X.shape[1])),
            self._buffer("y", (*shape, *y.shape[1:])),
            self._buffer("w", (*shape, 1)) if weighted else None,
        )

    def _buffer(self, name: str, shape: tuple[int, ...]) -> Array:
        if (name, shape) not in self._buffers:
            dtype = self.members[0].dtype
            self._buffers[name, shape] = np.empty(shape, dtype=dtype)
        return self._buffers[name, shape]
