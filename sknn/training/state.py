"""TrainingState: everything a fit needs to go on exactly where it stopped."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sknn._array import Array
from sknn.optimizers import Memory, Optimizer
from sknn.schedules import Progress


@dataclass
class TrainingState:
    """What training remembers between epochs; plain data, made to be pickled.

    Parameters
    ----------
    rng : RandomState
        Shuffles and drops; its state is part of the fit.
    learning_rate : float
        The rate of the epoch to come.
    optimizer : Optimizer or None
        Whose memory `memory` is.
    memory : dict of ndarray
        The optimiser's arrays.
    steps, samples, epoch : int
        Steps, samples and epochs since the first fit.
    stalled : int
        Times that patience ran out.
    no_improvement_count : int
        Epochs since the last improvement.
    best_loss, best_score : float
        Best training loss and best validation score so far.
    best_epoch : int
        Epoch of the best score.
    best_values : ndarray or None
        Parameters at the best score.
    permutation : ndarray or None
        The running order of the samples.
    train_rows, validation_rows : ndarray or None
        The split of early stopping.
    last_values : ndarray or None
        Parameters to go on from, where the best ones were published.
    history : dict of list
        One entry per epoch.
    first_epoch : int
        Complete epochs when the present run of training began.
    n_epochs : int or None
        Epochs that the present run is to have; None where nobody knows.
    average : ndarray or None
        Average of the parameters along training.
    n_averaged : int
        How many of them it is made of.
    backoff : float
        Factor of the learning rate, below 1 after a rescue from divergence.
    backed_off : float or None
        The initial learning rate that `backoff` belongs to.
    first_loss : float or None
        What later losses are compared with to see divergence.
    n_split : int
        Number of samples of which `train_rows` and `validation_rows` are parts.
    data_checksum : int or None
        What a checkpoint knows the training set by.
    """

    rng: np.random.RandomState
    learning_rate: float = 0.0
    optimizer: Optimizer | None = None
    memory: Memory = field(default_factory=dict)
    steps: int = 0
    samples: int = 0
    epoch: int = 0
    stalled: int = 0
    no_improvement_count: int = 0
    best_loss: float = np.inf
    best_score: float = -np.inf
    best_epoch: int = 0
    best_values: Array | None = None
    permutation: Array | None = None
    train_rows: Array | None = None
    validation_rows: Array | None = None
    last_values: Array | None = None
    history: dict[str, list[Any]] = field(default_factory=dict)
    first_epoch: int = 0
    n_epochs: int | None = None
    average: Array | None = None
    n_averaged: int = 0
    backoff: float = 1.0
    backed_off: float | None = None
    first_loss: float | None = None
    n_split: int = 0
    data_checksum: int | None = None

    def begin(self, n_epochs: int | None) -> None:
        """Set the horizon of the run of training that begins now."""
        self.first_epoch, self.n_epochs = self.epoch, n_epochs

    def back_off_from(self, learning_rate: float) -> None:
        """Forget the factor that rescues have left where the rate is another one."""
        if self.backed_off != learning_rate:
            self.backoff, self.backed_off = 1.0, learning_rate

    def progress(self, fraction: float = 0.0) -> Progress:
        """Return what a schedule is told, this share of the present epoch done."""
        return Progress(
            self.samples,
            self.epoch,
            self.stalled,
            fraction,
            self.first_epoch,
            self.n_epochs,
        )

    def adopt(self, optimizer: Optimizer, values: Array) -> None:
        """Use `optimizer` from now on; its memory starts anew if it is another one."""
        kind = {(values.shape, values.dtype)}
        fits = {(m.shape, m.dtype) for m in self.memory.values()} <= kind
        names = set(self.memory) == set(optimizer.names())
        if self.optimizer != optimizer or not fits or not names:
            self.memory = optimizer.memory(values)
            self.steps = 0
        self.optimizer = copy.copy(optimizer)

    def forget_memory(self, values: Array) -> None:
        """Let the optimiser start anew, in the arrays that it is bound to."""
        self.steps = 0
        for name, array in self.memory.items():
            assert self.optimizer is not None
            trained = values[..., : array.shape[-1]]
            np.copyto(array, self.optimizer.memory(trained)[name])

    def copy(self) -> TrainingState:
        """Return a state that can change without touching this one."""
        twin = replace(
            self,
            rng=copy.deepcopy(self.rng),
            memory={name: array.copy() for name, array in self.memory.items()},
            history={name: list(column) for name, column in self.history.items()},
        )
        for name in ("permutation", "best_values", "last_values", "average"):
            array = getattr(self, name)
            setattr(twin, name, None if array is None else array.copy())
        return twin

    def record(self, **entries: Any) -> None:
        """Append one epoch to the history; all its lists keep the same length."""
        if entries.keys() != self.history.keys():
            self._add_columns(entries)
        for name, column in self.history.items():
            column.append(entries.get(name, np.nan))

    def _add_columns(self, names: Iterable[str]) -> None:
        length = max(map(len, self.history.values()), default=0)
        for name in names:
            if name not in self.history:
                self.history[name] = [np.nan] * length

    def rewind(self, epoch: int) -> None:
        """Forget what came after `epoch`, and the optimiser's memory with it."""
        self.epoch = epoch
        # Half a step may be in these: the next fit starts them anew.
        self.memory, self.average, self.n_averaged = {}, None, 0
        for column in self.history.values():
            del column[epoch:]
