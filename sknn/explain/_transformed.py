"""Explanations of the last step of a pipeline, on what the steps before make of X."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

__all__ = ["open_pipeline"]


def open_pipeline(estimator: Any, *tables: Any) -> tuple[Any, list[str] | None, list]:
    """Return the last step, the names of what it sees, and the tables as it sees them.

    Searches are opened at their best estimator. Names are None where a step does not
    give them.
    """
    names: list[str] | None = None
    found = list(tables)
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "steps") and hasattr(estimator, "named_steps"):
            before = estimator[:-1]
            if len(before):
                names = _names(before, found[0], names)
                found = [_dense(before.transform(table)) for table in found]
            estimator = estimator.steps[-1][1]
        else:
            return estimator, names, found


def _names(steps: Any, X: Any, names: list[str] | None) -> list[str] | None:
    given = names if names is not None else getattr(X, "columns", None)
    try:
        if given is None:
            return [str(name) for name in steps.get_feature_names_out()]
        return [str(name) for name in steps.get_feature_names_out(list(given))]
    except (AttributeError, ValueError):
        return None


def _dense(table: Any) -> Any:
    return table.toarray() if sparse.issparse(table) else np.asarray(table)
