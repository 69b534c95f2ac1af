"""True flow of a film's clips: measured over short gaps, chained, checked, stored on the 32x32 grid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, DataProblem
from brainviz.flow.camera import camera_fit, moving_objects
from brainviz.flow.chaining import chain_flows, consistent
from brainviz.flow.fields import (
    CLIP_SECONDS,
    GRID,
    N_STEPS,
    clip_length,
    frame_numbers,
    resample,
    resample_valid,
    step_seconds,
)
from pipelines.flow_labels.labellers import Frames, Labeller

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Progress = Callable[[float, str], None]  # fraction done 0 to 1, message; it may raise to stop the work

_CLIPS_AT_ONCE = 20
_MISSING_FRAMES = 2  # a last clip that lacks no more repeats its last frame
_LEAST_TRUST = 0.5  # share of a grid cell's pixels that must pass the forward-backward check


@dataclass(frozen=True)
class ClipLabels:
    """Measured motion of n clips.

    Attributes
    ----------
    flow : float32 (n, 3, 32, 32, 2)
        Pixels of the 32x32 grid per step; 0 in steps that cross a cut or fade.
    valid : bool (n, 3, 32, 32)
        No cut or fade within the step, and the forward-backward check passed.
    moving : bool (n, 3, 32, 32)
        Moving objects: residual after the camera fit above a threshold (`brainviz.flow.moving_objects`).
    camera : float32 (n, 3, 6)
        Parameters of the camera's affine flow (`brainviz.flow.camera_fit`).
    consistency : float32 (n, 3)
        Share of the frame's pixels that passed the check; 0 in steps that cross a cut or fade.
    step_s : float32 (3,)
        Seconds per step.
    labeller : str
        Program and settings that measured.
    """

    flow: Array
    valid: Mask
    moving: Mask
    camera: Array
    consistency: Array
    step_s: Array
    labeller: str

    def __len__(self) -> int:
        return len(self.flow)

    @staticmethod
    def join(parts: Sequence[ClipLabels]) -> ClipLabels:
        """Labels of several films, in order. They must share labeller and steps."""
        if len({(p.labeller, p.step_s.tobytes()) for p in parts}) != 1:
            raise BrainvizError("Only labels of one labeller and one frame rate can be joined.")
        per_clip = [f.name for f in fields(ClipLabels) if f.name not in ("step_s", "labeller")]
        joined = {name: np.concatenate([getattr(p, name) for p in parts]) for name in per_clip}
        return ClipLabels(**joined, step_s=parts[0].step_s, labeller=parts[0].labeller)


def measured_frames(fps: float, max_gap_s: float) -> list[npt.NDArray[np.int64]]:
    """Frame numbers, within a clip, between which flow is measured and chained: one array per step, ends included."""
    ends = frame_numbers(fps)
    longest = max(1, int(max_gap_s * fps + 1e-6))
    return [
        np.round(np.linspace(a, b, -(-(b - a) // longest) + 1)).astype(np.int64) for a, b in pairwise(ends.tolist())
    ]


def label_film(
    path: str | Path,
    n_clips: int,
    labeller: Labeller,
    cuts: Iterable[int] = (),
    fades: Iterable[tuple[int, int]] = (),
    progress: Progress | None = None,
) -> ClipLabels:
    """Label every 2-s clip of a film, reading it once from start to end.

    Parameters
    ----------
    path : path of the film
    n_clips : int
        Clips from the film's start.
    labeller : Labeller
    cuts : ints
        Frame numbers that begin a new shot.
    fades : pairs of ints
        First and last frame number of each fade.
    progress : callable (fraction, message), optional

    Raises
    ------
    DataProblem
        If the film cannot be read or ends early.
    """
    from brainviz.video.reading import film_info

    info = film_info(path)
    needed = np.unique(np.concatenate(measured_frames(info.fps, labeller.max_gap_s)))
    numbers = clip_starts(n_clips, info.fps)[:, None] + needed
    excess = int(numbers.max(initial=0)) - info.n_frames + 1
    if excess > clip_length(info.fps) // 4:  # the lag rule counts such a clip (brainviz.data.timing.film_volumes)
        raise _ends_early(int((numbers < info.n_frames).all(axis=1).sum()), n_clips, str(path))
    if excess > _MISSING_FRAMES:  # steps that reach beyond the last frame are invalid, like a fade
        fades = [*fades, (info.n_frames - 1, info.n_frames + excess)]
    clips = _read_clips(Path(path), np.minimum(numbers, info.n_frames - 1), labeller.size)
    return _label(clips, info.fps, n_clips, labeller, cuts, fades, progress)


def label_frames(
    frames: Iterable[Frames],
    fps: float,
    n_clips: int,
    labeller: Labeller,
    cuts: Iterable[int] = (),
    fades: Iterable[tuple[int, int]] = (),
    progress: Progress | None = None,
) -> ClipLabels:
    """Like `label_film`, from a stream of all the film's frames, uint8 (size, size, 3)."""
    needed = np.unique(np.concatenate(measured_frames(fps, labeller.max_gap_s)))
    clips = _cut_clips(frames, clip_starts(n_clips, fps), clip_length(fps))
    return _label((clip[needed] for clip in clips), fps, n_clips, labeller, cuts, fades, progress)


def clip_starts(n_clips: int, fps: float) -> npt.NDArray[np.int64]:
    """Number of each clip's first frame: int64 (n_clips,)."""
    return np.round(np.arange(n_clips) * CLIP_SECONDS * fps).astype(np.int64)


