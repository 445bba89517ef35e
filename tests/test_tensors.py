"""Arrays come back from their file as they were, or not at all."""

import importlib.util
import json
import os
import pathlib
import pickle
import re
import tracemalloc
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sknn import _tensors
from sknn._tensors import FileFormatError, read_tensors, write_tensors


def load_proof():
    """Import the long run of this page, which is no module of a package."""
    path = pathlib.Path(__file__).parent / "proofs" / "mutated_files.py"
    spec = importlib.util.spec_from_file_location("mutated_files", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


proof = load_proof()

KINDS = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]
DTYPES = st.builds(
    lambda order, kind: np.dtype(order + kind),
    st.sampled_from("<>"),
    st.sampled_from(KINDS),
)


def unaligned(array):
    """A copy whose memory starts where none of its numbers may."""
    memory = np.empty(array.nbytes + 1, "u1")
    copy = memory[1:].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "strided": lambda array: np.stack([array, array], axis=-1)[..., 0],
    "backwards": lambda array: np.asarray(np.flip(np.array(np.flip(array)))),
    "unaligned": unaligned,
}
ARRAYS = st.builds(
    lambda array, layout: LAYOUTS[layout](array).reshape(array.shape),
    hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, min_side=0, max_dims=4)),
    st.sampled_from(sorted(LAYOUTS)),
)
METADATA = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=10,
)
NAMES = st.text(st.characters(exclude_categories=["Cs"])).filter("__metadata__".__ne__)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "arrays.bin"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """One file for many examples."""
    return tmp_path_factory.mktemp("tensors") / "arrays.bin"


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def assert_as_written(read, arrays):
    """Shapes, dtypes and bits, and the order of the names."""
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        native = array.dtype.newbyteorder("=")
        assert read[name].dtype == native
        assert read[name].shape == array.shape
        assert read[name].tobytes() == array.astype(native).tobytes("C")
        flags = read[name].flags
        assert flags.owndata
        assert flags.writeable
        assert flags.c_contiguous
        assert flags.aligned


# What is written can be read


@given(arrays=st.dictionaries(NAMES, ARRAYS, max_size=4), metadata=METADATA)
def test_arrays_and_metadata_come_back(scratch, arrays, metadata):
    write_tensors(scratch, arrays, metadata)
    read, found = read_tensors(scratch)
    assert_as_written(read, arrays)
    assert repr(found) == repr(metadata)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("piece", [1, 7, 1 << 17])
@pytest.mark.parametrize("kind", ["?", ">i4", "<f2", ">f8"])
def test_memory_order_and_byte_order_do_not_matter(
    path, monkeypatch, layout, piece, kind
):
    monkeypatch.setattr(_tensors, "_PIECE", piece)
    array = LAYOUTS[layout](np.arange(60).reshape(3, 4, 5).astype(kind))
    array.flags.writeable = False
    write_tensors(path, {"a": array, "T": array.T, "part": array[::2, 1:, ::-1]}, None)
    read, _ = read_tensors(path)
    assert_as_written(read, {"a": array, "T": array.T, "part": array[::2, 1:, ::-1]})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (0,), (0, 3), (3, 0)])
def test_few_elements_or_none_are_written_in_either_byte_order(path, kind, shape):
    arrays = {order: np.ones(shape, order + kind) for order in "<>"}
    for _ in range(3):  # memory not written to may hold the right numbers by chance
        write_tensors(path, arrays, None)
        assert_as_written(read_tensors(path)[0], arrays)


def test_views_that_repeat_and_mapped_files_are_written(path):
    np.save(path.with_suffix(".npy"), np.arange(6.0))
    mapped = np.load(path.with_suffix(".npy"), mmap_mode="r")
    arrays = {"repeated": np.broadcast_to(np.arange(3), (4, 3)), "mapped": mapped}
    write_tensors(path, arrays, None)
    assert_as_written(read_tensors(path)[0], arrays)


