"""A film's clips as several encoders want them, from one decoding."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from brainviz.video.reading import FilmInfo, film_info, stream_frames, to_square
from brainviz.video.sprites import clip_frame_numbers
from pipelines.features.spec import ClipEncoder, Frames, sampled_frames

_PART_BYTES = 300_000_000  # of decoded frames that are held at once
MOST_CLIPS = 20


@dataclass(frozen=True)
class View:
    """Which frames of each clip, and how large: the fields of `EncoderSpec`."""

    frames_per_clip: int
    sampling: str
    size_px: int

    @staticmethod
    def of(encoder: ClipEncoder) -> View:
        return View(encoder.frames_per_clip, encoder.spec.sampling, encoder.size_px)

    def numbers(self, info: FilmInfo, clip: int) -> npt.NDArray[np.int64]:
        """Frame numbers of one clip, within the film."""
        whole = clip_frame_numbers(info, clip)
        return whole[sampled_frames(len(whole), self.frames_per_clip, self.sampling)]

    def side(self, info: FilmInfo) -> int:
        return self.size_px or min(info.width, info.height)


def clips_per_part(views: Sequence[View], film: Path) -> int:
    """How many clips are decoded at once, so that their frames fit into memory."""
    info = film_info(film)
    each = sum(len(view.numbers(info, 0)) * view.side(info) ** 2 * 3 for view in set(views))
    return max(1, min(MOST_CLIPS, _PART_BYTES // each))


def decoded_clips(
    film: Path, views: Sequence[View], parts: Sequence[range]
) -> Iterator[tuple[range, dict[View, Frames]]]:
    """Decode parts of a film in order, once for all views.

    Parameters
    ----------
    film : Path
    views : sequence of View
    parts : sequence of range
        Successive ranges of clips; gaps between them are sought over.

    Yields
    ------
    each part with uint8 (clips, t, side, side, 3) for every view

    Raises
    ------
    DataProblem
        The film cannot be read, or ends before a clip.
    """
    info = film_info(film)
    plans = [_places(info, set(views), part) for part in parts]
    stream = stream_frames(film, sorted({number for plan in plans for number in plan}))
    for part, plan in zip(parts, plans, strict=True):
        clips = {
            view: np.empty((len(part), len(view.numbers(info, part.start)), *2 * (view.side(info),), 3), np.uint8)
            for view in set(views)
        }
        for _ in plan:
            number, picture = next(stream)
            squares: dict[int, Frames] = {}
            for view, clip, position in plan[number]:
                side = view.side(info)
                if side not in squares:
                    squares[side] = to_square(picture, side)
                clips[view][clip, position] = squares[side]
        yield part, clips


def _places(info: FilmInfo, views: set[View], part: range) -> dict[int, list[tuple[View, int, int]]]:
    """Where each frame of a part goes: {frame number: [(view, clip within the part, position within the clip)]}."""
    places: dict[int, list[tuple[View, int, int]]] = defaultdict(list)
    for view in views:
        for row, clip in enumerate(part):
            for position, number in enumerate(view.numbers(info, clip)):
                places[int(number)].append((view, row, position))
    return dict(places)
