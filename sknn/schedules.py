"""Learning-rate schedules: what becomes of the initial rate in the course of a fit.

A schedule is a function of `Progress` and remembers nothing, so that a resumed fit
goes on exactly where it stopped. What stops a fit is not its business.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

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
    fraction : float
        Share of the present epoch's steps that are done, in [0, 1).
    first_epoch : int
        Complete epochs when the present call of fit began.
    n_epochs : int or None
        Epochs that this call makes at most; None where nobody knows.
    """

    samples: int = 0
    epoch: int = 0
    stalled: int = 0
    fraction: float = 0.0
    first_epoch: int = 0
    n_epochs: int | None = None

    @property
    def epochs(self) -> float:
        """Epochs so far, the present one by its steps."""
        return self.epoch + self.fraction


@dataclass
class Schedule(Params):
    """Base of all schedules: ``schedule(initial, progress)`` is the rate."""

    #: Whether the rate moves with every step; else it is asked for once an epoch.
    per_step: ClassVar[bool] = False

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
        check_in_range(self, "min_learning_rate", 0.0)
        return float(initial / self.divisor**progress.stalled)

    def stops(self, learning_rate: float) -> bool:
        """Tell whether training ends when patience has run out at this rate."""
        return learning_rate <= self.min_learning_rate


@dataclass
class Plateau(Schedule):
    """Multiply the rate by `factor` whenever patience runs out, down to a least rate.

    Parameters
    ----------
    factor : float, default=0.1
        What the rate is multiplied by, in (0, 1).
    min_learning_rate : float, default=1e-6
        The rate does not fall below it, and training ends when patience runs out there.

    Notes
    -----
    `Adaptive` is scikit-learn's form of the same rule; it lets the rate fall below the
    least one before it stops.
    """

    factor: float = 0.1
    min_learning_rate: float = 1e-6

    def __call__(self, initial: float, progress: Progress) -> float:
        """Return the learning rate, from the initial one."""
        check_in_range(self, "factor", 0.0, 1.0, closed="neither")
        check_in_range(self, "min_learning_rate", 0.0)
        least = min(initial, self.min_learning_rate)
        return float(max(least, initial * self.factor**progress.stalled))

    def stops(self, learning_rate: float) -> bool:
        """Tell whether training ends when patience has run out at this rate."""
        return learning_rate <= self.min_learning_rate


