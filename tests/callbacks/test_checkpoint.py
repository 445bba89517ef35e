"""A checkpoint is a whole model, and training goes on from it to the bit."""

import os
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris

from sknn import MLPClassifier, MLPRegressor
from sknn.callbacks import Checkpoint, CSVLog
from sknn.optimizers import Adam
from sknn.schedules import Cosine
from sknn.training.averaging import SWA

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
WHOLE, PART = 9, 4
EVERYTHING = {
    "solver": "adam",
    "dropout": 0.3,
    "normalization": "batch",
    "early_stopping": True,
    "average": "ema",
}
SETTINGS = {
    "everything": EVERYTHING,
    "plain": {},
    "sgd, inverse scaling": {"solver": "sgd", "learning_rate": "invscaling"},
    "sgd, adaptive": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "tol": 1.0,
        "n_iter_no_change": 1,
    },
    "curve with a total": {"learning_rate": Cosine(total=WHOLE)},
    "averaged from epoch 3": {"average": SWA(start=3)},
    "patience": {"early_stopping": True, "n_iter_no_change": 4, "tol": 0.1},
    "rescue": {"on_divergence": "rescue", "solver": Adam(beta_1=0.8)},
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.pkl"


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:300] / 16, y[:300]


def load(path):
    return pickle.loads(path.read_bytes())


def network(callbacks=None, **other):
    values = {"max_iter": WHOLE, "random_state": 3} | other
    return MLPClassifier((12,), callbacks=callbacks, **values)


class Stop:
    """Ends a fit after an epoch; of a module, so that it can be pickled."""

    def __init__(self, after):
        self.after = after

    def __call__(self, epoch):
        return epoch.number >= self.after


class Keep:
    """Keeps the checkpoint of each epoch under the epoch's number."""

    def __init__(self, path):
        self.path = path

    def __call__(self, epoch):
        shutil.copy(self.path, self.path.with_name(f"{epoch.number}.pkl"))


