"""Learning-rate schedules: factors of ``learning_rate_init`` over the progress of a fit.

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
        Samples seen so far, counted anew in each epoch.
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
    """Base of all schedules: ``schedule(progress)`` is the factor of the rate."""

    def __call__(self, progress: Progress) -> float:
        """Return the factor of ``learning_rate_init``."""
        raise NotImplementedError

    def stops(self, learning_rate: float) -> bool:
        """Tell whether training ends when patience has run out at this rate."""
        return True


@dataclass
class Constant(Schedule):
    """The initial rate throughout."""

    def __call__(self, progress: Progress) -> float:
        """Return the factor of ``learning_rate_init``."""
        return 1.0


@dataclass
class InverseScaling(Schedule):
    r"""Factor :math:`(t + 1)^{-p}` where `t` counts samples; changes after each epoch.

    Parameters
    ----------
    power_t : float, default=0.5
        The exponent `p`.
    """

    power_t: float = 0.5

    def __call__(self, progress: Progress) -> float:
        """Return the factor of ``learning_rate_init``."""
        check_in_range(self, "power_t", 0.0)
        return float(1.0 / (progress.samples + 1) ** self.power_t)


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

    def __call__(self, progress: Progress) -> float:
        """Return the factor of ``learning_rate_init``."""
        check_in_range(self, "divisor", 1.0, closed="neither")
        return float(self.divisor**-progress.stalled)

    def stops(self, learning_rate: float) -> bool:
        """Tell whether training ends when patience has run out at this rate."""
        return learning_rate <= self.min_learning_rate


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "invscaling": InverseScaling,
    "adaptive": Adaptive,
}
