"""Several runs of training at once: what can be is trained as one stack.

Each run looks at its own epochs and ends by its own rules, as it would alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scipy import sparse

from sknn.estimators._build import is_stochastic
from sknn.estimators._run import Run
from sknn.training.stack import Member, Plan, release, train_stack

# A step of a small network consists of fixed costs, which a stack pays once; but what a
# step touches should stay in the second-level cache
# (figures: docs/guide/ensembles.md).
_CACHE_BYTES = 1 << 20


def stack_size(run: Run, n_members: int, n_bytes: int | None = None) -> int:
    """Return how many of `n_members` networks like this one to train at once.

    Their steps together should touch no more than `n_bytes` of memory; None is what
    small networks are best trained with.
    """
    if not _stackable(run):
        return 1
    n_bytes = _CACHE_BYTES if n_bytes is None else n_bytes
    n_stacks = -(-n_members // max(1, n_bytes // _bytes_of_step(run)))
    return -(-n_members // n_stacks)


def _bytes_of_step(run: Run) -> int:
    """Return about how much memory a step of one network touches."""
    network = run.objective.network
    # scores and their gradients between layers; parameters, their gradient and the
    # optimiser's memory
    numbers = 2 * run.batches.batch_size * sum(network.widths)
    numbers += 4 * network.n_parameters
    return numbers * network.values.itemsize


def train_together(runs: Sequence[Run], keep_on_interrupt: bool = True) -> None:
    """Train all of these runs to their ends and publish their weights.

    Parameters
    ----------
    runs : sequence of Run
        Of networks in different estimators.
    keep_on_interrupt : bool, default=True
        Whether Ctrl-C ends training with the last complete epochs, if every run has
        one; otherwise it is raised.
    """
    for run in runs:
        run.begin()
    try:
        waiting = _alike(runs)
        while waiting:
            waiting += _alike(_train_group(waiting.pop(0)))
    except KeyboardInterrupt:
        if not keep_on_interrupt or not all(run.n_iter for run in runs):
            raise
        for run in runs:
            run.roll_back()
        runs[0].interrupted = True  # one warning is enough
    for run in runs:
        release(_member(run))
        run.publish()


def _train_group(runs: list[Run]) -> list[Run]:
    """Train until a run ends or goes its own way; return those that go on."""
    if len(runs) == 1:
        runs[0].work()
        return []
    members, plan = [_member(run) for run in runs], _plan(runs[0])
    epochs = train_stack(members, plan)
    while True:
        ended = [
            run.ends_with(epoch) for run, epoch in zip(runs, next(epochs), strict=True)
        ]
        paces = {plan.pace(run.state) for run in runs}
        if any(ended) or len(paces) > 1:
            for member in members:
                release(member)
            return [run for run, end in zip(runs, ended, strict=True) if not end]


def _alike(runs: Sequence[Run]) -> list[list[Run]]:
    """Return the runs in groups that can be trained as one stack each."""
    groups: list[tuple[Any, list[Run]]] = []
    for run in runs:
        key = _key(run)
        for known, group in groups:
            if key is not None and known == key:
                group.append(run)
                break
        else:
            groups.append((key, [run]))
    return [group for _, group in groups]


def _key(run: Run) -> Any:
    if not _stackable(run):
        return None
    return _member(run).likeness(), _plan(run).pace(run.state)


def _stackable(run: Run) -> bool:
    return is_stochastic(run.draft.solver) and not sparse.issparse(run.batches.X)


def _member(run: Run) -> Member:
    return Member(run.objective, run.batches, run.state)


def _plan(run: Run) -> Plan:
    return Plan(**run.plan())
