"""Reanimated clips for pages and notebooks: rendered at once where no weights are needed, else read from results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from brainviz.errors import NotReady, UnknownName
from brainviz.workspace import Workspace
from pipelines.interactive.film_cache import SIZE_PX, Fact, Frames, cache_file, keep_film, read_film, trim
from pipelines.interactive.film_sources import AT_ONCE, film_objects, flow_source, held_out_error, mask_source
from pipelines.interactive.rendered_films import stored_film

if TYPE_CHECKING:
    from pipelines.reanimate.request import RenderedClip
    from pipelines.request import RunRequest


@dataclass(frozen=True, eq=False)
class Reanimation:
    """One reanimated clip.

    Attributes
    ----------
    frames : uint8 (n, h, w, 3)
        The first is the clip's own first frame.
    fps : float
    provenance : mapping
        What made it, as plain values: subject, clip, system, sample, backend, mask, uses_film, simulated, the result
        that the flow comes from, and what the backend says.
    uses_film : bool
        Whether the film after its first frame entered (a mask of the film, or the true flow); to be marked everywhere.
    """

    frames: Frames
    fps: float
    provenance: Mapping[str, Fact]
    uses_film: bool

    @property
    def still(self) -> bool:
        """Whether the system's flow was smaller than its held-out error, so that nothing moves."""
        return bool(self.provenance.get("still", False))


def reanimated(
    workspace: Workspace,
    subject: str,
    clip: str,
    system: str,
    mask: str = "none",
    sample: int = 0,
    backend: str = AT_ONCE,
    seed: int = 0,
) -> Reanimation:
    """The clip's first frame, moved by a system's flow.

    Parameters
    ----------
    system : str
        One of `Workspace.systems`; `zero` is the frozen first frame. The films of `Workspace.imported_systems` are
        shown as they came.
    mask : str
        One of `pipelines.reanimate.drive.MASKS`.
    sample : int
        Of a system that gives several flows.
    backend : str
        `warp` is rendered at once (about .1 s; as many frames per second as `Workspace.film_sprite`) and kept on disk;
        films of other backends are read from results.
    seed : int
        Of backends that draw at random.

    Raises
    ------
    NotReady
        The flow, or the film of another backend, is not made yet: submit `render_request`.
    UnknownName
        No such subject, clip, sample, mask or backend.
    """
    from pipelines.reanimate.drive import is_still, uses_film

    marked = uses_film(mask) or system == "truth"
    if system in workspace.imported_systems(subject):
        return _imported(workspace, subject, clip, system)
    if backend != AT_ONCE:
        _check_backend(backend)
        film = stored_film(workspace, subject, clip, system, backend, mask, sample, seed)
        if film is None:
            raise _not_rendered(backend, clip)
        frames, fps = _frames_of(film.path)
        return Reanimation(frames, fps, film.provenance, marked)
    own: dict[str, Fact] = {"subject": subject, "clip": clip, "system": system, "sample": sample, "mask": mask}
    own |= {
        "flow": flow_source(workspace, subject, clip, system),
        "uses_film": marked,
        "simulated": workspace.simulated,
        "still": is_still(workspace.flow(subject, clip, system, sample), held_out_error(workspace, subject, system)),
    }
    if source := mask_source(workspace, clip, mask):
        own["objects"] = source
    cache = cache_file(workspace, own)
    found = read_film(cache)
    if found is None:
        made = _warped(workspace, subject, clip, system, mask, sample)
        found = made.frames, made.fps, {**made.provenance, **own}
        keep_film(cache, *found)
    return Reanimation(*found, marked)


def film_file(
    workspace: Workspace,
    subject: str,
    clip: str,
    system: str,
    backend: str = AT_ONCE,
    mask: str = "none",
    sample: int = 0,
    seed: int = 0,
) -> Path:
    """An MP4 of `reanimated`, which says what the parameters mean and what is raised."""
    own_film = system in workspace.imported_systems(subject)
    if backend != AT_ONCE and not own_film:
        _check_backend(backend)
        film = stored_film(workspace, subject, clip, system, backend, mask, sample, seed)
        if film is None:
            raise _not_rendered(backend, clip)
        return film.path
    from brainviz.video.writing import write_mp4

    made = reanimated(workspace, subject, clip, system, mask, sample)
    path = cache_file(workspace, made.provenance).with_suffix(".mp4")
    if not path.exists():
        write_mp4(path, made.frames, made.fps)
        trim(path.parent, keep=path)
    return path


