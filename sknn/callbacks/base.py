"""What a callback is, and what it is told after each epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class EpochInfo:
    """What a callback is told when an epoch, or an iteration of L-BFGS, has ended.

    Parameters
    ----------
    number : int
        Epochs since the first fit, this one included.
    iteration : int
        The same since this call of `fit` began.
    max_iter : int
        Largest number of epochs of this call.
    loss : float
        Training loss of the epoch.
    history : mapping of list
        `history_` up to this epoch, not to be changed.
    time, elapsed : float
        Seconds that the epoch took, and seconds since this call of `fit` began.
    model : callable
        ``model()`` returns a copy of the estimator, fitted as of this epoch, from which
        training can go on. It copies all parameters: call it only where it is needed.
    store : callable
        ``store(path)`` writes this model to a file, as `sknn.save` does, but for the
        parameters `callbacks` and `checkpoint`, which are None in the file.
    learning_rate : float or None
        Rate of the last step; None for L-BFGS.
    score : float or None
        Score of the training data, where `scoring` asks for one.
    validation_loss, validation_score : float or None
        Loss and score of the validation data, where there is such data.
    is_best : bool, default=False
        Whether no earlier epoch had as good a validation score under early stopping,
        or as small a training loss without it.
    """

    number: int
    iteration: int
    max_iter: int
    loss: float
    history: Mapping[str, list[Any]]
    time: float
    elapsed: float
    model: Callable[[], Any]
    store: Callable[[Any], None]
    learning_rate: float | None = None
    score: float | None = None
    validation_loss: float | None = None
    validation_score: float | None = None
    is_best: bool = False

    def numbers(self) -> dict[str, float]:
        """Return everything that is a number, under the names of `history_`.

        Returns
        -------
        numbers : dict of str to float
            `epoch`, `loss`, `time`, `elapsed` and those of the others that there are.
        """
        names = ("learning_rate", "score", "validation_loss", "validation_score")
        optional = {name: getattr(self, name) for name in names}
        return {
            "epoch": self.number,
            "loss": self.loss,
            **{name: value for name, value in optional.items() if value is not None},
            "time": self.time,
            "elapsed": self.elapsed,
        }


class Callback:
    """Base of callbacks that want to know when a fit begins and ends.

    What is called after each epoch may as well be a plain function
    ``f(epoch) -> bool``. `clone`, and with it every search, gives each fit a copy of
    its own; one fit at a time may use the same object.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.callbacks import Callback
    >>> class Goal(Callback):
    ...     def __call__(self, epoch):
    ...         return epoch.loss < 0.9
    >>> net = MLPClassifier(callbacks=Goal(), random_state=0)
    >>> net.fit(*load_iris(return_X_y=True)).loss_ < 0.9
    True
    """

    def begin(self, estimator: Any, max_iter: int) -> None:
        """Be told that a fit begins.

        Parameters
        ----------
        estimator : object
            What is fitted; its parameters may be read.
        max_iter : int
            Largest number of epochs that will come.
        """

    def __call__(self, epoch: EpochInfo) -> bool | None:
        """Be told that an epoch has ended.

        Parameters
        ----------
        epoch : EpochInfo
            What it has come to.

        Returns
        -------
        stop : bool or None
            True ends training here.
        """
        return None

    def end(self) -> None:
        """Be told that the fit has ended, however it did."""
