"""L-BFGS over the whole training set, reporting each iteration through a callback."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn.objective import Objective
from sknn.training.batches import Batches
from sknn.training.state import TrainingState
from sknn.training.trainer import Epoch

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult


def minimize_lbfgs(
    objective: Objective,
    batches: Batches,
    state: TrainingState,
    report: Callable[[Epoch], bool],
    *,
    max_iter: int,
    max_fun: int,
    tol: float,
) -> OptimizeResult:
    """Minimise the objective by L-BFGS; the network is left at the last iterate.

    Parameters
    ----------
    objective : Objective
        What is minimised; its network must be float64.
    batches : Batches
        The training set, used as one batch.
    state : TrainingState
        Its counters move; L-BFGS itself starts anew at each call.
    report : callable
        Told each iteration; returning True ends the fit there.
    max_iter, max_fun : int
        Largest numbers of iterations and of evaluations.
    tol : float
        Largest component of the gradient at which to stop. SciPy stops earlier where
        an iteration lowers the value by less than 2.2e-9 of it.

    Returns
    -------
    result : OptimizeResult
        As `scipy.optimize.minimize` returns it.

    References
    ----------
    Liu & Nocedal, "On the limited memory BFGS method for large scale optimization",
    Mathematical Programming 45, 1989.
    """
    from scipy.optimize import minimize

    X, y, w = batches.whole()
    network = objective.network
    trained = network.values[: network.n_trainable]
    started = time.perf_counter()
    last = trained.copy()

    def evaluate(values: np.ndarray) -> tuple[float, np.ndarray]:
        np.copyto(trained, values)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            value = objective.value_and_gradient(X, y, w)
        return float(value), objective.gradient[: network.n_trainable].copy()

    def take_statistics() -> None:
        """Let the running statistics be those of all samples under these values."""
        if network.n_buffers:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                objective.value_and_gradient(X, y, w)
                network.update_buffers(objective.tape, share=1.0)

    def after_iteration(intermediate_result: OptimizeResult) -> None:
        nonlocal started
        np.copyto(last, intermediate_result.x)
        np.copyto(trained, last)
        take_statistics()
        state.epoch += 1
        now = time.perf_counter()
        epoch = Epoch(state.epoch, float(intermediate_result.fun), now - started)
        started = now
        if report(epoch):
            raise StopIteration

    options: dict[str, Any] = {"maxfun": max_fun, "maxiter": max_iter, "gtol": tol}
    try:
        result = minimize(
            evaluate,
            trained.copy(),
            method="L-BFGS-B",
            jac=True,
            callback=after_iteration,
            options=options,
        )
        np.copyto(last, result.x)
    finally:
        np.copyto(trained, last)
    take_statistics()
    return result
