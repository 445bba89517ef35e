"""What each estimator answers, as outputs of the graph.

Outputs are named as skl2onnx names them: `label` and `probabilities` of classifiers,
`variable` of all others.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from sknn._array import Array
from sknn.estimators import (
    MLPAutoencoder,
    MLPEnsembleClassifier,
    MLPEnsembleRegressor,
    MLPTransformer,
    PerceptronClassifier,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from sknn.estimators._columns import ColumnEncoder
from sknn.estimators._ensemble import BaseMLPEnsemble
from sknn.estimators._targets import ClassTargets, RealTargets, Targets
from sknn.estimators.mlp import BaseMLP
from sknn.estimators.transformer import _find_layer
from sknn.export._graph import TEXT, Graph, Tensor
from sknn.export._inputs import Source, declare_inputs, text_columns
from sknn.export._layers import emit_chain
from sknn.export._links import emit_link
from sknn.losses import Loss
from sknn.network import Network

Outputs = dict[str, Tensor]

KINDS = (BaseMLP, BaseMLPEnsemble, MLPTransformer, PerceptronClassifier)


def build_graph(estimator: Any, dtype: Any = None) -> Graph:
    """Return the graph of a fitted estimator with inputs of its own."""
    check_supported(estimator)
    graph = Graph()
    source = declare_inputs(
        graph,
        estimator.n_features_in_,
        input_dtype(estimator) if dtype is None else np.dtype(dtype),
        columns_of_text(estimator),
        getattr(estimator, "feature_names_in_", None),
    )
    graph.outputs = answer(estimator, source)
    return graph


def check_supported(estimator: Any) -> None:
    """Raise where there is nothing to write: another type, or not fitted."""
    if not isinstance(estimator, KINDS):
        raise TypeError(
            "sknn.export writes fitted estimators of sknn, got "
            f"{type(estimator).__name__}. For a pipeline call "
            "sknn.export.register_skl2onnx() and then skl2onnx.to_onnx."
        )
    check_is_fitted(estimator)


def columns_of_text(estimator: Any) -> set[int]:
    """Return which columns of X hold strings."""
    found: set[int] = set()
    for encoder in _encoders(estimator):
        found |= text_columns(encoder)
    return found


def input_dtype(estimator: Any) -> Any:
    """Return the dtype of the parameters, float64 or float32."""
    if isinstance(estimator, PerceptronClassifier):
        return np.result_type(estimator.coef_.dtype, np.float32)
    return _networks(estimator)[0].values.dtype


def classifies(estimator: Any) -> bool:
    """Tell whether a fitted estimator has labels."""
    if isinstance(estimator, PerceptronClassifier):
        return True
    return isinstance(getattr(estimator, "_targets", None), ClassTargets)


def _encoders(estimator: Any) -> list[ColumnEncoder | None]:
    if isinstance(estimator, MLPTransformer):
        return _encoders(_network_of(estimator))
    if isinstance(estimator, BaseMLPEnsemble):
        return [member._columns for member in estimator.estimators_]
    return [getattr(estimator, "_columns", None)]


def _networks(estimator: Any) -> list[Network]:
    if isinstance(estimator, MLPTransformer):
        return _networks(_network_of(estimator))
    if isinstance(estimator, BaseMLPEnsemble):
        return [member._network for member in estimator.estimators_]
    return [estimator._network]


def _network_of(transformer: MLPTransformer) -> Any:
    inner = transformer.estimator_
    return inner.estimator if isinstance(inner, FrozenEstimator) else inner


@singledispatch
def answer(estimator: Any, source: Source) -> Outputs:
    """Return the outputs of an estimator for what goes in."""
    raise TypeError(f"{type(estimator).__name__} has no rule for ONNX.")


@answer.register
def _(estimator: BaseMLP, source: Source) -> Outputs:
    raw = _raw(estimator, source)
    return _answer_of_targets(estimator._targets, estimator._loss, raw)


@answer.register
def _(estimator: MLPAutoencoder, source: Source) -> Outputs:
    return {"variable": _raw(estimator, source, slice(estimator._n_encoding))}


@answer.register
def _(estimator: MLPTransformer, source: Source) -> Outputs:
    network = _network_of(estimator)
    end = _find_layer(network, estimator.layer)
    return {"variable": _raw(network, source, slice(end))}


@answer.register
def _(estimator: PerceptronClassifier, source: Source) -> Outputs:
    coef: Any = estimator.coef_
    W = (coef.toarray() if sparse.issparse(coef) else coef).T
    x = source.encode(None).cast(np.result_type(W.dtype, np.float32))
    raw = x.affine(W, estimator.intercept_[None])
    label = _label(ClassTargets(estimator.classes_), raw)
    return {"label": label, "scores": raw if raw.width > 1 else raw.flat()}


@answer.register
def _(estimator: MLPEnsembleClassifier, source: Source) -> Outputs:
    def probabilities(member: BaseMLP) -> Tensor:
        targets, raw = member._targets, _raw(member, source)
        assert isinstance(targets, ClassTargets)
        return _probabilities(targets, member._loss, raw)

    mean, targets = _mean_of(estimator, probabilities), estimator._class_targets()
    if targets.multilabel:
        return {"label": (mean > 0.5).cast(np.int64), "probabilities": mean}
    label = mean.argmax().choose(labels_of(targets.classes))
    return {"label": label, "probabilities": mean}


@answer.register
def _(estimator: TabularMLPClassifier, source: Source) -> Outputs:
    scores = _mean_of(estimator, lambda member: _raw(member, source))
    return _answer_of_targets(estimator._targets, estimator._loss, scores)


@answer.register
def _(estimator: MLPEnsembleRegressor, source: Source) -> Outputs:
    return {"variable": _mean_of(estimator, lambda m: _numbers(m, source))}


@answer.register
def _(estimator: TabularMLPRegressor, source: Source) -> Outputs:
    def numbers(member: BaseMLP) -> Tensor:
        found = _numbers(member, source)
        if not estimator.clip_predictions:
            return found
        low, high = (np.atleast_1d(end) for end in estimator._range)
        found = found.cast(np.clip(np.empty(1, found.dtype), *estimator._range).dtype)
        return found.maximum(low[None]).minimum(high[None])

    return {"variable": _mean_of(estimator, numbers)}


def _raw(estimator: BaseMLP, source: Source, part: slice = slice(None)) -> Tensor:
    """Return the output of these layers of a network."""
    network = estimator._network
    x = source.encode(estimator._columns).cast(network.values.dtype)
    return emit_chain(network.layers[part], x, network.views[part])


def _mean_of(
    ensemble: BaseMLPEnsemble, answer_of: Callable[[BaseMLP], Tensor]
) -> Tensor:
    total, *others = map(answer_of, ensemble.estimators_)
    for one in others:
        total = total + one
    return total / len(ensemble.estimators_)


def _answer_of_targets(targets: Targets, loss: Loss, raw: Tensor) -> Outputs:
    if isinstance(targets, ClassTargets):
        return {
            "label": _label(targets, raw),
            "probabilities": _probabilities(targets, loss, raw),
        }
    return {"variable": _restored(targets, emit_link(loss, raw))}


def _numbers(member: BaseMLP, source: Source) -> Tensor:
    targets = member._targets
    assert isinstance(targets, RealTargets)
    return _restored(targets, emit_link(member._loss, _raw(member, source)))


def _restored(targets: RealTargets, values: Tensor) -> Tensor:
    """Return values in the units of y, in its precision."""
    center, scale = targets.center, targets.scale
    if center is None or scale is None:
        return values
    values = values.cast(np.result_type(values.dtype, scale.dtype))
    return values * scale[None] + center[None]


def _probabilities(targets: ClassTargets, loss: Loss, raw: Tensor) -> Tensor:
    if len(targets.classes) == 1 and not targets.multilabel:
        return raw.ones()
    p = emit_link(loss, raw)
    if targets.n_outputs == len(targets.classes):
        return p
    return p.graph.concat([1 - p, p])


def _label(targets: ClassTargets, raw: Tensor) -> Tensor:
    if targets.multilabel:
        return (raw > 0).cast(np.int64)
    if raw.width > 1 or len(targets.classes) == 1:
        codes = raw.argmax()
    else:
        codes = (raw > 0).flat().cast(np.int64)
    return codes.choose(labels_of(targets.classes))


def labels_of(classes: Array) -> Array:
    """Return labels in a dtype that ONNX has."""
    if classes.dtype.kind in "iu":
        return classes.astype(np.int64)
    if classes.dtype.kind in "bf":
        return classes
    if all(isinstance(label, str) for label in classes.tolist()):
        return classes.astype(TEXT)
    raise ValueError(
        "ONNX has labels that are all numbers or all strings, got classes_="
        f"{classes[:5].tolist()!r}. Encode y before the fit."
    )
