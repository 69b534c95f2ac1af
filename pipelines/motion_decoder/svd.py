"""Stable Video Diffusion (Blattmann et al. 2023): motion that a video model imagines from the first frame, no brain.

Each seed gives one film of 14 frames at 7 per second; its flow is measured as the true flow is, by the same labeller,
between the frames nearest to the clip's own four, and rescaled to the clip's step lengths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, NotReady
from brainviz.flow.fields import frame_numbers, step_seconds
from pipelines.flow_labels.clips import label_clip
from pipelines.svd_pipeline import SVD_NAME, draw_film, load_pipeline, svd_available

if TYPE_CHECKING:
    from brainviz.data.base import Dataset
    from pipelines.flow_labels.labellers import Labeller

Array = npt.NDArray[np.float32]
Frames = npt.NDArray[np.uint8]
Progress = Callable[[float, str], None]

N_SEEDS = 10


@dataclass(frozen=True)
class SvdSettings:
    """How films are drawn. The defaults are those the 14-frame model was released with, on a square frame.

    Attributes
    ----------
    size : int
        Side of the generated frames in pixels, a multiple of 64.
    n_frames, fps : int
        14 frames at 7 per second last 1.86 s, about one clip.
    steps : int
        Denoising steps.
    motion_bucket_id : int
        The model's own amount-of-motion setting.
    noise : float
        Noise added to the first frame.
    max_guidance : float
        Guidance of the last frame; it rises from 1.
    decode_chunk : int
        Frames decoded at once (memory).
    """

    size: int = 512
    n_frames: int = 14
    fps: int = 7
    steps: int = 25
    motion_bucket_id: int = 127
    noise: float = 0.02
    max_guidance: float = 3.0
    decode_chunk: int = 4

    def __post_init__(self) -> None:
        if self.size < 64 or self.size % 64:
            raise BrainvizError(f"SVD needs a frame side that is a multiple of 64, not {self.size}.")
        if self.n_frames < 4 or self.fps < 1 or self.steps < 1:
            raise BrainvizError("SVD needs at least 4 frames, 1 frame per second and 1 step.")

    @staticmethod
    def from_mapping(values: Mapping[str, Any]) -> SvdSettings:
        """Build from plain values; a key that is no setting is refused."""
        unknown = set(values) - {f.name for f in fields(SvdSettings)}
        if unknown:
            raise BrainvizError(f"Unknown SVD settings: {', '.join(sorted(unknown))}.")
        return SvdSettings(**values)


class SvdSampler:
    """A loaded pipeline that draws films from first frames.

    Parameters
    ----------
    folder_or_name : path or hub name
    device : str
        On "cuda" it runs in bfloat16.
    settings : SvdSettings

    Raises
    ------
    NotReady
        If the weights are not there.
    DataProblem
        If they cannot be read.
    """

    def __init__(
        self, folder_or_name: str | Path = SVD_NAME, device: str = "cpu", settings: SvdSettings | None = None
    ) -> None:
        there, reason = svd_available(folder_or_name)
        if not there:
            raise NotReady("The system 'svd' cannot run.", str(folder_or_name), reason)
        self.settings = settings or SvdSettings()
        self.device = device
        self._pipeline = load_pipeline(Path(reason), device)

    def film(self, frame: Frames, seed: int, progress: Progress | None = None) -> Frames:
        """One film: uint8 (h, w, 3) -> uint8 (n_frames, size, size, 3). The same seed draws the same film."""
        from PIL import Image

        s = self.settings
        picture = Image.fromarray(np.asarray(frame)).resize((s.size, s.size), Image.Resampling.LANCZOS)
        return draw_film(
            self._pipeline,
            np.asarray(picture),
            seed,
            progress,
            num_frames=s.n_frames,
            num_inference_steps=s.steps,
            fps=s.fps,
            motion_bucket_id=s.motion_bucket_id,
            noise_aug_strength=s.noise,
            max_guidance_scale=s.max_guidance,
            decode_chunk_size=s.decode_chunk,
        )

    def flow(self, frame: Frames, seed: int, labeller: Labeller, fps: float, progress: Progress | None = None) -> Array:
        """Flow of one film between the clip's four times: float32 (3, 32, 32, 2), as `film_flow`."""
        return film_flow(self.film(frame, seed, progress), self.settings.fps, labeller, fps)


