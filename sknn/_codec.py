"""Objects as JSON and named arrays, and back: a closed set of types, nothing imported.

Which classes belong to it is told by whoever makes a `Codec`; files are not known here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from sknn._array import Array
from sknn._tensors import FileFormatError, can_hold

_TYPES: dict[str, type] = {kind.__name__: kind for kind in (bool, int, float, str)} | {
    f"numpy.{name}": getattr(np, name)
    for name in ("bool_", "int32", "int64", "float16", "float32", "float64", "str_")
}
_TYPE_NAMES = {kind: name for name, kind in _TYPES.items()}
_DTYPE = re.compile(r"[<>|]([biuf][0-9]|[US][0-9]{1,9}|[mM]8(\[[0-9]*[a-zA-Z]+\])?)")
_LAST_CHARACTER = 0x10FFFF
_INLINE = (np.bool_, np.integer, np.float16, np.float32, np.float64, np.str_)


@dataclass(frozen=True)
class Form:
    """How objects of one class are taken apart, and put together again.

    Parameters
    ----------
    kind : type
        The class itself, not one derived from it.
    take : callable
        ``take(object)`` returns a dict of what the object consists of.
    make : callable
        ``make(parts)`` returns an object from such a dict, or raises any exception
        where it cannot be one.
    """

    kind: type
    take: Callable[[Any], dict[str, Any]]
    make: Callable[[dict[str, Any]], Any]


def dataclass_form(kind: Any) -> Form:
    """Return the form of a dataclass: the arguments that make it."""
    names = [item.name for item in fields(kind) if item.init]

    def take(value: Any) -> dict[str, Any]:
        return {name: getattr(value, name) for name in names}

    return Form(kind, take, lambda parts: kind(**parts))


def attributes_form(kind: Any) -> Form:
    """Return the form of a plain object: its attributes."""

    def make(parts: dict[str, Any]) -> Any:
        value = kind.__new__(kind)
        vars(value).update(parts)
        return value

    return Form(kind, lambda value: dict(vars(value)), make)


class Codec:
    """Turns objects into a tree for JSON and a dict of arrays, and back.

    Beside the classes it is given it knows None, booleans, numbers, strings, lists,
    tuples, dicts, paths, NumPy's arrays, scalars and dtypes, and some scalar types.
    An object, a dict or an array that stands in several places is one again afterwards.

    Parameters
    ----------
    forms : mapping of str to Form
        The classes by the names that stand for them.
    """

    def __init__(self, forms: Mapping[str, Form]) -> None:
        self._forms = dict(forms)
        self._names = {form.kind: name for name, form in self._forms.items()}

    def encode(self, value: Any, name: str) -> tuple[Any, dict[str, Array]]:
        """Return the tree and the arrays that `value` consists of.

        Parameters
        ----------
        value : object
            What to encode.
        name : str
            What errors call it.

        Raises
        ------
        TypeError
            If something in it is of a type that is not known; it names the place.
        """
        writer = _Writer(self._forms, self._names)
        return writer.node(value, name), writer.arrays

    def decode(self, tree: Any, arrays: Mapping[str, Array]) -> Any:
        """Return the object that `encode` has taken apart.

        Raises
        ------
        FileFormatError
            If tree and arrays are not what `encode` returns.
        """
        reader = _Reader(self._forms, arrays)
        try:
            value = reader.node(tree)
        except FileFormatError:
            raise
        except RecursionError:
            raise FileFormatError("it is damaged, it goes too deep") from None
        unused = set(arrays) - reader.used
        if unused:
            raise FileFormatError(
                f"it is damaged, nobody asks for its array {min(unused)!r:.100}"
            )
        return value


class _Writer:
    """Takes one object apart."""

    def __init__(self, forms: dict[str, Form], names: dict[type, str]) -> None:
        self._forms, self._names = forms, names
        self.arrays: dict[str, Array] = {}
        self._done: dict[int, int] = {}
        self._stored: dict[int, dict[str, Any]] = {}
        self._alive: list[Any] = []  # or a new object could have the id of a former one

    def node(self, value: Any, path: str) -> Any:
        """Return the tree of `value`, which stands at `path`."""
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else _tag("float", value=repr(value))
        if kind is list:
            return self._items(value, path)
        if kind is tuple:
            return _tag("tuple", items=self._items(value, path))
        if kind is dict or kind in self._names:
            return self._once(value, path)
        if isinstance(value, np.ndarray):
            return self._array(value, path)
        return self._small(value, path)

    def _items(self, values: Any, path: str) -> list[Any]:
        return [self.node(item, f"{path}[{i}]") for i, item in enumerate(values)]

    def _once(self, value: Any, path: str) -> Any:
        """Return the tree of a dict or an object, or where it has stood before."""
        number = self._done.get(id(value))
        if number is not None:
            return _tag("same", number=number)
        self._alive.append(value)
        node = (
            self._dict(value, path)
            if type(value) is dict
            else self._object(value, path)
        )
        self._done[id(value)] = len(self._done)
        return node

    def _dict(self, value: dict[Any, Any], path: str) -> Any:
        items = [
            [self.node(key, f"a key of {path}"), self.node(item, _inside(path, key))]
            for key, item in value.items()
        ]
        return _tag("dict", items=items)

    def _object(self, value: Any, path: str) -> Any:
        name = self._names[type(value)]
        parts = self._forms[name].take(value)
        tree = {key: self.node(part, f"{path}.{key}") for key, part in parts.items()}
        return _tag("object", kind=name, parts=tree)

    def _small(self, value: Any, path: str) -> Any:
        if isinstance(value, _INLINE):
            plain = self.node(value.item(), path)
            return _tag("scalar", dtype=_code(value.dtype), value=plain)
        if isinstance(value, np.generic):
            return _tag("scalar_of", array=self.node(np.asarray(value), path))
        if isinstance(value, np.dtype) and value.kind in "biufUS":
            return _tag("dtype", value=value.str)
        if isinstance(value, type) and value in _TYPE_NAMES:
            return _tag("type", value=_TYPE_NAMES[value])
        if isinstance(value, Path):
            return _tag("path", value=str(value))
        raise TypeError(f"{path} is {value!r:.100}, of {_describe(type(value))}")

    def _array(self, value: Any, path: str) -> Any:
        self._alive.append(value)
        if id(value) not in self._stored:
            self._stored[id(value)] = self._new_array(value, path)
        return self._stored[id(value)]

    def _new_array(self, value: Any, path: str) -> dict[str, Any]:
        array = np.asarray(value)
        if isinstance(value, np.ma.MaskedArray) or array.dtype.fields is not None:
            raise TypeError(f"{path} is an array of {_describe(type(value))}")
        if array.dtype == object:
            items = self._items(array.ravel().tolist(), path)
            return _tag("objects", shape=list(array.shape), items=items)
        order = "C" if array.flags.c_contiguous or not array.flags.f_contiguous else "F"
        plain, dtype = (
            _as_numbers(array if order == "C" else array.T),
            _code(array.dtype),
        )
        if not can_hold(plain):
            raise TypeError(f"{path} is an array of dtype {array.dtype}")
        name = self._free_name(path)
        self.arrays[name] = plain
        return _tag("array", name=name, dtype=dtype, order=order)

    def _free_name(self, path: str) -> str:
        name, i = path, 1
        while name in self.arrays:
            name, i = f"{path}~{i}", i + 1
        return name


class _Reader:
    """Puts one object together."""

    def __init__(self, forms: dict[str, Form], arrays: Mapping[str, Array]) -> None:
        self._forms, self._arrays = forms, arrays
        self.used: set[str] = set()
        self._done: list[Any] = []
        self._made: dict[tuple[str, str, str], Array] = {}
        self._readers: dict[str, Callable[..., Any]] = {
            "float": self._float,
            "tuple": lambda items: tuple(self._list(items)),
            "dict": self._dict,
            "object": self._object,
            "same": self._same,
            "scalar": self._scalar,
            "scalar_of": lambda array: self.node(array)[()],
            "dtype": _dtype,
            "type": lambda value: _TYPES[value],
            "path": lambda value: Path(value),
            "objects": self._objects,
            "array": self._array,
        }

    def node(self, tree: Any) -> Any:
        """Return what `tree` stands for."""
        if isinstance(tree, list):
            return self._list(tree)
        if not isinstance(tree, dict):
            return tree
        parts = dict(tree)
        tag = parts.pop("is", None)
        try:
            return self._readers[tag](**parts)
        except (FileFormatError, MemoryError, RecursionError):
            raise
        except Exception as error:
            what = f"{tag} {parts.get('kind', '')}".strip()
            raise FileFormatError(
                f"it is damaged, or of a newer sknn: {what!r:.100} cannot be made "
                f"({type(error).__name__}: {error!s:.300})"
            ) from error

    def _list(self, items: list[Any]) -> list[Any]:
        if not isinstance(items, list):
            raise TypeError("items must be a list")
        return [self.node(item) for item in items]

    def _float(self, value: str) -> float:
        return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[value]

    def _dict(self, items: list[Any]) -> dict[Any, Any]:
        value = {self.node(key): self.node(item) for key, item in items}
        if len(value) < len(items):
            raise ValueError("a key stands twice")
        self._done.append(value)
        return value

    def _object(self, kind: str, parts: dict[str, Any]) -> Any:
        if kind not in self._forms:
            raise FileFormatError(
                f"it has an object of the class {kind!r:.100}, which is not known "
                "here; a newer sknn may know it"
            )
        made = {name: self.node(part) for name, part in parts.items()}
        value = self._forms[kind].make(made)
        self._done.append(value)
        return value

    def _same(self, number: int) -> Any:
        if type(number) is not int or number < 0:
            raise ValueError("there is no such object")
        return self._done[number]

    def _scalar(self, dtype: str, value: Any) -> Any:
        kind = _dtype(dtype)
        if kind.kind not in "biufU":
            raise ValueError(f"a scalar of {dtype}")
        return np.asarray(self.node(value), kind)[()]

    def _objects(self, shape: list[int], items: list[Any]) -> Array:
        made = self._list(items)
        if math.prod(shape) != len(made) or min(shape, default=0) < 0:
            raise ValueError("its shape does not fit to its items")
        array = np.empty(len(made), object)
        for i, item in enumerate(made):
            array[i] = item
        return array.reshape(shape)

    def _array(self, name: str, dtype: str, order: str) -> Array:
        key = name, dtype, order
        if key not in self._made:
            self.used.add(name)
            array = _from_numbers(self._arrays[name], _dtype(dtype))
            self._made[key] = {"C": array, "F": array.T}[order]
        return self._made[key]


def _tag(tag: str, **parts: Any) -> dict[str, Any]:
    return {"is": tag, **parts}


def _inside(path: str, key: Any) -> str:
    return f"{path}.{key}" if isinstance(key, str) else f"{path}[{key!r}]"


def _describe(kind: type) -> str:
    return f"the class {kind.__module__}.{kind.__qualname__}"


def _code(dtype: np.dtype[Any]) -> str:
    """Return NumPy's code of a dtype in little-endian order."""
    return dtype.newbyteorder("<").str


