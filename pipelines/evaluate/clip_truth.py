"""What one clip's reanimation is scored against, taken from a workspace."""

from __future__ import annotations

import numpy as np

from brainviz.flow.fields import frame_numbers
from brainviz.workspace import Workspace
from pipelines.evaluate.video_scores import ClipTruth

SIZE_PX = 128


def clip_truth(workspace: Workspace, clip: str, size: int = SIZE_PX) -> ClipTruth:
    """The film at the label times, its flow and masks; raises as `Workspace.flow` does."""
    from brainviz.video.reading import film_info, read_frames

    place = workspace.place(clip)
    film = workspace.film(place.segment)
    info = film_info(film)
    numbers = np.minimum(round(2 * place.index * info.fps) + frame_numbers(info.fps), info.n_frames - 1)
    return ClipTruth(
        read_frames(film, numbers, size),
        workspace.flow(workspace.subjects[0], clip, "truth"),
        workspace.flow_valid(clip),
        workspace.object_mask(clip),
        workspace.step_s,
    )
