"""Who listens to one fit: scikit-learn's callbacks, and those of the constructor.

For scikit-learn's the fit is the task and epochs are its subtasks; below version 1.9
those methods do nothing. Nothing here knows what is being fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from sknn.callbacks import Callback, Checkpoint, EpochInfo, TimeLimit
from sknn.estimators._sklearn import SUPPORTS_CALLBACKS, has_callbacks

Attributes = Callable[[], dict[str, Any]]


class FitCallbacks:
    """Tells the callbacks of an estimator about one fit and each of its epochs.

    The method that calls `begin` must be decorated with ``with_callbacks``, which tears
    the callbacks down however the fit ends. Attributes are asked for only if a callback
    wants a fitted estimator; they must be copies, since training goes on.

    Examples
    --------
    >>> callbacks = FitCallbacks()
    >>> callbacks.epoch_begin()
    >>> callbacks.epoch_end(lambda: {"coef_": [0.0]})  # nobody listens, nobody stops
    False
    """

    def __init__(self) -> None:
        self._fit: Any = None
        self._epoch: Any = None
        self._estimator: Any = None
        self._data: dict[str, Any] = {}

    def begin(
        self,
        estimator: Any,
        X: Any,
        y: Any,
        metadata: dict[str, Any] | None = None,
        max_subtasks: int | None = None,
    ) -> FitCallbacks:
        """Set the callbacks up and tell them that the fit begins.

        Parameters
        ----------
        estimator : object
            The estimator whose method `fit` was called, not a copy: callbacks know it
            by its identity.
        X, y : array-like
            The training data as given, so that feature names are kept.
        metadata : dict or None, default=None
            Further arguments of `fit` such as ``sample_weight``; None is dropped.
        max_subtasks : int or None, default=None
            Largest number of epochs; None if unknown.

        Returns
        -------
        self : FitCallbacks
            The object itself.
        """
        if not SUPPORTS_CALLBACKS:
            return self
        given = {k: v for k, v in (metadata or {}).items() if v is not None}
        self._data = {"X": X, "y": y, "metadata": given or None}
        self._estimator = estimator
        self._fit = estimator._init_callback_context(max_subtasks=max_subtasks)
        self._fit.call_on_fit_task_begin(estimator=estimator, **self._data)
        return self

    def epoch_begin(self) -> None:
        """Tell that an epoch begins."""
        if self._fit is None or not has_callbacks(self._estimator):
            return
        if self._epoch is not None:  # it goes on after a rescue
            return
        self._epoch = self._fit.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def epoch_end(self, reconstruction_attributes: Attributes) -> bool:
        """Tell that the epoch has ended.

        Parameters
        ----------
        reconstruction_attributes : callable
            Returns the attributes which make a copy of the estimator a fitted one.

        Returns
        -------
        stop : bool
            Whether a callback asks to stop.
        """
        epoch, self._epoch = self._epoch, None
        return self._ended(epoch, reconstruction_attributes)

    def end(self, reconstruction_attributes: Attributes) -> None:
        """Tell that the fit has ended.

        Parameters
        ----------
        reconstruction_attributes : callable
            Returns the attributes which make a copy of the estimator a fitted one.
        """
        self._ended(self._fit, reconstruction_attributes)

    def _ended(self, task: Any, attributes: Attributes) -> bool:
        if task is None:
            return False
        return task.call_on_fit_task_end(
            estimator=self._estimator,
            reconstruction_attributes=attributes,
            **self._data,
        )


class Listeners:
    """The functions in the parameter `callbacks`, `max_time` and `checkpoint`.

    Parameters
    ----------
    estimator : object
        Whose parameters they are.
    """

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator
        given = estimator.callbacks
        callbacks = [given] if callable(given) else list(given or ())
        if estimator.max_time is not None:
            callbacks.append(TimeLimit(estimator.max_time))
        place = estimator.checkpoint
        if place is not None:
            given = isinstance(place, Checkpoint)
            callbacks.append(place if given else Checkpoint(place))
        self._callbacks: list[Any] = callbacks

    def __bool__(self) -> bool:
        """Tell whether anybody listens."""
        return bool(self._callbacks)

    @contextmanager
    def during(self, max_iter: int) -> Iterator[None]:
        """Tell all of them that a fit begins, and at the end that it has ended."""
        with ExitStack() as stack:
            for callback in self._callbacks:
                if isinstance(callback, Callback):
                    # Pushed first: what has begun by half must be ended, too.
                    stack.callback(callback.end)
                    callback.begin(self._estimator, max_iter)
            yield

    def tell(self, epoch: EpochInfo) -> bool:
        """Tell all of them of an epoch; return whether one asks to stop."""
        answers = [self._ask(callback, epoch) for callback in self._callbacks]
        return any(answers)

    def _ask(self, callback: Any, epoch: EpochInfo) -> bool:
        answer = callback(epoch)
        if answer is None or isinstance(answer, (bool, np.bool_)):
            return bool(answer)
        raise TypeError(
            f"The callback {callback!r} must return True to stop, False or None to go "
            f"on, got {answer!r}."
        )
