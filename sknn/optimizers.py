"""Optimisers: SGD and Adam as steps on one flat vector of parameters.

They know arrays and a rate; networks, losses and batches are none of their business.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sknn._array import Array, Rows, flatten, scalar, squared_norm
from sknn._params import Params, check_in_range

Memory = dict[str, Array]
Rates = tuple[float, ...]

# All arrays of one block stay in the second-level cache through a step.
_BLOCK_BYTES = 1 << 17


@dataclass
class Optimizer(Params):
    """Base of all optimisers.

    An optimiser of one's own says which arrays it remembers (`names`), the factors of
    one step (`rates`) and the step itself (`update`).

    Parameters
    ----------
    weight_decay : float, default=0.0
        Decoupled decay of the penalised parameters: before each step they shrink by
        the factor ``1 - learning_rate * weight_decay``. Unlike `alpha` it does not pass
        through the gradient, and does not depend on the size of a batch.
    lazy : bool, default=False
        With sparse input into a first `Dense` layer, step only the rows of its kernel
        whose columns have an entry in the batch (a stored zero is one). In a step,
        parameters, memory, `alpha` and `weight_decay` of all other rows rest; every
        other parameter is stepped as ever. With dense input, or where another layer
        comes first, nothing changes.

    Notes
    -----
    A lazy step takes time in proportion to the entries of a batch instead of the
    columns of X, but it is another algorithm unless every batch has all columns. The
    memory of an absent column does not fade, and it does not move on by it; the
    penalties shrink a column as often as it occurs; the penalty in the reported loss
    is that of the rows of each batch. Corrections for the first steps count all steps,
    not those of a row. PyTorch's ``SparseAdam`` and the ``LazyAdam`` of TensorFlow
    Addons do the same.

    References
    ----------
    Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithms
    1 and 2.
    """

    weight_decay: float = field(default=0.0, kw_only=True)
    lazy: bool = field(default=False, kw_only=True)

    def names(self) -> tuple[str, ...]:
        """Return the names of the arrays that this optimiser remembers."""
        raise NotImplementedError

    def rates(self, learning_rate: float, step: int) -> Rates:
        """Return the factors of step number `step`, counted from 1."""
        raise NotImplementedError

    def update(
        self, p: Array, g: Array, scratch: Array, rates: list[Array], *memory: Array
    ) -> None:
        """Change parameters `p` and `memory` in place by one step along `g`."""
        raise NotImplementedError

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""
        check_in_range(self, "weight_decay", 0.0)
        if not isinstance(self.lazy, (bool, np.bool_)):
            raise ValueError(
                f"The 'lazy' parameter of {type(self).__name__} must be True or False. "
                f"Got {self.lazy!r} instead."
            )

    def memory(self, values: Array) -> Memory:
        """Return what this optimiser remembers of `values`, before the first step."""
        return {name: np.zeros_like(values) for name in self.names()}

    def stepper(
        self,
        values: Array,
        gradient: Array,
        memory: Memory,
        n_decayed: int = 0,
        rows: Rows | None = None,
    ) -> Callable[[float, int], None]:
        """Bind the arrays to ``step(learning_rate, number)``, which works in place.

        Parameters
        ----------
        values, gradient : ndarray of shape (..., n_parameters)
            What is optimised, and where its gradient will stand at each step.
        memory : dict of ndarray
            As `memory` returned it; changed in place.
        n_decayed : int, default=0
            How many of the parameters, from the first, `weight_decay` shrinks.
        rows : Rows or None, default=None
            Where the gradient by the first ``rows.size`` parameters will stand instead;
            of them only these rows are stepped.

        Returns
        -------
        step : callable
            To be called once for every gradient.
        """
        remembered = [memory[name] for name in self.names()]
        arrays = [values, gradient, *remembered]
        size = max(1, min(values.shape[-1], _BLOCK_BYTES // values.itemsize))
        whole_from = 0 if rows is None else rows.size
        scratch = np.empty_like(values[..., :size])
        blocks = []
        for start in range(whole_from, values.shape[-1], size):
            p, g, *m = (array[..., start : start + size] for array in arrays)
            blocks.append((p, g, scratch[..., : p.shape[-1]], m))
        factors = [scalar(0.0, values) for _ in self.rates(0.0, 1)]
        decayed = values[..., whole_from:n_decayed]
        matrices = [] if rows is None else _matrices(rows, [values, *remembered])

        def step(learning_rate: float, number: int) -> None:
            if self.weight_decay:
                np.multiply(decayed, 1 - learning_rate * self.weight_decay, out=decayed)
            for factor, rate in zip(
                factors, self.rates(learning_rate, number), strict=True
            ):
                factor[()] = rate
            for p, g, t, m in blocks:
                self.update(p, g, t, factors, *m)
            if rows is not None:
                shrink = 1 - learning_rate * self.weight_decay
                self._step_rows(rows, matrices, factors, shrink)

        return step

    def _step_rows(
        self,
        rows: Rows,
        matrices: list[list[Array]],
        factors: list[Array],
        shrink: float,
    ) -> None:
        """Change these rows of each network's parameters and memory in place."""
        size = max(1, _BLOCK_BYTES // (rows.shape[1] * rows.values.itemsize))
        networks = np.ndindex(rows.values.shape[:-2])
        for i, own in zip(networks, matrices, strict=True):
            for start in range(0, len(rows.index), size):
                index = rows.index[start : start + size]
                p, *m = taken = [matrix.take(index, axis=0) for matrix in own]
                if self.weight_decay:
                    np.multiply(p, shrink, out=p)
                g = rows.values[i][start : start + size]
                self.update(p, g, np.empty_like(p), factors, *m)
                for matrix, changed in zip(own, taken, strict=True):
                    matrix[index] = changed


def _matrices(rows: Rows, vectors: list[Array]) -> list[list[Array]]:
    """Return for each network the matrices that the vectors begin with."""
    of_networks = zip(*(rows.matrices(v) for v in vectors), strict=True)
    return [list(matrices) for matrices in of_networks]


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
class Adam(Optimizer):
    r"""Adam, with scikit-learn's place of epsilon.

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
        Added to the denominator before the correction of the bias.
    weight_decay : float, default=0.0
        Decoupled decay, as in `Optimizer`; above 0 this is AdamW.
    lazy : bool, default=False
        Whether sparse input moves only the rows of its columns, as in `Optimizer`:
        much faster where each batch has few of many columns, with other numbers.

    References
    ----------
    Kingma & Ba, "Adam: A method for stochastic optimization", ICLR 2015, the last
    paragraph of section 2 (the order of computation used here).
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""
        super().validate()
        check_in_range(self, "beta_1", 0.0, 1.0)
        check_in_range(self, "beta_2", 0.0, 1.0)
        check_in_range(self, "epsilon", 0.0, closed="neither")

    def names(self) -> tuple[str, ...]:
        """Return the names of the arrays that this optimiser remembers."""
        return ("gradients", "squares")

    def rates(self, learning_rate: float, step: int) -> Rates:
        """Return the factors of step number `step`, counted from 1."""
        # The running sums are kept without their factors 1 - beta, which the rate and
        # epsilon take over: two passes over the parameters fewer.
        root = math.sqrt(1 - self.beta_2)
        correction = math.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        rate = learning_rate * correction * (1 - self.beta_1) / root
        return rate, self.beta_1, self.beta_2, self.epsilon / root

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


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam}


def clip_by_norm(gradient: Array, max_norm: float, rows: Rows | None = None) -> Any:
    """Scale `gradient` in place so that its norm is at most `max_norm`.

    Parameters
    ----------
    gradient : ndarray of shape (..., n_parameters)
        Changed in place; each network of a stack on its own.
    max_norm : float
        Largest Euclidean norm allowed.
    rows : Rows or None, default=None
        Gradient by the first ``rows.size`` parameters; changed in place, and what
        `gradient` holds for them is passed over.

    Returns
    -------
    norm : float
        The norm before.

    References
    ----------
    Pascanu et al., "On the difficulty of training recurrent neural networks", ICML
    2013, algorithm 1.
    """
    rest = gradient if rows is None else gradient[..., rows.size :]
    squares = squared_norm(rest)
    if rows is not None:
        flat = flatten(rows.values)
        squares = squares + squared_norm(flat)
    norm = np.sqrt(squares)
    factor = np.asarray(max_norm / np.maximum(norm, max_norm), dtype=gradient.dtype)
    rest *= factor[..., None]
    if rows is not None:
        flat *= factor[..., None]
    return norm
