"""Controls of any encoder that sees motion: the first frame standing still, and the clip played backwards.

Encoders differ in more than motion (training data, architecture, number of frames); the same encoder on a frozen or a
reversed clip differs in nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from brainviz.flow.fields import CLIP_SECONDS
from pipelines.features.spec import ClipEncoder, EncoderSpec, Features, Frames, check_clips

CONTROLS = {"frozen": "first frame, standing still", "reversed": "played backwards"}


def control_spec(base: EncoderSpec, control: str) -> EncoderSpec:
    """The facts of a control ("frozen" or "reversed") of an encoder."""
    frames, sampling = (1, "first") if control == "frozen" else (base.frames_per_clip, base.sampling)
    return replace(
        base,
        id=f"{base.id}.{control}",
        title=f"{base.title}, {CONTROLS[control]}",
        frames_per_clip=frames,
        sampling=sampling,
        control=control,
        base=base.id,
    )


@dataclass(frozen=True)
class ControlEncoder:
    """An encoder that shows its base a frozen or reversed clip."""

    inner: ClipEncoder
    control: str

    @property
    def spec(self) -> EncoderSpec:
        return control_spec(self.inner.spec, self.control)

    @property
    def weights(self) -> Path | None:
        return self.inner.weights

    @property
    def layers(self) -> tuple[str, ...]:
        return self.inner.layers

    @property
    def size_px(self) -> int:
        return self.inner.size_px

    @property
    def frames_per_clip(self) -> int:
        return self.spec.frames_per_clip

    def encode(self, frames: Frames, fps: float) -> Features:
        """Features of the altered clips; a frozen one lasts as long as a clip does."""
        frames = check_clips(frames)
        if self.control == "reversed":
            return self.inner.encode(np.ascontiguousarray(frames[:, ::-1]), fps)
        length = self.inner.frames_per_clip or max(1, round(CLIP_SECONDS * fps))
        still = (len(frames), length, *frames.shape[2:])
        return self.inner.encode(np.broadcast_to(frames[:, :1], still), fps)
