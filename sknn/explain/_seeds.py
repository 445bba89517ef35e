"""Seeds from whatever `random_state` is given."""

from __future__ import annotations

from typing import Any

import numpy as np


def seed_of(random_state: Any) -> int:
    """Return a seed; without one, a fresh one that leaves global generators alone."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, int | np.integer) and random_state >= 0:
        return int(random_state)
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**32))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    raise ValueError(
        "random_state must be None, an integer of at least 0, a Generator or a "
        f"RandomState, got {random_state!r}"
    )
