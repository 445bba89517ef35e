"""Objective: network, loss and penalty as one function of the parameters.

This is the waist of the package. Stochastic optimisers, L-BFGS and gradient checks all
call `value_and_gradient` and nothing deeper.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sknn._array import Array, scalar, squared_norm
from sknn.losses.base import Loss
from sknn.network import Network
from sknn.tape import Tape

_BLOCK_BYTES = 1 << 17


class Objective:
    r"""Mean loss of a network plus an L2 penalty, with its gradient.

    :math:`\frac1n \sum_i w_i \ell_i + \frac{\alpha}{2n} \|W\|^2`, where `n` counts the
    samples of the batch and `W` are the penalised parameters.

    Parameters
    ----------
    network : Network
        What is trained; its `values` are read at each call.
    loss : Loss
        Loss of one sample.
    alpha : float, default=0.0
        Strength of the penalty.
    rng : RandomState or None, default=None
        For layers that are random in training.

    Attributes
    ----------
    gradient : ndarray of shape (n_parameters,)
        Where each call leaves the gradient.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        alpha: float = 0.0,
        rng: np.random.RandomState | None = None,
    ) -> None:
        self.network = network
        self.loss = loss
        self.alpha = alpha
        self.tape = Tape(training=True, rng=rng)
        self.gradient = np.zeros_like(network.values)
        self._views = network.split(self.gradient)
        self._blocks = self._penalty_blocks()

    def value_and_gradient(self, X: Any, y: Array, w: Array | None = None) -> Any:
        """Return the value at the network's parameters; fill `gradient`.

        Parameters
        ----------
        X : {ndarray, CSR matrix} of shape (n_samples, n_features)
            Input in the network's dtype.
        y : ndarray of shape (n_samples, n_outputs)
            Targets as the loss takes them.
        w : ndarray of shape (n_samples, 1) or None, default=None
            Sample weights of mean 1 over the training set.

        Returns
        -------
        value : float
            Loss and penalty; one per network for a stack.
        """
        self.tape.sample_weight = w
        raw = self.network.forward(X, self.tape)
        scratch = self.tape.child("loss")
        d_raw = scratch.empty("d_raw", raw.shape, raw)
        value = self.loss.value_and_gradient(y, raw, w, d_raw, scratch)
        self.network.backward(d_raw, self.tape, self._views)
        if self.alpha:
            value = value + self._add_penalty(self.alpha / raw.shape[-2])
        return value

    def _add_penalty(self, strength: float) -> Any:
        self._strength[()] = strength
        for values, gradient, scratch in self._blocks:
            np.multiply(values, self._strength, out=scratch)
            np.add(gradient, scratch, out=gradient)
        return 0.5 * strength * squared_norm(self._penalized)

    def _penalty_blocks(self) -> list[tuple[Array, Array, Array]]:
        network = self.network
        self._penalized = network.values[..., : network.n_penalized]
        self._strength = scalar(0.0, network.values)
        size = max(1, _BLOCK_BYTES // network.values.itemsize)
        scratch = np.empty_like(self._penalized[..., :size])
        blocks = []
        for start in range(0, network.n_penalized, size):
            values = self._penalized[..., start : start + size]
            gradient = self.gradient[..., start : start + values.shape[-1]]
            blocks.append((values, gradient, scratch[..., : values.shape[-1]]))
        return blocks
