"""Objective: network, loss and penalty as one function of the parameters.

This is the waist of the package. Stochastic optimisers, L-BFGS and gradient checks all
call `value_and_gradient` and nothing deeper.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sknn._array import Array, Rows, flatten, scalar, squared_norm
from sknn.layers import Dense
from sknn.losses.base import Loss
from sknn.network import Network
from sknn.tape import Tape

_BLOCK_BYTES = 1 << 17


class Objective:
    r"""Mean loss of a network plus an elastic-net penalty, with its gradient.

    :math:`\frac1n \sum_i w_i \ell_i + \frac{\alpha}{n} (\frac{1 - \rho}{2} \|W\|_2^2 +
    \rho \|W\|_1)`, where `n` counts the samples of the batch, `W` are the penalised
    parameters and :math:`\rho` is `l1_ratio`. The subgradient at 0 is 0.

    Parameters
    ----------
    network : Network
        What is trained; its `values` are read at each call.
    loss : Loss
        Loss of one sample.
    alpha : float, default=0.0
        Strength of the penalty; for a stack also an array, one for each network.
    rng : RandomState, RandomStates or None, default=None
        For layers that are random in training.
    l1_ratio : float, default=0.0
        Share of the L1 norm in the penalty.

    Attributes
    ----------
    gradient : ndarray of shape (n_parameters,)
        Where each call leaves the gradient.
    rows : Rows or None
        Where each call leaves the gradient by the first kernel after `keep_rows`.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        alpha: Any = 0.0,
        rng: Any = None,
        l1_ratio: float = 0.0,
    ) -> None:
        self.network = network
        self.loss = loss
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.tape = Tape(training=True, rng=rng)
        # Unlike zeros_like, zeros takes memory only where something is written.
        self.gradient = np.zeros(network.values.shape, network.values.dtype)
        self.keep_rows(False)

    def keep_rows(self, kept: bool = True) -> None:
        """Hold the gradient by the first kernel as the rows that a batch touches.

        A sparse batch touches the rows of those columns in which it has entries. Only
        they are computed, into `rows`; the kernel's part of `gradient`, from 0 to
        `rows.size`, is not written. The penalty of a batch is then that of the rows it
        touches and of all other kernels, so that the value fits to its gradient.

        Parameters
        ----------
        kept : bool, default=True
            False returns to a gradient in whole. Where the first parameters are not
            those of a trained `Dense`, there is no other.
        """
        first = _first_kernel(self.network) if kept else None
        self._views = self.network.split(self.gradient)
        self.rows = None
        if first is not None:
            n_in, n_out = self._views[first]["W"].shape[-2:]
            self.rows = self._views[first]["W"] = Rows((n_in, n_out))
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
        if isinstance(self.alpha, np.ndarray) or self.alpha:
            value = value + self._add_penalty(self.alpha / raw.shape[-2])
        return value

    def _add_penalty(self, strength: float) -> Any:
        l1 = strength * self.l1_ratio
        self._set_factors(strength - l1, l1)
        value: Any = 0.0
        for values, gradient, scratch in self._blocks:
            np.multiply(values, self._l2, out=scratch)
            np.add(gradient, scratch, out=gradient)
            if self.l1_ratio:
                size = np.abs(values, out=scratch).sum(axis=-1)
                value = value + self._as_factor(l1) * size
                np.multiply(np.sign(values, out=scratch), self._l1, out=scratch)
                np.add(gradient, scratch, out=gradient)
        squares = squared_norm(self._penalized)
        if self.rows is not None:
            values = self.rows.take(self.network.values)
            squares = squares + squared_norm(flatten(values))
            if self.l1_ratio:
                value = value + l1 * np.abs(flatten(values)).sum(axis=-1)
                np.add(self.rows.values, np.sign(values) * self._l1, self.rows.values)
            np.multiply(values, self._l2, out=values)
            np.add(self.rows.values, values, out=self.rows.values)
        return value + self._as_factor(0.5 * (strength - l1)) * squares

    def _as_factor(self, number: Any) -> Any:
        """Return an array in the network's dtype, as which a float counts anyway."""
        if isinstance(number, np.ndarray):
            return number.astype(self.network.values.dtype)
        return number

    def _set_factors(self, l2: Any, l1: Any) -> None:
        """Set what values and their signs are multiplied with."""
        if isinstance(l2, np.ndarray):
            self._l2 = self._as_factor(l2)[:, None]
            self._l1 = self._as_factor(np.asarray(l1))[:, None]
            return
        if self._l2.ndim:
            self._l2, self._l1 = (scalar(0.0, self.network.values) for _ in range(2))
        self._l2[()], self._l1[()] = l2, l1

    def _penalty_blocks(self) -> list[tuple[Array, Array, Array]]:
        network = self.network
        first = 0 if self.rows is None else self.rows.size
        self._penalized = network.values[..., first : network.n_penalized]
        self._l2, self._l1 = (scalar(0.0, network.values) for _ in range(2))
        row_bytes = network.values.nbytes // max(1, network.n_parameters)
        size = max(1, _BLOCK_BYTES // max(1, row_bytes))
        scratch = np.empty_like(self._penalized[..., :size])
        blocks = []
        penalized = self.gradient[..., first : network.n_penalized]
        for start in range(0, penalized.shape[-1], size):
            values = self._penalized[..., start : start + size]
            gradient = penalized[..., start : start + size]
            blocks.append((values, gradient, scratch[..., : values.shape[-1]]))
        return blocks


def _first_kernel(network: Network) -> int | None:
    """Return the layer whose kernel the parameters begin with, if it is a `Dense`."""
    with_parameters = (i for i, views in enumerate(network.views) if views)
    i = next(with_parameters, None)
    # Not a subclass: its backward may write the gradient in a way of its own.
    if i is None or type(network.layers[i]) is not Dense:
        return None
    kernel = network.views[i]["W"]
    leads = np.may_share_memory(kernel, network.values.reshape(-1)[:1])
    penalized = network.n_penalized >= kernel.shape[-2] * kernel.shape[-1]
    return i if leads and penalized else None