def test_special_floats_keep_their_bits(path):
    bits = np.array([0, 1 << 63, 0x7FF0 << 48, 0x7FF8 << 48 | 5, 1], "u8")
    write_tensors(path, {"x": bits.view("f8")}, None)
    np.testing.assert_array_equal(read_tensors(path)[0]["x"].view("u8"), bits)


def test_bytes_are_those_of_the_layout(path):
    arrays = {"b": np.array([True, False]), "W": np.array([[1, 2], [3, 4]], ">i2").T}
    write_tensors(path, arrays, {"a": [1.5, None]})
    header = (
        b'{"__metadata__":{"format":"sknn","sha256":"' + b"0" * 64 + b'",'
        b'"format_version":"1","content":"{\\"a\\":[1.5,null]}"},'
        b'"b":{"dtype":"BOOL","shape":[2],"data_offsets":[8,10]},'
        b'"W":{"dtype":"I16","shape":[2,2],"data_offsets":[0,8]}}'
    )
    header += b" " * (-len(header) % 8)
    data = bytes([1, 0, 3, 0, 2, 0, 4, 0, 1, 0])
    assert path.read_bytes() == proof.seal(proof.join(header, data))


def test_every_array_starts_at_a_multiple_of_its_item_size(path):
    arrays = {kind: np.zeros(3, kind) for kind in KINDS}
    write_tensors(path, arrays, "x")
    header, _ = proof.split(path.read_bytes())
    assert len(header) % 8 == 0
    fields = json.loads(header)
    for kind in KINDS:
        assert fields[kind]["data_offsets"][0] % np.dtype(kind).itemsize == 0


def test_safetensors_reads_the_file(path):
    safetensors = pytest.importorskip("safetensors.numpy")
    for arrays, metadata in proof.examples():
        write_tensors(path, arrays, metadata)
        read = safetensors.load_file(path)
        assert sorted(read) == sorted(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(read[name], array, strict=True)


def test_same_arrays_give_the_same_bytes(path):
    files = []
    for order in "CF":
        write_tensors(path, {"a": np.asarray(np.eye(3, 4), order=order)}, {"x": 1})
        files.append(path.read_bytes())
    assert files[0] == files[1]


# Memory


def peak(function, *args):
    tracemalloc.start()
    try:
        function(*args)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["<f8", ">f8", "?"])
def test_writing_copies_no_array(path, order, kind):
    array = np.ones((1000, 1000), kind, order)
    assert (
        peak(write_tensors, path, {"a": array, "T": array.T}, None) < array.nbytes / 2
    )


def test_reading_takes_the_memory_of_the_arrays(path):
    write_tensors(path, {"a": np.ones(1_000_000), "b": np.ones(1_000_000, "?")}, None)
    assert peak(read_tensors, path) < 1.1 * 9_000_000


def test_a_header_that_lies_about_sizes_costs_no_memory(path):
    def read():
        with pytest.raises(FileFormatError, match="truncated"):
            read_tensors(path)

    path.write_bytes(made(W=entry("F64", [1 << 27], [0, 1 << 30])))
    assert peak(read) < 1 << 20
    path.write_bytes((99_999_999).to_bytes(8, "little") + made()[8:])
    assert peak(read) < 1 << 20


# What cannot be written


@pytest.mark.parametrize(
    "array",
    [
        np.array([1j]),
        np.array(["a"]),
        np.array([None]),
        np.array([0], "M8[s]"),
        np.array([(1,)], [("x", "i4")]),
        np.zeros(1, "V8"),
        np.ma.masked_array([1.0, 2.0], [True, False]),
        np.float64(1.0),
        [1.0],
        np.array([0, 2], "u1").view("?"),
    ],
    ids=lambda array: f"{type(array).__name__} {getattr(array, 'dtype', '')}",
)
def test_other_arrays_are_refused_by_name(path, array):
    with pytest.raises(ValueError, match="array 'the one'"):
        write_tensors(path, {"good": np.ones(1), "the one": array}, None)
    assert names(path.parent) == []


def test_long_doubles_are_refused_where_they_are_longer(path):
    if np.dtype("longdouble") == np.dtype("f8"):
        pytest.skip("here they are float64")
    with pytest.raises(ValueError, match="'x' must be of dtype bool, int8 to int64"):
        write_tensors(path, {"x": np.ones(1, "longdouble")}, None)


