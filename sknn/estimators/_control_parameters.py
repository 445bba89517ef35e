"""The constructor parameters that steer a fit: validation, callbacks, divergence."""

from __future__ import annotations

import os
from types import ModuleType

from sknn.callbacks import Checkpoint
from sknn.estimators._parameters import (
    NONE,
    Allowed,
    Parameter,
    one_of,
    real,
    sequence_of,
)

_SPLITTER = Allowed(
    "a splitter with a method `split`",
    lambda value: (
        not isinstance(value, (str, bytes, bytearray, type, ModuleType))
        and hasattr(value, "split")
    ),
)
_CALLABLE = Allowed(
    "a callable (epoch) -> bool",
    lambda value: callable(value) and not isinstance(value, type),
)

_PLACE = Allowed(
    "the name of a file or an sknn.callbacks.Checkpoint",
    lambda value: (
        isinstance(value, Checkpoint)
        or (isinstance(value, (str, os.PathLike)) and bool(os.fspath(value)))
    ),
)

CONTROL_PARAMETERS: dict[str, Parameter] = {
    "validation_split": Parameter(
        "splitter or None, default=None",
        """
        How early stopping chooses what it holds out: the first split of a splitter of
        scikit-learn, such as ``GroupShuffleSplit(test_size=0.2)`` with `groups` given
        to `fit`. One without a `random_state` of its own draws from this network's.
        None holds out `validation_fraction` at random, of whole groups where `fit` is
        given some. With a splitter, 'lbfgs' stops early, too.
        """,
        NONE | _SPLITTER,
    ),
    "callbacks": Parameter(
        "callable, sequence of callables or None, default=None",
        """
        Called with an `sknn.callbacks.EpochInfo` after each epoch, or each iteration of
        'lbfgs'; training ends where one returns True. ``sknn.callbacks`` has a progress
        bar, logs and checkpoints. scikit-learn's own callbacks are set with
        `set_callbacks` instead.
        """,
        NONE | _CALLABLE | sequence_of(_CALLABLE, "a sequence of such callables"),
    ),
    "checkpoint": Parameter(
        "str, path-like, Checkpoint or None, default=None",
        """
        Where to store the model after each epoch, so that ``fit(X, y,
        resume_from=path)`` can go on to the same end after the process was killed.
        ``sknn.callbacks.Checkpoint(path, every=10)`` or ``Checkpoint(path,
        seconds=60)`` store less often.
        """,
        NONE | _PLACE,
    ),
    "max_time": Parameter(
        "float or None, default=None",
        """
        Seconds after which `fit` ends, with the epoch that it is in.
        """,
        NONE | real(0.0, closed="right"),
    ),
    "on_divergence": Parameter(
        "{'raise', 'warn', 'rescue'}, default='raise'",
        """
        What happens where an epoch leaves the loss or the parameters infinite or NaN:
        'raise' an error that names the epoch and the likely cause; 'warn' and keep the
        last finite parameters; 'rescue': go back to those, divide the learning rate by
        ten and go on, up to ten times, also where the loss has grown to a thousand
        times its first value, or after a first rescue to twice.
        """,
        one_of("raise", "warn", "rescue"),
    ),
}
