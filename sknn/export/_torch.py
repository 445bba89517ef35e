"""Networks in PyTorch's names and layout, for people who move on; needs no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sknn._array import Array
from sknn.estimators.mlp import BaseMLP
from sknn.layers import (
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Layer,
    LayerNorm,
    MonotonicDense,
    Residual,
    Scale,
)
from sknn.layers.base import Views

State = dict[str, Array]

_MODULES = {
    "identity": "nn.Identity()",
    "logistic": "nn.Sigmoid()",
    "tanh": "nn.Tanh()",
    "relu": "nn.ReLU()",
    "leaky_relu": "nn.LeakyReLU(0.01)",
    "elu": "nn.ELU()",
    "selu": "nn.SELU()",
    "gelu": "nn.GELU()",
    "silu": "nn.SiLU()",
    "mish": "nn.Mish()",
    "softplus": "nn.Softplus(threshold=40)",
}

# Classes that torch does not have, for the layers that need one.
_CLASSES = {
    "Scale": """\
class Scale(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n))

    def forward(self, x):
        return x * self.weight
""",
    "Residual": """\
class Residual(nn.Module):
    def __init__(self, inner, shortcut):
        super().__init__()
        self.inner, self.shortcut = inner, shortcut

    def forward(self, x):
        return self.shortcut(x) + self.inner(x)
""",
}


@dataclass(frozen=True)
class TorchNetwork:
    """A network as PyTorch has it, without PyTorch.

    Parameters
    ----------
    state : dict of ndarray
        What ``load_state_dict`` takes, once each array is a tensor, in the order of
        PyTorch's own: kernels of shape (n_out, n_in), intercepts, statistics.
    source : str
        Python that makes the modules as ``model``; it needs ``import torch`` and
        ``from torch import nn``.
    """

    state: State
    source: str


def to_torch(estimator: Any) -> TorchNetwork:
    """Return the network of an estimator in PyTorch's names and layout.

    The modules give out raw scores, those of `decision_function`; what comes before and
    behind the network (columns that are filled, scaled or coded, the link, the units of
    y, labels) is not among them.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor, MLPEstimator or MLPAutoencoder
        Fitted. Members of ensembles go one by one.

    Returns
    -------
    network : TorchNetwork
        Its arrays, and the source of its modules.

    Raises
    ------
    TypeError
        If the estimator is another one.
    ValueError
        If the network has a layer that PyTorch lacks: embeddings and `Columns`, and
        monotonic activations.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.export import to_torch
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((8,), alpha=1.0, solver="lbfgs", tol=1e-2,
    ...                       random_state=0)
    >>> network = to_torch(model.fit(X, y))
    >>> print(network.source)
    model = nn.Sequential(
        nn.Linear(4, 8),
        nn.ReLU(),
        nn.Linear(8, 3),
    ).double()
    >>> {name: array.shape for name, array in network.state.items()}
    {'0.weight': (8, 4), '0.bias': (8,), '2.weight': (3, 8), '2.bias': (3,)}
    """
    if not isinstance(estimator, BaseMLP):
        raise TypeError(
            "to_torch takes a multi-layer perceptron of sknn, got "
            f"{type(estimator).__name__}. Of an ensemble, pass one of estimators_."
        )
    check_is_fitted(estimator)
    network = estimator._network
    lines, state = _sequential(network.layers, network.views, network.n_features, "")
    source = "model = " + "\n".join(lines)
    needed = [text for name, text in _CLASSES.items() if f" {name}(" in source]
    dtype = network.values.dtype
    double = "" if dtype == np.float32 else ".double()"
    return TorchNetwork(state, "\n\n".join([*needed, source + double]))


def _sequential(
    layers: Sequence[Layer], views: Sequence[Views], width: int, prefix: str
) -> tuple[list[str], State]:
    """Return the lines of ``nn.Sequential`` and its arrays under this prefix."""
    lines: list[str] = ["nn.Sequential("]
    state: State = {}
    for i, (layer, p) in enumerate(zip(layers, views, strict=True)):
        if type(layer) not in _RULES:
            raise ValueError(
                f"{layer!r} has no counterpart in PyTorch. sknn.export.to_onnx writes "
                "all networks."
            )
        own, arrays = _RULES[type(layer)](layer, p, width)
        own[-1] += ","
        lines += [f"    {line}" for line in own]
        state |= {f"{prefix}{i}.{name}": array for name, array in arrays.items()}
        width = layer.build(width)[1]
    return [*lines, ")"], state


def _dense(layer: Dense, p: Views, n_in: int) -> tuple[list[str], State]:
    W = layer.kernel(p["W"]) if isinstance(layer, MonotonicDense) else p["W"]
    arrays = {"weight": W.T.copy(), "bias": p["b"][0].copy()}
    return [f"nn.Linear({n_in}, {layer.units})"], arrays


def _activation(layer: Activation, p: Views, n_in: int) -> tuple[list[str], State]:
    return [_MODULES[layer.name]], {}


def _dropout(layer: Dropout, p: Views, n_in: int) -> tuple[list[str], State]:
    return [f"nn.Dropout({layer.rate})"], {}


def _batch_norm(layer: BatchNorm, p: Views, n_in: int) -> tuple[list[str], State]:
    made = f"nn.BatchNorm1d({n_in}, eps={layer.epsilon}, momentum={layer.momentum})"
    statistics = {
        "running_mean": p["mean"][0].copy(),
        "running_var": p["variance"][0].copy(),
        "num_batches_tracked": np.array(0),
    }
    return [made], {**_weight_and_bias(p), **statistics}


def _layer_norm(layer: LayerNorm, p: Views, n_in: int) -> tuple[list[str], State]:
    return [f"nn.LayerNorm({n_in}, eps={layer.epsilon})"], _weight_and_bias(p)


def _weight_and_bias(p: Views) -> State:
    return {"weight": p["gamma"][0].copy(), "bias": p["beta"][0].copy()}


def _scale(layer: Scale, p: Views, n_in: int) -> tuple[list[str], State]:
    return [f"Scale({n_in})"], {"weight": p["s"][0].copy()}


def _residual(layer: Residual, p: Views, n_in: int) -> tuple[list[str], State]:
    views = [p.get(name, {}) for name, _ in layer.children()]
    lines, state = _sequential(layer.layers, views, n_in, "inner.")
    shortcut = "nn.Identity()"
    if "P" in p:
        shortcut = f"nn.Linear({n_in}, {p['P'].shape[1]}, bias=False)"
        state["shortcut.weight"] = p["P"].T.copy()
    inner = [*lines[:-1], f"{lines[-1]},", f"{shortcut},"]
    return ["Residual(", *(f"    {line}" for line in inner), ")"], state


_RULES: dict[type[Layer], Callable[[Any, Views, int], tuple[list[str], State]]] = {
    Dense: _dense,
    MonotonicDense: _dense,
    Activation: _activation,
    Dropout: _dropout,
    BatchNorm: _batch_norm,
    LayerNorm: _layer_norm,
    Scale: _scale,
    Residual: _residual,
}
