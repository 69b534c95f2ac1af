"""The stage that finds a test film's objects with FlowSAM, for the mask `flowsam` of `pipelines.reanimate.drive`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from brainviz.flow.fields import GRID, frame_numbers
from pipelines.graph import Context

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.flow_labels.labellers import Labeller
    from pipelines.reanimate.flowsam import FlowSam

Mask = npt.NDArray[np.bool_]


def find_objects(context: Context) -> None:
    """``objects`` bool (clip, 3, 32, 32) of one film: grid pixels that are mostly object at each step's earlier frame.

    A clip on a processor takes a minute, so every finished clip is kept and a killed run goes on at the next.
    """
    from brainviz.video.writing import replacing
    from pipelines.flow_labels import make_labeller
    from pipelines.reanimate.flowsam import FlowSam

    config, n = context.config, context.config["n_clips"]
    labeller = make_labeller(config["labeller"], device=context.device)
    network = FlowSam(config["weights"], context.device)
    film = context.dataset().film(context.unit)
    found = np.empty((n, 3, GRID, GRID), bool)
    for index in range(n):
        context.progress(index / n, f"{index} of {n} clips")
        kept = context.work / f"{index:05d}.npy"
        if not kept.exists():
            with replacing(kept) as temporary, temporary.open("wb") as stream:
                np.save(stream, clip_objects(film, index, labeller, network))
        found[index] = np.load(kept, allow_pickle=False)
    context.array("objects", found, (1, 3, GRID, GRID))
    context.facts |= {"mask": "flowsam", "labeller": labeller.name}


def clip_objects(film: str | Path, index: int, labeller: Labeller, network: FlowSam) -> Mask:
    """Objects of one clip of a film: bool (3, 32, 32), at the earlier frame of each flow step."""
    from brainviz.video.reading import film_info, read_frames
    from brainviz.video.sprites import clip_frame_numbers
    from pipelines.reanimate.flowsam import object_masks

    info = film_info(film)
    frames = read_frames(film, clip_frame_numbers(info, index), labeller.size)
    return object_masks(frames, frame_numbers(info.fps)[:-1].tolist(), labeller, network)
