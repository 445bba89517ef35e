"""Names of inputs and outputs, as far as estimators know them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np


def input_names(estimator: Any, network: Any, n_inputs: int) -> list[str] | None:
    """Return the names of the columns that the network sees, where they are known."""
    names = getattr(network, "feature_names_in_", None)
    if names is None:
        names = _names_behind(estimator)
    if names is None or len(names) != n_inputs:
        return None
    return [str(name) for name in names]


def _names_behind(estimator: Any) -> Any:
    """Return the names that come out of the steps in front of the network."""
    estimator = getattr(estimator, "best_estimator_", estimator)
    steps = getattr(estimator, "steps", [])
    if len(steps) < 2:
        return None
    try:
        return estimator[:-1].get_feature_names_out()
    except Exception:  # names are an extra: whatever a step raises, do without
        return None


def given_names(names: Any, n_inputs: int) -> list[str] | None:
    """Return names as they were given, checked; None where there are none."""
    if names is None:
        return None
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise TypeError(
            f"feature_names must be a list of {n_inputs} names, got {names!r}."
        )
    found = [str(name) for name in names]
    if len(found) != n_inputs:
        raise ValueError(
            f"feature_names must have {n_inputs} names, one for each input of the "
            f"layer, got {len(found)}."
        )
    return found


def output_names(model: Any, n_units: int) -> list[str] | None:
    """Return the names of classes, where each has an output of its own."""
    classes = getattr(model, "classes_", None)
    if not isinstance(classes, np.ndarray) or len(classes) != n_units:
        return None
    return [str(name) for name in classes.tolist()]


def shortened(text: str, longest: int) -> str:
    """Return a text of at most so many characters, its beginning and its end."""
    text = " ".join(text.split())
    if len(text) <= longest:
        return text
    # What tells long names apart often stands at their end.
    end = max(longest // 3, 0)
    return text[: longest - end - 1] + "…" + text[len(text) - end :]
