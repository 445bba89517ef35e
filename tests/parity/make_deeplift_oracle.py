"""Make ``deeplift_oracle.json``: DeepLIFT values by shap and captum, with PyTorch.

Run in an environment with torch, shap and captum:
``python tests/parity/make_deeplift_oracle.py``. Weights and rows are drawn from NumPy's
RandomState, as the test draws them; stored are the values in float64.
"""

import itertools
import json
import warnings
from pathlib import Path

import numpy as np
import shap
import torch
from captum.attr import DeepLiftShap

ACTIVATIONS = {
    "relu": torch.nn.ReLU,
    "leaky_relu": lambda: torch.nn.LeakyReLU(0.01),
    "elu": torch.nn.ELU,
    "tanh": torch.nn.Tanh,
    "logistic": torch.nn.Sigmoid,
    "softplus": torch.nn.Softplus,
}
SIZES = {"one hidden": (5, 7, 1), "two hidden": (5, 7, 4, 1), "outputs": (5, 7, 4, 3)}
N_ROWS, N_BACKGROUND = 3, 8


def draw(sizes):
    """Return kernels, intercepts, rows and background rows."""
    rng = np.random.RandomState(0)
    shapes = list(itertools.pairwise(sizes))
    kernels = [rng.normal(size=shape) for shape in shapes]
    intercepts = [rng.normal(size=shape[1]) for shape in shapes]
    rows = rng.normal(size=(N_ROWS + N_BACKGROUND, sizes[0]))
    return kernels, intercepts, rows[:N_ROWS], rows[N_ROWS:]


def build(activation, kernels, intercepts):
    """Return a chain of linear layers with modules of their own between them."""
    modules = []
    for W, b in zip(kernels, intercepts, strict=True):
        if modules:
            modules.append(ACTIVATIONS[activation]())
        linear = torch.nn.Linear(*W.shape).double()
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(W.T))
            linear.bias.copy_(torch.tensor(b))
        modules.append(linear)
    return torch.nn.Sequential(*modules)


def by_captum(model, x, background, n_outputs):
    """Return values (n, d, C)."""
    values = [
        DeepLiftShap(model).attribute(x, background, target=c).detach().numpy()
        for c in range(n_outputs)
    ]
    return np.stack(values, axis=-1)


def by_shap(model, x, background):
    """Return values (n, d, C)."""
    values = shap.DeepExplainer(model, background).shap_values(x)
    return np.asarray(values).reshape(len(x), x.shape[1], -1)


def main():
    """Write the file; say how far the two packages are apart."""
    warnings.simplefilter("ignore")
    found = {}
    for name, sizes in SIZES.items():
        for activation in ACTIVATIONS:
            kernels, intercepts, x, b = draw(sizes)
            model = build(activation, kernels, intercepts)
            x, b = torch.tensor(x), torch.tensor(b)
            captum = by_captum(model, x, b, sizes[-1])
            other = by_shap(build(activation, kernels, intercepts), x, b)
            print(name, activation, np.abs(captum - other).max())
            found[f"{name}, {activation}"] = {
                "captum": captum.tolist(),
                "shap": other.tolist(),
            }
    path = Path(__file__).parent / "deeplift_oracle.json"
    path.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
