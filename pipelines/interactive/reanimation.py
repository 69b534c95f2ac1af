"""Reanimated clips for pages and notebooks: rendered at once where no weights are needed, else read from results."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brainviz.data.fingerprint import fingerprint_files
from brainviz.errors import NotReady, UnknownName
from brainviz.results import Result
from brainviz.storage import read_json
from brainviz.workspace import Workspace

if TYPE_CHECKING:
    from pipelines.reanimate.request import RenderedClip
    from pipelines.request import RunRequest

Frames = npt.NDArray[np.uint8]
Fact = int | float | str | bool

SIZE_PX = 256
AT_ONCE = "warp"
NO_FLOW = "none"
CACHE_BYTES = 256_000_000
_CACHE_VERSION = 2  # raise it where the same flow gives another film


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
        frames, fps = _read_film(film.path)
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
    cache = _cache_file(workspace, own)
    found = _read_cached(cache)
    if found is None:
        made = _warped(workspace, subject, clip, system, mask, sample)
        found = made.frames, made.fps, {**made.provenance, **own}
        _keep(cache, *found)
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
    path = _cache_file(workspace, made.provenance).with_suffix(".mp4")
    if not path.exists():
        write_mp4(path, made.frames, made.fps)
        _trim(path.parent, keep=path)
    return path


@dataclass(frozen=True)
class StoredFilm:
    """A film that a run has rendered."""

    path: Path
    provenance: Mapping[str, Fact]


def stored_film(
    workspace: Workspace, subject: str, clip: str, system: str, backend: str, mask: str, sample: int = 0, seed: int = 0
) -> StoredFilm | None:
    """The film that a run has rendered from the flow that is current now; None where there is none."""
    from pipelines.reanimate.units import film_name, reanimation_unit, render_unit

    flow = flow_source(workspace, subject, clip, system, backend)
    objects = mask_source(workspace, clip, mask)
    inputs = {task: key for task, _, key in (source.partition(":") for source in (flow, objects)) if key}
    unit = render_unit(subject, clip, system, backend, mask, sample, seed)
    found = workspace.results.current("render", unit)
    if found is not None and _made_with(found.manifest["config"], {"flow": flow, "objects": objects}):
        return _stored(found, "film.mp4")
    if seed:
        return None
    for owner in (subject, "all"):
        unit = reanimation_unit(owner, system, backend, mask)
        found = workspace.results.current("reanimation", unit)
        if found is not None and _made_with(found.manifest["inputs"], inputs):
            name = film_name(clip, sample)
            if (found.folder / name).exists():
                return _stored(found, name)
    return None


def _made_with(stated: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    return all(stated.get(name, "") == value for name, value in wanted.items())


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


def flow_source(workspace: Workspace, subject: str, clip: str, system: str, backend: str = AT_ONCE) -> str:
    """The result that the flow comes from, as ``stage/unit:key``; `NO_FLOW` where the backend makes its own motion.

    Raises `NotReady` where there is no flow.
    """
    place = workspace.place(clip)
    if backend == system and not _follows_motion(backend):
        return NO_FLOW
    if system not in workspace.systems(subject):
        raise NotReady(f"There is no flow of {system!r} yet.", f"subject {subject}", "See systems() for what there is.")
    if system == "truth":
        return _labels(workspace, place.segment)
    return _named(workspace.decoded(subject, system))


def film_objects(workspace: Workspace, clip: str, mask: str) -> npt.NDArray[np.bool_] | None:
    """The objects of the film that a mask needs: bool (3, 32, 32), or None; raises `NotReady`."""
    from pipelines.reanimate.drive import uses_film

    if not uses_film(mask):
        return None
    return workspace.object_mask(clip) if mask == "film-objects" else workspace.flowsam_mask(clip)


def mask_source(workspace: Workspace, clip: str, mask: str) -> str:
    """The result that FlowSAM's masks come from, as ``stage/unit:key``; "" for other masks, or where there is none."""
    if mask != "flowsam":
        return ""
    found = workspace.results.current("object_masks", workspace.place(clip).segment)
    return "" if found is None else _named(found)