def film_scores(
    workspace: Workspace,
    subject: str,
    clip: str,
    system: str,
    mask: str = "none",
    sample: int = 0,
    backend: str = AT_ONCE,
    seed: int = 0,
) -> dict[str, float]:
    """Scores of one film by name (`brainviz.metrics.video.names.METRICS`), those that need no weights.

    Films that a run has rendered were scored then, as the table `reanimation` has it; a warped one is scored now, in
    about .1 s. NaN where a clip has nothing to be scored on. Raises as `reanimated`.
    """
    from pipelines.evaluate.clip_truth import SIZE_PX, clip_truth
    from pipelines.evaluate.video_scores import TimedFilm, score_clip
    from pipelines.flow_labels import make_labeller

    if backend == AT_ONCE:
        flow_source(workspace, subject, clip, system)
        made = _warped(workspace, subject, clip, system, mask, sample, SIZE_PX)
        frames, fps = made.frames, made.fps
    else:
        shown = reanimated(workspace, subject, clip, system, mask, sample, backend, seed)
        frames, fps = shown.frames, shown.fps
    labels = workspace.results.current("flow_labels", workspace.place(clip).segment)
    config = labels.manifest.get("config", {}) if labels is not None else {}
    labeller = make_labeller(config.get("labeller", "auto"))
    film = TimedFilm(frames, np.arange(len(frames)) / fps)
    return score_clip(film, clip_truth(workspace, clip), labeller)


def render_request(
    workspace: Workspace,
    subject: str,
    clip: str,
    system: str,
    backend: str,
    mask: str = "none",
    sample: int = 0,
    seed: int = 0,
    weights: str = "",
    svd: str = "",
) -> RunRequest:
    """The run that renders one film with a backend; raises as `reanimated` where that is not possible.

    `weights` and `svd` are folders of the backend's own weights and of Stable Video Diffusion's, where they do not lie
    where `python -m pipelines weights` puts them.
    """
    from pipelines.request import RunRequest

    _check_backend(backend)
    flow_source(workspace, subject, clip, system, backend)
    film_objects(workspace, clip, mask)
    wish = {"subject": subject, "clip": clip, "system": system, "backend": backend, "mask": mask}
    folders = {name: folder for name, folder in (("weights", weights), ("svd", svd)) if folder}
    return RunRequest(render={**wish, "sample": sample, "seed": seed, **folders})


def _imported(workspace: Workspace, subject: str, clip: str, system: str) -> Reanimation:
    """Another system's own film: no flow, mask or backend of ours has a part in it."""
    films = workspace.imported(system, subject)
    frames, fps = films.film(clip)
    made: dict[str, Fact] = {"subject": subject, "clip": clip, "system": system, "backend": "imported"}
    own: dict[str, Fact] = {
        "mask": "none",
        "sample": 0,
        "uses_film": False,
        "source": str(films.facts["source"]),
        "simulated": workspace.simulated,
    }
    return Reanimation(frames, fps, {**made, **own}, False)


def _warped(
    workspace: Workspace, subject: str, clip: str, system: str, mask: str, sample: int, size: int = SIZE_PX
) -> RenderedClip:
    """As many frames as the clip's sprite, so that one clock drives both."""
    from brainviz.video.reading import film_info
    from brainviz.video.sprites import MOST_FRAMES, clip_frame_numbers
    from pipelines.reanimate.drive import drive
    from pipelines.reanimate.request import ReanimationRequest
    from pipelines.reanimate.warp import WarpBackend

    place = workspace.place(clip)
    info = film_info(workspace.film(place.segment))
    numbers = clip_frame_numbers(info, place.index)
    step = -(-len(numbers) // MOST_FRAMES)
    flow = workspace.flow(subject, clip, system, sample)
    least = held_out_error(workspace, subject, system)
    motion = drive(flow, workspace.step_s, mask, film_objects(workspace, clip, mask), least)
    options: dict[str, Fact] = {"fps": info.fps / step, "n_frames": len(numbers[::step])}
    request = ReanimationRequest(workspace.first_frame(clip, size), motion, options=options)
    return WarpBackend().render(request, lambda _share, _text: None)


def _check_backend(backend: str) -> None:
    from pipelines.reanimate.registry import BACKENDS

    if backend not in BACKENDS:
        raise UnknownName(f"There is no backend called {backend!r}.", "backend", f"There are: {', '.join(BACKENDS)}.")


def _not_rendered(backend: str, clip: str) -> NotReady:
    return NotReady(f"{backend} has not rendered this yet.", clip, "Start the rendering; it becomes a run.")


def _frames_of(path: Path) -> tuple[Frames, float]:
    from brainviz.video.reading import film_info, iterate_frames

    return np.stack(list(iterate_frames(path))), film_info(path).fps
