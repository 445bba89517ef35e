"""One run of training for an estimator: epochs, patience, messages, Ctrl-C.

The trainer makes epochs; this room looks at each and decides whether there is another.
"""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn._array import Array
from sknn.callbacks import EpochInfo
from sknn.estimators._build import (
    build_average,
    build_optimizer,
    build_patience,
    build_schedule,
    is_stochastic,
)
from sknn.estimators._callbacks import FitCallbacks, Listeners
from sknn.estimators._data import Data
from sknn.estimators._divergence import Divergence
from sknn.estimators._scorer import Scorer
from sknn.estimators._storing import store
from sknn.objective import Objective
from sknn.schedules import curve_of
from sknn.training.batches import SAMPLE, Batches, checksum
from sknn.training.diagnostics import Diagnostics
from sknn.training.lbfgs import minimize_lbfgs
from sknn.training.state import TrainingState
from sknn.training.stopping import keep
from sknn.training.trainer import Epoch, train

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult

# Parameters are copied after each epoch, for Ctrl-C to return to, up to this size. A
# copy of more would be a large share of a fit's memory: Ctrl-C then keeps the weights
# of the moment, where some parameters have made the last step and others have not, and
# the history of the complete epochs.
_KEPT_BYTES = 1 << 25


@dataclass
class Run:
    """What one call of fit or partial_fit works with.

    Parameters
    ----------
    draft : estimator
        The copy under training; read for its constructor parameters.
    objective, batches, state : Objective, Batches, TrainingState
        What is minimised, on what, from where.
    scorer : Scorer
        Scores held data.
    validation, training : Data or None
        Data to score after each epoch.
    stops_early : bool
        Whether patience watches the validation score and the best weights are kept.
    callbacks, listeners : FitCallbacks, Listeners
        Told of each epoch; may ask to stop.
    divergence : Divergence
        Sees it, and does something about it.
    incremental : bool, default=False
        Whether there is one epoch, of a training without known length.
    diagnostics : Diagnostics or None, default=None
        Measures the network after each epoch.
    """

    draft: Any
    objective: Objective
    batches: Batches
    state: TrainingState
    scorer: Scorer
    validation: Data | None
    training: Data | None
    stops_early: bool
    callbacks: FitCallbacks
    listeners: Listeners
    divergence: Divergence
    incremental: bool = False
    diagnostics: Diagnostics | None = None
    loss: float = np.inf
    _kept: Array | None = field(default=None, init=False)
    _out_of_patience: bool = field(default=False, init=False)
    interrupted: bool = field(default=False, init=False)
    _resumed: bool = field(default=False, init=False)
    _data_checksum: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Remember which epoch the run starts from."""
        self._first_epoch = self._kept_epoch = self.state.epoch
        self.schedule = build_schedule(self.draft)
        self._patience = build_patience(self.draft, self.schedule)
        self._started = time.perf_counter()

    @property
    def n_iter(self) -> int:
        """Number of complete epochs of this run."""
        return self._kept_epoch - self._first_epoch

    def snapshot(self) -> dict[str, Any]:
        """Return the fitted attributes of this moment."""
        return self.draft._snapshot(self)

    def train(self) -> None:
        """Train until a rule, a callback or Ctrl-C ends it; publish the weights."""
        self.begin()
        self._interruptible(self.work)
        self.publish()

    def resume(self) -> None:
        """Be the run that a checkpoint has broken off, not a new one.

        Raises
        ------
        ValueError
            If the training data are not those of the checkpoint.
        """
        state = self.state
        if state.data_checksum != self._checksum():
            raise ValueError(
                "resume_from was stored by a fit to other data: give the same X, y and "
                "sample_weight, or load the model with sknn.load and go on with "
                "warm_start=True."
            )
        self._resumed = True
        self._first_epoch, self.loss = state.first_epoch, state.history["loss"][-1]
        state.n_epochs = self.draft.max_iter

    def begin(self) -> None:
        """Make the network ready to go on from its last weights."""
        if is_stochastic(self.draft.solver) and not self._resumed:
            self._forget_last_stop()
        self._resume_last_values()
        self.state.back_off_from(self.draft.learning_rate_init)
        self.divergence.begin()
        self._started = time.perf_counter()
        if self._resumed:
            self._keep()
        else:
            self.state.begin(None if self.incremental else self.draft.max_iter)

    def work(self) -> None:
        """Train until a rule or a callback ends it."""
        if not is_stochastic(self.draft.solver):
            self._minimize()
            return
        epochs = train(self.objective, self.batches, state=self.state, **self.plan())
        ended = self._resumed and self._has_ended()
        while not ended:
            self.callbacks.epoch_begin()
            ended = self.ends_with(next(epochs))

    def plan(self) -> dict[str, Any]:
        """Return how the trainer is to train, by the names of its parameters."""
        return {
            "optimizer": build_optimizer(self.draft),
            "schedule": self.schedule,
            "learning_rate": self.draft.learning_rate_init,
            "shuffle": self.draft.shuffle,
            "max_grad_norm": self.draft.max_grad_norm,
            "average": build_average(self.draft),
        }

    def ends_with(self, epoch: Epoch) -> bool:
        """Look at an epoch of minibatches; return whether it is the last one."""
        if self.divergence.has_diverged(epoch.loss):
            return self._diverged(epoch)
        asked = self._look_at(epoch)
        if self._out_of_patience or asked or self.incremental:
            return True
        return self._reaches_max_iter()

    def _has_ended(self) -> bool:
        """Tell whether the epoch of the checkpoint was the last one."""
        return self._patience.exhausted(self.state) or self._reaches_max_iter()

    def _reaches_max_iter(self) -> bool:
        if self.n_iter < self.draft.max_iter:
            return False
        if curve_of(self.schedule) is None:  # a curve is meant to end here
            self._warn_not_converged()
        return True

    def _minimize(self) -> None:
        draft = self.draft
        if self._resumed and self.n_iter >= draft.max_iter:
            return

        def report(epoch: Epoch) -> bool:
            if self.divergence.has_diverged(epoch.loss):
                return self._diverged(epoch)
            self.callbacks.epoch_begin()  # not earlier: the last one has no successor
            return self._look_at(epoch) or self._out_of_patience

        result = minimize_lbfgs(
            self.objective,
            self.batches,
            self.state,
            report,
            max_iter=draft.max_iter - self.n_iter,
            max_fun=draft.max_fun,
            tol=draft.tol,
        )
        if not np.isfinite(result.fun):
            self.divergence.ends(self.state.epoch + 1, float(result.fun))
        if self.divergence.ended:
            # L-BFGS leaves its own last values behind
            self.divergence.restore()
            return
        self.loss = float(result.fun)
        _warn_lbfgs(result, min(self.n_iter, draft.max_iter), draft.max_iter)

    def _diverged(self, epoch: Epoch) -> bool:
        """Do what is to be done about divergence; return whether training is over."""
        best = self.state.best_values if self.stops_early else None
        if self.draft.on_divergence == "raise" and best is not None:
            # as scikit-learn: the best weights are finite, see tests/parity
            self._look_at(epoch)
            self.divergence.end_at_best(epoch.number, epoch.loss)
            return True
        return self.divergence.ends(epoch.number, epoch.loss)

    def _look_at(self, epoch: Epoch) -> bool:
        """Record an epoch under the weights that it would publish.

        Returns whether a callback asks to stop.
        """
        values, average = self.objective.network.values, self._average()
        if average is None:
            return self._record(epoch)
        # Named so that a snapshot knows from where training goes on.
        self.state.last_values = training = values.copy()
        np.copyto(values, average)
        try:
            return self._record(epoch)
        finally:
            np.copyto(values, training)
            self.state.last_values = None

    def _average(self) -> Array | None:
        """Return the average of the weights, where there is one to publish."""
        return None if self.draft.average is None else self.state.average

    def _record(self, epoch: Epoch) -> bool:
        state, values = self.state, self.objective.network.values
        scores = self._scores()
        self._print(epoch, scores)
        best_loss = state.best_loss
        if self.stops_early:
            self._patience.watch_score(state, scores["validation_score"], values)
        else:
            self._patience.watch_loss(state, epoch.loss)
        is_best = state.best_epoch == epoch.number or state.best_loss < best_loss
        # Before anybody is told: a model of this epoch goes on at the rate of the next.
        self._out_of_patience = self._patience_ends(epoch)
        self._keep()
        rate = epoch.learning_rate
        rates = {} if rate is None else {"learning_rate": rate}
        inner = {} if self.diagnostics is None else self.diagnostics.measure()
        state.record(
            epoch=epoch.number,
            loss=epoch.loss,
            **scores,
            **rates,
            time=epoch.time,
            **inner,
        )
        self.loss, self._kept_epoch = epoch.loss, epoch.number
        asked = bool(self.listeners) and self._tell(epoch, scores, is_best)
        return self.callbacks.epoch_end(self.snapshot) or asked

    def _keep(self) -> None:
        """Copy the weights for Ctrl-C to return to, unless the best ones are kept."""
        values = self.objective.network.values
        is_small = values.nbytes <= _KEPT_BYTES
        if is_small and (not self.stops_early or self.state.best_values is None):
            self._kept = keep(values, self._kept)

    def _tell(self, epoch: Epoch, scores: dict[str, float], is_best: bool) -> bool:
        """Tell the constructor's callbacks; return whether one asks to stop."""
        return self.listeners.tell(
            EpochInfo(
                number=epoch.number,
                iteration=self.n_iter,
                max_iter=1 if self.incremental else self.draft.max_iter,
                loss=epoch.loss,
                history=self.state.history,
                time=epoch.time,
                elapsed=time.perf_counter() - self._started,
                model=self._model,
                store=self._store,
                learning_rate=epoch.learning_rate,
                is_best=is_best,
                **scores,
            )
        )

    def _model(self) -> Any:
        """Return a fitted copy of the estimator."""
        model = copy.copy(self.draft)
        model.__dict__ = self.snapshot()
        return model

    def _store(self, path: Any) -> None:
        """Write a fitted copy of the estimator to a file."""
        self.state.data_checksum = self._checksum()
        model = self._model()
        model.callbacks = model.checkpoint = None
        store(model, path)

    def _checksum(self) -> int:
        """Return what the checkpoint knows the data by."""
        if self._data_checksum is None:
            batches = self.batches
            self._data_checksum = checksum(batches.sample(SAMPLE), batches.n_samples)
        return self._data_checksum

    def _scores(self) -> dict[str, float]:
        scores: dict[str, float] = {}
        network = self.objective.network
        # Under weights on their way to infinity, scores overflow before they do.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            if self.training is not None:
                _, scores["score"] = self.scorer.measure(self.training, network)
            if self.validation is not None:
                loss, score = self.scorer.measure(self.validation, network)
                scores |= {"validation_loss": loss, "validation_score": score}
        return scores

    def _print(self, epoch: Epoch, scores: dict[str, float]) -> None:
        if not self.draft.verbose:
            return
        print(f"Iteration {self.n_iter + 1}, loss = {epoch.loss:.8f}")
        if "validation_score" in scores:
            print(f"Validation score: {scores['validation_score']:f}")

    def _patience_ends(self, epoch: Epoch) -> bool:
        """Tell whether patience ends training; lower the rate where that is due."""
        if not self._patience.exhausted(self.state):
            return False
        if not is_stochastic(self.draft.solver):  # which has a tolerance of its own
            return self.stops_early
        return self._lowers_no_rate(epoch)

    def _lowers_no_rate(self, epoch: Epoch) -> bool:
        """Tell whether running out of patience ends training, or lower the rate."""
        state, draft = self.state, self.draft
        what = "Validation score" if self.stops_early else "Training loss"
        waited = f"{draft.n_iter_no_change} consecutive epochs"
        if isinstance(draft.n_iter_no_change, str):
            waited = "a whole cycle of the learning rate"
        message = f"{what} did not improve more than tol={draft.tol:f} for {waited}."
        if self.schedule.stops(epoch.learning_rate or 0.0):
            adaptive = self.draft.learning_rate == "adaptive"
            end = " Learning rate too small. Stopping." if adaptive else " Stopping."
            self._say(message + end)
            return True
        state.stalled += 1
        state.no_improvement_count = 0
        initial = draft.learning_rate_init * state.backoff
        state.learning_rate = self.schedule(initial, state.progress())
        self._say(message + f" Setting learning rate to {state.learning_rate:f}")
        return False

    def _say(self, message: str) -> None:
        if self.draft.verbose:
            print(message)

    def warn_of_ills(self) -> None:
        """Warn of what has ended this run too early and of what diagnostics found."""
        if self.interrupted:
            warnings.warn("Training interrupted by user.", stacklevel=2)
        self.divergence.warn()
        if self.diagnostics is not None and self.n_iter:
            for ill in self.diagnostics.ills(self.state.history, self._first_epoch):
                warnings.warn(ill, UserWarning, stacklevel=2)

    def _warn_not_converged(self) -> None:
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({self.draft.max_iter}) reached "
            "and the optimization hasn't converged yet.",
            ConvergenceWarning,
            stacklevel=2,
        )

    def _interruptible(self, work: Callable[[], None]) -> None:
        """Run `work`; on Ctrl-C keep the last complete epoch, if there is one.

        Of a large network the weights are those of the moment; see `_KEPT_BYTES`.
        """
        try:
            work()
        except KeyboardInterrupt:
            if self.n_iter == 0:
                raise
            self.roll_back()
            self.interrupted = True

    def roll_back(self) -> None:
        """Go back to the last complete epoch, or to the best one."""
        best = self.state.best_values if self.stops_early else None
        source = self._kept if best is None else best
        if source is not None:
            np.copyto(self.objective.network.values, source)
        self.state.rewind(self._kept_epoch)

    def _forget_last_stop(self) -> None:
        """Give a fit that goes on after a stop its patience back."""
        if self.state.no_improvement_count > self._patience.n_iter_no_change:
            self.state.no_improvement_count = 0

    def _resume_last_values(self) -> None:
        """Go on from the last weights where the best ones were published."""
        if self.state.last_values is not None:
            np.copyto(self.objective.network.values, self.state.last_values)
            self.state.last_values = None

    def publish(self) -> None:
        """Put the best weights, or their average, into the network."""
        state, values = self.state, self.objective.network.values
        best = state.best_values if self.stops_early else None
        source = self._average() if best is None else best
        if source is not None:
            state.last_values = values.copy()
            np.copyto(values, source)


def _warn_lbfgs(result: OptimizeResult, n_iter: int, max_iter: int) -> None:
    """Warn where L-BFGS did not converge, in scikit-learn's words."""
    if result.status in (0, 99):  # 99: a callback asked to stop
        return
    message = (
        f"lbfgs failed to converge after {n_iter} iteration(s) "
        f"(status={result.status}):\n{result.message}\n"
    )
    if n_iter == max_iter:
        message += (
            "\nIncrease the number of iterations to improve the convergence "
            f"(max_iter={max_iter})."
        )
    message += (
        "\nYou might also want to scale the data as shown in:\n"
        "    https://scikit-learn.org/stable/modules/preprocessing.html"
    )
    warnings.warn(message, ConvergenceWarning, stacklevel=2)