@pytest.mark.parametrize("name", ["__metadata__", 1, None, "half \ud800"])
def test_names_that_the_header_cannot_hold_are_refused(path, name):
    with pytest.raises(ValueError, match=r"names must be"):
        write_tensors(path, {name: np.ones(1)}, None)
    assert names(path.parent) == []


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "metadata",
    [
        float("nan"),
        [float("inf")],
        {1: "a"},
        {"a": {1: 2, "1": 3}},
        (1, 2),
        {"a": (1,)},
        np.float32(1),
        np.ones(2),
        {1, 2},
        b"bytes",
        object(),
        nested(100_000),
        10**5000,
    ],
    ids=lambda metadata: f"{type(metadata).__name__}",
)
def test_metadata_that_would_not_come_back_are_refused(path, metadata):
    with pytest.raises(ValueError, match="metadata must be what JSON"):
        write_tensors(path, {}, metadata)
    assert names(path.parent) == []


def test_a_header_that_could_not_be_read_is_not_written(path, monkeypatch):
    monkeypatch.setattr(_tensors, "_LARGEST_HEADER", 1000)
    with pytest.raises(ValueError, match="must fit into 1000 bytes, got 1"):
        write_tensors(path, {}, "x" * 1000)
    assert names(path.parent) == []


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
@pytest.mark.parametrize("n", range(5))
def test_an_interrupted_write_leaves_the_old_file(path, monkeypatch, error, n):
    write_tensors(path, {"old": np.arange(3)}, "old")
    before, pieces = path.read_bytes(), _tensors._pieces

    def fail(*args):
        for i, piece in enumerate(pieces(*args)):
            if i == n:
                raise error
            yield piece

    monkeypatch.setattr(_tensors, "_pieces", fail)
    monkeypatch.setattr(_tensors, "_PIECE", 10_000)
    with pytest.raises(type(error)):
        write_tensors(path, {"new": np.ones(100_000)}, "new")
    assert path.read_bytes() == before
    assert names(path.parent) == ["arrays.bin"]


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_failure_at_the_end_leaves_the_old_file(path, monkeypatch, function):
    write_tensors(path, {"old": np.arange(3)}, "old")

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, function, fail)
    with pytest.raises(OSError, match="disk full"):
        write_tensors(path, {"new": np.ones(3)}, "new")
    monkeypatch.undo()
    assert read_tensors(path)[1] == "old"
    assert names(path.parent) == ["arrays.bin"]


# What is refused when it is read

GOOD = {"format": "sknn", "sha256": "0" * 64, "format_version": "1", "content": "null"}


def entry(dtype="I8", shape=(2,), offsets=(0, 2), **more):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets} | more


def made(data=b"", about=GOOD, **arrays):
    """A file made by hand, with a checksum that fits."""
    header = json.dumps({"__metadata__": about} | arrays, separators=(",", ":"))
    return proof.seal(proof.join(header.encode(), data))


def replaced(old, new, file=None):
    """A file in whose header some bytes are others, with a checksum that fits."""
    header, data = proof.split(made(b"ab", a=entry()) if file is None else file)
    assert old in header
    return proof.seal(proof.join(header.replace(old, new), data))


def flipped(place):
    file = bytearray(made(b"ab", a=entry()))
    file[place] ^= 1
    return bytes(file)


def other(**fields):
    return made(about=GOOD | fields)


def array(*args, data=b"ab", **kwargs):
    return made(data, a=entry(*args, **kwargs))


WHOLE = made(b"ab", a=entry())
TWO = dict(a=entry(), b=entry("I8", [3], [2, 5]))

