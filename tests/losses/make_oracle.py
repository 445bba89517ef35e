"""Makes torch_oracle.json: what PyTorch computes, for tests that run without it.

    python tests/losses/make_oracle.py

Needs PyTorch, which nothing else here does. Everything is float64. Each case holds
the targets, the raw predictions, the loss of each sample and the gradient of their sum.
"""

import json
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

TARGET = pathlib.Path(__file__).with_name("torch_oracle.json")
N, K = 8, 3


def absolute_error(raw, y):
    return F.l1_loss(raw, y, reduction="none")


def huber(raw, y, delta):
    return F.huber_loss(raw, y, delta=delta, reduction="none")


def gaussian_nll(raw, y, sigma_min):
    # Raw columns stand in pairs: the mean, and what gives the standard deviation.
    mean, spread = raw[:, ::2], raw[:, 1::2]
    variance = (sigma_min + F.softplus(spread, threshold=700)) ** 2
    return F.gaussian_nll_loss(mean, y, variance, full=True, eps=0, reduction="none")


def binary_log_loss(raw, y, label_smoothing):
    smooth = (1 - label_smoothing) * y + label_smoothing / 2
    return F.binary_cross_entropy_with_logits(raw, smooth, reduction="none")


def multinomial_log_loss(raw, y, label_smoothing):
    loss = nn.CrossEntropyLoss(reduction="none", label_smoothing=label_smoothing)
    return loss(raw, y.argmax(dim=1))[:, None]


def binary_focal(raw, y, gamma):
    log_p_t = F.logsigmoid(torch.where(y == 1, raw, -raw))
    return -((1 - log_p_t.exp()) ** gamma) * log_p_t


def multinomial_focal(raw, y, gamma):
    log_p_t = (F.log_softmax(raw, dim=1) * y).sum(dim=1, keepdim=True)
    return -((1 - log_p_t.exp()) ** gamma) * log_p_t


CASES = [
    (absolute_error, {}),
    (huber, {"delta": 1.0}),
    (huber, {"delta": 0.3}),
    (gaussian_nll, {"sigma_min": 1e-3}),
    (gaussian_nll, {"sigma_min": 0.5}),
    (binary_log_loss, {"label_smoothing": 0.1}),
    (multinomial_log_loss, {"label_smoothing": 0.1}),
    (multinomial_log_loss, {"label_smoothing": 0.6}),
    (binary_focal, {"gamma": 2.0}),
    (binary_focal, {"gamma": 0.5}),
    (multinomial_focal, {"gamma": 2.0}),
    (multinomial_focal, {"gamma": 0.5}),
]


def main():
    cases = [case(seed, *row) for seed, row in enumerate(CASES)]
    oracle = {"torch": torch.__version__, "cases": cases}
    TARGET.write_text(json.dumps(oracle) + "\n")


def case(seed, loss, fields):
    rng = np.random.default_rng(seed)
    n_raw = 2 * K if loss is gaussian_nll else K
    raw = torch.tensor(1.5 * rng.normal(size=(N, n_raw)), requires_grad=True)
    y = torch.tensor(targets(rng, loss))
    values = loss(raw, y, **fields).sum(dim=1)
    values.sum().backward()
    return {
        "loss": loss.__name__,
        "fields": fields,
        "y": y.tolist(),
        "raw": raw.tolist(),
        "values": values.tolist(),
        "gradient": raw.grad.tolist(),
    }


def targets(rng, loss):
    if loss.__name__.startswith("binary"):
        return rng.integers(0, 2, (N, K)).astype(float)
    if loss.__name__.startswith("multinomial"):
        return np.eye(K)[rng.integers(0, K, N)]
    return rng.normal(size=(N, K))


if __name__ == "__main__":
    main()