@dataclass
class Step(Schedule):
    r"""Rate :math:`\eta_0 \gamma^{\lfloor e / s \rfloor}` after `e` epochs.

    Parameters
    ----------
    step_size : int, default=30
        Epochs `s` at one rate.
    gamma : float, default=0.1
        What the rate is multiplied by after them, in (0, 1].
    """

    step_size: int = 30
    gamma: float = 0.1

    def __call__(self, initial: float, progress: Progress) -> float:
        """Return the learning rate, from the initial one."""
        check_in_range(self, "step_size", 1)
        check_in_range(self, "gamma", 0.0, 1.0, closed="right")
        return float(initial * self.gamma ** (progress.epoch // self.step_size))


@dataclass
class Exponential(Schedule):
    r"""Rate :math:`\eta_0 \gamma^e` after `e` epochs.

    Parameters
    ----------
    gamma : float, default=0.97
        What the rate is multiplied by after each epoch, in (0, 1].
    """

    gamma: float = 0.97

    def __call__(self, initial: float, progress: Progress) -> float:
        """Return the learning rate, from the initial one."""
        check_in_range(self, "gamma", 0.0, 1.0, closed="right")
        return float(initial * self.gamma**progress.epoch)


@dataclass
class Warmup(Schedule):
    r"""Another schedule, whose rate rises from a small share of itself at the start.

    After `e` epochs, the present one counted by its steps, the schedule's rate is
    multiplied by :math:`1 - (1 - s) (1 - \min(1, e / n))`.

    Parameters
    ----------
    schedule : Schedule, default=Constant()
        Gives the rate that is multiplied; its own clock runs from the start, too.
    epochs : float, default=5.0
        Epochs `n` that the rise takes.
    start_factor : float, default=0.1
        Share `s` of the rate in the first step, in [0, 1].

    Notes
    -----
    The rise belongs to the first fit: one that goes on does not repeat it.

    References
    ----------
    Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017,
    section 2.2, "gradual warmup".
    """

    schedule: Schedule = field(default_factory=Constant)
    epochs: float = 5.0
    start_factor: float = 0.1

    per_step: ClassVar[bool] = True

    def __call__(self, initial: float, progress: Progress) -> float:
        """Return the learning rate, from the initial one."""
        if not isinstance(self.schedule, Schedule):
            raise ValueError(
                "The 'schedule' parameter of Warmup must be an object from "
                f"sknn.schedules. Got {self.schedule!r} instead."
            )
        check_in_range(self, "epochs", 0.0, closed="neither")
        check_in_range(self, "start_factor", 0.0, 1.0, closed="both")
        done = min(1.0, progress.epochs / self.epochs)
        factor = 1 - (1 - self.start_factor) * (1 - done)
        return factor * self.schedule(initial, progress)

    def stops(self, learning_rate: float) -> bool:
        """Tell whether training ends when patience has run out at this rate."""
        return self.schedule.stops(learning_rate)


@dataclass
class Curve(Schedule):
    r"""Base of schedules that are one curve over the whole of training.

    The rate is :math:`\eta_0 c(t)`, where `t` is the share of all steps that are done.

    Parameters
    ----------
    total : int or None, default=None
        Epochs that the curve takes, counted from the first fit; after them the rate
        stays at the curve's end. None takes the `max_iter` of each call of ``fit``, so
        that under ``warm_start`` every call runs through the curve anew. With a number,
        fits that go on equal one fit to the bit, and ``partial_fit``, which has no
        horizon of its own, can be used.

    Notes
    -----
    One of one's own says `curve`, and may have fields of its own.
    """

    total: int | None = field(default=None, kw_only=True)

    per_step: ClassVar[bool] = True
    #: The shares of training at which cycles end, of a curve that has several.
    cycle_ends: ClassVar[tuple[float, ...]] = ()

    def curve(self, share: float) -> float:
        """Return the factor of the initial rate at a share of training in [0, 1]."""
        raise NotImplementedError

    def __call__(self, initial: float, progress: Progress) -> float:
        """Return the learning rate, from the initial one."""
        return float(initial * self.curve(self._share(progress)))

    def _share(self, progress: Progress) -> float:
        if self.total is not None:
            check_in_range(self, "total", 1)
            return min(1.0, progress.epochs / self.total)
        if progress.n_epochs is None:
            name = type(self).__name__
            raise ValueError(
                f"{name} is a curve over the whole of training, and here, as in "
                "partial_fit, nobody knows how long that is: give the number of epochs "
                f"as in {name}(total=100), or use fit, where it is max_iter."
            )
        done = progress.epochs - progress.first_epoch
        return min(1.0, done / progress.n_epochs)


def curve_of(schedule: Schedule) -> Curve | None:
    """Return the curve that a schedule runs through, behind a rise or not.

    Parameters
    ----------
    schedule : Schedule
        Any schedule.

    Returns
    -------
    curve : Curve or None
        The schedule itself or what a `Warmup` leads to; None if it is no curve.
    """
    while isinstance(schedule, Warmup):
        schedule = schedule.schedule
    return schedule if isinstance(schedule, Curve) else None


@dataclass
class Cosine(Curve):
    r"""Half a cosine, :math:`c(t) = f + (1 - f) (1 + \cos \pi t) / 2`.

    Parameters
    ----------
    end_factor : float, default=0.0
        Share `f` of the initial rate at the end, in [0, 1].
    total : int or None, default=None
        Epochs that the curve takes, as in `Curve`.

    References
    ----------
    Loshchilov & Hutter, "SGDR: Stochastic gradient descent with warm restarts", ICLR
    2017, equation 5, without restarts.
    """

    end_factor: float = 0.0

    def curve(self, share: float) -> float:
        """Return the factor of the initial rate at a share of training in [0, 1]."""
        check_in_range(self, "end_factor", 0.0, 1.0, closed="both")
        return _cosine(1.0, self.end_factor, share)


@dataclass
class OneCycle(Curve):
    r"""Up to the initial rate and down to almost nothing, both by half a cosine.

    From :math:`1 / d` up to 1 at :math:`t = p`, then down to :math:`1 / (d f)` at the
    end.

    Parameters
    ----------
    pct_start : float, default=0.3
        Share `p` of training in which the rate rises, in (0, 1).
    div_factor : float, default=25.0
        What the highest rate is divided by at the start, the `d` above.
    final_div_factor : float, default=1e4
        What the rate of the start is divided by at the end, the `f` above.
    total : int or None, default=None
        Epochs that the curve takes, as in `Curve`.

    Notes
    -----
    ``learning_rate_init`` is the highest rate, PyTorch's ``max_lr``. Momentum stays as
    it is, where PyTorch by default and the paper lower it while the rate is high.
    PyTorch reaches the peak and the end one step earlier.

    References
    ----------
    Smith & Topin, "Super-convergence: very fast training of neural networks using large
    learning rates", 2018; the form with cosines is that of PyTorch's ``OneCycleLR``.
    """

    pct_start: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 1e4

    def curve(self, share: float) -> float:
        """Return the factor of the initial rate at a share of training in [0, 1]."""
        check_in_range(self, "pct_start", 0.0, 1.0, closed="neither")
        check_in_range(self, "div_factor", 1.0)
        check_in_range(self, "final_div_factor", 1.0)
        start, peak = 1 / self.div_factor, self.pct_start
        if share <= peak:
            return _cosine(start, 1.0, share / peak)
        end = start / self.final_div_factor
        return _cosine(1.0, end, (share - peak) / (1 - peak))


@dataclass
class CosLog4(Curve):
    r"""Four cycles, each twice as long, :math:`(1 - \cos(2\pi \log_2(1 + 15 t))) / 2`.

    Parameters
    ----------
    total : int or None, default=None
        Epochs that the curve takes, as in `Curve`.

    Notes
    -----
    The rate is 0 at :math:`t = 0, 1/15, 3/15, 7/15` and 1, where a network is at its
    best. In the cycles the loss rises for a while: let patience look at whole ones, as
    with ``n_iter_no_change='cycle'``.

    References
    ----------
    Holzmüller et al., "Better by default: strong pre-tuned MLPs and boosted trees on
    tabular data", NeurIPS 2024, the schedule of RealMLP.
    """

    cycle_ends: ClassVar[tuple[float, ...]] = (1 / 15, 3 / 15, 7 / 15, 1.0)

    def curve(self, share: float) -> float:
        """Return the factor of the initial rate at a share of training in [0, 1]."""
        return 0.5 * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * share)))


