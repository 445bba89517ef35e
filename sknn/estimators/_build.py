"""From constructor parameters to the objects of the core.

The only room that knows which string stands for which object.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any

import numpy as np

from sknn.estimators._columns import ColumnEncoder
from sknn.estimators._targets import ClassTargets
from sknn.initializers import (
    INITIALIZERS,
    Glorot,
    Initializer,
    LeCun,
    Normal,
    Scaled,
    Zeros,
)
from sknn.layers import (
    PBLD,
    PLR,
    Activation,
    BatchNorm,
    Columns,
    Dense,
    Dropout,
    Embedding,
    Layer,
    LayerNorm,
    PiecewiseLinear,
    Residual,
    Scale,
)
from sknn.layers.monotonic import monotonic_chain
from sknn.losses import LOSSES, Loss
from sknn.optimizers import OPTIMIZERS, SGD, Optimizer
from sknn.schedules import (
    SCHEDULES,
    Constant,
    InverseScaling,
    Schedule,
    curve_of,
)
from sknn.training.averaging import AVERAGES, SWA, Averaging
from sknn.training.stopping import CyclePatience, Patience

NORMALIZATIONS = {"batch": BatchNorm, "layer": LayerNorm}
NUMERIC_EMBEDDINGS: dict[str, Callable[[], Layer]] = {
    "plr": PLR,
    "pbld": PBLD,
    "piecewise_linear": PiecewiseLinear,
    "piecewise_linear_embedding": partial(PiecewiseLinear, n_bins=32, dim=8),
}

# Keywords that belong to one optimiser or schedule and contradict a given object.
_SOLVER_KEYWORDS = {
    "momentum": 0.9,
    "nesterovs_momentum": True,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-8,
}
# Keywords that describe hidden layers and contradict given ones.
_LAYER_KEYWORDS: dict[str, Any] = {
    "hidden_layer_sizes": (100,),
    "activation": "relu",
    "dropout": 0.0,
    "normalization": None,
    "residual": False,
    "weight_init": "auto",
    "parametrization": "standard",
}
_NOT_MONOTONIC: dict[str, Any] = {
    "normalization": None,
    "residual": False,
    "weight_init": "auto",
    "parametrization": "standard",
    "input_scale": None,
    "layers": None,
    "categorical_features": None,
    "numeric_embedding": None,
}
_LOSS_KEYWORDS: dict[str, Any] = {"quantile": None, "label_smoothing": 0.0}
_SCHEDULE_KEYWORDS = {"power_t": 0.5}


def build_layers(
    estimator: Any,
    n_outputs: int,
    columns: ColumnEncoder | None = None,
    signs: tuple[int, ...] | None = None,
) -> list[Layer]:
    """Return all layers: what meets the input, the hidden ones, the linear output."""
    if signs is not None:
        return _monotonic_layers(estimator, n_outputs, signs)
    front = _front_layers(estimator, columns)
    if estimator.input_scale is not None:
        front.append(Scale(lr_factor=float(estimator.input_scale)))
    front += _input_dropout(estimator)
    if estimator.layers is None:
        return front + _chain(estimator, n_outputs)
    _refuse_contradictions(estimator, "layers", _LAYER_KEYWORDS)
    return [*front, *estimator.layers, Dense(n_outputs)]


def resolve_signs(given: Any, names: Any, n_features: int) -> tuple[int, ...]:
    """Return -1, 0 or 1 for each feature, from `monotonic_cst` as it is given."""
    if isinstance(given, Mapping):
        unknown = [name for name in given if names is None or name not in names]
        if unknown:
            raise ValueError(
                f"monotonic_cst names features that X does not have: {unknown}."
            )
        names = [None] * n_features if names is None else names
        given = [given.get(name, 0) for name in names]
    signs = np.asarray(given)
    if signs.shape != (n_features,) or not np.isin(signs, (-1, 0, 1)).all():
        raise ValueError(
            "monotonic_cst must hold -1, 0 or 1 for each of the "
            f"{n_features} features, or be a dict of names; got {given!r}."
        )
    return tuple(int(sign) for sign in signs)


def _monotonic_layers(
    estimator: Any, n_outputs: int, signs: tuple[int, ...]
) -> list[Layer]:
    """Return layers that cannot but move the way that `signs` say."""
    for name, default in _NOT_MONOTONIC.items():
        value = getattr(estimator, name)
        if not np.array_equal(value, default):
            raise ValueError(
                f"{name}={value!r} cannot be combined with monotonic_cst, which it may "
                f"break. Leave it at {default!r}."
            )
    sizes, activations, rates = _hidden_settings(estimator)
    chain = monotonic_chain(sizes, activations, rates, signs, n_outputs)
    return _input_dropout(estimator) + chain


def _front_layers(estimator: Any, columns: ColumnEncoder | None) -> list[Layer]:
    """Return the layers that embed the columns of the input, none if nothing does."""
    numeric = _numeric_embedding(estimator.numeric_embedding)
    if columns is None or not columns.n_categories:
        _refuse_unused_embedding(estimator)
        return [] if numeric is None else [numeric]
    embedding = estimator.categorical_embedding or Embedding()
    embedding = replace(embedding, n_categories=columns.n_categories)
    first = columns.width - len(columns.n_categories)
    codes = (tuple(range(first, columns.width)), embedding)
    if not first:
        return [embedding]
    return [Columns(((tuple(range(first)), numeric), codes))]


def _input_dropout(estimator: Any) -> list[Layer]:
    rate = float(estimator.input_dropout)
    return [Dropout(rate)] if rate else []


def _hidden_settings(estimator: Any) -> tuple[list[int], list[str], list[float]]:
    """Return units, activation and dropout of each hidden layer."""
    sizes = hidden_sizes(estimator.hidden_layer_sizes)
    activations = _per_layer("activation", estimator.activation, len(sizes))
    return sizes, activations, _per_layer("dropout", estimator.dropout, len(sizes))


def _numeric_embedding(given: Any) -> Layer | None:
    return NUMERIC_EMBEDDINGS[given]() if isinstance(given, str) else given


def _refuse_unused_embedding(estimator: Any) -> None:
    given = estimator.categorical_embedding
    if given is not None and estimator.categorical_features is None:
        raise ValueError(
            f"categorical_embedding={given!r} has no columns to embed: name them in "
            "categorical_features, or set that to 'from_dtype'."
        )


def _chain(estimator: Any, n_outputs: int) -> list[Layer]:
    """Return the hidden layers that keywords describe, and the output layer."""
    sizes, activations, rates = _hidden_settings(estimator)
    # as scikit-learn: the output layer starts like the hidden ones; see tests/parity
    only = [estimator.activation] if isinstance(estimator.activation, str) else []
    last = (activations or only or ["relu"])[-1]
    hidden = _hidden_layers(estimator, sizes, activations, rates)
    if estimator.parametrization == "ntk":
        return [*hidden, Dense(n_outputs, Zeros(), Zeros(), parametrization="ntk")]
    return [*hidden, Dense(n_outputs, *_initializers(estimator.weight_init, last))]


def build_autoencoder(estimator: Any, n_features: int) -> tuple[list[Layer], int]:
    """Return encoder, code, mirrored decoder, and the index of the decoder's first."""
    sizes, activations, rates = _hidden_settings(estimator)
    encoder = _input_dropout(estimator)
    encoder += _hidden_layers(estimator, sizes, activations, rates)
    decoder = _hidden_layers(estimator, sizes[::-1], activations[::-1], rates[::-1])
    linear = _initializers(estimator.weight_init, "identity")
    encoder.append(Dense(int(estimator.n_components), *linear))
    return [*encoder, *decoder, Dense(n_features, *linear)], len(encoder)


