"""Draw every learning-rate schedule over a fit of 60 epochs.

Run it with a file for the picture, or without:

    python examples/learning_rates.py [file]
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from sknn.schedules import SCHEDULES, Progress

N_EPOCHS, INITIAL = 60, 0.01


def rates(schedule):
    """Rates along the epochs; patience runs out in epochs 20 and 40."""
    epochs = np.arange(0, N_EPOCHS, 0.05)
    return epochs, [
        schedule(
            INITIAL,
            Progress(
                samples=int(epoch) * 1000,
                epoch=int(epoch),
                stalled=int(epoch // 20),
                fraction=epoch % 1,
                n_epochs=N_EPOCHS,
            ),
        )
        for epoch in epochs
    ]


def main(target):
    figure, axes = plt.subplots(
        3, 4, figsize=(11, 6), sharex=True, layout="constrained"
    )
    for ax, (name, kind) in zip(axes.flat, SCHEDULES.items(), strict=False):
        ax.plot(*rates(kind()), color="#0072b2")
        ax.set_title(name, fontsize=10)
        ax.set_ylim(0, 1.05 * INITIAL)
        ax.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    for ax in axes.flat[len(SCHEDULES) :]:
        ax.set_axis_off()
    figure.supxlabel("epoch")
    figure.supylabel("learning rate")
    figure.savefig(target, dpi=110)
    print(f"drew {len(SCHEDULES)} schedules to {target}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "learning_rates.png"))