def assert_same_fit(one, other):
    for a, b in zip(one.coefs_, other.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.loss_curve_ == other.loss_curve_
    assert one.validation_scores_ == other.validation_scores_


def go_on(model, rest, X, y):
    return model.set_params(warm_start=True, max_iter=rest, callbacks=None).fit(X, y)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_fit_that_goes_on_equals_the_whole_to_the_bit(name, path, digits):
    settings = SETTINGS[name]
    whole = network(**settings).fit(*digits)
    stopped = network([Checkpoint(path), Stop(PART)], **settings).fit(*digits)
    model = load(path)
    assert model.n_iter_ == stopped.n_iter_ == PART
    assert whole.n_iter_ > PART
    assert_same_fit(go_on(model, WHOLE - PART, *digits), whole)


@pytest.mark.parametrize("name", ["everything", "patience", "sgd, adaptive"])
def test_a_fit_can_go_on_from_each_of_its_epochs(name, path, digits):
    whole = network([Checkpoint(path), Keep(path)], **SETTINGS[name]).fit(*digits)
    assert whole.n_iter_ > 3
    for k in range(1, whole.n_iter_):
        model = load(path.with_name(f"{k}.pkl"))
        assert_same_fit(go_on(model, WHOLE - k, *digits), whole)


def test_another_process_goes_on_to_the_bit(path):
    X, y = load_iris(return_X_y=True)
    whole = network(Checkpoint(path, every=5), **EVERYTHING).fit(X, y)
    assert load(path).n_iter_ == 5
    script = f"""
import pickle, sys
from sklearn.datasets import load_iris
with open({str(path)!r}, "rb") as file:
    model = pickle.load(file)
model.set_params(warm_start=True, max_iter={WHOLE - 5}).fit(*load_iris(return_X_y=True))
sys.stdout.buffer.write(pickle.dumps(model))
"""
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    assert_same_fit(pickle.loads(done.stdout), whole)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")
def test_a_killed_fit_leaves_its_last_epoch_and_its_log(path):
    log = path.with_name("log")
    script = f"""
import os, signal, warnings
from sklearn.datasets import load_iris
from sknn import MLPClassifier
from sknn.callbacks import Callback, Checkpoint, CSVLog
class Kill(Callback):
    def __call__(self, epoch):
        if epoch.number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
    def __reduce__(self):
        return Callback, ()
callbacks = [CSVLog({str(log)!r}), Checkpoint({str(path)!r}), Kill()]
MLPClassifier(callbacks=callbacks, random_state=0).fit(*load_iris(return_X_y=True))
"""
    subprocess.run([sys.executable, "-c", script], check=False)
    X, y = load_iris(return_X_y=True)
    model, whole = load(path), MLPClassifier(random_state=0, max_iter=5).fit(X, y)
    assert model.n_iter_ == 3
    rows = log.read_text().splitlines()[1:]
    assert [row.partition(",")[0] for row in rows] == ["1", "2", "3"]
    assert_same_fit(go_on(model, 2, X, y), whole)


def test_predictions_are_those_of_the_epoch(path, digits):
    network(Checkpoint(path, every=3), max_iter=5).fit(*digits)
    stopped = network(Stop(3), max_iter=5).fit(*digits)
    expected = stopped.predict_proba(digits[0])
    np.testing.assert_array_equal(load(path).predict_proba(digits[0]), expected)


def test_every_counts_from_the_first_fit(path, digits):
    model = network([Checkpoint(path, every=3), Keep(path)], warm_start=True)
    path.write_bytes(b"nothing yet")
    model.set_params(max_iter=4).fit(*digits).fit(*digits)
    stored = [path.with_name(f"{k}.pkl").read_bytes() for k in range(1, 9)]
    changed = [k for k in range(2, 9) if stored[k - 1] != stored[k - 2]]
    assert changed == [3, 6]


def test_best_only_stores_the_best_epoch(path, digits):
    settings = {"early_stopping": True, "learning_rate_init": 0.02, "max_iter": 12}
    whole = network(Checkpoint(path, best_only=True), **settings).fit(*digits)
    assert whole.best_iter_ < whole.n_iter_
    model = load(path)
    assert model.n_iter_ == whole.best_iter_
    # An early stopping fit publishes its best epoch, which is the one in the file.
    for stored, published in zip(model.coefs_, whole.coefs_, strict=True):
        np.testing.assert_array_equal(stored, published)


def test_checkpoints_change_nothing_in_the_fit(path, digits):
    assert_same_fit(
        network(Checkpoint(path), **EVERYTHING).fit(*digits),
        network(**EVERYTHING).fit(*digits),
    )


def test_the_model_brings_its_callbacks_along_without_open_files(path, digits):
    callbacks = [CSVLog(path.with_name("log"), append=True), Checkpoint(path)]
    network(callbacks, max_iter=3).fit(*digits)
    model = load(path)
    assert model.callbacks == callbacks
    assert [callback._open for callback in model.callbacks] == [None, None]
    model.set_params(warm_start=True, max_iter=2).fit(*digits)
    assert len(path.with_name("log").read_text().splitlines()) == 1 + 3 + 2
    assert len(load(path).loss_curve_) == 5


def test_a_regressor_is_stored_after_partial_fit(path, digits):
    model = MLPRegressor(
        hidden_layer_sizes=(3,), callbacks=Checkpoint(path), random_state=0
    )
    for _ in range(2):
        model.partial_fit(*digits)
        np.testing.assert_array_equal(load(path).coefs_[0], model.coefs_[0])


@pytest.mark.parametrize("last", [True, False])
def test_what_cannot_be_pickled_is_named_before_training_begins(path, digits, last):
    epochs = []
    both = [Checkpoint(path), lambda epoch: epochs.append(epoch)]
    model = network(both if last else both[::-1])
    with pytest.raises(TypeError, match=r"'callbacks' cannot be pickled .* lambdas"):
        model.fit(*digits)
    assert epochs == []
    assert not path.exists()


def test_a_failure_to_write_leaves_the_last_checkpoint(path, digits, monkeypatch):
    network(Checkpoint(path), max_iter=2).fit(*digits)
    before = path.read_bytes()

    def fail(descriptor):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        network(Checkpoint(path), max_iter=2).fit(*digits)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_clones_store_to_the_same_file(path):
    model = clone(network(Checkpoint(path, every=2)))
    assert model.callbacks == Checkpoint(path, every=2)