def _hidden_layers(
    estimator: Any, sizes: list[int], activations: list[str], rates: list[float]
) -> list[Layer]:
    """Return kernels with what follows each, in blocks if residual."""
    # The branches of all blocks together then add about one layer's variance.
    shrink = max(1, len(sizes) - 1) ** -0.5
    layers: list[Layer] = []
    between: list[Layer] = []
    kind = estimator.parametrization
    dense = partial(Dense, parametrization=kind)
    for units, activation, rate in zip(sizes, activations, rates, strict=True):
        inits = _initializers(estimator.weight_init, activation, kind)
        if estimator.residual and layers:
            inits = [Scaled(init, shrink) for init in inits]
            layers.append(Residual([*between, dense(units, *inits)]))
        else:
            layers += [*between, dense(units, *inits)]
        between = _after_dense(estimator, activation, float(rate))
    return [*layers, *between]


def _after_dense(estimator: Any, activation: str, rate: float) -> list[Layer]:
    """Return what follows a hidden kernel: normalisation, activation, dropout."""
    layers: list[Layer] = []
    if estimator.normalization is not None:
        layers.append(NORMALIZATIONS[estimator.normalization]())
    if activation != "identity":
        layers.append(Activation(activation))
    if rate:
        layers.append(Dropout(rate))
    return layers


def takes_sparse(estimator: Any) -> bool:
    """Tell, before there are layers, whether they will take sparse input."""
    if estimator.numeric_embedding is not None or estimator.input_scale is not None:
        return False
    if estimator.categorical_features is not None or estimator.scaling is not None:
        return False
    given = estimator.layers
    first = given[0] if isinstance(given, (list, tuple)) and given else None
    return getattr(first, "accepts_sparse", True)


