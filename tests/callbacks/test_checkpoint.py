"""A checkpoint is a whole model, and training goes on from it to the bit."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris

import sknn
from sknn import MLPAutoencoder, MLPClassifier, MLPEnsembleClassifier, MLPRegressor
from sknn.callbacks import Checkpoint
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
    "curve over the fit": {"learning_rate": "cosine"},
    "averaged from a share on": {"average": "swa", "normalization": "batch"},
    "cycles": {"learning_rate": "coslog4", "n_iter_no_change": "cycle"},
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.sknn"


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:300] / 16, y[:300]


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
    """Keeps a checkpoint of each epoch under the epoch's number."""

    def __init__(self, path):
        self.path = path

    def __call__(self, epoch):
        epoch.store(self.path.with_name(f"{epoch.number}.sknn"))


def assert_same_fit(one, other):
    for a, b in zip(one.coefs_, other.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.loss_curve_ == other.loss_curve_
    assert one.validation_scores_ == other.validation_scores_


@pytest.mark.parametrize("name", SETTINGS)
def test_a_fit_resumes_from_each_of_its_epochs_to_the_bit(name, path, digits):
    settings = SETTINGS[name]
    whole = network(Keep(path), **settings).fit(*digits)
    assert whole.n_iter_ > PART
    for k in (1, PART, whole.n_iter_ - 1, whole.n_iter_):
        file = path.with_name(f"{k}.sknn")
        assert sknn.load(file).n_iter_ == k
        resumed = network(**settings).fit(*digits, resume_from=file)
        assert_same_fit(resumed, whole)
        assert resumed.n_iter_ == whole.n_iter_
        assert resumed.loss_ == whole.loss_


def test_a_stored_model_goes_on_with_warm_start_too(path, digits):
    network(Checkpoint(path, every=PART), **EVERYTHING, max_iter=PART).fit(*digits)
    model = sknn.load(path).set_params(warm_start=True, max_iter=WHOLE - PART)
    assert_same_fit(model.fit(*digits), network(**EVERYTHING).fit(*digits))


KILLED = """
import os, signal, sys
from sklearn.datasets import load_iris
from sknn import MLPClassifier
from sknn.callbacks import CSVLog
path, log = sys.argv[1:]
def kill(epoch):  # before the checkpoint, which is told last
    if epoch.number == 4:
        os.kill(os.getpid(), signal.SIGKILL)
both = [CSVLog(log), kill]
net = MLPClassifier(callbacks=both, checkpoint=path, random_state=0, max_iter=6)
net.fit(*load_iris(return_X_y=True))
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")
def test_a_killed_fit_leaves_its_last_epoch_and_its_log(path):
    log = path.with_name("log")
    command = [sys.executable, "-c", KILLED, str(path), str(log)]
    assert subprocess.run(command, check=False).returncode == -9
    assert sknn.load(path).n_iter_ == 3
    rows = log.read_text().splitlines()[1:]
    assert [row.partition(",")[0] for row in rows] == ["1", "2", "3", "4"]
    X, y = load_iris(return_X_y=True)
    settings = {"random_state": 0, "max_iter": 6}
    resumed = MLPClassifier(**settings).fit(X, y, resume_from=path)
    assert_same_fit(resumed, MLPClassifier(**settings).fit(X, y))


def test_the_horizon_of_a_schedule_cannot_change(path, digits):
    network(Stop(2), checkpoint=path, learning_rate="cosine").fit(*digits)
    with pytest.raises(ValueError, match=r"other parameters: max_iter=20 \(there 9\)"):
        network(max_iter=20, learning_rate="cosine").fit(*digits, resume_from=path)


def test_without_a_horizon_a_resumed_fit_may_be_longer(path, digits):
    network(checkpoint=path, max_iter=4).fit(*digits)
    assert_same_fit(network().fit(*digits, resume_from=path), network().fit(*digits))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"alpha": 0.5}, r"alpha=0\.5 \(there 0\.0001\)"),
        ({"solver": Adam(beta_1=0.5)}, r"solver=Adam\(.*beta_1=0\.5"),
        ({"random_state": 4, "dropout": 0.1}, r"dropout=0\.1 .*, random_state=4"),
    ],
)
def test_other_parameters_are_named(change, words, path, digits):
    network(checkpoint=path, max_iter=2).fit(*digits)
    with pytest.raises(ValueError, match=f"fit with other parameters: {words}"):
        network(**change).fit(*digits, resume_from=path)


def test_other_data_are_refused(path, digits):
    X, y = digits
    network(checkpoint=path, max_iter=2).fit(X, y)
    for data in ((X[::-1], y[::-1]), (X[:-1], y[:-1]), (X, y, np.arange(len(y)))):
        model = network()
        with pytest.raises(ValueError, match="stored by a fit to other data"):
            model.fit(*data, resume_from=path)
        assert not hasattr(model, "coefs_")


def test_what_is_no_checkpoint_of_such_a_fit_is_refused(path, digits):
    X, y = digits
    with pytest.raises(FileNotFoundError):
        network().fit(X, y, resume_from=path)
    path.write_bytes(b"nothing" * 20)
    with pytest.raises(ValueError, match=r"cannot read '.*': it is not a file of sknn"):
        network().fit(X, y, resume_from=path)
    sknn.save(network(), path)
    with pytest.raises(ValueError, match="holds a MLPClassifier unfitted"):
        network().fit(X, y, resume_from=path)
    network(Checkpoint(path)).partial_fit(X, y, classes=np.unique(y))
    with pytest.raises(ValueError, match="stored by partial_fit, which has no end"):
        network().fit(X, y, resume_from=path)
    with pytest.raises(ValueError, match="holds a MLPClassifier, not a MLPRegressor"):
        MLPRegressor().fit(X, y, resume_from=path)
    with pytest.raises(ValueError, match="coefs_init and resume_from are given"):
        network().fit(X, y, coefs_init=[None, None], resume_from=path)


def test_lbfgs_goes_on_with_a_fresh_memory(path, digits):
    settings = {"solver": "lbfgs", "max_iter": 8}
    network(Stop(4), checkpoint=path, **settings).fit(*digits)
    resumed = network(**settings).fit(*digits, resume_from=path)
    assert resumed.n_iter_ == 8
    assert resumed.loss_curve_[-1] < sknn.load(path).loss_ == resumed.loss_curve_[3]
    network(checkpoint=path, **settings).fit(*digits)
    again = network(**settings).fit(*digits, resume_from=path)
    assert again.loss_ == sknn.load(path).loss_ and again.n_iter_ == 8


def test_an_autoencoder_resumes(path, digits):
    auto = MLPAutoencoder(2, (5,), random_state=0, max_iter=6)
    whole = clone(auto).fit(digits[0])
    clone(auto).set_params(checkpoint=path, callbacks=Stop(3)).fit(digits[0])
    assert_same_fit(clone(auto).fit(digits[0], resume_from=path), whole)


def test_members_of_an_ensemble_have_no_checkpoint_of_their_own(path, digits):
    ensemble = MLPEnsembleClassifier(network(checkpoint=path), 2)
    with pytest.raises(ValueError, match="overwritten by each member in turn"):
        ensemble.fit(*digits)


def test_seconds_are_the_least_time_between_two_stores(path, epoch, monkeypatch):
    now = iter(range(100))
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    stored = []
    keep = Checkpoint(path, seconds=3)
    keep.begin(network(), 9)  # at 0; each epoch asks, at 1, 2, 3, and a store once more
    for number in range(1, 9):
        keep(epoch(number, store=lambda _, n=number: stored.append(n)))
    assert stored == [3, 6]


def test_predictions_are_those_of_the_epoch(path, digits):
    network(Checkpoint(path, every=3), max_iter=5).fit(*digits)
    stopped = network(Stop(3), max_iter=5).fit(*digits)
    expected = stopped.predict_proba(digits[0])
    np.testing.assert_array_equal(sknn.load(path).predict_proba(digits[0]), expected)


def test_every_counts_from_the_first_fit(path, digits):
    def keep(epoch):
        shutil.copy(path, path.with_name(f"{epoch.number}.sknn"))

    model = network([Checkpoint(path, every=3), keep], warm_start=True)
    path.write_bytes(b"nothing yet")
    model.set_params(max_iter=4).fit(*digits).fit(*digits)
    stored = [path.with_name(f"{k}.sknn").read_bytes() for k in range(1, 9)]
    changed = [k for k in range(2, 9) if stored[k - 1] != stored[k - 2]]
    assert changed == [3, 6]


def test_best_only_stores_the_best_epoch(path, digits):
    settings = {"early_stopping": True, "learning_rate_init": 0.02, "max_iter": 12}
    whole = network(Checkpoint(path, best_only=True), **settings).fit(*digits)
    assert whole.best_iter_ < whole.n_iter_
    model = sknn.load(path)
    assert model.n_iter_ == whole.best_iter_
    # An early stopping fit publishes its best epoch, which is the one in the file.
    for stored, published in zip(model.coefs_, whole.coefs_, strict=True):
        np.testing.assert_array_equal(stored, published)


def test_checkpoints_change_nothing_in_the_fit(path, digits):
    assert_same_fit(
        network(Checkpoint(path), **EVERYTHING).fit(*digits),
        network(**EVERYTHING).fit(*digits),
    )


def test_the_stored_model_has_no_callbacks(path, digits):
    network([lambda epoch: None], checkpoint=Checkpoint(path), max_iter=2).fit(*digits)
    model = sknn.load(path)
    assert model.callbacks is model.checkpoint is None


def test_a_regressor_is_stored_after_partial_fit(path, digits):
    model = MLPRegressor(
        hidden_layer_sizes=(3,), callbacks=Checkpoint(path), random_state=0
    )
    for _ in range(2):
        model.partial_fit(*digits)
        np.testing.assert_array_equal(sknn.load(path).coefs_[0], model.coefs_[0])


class OwnSplitter:
    """None that files know."""

    def split(self, X, y, groups=None):
        yield np.arange(200), np.arange(200, 300)


def test_what_cannot_be_stored_is_named_before_training_begins(path, digits):
    epochs = []
    settings = {"early_stopping": True, "validation_split": OwnSplitter()}
    model = network(epochs.append, checkpoint=path, **settings)
    with pytest.raises(TypeError, match=r"model\.validation_split is .*OwnSplitter"):
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
