"""The progress of a fit on one line."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from typing import Any, TextIO

from sknn._params import check_in_range
from sknn.callbacks._ready import Ready
from sknn.callbacks.base import EpochInfo

_REDRAW_SECONDS = 0.1
_LONGEST_BAR, _SHORTEST_BAR = 30, 5
_NOTEBOOK_STREAMS = ("ipykernel", "pyodide_kernel")


@dataclass
class ProgressBar(Ready):
    """Shows how far a fit has come, on one line.

    Epochs, loss, validation score if there is one, time so far and the time that is
    left if no rule ends the fit earlier. In a terminal and in a notebook the line is
    drawn over itself, ten times a second at most; into a file or pipe go whole lines.

    Parameters
    ----------
    stream : {'stderr', 'stdout'}, default='stderr'
        Where to write: the stream of this name as it is when the fit begins. By default
        the one for messages, as tqdm does, which leaves the output of a program clean.
        Where there is no such stream, nothing is written.
    every : float, default=10.0
        Least number of seconds between two lines of a file or pipe. The last epoch
        always has its line; ``numpy.inf`` leaves it the only one.

    Notes
    -----
    A search shows one line for each of its fits, and those of several workers draw over
    each other. scikit-learn's own progress bar shows a search as a whole; see
    `set_callbacks`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.callbacks import ProgressBar
    >>> net = MLPClassifier(callbacks=ProgressBar("stdout"), learning_rate="cosine",
    ...                     max_iter=5, random_state=0)
    >>> _ = net.fit(*load_iris(return_X_y=True))
    epoch 5/5 100%  loss 1.049  0:00
    """

    stream: str = "stderr"
    every: float = 10.0

    def validate(self) -> None:
        """Raise ValueError where a parameter is not valid."""
        if self.stream not in ("stderr", "stdout"):
            raise ValueError(
                "The 'stream' parameter of ProgressBar must be 'stderr' or 'stdout'. "
                f"Got {self.stream!r} instead."
            )
        check_in_range(self, "every", 0.0, closed="both")

    def begin(self, estimator: Any, max_iter: int) -> None:
        """Look at the stream; see `Callback.begin`."""
        super().begin(estimator, max_iter)
        # Not at construction: notebooks and tests replace it.
        stream = getattr(sys, self.stream)
        self._open = None if stream is None else _Line(stream, self.every)

    def __call__(self, epoch: EpochInfo) -> None:
        """Draw the line, if it is time; see `Callback`."""
        if self._open is not None:
            self._open.show(epoch)

    def end(self) -> None:
        """Draw the last epoch and end the line; see `Callback.end`."""
        line, self._open = self._open, None
        if line is not None:
            line.finish()


class _Line:
    """The line of one fit on its stream."""

    def __init__(self, stream: TextIO, every: float) -> None:
        self._stream = stream
        self._redraws = _redraws(stream)
        self._pause = _REDRAW_SECONDS if self._redraws else every
        # A terminal shows the first epoch at once; a file need not have it.
        self._next = 0.0 if self._redraws else every
        self._last: EpochInfo | None = None
        self._length = 0

    def show(self, epoch: EpochInfo) -> None:
        """Keep an epoch in mind, and draw it unless the last drawing was just now."""
        self._last = epoch
        if epoch.iteration >= epoch.max_iter:
            self.finish()  # now: a warning that nothing converged wants its own line
        elif epoch.elapsed >= self._next:
            self._next = epoch.elapsed + self._pause
            self._draw(describe(epoch, self._width()))
            if not self._redraws:
                self._last = None  # has its line, and needs no second one

    def finish(self) -> None:
        """Draw the last epoch, and end the line."""
        last, self._last = self._last, None
        if last is not None:
            self._draw(describe(last, self._width(), ended=True), ended=True)

    def _draw(self, text: str, ended: bool = False) -> None:
        if self._redraws:
            # Blanks wipe out what a longer line has left.
            whole = f"\r{text.ljust(self._length)}" + ("\n" if ended else "")
        else:
            whole = f"{text}\n"
        self._length = len(text)
        self._stream.write(whole)
        self._stream.flush()

    def _width(self) -> int | None:
        # The last column stays free: some terminals go to the next line there.
        return _columns(self._stream) - 1 if self._redraws else None


def describe(epoch: EpochInfo, width: int | None, ended: bool = False) -> str:
    """Return the line of an epoch.

    Parameters
    ----------
    epoch : EpochInfo
        What it has come to.
    width : int or None
        Largest number of characters: the bar gives way first, then the end of the line.
        None leaves out the bar and cuts nothing.
    ended : bool, default=False
        Whether the fit has ended, and no time is left.

    Returns
    -------
    line : str
        Without an end of line.
    """
    share = min(1.0, epoch.iteration / epoch.max_iter)
    count = f"{epoch.iteration:{len(str(epoch.max_iter))}}/{epoch.max_iter}"
    head = f"epoch {count} {share:4.0%}"
    tail = f"{_numbers(epoch)}  {_times(epoch, ended)}"
    if width is None:
        return f"{head}  {tail}"
    bar = _bar(share, width - len(head) - len(tail) - 2)
    return f"{head} {bar} {tail}"[:width]


def _numbers(epoch: EpochInfo) -> str:
    text = f"loss {epoch.loss:#.4g}"  # with its zeros, so that the rest stands still
    score = epoch.validation_score
    return text if score is None else f"{text}  validation {score:#.4g}"


def _times(epoch: EpochInfo, ended: bool) -> str:
    if ended:
        return _clock(epoch.elapsed)
    left = epoch.elapsed / epoch.iteration * (epoch.max_iter - epoch.iteration)
    return f"{_clock(epoch.elapsed)}, {_clock(left)} left"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _bar(share: float, width: int) -> str:
    """Return a bar, or nothing where there is no room for it."""
    size = min(width - 2, _LONGEST_BAR)
    return f"[{'#' * int(share * size):{size}}]" if size >= _SHORTEST_BAR else ""


def _redraws(stream: TextIO) -> bool:
    """Tell whether a line on this stream can be drawn over."""
    # A notebook's stream calls itself no terminal, but knows the carriage return.
    room = type(stream).__module__.partition(".")[0]
    return room in _NOTEBOOK_STREAMS or bool(getattr(stream, "isatty", bool)())


def _columns(stream: TextIO) -> int:
    """Return the width of the terminal; 80 where there is none that tells."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (AttributeError, OSError, ValueError):
        columns = 0
    return columns or shutil.get_terminal_size().columns
