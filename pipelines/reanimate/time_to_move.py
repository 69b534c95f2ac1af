"""The backend `time-to-move`: Stable Video Diffusion that follows a warped film, without any training.

Time-to-Move (Singer et al., ICLR 2026, arXiv 2511.08633): denoising begins late, from the warped film with noise, so
that the scene's layout is kept everywhere ("weak"); and what moves is put back at the noise of every step until later
still ("strong"), so that it goes where it should. The stock pipeline runs unchanged: its own late steps, the film's
noisy latents to begin with, and the moving part put back at each step's end. The warped film is the backend `warp`'s.
"""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, NotReady
from brainviz.flow.fields import resample_plane
from pipelines.reanimate.backend import Progress, settings_from
from pipelines.reanimate.framing import Framing
from pipelines.reanimate.motion_field import MotionField
from pipelines.reanimate.request import Frames, ReanimationRequest, RenderedClip
from pipelines.reanimate.splatting import splat
from pipelines.reanimate.warp import warp_frames
from pipelines.svd_pipeline import SVD_XT_NAME, Changed, draw_film, load_pipeline, svd_available

if TYPE_CHECKING:
    from torch import Tensor

Array = npt.NDArray[np.float32]

_LATENT = 8  # pixels per latent
_MOVES_PX = 0.5  # of the generated film: what never goes further is left to the model
_REACHED = 0.1  # splatted weight from which a place counts as reached: a zoom by three still fills it
_OWN_NOISE = 2**32  # keeps this noise apart from the pipeline's own, which begins with the same seed


@dataclass(frozen=True)
class TimeToMoveSettings:
    """The published settings for the 25-frame model.

    Attributes
    ----------
    width, height : int
        Of the generated film, multiples of 64; the picture stands in it undistorted.
    n_frames : int
        Spread evenly over the time of the motion, the first at 0.
    steps : int
        Of the whole schedule.
    weak, strong : int
        Step at which denoising begins, and step until which the moving part is put back.
    fps, motion_bucket_id, noise, max_guidance, decode_chunk
        As in `pipelines.reanimate.steered.SteeredSettings`.
    """

    width: int = 1024
    height: int = 576
    n_frames: int = 21
    steps: int = 50
    weak: int = 16
    strong: int = 21
    fps: int = 7
    motion_bucket_id: int = 17
    noise: float = 0.02
    max_guidance: float = 3.0
    decode_chunk: int = 4

    def __post_init__(self) -> None:
        if not 0 <= self.weak <= self.strong <= self.steps or self.weak >= self.steps:
            raise BrainvizError("Denoising begins (weak) before the last step, and not after `strong`.", "options")
        if self.n_frames < 2 or self.fps < 1 or self.decode_chunk < 1:
            raise BrainvizError("A film needs 2 frames, 1 frame per second and 1 frame per chunk.", "options")


class TimeToMoveBackend:
    """The stock pipeline led by a warped film.

    Parameters
    ----------
    svd : path or hub name
        The 25-frame model by default; the 14-frame one works too, with `n_frames` 14.
    device : str
        On "cuda" it runs in bfloat16.
    offload : str
        As in `load_pipeline`.
    """

    id = "time-to-move"
    title = "Time-to-Move"
    licence = "Apache-2.0 (method); model: Stability AI Community License"
    weights: tuple[str, ...] = ("svd-xt",)
    size_gb = 4.6
    frames = 21
    memory_gb = 14.0  # estimated, not measured
    deterministic = False

    def __init__(self, svd: str | Path = SVD_XT_NAME, device: str = "cpu", offload: str = "auto") -> None:
        self.svd, self.device, self.offload = svd, device, offload
        self._pipeline: Any = None

    def missing(self) -> str:
        there, reason = svd_available(self.svd)
        return "" if there else reason

    def render(self, request: ReanimationRequest, progress: Progress) -> RenderedClip:
        settings = settings_from(TimeToMoveSettings, request.options, self.id)
        if request.motion is None:
            raise BrainvizError("Time-to-Move follows a motion field, and the request has none.", "motion")
        if problem := self.missing():
            raise NotReady("The backend 'time-to-move' cannot run.", str(self.svd), problem)
        duration = float(request.motion.times_s[-1])
        times = duration * np.arange(1, settings.n_frames) / (settings.n_frames - 1)
        h, w = request.image.shape[:2]
        framing = Framing.fit(h, w, settings.height, settings.width)
        warped = warp_frames(request.image, request.motion, times, request.planes)
        film = np.stack([framing.place(frame) for frame in warped])
        mask = moving_mask(request.motion, times, framing)
        drawn = self._draw(film, mask, settings, request.seed, progress)
        facts = {f"setting.{key}": value for key, value in asdict(settings).items()}
        facts |= {"backend": self.id, "device": self.device}
        return RenderedClip(framing.cut(drawn), (settings.n_frames - 1) / duration, {**facts, **request.facts()})

    def _draw(self, film: Frames, mask: Array, s: TimeToMoveSettings, seed: int, progress: Progress) -> Frames:
        import torch

        if self._pipeline is None:
            self._pipeline = load_pipeline(Path(svd_available(self.svd)[1]), self.device, offload=self.offload)
        pipeline = self._pipeline
        led = _Led(encode(pipeline, film, s.decode_chunk), torch.from_numpy(mask), s, seed)
        stock, pipeline.scheduler = pipeline.scheduler, led.scheduler(pipeline.scheduler)
        try:
            return draw_film(
                pipeline,
                film[0],
                seed,
                progress,
                led.step_end,
                latents=led.first(pipeline.scheduler),
                num_frames=s.n_frames,
                num_inference_steps=s.steps,
                fps=s.fps,
                motion_bucket_id=s.motion_bucket_id,
                noise_aug_strength=s.noise,
                max_guidance_scale=s.max_guidance,
                decode_chunk_size=s.decode_chunk,
            )
        finally:
            pipeline.scheduler = stock


