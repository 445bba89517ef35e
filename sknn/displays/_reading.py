"""What all displays need: the network within an estimator, and axes to draw on."""

from __future__ import annotations

from typing import Any

from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from sknn.estimators._ensemble import BaseMLPEnsemble
from sknn.estimators.mlp import BaseMLP
from sknn.estimators.perceptron import PerceptronClassifier
from sknn.estimators.transformer import MLPTransformer

OURS = (BaseMLP, BaseMLPEnsemble, PerceptronClassifier, MLPTransformer)

# Okabe and Ito's colours, which the colour-blind can tell apart.
COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
    "#000000",
)
GREY = "#888888"


def unwrap(estimator: Any) -> Any:
    """Return the model at the end of pipelines, searches and wrappers."""
    if isinstance(estimator, type):
        raise TypeError(
            f"estimator must be an object, got the class {estimator.__name__}: make an "
            f"instance, {estimator.__name__}(), and fit it."
        )
    while not isinstance(estimator, OURS):
        inner = _inner(estimator)
        if inner is None:
            return estimator
        estimator = inner
    return estimator


def _inner(estimator: Any) -> Any:
    """Return what a fitted wrapper uses, None where it is no wrapper."""
    if hasattr(estimator, "steps") and hasattr(estimator, "named_steps"):
        return estimator.steps[-1][1]
    for name in ("best_estimator_", "regressor_"):
        if hasattr(estimator, name):
            return getattr(estimator, name)
    if hasattr(estimator, "cv_results_"):
        raise NotFittedError(
            f"This {type(estimator).__name__} holds no fitted network: call fit with "
            "refit=True."
        )
    return estimator.estimator if isinstance(estimator, FrozenEstimator) else None


def no_network(found: Any) -> Exception:
    """Return the error about what is no network of ours, or a wrapper before fit."""
    inside = found.get_params(deep=False) if hasattr(found, "get_params") else {}
    if any(hasattr(part, "fit") for part in inside.values()):
        try:
            check_is_fitted(found)
        except NotFittedError as error:
            return error
    return TypeError(
        "estimator must be a network of sknn, or a pipeline or search that ends with "
        f"one, got {type(found).__name__}."
    )


def fitted_network(estimator: Any) -> Any:
    """Return the one fitted network of ours within an estimator."""
    found = unwrap(estimator)
    if isinstance(found, MLPTransformer):
        check_is_fitted(found)
        return fitted_network(found.estimator_)
    if not isinstance(found, OURS):
        raise no_network(found)
    check_is_fitted(found)
    if isinstance(found, BaseMLPEnsemble):
        raise TypeError(
            f"{type(found).__name__} has {len(found.estimators_)} networks: pass one "
            "of them, such as estimator.estimators_[0]."
        )
    return found


def name_of(estimator: Any) -> str:
    """Return the name that an estimator goes by in a legend or a title."""
    return type(unwrap(estimator)).__name__


def pyplot() -> Any:
    """Import matplotlib's pyplot, or say what to install."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            'sknn.displays needs matplotlib: python -m pip install "sknn[plot]"'
        ) from error
    return plt


def axes(ax: Any, figsize: tuple[float, float] | None = None) -> Any:
    """Return `ax`, or axes on a new figure of this size in inches."""
    plt = pyplot()
    if ax is None:
        return plt.subplots(figsize=figsize, layout="constrained")[1]
    if not (hasattr(ax, "plot") and hasattr(ax, "transAxes")):
        raise TypeError(
            "ax must be one matplotlib Axes, such as plt.subplots()[1], or None, got "
            f"{type(ax).__name__}."
        )
    return ax