def _label(
    clips: Iterable[Frames],
    fps: float,
    n_clips: int,
    labeller: Labeller,
    cuts: Iterable[int],
    fades: Iterable[tuple[int, int]],
    progress: Progress | None,
) -> ClipLabels:
    """Label clips given as the frames between which flow is measured, and nothing else."""
    steps = measured_frames(fps, labeller.max_gap_s)
    needed = np.unique(np.concatenate(steps))
    places = [np.searchsorted(needed, step) for step in steps]
    starts = clip_starts(n_clips, fps)
    blocked = _blocked_steps(starts[:, None] + frame_numbers(fps), list(cuts), list(fades))
    flow = np.zeros((n_clips, N_STEPS, GRID, GRID, 2), dtype=np.float32)
    trust = np.zeros((n_clips, N_STEPS, GRID, GRID), dtype=np.float32)
    for i, clip in enumerate(clips):
        flow[i], trust[i] = label_clip(clip, places, labeller, skip=blocked[i])
        if progress is not None:
            progress((i + 1) / n_clips, f"clip {i + 1} of {n_clips}")
    valid = trust >= _LEAST_TRUST
    camera, camera_field = camera_fit(flow, valid)
    moving = moving_objects(flow, camera_field, valid)
    consistency = trust.mean(axis=(-1, -2)).astype(np.float32)
    return ClipLabels(flow, valid, moving, camera, consistency, step_seconds(fps), labeller.name)


def label_clip(
    clip: Frames, steps: Sequence[npt.NDArray[np.int64]], labeller: Labeller, skip: Sequence[bool] = (False,) * N_STEPS
) -> tuple[Array, Array]:
    """Flow and trust of one clip.

    Parameters
    ----------
    clip : uint8 (frames, size, size, 3)
    steps : of `measured_frames`
    labeller : Labeller
    skip : bool (3,)
        Steps not to measure: their flow and trust are 0.

    Returns
    -------
    flow : float32 (3, 32, 32, 2)
    trust : float32 (3, 32, 32)
        Share of each cell's pixels that passed the forward-backward check.
    """
    flow = np.zeros((len(steps), GRID, GRID, 2), dtype=np.float32)
    trust = np.zeros((len(steps), GRID, GRID), dtype=np.float32)
    kept = [s for s in range(len(steps)) if not skip[s]]
    if not kept:
        return flow, trust
    earlier = np.concatenate([steps[s][:-1] for s in kept])
    later = np.concatenate([steps[s][1:] for s in kept])
    n = len(earlier)
    measured = labeller.measure(clip[np.r_[earlier, later]], clip[np.r_[later, earlier]])
    start = 0
    for s in kept:
        stop = start + len(steps[s]) - 1
        ends = clip[[steps[s][0], steps[s][-1]]]
        flow[s], trust[s] = _step(ends, measured[start:stop], measured[n + start : n + stop][::-1], labeller)
        start = stop
    return flow, trust


def _step(ends: Frames, forward: Array, backward: Array, labeller: Labeller) -> tuple[Array, Array]:
    """Chain one step both ways, refine, check, and bring it to the grid."""
    there, stays = chain_flows(list(forward))
    back, _ = chain_flows(list(backward))
    there, back = labeller.refine(ends, ends[::-1], np.stack([there, back]))
    slack = 0.5 * (there.shape[1] / 128) ** 2
    trusted = stays & consistent(there, back, slack=slack)
    flow, trust = resample_valid(there, trusted, GRID, GRID)
    # Cells that fail keep the unchecked mean: marked invalid, yet a picture without holes.
    return np.where((trust >= _LEAST_TRUST)[..., None], flow, resample(there, GRID, GRID)), trust


def _blocked_steps(numbers: npt.NDArray[np.int64], cuts: list[int], fades: list[tuple[int, int]]) -> Mask:
    """Steps that cross a cut or touch a fade; numbers is (n, 4): bool (n, 3)."""
    first, last = numbers[:, :-1], numbers[:, 1:]
    blocked = np.zeros(first.shape, dtype=bool)
    for cut in cuts:
        blocked |= (first < cut) & (cut <= last)
    for begin, end in fades:
        blocked |= (first < end) & (begin < last)
    return blocked


def _read_clips(path: Path, numbers: npt.NDArray[np.int64], size: int) -> Iterator[Frames]:
    """The numbered frames of each clip, (n_clips, m) -> n_clips times uint8 (m, size, size, 3), read some at a time."""
    from brainviz.video.reading import read_frames

    for start in range(0, len(numbers), _CLIPS_AT_ONCE):
        part = numbers[start : start + _CLIPS_AT_ONCE]
        yield from read_frames(path, part.ravel(), size).reshape(*part.shape, size, size, 3)


def _cut_clips(frames: Iterable[Frames], starts: npt.NDArray[np.int64], length: int) -> Iterator[Frames]:
    """Cut a stream of frames into clips; a last clip that lacks at most two frames repeats its last one."""
    held: list[Frames] = []
    offset, clip, n_clips = 0, 0, len(starts)
    for number, frame in enumerate(frames):
        held.append(frame)
        if clip < n_clips and number == starts[clip] + length - 1:
            yield np.stack(held[starts[clip] - offset :][:length])
            clip += 1
            following = int(starts[clip]) if clip < n_clips else number + 1
            held, offset = held[following - offset :], following
        if clip == n_clips:
            return
    missing = length - len(held)
    if clip == n_clips - 1 and missing <= _MISSING_FRAMES:
        yield np.stack(held + held[-1:] * missing)
        return
    raise _ends_early(clip, n_clips, "")


def _ends_early(clip: int, n_clips: int, where: str) -> DataProblem:
    return DataProblem(f"The film ends in clip {clip} of {n_clips}.", where, "Is the file complete?")
