"""A map per region, as CSV."""

from __future__ import annotations

import csv
import io

import numpy as np

from brainviz.cortex.exports.shown import Shown
from brainviz.cortex.regions import HEMISPHERES, N_REGIONS_PER_SIDE, glasser

COLUMNS = ("hemisphere", "region", "n_vertices", "mean", "median", "min", "max", "share_kept")


def region_csv(shown: Shown) -> str:
    """One row for each of the 360 regions: statistics of the vertices that have a value, and the share not dimmed.

    A map of classes gets the share of each class instead of the statistics. Regions without a value have empty cells.
    """
    labels, names, values, kept = glasser().labels, glasser().names, shown.full, shown.kept()
    shares = [label for label, _ in shown.classes]
    measures = [*COLUMNS[:3], *shares, COLUMNS[-1]] if shown.classes else list(COLUMNS)
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow([*measures, "map", "simulated"])
    for label in range(1, 2 * N_REGIONS_PER_SIDE + 1):
        inside = (labels == label) & np.isfinite(values)
        own = values[inside].astype(np.float64)
        if not len(own):
            found = [""] * (len(measures) - 3)
        elif shown.classes:
            found = [f"{(own == k).mean():.6g}" for k in range(len(shares))]
        else:
            found = [f"{measure(own):.6g}" for measure in (np.mean, np.median, np.min, np.max)]
        if len(own):
            found.append(f"{kept[inside].mean():.6g}")
        side = HEMISPHERES[label > N_REGIONS_PER_SIDE]
        table.writerow([side, names[label][2:], len(own), *found, shown.title, str(shown.simulated).lower()])
    return stream.getvalue()
