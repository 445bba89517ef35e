"""Makes embedding_oracle.json: what PyTorch computes, for tests that run without it.

    python tests/parity/make_embedding_oracle.py

Needs PyTorch, which nothing else here does. Everything is float64. Each case holds the
arguments of a layer, its input, its parameters under our names, the output, a gradient
by the output, and the gradients by parameters and input that follow from it.
"""

import json
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

TARGET = pathlib.Path(__file__).with_name("embedding_oracle.json")
N, N_FEATURES = 9, 3


def main():
    torch.manual_seed(0)
    cases = [
        categories(n_categories=[3, 12, 2, 9], dim=3, one_hot_max_size=8),
        categories(n_categories=[3, 5], dim=2, one_hot_max_size=0),
        categories(n_categories=[3, 5], dim=2, one_hot_max_size=5),
        plr(n_frequencies=5, dim=4, sigma=0.7),
        pbld(n_frequencies=6, dim=4, sigma=0.5),
        piecewise_linear(n_bins=5, dim=None),
        piecewise_linear(n_bins=4, dim=3),
        piecewise_linear(n_bins=1, dim=2),
    ]
    oracle = {"torch": torch.__version__, "cases": cases}
    TARGET.write_text(json.dumps(oracle) + "\n")


def normal(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def linears(n_in, n_out):
    return [nn.Linear(n_in, n_out, dtype=torch.float64) for _ in range(N_FEATURES)]


def case(layer, arguments, x, y, parameters, buffers=None):
    """Go back from `y`; `parameters` give value and gradient under our names."""
    dy = normal(*y.shape)
    (y * dy).sum().backward()
    return {
        "layer": layer,
        "arguments": arguments,
        "x": x.tolist(),
        "parameters": {k: v().tolist() for k, v in parameters.items()}
        | (buffers or {}),
        "y": y.tolist(),
        "dy": dy.tolist(),
        "gradients": {k: v(lambda t: t.grad).tolist() for k, v in parameters.items()},
        "dx": None if x.grad is None else x.grad.tolist(),
    }


def row(tensors):
    """A row of one vector per feature, or of their gradients."""
    return lambda read=lambda t: t: torch.cat([read(t) for t in tensors])[None]


def kernels(layers):
    return lambda read=lambda t: t: torch.stack([read(m.weight).T for m in layers])


def linear_parameters(layers):
    return {"W": kernels(layers), "b": row([m.bias for m in layers])}


def categories(n_categories, dim, one_hot_max_size):
    codes = torch.stack([torch.randint(0, c + 1, (N,)) for c in n_categories], dim=1)
    one_hot, learned, modules = [], [], []
    for j, c in enumerate(n_categories):
        if c <= one_hot_max_size:
            one_hot.append(F.one_hot(codes[:, j], c + 1)[:, :c])  # c: the slot
        else:
            modules.append(nn.Embedding(c + 1, dim, dtype=torch.float64))
            learned.append(modules[-1](codes[:, j]))
    if not modules:
        y = torch.cat(one_hot, dim=1).double().requires_grad_()
        parameters = {}
    else:
        y = torch.cat([*one_hot, *learned], dim=1)
        parameters = {
            "table": lambda read=lambda t: t: torch.cat(
                [read(m.weight) for m in modules]
            )
        }
    arguments = {
        "n_categories": n_categories,
        "dim": dim,
        "one_hot_max_size": one_hot_max_size,
    }
    return case("embedding", arguments, codes.double(), y, parameters)


def plr(n_frequencies, dim, sigma):
    x = normal(N, N_FEATURES).requires_grad_()
    c = [(sigma * normal(n_frequencies)).requires_grad_() for _ in range(N_FEATURES)]
    layers, parts = linears(2 * n_frequencies, dim), []
    for j in range(N_FEATURES):
        v = 2 * torch.pi * c[j] * x[:, j : j + 1]
        parts.append(F.relu(layers[j](torch.cat([torch.sin(v), torch.cos(v)], dim=1))))
    parameters = {"frequencies": row(c), **linear_parameters(layers)}
    arguments = {"n_frequencies": n_frequencies, "dim": dim, "sigma": sigma}
    return case("plr", arguments, x, torch.cat(parts, dim=1), parameters)


def pbld(n_frequencies, dim, sigma):
    x = normal(N, N_FEATURES).requires_grad_()
    c = [(sigma * normal(n_frequencies)).requires_grad_() for _ in range(N_FEATURES)]
    phases = [normal(n_frequencies).requires_grad_() for _ in range(N_FEATURES)]
    layers, parts = linears(n_frequencies, dim - 1), []
    for j in range(N_FEATURES):
        column = x[:, j : j + 1]
        wave = torch.cos(2 * torch.pi * c[j] * column + phases[j])
        parts += [column, layers[j](wave)]
    parameters = {
        "frequencies": row(c),
        "phases": row(phases),
        **linear_parameters(layers),
    }
    arguments = {"n_frequencies": n_frequencies, "dim": dim, "sigma": sigma}
    return case("pbld", arguments, x, torch.cat(parts, dim=1), parameters)


def piecewise_linear(n_bins, dim):
    x = (2 * normal(N, N_FEATURES)).requires_grad_()
    edges = torch.quantile(
        normal(40, N_FEATURES), torch.linspace(0, 1, n_bins + 1).double(), dim=0
    )
    layers, parts = linears(n_bins, dim or 1), []
    for j in range(N_FEATURES):
        components = []
        for t in range(1, n_bins + 1):
            left, right = edges[t - 1, j], edges[t, j]
            e = (x[:, j] - left) / (right - left)
            if t > 1:
                e = torch.where(x[:, j] < left, torch.zeros_like(e), e)
            if t < n_bins:
                e = torch.where(x[:, j] >= right, torch.ones_like(e), e)
            components.append(e)
        e = torch.stack(components, dim=1)
        parts.append(e if dim is None else layers[j](e))
    parameters = {} if dim is None else linear_parameters(layers)
    buffers = {"edges": edges.T.reshape(1, -1).tolist()}
    arguments = {"n_bins": n_bins, "dim": dim}
    y = torch.cat(parts, dim=1)
    return case("piecewise_linear", arguments, x, y, parameters, buffers)


if __name__ == "__main__":
    main()
