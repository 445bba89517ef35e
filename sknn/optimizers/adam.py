"""Optimisers that divide by the root of a sum or mean of squares: Adam's family.

Running means are kept without the factors ``1 - beta``, which the rate and epsilon take
over: two passes over the parameters fewer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

import numpy as np

from sknn._array import Array
from sknn._params import check_in_range
from sknn.optimizers.base import Optimizer, Rates


@dataclass
class Adam(Optimizer):
    r"""Adam, by default with scikit-learn's place of epsilon.

    :math:`p \leftarrow p - \eta \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}
    \frac{m}{\sqrt v + \epsilon}` where `m` and `v` are the running means of the
    gradient and of its square.

    Parameters
    ----------
    beta_1 : float, default=0.9
        Decay of the mean of gradients, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the mean of squared gradients, in [0, 1).
    epsilon : float, default=1e-8
        Added to the denominator.
    weight_decay : float, default=0.0
        Decoupled decay, as in `Optimizer`; `AdamW` has another default.
    lazy : bool, default=False
        Whether sparse input moves only the rows of its columns, as in `Optimizer`:
        much faster where each batch has few of many columns, with other numbers.
    epsilon_hat : bool, default=True
        Whether epsilon is added before the correction of the bias, as the formula has
        it and scikit-learn does (the paper calls it :math:`\hat\epsilon` then). False
        adds it to the corrected root, :math:`\sqrt{v / (1 - \beta_2^t)} + \epsilon`, as
        the paper's algorithm 1 and PyTorch do.

    References
    ----------
    Kingma & Ba, "Adam: A method for stochastic optimization", ICLR 2015, algorithm 1
    and the last paragraph of section 2 (the order of computation used here).
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    epsilon_hat: bool = field(default=True, kw_only=True)

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""
        super().validate()
        check_in_range(self, "beta_1", 0.0, 1.0)
        check_in_range(self, "beta_2", 0.0, 1.0)
        check_in_range(self, "epsilon", 0.0, closed="neither")
        self._check_flag("epsilon_hat")

    def names(self) -> tuple[str, ...]:
        """Return the names of the arrays that this optimiser remembers."""
        return ("gradients", "squares")

    def rates(self, learning_rate: float, step: int) -> Rates:
        """Return the factors of step number `step`, counted from 1."""
        root, corrected = math.sqrt(1 - self.beta_2), math.sqrt(1 - self.beta_2**step)
        correction = corrected / (1 - self.beta_1**step)
        rate = learning_rate * correction * (1 - self.beta_1) / root
        epsilon = self.epsilon if self.epsilon_hat else self.epsilon * corrected
        return rate, self.beta_1, self.beta_2, epsilon / root

    def update(
        self, p: Array, g: Array, scratch: Array, rates: list[Array], *memory: Array
    ) -> None:
        """Change parameters `p` and `memory` in place by one step along `g`."""
        rate, beta_1, beta_2, epsilon = rates
        gradients, squares = memory
        np.multiply(gradients, beta_1, out=gradients)
        np.add(gradients, g, out=gradients)
        np.multiply(squares, beta_2, out=squares)
        np.square(g, out=scratch)
        np.add(squares, scratch, out=squares)
        np.sqrt(squares, out=scratch)
        np.add(scratch, epsilon, out=scratch)
        np.divide(gradients, scratch, out=scratch)
        np.multiply(scratch, rate, out=scratch)
        np.subtract(p, scratch, out=p)


@dataclass
class AdamW(Adam):
    r"""Adam with weight decay, with PyTorch's defaults and place of epsilon.

    :math:`p \leftarrow (1 - \eta \lambda) p`, then :math:`p \leftarrow p -
    \frac{\eta}{1 - \beta_1^t} \frac{m}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}`.

    Parameters
    ----------
    beta_1 : float, default=0.9
        Decay of the mean of gradients, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the mean of squared gradients, in [0, 1).
    epsilon : float, default=1e-8
        Added to the denominator.
    weight_decay : float, default=0.01
        Decoupled decay :math:`\lambda`, as in `Optimizer`.
    lazy : bool, default=False
        Whether sparse input moves only the rows of its columns, as in `Optimizer`.
    epsilon_hat : bool, default=False
        Whether epsilon is added before the correction of the bias, as in `Adam`.

    References
    ----------
    Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm
    2; as in PyTorch, the learning rate multiplies the decay.
    """

    epsilon_hat: bool = field(default=False, kw_only=True)
    weight_decay: float = field(default=0.01, kw_only=True)