def held_out_error(workspace: Workspace, subject: str, system: str) -> float:
    """The system's end-point error on held-out training clips, grid pixels per step; 0 where it is not known.

    A clip with less predicted motion is shown still (`pipelines.reanimate.drive`).
    """
    if system == "truth":
        return 0.0
    return float(workspace.decoded(subject, system).manifest["facts"].get("held_out_error", 0.0))


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


def _follows_motion(backend: str) -> bool:
    from pipelines.reanimate.registry import BACKENDS

    return BACKENDS[backend].follows_motion


def _check_backend(backend: str) -> None:
    from pipelines.reanimate.registry import BACKENDS

    if backend not in BACKENDS:
        raise UnknownName(f"There is no backend called {backend!r}.", "backend", f"There are: {', '.join(BACKENDS)}.")


def _not_rendered(backend: str, clip: str) -> NotReady:
    return NotReady(f"{backend} has not rendered this yet.", clip, "Start the rendering; it becomes a run.")


def _labels(workspace: Workspace, segment: str) -> str:
    labels = workspace.results.current("flow_labels", segment)
    if labels is None:
        raise NotReady("True flow is not there yet.", segment, "It appears during the run.")
    return _named(labels)


def _named(result: Result) -> str:
    return f"{result.stage}/{result.unit}:{result.folder.name}"


def _stored(result: Result, name: str) -> StoredFilm:
    path = result.folder / name
    facts: dict[str, Any] = result.manifest["facts"].get("provenance", {})
    own = read_json(path.with_suffix(".json"), {})
    return StoredFilm(path, {**facts, **own, "simulated": result.manifest["simulated"]})


def _read_film(path: Path) -> tuple[Frames, float]:
    from brainviz.video.reading import film_info, iterate_frames

    return np.stack(list(iterate_frames(path))), film_info(path).fps


# ---- films kept on disk


def _cache_file(workspace: Workspace, facts: Mapping[str, Fact]) -> Path:
    """Named by all that the film depends on, so that a film of an older flow, mask or stimulus is never met."""
    place = workspace.place(str(facts["clip"]))
    film = fingerprint_files([("film", workspace.film(place.segment))])
    parts = [facts.get("flow", [facts["subject"], facts["system"]]), *(facts[n] for n in ("clip", "sample", "mask"))]
    parts += [_labels(workspace, place.segment), film, SIZE_PX, _CACHE_VERSION]
    parts += [facts["objects"]] if "objects" in facts else []
    name = hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()
    return workspace.path / "cache" / "reanimations" / f"{name}.npz"


def _read_cached(path: Path) -> tuple[Frames, float, dict[str, Fact]] | None:
    try:
        with np.load(path, allow_pickle=False) as kept:
            facts: dict[str, Fact] = json.loads(str(kept["facts"]))
            found = np.asarray(kept["frames"], np.uint8), float(kept["fps"]), facts
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError):  # damaged: made again and written over
        return None
    os.utime(path)
    return found


def _keep(path: Path, frames: Frames, fps: float, facts: Mapping[str, Fact]) -> None:
    from brainviz.video.writing import replacing

    with replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, frames=frames, fps=np.float64(fps), facts=np.array(json.dumps(dict(facts))))
    _trim(path.parent, keep=path)


def _trim(folder: Path, keep: Path, most_bytes: int = CACHE_BYTES) -> None:
    """Remove the films that were not looked at for longest, until the folder is small enough."""
    held = []
    for path in folder.glob("[!.]*"):
        try:
            state = path.stat()
        except FileNotFoundError:  # another server has removed it
            continue
        held.append((state.st_mtime_ns, state.st_size, path))
    excess = sum(size for _, size, _ in held) - most_bytes
    for _, size, path in sorted(held):
        if excess <= 0:
            break
        if path != keep:
            path.unlink(missing_ok=True)
            excess -= size
