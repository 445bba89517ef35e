"""What `to_torch` gives out is what PyTorch has computed with it, as stored."""

import json
import pathlib
import runpy

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from sknn import MLPAutoencoder, MLPClassifier, TabularMLPClassifier
from sknn.activations import ACTIVATIONS
from sknn.export import to_torch
from sknn.export._torch import _MODULES, _RULES
from sknn.layers import LAYERS

PARITY = pathlib.Path(__file__).parents[1] / "parity"
ORACLE = json.loads((PARITY / "export_oracle.json").read_text())["cases"]
MAKER = runpy.run_path(str(PARITY / "make_export_oracle.py"), run_name="maker")

#: What PyTorch has no module for.
WITHOUT = {
    *("columns", "embedding", "monotonic_activation"),
    *("pbld", "piecewise_linear", "plr"),
}


@pytest.mark.parametrize("case", ORACLE)
def test_torch_has_loaded_and_run_what_is_given_out(case):
    model, stored = MAKER["fitted"](MAKER["CASES"][case]), ORACLE[case]
    network = to_torch(model)
    assert network.source == stored["source"]
    assert list(network.state) == stored["names"]
    assert [list(a.shape) for a in network.state.values()] == stored["shapes"]
    scores = model._network.predict(MAKER["ROWS"][:5])
    np.testing.assert_allclose(scores, stored["scores"], rtol=1e-8)


def test_every_case_of_the_maker_is_stored():
    assert set(ORACLE) == set(MAKER["CASES"])


def test_every_activation_and_layer_has_a_module_or_a_reason():
    assert set(_MODULES) == set(ACTIVATIONS)
    assert set(_RULES) == {LAYERS[name] for name in set(LAYERS) - WITHOUT}


def test_arrays_are_copies_and_float32_stays_so(numbers, fit):
    X, score = numbers
    model = fit(MLPClassifier((5,), dtype="float32"), X, score > 0)
    network = to_torch(model)
    assert {array.dtype.name for array in network.state.values()} == {"float32"}
    assert network.source.endswith("    nn.Linear(5, 1),\n)")
    before = model.predict_proba(X)
    for array in network.state.values():
        array[...] = 0
    assert np.array_equal(model.predict_proba(X), before)


def test_a_transformer_of_its_own_data_goes_too(numbers, fit):
    network = to_torch(fit(MLPAutoencoder(2, (5,)), numbers[0]))
    assert network.state["2.weight"].shape == (2, 5)


def test_what_torch_lacks_is_refused_clearly(numbers, fit):
    X, score = numbers
    model = fit(MLPClassifier((5,), numeric_embedding="plr"), X, score > 0)
    with pytest.raises(ValueError, match=r"PLR\(\) has no counterpart"):
        to_torch(model)
    with pytest.raises(TypeError, match="pass one of estimators_"):
        to_torch(TabularMLPClassifier())
    with pytest.raises(NotFittedError):
        to_torch(MLPClassifier())
