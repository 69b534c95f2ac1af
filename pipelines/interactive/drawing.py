"""Motion that a visitor draws: the film it makes, at once where no weights are needed, else by a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brainviz.errors import NotReady
from brainviz.flow.drawn import Drawing, arrows_of_motion, drawn_grid
from brainviz.workspace import Workspace
from pipelines.interactive.film_cache import SIZE_PX, Fact
from pipelines.interactive.film_sources import AT_ONCE
from pipelines.interactive.reanimation import Reanimation

if TYPE_CHECKING:
    from pipelines.reanimate.motion_field import MotionField
    from pipelines.reanimate.request import ReanimationRequest
    from pipelines.request import RunRequest

FINE_PX = 512  # of the picture that backends with weights are given
PARTS = 3  # times at which the field is stated; between them motion is steady


def drawn_field(drawing: Drawing, seconds: float) -> MotionField:
    """The motion field of a drawing that reaches its arrows' tips after `seconds`, steadily."""
    import numpy as np

    from pipelines.reanimate.motion_field import MotionField

    moved = drawn_grid(drawing)[None]
    whole = MotionField(moved, np.array([seconds]), np.ones(moved.shape[:3], np.float32))
    return whole.at(seconds * np.arange(1, PARTS + 1) / PARTS)


def drawn_request_for(
    workspace: Workspace, clip: str, drawing: Drawing, backend: str = AT_ONCE, seed: int = 0
) -> ReanimationRequest:
    """What a backend is asked for: the clip's first frame and the drawing, as long as the clip's film."""
    from pipelines.reanimate.request import ReanimationRequest

    sprite = workspace.film_sprite(clip)
    field = drawn_field(drawing, sprite.n / sprite.fps)
    options = {"fps": float(sprite.fps), "n_frames": int(sprite.n)} if backend == AT_ONCE else {}
    size = SIZE_PX if backend == AT_ONCE else FINE_PX
    return ReanimationRequest(workspace.first_frame(clip, size), field, seed, options)


def drawn(workspace: Workspace, clip: str, drawing: Drawing, backend: str = AT_ONCE, seed: int = 0) -> Reanimation:
    """The clip's first frame moved by a drawing: with `warp` at once (about .2 s), else read from results.

    Raises
    ------
    NotReady
        Another backend has not rendered it yet: submit `drawn_run`.
    UnknownName
        No such clip.
    BrainvizError
        The film is not where the data set was.
    """
    own: dict[str, Fact] = {"system": "drawn", "clip": clip, "backend": backend, "simulated": workspace.simulated}
    own |= {"arrows": drawing.code(), "reach": drawing.reach}
    if backend != AT_ONCE:
        return _stored(workspace, clip, drawing, backend, seed, own)
    from pipelines.reanimate.warp import WarpBackend

    made = WarpBackend().render(drawn_request_for(workspace, clip, drawing), lambda _share, _words: None)
    return Reanimation(made.frames, made.fps, {**made.provenance, **own}, False)


def _stored(
    workspace: Workspace, clip: str, drawing: Drawing, backend: str, seed: int, own: dict[str, Fact]
) -> Reanimation:
    import numpy as np

    from brainviz.video.reading import film_info, iterate_frames
    from pipelines.plan_drawing import drawn_unit

    workspace.place(clip)
    unit = drawn_unit(clip, backend, drawing.code(), drawing.reach, seed)
    found = workspace.results.current("render_drawn", unit)
    if found is None:
        raise NotReady(f"{backend} has not rendered this drawing yet.", clip, "Start the rendering; it becomes a run.")
    path = found.folder / "film.mp4"
    facts = {**found.manifest["facts"]["provenance"], **own}
    return Reanimation(np.stack(list(iterate_frames(path))), film_info(path).fps, facts, False)


def drawn_run(clip: str, drawing: Drawing, backend: str, seed: int = 0) -> RunRequest:
    """The run that renders a drawing with a backend."""
    from pipelines.request import RunRequest

    wish = {"clip": clip, "system": "drawn", "backend": backend, "seed": seed}
    return RunRequest(render={**wish, "arrows": drawing.code(), "reach": drawing.reach})


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
