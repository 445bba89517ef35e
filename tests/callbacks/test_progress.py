"""The progress bar: one line per fit, wherever it goes, and always ended."""

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from sknn import MLPClassifier
from sknn.callbacks import ProgressBar
from sknn.callbacks.progress import describe

LONG = {"max_iter": 100_000, "tol": 0.0, "n_iter_no_change": np.inf}


class Terminal(io.StringIO):
    """A stream that says it is a terminal, of unknown width."""

    def isatty(self):
        return True

    def drawings(self):
        return self.getvalue().split("\r")[1:]

    def screen(self):
        """What the drawings, one over the other, leave to be seen."""
        seen = ""
        for text in (drawing.rstrip("\n") for drawing in self.drawings()):
            seen = text + seen[len(text) :]
        return seen.rstrip()


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    return Terminal()


@pytest.fixture
def pipe():
    return io.StringIO()


def network(*callbacks, **other):
    values = {"learning_rate": "cosine", "max_iter": 5, "random_state": 0} | other
    return MLPClassifier((2,), callbacks=list(callbacks), **values)


def show(bar, epochs, stream):
    with redirect_stderr(stream):
        bar.begin(None, 10)
        for epoch in epochs:
            assert bar(epoch) is None
        bar.end()


def test_the_line_has_the_epoch_the_share_the_numbers_and_the_times(epoch):
    told = epoch(4, loss=0.12345, validation_score=0.9, elapsed=40.0, max_iter=100)
    text = describe(told, None)
    assert text == (
        "epoch   4/100   4%  loss 0.1235  validation 0.9000  0:40, 16:00 left"
    )
    assert describe(told, None, ended=True).endswith("validation 0.9000  0:40")


def test_hours_have_their_place(epoch):
    text = describe(epoch(1, elapsed=3725.4), None)
    assert text.endswith("1:02:05, 9:18:49 left")


@pytest.mark.parametrize("loss", [np.nan, np.inf, -1e-30, 1e300])
def test_every_loss_is_shown(loss, epoch):
    assert f"loss {loss:#.4g} " in describe(epoch(1, loss=loss), None)


@pytest.mark.parametrize("width", [1, 10, 20, 40, 60, 79, 200])
def test_the_line_keeps_to_the_width(width, epoch):
    for number in (1, 5, 10):
        text = describe(epoch(number, validation_score=1e-5), width)
        assert len(text) <= width
        assert ("[" in text) == (width >= 79)


def test_the_bar_fills(epoch):
    cells = [
        describe(epoch(k), 200).partition("[")[2].partition("]")[0] for k in (1, 5, 10)
    ]
    assert [len(bar) for bar in cells] == [30, 30, 30]
    assert [bar.count("#") for bar in cells] == [3, 15, 30]


def test_a_terminal_is_drawn_over_at_most_ten_times_a_second(terminal, epoch):
    times = [0.01, 0.02, 0.09, 0.12, 0.2, 0.23, 5.0, 5.05]
    epochs = [epoch(k, elapsed=t) for k, t in enumerate(times, start=1)]
    show(ProgressBar(), epochs, terminal)
    numbers = [int(text.split("/")[0].split()[1]) for text in terminal.drawings()]
    assert numbers == [1, 4, 6, 7, 8]  # and the last one, whatever the time
    assert terminal.getvalue().count("\n") == 1
    assert terminal.screen().endswith(" 0:05")


def test_a_shorter_line_leaves_nothing_of_a_longer_one(terminal, epoch):
    losses = [-1.234e-100, np.nan]
    epochs = [epoch(k, loss=x) for k, x in enumerate(losses, start=1)]
    show(ProgressBar(), epochs, terminal)
    assert len(terminal.drawings()) == 3
    assert terminal.screen().endswith("] loss nan  0:02")


def test_a_pipe_gets_whole_lines_now_and_then_and_the_last_epoch(pipe, epoch):
    times = [1, 9, 10, 15, 19, 21, 22]
    epochs = [epoch(k, elapsed=float(t)) for k, t in enumerate(times, start=1)]
    show(ProgressBar(every=10.0), epochs, pipe)
    lines = pipe.getvalue().splitlines()
    assert [int(line.split("/")[0].split()[1]) for line in lines] == [3, 6, 7]
    assert "\r" not in pipe.getvalue()
    assert "[" not in pipe.getvalue()
    assert pipe.getvalue().endswith("\n")


@pytest.mark.parametrize("every", [0.0, np.inf])
def test_a_pipe_gets_each_epoch_or_only_the_last_on_demand(pipe, epoch, every):
    show(ProgressBar(every=every), [epoch(k) for k in (1, 2, 3)], pipe)
    assert len(pipe.getvalue().splitlines()) == (1 if every else 3)


