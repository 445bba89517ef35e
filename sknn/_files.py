"""Files that are there whole or not at all. What stands in them is others' business."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file so that its name always leads to all of the old or of the new data.

    This holds through exceptions, a killed process and, on file systems that keep what
    `fsync` promises, a power failure. A link stays a link: its target is replaced.

    Parameters
    ----------
    path : str or path-like
        The file; its folder must exist.
    data : bytes
        What it holds afterwards.

    Raises
    ------
    OSError
        If the data cannot be written; the file is then as it was.
    """
    with open_atomically(path) as file:
        file.write(data)


@contextmanager
def open_atomically(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file to be written piece by piece, as `write_atomically` writes it.

    What is written takes the place of the old file when the `with` block ends. If it
    ends with an exception, the file is as it was.

    Parameters
    ----------
    path : str or path-like
        The file; its folder must exist.

    Yields
    ------
    file : binary file
        Empty, open for writing; it can be sought.

    Raises
    ------
    OSError
        If the data cannot be written.
    """
    target = Path(os.path.realpath(path))
    # In the same folder, since only within a file system a file is replaced at once.
    temporary = target.with_name(f".{os.urandom(8).hex()}.tmp")
    nameless = _open_nameless(target.parent)
    try:
        # Not by `tempfile`, whose files nobody else may read.
        with nameless or temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if nameless is not None:
                _give_name(nameless, temporary)
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):  # the first error is the one to tell
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def _open_nameless(folder: Path) -> BinaryIO | None:
    """Open a new file without a name, of which a killed process leaves nothing.

    None where the system has no such files; Linux has them on most file systems.
    """
    if not hasattr(os, "O_TMPFILE") or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return open(os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666), "wb")
    except OSError:
        return None


def _give_name(file: BinaryIO, path: Path) -> None:
    """Let a file without a name have one; the time until it is replaced is short."""
    number = file.fileno()
    # With a folder, whichever it is, Python calls what follows the link in /proc.
    os.link(f"/proc/self/fd/{number}", path, src_dir_fd=number, follow_symlinks=True)


def _sync_folder(folder: Path) -> None:
    """Make the new name last, where the system lets a folder be opened."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
