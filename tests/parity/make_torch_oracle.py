"""Makes torch_oracle.json: what PyTorch computes, for tests that run without it.

    python tests/parity/make_torch_oracle.py

Needs PyTorch, which nothing else here does. Everything is float64; inputs and
parameters are stored beside the results, so that no random stream must be repeated.
"""

import itertools
import json
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

TARGET = pathlib.Path(__file__).with_name("torch_oracle.json")

ACTIVATIONS = {
    "identity": nn.Identity(),
    "logistic": nn.Sigmoid(),
    "tanh": nn.Tanh(),
    "relu": nn.ReLU(),
    "leaky_relu": nn.LeakyReLU(0.01),
    "elu": nn.ELU(),
    "selu": nn.SELU(),
    "gelu": nn.GELU(),  # the exact one
    "silu": nn.SiLU(),
    "mish": nn.Mish(),
    "softplus": nn.Softplus(threshold=700),  # by default it is cut off at 20
}
GRID = [-30.0, -12.5, -6.0, -3.3, -1.7, -1.0, -0.4, -0.05, -1e-6]
GRID += [1e-6, 0.03, 0.5, 1.0, 1.9, 3.1, 6.5, 13.0, 30.0]


def squared_error(raw, y):
    return 0.5 * F.mse_loss(raw, y, reduction="none").sum(dim=1)


def poisson(raw, y):
    constant = torch.xlogy(y, y) - y
    losses = F.poisson_nll_loss(raw, y, log_input=True, full=False, reduction="none")
    return (losses + constant).sum(dim=1)


def binary_log_loss(raw, y):
    return F.binary_cross_entropy_with_logits(raw, y, reduction="none").sum(dim=1)


def multinomial_log_loss(raw, y):
    return F.cross_entropy(raw, y.argmax(dim=1), reduction="none")


# activations of the hidden layers, loss, outputs, penalty, weighted or not
NETWORKS = [
    (["relu", "tanh"], multinomial_log_loss, 3, 0.1, True),
    (["gelu", "mish"], squared_error, 2, 0.0, False),
    (["selu", "silu"], poisson, 1, 0.5, True),
    (["elu", "softplus"], binary_log_loss, 3, 0.0, True),
    (["leaky_relu", "logistic"], binary_log_loss, 1, 0.2, False),
]


class Skip(nn.Module):
    """x + F(x), or P x + F(x)."""

    def __init__(self, inner, projection=None):
        super().__init__()
        self.inner, self.projection = inner, projection or nn.Identity()

    def forward(self, x):
        return self.projection(x) + self.inner(x)


LAYERS = {
    "batch_norm": lambda: nn.BatchNorm1d(4),
    "batch_norm_of_other_settings": lambda: nn.BatchNorm1d(4, eps=0.01, momentum=0.3),
    "layer_norm": lambda: nn.LayerNorm(4),
    "residual": lambda: Skip(
        nn.Sequential(nn.LayerNorm(4), nn.Tanh(), nn.Linear(4, 4))
    ),
    "residual_with_projection": lambda: Skip(
        nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.GELU()),
        nn.Linear(4, 3, bias=False),
    ),
}
N, N_FEATURES, HIDDEN = 7, 4, (5, 3)


def main():
    oracle = {
        "torch": torch.__version__,
        "activations": {name: slopes(f) for name, f in ACTIVATIONS.items()},
        "networks": [network(i, *row) for i, row in enumerate(NETWORKS)],
        "layers": {name: layer(name, make) for name, make in LAYERS.items()},
    }
    TARGET.write_text(json.dumps(oracle) + "\n")


def slopes(activation):
    z = torch.tensor(GRID, dtype=torch.float64, requires_grad=True)
    value = activation(z)
    (slope,) = torch.autograd.grad(value.sum(), z)
    return {"z": GRID, "value": value.tolist(), "slope": slope.tolist()}


def network(seed, activations, loss, n_outputs, alpha, weighted):
    rng = np.random.default_rng(seed)
    sizes = (N_FEATURES, *HIDDEN, n_outputs)
    dense = [linear(rng, *pair) for pair in itertools.pairwise(sizes)]
    X = torch.tensor(rng.normal(size=(N, N_FEATURES)), requires_grad=True)
    y = targets(rng, loss, n_outputs)
    w = rng.uniform(0.2, 2.0, N)
    w = torch.tensor(w / w.mean() if weighted else np.ones(N))
    x = X
    for layer, name in zip(dense, [*activations, "identity"], strict=True):
        x = ACTIVATIONS[name](layer(x))
    x.retain_grad()
    value = (w * loss(x, y)).mean()
    value = value + alpha / (2 * N) * sum((d.weight**2).sum() for d in dense)
    value.backward()
    return {
        "activations": activations,
        "loss": loss.__name__,
        "alpha": alpha,
        "X": X.tolist(),
        "y": y.tolist(),
        "w": w[:, None].tolist() if weighted else None,
        "W": [d.weight.T.tolist() for d in dense],
        "b": [d.bias.tolist() for d in dense],
        "raw": x.tolist(),
        "value": value.item(),
        "d_raw": x.grad.tolist(),
        "d_X": X.grad.tolist(),
        "d_W": [d.weight.grad.T.tolist() for d in dense],
        "d_b": [d.bias.grad.tolist() for d in dense],
    }


def layer(name, make):
    """Parameters, then three batches in training mode, then one in evaluation mode."""
    rng = np.random.default_rng(len(name))
    module = make().to(torch.float64)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter[:] = torch.tensor(rng.normal(size=parameter.shape))
    start = {k: v.tolist() for k, v in module.state_dict().items()}
    passes = [one_pass(module.train(), rng) for _ in range(3)]
    passes.append(one_pass(module.eval(), rng))
    return {"start": start, "passes": passes}


def one_pass(module, rng):
    x = torch.tensor(rng.normal(1.0, 2.0, size=(N, N_FEATURES)), requires_grad=True)
    y = module(x)
    dy = torch.tensor(rng.normal(size=y.shape))
    module.zero_grad()
    y.backward(dy)
    return {
        "training": module.training,
        "x": x.tolist(),
        "dy": dy.tolist(),
        "y": y.tolist(),
        "dx": x.grad.tolist(),
        "gradients": {k: v.grad.tolist() for k, v in module.named_parameters()},
        "buffers": {k: v.tolist() for k, v in module.named_buffers()},
    }


def linear(rng, n_in, n_out):
    layer = nn.Linear(n_in, n_out, dtype=torch.float64)
    with torch.no_grad():
        layer.weight[:] = torch.tensor(rng.normal(size=(n_out, n_in)) * 0.7)
        layer.bias[:] = torch.tensor(rng.normal(size=n_out) * 0.3)
    return layer


def targets(rng, loss, n_outputs):
    if loss is squared_error:
        return torch.tensor(rng.normal(size=(N, n_outputs)))
    if loss is poisson:
        return torch.tensor(rng.poisson(2.0, size=(N, n_outputs)).astype(float))
    if loss is binary_log_loss:
        return torch.tensor(rng.integers(0, 2, size=(N, n_outputs)).astype(float))
    return torch.tensor(np.eye(n_outputs)[rng.integers(0, n_outputs, N)])


if __name__ == "__main__":
    main()