def _dtype(value: str) -> np.dtype[Any]:
    if not _DTYPE.fullmatch(value):
        raise ValueError(f"there is no dtype {value!r:.50}")
    return np.dtype(value)


def _as_numbers(array: Array) -> Array:
    """Return an array of text or time as one of numbers, of the machine's order."""
    kind = array.dtype.kind
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if kind not in "USmM":
        return array
    array = np.array(array, order="C")
    if kind in "mM":
        return array.view(np.int64)
    unit = np.uint32 if kind == "U" else np.uint8
    width = array.dtype.itemsize // np.dtype(unit).itemsize
    return array.view(unit).reshape(*array.shape, width)


def _from_numbers(numbers: Array, dtype: np.dtype[Any]) -> Array:
    """Return the array that `_as_numbers` was given, in the machine's byte order."""
    dtype = dtype.newbyteorder("=")
    if dtype.kind not in "USmM":
        if numbers.dtype != dtype:
            raise ValueError(f"it is of {numbers.dtype}, where {dtype} is expected")
        return numbers
    if dtype.kind == "U" and numbers.max(initial=0) > _LAST_CHARACTER:
        raise ValueError("it has characters that are none")
    if dtype.kind in "mM":
        return numbers.view(dtype)
    unit = np.dtype(np.uint32 if dtype.kind == "U" else np.uint8)
    if numbers.dtype != unit or numbers.shape[-1] * unit.itemsize != dtype.itemsize:
        raise ValueError(f"it does not fit to {dtype}")
    return np.array(numbers, order="C").view(dtype)[..., 0]
