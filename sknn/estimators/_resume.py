"""From a checkpoint to an estimator whose fit goes on where it was broken off."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from sknn.estimators._build import needs_horizon
from sknn.estimators._data import Request
from sknn.estimators._sklearn import is_of_callbacks
from sknn.estimators._stored import codec
from sknn.estimators._storing import restore

# What may differ: none of these changes a number of the fit.
_FREE = {"callbacks", "checkpoint", "verbose", "max_time", "diagnostics", "warm_start"}


def resume(estimator: Any, request: Request) -> Any:
    """Return a copy of the estimator that knows what the checkpoint knows.

    Raises
    ------
    ValueError
        If the checkpoint is none of a fit with these parameters.
    OSError
        If the file cannot be read.
    """
    for name in ("coefs_init", "intercepts_init"):
        if getattr(request, name) is not None:
            raise ValueError(
                f"{name} and resume_from are given, but a fit that goes on starts from "
                "what is in the checkpoint. Give one of them."
            )
    stored = _read(estimator, request.resume_from)
    _check_parameters(estimator, stored, request.resume_from)
    draft = copy.copy(estimator)
    names = set(estimator.get_params(deep=False))
    mine = vars(estimator).items()
    own = {k: v for k, v in mine if k in names or is_of_callbacks(k)}
    learned = {k: v for k, v in vars(stored).items() if k not in names}
    draft.__dict__ = own | learned
    return draft


def _read(estimator: Any, path: Any) -> Any:
    stored, kind = restore(path), type(estimator)
    if type(stored) is not kind:
        raise ValueError(
            f"resume_from={str(path)!r} holds a {type(stored).__name__}, not a "
            f"{kind.__name__}."
        )
    if "_network" not in vars(stored):
        raise ValueError(f"resume_from={str(path)!r} holds a {kind.__name__} unfitted.")
    if stored._state.n_epochs is None:
        raise ValueError(
            f"resume_from={str(path)!r} was stored by partial_fit, which has no end to "
            "go on to. Load it with sknn.load and call partial_fit."
        )
    return stored


def _check_parameters(estimator: Any, stored: Any, path: Any) -> None:
    """Raise ValueError unless both are fitted to the same numbers."""
    ours, theirs = estimator.get_params(deep=False), stored.get_params(deep=False)
    names = set(ours) - _FREE - {"max_iter"}
    differ = [name for name in sorted(names) if not _same(ours[name], theirs[name])]
    if needs_horizon(estimator) and ours["max_iter"] != theirs["max_iter"]:
        differ.append("max_iter")
    if differ:
        listed = ", ".join(f"{n}={ours[n]!r} (there {theirs[n]!r})" for n in differ)
        raise ValueError(
            f"resume_from={str(path)!r} is of a fit with other parameters: {listed}. "
            "Give the same ones, or load the model with sknn.load and go on with "
            "warm_start=True."
        )


def _same(one: Any, other: Any) -> bool:
    """Tell whether two values of a parameter mean the same."""
    if isinstance(one, np.random.RandomState):  # its state then is in the checkpoint
        return isinstance(other, np.random.RandomState)
    (tree, arrays), (tree_2, arrays_2) = (codec().encode(v, "") for v in (one, other))
    same = tree == tree_2 and arrays.keys() == arrays_2.keys()
    return same and all(np.array_equal(arrays[k], arrays_2[k]) for k in arrays)
