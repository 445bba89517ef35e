"""Every name of scikit-learn that is private or depends on its version.

Holds no behaviour of ours: other rooms import these names from here, so that a new
scikit-learn is met in one file.
"""

from __future__ import annotations

from typing import Any

import sklearn
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils.fixes import parse_version
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

SKLEARN_VERSION = parse_version(parse_version(sklearn.__version__).base_version)

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn < 1.9: the protocol does not exist yet

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stand-in without `set_callbacks`, for scikit-learn below 1.9."""

    def with_callbacks(method):
        """Return `method` unchanged: there is nothing to tear down."""
        return method


SUPPORTS_CALLBACKS = hasattr(CallbackSupportMixin, "_init_callback_context")


def has_callbacks(estimator: Any) -> bool:
    """Tell whether a user or a meta-estimator gave callbacks to `estimator`."""
    return bool(getattr(estimator, "_skl_callbacks", None))


def is_of_callbacks(name: str) -> bool:
    """Tell whether scikit-learn keeps its callbacks in an attribute of this name."""
    return name.startswith("_") and "callback" in name


class HTMLReprMixin:
    """Add what `_html_below` returns to the diagram that notebooks show."""

    def _html_below(self):
        return ""

    def _repr_html_inner(self):
        """Return what calling `_repr_html_` does."""
        return super()._repr_html_inner() + self._html_below()  # type: ignore[misc]

    def _repr_mimebundle_(self, **kwargs):
        """Return what Jupyter shows, by its types."""
        bundle = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]
        if "text/html" in bundle:
            bundle["text/html"] += self._html_below()
        return bundle


def optimizer_of(mlp: Any) -> Any:
    """Return the optimiser in a network of scikit-learn, None where it has none."""
    return vars(mlp).get("_optimizer")


def forget_optimizer(mlp: Any) -> None:
    """Let a network of scikit-learn begin with a new optimiser."""
    vars(mlp).pop("_optimizer", None)


def patience_of(mlp: Any) -> int:
    """Return the epochs since a network of scikit-learn has improved."""
    return int(vars(mlp).get("_no_improvement_count", 0))


def set_patience(mlp: Any, count: int) -> None:
    """Set the epochs since a network of scikit-learn has improved."""
    mlp._no_improvement_count = count


__all__ = [
    "SKLEARN_VERSION",
    "SUPPORTS_CALLBACKS",
    "CallbackSupportMixin",
    "HTMLReprMixin",
    "check_sample_weight",
    "forget_optimizer",
    "has_callbacks",
    "is_of_callbacks",
    "optimizer_of",
    "patience_of",
    "safe_indexing",
    "set_patience",
    "with_callbacks",
]
