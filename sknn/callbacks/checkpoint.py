"""Checkpoints: the model in a file while it is being fitted."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from sknn._params import check_in_range
from sknn.callbacks._ready import (
    Ready,
    check_count,
    check_flag,
    check_path,
    check_place,
)
from sknn.callbacks.base import EpochInfo


@dataclass
class Checkpoint(Ready):
    """Stores the model while it is being fitted, so that a killed fit can go on.

    The file always holds one complete model, the last that was stored, fitted as of its
    epoch; it is one of `sknn.save`, without callbacks. The parameter `checkpoint` of
    the networks takes one of these, or just a path.

    Parameters
    ----------
    path : str or path-like
        The file; its folder must exist. In a search, all fits write to the same file.
    every : int, default=1
        Store after each epoch whose number, counted from the first fit, is a multiple
        of this. Not used with `best_only`.
    seconds : float or None, default=None
        Least time between two stores; None stores at each such epoch. The time begins
        with the fit.
    best_only : bool, default=False
        Store whenever `EpochInfo.is_best` says that no epoch was as good before:
        by the validation score under early stopping, else by the training loss.

    Notes
    -----
    ``fit(X, y, resume_from=path)`` of an estimator with the same parameters goes on to
    the end that the fit would have had, and for stochastic solvers to the same bits:
    optimiser, averages, random state, patience, schedule and the split of early
    stopping are in the file. 'lbfgs' starts from the stored parameters with a fresh
    memory. ``sknn.load(path)`` returns the model itself.

    Storing takes the time of copying and writing the model and of waiting for the
    disk: choose `every` or `seconds` so that this is little beside the epochs.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import sknn
    >>> from sklearn.datasets import load_iris
    >>> from sknn.callbacks import Checkpoint
    >>> X, y = load_iris(return_X_y=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keep = Checkpoint(Path(folder) / "model.sknn", every=5)
    ...     net = sknn.MLPClassifier(
    ...         checkpoint=keep, learning_rate="cosine", max_iter=12, random_state=0
    ...     )
    ...     _ = net.fit(X, y)
    ...     stored = sknn.load(keep.path)
    ...     again = net.set_params(checkpoint=None).fit(X, y, resume_from=keep.path)
    >>> stored.n_iter_, again.n_iter_
    (10, 12)
    """

    path: str | os.PathLike[str]
    every: int = 1
    seconds: float | None = None
    best_only: bool = False

    def validate(self) -> None:
        """Raise ValueError or TypeError where a parameter is not valid."""
        check_path(self)
        check_count(self, "every")
        if self.seconds is not None:
            check_in_range(self, "seconds", 0.0)
        check_flag(self, "best_only")

    def begin(self, estimator: Any, max_iter: int) -> None:
        """Check that the model can be stored; see `Callback.begin`."""
        super().begin(estimator, max_iter)
        check_place(self)
        estimator._check_storable()
        self._last = time.monotonic()

    def __call__(self, epoch: EpochInfo) -> None:
        """Store the model, if this is the time; see `Callback`."""
        due = epoch.is_best if self.best_only else epoch.number % self.every == 0
        if not due:
            return
        if self.seconds is not None and time.monotonic() < self._last + self.seconds:
            return
        epoch.store(self.path)
        self._last = time.monotonic()
