"""What a fit does about divergence, and what it says about the likely cause."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn._array import Array, largest, squared_norm
from sknn.estimators._build import is_stochastic
from sknn.estimators._targets import InputTargets
from sknn.layers import BatchNorm, Dense, LayerNorm
from sknn.objective import Objective
from sknn.optimizers import SGD
from sknn.training.batches import Batches
from sknn.training.divergence import (
    SafePoint,
    all_finite,
    exceeds,
    first_loss,
    loss_is_to_blame,
    loss_of_sample,
    loss_of_zeros,
    predicts,
)
from sknn.training.state import TrainingState

NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large "
    "values and need to be preprocessed."
)
_BACKOFF = 0.1
_MAX_RESCUES = 10
_EXPLODED = 1e3  # times the first loss
_NOT_RESCUED = 2.0  # times the first loss, where a rescued epoch ends
_LARGE_X, _LARGE_Y, _LARGE_KERNEL = 100.0, 1e3, 100.0
_LARGE_VALUE = 1e6
_OUTLYING = 1e4  # times the median
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
    _zero_loss: float = field(default=0.0, init=False)
    _largest_kernel: float = field(default=0.0, init=False)
    _squared_kernels: float = field(default=0.0, init=False)
    _sign: str | None = field(default=None, init=False)
    _rescued: list[int] = field(default_factory=list, init=False)
    _message: str | None = field(default=None, init=False)
    _end: str = field(default="", init=False)
    _hopeless: bool = field(default=False, init=False)

    def begin(self) -> None:
        """Refuse to start from what is not finite; make the first safe point."""
        values, network = self._values(), self.objective.network
        if not all_finite(values):
            raise ValueError(
                "The parameters to start from hold NaN or infinity. Set "
                "warm_start=False, or replace them through coefs_ and intercepts_."
            )
        kernels = values[..., : network.n_penalized]
        self._largest_kernel = largest(kernels)
        with np.errstate(over="ignore"):
            self._squared_kernels = float(np.max(squared_norm(kernels)))
        if self.draft.on_divergence != "raise":
            self._safe = SafePoint.of(values, self.state)
        if self._rescues():
            what = network, self.objective.loss, self.batches
            self._zero_loss = loss_of_zeros(*what)
            if self.state.first_loss is None:
                self.state.first_loss = first_loss(*what)

    def has_diverged(self, loss: float) -> bool:
        """Tell whether an epoch has led astray; if not, it is the new safe point."""
        self._sign = self._sign_of_divergence(loss)
        if self._sign is None and self._safe is not None:
            self._safe.move(self._values(), self.state)
        return self._sign is not None

    def _sign_of_divergence(self, loss: float) -> str | None:
        """Return by what an epoch shows that it has led astray, None if it has not."""
        if not np.isfinite(loss) or not all_finite(self._values()):
            return f"the loss is {loss:.3g}"
        if self._safe is None or not is_stochastic(self.draft.solver):
            return None
        left = self._sample_loss()
        if not np.isfinite(left):
            return f"it leaves a loss of {left:.3g}"
        # What overflows has large parameters, or running statistics of its own.
        network = self.objective.network
        suspect = network.n_buffers or largest(self._values()) > _LARGE_VALUE
        if suspect and not predicts(network, self.batches):
            return "predictions overflow"
        return self._sign_of_explosion(loss, left) if self._rescues() else None

    def _sign_of_explosion(self, loss: float, left: float) -> str | None:
        first = self.state.first_loss
        assert first is not None
        if exceeds(loss, first, _EXPLODED):
            return f"the loss is {loss:.3g}, {first:.3g} before the first step"
        # A rate that has been lowered once may be lowered again before much is lost.
        factor = _EXPLODED if self.state.backoff == 1 else _NOT_RESCUED
        first = max(first, self._zero_loss)
        if exceeds(left, first, factor):
            return f"it leaves a loss of {left:.3g}, {first:.3g} before the first step"
        return None

    def ends(self, epoch: int, loss: float) -> bool:
        """Raise, or go back to the safe point; return whether training is over."""
        found = self._found(epoch, loss)
        if self._safe is None:
            raise ValueError(found)
        # Of several rescues in one run, the first has met the rate that was asked for.
        self._message = self._message or found
        may_rescue = self._rescues() and not self._hopeless
        if may_rescue and len(self._rescued) < _MAX_RESCUES:
            self._rescued.append(epoch)
            self.state.backoff *= _BACKOFF
            self._say(epoch)
            return False
        self._end = self._how_it_ended(epoch)
        return True

    @property
    def ended(self) -> bool:
        """Whether divergence has ended this run."""
        return bool(self._end)

    def restore(self) -> None:
        """Go back to the safe point, if there is one."""
        if self._safe is not None:
            self._safe.restore(self._values(), self.state)

    def end_at_best(self, epoch: int, loss: float) -> None:
        """Remember to warn that training has ended, with the best parameters kept."""
        self._message = self._found(epoch, loss)
        self._end = " The best parameters are kept."

    def _found(self, epoch: int, loss: float) -> str:
        """Go back to the safe point, if there is one; return what has happened."""
        sign = self._sign or f"the loss is {loss:.3g}"
        happened = f"Training diverged in epoch {epoch}: {sign}."
        if not all_finite(self._values()):
            happened = f"{NON_FINITE} {happened}"
        self.restore()
        certain = list(self._certain_causes())
        self._hopeless = bool(certain) or (
            self._safe is not None and not np.isfinite(self._sample_loss())
        )
        return " ".join([happened, *(certain or self._likely_causes())])

    def _sample_loss(self) -> float:
        network, loss = self.objective.network, self.objective.loss
        return loss_of_sample(network, loss, self.batches)

    def _how_it_ended(self, epoch: int) -> str:
        kept = f"those after epoch {epoch - 1}" if epoch > 1 else "the initial ones"
        words = f" The last finite parameters are kept: {kept}."
        if self.draft.early_stopping and self.state.best_values is not None:
            words = " The best parameters are kept."
        if self._rescues() and self._hopeless:
            return " No lower rate can help." + words
        if self._rescues():
            rate = self.draft.learning_rate_init * self.state.backoff
            return f" Gave up after {_MAX_RESCUES} rescues, at {rate:.3g}." + words
        return words

    def warn(self) -> None:
        """Warn of what has happened in this run, once."""
        if self._message is None:
            return
        end = self._end
        if not end:
            rate = self.draft.learning_rate_init * self.state.backoff
            epochs = ", ".join(map(str, dict.fromkeys(self._rescued)))
            times = "once" if len(self._rescued) == 1 else f"{len(self._rescued)} times"
            end = (
                f" Rescued {times} (epoch {epochs}): training went on with the initial "
                f"learning rate at {rate:.3g}."
            )
        warnings.warn(self._message + end, ConvergenceWarning, stacklevel=2)

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

    # Causes ----------------------------------------------------------------------

    def _certain_causes(self) -> Iterator[str]:
        """Yield what lets no step of any size go well."""
        x, dtype = largest(self.batches.X), self.batches.dtype
        network, loss = self.objective.network, self.objective.loss
        alpha, most = float(self.draft.alpha), float(np.finfo(dtype).max)
        if alpha * self._squared_kernels > most >= self._squared_kernels:
            yield f"alpha={alpha:g} makes the penalty infinite: lower it."
        elif x > most:
            yield (
                f"The largest |x| is {x:.3g}, which {dtype} cannot hold: scale "
                "X, or set dtype='float64'."
            )
        elif loss_is_to_blame(network, loss, self.batches):
            name, y = "y", self._largest_target()
            if isinstance(self.draft._targets, InputTargets):
                name, y = "X", x
            if y >= _LARGE_Y:
                yield (
                    f"The largest |{name.lower()}| is {y:.3g}, which is too much for "
                    f"{loss!r} in {dtype}: scale {name}."
                )
            else:
                yield (
                    f"{loss!r} or its gradient is not finite for moderate predictions: "
                    "check its formula."
                )

    def _likely_causes(self) -> Iterator[str]:
        """Yield the causes with their remedies, the most likely first."""
        x = largest(self.batches.X)
        if x >= _LARGE_X:
            yield (
                f"The largest |x| is {x:.3g}: put a StandardScaler before the network."
            )
        yield from self._causes_in_targets()
        yield from self._causes_in_network()
        yield from self._causes_in_steps()

    def _largest_target(self) -> float:
        """Return the largest |y| of a regression, 0 where y is no number."""
        numbers = "normalize_y" in self.draft._rows and self.batches.table is None
        return largest(self.batches.y) if numbers else 0.0

    def _causes_in_targets(self) -> Iterator[str]:
        y = self._largest_target()
        if y < _LARGE_Y:
            return
        usual = float(np.median(np.abs(self.batches.y)))
        if y > _OUTLYING * usual:
            yield (
                f"The largest |y| is {y:.3g} where the median is {usual:.3g}: look for "
                "errors in y."
            )
        elif self.objective.loss.link != "identity":
            yield f"The largest |y| is {y:.3g}: divide y by a constant."
        elif not self.draft.normalize_y:
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
        if self._largest_kernel >= _LARGE_KERNEL:
            yield (
                f"The kernels to start from are as large as {self._largest_kernel:.3g}:"
                " use smaller ones, or set weight_init='auto'."
            )

    def _causes_in_steps(self) -> Iterator[str]:
        optimizer = self.state.optimizer
        if optimizer is None or self._hopeless or not is_stochastic(self.draft.solver):
            return
        momentum = getattr(optimizer, "momentum", 0.0)
        if momentum > _HIGH_MOMENTUM:
            yield f"momentum={momentum:g} adds up steps: lower it."
        rate = self.draft.learning_rate_init * self.state.backoff
        # Steps of the others have the same size whatever that of the gradient.
        clips = isinstance(optimizer, SGD) and not self.draft.max_grad_norm
        clip = ", or set max_grad_norm=1.0" if clips else ""
        yield f"Lower learning_rate_init (now {rate:g}){clip}."
