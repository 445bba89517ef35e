"""A shap.Explanation that also carries the local fits it came from.

Holds the class and how it is cut; the fits are made elsewhere.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from sknn.explain._optional import require

__all__ = ["local_explanation_class"]


@functools.cache
def local_explanation_class() -> Any:
    """Make the subclass of shap.Explanation that carries local fits."""
    base: Any = require("shap").Explanation

    class LocalExplanation(base):
        """A shap.Explanation with `score_`, `intercept_`, `local_pred_`, `lime_`."""

        def __getitem__(self, item: Any) -> Any:
            part = super().__getitem__(item)
            cut = _rows_and_output(item, self.values.ndim, self.output_names)
            if cut is None or not isinstance(getattr(self, "lime_", None), np.ndarray):
                return part  # a plain shap.Explanation: what is left are not rows
            rows, output = cut
            part.__class__ = type(self)
            part.lime_ = self.lime_[rows]
            for name in ("score_", "intercept_", "local_pred_"):
                values = getattr(self, name)[rows]
                setattr(part, name, values if output is None else values[..., output])
            return part

    LocalExplanation.__module__ = __name__
    LocalExplanation.__qualname__ = "LocalExplanation"
    return LocalExplanation


def __getattr__(name: str) -> Any:
    # pickle looks the class up by name, where no one has needed it yet
    if name == "LocalExplanation":
        return local_explanation_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _rows_and_output(item: Any, ndim: int, names: Any) -> tuple[Any, Any] | None:
    """Read rows and output from an index; None where it is more than a choice."""
    item = item if isinstance(item, tuple) else (item,)
    if any(part is Ellipsis for part in item):
        at = [part is Ellipsis for part in item].index(True)
        fill = (slice(None),) * (ndim - len(item) + 1)
        item = item[:at] + fill + item[at + 1 :]
    rows, _, output = (*item, *(slice(None),) * 3)[:3]
    if not isinstance(rows, int | np.integer | slice | list | np.ndarray):
        return None
    if isinstance(output, str):
        output = list(names).index(output)
    return rows, None if ndim < 3 else output
