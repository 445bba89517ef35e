"""What stands between a network's raw scores and the outputs that are explained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from sknn.explain._outputs import ModelOutput
from sknn.explain.native.foreign import NotNativeError
from sknn.losses import Loss

Array = Any


@dataclass(frozen=True)
class Head:
    """The outputs as ``inverse(raw) @ A + c``.

    Parameters
    ----------
    kind : {'identity', 'logistic', 'exp', 'softmax', 'other'}
        What `inverse` is; 'other' is known as a function only.
    inverse : callable
        The inverse link of the loss.
    A : ndarray of shape (n_linked, C)
        Chooses, scales and mirrors.
    c : ndarray of shape (C,)
        Moves.
    """

    kind: str
    inverse: Callable[[Array], Array]
    A: Array
    c: Array

    def __call__(self, raw: Array) -> Array:
        """Return the outputs (..., C) of raw scores, in float64."""
        linked = self.inverse(raw.reshape(-1, raw.shape[-1]))
        outputs = linked.astype(np.float64, copy=False) @ self.A + self.c
        return outputs.reshape(*raw.shape[:-1], -1)


def head_of(estimator: Any, n_raw: int, output: ModelOutput) -> Head:
    """Return the head of a fitted network for the chosen outputs."""
    method, picked = output.raw.method, list(output.picked)
    ours = hasattr(estimator, "_network")
    if method == "predict" and ours:
        return _numbers(estimator._loss, estimator._targets, n_raw, picked)
    kind: str = "identity"
    inverse: Callable[[Array], Array] = as_is
    if method == "predict_proba":
        kind = estimator._loss.link if ours else _link_of(estimator)
        inverse = estimator._loss.link_inverse if ours else _INVERSES[kind]
    A, c = np.eye(n_raw), np.zeros(n_raw)
    if method != "predict" and len(output.labels) == 2 and n_raw == 1:
        A, c = np.array([[-1.0, 1.0]]), np.array([1.0, 0.0]) * (kind != "identity")
    return Head(kind, inverse, A[:, picked], c[picked])


def passing_on(n_raw: int) -> Head:
    """Return the head whose outputs are the raw scores."""
    return Head("identity", as_is, np.eye(n_raw), np.zeros(n_raw))


_INVERSES: dict[str, Callable[[Array], Array]] = {
    "identity": lambda raw: raw,
    "logistic": expit,
    "softmax": lambda raw: softmax(raw, axis=-1),
}


def _link_of(estimator: Any) -> str:
    """Return the link of scikit-learn's own perceptrons."""
    link = getattr(estimator, "out_activation_", None)
    if link not in _INVERSES:
        raise NotNativeError(
            f"how {type(estimator).__name__} comes to probabilities is not known"
        )
    return link


def _numbers(loss: Loss, targets: Any, n_raw: int, picked: list[int]) -> Head:
    n = targets.n_outputs
    scale = np.ones(n) if targets.scale is None else targets.scale
    center = np.zeros(n) if targets.center is None else targets.center
    kind = loss.link if n == n_raw else "other"
    inverse = as_is if kind == "identity" else loss.link_inverse
    return Head(kind, inverse, np.diag(scale)[:, picked], center[picked])


def as_is(raw: Array) -> Array:
    """Return raw scores as they are."""
    return raw
