"""`get_params` and `set_params` for the small objects that are passed as parameters.

Optimisers, losses and schedules are dataclasses; with these two methods scikit-learn
clones them and a search reaches into them (``solver__beta_1``).
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

P = TypeVar("P", bound="Params")


class Params:
    """Mixin for dataclasses: their fields are their parameters."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the fields by name.

        Parameters
        ----------
        deep : bool, default=True
            Also return the parameters of fields that have parameters of their own,
            under the name ``field__parameter``.

        Returns
        -------
        params : dict
            Parameter names mapped to their values.
        """
        params: dict[str, Any] = {}
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            params[field.name] = value
            if deep and hasattr(value, "get_params"):
                inner = value.get_params(deep=True)
                params.update({f"{field.name}__{k}": v for k, v in inner.items()})
        return params

    def set_params(self: P, **params: Any) -> P:
        """Set fields by name, in place.

        Parameters
        ----------
        **params : dict
            New values; ``field__parameter`` reaches into a field.

        Returns
        -------
        self : object
            The object itself.

        Raises
        ------
        ValueError
            If a name is not one of the fields.
        """
        valid = {field.name for field in fields(self)}  # type: ignore[arg-type]
        for name, value in params.items():
            own, _, inner = name.partition("__")
            if own not in valid:
                raise ValueError(
                    f"{type(self).__name__} has no parameter {own!r}; "
                    f"valid parameters are {sorted(valid)}."
                )
            if inner:
                getattr(self, own).set_params(**{inner: value})
            else:
                setattr(self, own, value)
        return self


def check_in_range(
    owner: object,
    name: str,
    low: float,
    high: float = float("inf"),
    *,
    closed: str = "left",
) -> None:
    """Raise ValueError unless ``owner.name`` is a number between `low` and `high`."""
    value = getattr(owner, name)
    left, right = closed in ("left", "both"), closed in ("right", "both")
    try:
        inside = bool(
            (value >= low if left else value > low)
            and (value <= high if right else value < high)
        )
    except (TypeError, ValueError):  # the latter of arrays, and what becomes one
        inside = False
    if not inside:
        interval = f"{'[' if left else '('}{low}, {high}{']' if right else ')'}"
        raise ValueError(
            f"The {name!r} parameter of {type(owner).__name__} must lie in "
            f"{interval}. Got {value!r} instead."
        )
