"""The film as parameters: shots, their layers, motions, labels and captions. JSON in, JSON out.

Lengths are in image widths with the origin at the frame's centre, x to the right and y down; times in seconds from
the shot's first frame.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from brainviz.errors import DataProblem, UnknownName
from pipelines.simulate.config import SimulationConfig
from pipelines.simulate.tracks import Track


@dataclass(frozen=True)
class Scenery:
    """A wide picture that only the camera moves.

    Attributes
    ----------
    kind : str
        Which maker of `pipelines.simulate.scenery` paints it.
    variant : str
        Its material: photograph and area, or palette.
    seed : int
        Seed of what is painted at random.
    parallax : float
        How far it follows a move of the camera: 1 in the plane of interest, near 0 far away.
    lens : float
        How far it follows the camera's zoom.
    origin : (x, y)
        World point that the camera sees at the start.
    """

    kind: str
    variant: str
    seed: int = 0
    parallax: float = 1.0
    lens: float = 1.0
    origin: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Thing:
    """An object with its own motion, drawn in parts (see `pipelines.simulate.things`).

    Attributes
    ----------
    kind, variant, seed
        What is drawn.
    start : (x, y)
        Where its centre stands on the first frame.
    size : float
        Its length in image widths.
    angle : float
        Its first angle in radians.
    facing : int
        1 as drawn (to the right), -1 mirrored.
    parallax, lens : float
        Depth, as for `Scenery`.
    follow : float
        1 = the camera keeps it in the same place of the frame, 0 = it is left behind by the camera.
    wrap : (x, y)
        Period after which it comes back from the other side, unseen; 0 = never.
    hz, swing, phase : float
        Frequency, amplitude (1 = as drawn by the kind) and phase of its limbs.
    path : Track
        Its own motion.
    """

    kind: str
    variant: str
    seed: int
    start: tuple[float, float]
    size: float
    angle: float = 0.0
    facing: int = 1
    parallax: float = 1.0
    lens: float = 1.0
    follow: float = 0.0
    wrap: tuple[float, float] = (0.0, 0.0)
    hz: float = 0.0
    swing: float = 1.0
    phase: float = 0.0
    path: Track = field(default_factory=Track)


@dataclass(frozen=True)
class Shot:
    """One uncut piece of film. Layers are listed from the back to the front; `front` hides the things."""

    number: int
    onset_frame: int
    n_frames: int
    scene: str
    caption: str
    back: tuple[Scenery, ...]
    things: tuple[Thing, ...]
    front: tuple[Scenery, ...]
    camera: Track
    grade: str
    fade_in: int = 0
    fade_out: int = 0
    flicker: tuple[tuple[float, float, float], ...] = ()
    case: str = ""
    continuation: str = ""
    pair: int = -1

    @property
    def end_frame(self) -> int:
        """First frame after the shot."""
        return self.onset_frame + self.n_frames


@dataclass(frozen=True)
class FilmPlan:
    """All shots of all segments."""

    config: SimulationConfig
    segments: dict[str, tuple[Shot, ...]]

    @cached_property
    def _ends(self) -> dict[str, list[int]]:
        return {name: [shot.end_frame for shot in shots] for name, shots in self.segments.items()}

    def shots(self, segment: str) -> tuple[Shot, ...]:
        """Return a segment's shots in order, or raise `UnknownName`."""
        if segment not in self.segments:
            raise UnknownName(f"The simulated film has no segment {segment!r}.", segment, "See `plan.segments`.")
        return self.segments[segment]

    def shot_at(self, segment: str, frame: int) -> Shot:
        """Return the shot that shows a frame; the last one for frames past the end."""
        from bisect import bisect_right

        shots = self.shots(segment)
        return shots[min(bisect_right(self._ends[segment], frame), len(shots) - 1)]

    def to_json(self) -> str:
        """Return compact JSON; defaults are left out."""
        segments = {name: [_lean(shot) for shot in shots] for name, shots in self.segments.items()}
        data = {"format": "brainviz-scenes", "version": 1, "config": self.config.to_dict(), "segments": segments}
        return json.dumps(data, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> FilmPlan:
        """Read what `to_json` wrote; raises `DataProblem` on anything else."""
        try:
            data = json.loads(text)
            if data["format"] != "brainviz-scenes" or data["version"] != 1:
                raise DataProblem("These scene parameters are of another version.", "scenes.json", "Simulate again.")
            segments = {name: tuple(_shot(entry) for entry in shots) for name, shots in data["segments"].items()}
            return cls(SimulationConfig.from_dict(data["config"]), segments)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataProblem(f"Not scene parameters: {error}.", "scenes.json", "Simulate again.") from error

    @classmethod
    def read(cls, path: Path) -> FilmPlan:
        """Read `scenes.json`."""
        return cls.from_json(Path(path).read_text(encoding="utf-8"))


def _lean(item: Any) -> Any:
    """Return a dataclass as a dictionary without the fields that hold their default."""
    if not hasattr(item, "__dataclass_fields__"):
        return [_lean(part) for part in item] if isinstance(item, tuple) else item
    values = {}
    for entry in fields(item):
        usual = entry.default if entry.default_factory is MISSING else entry.default_factory()
        value = getattr(item, entry.name)
        if value != usual:
            values[entry.name] = _lean(value)
    return values


def _tuples(value: Any) -> Any:
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value


def _track(entry: Mapping[str, Any]) -> Track:
    return Track(**{key: _tuples(value) for key, value in entry.items()})


def _thing(entry: Mapping[str, Any]) -> Thing:
    values = {key: _tuples(value) for key, value in entry.items() if key != "path"}
    return Thing(**values, path=_track(entry.get("path", {})))


def _shot(entry: Mapping[str, Any]) -> Shot:
    values = dict(entry)
    for name in ("back", "front"):
        layers = values.pop(name)
        values[name] = tuple(Scenery(**{key: _tuples(value) for key, value in layer.items()}) for layer in layers)
    values["things"] = tuple(_thing(thing) for thing in values.pop("things"))
    values["camera"] = _track(values.pop("camera"))
    return Shot(**{key: _tuples(value) if isinstance(value, list) else value for key, value in values.items()})
