"""The backend `svd`: Stable Video Diffusion from the first frame alone, the film without the brain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from pipelines.motion_decoder.svd import SvdSampler, SvdSettings
from pipelines.reanimate.backend import Backend, Progress, settings_from
from pipelines.reanimate.request import ReanimationRequest, RenderedClip
from pipelines.svd_pipeline import SVD_NAME, svd_available


class StableVideoBackend:
    """The stock pipeline; a request's motion is not used, and its absence is the point.

    Parameters
    ----------
    svd : path or hub name
    device : str
    """

    id = "svd"
    title = "Stable Video Diffusion (no brain)"
    licence = "Stability AI Community License"
    weights: tuple[str, ...] = ("svd",)
    size_gb = 4.6
    frames = 14
    memory_gb = 10.0  # estimated, not measured
    deterministic = False

    def __init__(self, svd: str | Path = SVD_NAME, device: str = "cpu") -> None:
        self.svd, self.device = svd, device
        self._sampler: SvdSampler | None = None

    def missing(self) -> str:
        there, reason = svd_available(self.svd)
        return "" if there else reason

    def render(self, request: ReanimationRequest, progress: Progress) -> RenderedClip:
        """One film of the picture's square form."""
        settings = settings_from(SvdSettings, request.options, self.id)
        if self._sampler is None or self._sampler.settings != settings:
            self._sampler = SvdSampler(self.svd, self.device, settings)
        frames = self._sampler.film(request.image, request.seed, progress)
        facts = {f"setting.{key}": value for key, value in asdict(settings).items()}
        facts |= {"backend": self.id, "device": self.device}
        return RenderedClip(frames, settings.fps, {**facts, **request.facts(), "motion": "none"})


def render_seeds(
    backend: Backend, request: ReanimationRequest, seeds: Sequence[int], progress: Progress
) -> Iterator[RenderedClip]:
    """One film per seed, one after another with a fresh generator each, so that no film depends on the others."""
    for done, seed in enumerate(seeds):

        def part(share: float, text: str, done: int = done) -> None:
            progress((done + share) / len(seeds), f"film {done + 1} of {len(seeds)}: {text}")

        yield backend.render(replace(request, seed=seed), part)
