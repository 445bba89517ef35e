"""What an optimiser is: names, rates and an update, stepped in place block by block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from sknn._array import Array, Rows, scalar
from sknn._params import Params, check_in_range

Memory = dict[str, Array]
Rates = tuple[float, ...]
# Where each run of parameters ends, and the factor of its learning rate.
Segments = Sequence[tuple[int, float]]

# A block's arrays stay in the caches through a step, and its calls are few: of eight
# networks of 100,000 parameters Adam's step takes 1.9 ms, in blocks of 128 KB 2.8 ms.
_BLOCK_BYTES = 1 << 19


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

    #: Scratch arrays that `update` needs; more than one come along a first axis.
    n_scratch: ClassVar[int] = 1

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
        self._check_flag("lazy")

    def _check_flag(self, name: str) -> None:
        value = getattr(self, name)
        if not isinstance(value, (bool, np.bool_)):
            raise ValueError(
                f"The {name!r} parameter of {type(self).__name__} must be True or "
                f"False. Got {value!r} instead."
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
        segments: Segments | None = None,
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
            of them only these rows are stepped. They must lie in one segment.
        segments : sequence of (int, float) or None, default=None
            Where each run of parameters ends, and the factor of its learning rate, in
            step and decay; None takes 1 for all of them.

        Returns
        -------
        step : callable
            To be called once for every gradient.
        """
        remembered = [memory[name] for name in self.names()]
        whole_from = 0 if rows is None else rows.size
        arrays = [values, gradient, *remembered]
        parts = self._parts(arrays, whole_from, n_decayed, segments)
        matrices = [] if rows is None else _matrices(rows, [values, *remembered])

        def step(learning_rate: float, number: int) -> None:
            for part in parts:
                rate = learning_rate * part.lr_factor
                if self.weight_decay:
                    shrink = 1 - rate * self.weight_decay
                    for decayed in part.decayed:
                        np.multiply(decayed, shrink, out=decayed)
                for factor, value in zip(
                    part.factors, self.rates(rate, number), strict=True
                ):
                    factor[()] = value
                for p, g, t, m in part.blocks:
                    self.update(p, g, t, part.factors, *m)
            if rows is not None:
                first = parts[0]
                shrink = 1 - learning_rate * first.lr_factor * self.weight_decay
                self._step_rows(rows, matrices, first.factors, shrink)

        return step

    def _parts(
        self,
        arrays: list[Array],
        whole_from: int,
        n_decayed: int,
        segments: Segments | None,
    ) -> list[_Part]:
        """Return the blocks by factor, in the order in which the factors appear."""
        values, n = arrays[0], arrays[0].shape[-1]
        size = max(1, min(n, _BLOCK_BYTES * n // max(1, values.nbytes)))
        scratch = self._scratch(values[..., :size])
        parts: dict[float, _Part] = {}
        start = 0
        for stop, lr_factor in segments or ((n, 1.0),):
            if lr_factor not in parts:
                factors = [scalar(0.0, values) for _ in self.rates(0.0, 1)]
                parts[lr_factor] = _Part(lr_factor, factors)
            part, whole = parts[lr_factor], max(start, whole_from)
            part.decayed.append(values[..., whole : min(stop, n_decayed)])
            for first in range(whole, stop, size):
                last = min(first + size, stop)
                p, g, *m = (array[..., first:last] for array in arrays)
                part.blocks.append((p, g, scratch[..., : last - first], m))
            start = stop
        return list(parts.values())

    def _scratch(self, like: Array) -> Array:
        if self.n_scratch == 1:
            return np.empty_like(like)
        return np.empty((self.n_scratch, *like.shape), like.dtype)

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
                self.update(p, g, self._scratch(p), factors, *m)
                for matrix, changed in zip(own, taken, strict=True):
                    matrix[index] = changed


@dataclass
class _Part:
    """All parameters with one factor of the learning rate."""

    lr_factor: float
    factors: list[Array]
    decayed: list[Array] = field(default_factory=list)
    blocks: list[Any] = field(default_factory=list)


def _matrices(rows: Rows, vectors: list[Array]) -> list[list[Array]]:
    """Return for each network the matrices that the vectors begin with."""
    of_networks = zip(*(rows.matrices(v) for v in vectors), strict=True)
    return [list(matrices) for matrices in of_networks]