@dataclass
class NAdam(Optimizer):
    r"""Adam with Nesterov's momentum and PyTorch's warm-up of the momentum.

    :math:`p \leftarrow p - \eta \left(\frac{\mu_{t+1} m}{1 - \prod_{i \le t+1} \mu_i} +
    \frac{(1 - \mu_t) g}{1 - \prod_{i \le t} \mu_i}\right) \big/ \left(\sqrt{v / (1 -
    \beta_2^t)} + \epsilon\right)` with :math:`\mu_t = \beta_1 (1 - \frac12
    0.96^{t \psi})` and the running means `m` of the gradient and `v` of its square.

    Parameters
    ----------
    beta_1 : float, default=0.9
        Decay of the mean of gradients, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the mean of squared gradients, in [0, 1).
    epsilon : float, default=1e-8
        Added to the denominator, after the correction of the bias.
    momentum_decay : float, default=4e-3
        How fast the momentum rises from half of `beta_1` to `beta_1`, the `psi` of the
        formula.
    weight_decay : float, default=0.0
        Decoupled decay, as in `Optimizer`.
    lazy : bool, default=False
        Whether sparse input moves only the rows of its columns, as in `Optimizer`.

    Notes
    -----
    The products of momenta are a function of the number of the step, so that a resumed
    fit needs no memory of them.

    References
    ----------
    Dozat, "Incorporating Nesterov momentum into Adam", ICLR 2016 workshop; the momenta
    are those of PyTorch's ``NAdam``.
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    momentum_decay: float = 4e-3

    n_scratch: ClassVar[int] = 2

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""
        super().validate()
        check_in_range(self, "beta_1", 0.0, 1.0)
        check_in_range(self, "beta_2", 0.0, 1.0)
        check_in_range(self, "epsilon", 0.0, closed="neither")
        check_in_range(self, "momentum_decay", 0.0)

    def names(self) -> tuple[str, ...]:
        """Return the names of the arrays that this optimiser remembers."""
        return ("gradients", "squares")

    def rates(self, learning_rate: float, step: int) -> Rates:
        """Return the factors of step number `step`, counted from 1."""
        this = _momentum(self.beta_1, self.momentum_decay, step)
        following = _momentum(self.beta_1, self.momentum_decay, step + 1)
        product = _product(self.beta_1, self.momentum_decay, step)
        scale = math.sqrt(1 - self.beta_2**step) / math.sqrt(1 - self.beta_2)
        rate = learning_rate * scale
        return (
            rate * (1 - this) / (1 - product),
            rate * following * (1 - self.beta_1) / (1 - product * following),
            self.beta_1,
            self.beta_2,
            self.epsilon * scale,
        )

    def update(
        self, p: Array, g: Array, scratch: Array, rates: list[Array], *memory: Array
    ) -> None:
        """Change parameters `p` and `memory` in place by one step along `g`."""
        rate_g, rate_m, beta_1, beta_2, epsilon = rates
        gradients, squares = memory
        way, root = scratch
        np.multiply(gradients, beta_1, out=gradients)
        np.add(gradients, g, out=gradients)
        np.multiply(squares, beta_2, out=squares)
        np.square(g, out=root)
        np.add(squares, root, out=squares)
        np.multiply(gradients, rate_m, out=way)
        np.multiply(g, rate_g, out=root)
        np.add(way, root, out=way)
        np.sqrt(squares, out=root)
        np.add(root, epsilon, out=root)
        np.divide(way, root, out=way)
        np.subtract(p, way, out=p)


def _momentum(beta_1: float, decay: float, step: int) -> float:
    return beta_1 * (1 - 0.5 * 0.96 ** (step * decay))


def _product(beta_1: float, decay: float, step: int) -> float:
    """Return the product of the first `step` momenta."""
    products = _products(beta_1, decay)
    rest = max(0, step + 1 - len(products))
    return products[step - rest] * beta_1**rest


@lru_cache(maxsize=32)
def _products(beta_1: float, decay: float) -> tuple[float, ...]:
    """Return the products of momenta until all others are `beta_1`, or do not matter.

    Beside 1 a product below half its last digit is nothing. One of the two comes within
    some thousand steps, within sixty at the default decay.
    """
    products, momentum = [1.0], _momentum(beta_1, decay, 1)
    while momentum != beta_1 and products[-1] > 2.0**-54:
        products.append(products[-1] * momentum)
        momentum = _momentum(beta_1, decay, len(products))
    return tuple(products)


@dataclass
class AdaGrad(Optimizer):
    r"""AdaGrad: gradients divided by the root of the sum of their squares so far.

    :math:`v \leftarrow v + g^2`, then
    :math:`p \leftarrow p - \eta \frac{g}{\sqrt v + \epsilon}`.

    Parameters
    ----------
    epsilon : float, default=1e-8
        Added to the denominator; PyTorch's default is 1e-10.
    weight_decay : float, default=0.0
        Decoupled decay, as in `Optimizer`; PyTorch's is a penalty.
    lazy : bool, default=False
        Whether sparse input moves only the rows of its columns, as in `Optimizer`:
        without decay and `alpha` the same numbers, for where the gradient is zero
        nothing moves.

    Notes
    -----
    The sum only grows: a parameter's steps shorten with the root of their number, of a
    rare column's weights more slowly than of a frequent one's. So it wants no schedule,
    and a rate 1 to 30 times Adam's.

    References
    ----------
    Duchi, Hazan & Singer, "Adaptive subgradient methods for online learning and
    stochastic optimization", JMLR 12, 2011, figure 1 with a diagonal matrix; the
    place of epsilon is that of PyTorch's ``Adagrad``.
    """

    epsilon: float = 1e-8

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""
        super().validate()
        check_in_range(self, "epsilon", 0.0, closed="neither")

    def names(self) -> tuple[str, ...]:
        """Return the names of the arrays that this optimiser remembers."""
        return ("squares",)

    def rates(self, learning_rate: float, step: int) -> Rates:
        """Return the factors of step number `step`, counted from 1."""
        return learning_rate, self.epsilon

    def update(
        self, p: Array, g: Array, scratch: Array, rates: list[Array], *memory: Array
    ) -> None:
        """Change parameters `p` and `memory` in place by one step along `g`."""
        rate, epsilon = rates
        (squares,) = memory
        np.square(g, out=scratch)
        np.add(squares, scratch, out=squares)
        np.sqrt(squares, out=scratch)
        np.add(scratch, epsilon, out=scratch)
        np.divide(g, scratch, out=scratch)
        np.multiply(scratch, rate, out=scratch)
        np.subtract(p, scratch, out=p)


@dataclass
class RMSProp(Optimizer):
    r"""RMSProp: gradients divided by their root mean square.

    :math:`u = g / (\sqrt v + \epsilon)` with the running mean `v` of the gradient's
    square; then :math:`p \leftarrow p - \eta u`, or with momentum
    :math:`b \leftarrow \mu b + u` and :math:`p \leftarrow p - \eta b`.

    Parameters
    ----------
    rho : float, default=0.99
        Decay of the mean of squared gradients, in [0, 1); PyTorch calls it `alpha`.
    epsilon : float, default=1e-8
        Added to the denominator.
    momentum : float, default=0.0
        Share `mu` of the last way that is kept, between 0 and 1.
    weight_decay : float, default=0.0
        Decoupled decay, as in `Optimizer`; PyTorch's is a penalty.
    lazy : bool, default=False
        Whether sparse input moves only the rows of its columns, as in `Optimizer`.

    Notes
    -----
    The mean starts at zero and nothing corrects it: the first steps are longer than
    others, the very first :math:`1 / \sqrt{1 - \rho}` times the rate.

    References
    ----------
    Tieleman & Hinton, "Lecture 6.5: RMSProp", COURSERA: Neural networks for machine
    learning, 2012; epsilon and momentum are those of PyTorch's ``RMSprop``.
    """

    rho: float = 0.99
    epsilon: float = 1e-8
    momentum: float = 0.0

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""
        super().validate()
        check_in_range(self, "rho", 0.0, 1.0)
        check_in_range(self, "epsilon", 0.0, closed="neither")
        check_in_range(self, "momentum", 0.0, 1.0, closed="both")

    def names(self) -> tuple[str, ...]:
        """Return the names of the arrays that this optimiser remembers."""
        return ("squares", "ways") if self.momentum else ("squares",)

    def rates(self, learning_rate: float, step: int) -> Rates:
        """Return the factors of step number `step`, counted from 1."""
        root = math.sqrt(1 - self.rho)
        return learning_rate / root, self.rho, self.epsilon / root, self.momentum

    def update(
        self, p: Array, g: Array, scratch: Array, rates: list[Array], *memory: Array
    ) -> None:
        """Change parameters `p` and `memory` in place by one step along `g`."""
        rate, rho, epsilon, momentum = rates
        squares, *ways = memory
        np.multiply(squares, rho, out=squares)
        np.square(g, out=scratch)
        np.add(squares, scratch, out=squares)
        np.sqrt(squares, out=scratch)
        np.add(scratch, epsilon, out=scratch)
        np.divide(g, scratch, out=scratch)
        way = scratch
        if ways:
            (way,) = ways
            np.multiply(way, momentum, out=way)
            np.add(way, scratch, out=way)
        np.multiply(way, rate, out=scratch)
        np.subtract(p, scratch, out=p)
