"""Named arrays and JSON in one file: the layout of safetensors, with a checksum.

What the arrays and the metadata mean is others' business.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sknn._files import open_atomically

Array = NDArray[Any]

_FORMAT, _VERSION = "sknn", 1

# The names that safetensors has for the dtypes, and those that NumPy has.
_CODES = {
    "BOOL": "|b1",
    "I8": "|i1",
    "I16": "<i2",
    "I32": "<i4",
    "I64": "<i8",
    "U8": "|u1",
    "U16": "<u2",
    "U32": "<u4",
    "U64": "<u8",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
}
_NAMES = {code: name for name, code in _CODES.items()}

# Every header begins like this, so that the checksum has a fixed place behind it.
_START = b'{"__metadata__":{"format":"sknn","sha256":"'
_NO_DIGEST = "0" * 64
_DIGEST_END = len(_START) + len(_NO_DIGEST)

_LARGEST_HEADER = 100_000_000  # bytes; safetensors reads no longer ones
_LARGEST_AXIS = 2**63 - 1
_MOST_AXES = 64
_PIECE = 1 << 17  # elements that are written at once


class FileFormatError(ValueError):
    """A file is not what it should be: damaged, of another kind, or too new."""


@dataclass(frozen=True)
class _Entry:
    """What the header tells of one array; `start` and `stop` count bytes of data."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    stop: int


def write_tensors(
    path: str | os.PathLike[str], arrays: Mapping[str, Array], metadata: Any
) -> None:
    """Write named arrays and metadata to a file, which is there whole or not at all.

    Parameters
    ----------
    path : str or path-like
        The file; its folder must exist. A file that is there is replaced.
    arrays : mapping of str to ndarray of any shape
        Of booleans, integers of 8 to 64 bits or floats of 16 to 64 bits, in any memory
        order and byte order. They are written piece by piece, never copied whole.
    metadata : object
        None, booleans, finite numbers, strings, and lists and dicts of these; keys are
        strings.

    Raises
    ------
    ValueError
        If an array or the metadata is of another kind.
    OSError
        If the file cannot be written; it is then as it was.

    Notes
    -----
    The layout is that of safetensors: eight bytes with the length of the header, the
    header in JSON, the data in C order and little-endian. Larger dtypes come first, so
    that every array starts at a multiple of its item size. ``__metadata__`` holds the
    format and its version, the metadata as JSON (``content``), and the sha256 of the
    whole file with zeros in place of its own 64 digits.

    The checksum is that of the bytes that were written. An array that another thread
    changes meanwhile gives a file that can be read.
    """
    arrays = dict(arrays)
    for name, array in arrays.items():
        _check_array(name, array)
    header = _make_header(arrays, _dump(metadata))
    digest = hashlib.sha256()
    with open_atomically(path) as file:
        for piece in _pieces(header, arrays):
            digest.update(piece)
            file.write(piece)
        file.seek(8 + len(_START))
        file.write(digest.hexdigest().encode())


def read_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, Array], Any]:
    """Read what `write_tensors` wrote, or nothing.

    Everything is checked before anything is returned. Nothing in the file is executed
    or imported, and arrays are allocated once the file is known to have their bytes.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    arrays : dict of str to ndarray
        The arrays in the order in which they were given, of the shapes they had, in C
        order and of the machine's byte order. They are writable and own their memory.
    metadata : object
        As it was given.

    Raises
    ------
    FileFormatError
        If the file is damaged, none of sknn, or of a newer version of the format.
    OSError
        If the file cannot be opened or read.
    """
    with open(os.fspath(path), "rb") as file:  # a number would be an open file's
        try:
            return _read(file)
        except FileFormatError as error:
            raise FileFormatError(f"cannot read {os.fspath(path)!r}: {error}") from None


# Writing


def _check_array(name: Any, array: Any) -> None:
    """Raise ValueError unless name and array can be written and read again."""
    if not isinstance(name, str) or name == "__metadata__":
        raise ValueError(
            f"names must be strings other than '__metadata__', got {name!r}"
        )
    if re.search("[\ud800-\udfff]", name):  # halves of characters, no text in UTF-8
        raise ValueError(f"names must be text that UTF-8 can encode, got {name!r}")
    if not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray):
        kind = type(array).__name__
        raise ValueError(f"array {name!r} must be an ndarray without mask, got {kind}")
    if not can_hold(array):
        raise ValueError(
            f"array {name!r} must be of dtype bool, int8 to int64, uint8 to uint64 or "
            f"float16 to float64, got {array.dtype}"
        )
    if _has_odd_booleans(array):
        raise ValueError(f"array {name!r} has booleans that are neither 0 nor 1")


def can_hold(array: Array) -> bool:
    """Tell whether the dtype of an array is one that files have."""
    return _code(array) in _NAMES


