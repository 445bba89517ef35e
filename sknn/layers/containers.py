"""Layers made of layers: chains, and residual blocks around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from sknn._array import Array, matmul, transpose
from sknn.initializers import Glorot, Initializer
from sknn.layers.base import Layer, Param, Views, declare
from sknn.tape import Tape


def chain_forward(
    layers: Sequence[Layer], x: Any, views: Sequence[Views], tapes: Sequence[Tape]
) -> tuple[Any, bool]:
    """Return the output of a chain, and whether it may be written over."""
    free = False
    for layer, p, tape in zip(layers, views, tapes, strict=True):
        tape.reuse_input = free
        y = layer.forward(x, p, tape)
        free = layer.output_is_free and (free or y is not x)
        x = y
    return x, free


def chain_backward(
    layers: Sequence[Layer],
    dy: Array,
    views: Sequence[Views],
    gradients: Sequence[Views] | None,
    tapes: Sequence[Tape],
    last: int = 0,
    need_dx: bool = True,
) -> Array | None:
    """Propagate `dy` back to layer `last`; return its input's gradient if needed."""
    down: Any = dy
    for i in range(len(layers) - 1, last - 1, -1):
        g = None if gradients is None else gradients[i]
        down = layers[i].backward(down, views[i], g, tapes[i], need_dx or i > last)
    return down


def chain_adapt(layers: Sequence[Layer], x: Any, views: Sequence[Views]) -> None:
    """Let each layer of a chain adapt to what comes out of those before it."""
    adapting = [i for i, layer in enumerate(layers) if adapts(layer)]
    for i, (layer, p) in enumerate(zip(layers, views, strict=True)):
        if i > max(adapting, default=-1):
            return
        layer.adapt(x, p)
        if i < adapting[-1]:
            x = layer.forward(x, p, Tape())


def adapts(layer: Layer) -> bool:
    """Tell whether the layer, or one within, starts from the training data."""
    inner = [child for _, child in layer.children()]
    return any(map(adapts, inner)) if inner else type(layer).adapt is not Layer.adapt


def walk(
    layers: Sequence[Layer], views: Sequence[Views], tape: Tape
) -> Iterator[tuple[Layer, Views, Tape]]:
    """Yield all layers of a chain with their views and tapes, those within included."""
    tapes = tape.layers(len(layers))
    for layer, p, own in zip(layers, views, tapes, strict=True):
        yield layer, p, own
        inner = layer.children()
        if inner:
            yield from walk(
                [child for _, child in inner],
                [p.get(name, {}) for name, _ in inner],
                own,
            )


@dataclass(frozen=True, repr=False)
class Residual(Layer):
    r"""Residual block, :math:`y = x + F(x)` with a chain of layers `F`.

    The gradient by `x` is :math:`dy + F'(x)^\top dy`: whatever the layers within do, a
    part of it passes unchanged, so that it neither vanishes nor explodes with depth.
    Where `F` changes the width, :math:`y = x P + F(x)` with a trained projection `P`.

    Shape: ``(n, n_in) → (n, n_out of the last layer within)``.

    Parameters
    ----------
    layers : sequence of Layer
        The chain `F`; to let the identity pass from block to block untouched, end it
        with `Dense` and put normalisation and activation first.
    projection_init : Initializer, default=Glorot()
        How `P` of shape (n_in, n_out) starts, where there is one.
    trainable : bool, default=True
        Whether training changes the parameters of the block.
    lr_factor : float, default=1.0
        Factor of the learning rate for the parameters of the layer.

    References
    ----------
    He et al., "Deep residual learning for image recognition", CVPR 2016, equations 1
    and 2; He et al., "Identity mappings in deep residual networks", ECCV 2016.
    """

    layers: Sequence[Layer]
    projection_init: Initializer = field(default_factory=Glorot)

    output_is_free: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the list of layers; freeze them with the block."""
        layers = as_layers(self.layers, "Residual")
        object.__setattr__(self, "layers", freeze(layers, self.trainable))

    def children(self) -> tuple[tuple[str, Layer], ...]:
        """Return the layers of the chain, named by their index."""
        return tuple((str(i), layer) for i, layer in enumerate(self.layers))

    def build(self, n_in: int) -> tuple[tuple[Param, ...], int]:
        """Return the parameters for `n_in` inputs and the number of outputs."""
        params: list[Param] = []
        width = n_in
        for name, layer in self.children():
            declared, width = declare(layer, width, f"{name}.")
            params += declared
        if width != n_in:
            fan = (n_in, width)
            params.append(Param("P", fan, self.projection_init, fan))
        return tuple(params), width

    def forward(self, x: Array, p: Views, tape: Tape) -> Array:
        """Return ``x + F(x)``, or ``x @ P + F(x)``."""
        y, free = chain_forward(self.layers, x, self._views(p), self._tapes(tape))
        if "P" in p:
            tape.saved = x
            x = matmul(x, p["P"], tape.product("shortcut", x, p["P"]))
        return np.add(x, y, out=y if free else tape.empty("y", y.shape, y))

    def backward(
        self, dy: Array, p: Views, g: Views | None, tape: Tape, need_dx: bool = True
    ) -> Array | None:
        """Return ``dy + F'(x)ᵀ dy``; write the gradients of all layers within."""
        through = dy
        if not self.layers[-1].keeps_dy:
            through = tape.empty("through", dy.shape, dy)
            np.copyto(through, dy)
        gradients = None if g is None else self._views(g)
        tapes, views = self._tapes(tape), self._views(p)
        dx = chain_backward(
            self.layers, through, views, gradients, tapes, need_dx=need_dx
        )
        if "P" in p:
            if g is not None:
                matmul(transpose(tape.saved), dy, g["P"])
            if need_dx:
                P_T = transpose(p["P"])
                dy = matmul(dy, P_T, tape.product("d_shortcut", dy, P_T))
        return None if dx is None else np.add(dx, dy, out=dx)

    def adapt(self, x: Any, p: Views) -> None:
        """Let the layers within set what starts from the training data."""
        chain_adapt(self.layers, x, self._views(p))

    def _views(self, p: Views) -> list[Views]:
        return [p.get(name, {}) for name, _ in self.children()]

    def _tapes(self, tape: Tape) -> list[Tape]:
        return tape.layers(len(self.layers))


def freeze(layers: tuple[Layer, ...], trainable: bool) -> tuple[Layer, ...]:
    """Return the layers as they are, or frozen unless `trainable`."""
    if trainable:
        return layers
    return tuple(replace(layer, trainable=False) for layer in layers)


def as_layers(given: Any, owner: str) -> tuple[Layer, ...]:
    """Return a sequence of layers as a tuple; raise where it is none or empty."""
    layers = tuple(given) if isinstance(given, Sequence) else ()
    wrong = [item for item in layers if not isinstance(item, Layer)]
    if not layers or wrong:
        raise ValueError(
            f"The 'layers' parameter of {owner} must be a list of at least one layer, "
            f"such as [Dense(32), Activation('relu')]. Got {given!r} instead."
        )
    return layers
