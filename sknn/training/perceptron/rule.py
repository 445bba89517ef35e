"""What one step of the perceptron does to its weights: the numbers, not the loop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rule:
    r"""The step that a sample takes, with its penalties.

    A sample x brings an update u, which is zero unless the sample is a mistake:

    .. math::
        w \leftarrow \rho w + u x, \qquad b \leftarrow b + \beta u.

    With an l1 penalty the components of w then move towards zero by what the penalties
    of all samples so far still demand of them, and stop there.

    Parameters
    ----------
    eta0 : float, default=1.0
        Size of the update of a mistake of weight one.
    shrink : float, default=1.0
        The factor rho, from the l2 penalty.
    truncation : float, default=0.0
        What each sample adds to the l1 penalty due.
    intercept_rate : float, default=1.0
        The factor beta; 0 if the intercept is not learned.
    l2, l1 : float, default=0.0
        Factors of ``||w||^2`` and ``||w||_1`` in the objective that stopping watches.

    References
    ----------
    Rosenblatt, F. (1958). The perceptron: a probabilistic model for information storage
    and organization in the brain. Psychological Review 65, 386-408.

    Tsuruoka, Y., Tsujii, J. and Ananiadou, S. (2009). Stochastic gradient descent
    training for L1-regularized log-linear models with cumulative penalty. ACL.
    """

    eta0: float = 1.0
    shrink: float = 1.0
    truncation: float = 0.0
    intercept_rate: float = 1.0
    l2: float = 0.0
    l1: float = 0.0

    @classmethod
    def with_penalty(
        cls,
        penalty: str | None,
        alpha: float,
        l1_ratio: float,
        eta0: float = 1.0,
        intercept_rate: float = 1.0,
    ) -> Rule:
        """Return the rule for scikit-learn's names of penalties."""
        if penalty is None:
            return cls(eta0=eta0, intercept_rate=intercept_rate)
        share = {"l2": 0.0, "l1": 1.0, "elasticnet": l1_ratio}[penalty]
        return cls(
            eta0=eta0,
            shrink=max(0.0, 1.0 - (1.0 - share) * eta0 * alpha),
            truncation=share * eta0 * alpha,
            intercept_rate=intercept_rate,
            l2=alpha * (1.0 - share) * 0.5,
            l1=alpha * share,
        )

    @property
    def truncates(self) -> bool:
        """Whether there is an l1 penalty."""
        return self.truncation > 0.0

    @property
    def rests(self) -> bool:
        """Whether samples that are no mistake leave the weights as they are."""
        return self.shrink == 1.0 and not self.truncates


class Powers:
    """Powers of the factor of the l2 penalty, and their sums.

    Parameters
    ----------
    factor : float
        The factor.
    n : int
        Largest power.
    """

    def __init__(self, factor: float, n: int) -> None:
        self.of = factor ** np.arange(n + 2)
        # sums[m] = 1 + factor + ... + factor ** (m - 1)
        self.sums = np.concatenate([[0.0], np.cumsum(self.of)])
        self.square_sums = np.concatenate([[0.0], np.cumsum(self.of**2)])
