"""BrainNRDS end to end: a decoded first frame, moved by the flow that is predicted from that frame and fMRI.

The decoder is the one of `brain`, trained on true first frames; here it is shown the features of decoded ones. So
nothing of the stimulus enters, neither its picture nor its motion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from brainviz.data.catalogue import clip_place
from brainviz.flow.fields import GRID
from brainviz.storage import read_array
from pipelines.graph import Context
from pipelines.stages.decoders import test_segments, test_windows
from pipelines.stages.reanimated_films import SCORED_GRID
from pipelines.stages.scored_clips import ScoredClips, imported_films

if TYPE_CHECKING:
    from brainviz.imported import ImportedFilms
    from pipelines.evaluate.video_scores import TimedFilm

Frames = npt.NDArray[np.uint8]

CLIPS_AT_ONCE = 32  # features of real size are 1.5 MB a frame


class FirstFrames(Protocol):
    """First frames that were decoded from fMRI."""

    @property
    def rows(self) -> Mapping[str, int]:
        """Row of every clip that there is a frame of."""

    def first_frame(self, clip: str, size: int) -> Frames:
        """uint8 (size, size, 3)."""


@dataclass(frozen=True)
class DecodedFilms:
    """What Mind-Animator decoded for the subject."""

    frames: Frames
    rows: Mapping[str, int]
    fps: float

    @classmethod
    def of(cls, context: Context) -> DecodedFilms:
        """Of the task's own Mind-Animator."""
        result = context.input("mind_animator")
        facts = result.manifest["facts"]
        rows = {clip: row for row, clip in enumerate(facts["filmed"])}
        return cls(read_array(result.arrays, "frames"), rows, float(facts["fps"]))

    def film(self, clip: str) -> TimedFilm:
        """As it was decoded."""
        from pipelines.evaluate.video_scores import TimedFilm

        frames = self.frames[self.rows[clip]]
        return TimedFilm(frames, np.arange(len(frames)) / self.fps)

    def first_frame(self, clip: str, size: int) -> Frames:
        """uint8 (size, size, 3)."""
        from brainviz.video.reading import to_square

        return to_square(self.frames[self.rows[clip], 0], size)


@dataclass(frozen=True)
class ImportedFrames:
    """What another system reconstructed, of which the first frame counts."""

    imported: ImportedFilms
    rows: Mapping[str, int]

    @classmethod
    def of(cls, context: Context) -> ImportedFrames:
        """Of the import that the task was planned with."""
        planned = context.config["first_frames"]
        films = imported_films(context, planned["owner"], planned["system"], planned["films"])
        return cls(films, {clip: row for row, clip in enumerate(films.clips)})

    def first_frame(self, clip: str, size: int) -> Frames:
        """uint8 (size, size, 3)."""
        return self.imported.first_frame(clip, size)


class MovedFilms:
    """First frames under the flow that is predicted from them, rendered at the times that are scored."""

    def __init__(self, context: Context, clips: ScoredClips, max_gap_s: float) -> None:
        self._frames: FirstFrames = (ImportedFrames if "first_frames" in context.config else DecodedFilms).of(context)
        self._context, self._clips, self._max_gap_s = context, clips, max_gap_s
        decoder = context.input("motion_decoder")
        self._least = float(decoder.manifest["facts"].get("held_out_error", 0.0))
        decoded = decoder.manifest["facts"]["clips"]
        self.names = [clip for clip in decoded if clip in self._frames.rows]
        self.rows = {clip: row for row, clip in enumerate(self.names)}
        numbers = [row for row, clip in enumerate(decoded) if clip in self.rows]
        self.flow = _predicted_flow(context, self._frames, self.names, numbers)

    def film(self, clip: str) -> TimedFilm:
        """The clip's first frame, moved."""
        from pipelines.evaluate.video_scores import TimedFilm
        from pipelines.reanimate.drive import drive
        from pipelines.reanimate.warp import WarpSettings, warp_frames

        first = self._frames.first_frame(clip, self._context.config["size"])
        motion = drive(self.flow[self.rows[clip]], self._clips.step_s, least=self._least)
        times = self._times[clip_place(clip)[0]]
        return TimedFilm(warp_frames(first, motion, times[1:], settings=WarpSettings(grid=SCORED_GRID)), times)

    @cached_property
    def _times(self) -> dict[str, npt.NDArray[np.float64]]:
        """Times at which a film is scored, by film."""
        from pipelines.flow_labels.clips import measured_frames

        rates = self._clips.fps.items()
        return {film: np.unique(np.concatenate(measured_frames(fps, self._max_gap_s))) / fps for film, fps in rates}


def _predicted_flow(
    context: Context, frames: FirstFrames, clips: Sequence[str], numbers: Sequence[int]
) -> npt.NDArray[np.float32]:
    """float32 (clips, 3, 32, 32, 2) by the subject's own decoder; `numbers` are the clips' among all test clips."""
    from pipelines.features.first_frame import make_frame_encoder
    from pipelines.motion_decoder import load_system

    encoder = make_frame_encoder(context.config["encoder"], device=context.device)
    decoder = load_system(context.input("motion_decoder").folder / "decoder")
    windows = test_windows(context, test_segments(context))["all"]
    flow = np.empty((len(clips), 3, GRID, GRID, 2), np.float32)
    for start in range(0, len(clips), CLIPS_AT_ONCE):
        part = slice(start, min(start + CLIPS_AT_ONCE, len(clips)))
        context.progress(0.3 * start / len(clips), f"Flow from the decoded first frame: {start} of {len(clips)} clips")
        features = encoder.encode(np.stack([frames.first_frame(clip, encoder.size) for clip in clips[part]]))
        flow[part] = decoder.predict(windows.select(np.asarray(numbers[part])), features)
    return flow
