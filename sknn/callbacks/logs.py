"""Logs: the numbers of each epoch in a file, as CSV or as lines of JSON."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from typing import Any, ClassVar

from sknn.callbacks._ready import Ready, check_flag, check_path, check_place
from sknn.callbacks.base import EpochInfo

Row = dict[str, float]


class _Lines:
    """An open file that gets one line per epoch."""

    def __init__(self, path: str | os.PathLike[str], append: bool) -> None:
        self._path, self._append = os.fspath(path), append
        self._begun = False
        # Nothing is cut before the first epoch: data that turn out wrong until then
        # leave an earlier log as it was.
        self._file = open(path, "a+", encoding="utf-8", newline="")  # noqa: SIM115

    def write(self, row: Row) -> None:
        """Add a line, and hand it to the system, so that a killed fit leaves it."""
        begin = "" if self._begun else self._begin(row)
        self._file.write(f"{begin}{self._line(row)}\n")
        self._file.flush()
        self._begun = True

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _begin(self, row: Row) -> str:
        """Go to where the first line belongs; return what stands before it."""
        self._file.seek(0)
        if not self._append:
            self._file.truncate()
        earlier = self._file.read()
        # A fit that was killed while it wrote has left a line without an end.
        end = "\n" if earlier and not earlier.endswith("\n") else ""
        return end + self._head(row, earlier)

    def _head(self, row: Row, earlier: str) -> str:
        """Return what stands between the earlier lines and the first one."""
        return ""

    def _line(self, row: Row) -> str:
        raise NotImplementedError


class _JSONLines(_Lines):
    def _line(self, row: Row) -> str:
        # JSON has no NaN and no infinity.
        return json.dumps({k: v if math.isfinite(v) else None for k, v in row.items()})


class _CSVLines(_Lines):
    def _head(self, row: Row, earlier: str) -> str:
        if not earlier:
            self._names = list(row)
            return ",".join(row) + "\n"
        self._names = earlier.partition("\n")[0].strip().split(",")
        if sorted(self._names) != sorted(row):
            raise ValueError(
                f"CSVLog cannot append to {self._path!r}: it has the columns "
                f"{', '.join(self._names)}, this fit has {', '.join(row)}. Choose "
                "another file, or append=False to write this one anew."
            )
        return ""

    def _line(self, row: Row) -> str:
        return ",".join(str(row[name]) for name in self._names)


@dataclass
class _Log(Ready):
    path: str | os.PathLike[str]
    append: bool = False

    _lines: ClassVar[type[_Lines]]

    def validate(self) -> None:
        """Raise ValueError or TypeError where a parameter is not valid."""
        check_path(self)
        check_flag(self, "append")

    def begin(self, estimator: Any, max_iter: int) -> None:
        """Open the file; see `Callback.begin`."""
        super().begin(estimator, max_iter)
        check_place(self)
        self._open = self._lines(self.path, bool(self.append))

    def __call__(self, epoch: EpochInfo) -> None:
        """Write the numbers of an epoch; see `Callback`."""
        numbers = epoch.numbers()
        # Scores may be NumPy's numbers, which neither format writes as it should.
        row = {k: v if type(v) is int else float(v) for k, v in numbers.items()}
        self._open.write(row)

    def end(self) -> None:
        """Close the file; see `Callback.end`."""
        lines, self._open = self._open, None
        if lines is not None:
            lines.close()


@dataclass
class CSVLog(_Log):
    """Writes the numbers of each epoch as a row of a CSV file.

    The columns are those of `EpochInfo.numbers`: epoch, loss, scores and rate where
    there are such, seconds. Each row is in the file as soon as its epoch has ended.

    Parameters
    ----------
    path : str or path-like
        The file; its folder must exist. One log is for one fit: in a search, all fits
        write to the same file, and that of the last one remains.
    append : bool, default=False
        Whether to go on with the rows that the file already has, as for fits with
        ``warm_start`` and for `partial_fit`. False begins the file anew with the first
        epoch of each fit.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.callbacks import CSVLog
    >>> X, y = load_iris(return_X_y=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = CSVLog(Path(folder) / "fit.csv")
    ...     net = MLPClassifier(callbacks=log, learning_rate="cosine", max_iter=5,
    ...                         random_state=0)
    ...     _ = net.fit(X, y)
    ...     print(log.path.read_text().splitlines()[0])
    epoch,loss,learning_rate,time,elapsed
    """

    _lines: ClassVar[type[_Lines]] = _CSVLines


@dataclass
class JSONLog(_Log):
    """Writes the numbers of each epoch as a line of JSON, one object per epoch.

    The names are those of `EpochInfo.numbers`; what is not finite is ``null``. Each
    line is in the file as soon as its epoch has ended.

    Parameters
    ----------
    path : str or path-like
        The file; its folder must exist. One log is for one fit: in a search, all fits
        write to the same file, and that of the last one remains.
    append : bool, default=False
        Whether to go on with the lines that the file already has, as for fits with
        ``warm_start`` and for `partial_fit`. False begins the file anew with the first
        epoch of each fit.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.callbacks import JSONLog
    >>> X, y = load_iris(return_X_y=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = JSONLog(Path(folder) / "fit.jsonl")
    ...     net = MLPClassifier(callbacks=log, learning_rate="cosine", max_iter=5,
    ...                         random_state=0)
    ...     _ = net.fit(X, y)
    ...     rows = [json.loads(line) for line in log.path.read_text().splitlines()]
    >>> [row["epoch"] for row in rows]
    [1, 2, 3, 4, 5]
    """

    _lines: ClassVar[type[_Lines]] = _JSONLines
