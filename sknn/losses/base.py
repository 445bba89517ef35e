"""What all losses share: the link, sample weights, the mean over samples.

A loss takes raw predictions, the output of a network before any link. Its own file says
only its value and gradient for one sample, its link and the targets it can take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sknn._array import Array, total
from sknn._params import Params
from sknn.tape import Tape


@dataclass
class Loss(Params):
    """Base of all losses.

    A loss of one's own is a dataclass with `pointwise`, and `link_inverse` where
    predictions are not the raw ones. With `n_raw` it asks for more raw columns than
    there are outputs; those of one output then stand side by side.
    """

    link: ClassVar[str] = "identity"

    def pointwise(self, y: Array, raw: Array, gradient: Array, tape: Tape) -> Array:
        """Return the loss of each sample; write its derivative to `gradient`.

        Parameters
        ----------
        y : ndarray of shape (n_samples, n_outputs)
            Targets.
        raw : ndarray of shape (n_samples, n_raw)
            Raw predictions; left as they are.
        gradient : ndarray of shape (n_samples, n_raw)
            Receives the derivative of each sample's loss by its raw prediction.
        tape : Tape
            Scratch.

        Returns
        -------
        values : ndarray of shape (n_samples, n_columns)
            Losses in any number of columns; a sample's loss is the sum of its row.
        """
        raise NotImplementedError

    def n_raw(self, n_outputs: int) -> int:
        """Return how many raw columns the loss needs for `n_outputs` targets."""
        return n_outputs

    def link_inverse(self, raw: Array) -> Array:
        """Return predictions, a column per output; may write over `raw`."""
        return raw

    def validate(self) -> None:
        """Raise ValueError where a field has a value that is not allowed."""

    def check_targets(self, y: Array) -> None:
        """Raise ValueError where a target lies outside the loss's domain."""

    def value_and_gradient(
        self, y: Array, raw: Array, w: Array | None, gradient: Array, tape: Tape
    ) -> Any:
        r"""Return :math:`\frac1n\sum_i w_i\,\ell(y_i, raw_i)`; write its gradient.

        Parameters
        ----------
        y : ndarray of shape (n_samples, n_outputs)
            Targets.
        raw : ndarray of shape (n_samples, n_raw)
            Raw predictions.
        w : ndarray of shape (n_samples, 1) or None
            Sample weights of mean 1 over the training set.
        gradient : ndarray of shape (n_samples, n_raw)
            Receives the gradient by the raw predictions.
        tape : Tape
            Scratch.

        Returns
        -------
        value : float
            The mean; one per network for a stack.
        """
        values = self.pointwise(y, raw, gradient, tape)
        if w is not None:
            values *= w
            gradient *= w
        n = raw.shape[-2]
        np.divide(gradient, tape.number(n, raw), out=gradient)
        return total(values) / n


def require(valid: Array, message: str) -> None:
    """Raise ValueError with `message` unless everything is valid."""
    if not np.all(valid):
        raise ValueError(message)


def lies_within(values: Array, limit: float) -> bool:
    """Tell whether all values are closer to zero than `limit`; NaN is not.

    The sum of squares, a twentieth of the cost of smallest and largest value, decides
    most batches.
    """
    flat = values.ravel()
    if flat.dot(flat) < limit * limit:
        return True
    return bool(-limit < values.min() and values.max() < limit)


def softplus(x: Array, out: Array) -> Array:
    """Write log(1 + e^x) to `out`, which is not `x`, and return it."""
    np.absolute(x, out=out)
    np.negative(out, out=out)
    np.log1p(np.exp(out, out=out), out=out)
    return np.add(out, np.maximum(x, 0), out=out)
