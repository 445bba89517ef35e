"""From constructor parameters to the objects of the core.

The only room that knows which string stands for which object.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from sknn.initializers import Glorot, Initializer, LeCun, Zeros
from sknn.layers import Activation, Dense, Dropout, Layer
from sknn.losses import LOSSES, Loss
from sknn.optimizers import SGD, Adam, Optimizer
from sknn.schedules import SCHEDULES, Adaptive, Constant, InverseScaling, Schedule

# Keywords that belong to one optimiser or schedule and contradict a given object.
_SOLVER_KEYWORDS = {
    "momentum": 0.9,
    "nesterovs_momentum": True,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-8,
}
_SCHEDULE_KEYWORDS = {"power_t": 0.5}


def build_layers(estimator: Any, n_outputs: int) -> list[Layer]:
    """Return hidden layers with activation and dropout, and the linear output layer."""
    sizes = hidden_sizes(estimator.hidden_layer_sizes)
    activations = _per_layer("activation", estimator.activation, len(sizes))
    rates = _per_layer("dropout", estimator.dropout, len(sizes))
    layers: list[Layer] = []
    for units, activation, rate in zip(sizes, activations, rates, strict=True):
        layers.append(Dense(units, *_initializers(activation)))
        if activation != "identity":
            layers.append(Activation(activation))
        if rate:
            layers.append(Dropout(float(rate)))
    # as scikit-learn: the output layer starts like the hidden ones; see tests/parity
    only = [estimator.activation] if isinstance(estimator.activation, str) else []
    last = (activations or only or ["relu"])[-1]
    layers.append(Dense(n_outputs, *_initializers(last)))
    return layers


def hidden_sizes(given: Any) -> list[int]:
    """Return the numbers of hidden units as a list of int."""
    sizes = [given] if isinstance(given, numbers.Integral) else list(given)
    if not all(isinstance(size, numbers.Integral) for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be integers, got {sizes}.")
    if any(size <= 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return [int(size) for size in sizes]


def build_optimizer(estimator: Any) -> Optimizer:
    """Return the stochastic optimiser that `solver` and its keywords describe."""
    solver = estimator.solver
    if isinstance(solver, Optimizer):
        _refuse_contradictions(estimator, "solver", _SOLVER_KEYWORDS)
        solver.validate()
        return solver
    if solver == "sgd":
        return SGD(float(estimator.momentum), bool(estimator.nesterovs_momentum))
    return Adam(estimator.beta_1, estimator.beta_2, estimator.epsilon)


def build_schedule(estimator: Any) -> Schedule:
    """Return the schedule that `learning_rate` and `power_t` describe."""
    schedule = estimator.learning_rate
    if isinstance(schedule, Schedule):
        _refuse_contradictions(estimator, "learning_rate", _SCHEDULE_KEYWORDS)
        return schedule
    if estimator.solver != "sgd":
        return Constant()  # as scikit-learn: other solvers ignore the names
    if schedule == "invscaling":
        return InverseScaling(estimator.power_t)
    return Adaptive() if schedule == "adaptive" else SCHEDULES[schedule]()


def build_loss(given: Any, targets: Any) -> Loss:
    """Return the loss for `given` and the kind of targets."""
    if isinstance(given, Loss):
        return given
    return LOSSES[targets.loss if given in ("auto", "log_loss") else given]()


def is_stochastic(solver: Any) -> bool:
    """Tell whether `solver` works on minibatches."""
    return isinstance(solver, Optimizer) or solver != "lbfgs"


def _per_layer(name: str, given: Any, n_hidden: int) -> list[Any]:
    if isinstance(given, (str, numbers.Real)):
        return [given] * n_hidden
    values = list(given)
    if len(values) != n_hidden:
        raise ValueError(
            f"{name} has {len(values)} entries, but hidden_layer_sizes has "
            f"{n_hidden} hidden layers: give one for each of them."
        )
    return values


def _initializers(activation: str) -> Sequence[Initializer]:
    if activation == "selu":
        return LeCun(), Zeros()
    factor = 2.0 if activation == "logistic" else 6.0
    return Glorot(factor), Glorot(factor)


def _refuse_contradictions(
    estimator: Any, owner: str, defaults: dict[str, Any]
) -> None:
    given = getattr(estimator, owner)
    for name, default in defaults.items():
        value = getattr(estimator, name)
        if not np.array_equal(value, default):
            raise ValueError(
                f"{name}={value!r} contradicts {owner}={given!r}, which carries its "
                f"own parameters. Set it there, or leave {name} at {default!r}."
            )
