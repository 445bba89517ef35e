"""scikit-learn's callback protocol around a fit with epochs; silent below 1.9."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sknn.estimators._sklearn import SUPPORTS_CALLBACKS

Attributes = Callable[[], dict[str, Any]]


class FitCallbacks:
    """The tasks of one fit: the fit itself and one task for each epoch in it."""

    def __init__(self) -> None:
        self._context: Any = None
        self._epoch: Any = None

    def begin(
        self, estimator: Any, X: Any, y: Any, metadata: Any, max_subtasks: int | None
    ) -> None:
        """Announce the fit of `estimator`."""
        if not SUPPORTS_CALLBACKS:
            return
        self._data = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._context = estimator._init_callback_context(max_subtasks=max_subtasks)
        self._context.call_on_fit_task_begin(**self._data)

    def epoch_begin(self) -> None:
        """Announce an epoch."""
        if self._context is not None:
            self._epoch = self._context.subcontext(task_name="epoch")
            self._epoch.call_on_fit_task_begin(**self._data)

    def epoch_end(self, reconstruction_attributes: Attributes) -> bool:
        """Report an epoch; return whether a callback asks to stop."""
        if self._epoch is None:
            return False
        return bool(
            self._epoch.call_on_fit_task_end(
                **self._data, reconstruction_attributes=reconstruction_attributes
            )
        )

    def end(self, reconstruction_attributes: Attributes) -> None:
        """Report the end of the fit."""
        if self._context is not None:
            self._context.call_on_fit_task_end(
                **self._data, reconstruction_attributes=reconstruction_attributes
            )