@dataclass
class FlatCos(Curve):
    r"""The initial rate at first, then half a cosine down to 0.

    Parameters
    ----------
    flat_share : float, default=0.5
        Share of training at the initial rate, in [0, 1).
    total : int or None, default=None
        Epochs that the curve takes, as in `Curve`.

    References
    ----------
    Holzmüller et al., "Better by default: strong pre-tuned MLPs and boosted trees on
    tabular data", NeurIPS 2024, the schedule of RealMLP's dropout and weight decay.
    """

    flat_share: float = 0.5

    def curve(self, share: float) -> float:
        """Return the factor of the initial rate at a share of training in [0, 1]."""
        check_in_range(self, "flat_share", 0.0, 1.0)
        flat = self.flat_share
        return _cosine(1.0, 0.0, max(0.0, share - flat) / (1 - flat))


def _cosine(start: float, end: float, share: float) -> float:
    """Return the value at this share of the way from `start` to `end`."""
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * share))


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "invscaling": InverseScaling,
    "adaptive": Adaptive,
    "plateau": Plateau,
    "step": Step,
    "exponential": Exponential,
    "warmup": Warmup,
    "cosine": Cosine,
    "one_cycle": OneCycle,
    "coslog4": CosLog4,
    "flat_cos": FlatCos,
}