def film_flow(film: Frames, film_fps: float, labeller: Labeller, clip_fps: float) -> Array:
    """Flow of a generated film at a clip's own four times.

    Parameters
    ----------
    film : uint8 (n, h, w, 3)
        Starts with the clip.
    film_fps : float
        Its frames per second.
    labeller : Labeller
        The one that measured the true flow.
    clip_fps : float
        Frames per second of the clip, which set the four times.

    Returns
    -------
    float32 (3, 32, 32, 2)
        Measured between the nearest frames that the film has, scaled by the clip's step over theirs (steady speed).
    """
    import cv2

    times = frame_numbers(clip_fps) / clip_fps
    nearest = np.clip(np.round(times * film_fps), 0, len(film) - 1).astype(np.int64)
    if (np.diff(nearest) < 1).any():
        raise BrainvizError(f"A film of {len(film)} frames at {film_fps:g} per second is too short for a clip.")
    side = (labeller.size, labeller.size)
    small = np.stack([cv2.resize(frame, side, interpolation=cv2.INTER_AREA) for frame in film])
    # Neighbours are 1/7 s apart, within the gap that labellers bridge: chain over every frame.
    steps = [np.arange(a, b + 1) for a, b in pairwise(nearest.tolist())]
    flow, _ = label_clip(small, steps, labeller)
    scale = step_seconds(clip_fps) / (np.diff(nearest) / film_fps)
    return np.asarray(flow * scale[:, None, None, None], dtype=np.float32)


def sample_svd_flow(
    frame: Frames,
    seeds: Sequence[int],
    labeller: Labeller,
    pipeline_folder: str | Path = SVD_NAME,
    fps: float = 30.0,
    device: str = "cpu",
    settings: SvdSettings | None = None,
    progress: Progress | None = None,
) -> Array:
    """Flow of films drawn from one first frame, one per seed.

    Seeds are drawn one after another with a fresh generator each, so a seed's film does not depend on the others.

    Parameters
    ----------
    frame : uint8 (h, w, 3)
        Square first frame.
    seeds : ints
    labeller : Labeller
        The one that measured the true flow.
    pipeline_folder : path or hub name
    fps : float
        Frames per second of the clip.
    device, settings, progress
        As in `SvdSampler`.

    Returns
    -------
    float32 (n_seeds, 3, 32, 32, 2)
    """
    sampler = SvdSampler(pipeline_folder, device, settings)
    return np.stack(
        [sampler.flow(frame, seed, labeller, fps, _part(progress, i, len(seeds))) for i, seed in enumerate(seeds)]
    )


def decode_svd(
    dataset: Dataset, clips: Sequence[str], config: Mapping[str, Any], progress: Progress | None = None
) -> Array:
    """The system 'svd' for every clip.

    Parameters
    ----------
    dataset : Dataset
    clips : clip ids
    config : mapping
        `weights` (folder or hub name); optional `labeller`, `device`, `seed`, `samples` (10) and `svd` (SvdSettings).

    Returns
    -------
    float32 (n_clips, n_samples, 3, 32, 32, 2)
    """
    from brainviz.video.reading import film_info, read_frames
    from pipelines.flow_labels import make_labeller

    device = config.get("device", "cpu")
    labeller = make_labeller(config.get("labeller", "auto"), device=device)
    sampler = SvdSampler(config["weights"] or SVD_NAME, device, SvdSettings.from_mapping(config.get("svd", {})))
    n = int(config.get("samples", N_SEEDS))
    flow = np.empty((len(clips), n, 3, 32, 32, 2), dtype=np.float32)
    for i, clip in enumerate(clips):
        segment, _, index = clip.rpartition("-")
        film = dataset.film(segment)
        fps = film_info(film).fps
        frame = read_frames(film, [round(2 * int(index) * fps)])[0]
        for k in range(n):
            # Seeds depend on the clip's name, not on its place in the list: a trial run draws the same films.
            seed = _seed(int(config.get("seed", 0)), clip, k)
            flow[i, k] = sampler.flow(frame, seed, labeller, fps, _part(progress, i * n + k, len(clips) * n))
    return flow


def _seed(seed: int, clip: str, sample: int) -> int:
    import zlib

    return (seed * 1_000_003 + zlib.crc32(clip.encode()) + sample) % 2**32


def _part(progress: Progress | None, done: int, total: int) -> Progress | None:
    """Progress of one film as a part of all."""
    if progress is None:
        return None
    return lambda share, text: progress((done + share) / total, f"film {done + 1} of {total}: {text}")
