"""What a fit does about divergence, and what it says about the likely cause."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn._array import Array, largest
from sknn.estimators._build import is_stochastic
from sknn.layers import BatchNorm, Dense, LayerNorm
from sknn.objective import Objective
from sknn.training.batches import Batches
from sknn.training.divergence import (
    SafePoint,
    all_finite,
    first_loss,
    loss_is_to_blame,
)
from sknn.training.state import TrainingState

NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large "
    "values and need to be preprocessed."
)
_BACKOFF = 0.1
_MAX_RESCUES = 10
_EXPLODED = 1e3  # times the first loss
_LARGE_X, _LARGE_Y = 100.0, 1e3
_MANY_LAYERS = 10
_HIGH_MOMENTUM = 0.95


@dataclass
class Divergence:
    """Watches one run for divergence and does what `on_divergence` says.

    Parameters
    ----------
    draft : estimator
        Read for its constructor parameters.
    objective, batches, state : Objective, Batches, TrainingState
        What is minimised, on what, from where.
    """

    draft: Any
    objective: Objective
    batches: Batches
    state: TrainingState
    _safe: SafePoint | None = field(default=None, init=False)
    _rescued: list[int] = field(default_factory=list, init=False)
    _message: str | None = field(default=None, init=False)

    def begin(self) -> None:
        """Refuse to start from what is not finite; make the first safe point."""
        values, state = self._values(), self.state
        if not all_finite(values):
            raise ValueError(
                "The parameters to start from hold NaN or infinity. Set "
                "warm_start=False, or replace them through coefs_ and intercepts_."
            )
        if self.draft.on_divergence != "raise":
            self._safe = SafePoint.of(values, state)
        if self._rescues() and state.first_loss is None:
            network, loss = self.objective.network, self.objective.loss
            state.first_loss = first_loss(network, loss, self.batches)

    def has_diverged(self, loss: float) -> bool:
        """Tell whether an epoch has led astray; if not, it is the new safe point."""
        if not np.isfinite(loss) or not all_finite(self._values()):
            return True
        first = self.state.first_loss
        if self._rescues() and first is not None and loss > _EXPLODED * first:
            return True
        if self._safe is not None:
            self._safe.move(self._values(), self.state)
        return False

    def ends(self, epoch: int, loss: float) -> bool:
        """Raise, or go back to the safe point; return whether training is over."""
        found = self._found(epoch, loss)
        if self._safe is None:
            raise ValueError(found)
        if self._rescues() and len(self._rescued) < _MAX_RESCUES:
            self._rescued.append(epoch)
            self.state.backoff *= _BACKOFF
            self._message = found
            self._say(epoch)
            return False
        kept = f"those after epoch {epoch - 1}" if epoch > 1 else "the initial ones"
        gave_up = f"Gave up after {_MAX_RESCUES} rescues. " if self._rescues() else ""
        self._message = f"{found} {gave_up}The last finite parameters are kept: {kept}."
        self._rescued.clear()
        return True

    def end_at_best(self, epoch: int, loss: float) -> None:
        """Remember to warn that training has ended, with the best parameters kept."""
        found = self._found(epoch, loss)
        self._message = f"{found} The best parameters are kept."

    def _found(self, epoch: int, loss: float) -> str:
        """Go back to the safe point, if there is one; return what has happened."""
        happened = f"Training diverged in epoch {epoch}: the loss is {loss:.3g}."
        if not all_finite(self._values()):
            happened = f"{NON_FINITE} {happened}"
        if self._safe is not None:
            self._safe.restore(self._values(), self.state)
        return " ".join([happened, *self._causes()])

    def warn(self) -> None:
        """Warn of what has happened in this run, once."""
        message = self._message
        if message is None:
            return
        if self._rescued:
            rate = self.draft.learning_rate_init * self.state.backoff
            epochs = ", ".join(map(str, dict.fromkeys(self._rescued)))
            message += (
                f" Rescued {len(self._rescued)} times (epoch {epochs}): training went "
                f"on with the initial learning rate at {rate:.3g}."
            )
        warnings.warn(message, ConvergenceWarning, stacklevel=2)

    def _rescues(self) -> bool:
        draft = self.draft
        return draft.on_divergence == "rescue" and is_stochastic(draft.solver)

    def _values(self) -> Array:
        return self.objective.network.values

    def _say(self, epoch: int) -> None:
        if self.draft.verbose:
            rate = self.draft.learning_rate_init * self.state.backoff
            print(
                f"Training diverged in epoch {epoch}. Going back to epoch {epoch - 1}. "
                f"Setting the initial learning rate to {rate:g}"
            )

    def _causes(self) -> Iterator[str]:
        """Yield the likely causes with their remedies, the most certain first."""
        network, loss = self.objective.network, self.objective.loss
        if all_finite(self._values()) and loss_is_to_blame(network, loss, self.batches):
            yield (
                f"{loss!r} is not finite though predictions are: check its formula, "
                "and y."
            )
        yield from self._causes_in_data()
        yield from self._causes_in_network()
        yield from self._causes_in_steps()

    def _causes_in_data(self) -> Iterator[str]:
        x, dtype = largest(self.batches.X), self.batches.dtype
        if x > np.finfo(dtype).max:
            yield (
                f"The largest |x| is {x:.3g}, which {dtype} cannot hold: scale "
                "X, or set dtype='float64'."
            )
        elif x >= _LARGE_X:
            yield (
                f"The largest |x| is {x:.3g}: put a StandardScaler before the network."
            )
        if self.batches.table is None and self.batches.y.dtype.kind == "f":
            y = largest(self.batches.y)
            if y >= _LARGE_Y:
                yield (
                    f"The largest |y| is {y:.3g}: set normalize_y=True, or scale "
                    "y with a TransformedTargetRegressor."
                )

    def _causes_in_network(self) -> Iterator[str]:
        layers = [layer for layer, _, _ in self.objective.network.walk()]
        n_dense = sum(isinstance(layer, Dense) for layer in layers)
        normalized = any(isinstance(layer, (BatchNorm, LayerNorm)) for layer in layers)
        if n_dense > _MANY_LAYERS and not normalized:
            yield (
                f"{n_dense} kernels one after another, without normalisation: set "
                "normalization='layer' and residual=True."
            )

    def _causes_in_steps(self) -> Iterator[str]:
        optimizer = self.state.optimizer
        if optimizer is None:
            return
        momentum = getattr(optimizer, "momentum", 0.0)
        if momentum > _HIGH_MOMENTUM:
            yield f"momentum={momentum:g} adds up steps: lower it."
        rate = self.draft.learning_rate_init * self.state.backoff
        clip = "" if self.draft.max_grad_norm else ", or set max_grad_norm=1.0"
        yield f"Lower learning_rate_init (now {rate:g}){clip}."
