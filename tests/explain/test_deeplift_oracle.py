"""`deep` against stored values of shap's DeepExplainer and captum's DeepLiftShap."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from sknn import MLPRegressor
from sknn.explain import explain

pytest.importorskip("shap")

PARITY = Path(__file__).parents[1] / "parity"
ORACLE = json.loads((PARITY / "deeplift_oracle.json").read_text())
SIZES = {"one hidden": (5, 7, 1), "two hidden": (5, 7, 4, 1), "outputs": (5, 7, 4, 3)}


@pytest.mark.parametrize("case", ORACLE)
def test_values_are_those_of_shap_and_captum(case):
    name, activation = case.split(", ")
    sizes = SIZES[name]
    rng = np.random.RandomState(0)  # drawn as tests/parity/make_deeplift_oracle.py does
    shapes = list(itertools.pairwise(sizes))
    kernels = [rng.normal(size=shape) for shape in shapes]
    intercepts = [rng.normal(size=shape[1]) for shape in shapes]
    rows = rng.normal(size=(11, sizes[0]))
    model = MLPRegressor(
        hidden_layer_sizes=sizes[1:-1], activation=activation, max_iter=1, tol=1e9
    )
    with pytest.warns(UserWarning, match="converged"):
        model.fit(rows, np.zeros((11, sizes[-1])) if sizes[-1] > 1 else np.zeros(11))
    model.coefs_, model.intercepts_ = kernels, intercepts
    found = explain(model, rows[:3], background=rows[3:], method="deep").values
    for package in ("captum", "shap"):
        expected = np.array(ORACLE[case][package]).reshape(found.shape)
        np.testing.assert_allclose(found, expected, atol=1e-10)
