"""Optimisers that remember the mean of gradients and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sknn._array import Array
from sknn._params import check_in_range
from sknn.optimizers.base import Optimizer, Rates


@dataclass
class SGD(Optimizer):
    r"""Stochastic gradient descent with momentum.

    :math:`v \leftarrow \mu v - \eta g`, then :math:`p \leftarrow p + v`, or with
    Nesterov's momentum :math:`p \leftarrow p + \mu v - \eta g`.

    Parameters
    ----------
    momentum : float, default=0.9
        Share `mu` of the velocity that is kept, between 0 and 1.
    nesterov : bool, default=True
        Whether to look ahead along the velocity.
    weight_decay : float, default=0.0
        Decoupled decay, as in `Optimizer`.
    lazy : bool, default=False
        Whether sparse input moves only the rows of its columns, as in `Optimizer`.

    References
    ----------
    Sutskever et al., "On the importance of initialization and momentum in deep
    learning", ICML 2013, equations 1-4.
    """

    momentum: float = 0.9
    nesterov: bool = True

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""
        super().validate()
        check_in_range(self, "momentum", 0.0, 1.0, closed="both")

    def names(self) -> tuple[str, ...]:
        """Return the names of the arrays that this optimiser remembers."""
        return ("velocity",) if self.momentum else ()

    def rates(self, learning_rate: float, step: int) -> Rates:
        """Return the factors of step number `step`, counted from 1."""
        return learning_rate, self.momentum

    def update(
        self, p: Array, g: Array, scratch: Array, rates: list[Array], *memory: Array
    ) -> None:
        """Change parameters `p` and `memory` in place by one step along `g`."""
        rate, momentum = rates
        np.multiply(g, rate, out=scratch)
        if not memory:
            np.subtract(p, scratch, out=p)
            return
        (velocity,) = memory
        np.multiply(velocity, momentum, out=velocity)
        np.subtract(velocity, scratch, out=velocity)
        if self.nesterov:
            np.subtract(p, scratch, out=p)
            np.multiply(velocity, momentum, out=scratch)
            np.add(p, scratch, out=p)
        else:
            np.add(p, velocity, out=p)


@dataclass
class Lion(Optimizer):
    r"""Lion: every parameter moves by the rate, in the direction of a sign.

    :math:`p \leftarrow p - \eta \operatorname{sign}(\beta_1 m + (1 - \beta_1) g)`, then
    :math:`m \leftarrow \beta_2 m + (1 - \beta_2) g`.

    Parameters
    ----------
    beta_1 : float, default=0.9
        Share of the mean of gradients in the direction, in [0, 1).
    beta_2 : float, default=0.99
        Decay of the mean of gradients, in [0, 1).
    weight_decay : float, default=0.0
        Decoupled decay, as in `Optimizer`.
    lazy : bool, default=False
        Whether sparse input moves only the rows of its columns, as in `Optimizer`.

    Notes
    -----
    A step is longer than one of Adam's at the same rate. The paper advises a rate 3 to
    10 times smaller, and a `weight_decay` as many times larger (section 5).

    References
    ----------
    Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023,
    algorithm 2.
    """

    beta_1: float = 0.9
    beta_2: float = 0.99

    n_scratch: ClassVar[int] = 2

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""
        super().validate()
        check_in_range(self, "beta_1", 0.0, 1.0)
        check_in_range(self, "beta_2", 0.0, 1.0)

    def names(self) -> tuple[str, ...]:
        """Return the names of the arrays that this optimiser remembers."""
        return ("gradients",)

    def rates(self, learning_rate: float, step: int) -> Rates:
        """Return the factors of step number `step`, counted from 1."""
        # The running sum is kept without its factor 1 - beta_2, and a sign does not
        # see what the whole of its argument is divided by.
        share = self.beta_1 * (1 - self.beta_2) / (1 - self.beta_1)
        return learning_rate, share, self.beta_2

    def update(
        self, p: Array, g: Array, scratch: Array, rates: list[Array], *memory: Array
    ) -> None:
        """Change parameters `p` and `memory` in place by one step along `g`."""
        rate, share, beta_2 = rates
        (gradients,) = memory
        mixed, way = scratch
        np.multiply(gradients, share, out=mixed)
        np.add(mixed, g, out=mixed)
        np.sign(mixed, out=way)  # in place it takes ten times as long
        np.multiply(way, rate, out=way)
        np.subtract(p, way, out=p)
        np.multiply(gradients, beta_2, out=gradients)
        np.add(gradients, g, out=gradients)
