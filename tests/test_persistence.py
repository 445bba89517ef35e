"""Saved models come back to the bit, and nothing else is ever loaded."""

import copy
import json
import os
import pickle
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path

import cloudpickle
import joblib
import numpy as np
import pytest
import skops.io
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

import sknn
from sknn import MLPClassifier, MLPRegressor
from sknn._tensors import read_tensors, write_tensors
from sknn.estimators._stored import ESTIMATORS
from sknn.estimators.mlp import BaseMLP
from sknn.initializers import INITIALIZERS, Scaled
from sknn.layers import LAYERS, Activation, Dense
from sknn.losses import LOSSES, SquaredError
from sknn.optimizers import OPTIMIZERS
from sknn.persistence import FileFormatError
from sknn.schedules import SCHEDULES
from sknn.training.averaging import AVERAGES
from tests.stored_models import FRAME, LABELS, MODELS, NUMBERS, X, answers, fit

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:.*dead"),
]
GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.sknn"


@pytest.fixture(scope="module")
def fitted():
    """Make each model once: ``fitted(name)`` is the model, its X and its y."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = fit(name)
        return made[name]

    return get


def by_file(model, path):
    sknn.save(model, path)
    return sknn.load(path)


def by_skops(model, path):
    skops.io.dump(model, path)
    return skops.io.load(path, trusted=sknn.TRUSTED_TYPES)


def by_joblib(model, path):
    joblib.dump(model, path)
    return joblib.load(path, mmap_mode="r")


WAYS = {
    "file": by_file,
    "skops": by_skops,
    "joblib": by_joblib,
    "pickle": lambda model, path: pickle.loads(pickle.dumps(model)),
    "cloudpickle": lambda model, path: pickle.loads(cloudpickle.dumps(model)),
}


def assert_same_answers(one, other, inputs):
    first, second = answers(one, inputs), answers(other, inputs)
    assert first.keys() == second.keys() != set()
    for name, answer in first.items():
        np.testing.assert_array_equal(second[name], answer)
        assert second[name].dtype == answer.dtype


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", MODELS)
def test_models_come_back_and_go_on_to_the_bit(name, way, path, fitted):
    model, inputs, y = fitted(name)
    again = WAYS[way](model, path)
    assert type(again) is type(model)
    assert vars(again).keys() == vars(model).keys()
    assert_same_answers(again, model, inputs)
    if not isinstance(model, BaseMLP):
        return
    # The copy that goes on beside it draws from a random state of its own.
    both = [copy.deepcopy(model), again]
    for one in both:
        one.set_params(warm_start=True, max_iter=2).fit(inputs, y)
    assert both[0].loss_curve_ == both[1].loss_curve_
    assert_same_answers(*both, inputs)


@pytest.mark.parametrize("name", ["perceptron", "averaged perceptron", "plain"])
def test_a_model_in_read_only_memory_learns_on(name, path, fitted):
    model, inputs, y = fitted(name)
    again = by_joblib(model, path)
    both = [one.partial_fit(inputs, y) for one in (copy.deepcopy(model), again)]
    assert_same_answers(*both, inputs)


@pytest.mark.parametrize("name", MODELS)
def test_unfitted_models_come_back_with_their_parameters(name, path):
    model = clone(MODELS[name][0])
    again = by_file(model, path)
    assert vars(again).keys() == vars(model).keys()
    assert_same_parameters(again, model)


def assert_same_parameters(one, other):
    values, others = one.get_params(), other.get_params()
    assert values.keys() == others.keys()
    for name, value in values.items():
        assert type(value) is type(others[name])
        if not hasattr(value, "get_params") and "random_state" not in name:
            assert repr(value) == repr(others[name])


def test_every_estimator_is_among_the_models_and_can_be_stored():
    public = [getattr(sknn, name) for name in sknn.__all__]
    estimators = {kind for kind in public if hasattr(kind, "get_params")}
    assert estimators == set(ESTIMATORS) == {type(m[0]) for m in MODELS.values()}


PARAMETERS = {
    "loss": [k() for k in LOSSES.values() if not k.__name__.startswith(("Bin", "Mul"))],
    "solver": [kind() for kind in OPTIMIZERS.values()],
    "learning_rate": [kind() for kind in SCHEDULES.values()],
    "average": [kind() for kind in AVERAGES.values()],
    "weight_init": [
        *(kind() for kind in INITIALIZERS.values()),
        Scaled(INITIALIZERS["he"](), 0.5),
    ],
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_objects_of_every_table_are_stored(name, path):
    for value in PARAMETERS[name]:
        again = by_file(MLPRegressor(**{name: value}), path)
        assert getattr(again, name) == value
        assert type(getattr(again, name)) is type(value)


def test_classes_of_every_table_are_known():
    known = set(sknn.TRUSTED_TYPES)
    tables = [LAYERS, LOSSES, OPTIMIZERS, SCHEDULES, INITIALIZERS, AVERAGES]
    for kind in (kind for table in tables for kind in table.values()):
        assert f"{kind.__module__}.{kind.__qualname__}" in known


class OwnLoss(SquaredError):
    """A loss that its user has put into the table."""


def test_a_class_that_is_put_into_a_table_is_stored(path, monkeypatch):
    model = MLPRegressor(OwnLoss(), max_iter=2, random_state=0).fit(X, NUMBERS)
    with pytest.raises(TypeError, match=r"model\.loss is OwnLoss\(\), of the class"):
        sknn.save(model, path)
    assert not path.exists()
    monkeypatch.setitem(LOSSES, "own", OwnLoss)
    again = by_file(model, path)
    assert_same_answers(again, model, X)
    monkeypatch.delitem(LOSSES, "own")
    with pytest.raises(FileFormatError, match=r"of the class 'losses\.OwnLoss', which"):
        sknn.load(path)


# Pipelines


def make_pipe():
    columns = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["kind"]),
        (StandardScaler(), ["a", "c"]),
    )
    return make_pipeline(columns, MLPClassifier((3,), max_iter=2, random_state=0))


@pytest.mark.parametrize("scoring", [None, "neg_log_loss"])
def test_pipelines_and_searches_come_back(scoring, path):
    search = GridSearchCV(make_pipe(), {"mlpclassifier__alpha": [0.1]}, scoring=scoring)
    search.fit(FRAME, LABELS)
    again = by_file(search, path)
    assert_same_answers(again, search, FRAME)
    assert again.score(FRAME, LABELS) == search.score(FRAME, LABELS)


def test_classes_of_others_must_be_trusted(path):
    pipe = make_pipeline(FunctionTransformer(shift), MLPRegressor(max_iter=2))
    sknn.save(pipe.fit(X, NUMBERS), path)
    with pytest.raises(TypeError, match=r"of the classes \['.*\.shift'\] in it"):
        sknn.load(path)
    name = f"{shift.__module__}.shift"
    assert_same_answers(sknn.load(path, trusted=[name]), pipe, X)


def shift(X):
    return X + 1.0


def test_an_estimator_of_sknn_in_a_pipeline_is_checked(path):
    pipe = make_pipe().fit(FRAME, LABELS)
    pipe[-1]._state.epoch = -1
    sknn.save(pipe, path)
    with pytest.raises(FileFormatError, match="its MLPClassifier is not whole"):
        sknn.load(path)


def test_without_skops_a_pipeline_says_what_to_install(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "skops", None)
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(ImportError, match=r"To save Pipeline, .*pip install skops"):
        sknn.save(make_pipe(), path)
    assert not path.exists()


@pytest.mark.parametrize("given", [3, "model", None, MLPClassifier, [MLPClassifier()]])
def test_what_is_no_estimator_is_refused(given, path):
    with pytest.raises(TypeError, match="save takes an estimator"):
        sknn.save(given, path)
    assert not path.exists()


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({"alpha": -1}, ValueError, "'alpha' parameter of MLPClassifier"),
        ({"callbacks": print}, TypeError, r"model\.callbacks is <built-in"),
        ({"random_state": "pcg"}, TypeError, r"draws from PCG64"),
    ],
)
def test_what_cannot_be_stored_is_named_and_leaves_the_old_file(
    parameters, error, words, path
):
    if "random_state" in parameters:
        parameters = {"random_state": np.random.RandomState(np.random.PCG64(0))}
    path.write_bytes(b"old")
    with pytest.raises(error, match=words):
        sknn.save(MLPClassifier(**parameters), path)
    assert path.read_bytes() == b"old"
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_class_that_a_user_derives_is_refused(path):
    class Own(MLPClassifier):
        """May do anything."""

    model = Own()
    with pytest.raises((TypeError, FileFormatError)):
        by_file(model, path)


# Files that are not what they should be


def tampered(path, change):
    """Load what `change` has made of the parts of the file."""
    arrays, about = read_tensors(path)
    parts = {"arrays": arrays, "about": about, "model": about["model"]["parts"]}
    change(parts)
    write_tensors(path, parts["arrays"], parts["about"])
    return sknn.load(path)


def state_of(parts):
    return parts["model"]["_state"]["parts"]


def network_of(parts):
    return parts["model"]["_network"]["parts"]


def layer_of(parts):
    return network_of(parts)["layers"]["items"][0]["parts"]


KERNEL, ORDER = "model._network.parameters.0.W", "model._state.permutation"

CHANGES = {
    "other shape": lambda p: p["arrays"].update({KERNEL: np.ones((4, 4))}),
    "other dtype": lambda p: p["arrays"].update({KERNEL: np.ones((4, 3), "f4")}),
    "not finite": lambda p: p["arrays"][KERNEL].fill(np.nan),
    "array missing": lambda p: p["arrays"].pop(KERNEL),
    "array too many": lambda p: p["arrays"].update(more=np.ones(1)),
    "wider layer": lambda p: layer_of(p).update(units=4),
    "endless layer": lambda p: layer_of(p).update(units=10**30),
    "layer of text": lambda p: layer_of(p).update(units="3"),
    "no layer": lambda p: network_of(p)["layers"]["items"].insert(0, 3),
    "more features": lambda p: network_of(p).update(n_features=5),
    "features of another X": lambda p: p["model"].update(n_features_in_=5),
    "endless features": lambda p: p["model"].update(n_features_in_=10**15),
    "no order": lambda p: p["arrays"][ORDER].fill(1),
    "history": lambda p: state_of(p)["history"]["items"][0][1].append(1.0),
    "epoch": lambda p: state_of(p).update(epoch=-1),
    "no state": lambda p: p["model"].update(_state=None),
    "no loss": lambda p: p["model"].update(_loss=None),
    "no targets": lambda p: p["model"].update(_targets=3),
    "parameter missing": lambda p: p["model"].pop("alpha"),
    "parameter": lambda p: p["model"].update(alpha=-1.0),
    "a method": lambda p: p["model"].update(predict=3),
    "a dunder": lambda p: p["model"].update(__class__=3),
    "another class": lambda p: p["about"]["model"].update(kind="MLPRegressor"),
    "no estimator": lambda p: p["about"].update(model={"is": "path", "value": "x"}),
    "another kind": lambda p: p["about"].update(kind="table"),
    "no kind": lambda p: p["about"].pop("kind"),
    "versions": lambda p: p["about"].update(versions=3),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_file_that_contradicts_itself_is_refused(name, path, fitted):
    sknn.save(fitted("plain")[0], path)
    with pytest.raises(FileFormatError, match=r"cannot read '.*model\.sknn': it"):
        tampered(path, CHANGES[name])


@pytest.mark.parametrize(
    "data", [b"", b"x" * 1000, pickle.dumps(MLPClassifier()), b"PK\x03\x04" * 99]
)
def test_files_of_others_are_refused(data, path):
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match="cannot read"):
        sknn.load(path)


def test_a_file_of_arrays_alone_is_refused(path):
    write_tensors(path, {"a": np.ones(3)}, None)
    with pytest.raises(FileFormatError, match="it holds no estimator"):
        sknn.load(path)
    with pytest.raises(FileNotFoundError):
        sknn.load(path.with_name("none"))
    for place in (None, 0, ["model"]):
        with pytest.raises(TypeError, match=r"expected str, bytes or os"):
            sknn.load(place)


def test_another_version_of_scikit_learn_is_told_where_it_matters(path, fitted):
    def change(parts):
        parts["about"]["versions"]["sklearn"] = "1.4.0"

    sknn.save(fitted("columns")[0], path)
    with pytest.warns(InconsistentVersionWarning, match=r"from version 1\.4\.0"):
        tampered(path, change)
    sknn.save(fitted("plain")[0], path)
    assert tampered(path, change).n_iter_ == 2


def test_loading_imports_and_runs_nothing(path, fitted):
    """What is in the file is data: no module is imported, no class is looked up."""
    sknn.save(fitted("plain")[0], path)
    script = (
        "import sys, sknn\n"
        "sknn.TRUSTED_TYPES  # imports those classes of scikit-learn that files hold\n"
        "before = set(sys.modules)\n"
        "sys.addaudithook(lambda e, a: e in ('exec', 'compile', 'os.system',"
        " 'subprocess.Popen', 'pickle.find_class') and sys.exit(f'ran {e}'))\n"
        "sknn.load(sys.argv[1])\n"
        "new = set(sys.modules) - before\n"
        "sys.exit(f'imported {new}' if new else 0)\n"
    )
    command = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# Files of released versions


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.sknn")), ids=lambda f: f.stem)
def test_files_of_released_versions_are_read(file):
    """`make_golden.py` beside them has made the files and the numbers."""
    expected = json.loads(file.with_suffix(".json").read_text())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        model = sknn.load(file)
    inputs = FRAME if expected["frame"] else X
    for name, answer in answers(model, inputs[:5]).items():
        stored = expected["answers"][name]
        if answer.dtype.kind == "f":
            computed_in = np.dtype(getattr(model, "dtype", answer.dtype))
            tol = 1e-5 if computed_in == np.float32 else 1e-10
            np.testing.assert_allclose(answer, stored, rtol=tol, atol=tol)
        else:
            assert answer.tolist() == stored


def test_there_is_a_golden_file_of_each_model():
    assert {file.stem for file in GOLDEN.glob("*.sknn")} == {
        f"1-{name.replace(' ', '-').replace(',', '')}" for name in MODELS
    }


def test_arrays_are_found_by_name_in_the_layout_of_safetensors(path, fitted):
    model = fitted("plain")[0]
    sknn.save(model, path)
    data = path.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    entry = header["model._network.parameters.0.W"]
    start, stop = (
        8 + int.from_bytes(data[:8], "little") + k for k in entry["data_offsets"]
    )
    kernel = np.frombuffer(data[start:stop], "<f8").reshape(entry["shape"])
    np.testing.assert_array_equal(kernel, model.coefs_[0])


def test_a_model_without_layers_of_its_own_keeps_what_it_was_given(path):
    layers = [Dense(2), Activation("tanh"), Dense(1)]
    again = by_file(MLPRegressor(layers=layers), path)
    assert again.layers == layers


# Short forms of `tests/proofs`


def test_damaged_models_are_refused_or_as_they_were(load_proof):
    names = ("plain", "columns", "averaged perceptron", "transformer")
    found = Counter(load_proof("mutated_models").mutations(80, seed=1, names=names))
    assert found.total() == 80
    assert found[False, "refused"] + found[False, "same answers"] == 40
    assert found[True, "refused"] > 10


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # beside threads
def test_killed_fits_end_with_the_bits_of_whole_ones(load_proof):
    found = load_proof("killed_fits").kills(4)
    assert found["kills"] == 4
    assert found["fits"] >= 1