def test_a_fit_has_one_line_with_its_last_epoch(pipe, iris):
    with redirect_stderr(pipe):
        model = network(ProgressBar(), early_stopping=True).fit(*iris)
    (line,) = pipe.getvalue().splitlines()
    score = model.validation_scores_[-1]
    start = f"epoch 5/5 100%  loss {model.loss_:#.4g}  validation {score:#.4g}  0:"
    assert line.startswith(start)


@pytest.mark.parametrize("solver", ["lbfgs", "sgd"])
def test_the_line_ends_before_a_warning_that_nothing_converged(pipe, iris, solver):
    model = network(ProgressBar(), solver=solver, learning_rate="constant")
    with pytest.raises(ConvergenceWarning), redirect_stderr(pipe):
        model.fit(*iris)  # warnings are errors
    (line,) = pipe.getvalue().splitlines()
    assert "5/5" in line


def test_a_stop_an_error_and_ctrl_c_end_the_line(terminal, iris):
    def stop(epoch):
        return epoch.number == 3

    def fail(epoch):
        if epoch.number == 3:
            raise RuntimeError("no more")

    def interrupt(epoch):
        if epoch.number == 3:
            raise KeyboardInterrupt

    with redirect_stderr(terminal):
        network(ProgressBar(), stop, **LONG).fit(*iris)
        with pytest.raises(RuntimeError):
            network(ProgressBar(), fail, **LONG).fit(*iris)
        with pytest.raises(UserWarning, match="interrupted"):
            network(ProgressBar(), interrupt, **LONG).fit(*iris)
    lines = terminal.getvalue().splitlines()
    assert terminal.getvalue().endswith("\n")
    assert terminal.getvalue().count("\n") == 3
    ends = [text for text in lines if text.strip() and "left" not in text]
    assert ["3/100000" in text for text in ends] == [True] * 3


def test_a_fit_without_an_epoch_writes_nothing(terminal, iris):
    with redirect_stderr(terminal), pytest.raises(ValueError, match="NaN"):
        network(ProgressBar()).fit(iris[0] * np.nan, iris[1])
    assert terminal.getvalue() == ""


def test_a_missing_stream_is_left_alone(monkeypatch, capsys, iris):
    monkeypatch.setattr(sys, "stderr", None)
    network(ProgressBar()).fit(*iris)
    assert capsys.readouterr().out == ""


def test_the_stream_is_the_one_of_the_fit(iris):
    bar = ProgressBar("stdout")
    first, second = io.StringIO(), io.StringIO()
    for stream in (first, second):
        with redirect_stdout(stream):
            network(bar).fit(*iris)
    assert first.getvalue().count("\n") == second.getvalue().count("\n") == 1


def test_a_stream_replaced_during_the_fit_does_not_cut_the_line(monkeypatch, iris):
    first, second = Terminal(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", first)

    def replace(epoch):
        monkeypatch.setattr(sys, "stderr", second)

    network(ProgressBar(), replace).fit(*iris)
    assert first.getvalue().endswith("\n")
    assert second.getvalue() == ""


def test_the_stream_of_a_notebook_is_drawn_over(epoch):
    kind = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})
    for stream, over in ((io.StringIO(), False), (kind(), True)):
        show(ProgressBar(), [epoch(1), epoch(2)], stream)
        assert stream.getvalue().startswith("\r") == over


def test_a_stream_that_only_writes_is_enough(epoch):
    class Sink:
        text = ""

        def write(self, text):
            self.text += text

        def flush(self):
            pass

    sink = Sink()
    show(ProgressBar(), [epoch(1)], sink)
    assert sink.text.startswith("epoch  1/10  10%")


def test_partial_fit_has_a_line_for_each_call(pipe, iris):
    model = MLPClassifier(callbacks=ProgressBar())
    with redirect_stderr(pipe):
        model.partial_fit(*iris, classes=[0, 1, 2]).partial_fit(*iris)
    lines = pipe.getvalue().splitlines()
    assert [line[:14] for line in lines] == ["epoch 1/1 100%"] * 2


def test_the_bar_changes_nothing_in_the_fit(pipe, iris):
    with redirect_stderr(pipe):
        shown, plain = network(ProgressBar()).fit(*iris), network().fit(*iris)
    np.testing.assert_array_equal(shown.coefs_[0], plain.coefs_[0])


@pytest.mark.skipif(os.name != "posix", reason="pseudo terminals are of POSIX")
def test_a_real_terminal_of_40_columns_is_never_overrun(iris):
    import fcntl
    import struct
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("4H", 24, 40, 0, 0))
    with os.fdopen(theirs, "w") as stream, redirect_stderr(stream):
        network(ProgressBar(), max_iter=30, early_stopping=True).fit(*iris)
        text = os.read(ours, 10_000).decode()
    os.close(ours)
    start, *drawings = text.replace("\r\n", "\n").split("\r")
    assert start == ""
    assert len(drawings) >= 2
    assert {len(drawing.rstrip("\n")) for drawing in drawings} == {39}
    assert text.count("\n") == 1
