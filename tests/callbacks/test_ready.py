"""What all ready callbacks promise: checked parameters, copies without a fit."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import sknn
from sknn import MLPClassifier
from sknn.callbacks import Checkpoint, CSVLog, JSONLog, ProgressBar, TimeLimit

FILES = [CSVLog, JSONLog, Checkpoint]


@pytest.fixture
def ready(tmp_path):
    """One of each kind."""
    files = [kind(tmp_path / kind.__name__) for kind in FILES]
    return [*files, ProgressBar(), TimeLimit(60.0)]


def network(callbacks, **other):
    return MLPClassifier(
        (2,), callbacks=callbacks, learning_rate="cosine", max_iter=2, **other
    )


def copies(callback):
    return [
        copy.copy(callback),
        copy.deepcopy(callback),
        pickle.loads(pickle.dumps(callback)),
        clone(callback),
    ]


def test_copies_are_equal_and_work(ready, iris):
    for callback in ready:
        for twin in copies(callback):
            assert twin == callback
            assert repr(twin) == repr(callback)
            assert network(twin).fit(*iris).n_iter_ == 2


def test_copies_made_during_a_fit_hold_nothing_open(ready, iris):
    states = []

    def look(epoch):
        for callback in ready:
            states.extend(vars(twin).get("_open") for twin in copies(callback))

    network([*ready[:2], *ready[3:], look]).fit(*iris)
    assert states == [None] * len(states)
    assert states


def test_the_model_of_an_epoch_can_be_pickled_among_callbacks(ready, iris):
    pickles = []

    def store(epoch):
        model = epoch.model().set_params(callbacks=ready)
        pickles.append(pickle.dumps(model))

    network([*ready[:2], *ready[3:], store]).fit(*iris)
    model = pickle.loads(pickles[0])
    assert model.callbacks == ready
    assert model.predict(iris[0]).shape == iris[1].shape


def test_nothing_is_open_after_a_fit_however_it_ended(ready, iris):
    def fail(epoch):
        raise RuntimeError("no more")

    def interrupt(epoch):
        raise KeyboardInterrupt

    logs = [callback for callback in ready if not isinstance(callback, Checkpoint)]
    network(ready).fit(*iris)
    assert {vars(callback).get("_open") for callback in ready} == {None}
    for last, error in ((fail, RuntimeError), (interrupt, UserWarning)):
        with pytest.raises(error):  # warnings are errors
            network([*logs, last]).fit(*iris)
        assert {vars(callback).get("_open") for callback in logs} == {None}


def test_an_end_without_a_beginning_does_nothing(ready):
    for callback in ready:
        assert callback.end() is None


def test_they_work_in_a_search_with_two_workers(ready, iris):
    search = GridSearchCV(network(ready), {"alpha": [1e-4, 1e-2]}, cv=2, n_jobs=2)
    search.fit(*iris)
    best = search.best_estimator_
    stored = sknn.load(best.callbacks[2].path)  # that of the refit
    np.testing.assert_array_equal(stored.coefs_[0], best.coefs_[0])


def test_a_search_reaches_into_their_parameters(iris):
    model = network(TimeLimit(1.0)).set_params(callbacks__seconds=60.0)
    assert clone(model).get_params()["callbacks__seconds"] == 60.0


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("path", [None, 3, b"log"])
def test_a_path_of_another_type_is_refused(kind, path):
    message = f"'path' parameter of {kind.__name__} must be the name .* Got {path!r}"
    with pytest.raises(TypeError, match=message):
        kind(path)


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("path", ["", ".", "/"])
def test_a_path_without_a_name_is_refused(kind, path):
    with pytest.raises(ValueError, match=f"must be the name of a file.* Got '{path}'"):
        kind(path)


@pytest.mark.parametrize(
    ("kind", "name", "value", "rule"),
    [
        (CSVLog, "append", "yes", "True or False"),
        (JSONLog, "append", 1, "True or False"),
        (Checkpoint, "best_only", None, "True or False"),
        (Checkpoint, "every", 0, "whole number, at least 1"),
        (Checkpoint, "every", 2.0, "whole number, at least 1"),
        (Checkpoint, "every", True, "whole number, at least 1"),
    ],
)
def test_a_bad_parameter_is_named_with_its_value_and_the_rule(kind, name, value, rule):
    message = f"'{name}' parameter of {kind.__name__} must be .*{rule}.* Got {value!r}"
    with pytest.raises(ValueError, match=message):
        kind("file", **{name: value})


@pytest.mark.parametrize("every", [-1.0, float("nan"), "often", None])
def test_a_bad_pause_is_refused(every):
    with pytest.raises(ValueError, match="'every' parameter of ProgressBar must lie"):
        ProgressBar(every=every)


@pytest.mark.parametrize("stream", ["out", None, 1])
def test_an_unknown_stream_is_refused(stream):
    with pytest.raises(ValueError, match=r"must be 'stderr' or 'stdout'\. Got"):
        ProgressBar(stream)


def test_parameters_are_checked_again_when_a_fit_begins(ready, iris):
    bad = {"path": 3, "every": -1}
    for callback in ready[:4]:
        name = "every" if isinstance(callback, ProgressBar) else "path"
        model = network(callback.set_params(**{name: bad[name]}))
        with pytest.raises((TypeError, ValueError), match=f"{name!r} parameter"):
            model.fit(*iris)
        assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("kind", FILES)
def test_a_missing_folder_is_named_before_training_begins(kind, tmp_path, iris):
    path = tmp_path / "nowhere" / "file"
    epochs = []
    model = network([kind(path), epochs.append])
    with pytest.raises(FileNotFoundError, match=r"nowhere.*Create it before the fit"):
        model.fit(*iris)
    assert epochs == []
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("kind", FILES)
def test_a_folder_in_place_of_the_file_is_named(kind, tmp_path, iris):
    with pytest.raises(IsADirectoryError, match="Add the name of a file"):
        network(kind(tmp_path)).fit(*iris)


@pytest.mark.parametrize("kind", FILES)
def test_a_folder_that_may_not_be_written_is_named(kind, tmp_path, iris, monkeypatch):
    monkeypatch.setattr("sknn.callbacks._ready.os.access", lambda *args: False)
    with pytest.raises(PermissionError, match="Choose another folder"):
        network(kind(tmp_path / "file")).fit(*iris)
