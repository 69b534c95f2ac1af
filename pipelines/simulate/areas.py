"""What each cortical region of the simulated brain responds to.

Names are those of MMP1.0 (Glasser et al. 2016, supplementary neuroanatomical results, which groups them into the same
streams). The shares of motion and static drive are our own choice within what is known: early areas respond to both;
the MT+ complex, V3A, V6 and neighbours to motion (Zeki 1991; Tootell 1997; Pitzalis 2010); ventral areas to form and
colour; visuomotor and cingulate sulcus areas to self-motion (Cardin & Smith 2010).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from brainviz.cortex.regions import Parcellation

CLASSES = ("none", "early", "motion", "ventral", "self")
DRIVES = ("static", "motion", "self", "unseen")
"""Kinds of drive. `unseen` is a random network that no encoder contains: a third of every response."""

AREAS: dict[str, tuple[str, ...]] = {
    "early": ("V1", "V2", "V3", "V4"),
    "motion": (
        *("MT", "MST", "V4t", "FST", "LO1", "LO2", "LO3", "PH", "V3CD"),
        *("V3A", "V3B", "V6", "V6A", "V7", "IPS1", "DVT"),
    ),
    "ventral": ("V8", "FFC", "PIT", "VVC", "VMV1", "VMV2", "VMV3", "PHA1", "PHA2", "PHA3"),
    "self": (
        *("5m", "5mv", "23c", "LIPv", "LIPd", "VIP", "MIP", "AIP", "IP0"),
        *("7AL", "7Am", "7PC", "7PL", "7Pm", "FEF", "PEF", "PCV"),
    ),
}


@dataclass(frozen=True)
class ClassTraits:
    """Traits of a class of regions.

    Attributes
    ----------
    shares : tuple of float
        Share of the response's variance from each of `DRIVES`; sums to 1.
    reliability : float
        Median correlation of two single runs, before blur and nuisance.
    peak_s : (low, high)
        Range of the regions' haemodynamic peaks.
    """

    shares: tuple[float, float, float, float]
    reliability: float
    peak_s: tuple[float, float]


TRAITS: dict[str, ClassTraits] = {
    "early": ClassTraits((0.40, 0.27, 0.00, 0.33), 0.23, (4.2, 5.4)),
    "motion": ClassTraits((0.12, 0.50, 0.05, 0.33), 0.22, (4.4, 5.8)),
    "ventral": ClassTraits((0.60, 0.07, 0.00, 0.33), 0.18, (4.8, 6.2)),
    "self": ClassTraits((0.00, 0.22, 0.45, 0.33), 0.14, (5.2, 6.8)),
}
"""Reliability: single-run pairs of film-watching visual cortex correlate at .1 to .5 (Hasson et al. 2010; Wen et al.
2018 report reproducible responses over most of visual cortex after averaging)."""


def class_of_vertices(parcellation: Parcellation) -> npt.NDArray[np.int8]:
    """Class of every cortex vertex, int8 (59412,): an index into `CLASSES`."""
    area_class = np.zeros(len(parcellation.names), np.int8)
    for kind, areas in AREAS.items():
        for area in areas:
            area_class[list(parcellation.ids(area))] = CLASSES.index(kind)
    return area_class[parcellation.cortex_labels]
