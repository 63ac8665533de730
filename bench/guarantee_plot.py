"""The picture of the bench of the guarantee: coverage over audits, a panel for each mix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

STYLES = {
    "oracle": ("the truth (oracle)", "#888888", ":"),
    "one look": ("one look of Clopper–Pearson: the limit", "#333333", "--"),
    "guarantee": ("the guarantee: a look after every audit", "#0b6e99", "-"),
    "uniform": ("the same with a uniform density", "#d08770", "-"),
}


def plot(path: Path, looks: Sequence[int], curves: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Write a PNG. `curves` are mean coverages at `looks`, by mix and by the names in `STYLES`."""
    figure, panels = pyplot.subplots(1, len(curves), figsize=(10.5, 3.6), sharey=True, layout="constrained")
    for panel, (mix, lines) in zip(panels, curves.items(), strict=True):
        for name, (label, colour, style) in STYLES.items():
            panel.plot(looks, lines[name], style, color=colour, label=label, linewidth=1.6)
        panel.set(title=mix, xlabel="audits", ylim=(0, 1), xlim=(0, max(looks)))
        panel.grid(alpha=0.25)
    panels[0].set_ylabel("share of answers accepted")
    panels[-1].legend(fontsize=7, loc="upper right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
