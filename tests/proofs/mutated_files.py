"""Damage files of arrays at random: each must be refused, or give what was written.

    python tests/proofs/mutated_files.py [number of mutations]

Some mutations come with a new checksum that fits them, so that the checks behind it are
reached: these must be refused or give some arrays, without any other exception.
"""

import hashlib
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from sknn._tensors import FileFormatError, read_tensors, write_tensors

DIGEST = slice(8 + 43, 8 + 43 + 64)  # where a file has its checksum
VALUES = [
    None,
    True,
    -1,
    0,
    1,
    8,
    2**63,
    1.5,
    "",
    "F64",
    "I8",
    [],
    [0],
    [0, 8],
    [-1, 2],
]
VALUES += [
    {},
    [2**62, 4],
    [0, 2**63 - 1],
    [1] * 70,
    "sknn",
    "2",
    "[1",
    {"dtype": "F64"},
]
ODD = [
    b"",
    b"null",
    b"{}",
    b"[" * 5000,
    b'{"a":' * 5000,
    b"\xff\xfe",
    b"NaN",
    b"1" * 5000,
]


def examples():
    """Files worth damaging: arrays and metadata."""
    rng = np.random.default_rng(0)
    kinds = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]
    every = {f"of {kind}": rng.integers(0, 2, (2, 3)).astype(kind) for kind in kinds}
    network = {
        "W": rng.normal(size=(5, 4)),
        "b": np.zeros((1, 4), "f4"),
        "n": np.array(7),
    }
    yield every, {"classes": ["ja", "nein"], "alpha": 1e-4}
    yield network | {"none": np.empty((0, 3))}, [None, True, {"größe": "ß"}]
    yield {}, None
    yield {"spaces": np.full(64, 0x20, "u1")}, "they look like padding"


def seal(data):
    """Put the checksum into a file that is right otherwise."""
    if len(data) < DIGEST.stop:
        return data
    blank = data[: DIGEST.start] + b"0" * 64 + data[DIGEST.stop :]
    digest = hashlib.sha256(blank).hexdigest().encode()
    return data[: DIGEST.start] + digest + data[DIGEST.stop :]


def join(header, data):
    """Put a file together from its header and the bytes behind it."""
    return len(header).to_bytes(8, "little") + header + data


def split(file):
    """Return the header of a file and the bytes behind it."""
    stop = 8 + int.from_bytes(file[:8], "little")
    return file[8:stop], file[stop:]


def flip(file, draw):
    i = draw.randrange(len(file))
    return file[:i] + bytes([file[i] ^ 1 << draw.randrange(8)]) + file[i + 1 :]


def truncate(file, draw):
    return file[: draw.randrange(len(file))]


def insert(file, draw):
    i, n = draw.randrange(len(file) + 1), draw.randint(1, 16)
    return file[:i] + draw.choice([draw.randbytes(n), b" " * n, bytes(n)]) + file[i:]


def delete(file, draw):
    i = draw.randrange(len(file))
    return file[:i] + file[i + draw.randint(1, 16) :]


def overwrite(file, draw):
    i, n = draw.randrange(len(file)), draw.randint(1, 32)
    return file[:i] + draw.choice([draw.randbytes(n), bytes(n)]) + file[i + n :]


def swap(file, draw):
    a, b, c, d = sorted(draw.randrange(len(file) + 1) for _ in range(4))
    return file[:a] + file[c:d] + file[b:c] + file[a:b] + file[d:]


def change_length(file, draw):
    header, _ = split(file)
    near = len(header) + draw.choice([-16, -8, -1, 1, 8, 16])
    length = draw.choice([near, draw.randrange(2**64), 0])
    return length.to_bytes(8, "little") + file[8:]


def random_header(file, draw):
    header, data = split(file)
    odd = draw.choice([*ODD, draw.randbytes(draw.randint(0, 99))])
    start = draw.choice(
        [b"", header[: draw.randrange(len(header))], header.rstrip()[:-1]]
    )
    return join(start + odd, data)


def change_field(file, draw):
    """Change, remove or repeat one field of the header or of a field in it."""
    header, data = split(file)
    fields = json.loads(header)
    place = fields
    while draw.random() < 0.7 and any(
        isinstance(v, dict) and v for v in place.values()
    ):
        place = draw.choice([v for v in place.values() if isinstance(v, dict) and v])
    key = draw.choice(list(place))
    action = draw.choice(["change", "change", "take from another", "remove", "rename"])
    if action == "change":
        place[key] = draw.choice(VALUES)
    elif action == "take from another":
        place[key] = draw.choice(list(place.values()))
    else:
        value = place.pop(key)
        if action == "rename":
            place[draw.choice(["", "W", "dtype", "\ud800", "__metadata__"])] = value
    return join(json.dumps(fields, separators=(",", ":")).encode(), data)


KINDS = [flip, truncate, insert, delete, overwrite, swap]
KINDS += [change_length, random_header, change_field]


def same(one, other):
    """Tell whether two answers of `read_tensors` are the same, to bit and order."""
    arrays = [
        [(name, a.dtype.str, a.shape, a.tobytes()) for name, a in answer[0].items()]
        for answer in (one, other)
    ]
    return arrays[0] == arrays[1] and repr(one[1]) == repr(other[1])


def outcome(path, file, sealed, truth):
    """Read a mutation and say what came of it; raise AssertionError if it is bad."""
    path.write_bytes(file)
    try:
        answer = read_tensors(path)
    except FileFormatError as error:
        assert str(error).startswith(f"cannot read {str(path)!r}: it is "), error
        return "refused"
    if same(answer, truth):
        return "identical"
    assert sealed, "other arrays than were written"
    return "other arrays, under a checksum that fits them"


def mutations(n, seed=0):
    """Yield `n` times: the name of the mutation, and what came of it."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        path, originals = Path(folder) / "arrays", []
        for arrays, metadata in examples():
            write_tensors(path, arrays, metadata)
            originals.append((path.read_bytes(), read_tensors(path)))
        for i in range(n):
            (file, truth), mutate = draw.choice(originals), KINDS[i % len(KINDS)]
            damaged, sealed = mutate(file, draw), draw.random() < 0.4
            damaged = seal(damaged) if sealed else damaged
            name = mutate.__name__ + (", new checksum" if sealed else "")
            yield name, outcome(path, damaged, sealed, truth)


def main(n="10000"):
    begin = time.perf_counter()
    found = Counter(mutations(int(n)))
    for (name, what), count in sorted(found.items()):
        print(f"{name:30} {what:45} {count:6}")
    totals = Counter()
    for (name, what), count in found.items():
        totals["new checksum" in name, what] += count
    for (sealed, what), count in sorted(totals.items()):
        print(f"{'new checksum' if sealed else 'plain damage':30} {what:45} {count:6}")
    print(f"{n} mutations, no bad outcome, {time.perf_counter() - begin:.1f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