def _code(array: Array) -> str:
    """Return NumPy's code of an array's dtype in little-endian order."""
    return array.dtype.newbyteorder("<").str


def _has_odd_booleans(array: Array) -> bool:
    """Tell whether bytes other than 0 and 1 pass for booleans; NumPy relies on both."""
    return array.dtype == bool and bool(array.view(np.uint8).max(initial=0) > 1)


def _dump(metadata: Any) -> str:
    """Return metadata as JSON from which it can be had again."""
    try:
        text = json.dumps(metadata, allow_nan=False, separators=(",", ":"))
        same = bool(_parse(text) == metadata)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"metadata must be what JSON can hold: {error}") from error
    if not same:
        raise ValueError(
            "metadata must be what JSON gives back as it was: lists, no tuples, and "
            "dicts with strings as keys"
        )
    return text


def _make_header(arrays: dict[str, Array], content: str) -> bytes:
    """Return the header, with zeros for the checksum."""
    about = {
        "format": _FORMAT,
        "sha256": _NO_DIGEST,
        "format_version": str(_VERSION),
        "content": content,
    }
    header: dict[str, Any] = {"__metadata__": about}
    offsets = _offsets(arrays)
    for name, array in arrays.items():
        header[name] = {
            "dtype": _NAMES[_code(array)],
            "shape": array.shape,
            "data_offsets": offsets[name],
        }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > _LARGEST_HEADER:
        raise ValueError(
            f"names and metadata must fit into {_LARGEST_HEADER} bytes, got {len(text)}"
        )
    return text


def _in_file_order(arrays: dict[str, Array]) -> dict[str, Array]:
    """Sort arrays by item size, the largest first."""
    return dict(sorted(arrays.items(), key=lambda item: -item[1].itemsize))


def _offsets(arrays: dict[str, Array]) -> dict[str, tuple[int, int]]:
    """Return the first byte of each array and the one behind its last."""
    offsets, stop = {}, 0
    for name, array in _in_file_order(arrays).items():
        start, stop = stop, stop + array.nbytes
        offsets[name] = (start, stop)
    return offsets


def _pieces(header: bytes, arrays: dict[str, Array]) -> Iterator[bytes | memoryview]:
    """Yield the parts of the file; each is valid until the next one is asked for."""
    yield len(header).to_bytes(8, "little")
    yield header
    for array in _in_file_order(arrays).values():
        # Views where the array's memory allows it, copies in a small buffer elsewhere.
        parts = np.nditer(  # type: ignore[call-overload]  # its stubs lack "contig"
            np.atleast_1d(array),  # NumPy 1.26 gives garbage for no axis, big-endian
            flags=["buffered", "external_loop", "zerosize_ok"],
            op_flags=[["readonly", "contig"]],
            op_dtypes=[array.dtype.newbyteorder("<")],
            order="C",
            casting="equiv",
            buffersize=_PIECE,
        )
        for part in parts:
            yield part.data


# Reading: what is found wrong is told here, the name of the file is added above.


def _read(file: BinaryIO) -> tuple[dict[str, Array], Any]:
    """Read and check a whole file."""
    size = os.fstat(file.fileno()).st_size
    header = _read_header(file, size)
    about, entries = _parse_header(header)
    _check_cover(entries, size - 8 - len(header))
    digest = hashlib.sha256(len(header).to_bytes(8, "little"))
    digest.update(header[: len(_START)] + _NO_DIGEST.encode() + header[_DIGEST_END:])
    arrays = {name: _allocate(name, entry) for name, entry in entries.items()}
    for name in _by_offset(entries):
        _fill(arrays[name], file, digest)
    if digest.hexdigest() != about["sha256"]:
        raise FileFormatError("it is damaged, its checksum is not that of its data")
    for name, array in arrays.items():
        if _has_odd_booleans(array):
            raise _damaged(name, "booleans other than 0 and 1")
    return arrays, _parse_content(about["content"])


def _read_header(file: BinaryIO, size: int) -> bytes:
    """Return the bytes of the header, once its length and its beginning are right."""
    head = file.read(8 + len(_START))
    length = int.from_bytes(head[:8], "little")
    if not _START.startswith(head[8:]):
        raise FileFormatError("it is not a file of sknn, or its beginning is damaged")
    if len(head) == 8 + len(_START) and length > _LARGEST_HEADER:
        raise FileFormatError(
            f"it is damaged, its first eight bytes tell of a header of {length} bytes, "
            f"where {_LARGEST_HEADER} are allowed"
        )
    if len(head) < 8 + len(_START) or length > size - 8:
        raise FileFormatError(f"it is truncated, its {size} bytes end in the header")
    # A header shorter than its beginning is refused, too: it is no JSON.
    header = head[8 : 8 + length] + file.read(max(0, length - len(_START)))
    if len(header) < length:
        raise FileFormatError("it is truncated, it became shorter while it was read")
    return header


