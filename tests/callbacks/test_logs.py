"""Logs have a line per epoch, at once, and others can read them."""

import json
import math

import numpy as np
import pytest

from sknn import MLPClassifier
from sknn.callbacks import CSVLog, JSONLog

KINDS = [CSVLog, JSONLog]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log"


def read(path):
    """The rows of either kind."""
    lines = path.read_text().splitlines()
    if lines[0].startswith("{"):
        return [json.loads(line) for line in lines]
    names, *rows = (line.split(",") for line in lines)
    return [dict(zip(names, map(float, row), strict=True)) for row in rows]


def write(log, epochs):
    log.begin(None, 10)
    for epoch in epochs:
        assert log(epoch) is None
    log.end()


def network(log, **other):
    return MLPClassifier(
        (4,), callbacks=log, random_state=0, learning_rate="cosine", **other
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", [{"early_stopping": True}, {"solver": "lbfgs"}])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_log_has_what_the_history_has(kind, other, path, iris):
    model = network(kind(path), max_iter=4, **other).fit(*iris)
    rows = read(path)
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    for name in model.history_:
        assert [row[name] for row in rows] == model.history_[name]
    elapsed = [row["elapsed"] for row in rows]
    assert elapsed == sorted(elapsed)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_is_in_the_file_before_the_next_epoch(kind, path, iris):
    lengths = []

    def look(epoch):
        lengths.append(len(read(path)))

    network([kind(path), look], max_iter=3).fit(*iris)
    assert lengths == [1, 2, 3]


@pytest.mark.parametrize("kind", KINDS)
def test_each_fit_begins_anew_or_goes_on_with_append(kind, path, iris):
    fresh = network(kind(path), max_iter=2, warm_start=True)
    fresh.fit(*iris).fit(*iris)
    assert [row["epoch"] for row in read(path)] == [3, 4]
    fresh.set_params(callbacks__append=True).fit(*iris)
    assert [row["epoch"] for row in read(path)] == [3, 4, 5, 6]


@pytest.mark.parametrize("kind", KINDS)
def test_append_begins_a_file_that_is_missing_or_empty(kind, path, epoch):
    write(kind(path, append=True), [epoch(1)])
    (row,) = read(path)
    path.write_text("")
    write(kind(path, append=True), [epoch(1)])
    assert read(path) == [row]


@pytest.mark.parametrize("kind", KINDS)
def test_append_ends_an_unfinished_line_first(kind, path, epoch):
    write(kind(path), [epoch(1)])
    path.write_text(path.read_text().rstrip("\n"))
    write(kind(path, append=True), [epoch(2)])
    assert [row["epoch"] for row in read(path)] == [1, 2]


@pytest.mark.parametrize("kind", KINDS)
def test_a_fit_that_fails_before_its_first_epoch_leaves_the_log(kind, path, iris):
    network(kind(path), max_iter=2).fit(*iris)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="NaN"):
        network(kind(path), max_iter=2).fit(iris[0] * np.nan, iris[1])
    assert path.read_bytes() == before


def test_append_refuses_other_columns_and_names_them(path, epoch):
    write(CSVLog(path), [epoch(1)])
    before = path.read_bytes()
    log = CSVLog(path, append=True)
    with pytest.raises(ValueError, match=r"validation_score.*append=False"):
        write(log, [epoch(2, validation_score=0.5)])
    log.end()
    assert path.read_bytes() == before


def test_append_takes_the_columns_in_the_order_of_the_file(path, epoch):
    path.write_text("loss,epoch,elapsed,time,learning_rate\n")
    write(CSVLog(path, append=True), [epoch(2)])
    assert path.read_text().splitlines()[1] == "0.5,2,2.0,1.0,0.001"


def test_pandas_reads_csv(path, epoch):
    pandas = pytest.importorskip("pandas")
    losses = [np.float32(0.1), np.nan, np.inf, -np.inf, 1 / 3]
    score = np.float64(0.5)
    epochs = [
        epoch(i, loss=x, validation_score=score) for i, x in enumerate(losses, start=1)
    ]
    write(CSVLog(path), epochs)
    frame = pandas.read_csv(path)
    assert list(frame.columns) == list(epochs[0].numbers())
    assert frame["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert frame["epoch"].dtype == np.int64
    np.testing.assert_allclose(frame["loss"], losses, rtol=1e-15)
    assert (frame["validation_score"] == 0.5).all()


def test_pandas_reads_json(path, iris):
    pandas = pytest.importorskip("pandas")
    model = network(JSONLog(path), max_iter=3, early_stopping=True).fit(*iris)
    frame = pandas.read_json(path, lines=True)
    np.testing.assert_allclose(frame["loss"], model.loss_curve_)


def test_json_has_null_for_what_is_not_finite(path, epoch):
    losses = [math.nan, math.inf, -math.inf, np.float32(0.5)]
    write(JSONLog(path), [epoch(i, loss=x) for i, x in enumerate(losses, start=1)])

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    lines = path.read_text().splitlines()
    rows = [json.loads(line, parse_constant=refuse) for line in lines]
    assert [row["loss"] for row in rows] == [None, None, None, 0.5]


@pytest.mark.parametrize("kind", KINDS)
def test_logs_change_nothing_in_the_fit(kind, path, iris):
    logged = network(kind(path), max_iter=4).fit(*iris)
    plain = network(None, max_iter=4).fit(*iris)
    np.testing.assert_array_equal(logged.coefs_[0], plain.coefs_[0])
