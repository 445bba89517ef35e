"""The Tape: scratch arrays of one pass through a network, grown once and reused.

It holds what layers need between their forward and their backward pass; parameters and
gradients live in the network and the objective.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sknn._array import Array, scalar


class Tape:
    """Scratch of one pass; a layer gets a tape of its own from its parent.

    What a layer's backward needs of its forward, the layer leaves in ``saved``.

    Parameters
    ----------
    training : bool, default=False
        Whether layers behave as in training (dropout drops) or as in prediction.
    rng : RandomState, RandomStates or None, default=None
        Source of randomness in training.
    recording : bool or None, default=None
        Whether layers keep what backward needs; None follows `training`.
    """

    def __init__(
        self,
        training: bool = False,
        rng: Any = None,
        recording: bool | None = None,
    ) -> None:
        self.training = training
        self.rng = rng
        self.recording = training if recording is None else recording
        self.reuse_input = False  # set by the network: input may be written over
        self.saved: Any = None
        self._shared: dict[str, Any] = {}  # with the tapes of all layers
        self._children: dict[int | str, Tape] = {}
        self._layers: list[Tape] = []
        self._numbers: dict[float, Array] = {}
        self._bases: dict[str, Array] = {}
        self._views: dict[tuple[str, tuple[int, ...]], Array] = {}

    def child(self, key: int | str) -> Tape:
        """Return the tape of one layer, made at the first call."""
        if key not in self._children:
            child = Tape(self.training, self.rng, self.recording)
            child._shared = self._shared
            self._children[key] = child
        return self._children[key]

    @property
    def sample_weight(self) -> Array | None:
        """Weights of the samples of this pass, of shape (n_samples, 1)."""
        return self._shared.get("sample_weight")

    @sample_weight.setter
    def sample_weight(self, weights: Array | None) -> None:
        self._shared["sample_weight"] = weights

    def empty(
        self, name: str, shape: tuple[int, ...], like: Array, dtype: Any = None
    ) -> Array:
        """Return an uninitialised array of this shape, the same at each call."""
        view = self._views.get((name, shape))
        return self._grow(name, shape, like, dtype) if view is None else view

    def product(self, name: str, x: Any, W: Array) -> Array:
        """Return an uninitialised array for ``x @ W``; `W` is the same at each call."""
        view = self._views.get((name, x.shape))
        if view is not None:
            return view
        lead = W.shape[:-2] or x.shape[:-2]
        view = self.empty(name, (*lead, x.shape[-2], W.shape[-1]), W)
        self._views[name, x.shape] = view
        return view

    def ones(self, shape: tuple[int, ...], like: Array) -> Array:
        """Return an array of ones of this shape, the same at each call."""
        return self.constant("ones", shape, 1.0, like)

    def constant(
        self, name: str, shape: tuple[int, ...], value: float, like: Array
    ) -> Array:
        """Return an array filled with `value`, the same at each call."""
        view = self._views.get((name, shape))
        if view is None:
            view = np.full_like(like, value, shape=shape, subok=False)
            self._views[name, shape] = view
        return view

    def number(self, value: float, like: Array) -> Array:
        """Return `value` as an array without dimensions, the same at each call."""
        known = self._numbers.get(value)
        if known is None:
            known = self._numbers[value] = scalar(value, like)
        return known

    def layers(self, count: int) -> list[Tape]:
        """Return the tapes of the layers of a chain."""
        if len(self._layers) != count:
            self._layers = [self.child(i) for i in range(count)]
        return self._layers

    def _grow(
        self, name: str, shape: tuple[int, ...], like: Array, dtype: Any
    ) -> Array:
        base = self._bases.get(name)
        if base is None or not _fits(shape, base.shape):
            base = np.empty_like(like, shape=shape, dtype=dtype, order="C", subok=False)
            self._bases[name] = base
            self._views = {k: v for k, v in self._views.items() if k[0] != name}
        view = base[..., : shape[-2], :]
        self._views[name, shape] = view
        return view


def _fits(shape: tuple[int, ...], base: tuple[int, ...]) -> bool:
    """Tell whether `shape` is `base` with as many samples or fewer."""
    same_rest = shape[:-2] == base[:-2] and shape[-1:] == base[-1:]
    return same_rest and shape[-2] <= base[-2]
