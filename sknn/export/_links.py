"""Links as operators: from raw scores to the predictions that a loss stands for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sknn._array import Array
from sknn.export._activations import logistic, softplus
from sknn.export._graph import Tensor
from sknn.losses import BinaryLogLoss as Logistic
from sknn.losses import GaussianNLL, Loss, Poisson, Quantile
from sknn.losses import MultinomialLogLoss as Softmax

Link = Callable[[Any, Tensor], Tensor]

# By the method that a loss has, inherited or its own: a loss with a link of its own is
# another row, one without needs none.
LINK_RULES: dict[Any, Link] = {}


def _link_rule(kind: type[Loss]) -> Callable[[Link], Link]:
    def register(rule: Link) -> Link:
        LINK_RULES[kind.link_inverse] = rule
        return rule

    return register


def emit_link(loss: Loss, raw: Tensor) -> Tensor:
    """Return predictions, a column per output."""
    rule = LINK_RULES.get(type(loss).link_inverse)
    if rule is None:
        raise ValueError(
            f"{type(loss).__name__} has a link of its own, which sknn.export cannot "
            "write as ONNX. Use a loss of sknn.losses, or inherit its link_inverse."
        )
    return rule(loss, raw)


@_link_rule(Loss)
def _identity(loss: Loss, raw: Tensor) -> Tensor:
    return raw


@_link_rule(Logistic)
def _logistic(loss: Loss, raw: Tensor) -> Tensor:
    info: Any = np.finfo(raw.dtype)
    return logistic(raw).maximum(info.tiny).minimum(1 - info.epsneg)


@_link_rule(Softmax)
def _softmax(loss: Loss, raw: Tensor) -> Tensor:
    return raw.softmax()


@_link_rule(Poisson)
def _exp(loss: Loss, raw: Tensor) -> Tensor:
    info: Any = np.finfo(raw.dtype)
    return raw.apply("Exp").maximum(info.tiny).minimum(info.max)


@_link_rule(GaussianNLL)
def _mean(loss: GaussianNLL, raw: Tensor) -> Tensor:
    return raw.columns(range(0, raw.width, 2))


@_link_rule(Quantile)
def _median(loss: Quantile, raw: Tensor) -> Tensor:
    size = loss.n_raw(1)
    if size == 1:
        return raw
    n_outputs = raw.width // size
    is_middle = np.arange(size) == size // 2
    middle = np.tile(is_middle, n_outputs)[None].astype(raw.dtype)
    # The middle quantile and the steps from there: predictions are linear in them.
    parts = raw * middle + softplus(raw) * (1 - middle)
    return parts.matmul(np.kron(np.eye(n_outputs), _weights(loss, is_middle)))


def _weights(loss: Quantile, is_middle: Array) -> Array:
    """Return what each part counts in the prediction of one output, as a column.

    Where the middle is 1 and one step is 1, the prediction tells the weight of the
    step: its rise above what it is without steps.
    """
    # The softplus of log(e - 1) is 1, that of -800 is 0.
    raw = np.where(np.eye(len(is_middle)), np.log(np.expm1(1.0)), -800.0)
    raw[:, is_middle] = 0.0
    raw[is_middle, is_middle] = 1.0
    return loss.link_inverse(raw)
