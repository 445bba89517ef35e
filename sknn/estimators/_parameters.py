"""What a constructor parameter may be: one row each for validation and for the docs.

The estimators' docstrings and their checks at fit are made from the same rows, so that
neither can drift from the other; the rows themselves stand beside their estimators.
"""

from __future__ import annotations

import inspect
import math
import numbers
import textwrap
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

Check = Callable[[Any], bool]
T = TypeVar("T", bound=type)

# What an array can count.
_LARGEST = 2**63 - 1


class InvalidParameterError(ValueError, TypeError):
    """A constructor parameter has a value or a type that is not allowed."""


@dataclass(frozen=True)
class Allowed:
    """A test of a value together with the words that describe it."""

    words: str
    check: Check

    def __or__(self, other: Allowed) -> Allowed:
        """Either of the two."""
        return Allowed(
            f"{self.words} or {other.words}",
            lambda value: self.check(value) or other.check(value),
        )


@dataclass(frozen=True)
class Parameter:
    """One constructor parameter: its type line, its description, what it may be."""

    type_line: str
    description: str
    allowed: Allowed


def _is_number(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, (bool, np.bool_))


def _is_finite_float(value: Any) -> bool:
    fraction = isinstance(value, numbers.Rational) and not isinstance(
        value, numbers.Integral
    )
    try:
        return not fraction and math.isfinite(float(value))
    except OverflowError:
        return False


def real(low: float, high: float = np.inf, closed: str = "both") -> Allowed:
    """Allow a finite number between `low` and `high`; `closed` as in pandas."""
    left, right = closed in ("left", "both"), closed in ("right", "both")
    brackets = "[(["[1 - left] + f"{float(low)}, {float(high)}"
    brackets += "]" if right and np.isfinite(high) else ")"

    def check(value: Any) -> bool:
        if not _is_number(value, numbers.Real) or not _is_finite_float(value):
            return False
        above = value >= low if left else value > low
        below = value <= high if right else value < high
        return bool(above and below)

    return Allowed(f"a float in the range {brackets}", check)


def integer(low: int) -> Allowed:
    """Allow an int of at least `low`."""
    return Allowed(
        f"an int in the range [{low}, inf)",
        lambda value: (
            _is_number(value, numbers.Integral) and bool(low <= value <= _LARGEST)
        ),
    )


def one_of(*names: str) -> Allowed:
    """Allow one of these strings."""
    listed = ", ".join(repr(name) for name in sorted(names))
    return Allowed(
        f"a str among {{{listed}}}",
        lambda value: isinstance(value, str) and value in names,
    )


def named_in(
    table: Mapping[str, Any], *others: str, without: tuple[str, ...] = ()
) -> Allowed:
    """Allow the names of a table, also those it is given later, and these `others`.

    Names that begin with one of `without` are not allowed.
    """

    def is_named(value: Any) -> bool:
        known = isinstance(value, str) and (value in table or value in others)
        return known and not value.startswith(without)

    return Allowed(one_of(*filter(is_named, [*table, *others])).words, is_named)


def instance_of(kind: type, words: str) -> Allowed:
    """Allow an instance of `kind`, described by `words`."""
    return Allowed(words, lambda value: isinstance(value, kind))


def _has_items(value: Any) -> bool:
    """Tell whether a value has items that can be looked at as often as one likes."""
    try:
        return isinstance(value, Iterable) and len(value) >= 0  # type: ignore[arg-type]
    except TypeError:  # of a generator, and of an array without dimensions
        return False


def sequence_of(item: Allowed, words: str) -> Allowed:
    """Allow an array-like whose items each pass `item`; never a string."""

    def check(value: Any) -> bool:
        if isinstance(value, (str, bytes, Mapping, Set)) or not _has_items(value):
            return False
        return all(item.check(each) for each in value)

    return Allowed(words, check)


_BOOLS = f"an instance of 'bool' or an instance of 'numpy.{np.bool_.__name__}'"
BOOLEAN = Allowed(_BOOLS, lambda value: isinstance(value, (bool, np.bool_)))
INFINITY = Allowed(
    "a float among {inf}", lambda value: isinstance(value, float) and value == np.inf
)
NONE = Allowed("None", lambda value: value is None)
RATE = real(0.0, 1.0, "left")
VERBOSE = Allowed(
    f"an int in the range [0, inf), {_BOOLS}",
    lambda value: isinstance(value, (numbers.Integral, np.bool_)) and int(value) >= 0,
)
RANDOM_STATE = Allowed(
    "an int in the range [0, 4294967295], an instance of "
    "'numpy.random.mtrand.RandomState' or None",
    lambda value: (
        value is None
        or isinstance(value, np.random.RandomState)
        or (_is_number(value, numbers.Integral) and 0 <= value < 2**32)
    ),
)
CLASS_WEIGHT = (
    instance_of(dict, "an instance of 'dict'")
    | one_of("balanced")
    | sequence_of(instance_of(dict, "a dict"), "a list of dicts, one per output")
    | NONE
)


def validate_parameters(
    estimator: Any, rows: Mapping[str, Parameter], names: Iterable[str]
) -> None:
    """Raise InvalidParameterError for the first of `names` that is not allowed."""
    for name in names:
        value = getattr(estimator, name)
        if not rows[name].allowed.check(value):
            huge = isinstance(value, numbers.Integral) and int(value) > _LARGEST
            bits = " of at most 64 bits" if huge else ""
            raise InvalidParameterError(
                f"The {name!r} parameter of {type(estimator).__name__} must be "
                f"{rows[name].allowed.words}{bits}. Got {value!r} instead."
            )


def document(rows: Mapping[str, Parameter], attributes: str = "") -> Callable[[T], T]:
    """Fill ``{parameters}`` and ``{attributes}`` in the docstring of a class."""

    def fill(cls: T) -> T:
        text = "\n".join(_entry(name, row) for name, row in rows.items())
        doc = inspect.cleandoc(cls.__doc__ or "").replace("{parameters}", text.strip())
        cls.__doc__ = doc.replace("{attributes}", attributes.strip())
        return cls

    return fill


def _entry(name: str, row: Parameter) -> str:
    description = textwrap.dedent(row.description).strip()
    return f"{name} : {row.type_line}\n{textwrap.indent(description, '    ')}\n"
