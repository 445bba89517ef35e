"""How the parameters of a layer start: one frozen dataclass per published rule.

An initializer draws from the random state that it is given and keeps nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sknn._array import Array
from sknn._params import check_in_range

Fan = tuple[int, int]


@dataclass(frozen=True)
class Initializer:
    """Base of all initializers.

    Calling one with ``(rng, shape, fan)`` returns a float64 array of that shape, where
    `fan` is the pair (inputs, outputs) of the layer the parameter belongs to.
    """

    def __call__(
        self, rng: np.random.RandomState, shape: tuple[int, ...], fan: Fan
    ) -> Array:
        """Draw one parameter."""
        raise NotImplementedError


@dataclass(frozen=True)
class Glorot(Initializer):
    r"""Uniform on :math:`\pm\sqrt{f / (n_{in} + n_{out})}`.

    Parameters
    ----------
    factor : float, default=6.0
        The numerator `f`; 6 keeps the variance of a linear layer, 2 is scikit-learn's
        choice for the logistic activation.

    References
    ----------
    Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010, equation 16.
    """

    factor: float = 6.0

    def __call__(
        self, rng: np.random.RandomState, shape: tuple[int, ...], fan: Fan
    ) -> Array:
        """Draw one parameter."""
        check_in_range(self, "factor", 0.0, closed="neither")
        bound = np.sqrt(self.factor / (fan[0] + fan[1]))
        return rng.uniform(-bound, bound, shape)


@dataclass(frozen=True)
class He(Initializer):
    r"""Normal with variance :math:`2 / n_{in}`, which suits ReLU.

    References
    ----------
    He et al., "Delving deep into rectifiers", ICCV 2015, equation 10.
    """

    def __call__(
        self, rng: np.random.RandomState, shape: tuple[int, ...], fan: Fan
    ) -> Array:
        """Draw one parameter."""
        return rng.normal(0.0, np.sqrt(2.0 / fan[0]), shape)


@dataclass(frozen=True)
class LeCun(Initializer):
    r"""Normal with variance :math:`1 / n_{in}`, which suits SELU.

    References
    ----------
    LeCun et al., "Efficient BackProp", 1998, equation 16.
    """

    def __call__(
        self, rng: np.random.RandomState, shape: tuple[int, ...], fan: Fan
    ) -> Array:
        """Draw one parameter."""
        return rng.normal(0.0, np.sqrt(1.0 / fan[0]), shape)


@dataclass(frozen=True)
class Orthogonal(Initializer):
    """A random matrix with orthonormal rows or columns, times `gain`.

    Parameters
    ----------
    gain : float, default=1.0
        Factor of the matrix.

    References
    ----------
    Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear
    neural networks", ICLR 2014.
    """

    gain: float = 1.0

    def __call__(
        self, rng: np.random.RandomState, shape: tuple[int, ...], fan: Fan
    ) -> Array:
        """Draw one parameter."""
        check_in_range(self, "gain", 0.0, closed="neither")
        rows, columns = shape
        normal = rng.normal(size=(max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(normal)
        q *= np.where(np.diag(r) < 0, -1.0, 1.0)  # without it Q is not uniform
        return self.gain * (q if rows >= columns else q.T)


@dataclass(frozen=True)
class Normal(Initializer):
    """Normal with mean 0, whatever the size of the layer.

    Parameters
    ----------
    scale : float, default=1.0
        Standard deviation.
    """

    scale: float = 1.0

    def __call__(
        self, rng: np.random.RandomState, shape: tuple[int, ...], fan: Fan
    ) -> Array:
        """Draw one parameter."""
        check_in_range(self, "scale", 0.0)
        return rng.normal(0.0, self.scale, shape)


@dataclass(frozen=True)
class Uniform(Initializer):
    """Uniform on ±`bound`, whatever the size of the layer.

    Parameters
    ----------
    bound : float, default=1.0
        Largest absolute value.
    """

    bound: float = 1.0

    def __call__(
        self, rng: np.random.RandomState, shape: tuple[int, ...], fan: Fan
    ) -> Array:
        """Draw one parameter."""
        check_in_range(self, "bound", 0.0)
        return rng.uniform(-self.bound, self.bound, shape)


@dataclass(frozen=True)
class Scaled(Initializer):
    """Another initializer's draw, times `factor`.

    Parameters
    ----------
    init : Initializer
        What is drawn.
    factor : float
        What it is multiplied with.
    """

    init: Initializer
    factor: float

    def __call__(
        self, rng: np.random.RandomState, shape: tuple[int, ...], fan: Fan
    ) -> Array:
        """Draw one parameter."""
        return self.factor * self.init(rng, shape, fan)


@dataclass(frozen=True)
class Zeros(Initializer):
    """All zeros; for intercepts."""

    def __call__(
        self, rng: np.random.RandomState, shape: tuple[int, ...], fan: Fan
    ) -> Array:
        """Return the parameter; nothing is drawn."""
        return np.zeros(shape)


@dataclass(frozen=True)
class Ones(Initializer):
    """All ones; for scales."""

    def __call__(
        self, rng: np.random.RandomState, shape: tuple[int, ...], fan: Fan
    ) -> Array:
        """Return the parameter; nothing is drawn."""
        return np.ones(shape)


INITIALIZERS: dict[str, type[Initializer]] = {
    "glorot": Glorot,
    "he": He,
    "lecun": LeCun,
    "orthogonal": Orthogonal,
    "zeros": Zeros,
    "ones": Ones,
}
