"""Files that are there whole or not at all. What stands in them is others' business."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


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
    target = Path(os.path.realpath(path))
    # In the same folder, since only within a file system a file is replaced at once.
    temporary = target.with_name(f".{os.urandom(8).hex()}.tmp")
    try:
        _write(temporary, data)
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):  # the first error is the one to tell
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def _write(path: Path, data: bytes) -> None:
    """Write a new file, with the permissions of any new file, through to the disk."""
    with path.open("xb") as file:  # not by `tempfile`, whose files nobody else may read
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the new name last, where the system lets a folder be opened."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
