"""Films of other systems, as the workspace keeps them: one array of normalised clips per system and subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import NotReady
from brainviz.results import Result
from brainviz.storage import open_array

Frames = npt.NDArray[np.uint8]

STAGE = "imported_films"
END_TO_END = "brain-e2e"
"""Another decoder's first frames, moved by the flow that our decoder predicts from them and fMRI."""
CLIPS_PER_ARRAY = 64  # a stored array is written whole, and a data set's clips would fill a memory


def array_name(row: int) -> str:
    """The array that holds the clip of this row."""
    return f"frames-{row // CLIPS_PER_ARRAY:04d}"


def end_to_end(system: str) -> str:
    """Name of the system that moves an imported system's first frames by the flow predicted from them."""
    return f"{END_TO_END}-{system}"


def source_of_frames(system: str) -> str:
    """The imported system whose first frames an end-to-end system moves; "" for all other systems."""
    return system.removeprefix(f"{END_TO_END}-") if system.startswith(f"{END_TO_END}-") else ""


@dataclass(frozen=True)
class ImportedFilms:
    """What one system reconstructed for one subject, or for all alike.

    Attributes
    ----------
    system : str
    result : Result
        Its arrays `frames-0000` and so on hold uint8 (clip, n, size, size, 3), `CLIPS_PER_ARRAY` clips each.
    """

    system: str
    result: Result

    @property
    def facts(self) -> dict[str, Any]:
        """Where the films came from: source, layout, size, and frames per clip."""
        return dict(self.result.manifest["facts"])

    @property
    def clips(self) -> list[str]:
        return list(self.facts["clips"])

    def film(self, clip: str) -> tuple[Frames, float]:
        """One clip: uint8 (n, size, size, 3), and its frames per second (a clip lasts 2 s).

        Raises
        ------
        NotReady
            The import holds no film of this clip.
        """
        facts = self.facts
        if clip not in facts["clips"]:
            raise NotReady(f"{self.system} has no film of this clip.", clip, f"It has {len(facts['clips'])} others.")
        row = facts["clips"].index(clip)
        n = int(facts["n_frames"][row])
        stored = open_array(self.result.arrays, array_name(row))
        return np.asarray(stored[row % CLIPS_PER_ARRAY, :n], np.uint8), float(facts["fps"][row])

    def first_frame(self, clip: str, size: int = 256) -> Frames:
        """The first frame, for reanimation from end to end: uint8 (size, size, 3)."""
        from brainviz.video.reading import to_square

        return to_square(self.film(clip)[0][0], size)
