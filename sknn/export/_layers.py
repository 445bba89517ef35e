"""Layers as operators: one rule for each type in LAYERS.

A rule is what a layer computes at prediction. Types without a rule are refused; a
subclass needs its own, because it may compute something else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sknn._array import Array
from sknn.export._activations import ACTIVATION_RULES
from sknn.export._graph import Tensor
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
    MonotonicActivation,
    MonotonicDense,
    PiecewiseLinear,
    Residual,
    Scale,
)
from sknn.layers.base import Views
from sknn.layers.monotonic import _AT_ONE, _apply, _reflect

Rule = Callable[[Any, Tensor, Views], Tensor]

LAYER_RULES: dict[type[Layer], Rule] = {}


def layer_rule(kind: type[Layer]) -> Callable[[Rule], Rule]:
    """Let the decorated function be the rule of this type of layer.

    Parameters
    ----------
    kind : type
        A subclass of `Layer`, not one of its instances.

    Returns
    -------
    decorator : callable
        Registers ``rule(layer, x, p)`` and returns it: `x` is the input as a tensor of
        the graph, `p` the layer's parameters as a dict of arrays.
    """

    def register(rule: Rule) -> Rule:
        LAYER_RULES[kind] = rule
        return rule

    return register


def emit(layer: Layer, x: Tensor, p: Views) -> Tensor:
    """Return the output of one layer."""
    rule = LAYER_RULES.get(type(layer))
    if rule is None:
        raise ValueError(
            f"{layer!r} has no rule for ONNX. Write one and register it with "
            f"sknn.export.layer_rule({type(layer).__name__})."
        )
    return replace(rule(layer, x, p), width=layer.build(x.width)[1])


def emit_chain(layers: Sequence[Layer], x: Tensor, views: Sequence[Views]) -> Tensor:
    """Return the output of a chain of layers."""
    for layer, p in zip(layers, views, strict=True):
        x = emit(layer, x, p)
    return x


@layer_rule(Dense)
def _dense(layer: Dense, x: Tensor, p: Views) -> Tensor:
    return x.affine(p["W"], p["b"])


@layer_rule(MonotonicDense)
def _monotonic_dense(layer: MonotonicDense, x: Tensor, p: Views) -> Tensor:
    return x.affine(layer.kernel(p["W"]), p["b"])


@layer_rule(Activation)
def _activation(layer: Activation, x: Tensor, p: Views) -> Tensor:
    return ACTIVATION_RULES[layer.name](x)


@layer_rule(MonotonicActivation)
def _monotonic_activation(layer: MonotonicActivation, x: Tensor, p: Views) -> Tensor:
    parts, start = [], 0
    for form, end in layer._groups(x.width):
        if end > start:
            part = x.columns(range(start, end))
            parts.append(_of_form(form, layer.name, part))
        start = end
    return x.graph.concat(parts)


def _of_form(form: Any, name: str, x: Tensor) -> Tensor:
    """Return the activation, its reflection, or the odd function made of it."""
    rule = ACTIVATION_RULES[name]
    if form is _apply:
        return rule(x)
    if form is _reflect:
        return -rule(-x)
    size = abs(rule(1 - abs(x)) - _AT_ONE[name])
    return x.graph.where(x < 0, -size, size, x)


@layer_rule(Dropout)
def _dropout(layer: Dropout, x: Tensor, p: Views) -> Tensor:
    return x


@layer_rule(BatchNorm)
def _batch_norm(layer: BatchNorm, x: Tensor, p: Views) -> Tensor:
    scale = p["gamma"] / np.sqrt(p["variance"] + layer.epsilon)
    return x * scale + (p["beta"] - p["mean"] * scale)


@layer_rule(LayerNorm)
def _layer_norm(layer: LayerNorm, x: Tensor, p: Views) -> Tensor:
    average = np.full((x.width, 1), 1 / x.width)
    centered = x - x.matmul(average)
    spread = ((centered * centered).matmul(average) + layer.epsilon).apply("Sqrt")
    return centered / spread * p["gamma"] + p["beta"]


@layer_rule(Scale)
def _scale(layer: Scale, x: Tensor, p: Views) -> Tensor:
    return x * p["s"]


@layer_rule(Residual)
def _residual(layer: Residual, x: Tensor, p: Views) -> Tensor:
    views = [p.get(name, {}) for name, _ in layer.children()]
    y = emit_chain(layer.layers, x, views)
    return y + (x.matmul(p["P"]) if "P" in p else x)


@layer_rule(Columns)
def _columns(layer: Columns, x: Tensor, p: Views) -> Tensor:
    outputs = []
    for i, (indices, inner) in enumerate(layer.parts):
        part = x.columns(indices)
        outputs.append(part if inner is None else emit(inner, part, p.get(str(i), {})))
    return x.graph.concat(outputs)


@layer_rule(Embedding)
def _embedding(layer: Embedding, x: Tensor, p: Views) -> Tensor:
    layout, codes, parts = layer._layout, x.apply("Round"), []
    if len(layout.one_hot):
        spread = codes.columns(layout.one_hot)
        parts.append(spread.equals(layout.category[None]).cast(x.dtype))
    if "table" in p:
        known = codes.columns(layout.learned)
        exists = (known < layout.slots[None]) & ~(known < 0)
        code = x.graph.where(exists, known, layout.slots[None], known)
        rows = (code + layout.starts[None]).cast(np.int64)
        width = layer.dim * len(layout.learned)
        parts.append(rows.choose(p["table"]).reshape(0, width))
    return x.graph.concat(parts)


# Embeddings of numbers: (n, features) is (features, n, outputs) within them, and one
# product serves all features. It must not follow the transposition at once: onnxruntime
# would fuse the two to an operator that up to 1.22 it has for float32 only.


def _features_first(x: Tensor) -> Tensor:
    return x.reshape(0, x.width, 1).exchange()


def _features_last(y: Tensor, n_features: int) -> Tensor:
    return y.exchange().reshape(0, n_features * y.width)


def _of_each(row: Array, n_features: int) -> Array:
    """Return the part of each feature in a row, (features, 1, numbers)."""
    return row.reshape(n_features, 1, -1)


def _cos(x: Tensor) -> Tensor:
    # onnxruntime up to 1.22 has no Cos for float64.
    return x.apply("Cos") if x.dtype == np.float32 else (x + np.pi / 2).apply("Sin")


@layer_rule(PLR)
def _plr(layer: PLR, x: Tensor, p: Views) -> Tensor:
    angle = _features_first(x) * _of_each(2 * np.pi * p["frequencies"], x.width)
    n, W = layer.n_frequencies, p["W"]
    y = angle.apply("Sin").matmul(W[:, :n]) + _cos(angle).matmul(W[:, n:])
    y = (y + _of_each(p["b"], x.width)).apply("Relu")
    return _features_last(y, x.width)


@layer_rule(PBLD)
def _pbld(layer: PBLD, x: Tensor, p: Views) -> Tensor:
    first = _features_first(x)
    angle = first * _of_each(2 * np.pi * p["frequencies"], x.width)
    wave = _cos(angle + _of_each(p["phases"], x.width))
    y = wave.matmul(p["W"]) + _of_each(p["b"], x.width)
    names = (first.name, y.name)
    both = x.graph.add("Concat", names, x.dtype, layer.dim, axis=2)
    return _features_last(both, x.width)


@layer_rule(PiecewiseLinear)
def _piecewise_linear(layer: PiecewiseLinear, x: Tensor, p: Views) -> Tensor:
    bins = layer._bins(p["edges"], x.width)
    left, slope, low, high = (_of_each(row, x.width) for row in bins)
    e = ((_features_first(x) - left) * slope).maximum(low).minimum(high)
    if layer.dim is None:
        return _features_last(replace(e, width=layer.n_bins), x.width)
    y = e.matmul(p["W"]) + _of_each(p["b"], x.width)
    return _features_last(y, x.width)