def refuse_sparse(layers: Sequence[Layer]) -> None:
    """Raise ValueError where sparse input would meet a layer that cannot take it."""
    for layer in layers:
        if isinstance(layer, Dense):
            return
        if not layer.accepts_sparse:
            raise ValueError(
                f"X is sparse, but {layer!r} takes dense input only. Begin with Dense, "
                "or pass X.toarray()."
            )


def hidden_sizes(given: Any) -> list[int]:
    """Return the numbers of hidden units as a list of int."""
    sizes = [given] if isinstance(given, numbers.Integral) else list(given)
    if not all(
        isinstance(size, numbers.Integral) and not isinstance(size, bool)
        for size in sizes
    ):
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
    if solver in ("adam", "adamw", "nadam"):
        kind: Any = OPTIMIZERS[solver]
        return kind(estimator.beta_1, estimator.beta_2, estimator.epsilon)
    return OPTIMIZERS[solver]()


def build_schedule(estimator: Any) -> Schedule:
    """Return the schedule that `learning_rate` and `power_t` describe."""
    schedule = estimator.learning_rate
    if isinstance(schedule, Schedule):
        _refuse_contradictions(estimator, "learning_rate", _SCHEDULE_KEYWORDS)
        return schedule
    if schedule in ("invscaling", "adaptive") and estimator.solver != "sgd":
        return Constant()  # as scikit-learn: other solvers ignore these names
    if schedule == "invscaling":
        return InverseScaling(estimator.power_t)
    return SCHEDULES[schedule]()


def build_patience(estimator: Any, schedule: Schedule) -> Patience:
    """Return the patience that `tol` and `n_iter_no_change` describe."""
    given = estimator.n_iter_no_change
    if not isinstance(given, str):
        return Patience(estimator.tol, given)
    curve = curve_of(schedule)
    if curve is None or not curve.cycle_ends:
        return Patience(estimator.tol, math.inf)
    return CyclePatience(estimator.tol, math.inf, curve)


def build_average(estimator: Any) -> Averaging | None:
    """Return the average of weights that `average` describes."""
    given = estimator.average
    average = AVERAGES[given]() if isinstance(given, str) else given
    if average is not None:
        average.validate()
    return average


def build_loss(estimator: Any, targets: Any) -> Loss:
    """Return the loss that `loss` and its keywords describe, for these targets."""
    given = estimator.loss
    if isinstance(given, Loss):
        _refuse_contradictions(estimator, "loss", _LOSS_KEYWORDS)
        given.validate()
        return given
    of_classes = isinstance(targets, ClassTargets)
    if given != "auto" and of_classes != (given in ("log_loss", "focal")):
        what = "classes" if of_classes else "numbers"
        raise ValueError(f"loss={given!r} cannot be used where y holds {what}.")
    name = targets.loss if of_classes or given == "auto" else given
    if given == "focal":
        name = name.replace("log_loss", "focal")
    settings = {}
    for keyword, default in _LOSS_KEYWORDS.items():
        value = getattr(estimator, keyword, default)
        if not np.array_equal(value, default):
            settings[keyword] = value
            if keyword not in {field.name for field in fields(LOSSES[name])}:
                raise ValueError(f"{keyword}={value!r} has no meaning for {given!r}.")
    loss = LOSSES[name](**settings)
    loss.validate()
    return loss


def needs_horizon(estimator: Any) -> bool:
    """Tell whether a schedule or an average is told by shares of `max_iter`."""
    schedule, average = estimator.learning_rate, estimator.average
    if isinstance(schedule, str):
        schedule = SCHEDULES[schedule]() if schedule in SCHEDULES else None
    curve = None if schedule is None else curve_of(schedule)
    if curve is not None and curve.total is None:
        return True
    return average == "swa" or (isinstance(average, SWA) and 0 < average.start < 1)


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


def _initializers(
    weight_init: Any, activation: str, parametrization: str = "standard"
) -> list[Initializer]:
    """Return how kernel and intercept start."""
    if weight_init != "auto":
        named = isinstance(weight_init, str)
        return [INITIALIZERS[weight_init]() if named else weight_init, Zeros()]
    if parametrization == "ntk":
        return [LeCun(), Normal(1.0)]
    if activation == "selu":
        return [LeCun(), Zeros()]
    factor = 2.0 if activation == "logistic" else 6.0
    return [Glorot(factor), Glorot(factor)]


def _refuse_contradictions(
    estimator: Any, owner: str, defaults: dict[str, Any]
) -> None:
    given = getattr(estimator, owner)
    for name, default in defaults.items():
        value = getattr(estimator, name, default)
        if not np.array_equal(value, default):
            raise ValueError(
                f"{name}={value!r} contradicts {owner}={given!r}, where it must be set "
                f"instead. Leave {name} at {default!r}."
            )
