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


__all__ = [
    "SKLEARN_VERSION",
    "SUPPORTS_CALLBACKS",
    "CallbackSupportMixin",
    "check_sample_weight",
    "has_callbacks",
    "is_of_callbacks",
    "safe_indexing",
    "with_callbacks",
]
