"""Motion that a visitor draws: the film it makes, at once where no weights are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brainviz.flow.drawn import Drawing, arrows_of_motion, drawn_grid
from brainviz.workspace import Workspace
from pipelines.interactive.reanimation import AT_ONCE, SIZE_PX, Fact, Reanimation

if TYPE_CHECKING:
    from pipelines.reanimate.motion_field import MotionField

PARTS = 3  # times at which the field is stated; between them motion is steady


def drawn_field(drawing: Drawing, seconds: float) -> MotionField:
    """The motion field of a drawing that reaches its arrows' tips after `seconds`, steadily."""
    import numpy as np

    from pipelines.reanimate.motion_field import MotionField

    moved = drawn_grid(drawing)[None]
    whole = MotionField(moved, np.array([seconds]), np.ones(moved.shape[:3], np.float32))
    return whole.at(seconds * np.arange(1, PARTS + 1) / PARTS)


def drawn(workspace: Workspace, clip: str, drawing: Drawing) -> Reanimation:
    """The clip's first frame moved by a drawing, as many frames as its film has; about .2 s.

    Raises
    ------
    UnknownName
        No such clip.
    BrainvizError
        The film is not where the data set was.
    """
    from pipelines.reanimate.request import ReanimationRequest
    from pipelines.reanimate.warp import WarpBackend

    sprite = workspace.film_sprite(clip)
    field = drawn_field(drawing, sprite.n / sprite.fps)
    options: dict[str, Fact] = {"fps": float(sprite.fps), "n_frames": int(sprite.n)}
    request = ReanimationRequest(workspace.first_frame(clip, SIZE_PX), field, options=options)
    made = WarpBackend().render(request, lambda _share, _words: None)
    facts: dict[str, Fact] = {**made.provenance, "system": "drawn", "clip": clip, "backend": AT_ONCE}
    facts |= {"arrows": drawing.code(), "reach": drawing.reach, "simulated": workspace.simulated}
    return Reanimation(made.frames, made.fps, facts, False)


def drawing_from_flow(workspace: Workspace, subject: str, clip: str, system: str, sample: int = 0) -> Drawing:
    """Arrows to begin with, from what a system predicts.

    Raises
    ------
    NotReady
        The system has no flow for this clip.
    """
    from pipelines.reanimate.drive import drive

    field = drive(workspace.flow(subject, clip, system, sample), workspace.step_s)
    return arrows_of_motion(field.displacement[-1])