def _parse_header(header: bytes) -> tuple[dict[str, str], dict[str, _Entry]]:
    """Return what the header says of the file, and of each array."""
    try:
        fields = _parse(header.decode())
    except (ValueError, RecursionError) as error:
        raise FileFormatError(
            f"it is damaged, its header is no JSON: {error}"
        ) from None
    about = fields.pop("__metadata__")  # there by the header's beginning
    _check_version(about.get("format_version"))
    if set(about) != {"format", "sha256", "format_version", "content"} or not all(
        isinstance(value, str) for value in about.values()
    ):
        raise FileFormatError("it is damaged, its header has other fields than it must")
    return about, {name: _parse_entry(name, fields[name]) for name in fields}


def _check_version(version: Any) -> None:
    """Raise FileFormatError unless this is the version of the format known here."""
    if version == str(_VERSION):
        return
    if isinstance(version, str) and re.fullmatch("[1-9][0-9]{0,5}", version):
        raise FileFormatError(
            f"it is of version {version} of the format, and this sknn reads version "
            f"{_VERSION}; a newer sknn can read it"
        )
    raise FileFormatError(f"it is damaged, its format version is {version!r:.50}")


def _parse_entry(name: str, fields: Any) -> _Entry:
    """Return what the header tells of one array, once it is right in itself."""
    if not isinstance(fields, dict) or set(fields) != {
        "dtype",
        "shape",
        "data_offsets",
    }:
        raise _damaged(name, "other fields than dtype, shape and data_offsets")
    code, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
    if not isinstance(code, str) or code not in _CODES:
        raise _damaged(name, f"the unknown dtype {code!r:.50}")
    if not _are_counts(shape) or len(shape) > _MOST_AXES:
        raise _damaged(name, f"the impossible shape {shape!r:.50}")
    if not _are_counts(offsets) or len(offsets) != 2:
        raise _damaged(name, f"the impossible offsets {offsets!r:.50}")
    dtype, (start, stop) = np.dtype(_CODES[code]), offsets
    if stop - start != math.prod(shape) * dtype.itemsize:
        raise _damaged(name, f"{stop - start} bytes for the shape {shape!r:.50}")
    return _Entry(dtype, tuple(shape), start, stop)


def _are_counts(values: Any) -> bool:
    """Tell whether this is a list of integers that can count elements or bytes."""
    return isinstance(values, list) and all(
        type(value) is int and 0 <= value <= _LARGEST_AXIS for value in values
    )


def _damaged(name: str, what: str) -> FileFormatError:
    return FileFormatError(f"it is damaged, array {name!r:.100} has {what}")


def _by_offset(entries: dict[str, _Entry]) -> list[str]:
    """Return the names in the order of the data."""
    return sorted(entries, key=lambda name: (entries[name].start, entries[name].stop))


def _check_cover(entries: dict[str, _Entry], size: int) -> None:
    """Raise FileFormatError unless the arrays cover `size` bytes without gaps."""
    stop = 0
    for name in _by_offset(entries):
        if entries[name].start != stop:
            raise _damaged(name, "data that do not begin where those before end")
        stop = entries[name].stop
    if stop > size:
        raise FileFormatError(
            f"it is truncated, {stop - size} bytes of data are missing"
        )
    if stop < size:
        raise FileFormatError(f"it is damaged, it is {size - stop} bytes too long")


def _allocate(name: str, entry: _Entry) -> Array:
    """Return an empty array of the machine's byte order."""
    try:
        return np.empty(entry.shape, entry.dtype.newbyteorder("="))
    except ValueError as error:  # too many axes, or beside an axis of 0 too long ones
        raise _damaged(name, f"a shape that NumPy refuses: {error}") from None


def _fill(array: Array, file: BinaryIO, digest: Any) -> None:
    """Read the data of an array in place, and let the checksum see them."""
    data = array.reshape(-1).view(np.uint8)
    if file.readinto(data) != data.size:  # type: ignore[attr-defined]
        raise FileFormatError("it is truncated, it became shorter while it was read")
    digest.update(data)
    if array.dtype.newbyteorder("<") != array.dtype:
        array.byteswap(inplace=True)


def _parse_content(text: str) -> Any:
    """Return the metadata."""
    try:
        return _parse(text)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(
            f"it is damaged, its content is no JSON: {error}"
        ) from None


def _parse(text: str) -> Any:
    """Parse JSON without what Python adds to it: repeated keys, infinity and NaN."""
    return json.loads(
        text, object_pairs_hook=_unique, parse_float=_finite, parse_constant=_finite
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return pairs as a dict; raise ValueError where a key repeats."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _finite(text: str) -> float:
    """Return the number in `text`; raise ValueError where it is not finite."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no finite number")
    return number
