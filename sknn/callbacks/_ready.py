"""What the ready callbacks share: parameters that are checked, copies without a fit."""

from __future__ import annotations

import numbers
import os
from pathlib import Path
from typing import Any

import numpy as np

from sknn._params import Params
from sknn.callbacks.base import Callback


class Ready(Params, Callback):
    """Base of those that hold something open during a fit.

    It stands in `_open`, which copies and pickles leave behind: a model that is copied
    or stored in the middle of a fit brings no open file along.
    """

    def __post_init__(self) -> None:
        """Check the parameters."""
        self._open: Any = None
        self.validate()

    def validate(self) -> None:
        """Raise ValueError or TypeError where a parameter is not valid."""

    def begin(self, estimator: Any, max_iter: int) -> None:
        """Be told that a fit begins; see `Callback.begin`."""
        self.validate()  # again: `set_params` does not

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_open": None}


def check_flag(owner: object, name: str) -> None:
    """Raise ValueError unless ``owner.name`` is True or False."""
    value = getattr(owner, name)
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(_message(owner, name, "must be True or False"))


def check_count(owner: object, name: str) -> None:
    """Raise ValueError unless ``owner.name`` is a whole number of at least 1."""
    value = getattr(owner, name)
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not (whole and value >= 1):
        raise ValueError(_message(owner, name, "must be a whole number, at least 1"))


def check_path(owner: object, name: str = "path") -> None:
    """Raise TypeError or ValueError unless ``owner.name`` can name a file."""
    value = getattr(owner, name)
    what = "must be the name of a file, as str or pathlib.Path"
    if not isinstance(value, (str, os.PathLike)) or isinstance(os.fspath(value), bytes):
        raise TypeError(_message(owner, name, what))
    if not os.fspath(value) or not Path(value).name:
        raise ValueError(_message(owner, name, what))


def check_place(owner: object, name: str = "path") -> None:
    """Raise OSError unless a file can stand at ``owner.name``."""
    value = getattr(owner, name)
    path, who = Path(value), f"{type(owner).__name__} cannot write to {str(value)!r}"
    if path.is_dir():
        raise IsADirectoryError(f"{who}: this is a folder. Add the name of a file.")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"{who}: there is no folder {str(path.parent)!r}. Create it before the fit."
        )
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(
            f"{who}: nothing may be written in {str(path.parent)!r}. Choose another "
            "folder."
        )


def _message(owner: object, name: str, rule: str) -> str:
    value = getattr(owner, name)
    return (
        f"The {name!r} parameter of {type(owner).__name__} {rule}. Got {value!r} "
        "instead."
    )