class _Led:
    """The warped film's latents, and what they do to the denoising.

    Parameters
    ----------
    latents : (1, n, c, h, w)
    mask : (n, h, w)
        1 where the film is put back.
    """

    def __init__(self, latents: Tensor, mask: Tensor, settings: TimeToMoveSettings, seed: int) -> None:
        import torch

        self.latents, self.settings = latents, settings
        self.mask = mask[None, :, None].to(latents)
        generator = torch.Generator().manual_seed(_OWN_NOISE + seed)
        self.noise = torch.randn(latents.shape, generator=generator).to(latents)
        self.sigmas: Any = None

    def scheduler(self, stock: Any) -> Any:
        """The stock scheduler, its first `weak` steps left out."""
        late = copy.copy(stock)
        whole, begin = late.set_timesteps, self.settings.weak

        def set_timesteps(*args: Any, **kwargs: Any) -> None:
            whole(*args, **kwargs)
            late.timesteps, late.sigmas = late.timesteps[begin:], late.sigmas[begin:]

        late.set_timesteps = set_timesteps
        late.set_timesteps(self.settings.steps)
        self.sigmas = late.sigmas.clone()
        return late

    def noisy(self, step: int) -> Tensor:
        """The film's latents at the noise that `step` begins with; without any after the last."""
        return self.latents + self.noise * self.sigmas[step].to(self.latents)

    def first(self, late: Any) -> Tensor:
        """What denoising begins with, as the pipeline takes it: it multiplies by the scheduler's own first noise."""
        return self.noisy(0) / late.init_noise_sigma.to(self.latents)

    def step_end(self, step: int, state: Changed) -> Changed:
        """Put the moving part back, until `strong`."""
        if self.settings.weak + step >= self.settings.strong:
            return {}
        free = state["latents"]
        mask = self.mask.to(free)
        return {"latents": free * (1 - mask) + self.noisy(step + 1).to(free) * mask}


def encode(pipeline: Any, film: Frames, at_once: int) -> Tensor:
    """A film's latents without chance (the mode): uint8 (n, H, W, 3) -> (1, n, c, H / 8, W / 8)."""
    import torch

    coder, made = pipeline.vae, []
    with torch.inference_mode(False), torch.no_grad():
        for start in range(0, len(film), at_once):
            some = torch.from_numpy(film[start : start + at_once].astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)
            some = some.to(device=pipeline._execution_device, dtype=coder.dtype)
            made.append(coder.encode(some).latent_dist.mode() * coder.config.scaling_factor)
    return torch.cat(made)[None]


def moving_mask(motion: MotionField, times_s: npt.NDArray[np.float64], framing: Framing) -> Array:
    """Where the warped film leads: what moves, wherever it has come to.

    Returns
    -------
    float32 (n, height / 8, width / 8)
        0 or 1, the first frame's mask first; a picture that moves as a whole leads everywhere but where it has left
        nothing to see.
    """
    rows, columns = (max(2, round(side / _LATENT)) for side in (framing.inner_height, framing.inner_width))
    later = motion.at(times_s)
    length = np.linalg.norm(later.pixels(framing.inner_height, framing.inner_width), axis=-1).max(axis=0)
    moves = (resample_plane(length > _MOVES_PX, rows, columns) > 0.5).astype(np.float32)
    masks = [moves]
    for moved in later.pixels(rows, columns):
        summed, _ = splat(moves[..., None], moved)  # what moves is in front of what rests
        masks.append((summed[..., 0] > _REACHED).astype(np.float32))
    inner = np.stack([resample_plane(mask, framing.inner_height, framing.inner_width) for mask in masks])
    wide = framing.extend(inner[..., None])[..., 0]
    latent = resample_plane(wide, framing.height // _LATENT, framing.width // _LATENT)
    return np.asarray(latent > 0.5, dtype=np.float32)
