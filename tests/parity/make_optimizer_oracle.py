"""Makes optimizer_oracle.json: PyTorch's optimisers and schedules, step by step.

    python tests/parity/make_optimizer_oracle.py

Needs PyTorch, which nothing else here does. Everything is float64. The optimisers
descend on one logistic regression with a ridge, whose gradient tests compute at their
own parameters; the rate changes at every step. Fields have sknn's names.
"""

import itertools
import json
import pathlib

import numpy as np
import torch
from torch import optim
from torch.optim import lr_scheduler

TARGET = pathlib.Path(__file__).with_name("optimizer_oracle.json")
N, N_FEATURES, STEPS, RIDGE = 12, 6, 20, 0.05
RATES = [0.1 / (1 + t) ** 0.3 for t in range(STEPS)]
TORCH_EPSILON = {"epsilon_hat": False}

# sknn's class and fields; PyTorch's class and fields
OPTIMIZERS = [
    ("SGD", {"momentum": 0.0}, optim.SGD, {}),
    ("Adam", TORCH_EPSILON, optim.Adam, {}),
    (
        "Adam",
        TORCH_EPSILON | {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-2},
        optim.Adam,
        {"betas": (0.7, 0.9), "eps": 1e-2},
    ),
    ("AdamW", {}, optim.AdamW, {}),
    (
        "AdamW",
        {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3, "weight_decay": 0.3},
        optim.AdamW,
        {"betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3},
    ),
    ("NAdam", {}, optim.NAdam, {}),
    (
        "NAdam",
        {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-2, "momentum_decay": 0.5},
        optim.NAdam,
        {"betas": (0.8, 0.95), "eps": 1e-2, "momentum_decay": 0.5},
    ),
    (
        "NAdam",
        {"momentum_decay": 0.0, "weight_decay": 0.2},
        optim.NAdam,
        {"momentum_decay": 0.0, "weight_decay": 0.2, "decoupled_weight_decay": True},
    ),
    ("AdaGrad", {"epsilon": 1e-10}, optim.Adagrad, {}),
    ("AdaGrad", {"epsilon": 1e-2}, optim.Adagrad, {"eps": 1e-2}),
    ("RMSProp", {}, optim.RMSprop, {}),
    ("RMSProp", {"momentum": 0.9}, optim.RMSprop, {"momentum": 0.9}),
    (
        "RMSProp",
        {"rho": 0.8, "epsilon": 1e-2, "momentum": 0.5},
        optim.RMSprop,
        {"alpha": 0.8, "eps": 1e-2, "momentum": 0.5},
    ),
]
# Groups of parameters: where each ends, and the factor of its rate.
SEGMENTS = [[1, 2.0], [4, 0.25], [6, 1.0]]
GROUPED = ("AdamW", {"weight_decay": 0.3}, optim.AdamW, {"weight_decay": 0.3})

# sknn's class and fields; the scheduler of PyTorch; steps
INITIAL, TOTAL = 0.3, 20
SCHEDULES = [
    ("Cosine", {}, lambda o: lr_scheduler.CosineAnnealingLR(o, TOTAL)),
    (
        "Cosine",
        {"end_factor": 0.1},
        lambda o: lr_scheduler.CosineAnnealingLR(o, TOTAL, eta_min=0.1 * INITIAL),
    ),
    (
        "Step",
        {"step_size": 6, "gamma": 0.5},
        lambda o: lr_scheduler.StepLR(o, 6, gamma=0.5),
    ),
    ("Exponential", {"gamma": 0.9}, lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
    (
        "Warmup",
        {"epochs": 8, "start_factor": 0.2},
        lambda o: lr_scheduler.LinearLR(o, start_factor=0.2, total_iters=8),
    ),
    ("OneCycle", {}, lambda o: lr_scheduler.OneCycleLR(o, INITIAL, TOTAL)),
    (
        "OneCycle",
        {"pct_start": 0.6, "div_factor": 4.0, "final_div_factor": 50.0},
        lambda o: lr_scheduler.OneCycleLR(
            o, INITIAL, TOTAL, pct_start=0.6, div_factor=4.0, final_div_factor=50.0
        ),
    ),
]


def main():
    torch.set_default_dtype(torch.float64)  # NAdam's product of momenta follows it
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, N_FEATURES)) * 10.0 ** rng.integers(-2, 2, N_FEATURES)
    y = rng.integers(0, 2, N).astype(float)
    start = rng.normal(size=N_FEATURES)
    problem = (torch.tensor(X), torch.tensor(y), start)
    oracle = {
        "torch": torch.__version__,
        "X": X.tolist(),
        "y": y.tolist(),
        "ridge": RIDGE,
        "start": start.tolist(),
        "rates": RATES,
        "optimizers": [descent(problem, row) for row in OPTIMIZERS],
        "groups": descent(problem, GROUPED, SEGMENTS),
        "initial": INITIAL,
        "total": TOTAL,
        "schedules": [rates(*row) for row in SCHEDULES],
    }
    TARGET.write_text(json.dumps(oracle) + "\n")


def descent(problem, row, segments=None):
    kind, fields, torch_kind, torch_fields = row
    X, y, start = problem
    segments = segments or [[len(start), 1.0]]
    edges = [0, *(stop for stop, _ in segments)]
    parts = [
        torch.tensor(start[first:last], requires_grad=True)
        for first, last in itertools.pairwise(edges)
    ]
    groups = [{"params": [part], "lr": 0.0} for part in parts]
    optimizer = torch_kind(groups, **torch_fields)
    trajectory = []
    for rate in RATES:
        for group, (_, factor) in zip(optimizer.param_groups, segments, strict=True):
            group["lr"] = rate * factor
        optimizer.zero_grad()
        values = torch.cat(parts)
        z = X @ values
        loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y)
        (loss + RIDGE / 2 * (values**2).sum()).backward()
        optimizer.step()
        trajectory.append(torch.cat(parts).tolist())
    return {
        "kind": kind,
        "fields": fields,
        "segments": segments,
        "trajectory": trajectory,
    }


def rates(kind, fields, make):
    optimizer = optim.SGD([torch.zeros(1, requires_grad=True)], lr=INITIAL)
    scheduler = make(optimizer)
    found = []
    for _ in range(TOTAL):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(found) < TOTAL:
            scheduler.step()
    return {"kind": kind, "fields": fields, "rates": found}


if __name__ == "__main__":
    main()
