"""Checkpoints: the model in a file while it is being fitted."""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass
from typing import Any

from sknn._files import write_atomically
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
    epoch. It is a pickle: load it with `pickle.load`, and only where you trust its
    source, since loading a pickle can run any program.

    Parameters
    ----------
    path : str or path-like
        The file; its folder must exist. In a search, all fits write to the same file.
    every : int, default=1
        Store after each epoch whose number, counted from the first fit, is a multiple
        of this. Not used with `best_only`.
    best_only : bool, default=False
        Store whenever `EpochInfo.is_best` says that no epoch was as good before:
        by the validation score under early stopping, else by the training loss.

    Notes
    -----
    ``model.set_params(warm_start=True, max_iter=rest).fit(X, y)`` goes on with the
    loaded model and the same data. For stochastic solvers the result equals that of the
    uninterrupted fit to the bit: optimiser, averages, random state, patience and the
    split of early stopping are in the file. What runs over `max_iter` must say over
    how many epochs, as in ``Cosine(total=100)`` and ``SWA(start=75)``. 'lbfgs' starts
    from the stored parameters with a fresh memory.

    The model has its `callbacks` in it, this one included, so all of them must be
    picklable: functions of a module, no lambdas. Logs in the same list need
    ``append=True`` not to begin anew.

    Storing takes the time of copying and pickling the model and of waiting for the
    disk: choose `every` so that this is little beside the epochs.

    Examples
    --------
    >>> import pickle, tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.callbacks import Checkpoint
    >>> X, y = load_iris(return_X_y=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keep = Checkpoint(Path(folder) / "model.pkl", every=5)
    ...     net = MLPClassifier(callbacks=keep, learning_rate="cosine", max_iter=12)
    ...     _ = net.fit(X, y)
    ...     model = pickle.loads(keep.path.read_bytes())
    >>> model.n_iter_
    10
    """

    path: str | os.PathLike[str]
    every: int = 1
    best_only: bool = False

    def validate(self) -> None:
        """Raise ValueError or TypeError where a parameter is not valid."""
        check_path(self)
        check_count(self, "every")
        check_flag(self, "best_only")

    def begin(self, estimator: Any, max_iter: int) -> None:
        """Check that the model can be stored; see `Callback.begin`."""
        super().begin(estimator, max_iter)
        check_place(self)
        _check_picklable(estimator)

    def __call__(self, epoch: EpochInfo) -> None:
        """Store the model, if this is the time; see `Callback`."""
        if epoch.is_best if self.best_only else epoch.number % self.every == 0:
            write_atomically(self.path, pickle.dumps(epoch.model()))


def _check_picklable(estimator: Any) -> None:
    """Raise TypeError now where the first checkpoint would fail."""
    for name, value in estimator.get_params(deep=False).items():
        try:
            pickle.dumps(value)
        except Exception as error:
            raise TypeError(
                f"Checkpoint cannot store this model: its parameter {name!r} cannot be "
                f"pickled ({error}). Use functions and classes that a module defines "
                "instead of lambdas and those inside functions."
            ) from error
