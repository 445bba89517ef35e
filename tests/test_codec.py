"""Objects become JSON and arrays, and come back as they were or not at all."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from sknn._codec import Codec, attributes_form, dataclass_form
from sknn._tensors import FileFormatError


@dataclass(frozen=True)
class Point:
    """Something with fields."""

    x: float
    y: object = None

    def __post_init__(self):
        """Check the field."""
        if isinstance(self.x, str):
            raise ValueError("x must be a number")


class Plain:
    """Something with attributes."""


CODEC = Codec({"Point": dataclass_form(Point), "Plain": attributes_form(Plain)})

VALUES = {
    "nothing": None,
    "bool": True,
    "int": 10**40,
    "float": 0.1,
    "minus zero": -0.0,
    "infinity": -math.inf,
    "text": "größer\x00\ud800",
    "list": [1, [2.5, "x"], []],
    "tuple": ((1,), ()),
    "dict": {"a": 1, 2: [3], (4, None): {}, 1.5: math.inf},
    "path": Path("a/b"),
    "scalar": np.float32(0.1),
    "int scalar": np.int16(-3),
    "bool scalar": np.True_,
    "text scalar": np.str_("ab"),
    "nan scalar": np.float64(np.inf),
    "time scalar": np.datetime64("2020-01-02"),
    "type": [float, np.float32, np.int64, str],
    "object": Point(1.0, Point(2.0, [None])),
}
ARRAYS = {
    "float64": np.linspace(0, 1, 7),
    "float16": np.ones((2, 3), "f2"),
    "no axis": np.array(3.5),
    "empty": np.empty((0, 4)),
    "Fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(20)[::3],
    "big-endian": np.arange(5, dtype=">i4"),
    "bool": np.array([True, False]),
    "text": np.array([["a", "größer"], ["", "x\x00y"]]),
    "bytes": np.array([b"a", b"\xff\x00b"]),
    "days": np.array(["2020-01-02", "NaT"], "M8[D]"),
    "seconds": np.array([1, 2], "m8[s]"),
    "objects": np.array([["a", None], [1, 2.5]], object),
    "read-only": np.broadcast_to(np.arange(3), (2, 3)),
}


def there_and_back(value):
    tree, arrays = CODEC.encode(value, "it")
    return CODEC.decode(json.loads(json.dumps(tree)), arrays)


def same_type(one, other):
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and all(map(same_type, one, other))
    return type(one) is type(other)


@pytest.mark.parametrize("name", VALUES)
def test_values_come_back(name):
    value = VALUES[name]
    again = there_and_back(value)
    assert again == value
    assert same_type(value, again)
    assert str(again) == str(value)  # the sign of zero, too


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_come_back_in_their_order(name):
    array = ARRAYS[name]
    again = there_and_back(array)
    np.testing.assert_array_equal(again, array)
    assert again.dtype == array.dtype.newbyteorder("=")
    assert again.flags.f_contiguous == array.flags.f_contiguous or name == "read-only"


def test_nan_comes_back():
    assert math.isnan(there_and_back([math.nan])[0])


def test_dtypes_come_back():
    for code in ("<f8", ">f4", "|b1", "<U3", "|S2"):
        assert there_and_back(np.dtype(code)) == np.dtype(code)


def test_what_is_one_object_is_one_again():
    point, array, names = Point(1.0), np.arange(3), {}
    value = [point, point, array, {"a": array}, names, names, Point(1.0)]
    again = there_and_back(value)
    assert again[0] is again[1]
    assert again[2] is again[3]["a"]
    assert again[4] is again[5]
    assert again[6] is not again[0]


def test_attributes_come_back():
    plain = Plain()
    plain.a, plain.b = np.arange(2), [Point(3)]
    again = there_and_back(plain)
    assert type(again) is Plain
    assert again.b == plain.b
    np.testing.assert_array_equal(again.a, plain.a)


class Derived(Point):
    """Has the fields of a known class, and may do something else."""


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": [print]}, r"it\.a\[0\] is <built-in function print>, of the class"),
        ([Derived(1)], r"it\[0\] is .*Derived"),
        (Point(1.0, {1, 2}), r"it\.y is \{1, 2\}, of the class builtins.set"),
        (np.ones(2, complex), "it is an array of dtype complex128"),
        (np.ones(2, np.longdouble), "it is an array of dtype"),
        (np.ones(2, "f8,i4"), "it is an array of the class"),
        (np.ma.masked_array([1, 2]), "it is an array of the class .*MaskedArray"),
        (Point, "it is <class .*Point"),
        (np.dtype("f8,i4"), "it is dtype"),
        ({print: 1}, "a key of it is"),
    ],
)
def test_what_is_not_known_is_named_with_its_place(value, words):
    with pytest.raises(TypeError, match=words):
        CODEC.encode(value, "it")


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"is": "unknown"},
        {"is": []},
        {"is": "float", "value": "1e3"},
        {"is": "float"},
        {"is": "tuple", "items": 3},
        {"is": "tuple", "items": [], "more": 1},
        {"is": "dict", "items": [["a", 1], ["a", 2]]},
        {"is": "dict", "items": [[[], 1]]},
        {"is": "dict", "items": [["a"]]},
        {"is": "object", "kind": "Point", "parts": {"x": "text"}},
        {"is": "object", "kind": "Point", "parts": {"z": 1}},
        {"is": "object", "kind": "Point", "parts": 3},
        {"is": "object", "kind": "os.system", "parts": {"command": "true"}},
        {"is": "same", "number": 0},
        {"is": "same", "number": -1},
        {"is": "same", "number": True},
        {"is": "scalar", "dtype": "<f8", "value": "text"},
        {"is": "scalar", "dtype": "|O", "value": 1},
        {"is": "dtype", "value": "f8,i4"},
        {"is": "dtype", "value": "|O"},
        {"is": "dtype", "value": ["<f8"]},
        {"is": "type", "value": "object"},
        {"is": "path", "value": 3},
        {"is": "objects", "shape": [2], "items": [1]},
        {"is": "objects", "shape": [-1], "items": [1]},
        {"is": "array", "name": "none", "dtype": "<f8", "order": "C"},
        {"is": "array", "name": "a", "dtype": "<f4", "order": "C"},
        {"is": "array", "name": "a", "dtype": "<f8", "order": "K"},
        {"is": "array", "name": "a", "dtype": "<U2", "order": "C"},
        {"is": "array", "name": "codes", "dtype": "<U1", "order": "C"},
        {"is": "array", "name": "codes", "dtype": "<U3", "order": "C"},
        {"is": "scalar_of", "array": 3},
    ],
)
def test_trees_that_nobody_writes_are_refused(tree):
    arrays = {"a": np.ones(2), "codes": np.full((2, 1), 2**31, "u4")}
    # What is left over would be refused anyway.
    arrays = {k: v for k, v in arrays.items() if tree.get("name") == k}
    with pytest.raises(FileFormatError, match=r"cannot be made|is not known here"):
        CODEC.decode(tree, arrays)


def test_an_array_that_nobody_asks_for_is_refused():
    with pytest.raises(FileFormatError, match="nobody asks for its array 'more'"):
        CODEC.decode([1], {"more": np.ones(1)})


def test_what_goes_too_deep_is_refused():
    tree = []
    for _ in range(100_000):
        tree = [tree]
    with pytest.raises(FileFormatError, match="too deep"):
        CODEC.decode(tree, {})
