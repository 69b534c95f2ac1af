"""What was planted in a simulated subject, for tests: ``truth/subject<k>.npz``, in cortex order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.cortex.surface import N_CORTEX
from pipelines.simulate.areas import CLASSES, DRIVES, class_of_vertices
from pipelines.simulate.config import SimulationConfig
from pipelines.simulate.responses import sources
from pipelines.simulate.vertices import Subject


def planted(config: SimulationConfig, subject: Subject) -> dict[str, npt.NDArray[Any]]:
    """The planted truth.

    Returns
    -------
    dict
        ``class`` int8 (59412,), index into ``class_names``; ``responsive`` bool (59412,), driven by the film in this
        world; ``share`` float32 (59412, 4), part of the noise-free variance by ``drive_names`` (in `static` and
        `flicker` worlds what `mixed` gives to motion and self-motion belongs to the first); ``field`` float32
        (59412, 3), receptive field right, down and size in film widths; ``direction`` float32 (59412,) in radians,
        clockwise from right; ``speed`` float32 (59412,) in film widths per second; ``peak_s`` float32 (59412,);
        ``reliability`` float32 (59412,), wanted correlation of single runs. NaN where a vertex has none.
    """
    from brainviz.cortex.regions import glasser

    active = bool(sources(config, subject))
    shares = subject.shares.copy()
    if config.world != "mixed":
        unseen = DRIVES.index("unseen")
        shares[:, 0] = 1 - shares[:, unseen]
        shares[:, 1:unseen] = 0
    responsive = np.zeros(N_CORTEX, bool)
    responsive[subject.vertices] = active
    moving = active and config.world == "mixed"

    def spread(values: npt.NDArray[np.float32], known: bool) -> npt.NDArray[np.float32]:
        full = np.full((N_CORTEX, *values.shape[1:]), np.nan, np.float32)
        if known:
            full[subject.vertices] = values
        return full

    return {
        "class_names": np.array(CLASSES),
        "drive_names": np.array(DRIVES if config.world != "flicker" else ("light", *DRIVES[1:])),
        "class": class_of_vertices(glasser()),
        "responsive": responsive,
        "share": np.nan_to_num(spread(shares, active)),
        "field": spread(subject.fields[subject.field_of], moving),
        "direction": spread(subject.direction, moving),
        "speed": spread(subject.speed, moving),
        "peak_s": spread(subject.peak_s, active),
        "reliability": spread(subject.reliability, active),
    }


def write_truth(path: Path, config: SimulationConfig, subject: Subject) -> None:
    """Write the planted truth, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    with partial.open("wb") as file:
        np.savez_compressed(file, **planted(config, subject))  # type: ignore[arg-type]
    partial.replace(path)
