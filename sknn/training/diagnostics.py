"""What goes on inside a network while it trains, and what a sick one suffers from.

Measures on a sample of the training set with an objective of its own, so that training
is not touched; changes nothing and prints nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sknn._array import Array, largest
from sknn.layers import Activation, Dense
from sknn.layers.containers import walk
from sknn.losses import Loss
from sknn.network import Network
from sknn.objective import Objective
from sknn.training.batches import Batches

SAMPLE_SIZE = 256

# Slope at 0 of the activations that saturate; far out it falls to 0.
_STEEPEST = {"logistic": 0.25, "tanh": 1.0}
_FLAT = 0.05

# Between the gradients of the first and of the last layer: the median of the first
# epochs, where a network that cannot learn is stuck.
_VANISHED, _EXPLODED, _EARLY = 1e-3, 30.0, 10
_SHARE = 0.5  # of dead or of saturated units in a layer
_LARGE = 100.0  # for an input

# Where, and what helps.
_DEAD = (
    "the ReLU units are zero for all samples",
    "Lower learning_rate_init, or set activation='leaky_relu' or 'silu'.",
)
_SATURATED = (
    "the outputs lie where the activation is flat",
    "Scale X, raise alpha, set normalization='batch', or use activation='relu'.",
)


class Diagnostics:
    """Gradient norms, dead and saturated units of a network under training.

    Parameters
    ----------
    network : Network
        What is trained; only read.
    loss : Loss
        Loss of one sample.
    batches : Batches
        The training set; up to 256 of its samples are looked at.
    """

    def __init__(self, network: Network, loss: Loss, batches: Batches) -> None:
        # Without penalty, whose gradient would hide that of the loss vanishing.
        self.objective = Objective(network, loss, rng=np.random.RandomState(0))
        self.batches = batches
        self.largest_input = largest(batches.X)

    def measure(self) -> dict[str, list[float]]:
        """Return what one epoch of the history holds, one number per layer.

        Returns
        -------
        entries : dict of list of float
            `gradient_norm` of the loss by each dense layer; `dead_units`, the share of
            ReLU units that are zero for all samples, and `saturated_units`, the share
            of outputs of logistic and tanh units where the slope is below 5 % of the
            steepest, one for each activation layer and NaN for other activations.
        """
        objective, network = self.objective, self.objective.network
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            objective.value_and_gradient(*self.batches.sample(SAMPLE_SIZE))
            gradient = network.split(objective.gradient)
            entries: dict[str, list[float]] = {
                "gradient_norm": [],
                "dead_units": [],
                "saturated_units": [],
            }
            for layer, g, tape in walk(network.layers, gradient, objective.tape):
                if isinstance(layer, Dense):
                    entries["gradient_norm"].append(_norm(g["W"], g["b"]))
                elif isinstance(layer, Activation):
                    entries["dead_units"].append(_dead(layer, tape.saved))
                    entries["saturated_units"].append(_saturated(layer, tape.saved))
        return entries

    def ills(self, history: dict[str, list[Any]], first: int = 0) -> Iterator[str]:
        """Yield what is ill, a sentence each with its remedy.

        Parameters
        ----------
        history : dict of list
            Holds what `measure` returned, one entry per epoch.
        first : int, default=0
            The epoch to look from.

        Yields
        ------
        ill : str
            What is ill, how much, and what helps.
        """
        if self.largest_input >= _LARGE:
            yield (
                f"Inputs are not scaled: the largest |x| is {self.largest_input:.3g}. "
                "Put a StandardScaler before the network."
            )
        yield from _ills_of_depth(history["gradient_norm"][first:][:_EARLY])
        yield from _ills_of_units(history["dead_units"][-1], "dead", *_DEAD)
        yield from _ills_of_units(
            history["saturated_units"][-1], "saturated", *_SATURATED
        )


def _norm(*arrays: Array) -> float:
    """Return the norm of all entries; squares of tiny ones need float64."""
    wide = [array.astype(np.float64).ravel() for array in arrays]
    return float(np.linalg.norm(np.concatenate(wide)))


def _dead(layer: Activation, slope: Array) -> float:
    if layer.name != "relu":
        return np.nan
    return float(1 - slope.any(axis=-2).mean())


def _saturated(layer: Activation, slope: Array) -> float:
    if layer.name not in _STEEPEST:
        return np.nan
    return float((slope < _FLAT * _STEEPEST[layer.name]).mean())


def _ills_of_depth(norms: list[list[float]]) -> Iterator[str]:
    """Yield what the gradients of the first and the last layer tell."""
    first, last = (np.array([epoch[i] for epoch in norms]) for i in (0, -1))
    if not np.isfinite([first, last]).all():
        yield (
            "The gradient became infinite or NaN. Lower learning_rate_init, set "
            "max_grad_norm, and scale X and y."
        )
        return
    tiny = np.finfo(float).tiny
    ratio = np.exp(np.median(np.log((first + tiny) / (last + tiny))))
    compared = f"the first layer's is {ratio:.1g} times the last layer's"
    if ratio < _VANISHED:
        yield (
            f"Gradients vanish: {compared}. Set residual=True, normalization='layer' "
            "or a ReLU-like activation, or use fewer layers."
        )
    if ratio > _EXPLODED:
        yield (
            f"Gradients explode: {compared}. Set residual=True or "
            "normalization='layer', set max_grad_norm, or use fewer layers."
        )


def _ills_of_units(
    shares: list[float], ill: str, where: str, remedy: str
) -> Iterator[str]:
    """Yield which layer suffers most, if more than half of it does."""
    worst = max(range(len(shares)), key=lambda i: np.nan_to_num(shares[i]), default=0)
    if shares and shares[worst] > _SHARE:
        yield (
            f"Units are {ill}: {shares[worst]:.0%} of {where} after hidden layer "
            f"{worst + 1}. {remedy}"
        )
