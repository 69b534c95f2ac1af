"""The film of any compared system for one clip, as the Benchmark page shows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from brainviz.errors import NotReady
from brainviz.imported import END_TO_END, source_of_frames
from brainviz.results import Result
from brainviz.storage import open_array
from brainviz.workspace import Workspace
from pipelines.plan_benchmark import FORM_OF_FRAMES, SYSTEMS

Frames = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class SystemFilm:
    """One film.

    Attributes
    ----------
    frames : uint8 (n, h, w, 3)
    fps : float
    uses_film : bool
        Whether the true film after its first frame entered.
    """

    frames: Frames
    fps: float
    uses_film: bool = False


def system_film(workspace: Workspace, subject: str, clip: str, system: str) -> SystemFilm:
    """A system's film of one clip: decoded, imported, or rendered at once.

    Raises
    ------
    NotReady
        The system has no film of this clip.
    UnknownName
        No such subject or clip.
    """
    forms = {name: form for form, name in SYSTEMS.items()}
    if system in forms:
        return SystemFilm(*_decoded(workspace, subject, clip, forms[system]))
    if system.startswith(END_TO_END):
        return _end_to_end(workspace, subject, clip, system)
    from pipelines.interactive.film_sources import AT_ONCE
    from pipelines.interactive.reanimation import reanimated

    made = reanimated(workspace, subject, clip, system, backend="svd" if system == "svd" else AT_ONCE)
    return SystemFilm(made.frames, made.fps, made.uses_film)


def _decoded(workspace: Workspace, subject: str, clip: str, form: str) -> tuple[Frames, float]:
    """What Mind-Animator decoded: uint8 (8, h, w, 3) and its rate."""
    workspace.place(clip)
    result: Result | None = None
    if subject in workspace.subjects:
        result = workspace.results.current("mind_animator", f"{subject}.{form}")
    if result is None:
        raise NotReady("Mind-Animator has not been trained yet.", f"subject {subject}", "It appears during the run.")
    facts = result.manifest["facts"]
    if clip not in facts["filmed"]:
        raise NotReady("Mind-Animator has no film of this clip.", clip, "Only test clips are drawn, or some of them.")
    frames = np.asarray(open_array(result.arrays, "frames")[facts["filmed"].index(clip)], np.uint8)
    return frames, float(facts["fps"])


def _end_to_end(workspace: Workspace, subject: str, clip: str, system: str) -> SystemFilm:
    """A decoded first frame, moved by the flow that was predicted from it."""
    from pipelines.interactive.film_sources import held_out_error
    from pipelines.reanimate.drive import drive
    from pipelines.reanimate.warp import WarpSettings, warp_frames

    source = source_of_frames(system)
    if source:
        first = workspace.imported(source, subject).first_frame(clip)
    else:
        first = _decoded(workspace, subject, clip, FORM_OF_FRAMES)[0][0]
    result = workspace.results.current("benchmark_films", f"{subject}.{system}")
    if result is None or clip not in result.manifest["facts"].get("clips", ()):
        raise NotReady(f"There is no flow of {system!r} yet.", clip, "It appears during the run.")
    flow = open_array(result.arrays, "flow")[result.manifest["facts"]["clips"].index(clip), 0]
    motion = drive(flow, workspace.step_s, least=held_out_error(workspace, subject, "brain"))
    settings = WarpSettings()
    times = np.arange(1, settings.n_frames) / settings.fps
    return SystemFilm(warp_frames(first, motion, times, settings=settings), settings.fps)