DEFECTS = {
    # name: (file, what the message says)
    "empty": (b"", "truncated, its 0 bytes end in the header"),
    "in the length": (WHOLE[:5], "truncated, its 5 bytes"),
    "in the beginning": (WHOLE[:20], "truncated, its 20 bytes"),
    "in the header": (WHOLE[:130], "truncated, its 130 bytes"),
    "in the data": (WHOLE[:-1], "truncated, 1 bytes of data are missing"),
    "longer": (WHOLE + b"abc", "damaged, it is 3 bytes too long"),
    "text": (b"# A page\n\nof text and more of it.\n" * 9, "not a file of sknn"),
    "pickle": (pickle.dumps(["x" * 99] * 9), "not a file of sknn"),
    "zip": (b"PK\3\4" + bytes(200), "not a file of sknn"),
    "of safetensors": (
        proof.join(b'{"a":{"dtype":"I8","shape":[2],"data_offsets":[0,2]}}', b"ab"),
        "not a file of sknn",
    ),
    "of another format": (
        made(about={"format": "pt"} | {"x": "y" * 99}),
        "not a file of sknn",
    ),
    "a long header": (b"\xff" * 8 + WHOLE[8:], "header of 18446744073709551615 bytes"),
    "no header": (bytes(8) + WHOLE[8:], "its header is no JSON"),
    "a short header": (b"\x20" + bytes(7) + WHOLE[8:], "its header is no JSON"),
    "no JSON": (replaced(b"I8", b'I"8'), "its header is no JSON"),
    "no UTF-8": (replaced(b'"a"', b'"\xff"'), "its header is no JSON"),
    "a name twice": (
        replaced(b"}}", b'},"a":{}}'),
        "no JSON: a key stands twice in one object",
    ),
    "a field twice": (replaced(b'"dtype"', b'"shape"'), "a key stands twice"),
    "nan": (replaced(b"[2]", b"[NaN]"), "NaN is no finite number"),
    "infinity": (replaced(b"[2]", b"[1e999]"), "1e999 is no finite number"),
    "too deep": (replaced(b"[2]", b"[" * 100_000), "its header is no JSON"),
    "a long number": (replaced(b"[2]", b"[" + b"1" * 9999 + b"]"), "is no JSON"),
    "newer": (other(format_version="2"), "of version 2 of the format, and this sknn"),
    "version 0": (other(format_version="0"), "its format version is '0'"),
    "version a": (other(format_version="1a"), "its format version is '1a'"),
    "version 1": (other(format_version=1), "its format version is 1"),
    "no version": (
        made(about={key: GOOD[key] for key in ("format", "sha256", "content")}),
        "its format version is None",
    ),
    "no content": (
        made(about={key: GOOD[key] for key in ("format", "sha256", "format_version")}),
        "its header has other fields",
    ),
    "content that is no text": (other(content=None), "its header has other fields"),
    "more about it": (other(more="x"), "its header has other fields"),
    "no fields": (made(a=None), "'a' has other fields than dtype"),
    "few fields": (made(a={"dtype": "I8"}), "'a' has other fields than dtype"),
    "more fields": (array(more=1), "'a' has other fields than dtype"),
    "unknown dtype": (array("BF16"), "'a' has the unknown dtype 'BF16'"),
    "dtype of NumPy": (array("int8"), "'a' has the unknown dtype 'int8'"),
    "dtype no text": (array(["I8"]), "'a' has the unknown dtype"),
    "negative shape": (array("I8", [-1, -2]), r"'a' has the impossible shape \[-1"),
    "shape of floats": (array("I8", [2.0]), r"'a' has the impossible shape \[2.0"),
    "shape of booleans": (array("I8", [True, 2]), "'a' has the impossible shape"),
    "shape no list": (array("I8", 2), "'a' has the impossible shape 2"),
    "many axes": (array("I8", [1] * 64 + [2]), "'a' has the impossible shape"),
    "a long axis": (array("I8", [0, 2**63], [0, 0]), "'a' has the impossible shape"),
    "axes beside 0": (
        array("I8", [0, 2**62, 9], [0, 0], data=b""),
        "'a' has a shape that NumPy refuses",
    ),
    "negative offsets": (array("I8", [2], [-2, 0]), "'a' has the impossible offsets"),
    "three offsets": (array("I8", [2], [0, 2, 2]), "'a' has the impossible offsets"),
    "floats as offsets": (array("I8", [2], [0, 2.0]), "'a' has the impossible offsets"),
    "offsets no list": (array("I8", [2], {"0": 2}), "'a' has the impossible offsets"),
    "offsets backwards": (array("I8", [2], [2, 0]), "'a' has -2 bytes for the shape"),
    "shape too large": (array("I8", [3]), "'a' has 2 bytes for the shape"),
    "shape too small": (array("I8", []), "'a' has 2 bytes for the shape"),
    "dtype too large": (array("I16", [2]), "'a' has 2 bytes for the shape"),
    "a gap at first": (
        array("I8", [2], [1, 3], data=b"abc"),
        "'a' has data that do not begin",
    ),
    "a gap": (
        made(b"abcdef", a=TWO["a"], b=entry("I8", [3], [3, 6])),
        "'b' has data that do not begin",
    ),
    "an overlap": (
        made(b"abcd", a=TWO["a"], b=entry("I8", [3], [1, 4])),
        "'b' has data that do not begin",
    ),
    "the same data twice": (
        made(b"ab", a=TWO["a"], b=TWO["a"]),
        "'b' has data that do not begin",
    ),
    "data of nobody": (made(b"abcdefg", **TWO), "it is 2 bytes too long"),
    "odd booleans": (array("BOOL"), "'a' has booleans other than 0 and 1"),
    "content no JSON": (other(content="{"), "its content is no JSON"),
    "content empty": (other(content=""), "its content is no JSON"),
    "content twice": (other(content='{"a":1,"a":1}'), "content is no JSON: a key"),
    "content nan": (other(content="NaN"), "content is no JSON: NaN is no finite"),
    "content -inf": (other(content="-Infinity"), "content is no JSON: -Inf"),
    "content too deep": (other(content="[" * 100_000), "its content is no JSON"),
    "a flip in the data": (flipped(-1), "its checksum is not that of its data"),
    "another name": (WHOLE.replace(b'"a"', b'"b"'), "its checksum is not that"),
    "a flip in the checksum": (flipped(60), "its checksum is not that of its data"),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_told_with_the_name_of_the_file(path, name):
    data, message = DEFECTS[name]
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match=message) as caught:
        read_tensors(path)
    assert str(caught.value).startswith(f"cannot read {str(path)!r}: it is ")
    assert len(str(caught.value)) < len(str(path)) + 250
    assert isinstance(caught.value, ValueError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("data", [WHOLE, made(), made(b"abcde", **TWO)])
def test_what_the_defects_are_made_from_is_right(path, data):
    path.write_bytes(data)
    assert read_tensors(path)[1] is None


def test_order_of_the_header_is_free(path):
    path.write_bytes(
        made(b"abcde", b=TWO["b"], none=entry("F64", [0], [2, 2]), a=TWO["a"])
    )
    read, _ = read_tensors(path)
    assert list(read) == ["b", "none", "a"]
    assert read["a"].tobytes() + read["b"].tobytes() == b"abcde"


def test_a_file_that_shrinks_while_it_is_read_is_refused(path, monkeypatch):
    path.write_bytes(WHOLE[:-1])
    before = SimpleNamespace(st_size=len(WHOLE))
    monkeypatch.setattr(os, "fstat", lambda descriptor: before)
    with pytest.raises(FileFormatError, match="became shorter while it was read"):
        read_tensors(path)


def test_a_missing_file_is_an_error_of_the_system(path):
    with pytest.raises(FileNotFoundError, match=re.escape(path.name)):
        read_tensors(path)


def test_every_bit_and_every_length_counts(path):
    write_tensors(path, {"a": np.arange(3, dtype="i2")}, {"x": 1})
    good = path.read_bytes()
    damaged = [good[:i] for i in range(len(good))]
    for i in range(len(good)):
        damaged.append(good[:i] + bytes([good[i] ^ 1 << i % 8]) + good[i + 1 :])
    for data in damaged:
        path.write_bytes(data)
        with pytest.raises(FileFormatError):
            read_tensors(path)


def test_mutated_files_are_refused_or_as_they_were():
    found = Counter(what for _, what in proof.mutations(300))
    assert found["refused"] > 200
