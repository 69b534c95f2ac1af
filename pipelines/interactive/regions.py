"""Any set of regions left out of the ridge decoder, kept alone, or replaced by what the rest says of it, at once.

Nothing is read but what the stage `leave_out` has stored. A subject's decoder stays in the process: about 90 MB in the
demo, .6 GB at 4,320 training clips, two subjects at most. A set's predictions of all test clips are kept as well
(90 KB), so that another clip costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from brainviz.errors import NotReady, UnknownName
from brainviz.results import Result
from brainviz.storage import read_array, read_json
from brainviz.workspace import Workspace

if TYPE_CHECKING:
    from pipelines.leave_out.conditional import ConditionalMean
    from pipelines.leave_out.errors import ClipErrors

Flow = npt.NDArray[np.float32]
Errors = npt.NDArray[np.float64]

HOWS = ("without", "only", "conditional")
"""Refit without the regions; refit with nothing but them; their activity replaced by its mean given the rest."""
SUBJECTS_KEPT, SETS_KEPT = 2, 64


@dataclass(frozen=True, eq=False)
class Lesion:
    """What the decoder says of one clip with some regions left out or kept.

    Attributes
    ----------
    regions : tuple of str
        In the parcellation's order.
    how : str
        One of `HOWS`.
    flow, full_flow : float32 (3, 32, 32, 2)
        With the lesion and without; pixels of the grid per step.
    epe, epe_full, epe_no_brain : float
        End-point error of this clip (mask none): lesioned, full, and of the mean training flow; NaN where no pixel of
        the clip can be scored.
    mean_epe, mean_epe_full, mean_epe_no_brain : float
        The same over all test clips.
    n_vertices, n_decoded : int
        Vertices of the regions that the decoder uses, of all that it uses.
    unused : tuple of str
        Regions of the set of which the decoder uses no vertex.
    """

    regions: tuple[str, ...]
    how: str
    flow: Flow
    full_flow: Flow
    epe: float
    epe_full: float
    epe_no_brain: float
    mean_epe: float
    mean_epe_full: float
    mean_epe_no_brain: float
    n_vertices: int
    n_decoded: int
    unused: tuple[str, ...]


def lesioned(workspace: Workspace, subject: str, clip: str, regions: Sequence[str], how: str) -> Lesion:
    """The ridge decoder with a set of regions, both sides of each, left out or kept.

    Parameters
    ----------
    clip : str
        A test clip.
    regions : sequence of str
        Areas of MMP1.0 without their side, such as ``V1``; any order, twice is once.
    how : str
        One of `HOWS`. *without* keeps the full model's penalties, *only* chooses its own on the training films. Where
        nothing is left to decode from, the answer is the mean training flow.

    Raises
    ------
    NotReady
        The stage `leave_out` has not finished for this subject, or the clip is no test clip.
    UnknownName
        No such subject, region or way.
    """
    result = _stored(workspace, subject)
    clips = result.manifest["facts"]["clips"]
    if clip not in clips:
        raise NotReady("The decoder says nothing of this clip.", clip, "Only test clips are decoded.")
    if how not in HOWS:
        raise UnknownName(f"There is no way to leave a region out called {how!r}.", "", f"Ways: {', '.join(HOWS)}.")
    names = _in_order(regions)
    decoder, labels = _decoder(str(result.folder)), _labels(workspace, tuple(clips))
    scores, unused = _scores(str(result.folder), names, how)
    errors = _errors(str(result.folder), labels)
    row = clips.index(clip)
    each, full, none = (errors.of_scores(s) for s in (scores, decoder.full, np.zeros_like(scores)))
    return Lesion(
        regions=names,
        how=how,
        flow=errors.basis.reconstruct(scores[row : row + 1])[0],
        full_flow=errors.basis.reconstruct(decoder.full[row : row + 1])[0],
        epe=float(each[row]),
        epe_full=float(full[row]),
        epe_no_brain=float(none[row]),
        mean_epe=float(np.nanmean(each)),
        mean_epe_full=float(np.nanmean(full)),
        mean_epe_no_brain=float(np.nanmean(none)),
        n_vertices=len(decoder.members(names)),
        n_decoded=len(decoder.area),
        unused=unused,
    )


def moved_frame(workspace: Workspace, clip: str, flow: Flow, size: int = 192) -> npt.NDArray[np.uint8]:
    """The clip's first frame moved by a flow: uint8 (n, size, size, 3), at the rate of `Workspace.film_sprite`."""
    from pipelines.reanimate.drive import drive
    from pipelines.reanimate.warp import warp_frames

    sprite = workspace.film_sprite(clip)
    times = np.arange(1, sprite.n) / sprite.fps
    return warp_frames(workspace.first_frame(clip, size), drive(flow, workspace.step_s), times)


