"""Draw fit_speed.csv: how long a fit takes others, in units of sknn's."""

import csv
import sys
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.ticker import NullFormatter, ScalarFormatter

# The first argument is the script's path, also where Sphinx runs it.
with Path(sys.argv[0]).with_suffix(".csv").open(encoding="utf-8") as file:
    rows = list(csv.DictReader(file))

OTHERS = {
    "scikit_learn_ratio": ("scikit-learn 1.9", "#D55E00", "o"),
    "torch_ratio": ("PyTorch 2.13", "#0072B2", "s"),
}
# Two lines for each network, with a gap before the next.
heights = [-(i + i // 2 * 0.6) for i in range(len(rows))]

figure, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
ax.axvline(1, color="black", lw=1.2)
ax.text(1, 0.75, "sknn", ha="center", va="bottom", fontsize=10)
for height, row in zip(heights, rows, strict=True):
    ends = [float(row[name]) for name in OTHERS]
    ax.plot([min(1, *ends), max(1, *ends)], [height] * 2, color="0.8", lw=2, zorder=1)
for name, (label, colour, marker) in OTHERS.items():
    ratios = [float(row[name]) for row in rows]
    ax.scatter(ratios, heights, s=42, c=colour, marker=marker, label=label, zorder=3)

ax.set(
    xscale="log",
    xlim=(0.8, 10.5),
    ylim=(min(heights) - 0.6, 0.7),
    xlabel="time of a fit over that of sknn (log scale; right of 1: slower)",
)
ax.set_xticks([1, 2, 3, 5, 10])
ax.xaxis.set_major_formatter(ScalarFormatter())
ax.xaxis.set_minor_formatter(NullFormatter())
ax.set_yticks(heights, [f"{row['network']}  {row['dtype']}" for row in rows])
ax.grid(axis="x", color="0.92")
ax.set_axisbelow(True)
ax.spines[["top", "right", "left"]].set_visible(False)
ax.tick_params(axis="y", length=0)
ax.legend(frameon=False, loc="lower right")
plt.show()
