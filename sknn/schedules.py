"""Learning-rate schedules: what becomes of the initial rate in the course of a fit.

A schedule is a function of `Progress` and remembers nothing, so that a resumed fit
goes on exactly where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass

from sknn._params import Params, check_in_range


@dataclass(frozen=True)
class Progress:
    """How far a fit has come when a learning rate is asked for.

    Parameters
    ----------
    samples : int
        Samples seen so far; every epoch adds all of them.
    epoch : int
        Complete epochs so far.
    stalled : int
        Times that the stopping rule ran out of patience so far.
    """

    samples: int = 0
    epoch: int = 0
    stalled: int = 0


@dataclass
class Schedule(Params):
    """Base of all schedules: ``schedule(initial, progress)`` is the rate."""

    def __call__(self, initial: float, progress: Progress) -> float:
        """Return the learning rate, from the initial one."""
        raise NotImplementedError

    def stops(self, learning_rate: float) -> bool:
        """Tell whether training ends when patience has run out at this rate."""
        return True


@dataclass
class Constant(Schedule):
    """The initial rate throughout."""

    def __call__(self, initial: float, progress: Progress) -> float:
        """Return the learning rate, from the initial one."""
        return float(initial)


@dataclass
class InverseScaling(Schedule):
    r"""Rate :math:`\eta_0 / (t + 1)^p` after `t` samples; changes after each epoch.

    Parameters
    ----------
    power_t : float, default=0.5
        The exponent `p`.
    """

    power_t: float = 0.5

    def __call__(self, initial: float, progress: Progress) -> float:
        """Return the learning rate, from the initial one."""
        check_in_range(self, "power_t", 0.0)
        return float(initial / (progress.samples + 1) ** self.power_t)


@dataclass
class Adaptive(Schedule):
    """Divide the rate by `divisor` whenever patience runs out, until it is tiny.

    Parameters
    ----------
    divisor : float, default=5.0
        What the rate is divided by.
    min_learning_rate : float, default=1e-6
        Training ends when patience runs out at this rate or below.
    """

    divisor: float = 5.0
    min_learning_rate: float = 1e-6

    def __call__(self, initial: float, progress: Progress) -> float:
        """Return the learning rate, from the initial one."""
        check_in_range(self, "divisor", 1.0, closed="neither")
        return float(initial / self.divisor**progress.stalled)

    def stops(self, learning_rate: float) -> bool:
        """Tell whether training ends when patience has run out at this rate."""
        return learning_rate <= self.min_learning_rate


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "invscaling": InverseScaling,
    "adaptive": Adaptive,
}