# ---- kept in the process, by the folder of a result, whose content never changes


@dataclass(frozen=True, eq=False)
class _Decoder:
    conditional: ConditionalMean
    area: npt.NDArray[np.int64]

    @property
    def full(self) -> Flow:
        return self.conditional.model.scores

    def members(self, names: Sequence[str]) -> npt.NDArray[np.int64]:
        """Columns of the recording that belong to some areas."""
        from brainviz.cortex.regions import glasser

        areas = glasser().areas
        return np.flatnonzero(np.isin(self.area, [areas.index(name) for name in names]))


@lru_cache(maxsize=SUBJECTS_KEPT)
def _decoder(folder: str) -> _Decoder:
    from pipelines.leave_out.conditional import ConditionalMean
    from pipelines.leave_out.model import FullModel, Recording
    from pipelines.motion_decoder.data import BoldWindows

    arrays = Path(folder) / "arrays.zarr"
    facts = read_json(Path(folder) / "manifest.json", {})["facts"]
    recording = Recording(
        *(
            BoldWindows(read_array(arrays, f"volumes.{s}").astype(np.float32), read_array(arrays, f"index.{s}"))
            for s in ("train", "test")
        )
    )
    names = ("penalty", "dual", "values", "vectors")
    penalty, dual, values, vectors = (read_array(arrays, name) for name in names)
    model = FullModel(
        recording,
        read_array(arrays, "targets"),
        read_array(arrays, "fold"),
        np.asarray(facts["alphas"]),
        penalty,
        facts["constant"],
        dual,
        values,
        vectors,
    )
    return _Decoder(ConditionalMean(model, facts["conditional_penalty"]), read_array(arrays, "area"))


@lru_cache(maxsize=SETS_KEPT)
def _scores(folder: str, names: tuple[str, ...], how: str) -> tuple[Flow, tuple[str, ...]]:
    """Scores of all test clips, float32 (n_test, m), and the regions that the decoder does not use."""
    from pipelines.leave_out.refits import Part

    decoder = _decoder(folder)
    members = decoder.members(names)
    unused = tuple(name for name in names if not len(decoder.members([name])))
    nothing, everything = not len(members), len(members) == len(decoder.area)
    if nothing:
        return (np.zeros_like(decoder.full) if how == "only" else decoder.full), unused
    if everything and how != "only":
        return np.zeros_like(decoder.full), unused
    if how == "conditional":
        return decoder.conditional.scores(members), unused
    part = Part(decoder.conditional.model, members)
    return (part.without() if how == "without" else part.only()), unused


@lru_cache(maxsize=SUBJECTS_KEPT)
def _errors(folder: str, labels: tuple[tuple[str, str, tuple[int, ...]], ...]) -> ClipErrors:
    from pipelines.leave_out.errors import ClipErrors
    from pipelines.motion_decoder.basis import FlowBasis

    arrays = Path(folder) / "arrays.zarr"
    basis = FlowBasis(read_array(arrays, "mean"), read_array(arrays, "components"))
    truth, valid = (
        np.concatenate([read_array(Path(place) / "arrays.zarr", name)[list(rows)] for _, place, rows in labels])
        for name in ("flow", "valid")
    )
    return ClipErrors(basis, truth.astype(np.float32), valid.astype(bool))


def _labels(workspace: Workspace, clips: tuple[str, ...]) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
    """Where the true flow of the test clips lies: film, folder, rows; films in the clips' own order."""
    rows: dict[str, list[int]] = {}
    for clip in clips:
        place = workspace.place(clip)
        rows.setdefault(place.segment, []).append(place.index)
    found = []
    for segment, numbers in rows.items():
        result = workspace.results.current("flow_labels", segment)
        if result is None:
            raise NotReady("True flow is not there yet.", segment, "It appears during the run.")
        found.append((segment, str(result.folder), tuple(numbers)))
    return tuple(found)


def _in_order(regions: Sequence[str]) -> tuple[str, ...]:
    from brainviz.cortex.regions import glasser

    parcellation = glasser()
    for name in regions:
        if name not in parcellation.areas:
            parcellation.ids(name)  # names the nearest where there is none like it
            raise UnknownName("A region is left out on both sides.", name, f"Write {name[2:]}.")
    return tuple(name for name in parcellation.areas if name in set(regions))


def _stored(workspace: Workspace, subject: str) -> Result:
    if subject not in workspace.subjects:
        raise UnknownName(f"There is no subject called {subject!r}.", workspace.dataset_name)
    result = workspace.results.current("leave_out", subject)
    if result is None:
        raise NotReady(
            "No region has been left out yet.", f"subject {subject}", "It happens after the motion decoders."
        )
    return result
