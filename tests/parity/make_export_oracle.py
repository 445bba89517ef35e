"""Makes export_oracle.json: what PyTorch computes with exported networks.

    python tests/parity/make_export_oracle.py

Needs PyTorch, which nothing else here does. For each case of CASES the network that
`to_torch` gives out, run from its source with its arrays loaded: the source, the names
in PyTorch's own order, and the raw scores of a few rows, in float64.
"""

import json
import pathlib
import warnings

import numpy as np

from sknn import MLPRegressor
from sknn.activations import ACTIVATIONS
from sknn.export import to_torch
from sknn.layers import Activation, BatchNorm, Dense, LayerNorm, Residual, Scale

TARGET = pathlib.Path(__file__).with_name("export_oracle.json")
ROWS = np.random.RandomState(0).normal(size=(30, 3))

CASES = {
    "chain": MLPRegressor(hidden_layer_sizes=(4, 3), dropout=0.2),
    "normalised": MLPRegressor(
        layers=[Scale(), Dense(4), BatchNorm(), Dense(3), LayerNorm()]
    ),
    "residual": MLPRegressor(
        layers=[
            Dense(3),
            Residual([LayerNorm(), Activation("gelu"), Dense(3)]),
            Residual([Dense(2), Residual([Activation("silu"), Dense(2)])]),
        ]
    ),
    "activations": MLPRegressor(
        layers=[layer for name in ACTIVATIONS for layer in (Dense(3), Activation(name))]
    ),
    "monotonic": MLPRegressor(
        hidden_layer_sizes=(3,), activation="identity", monotonic_cst=(1, 0, -1)
    ),
}


def fitted(model):
    """A network that does not depend on the machine but for rounding."""
    model.set_params(random_state=0, max_iter=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged, on purpose
        model.fit(ROWS, ROWS[:, 0] * ROWS[:, 1])
    rng = np.random.RandomState(1)
    values = model._network.values
    values += 0.3 * np.abs(rng.normal(size=values.shape))
    return model


def main():
    import torch

    cases = {}
    for name, model in CASES.items():
        exported = to_torch(fitted(model))
        made = {"torch": torch, "nn": torch.nn}
        exec(exported.source, made)
        module = made["model"]
        state = {k: torch.from_numpy(v) for k, v in exported.state.items()}
        module.load_state_dict(state)
        module.eval()
        with torch.no_grad():
            scores = module(torch.from_numpy(ROWS))[:5]
        assert np.abs(scores.numpy() - model._network.predict(ROWS[:5])).max() < 1e-12
        cases[name] = {
            "source": exported.source,
            "names": list(module.state_dict()),
            "shapes": [list(v.shape) for v in module.state_dict().values()],
            "scores": scores.tolist(),
        }
    oracle = {"torch": torch.__version__, "cases": cases}
    TARGET.write_text(json.dumps(oracle) + "\n")


if __name__ == "__main__":
    main()
