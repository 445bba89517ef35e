"""Reading a model that another thread may publish anew: one look, one model.

A fit publishes by one assignment of ``__dict__``; what reads several attributes reads
them from the dict of one moment.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])


def of_one_model(method: Method) -> Method:
    """Let a method see, from its first line to its last, the model of its call."""

    @functools.wraps(method)
    def read(self: Any, *args: Any, **kwargs: Any) -> Any:
        model = object.__new__(type(self))
        model.__dict__ = self.__dict__  # shared, not copied: one read of one name
        return method(model, *args, **kwargs)

    return read  # type: ignore[return-value]
