"""The reader on the simulated data set, which other hands wrote: nothing to complain of, and both agree on time."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainviz.data.cc2017 import CC2017
from brainviz.data.check import check_dataset
from brainviz.data.duplicates import near_duplicates
from brainviz.data.lag_check import haemodynamic_response
from brainviz.data.preprocess import detrend
from brainviz.video.cuts import detect_cuts
from pipelines.simulate.config import SimulationConfig
from pipelines.simulate.drive import DRIVE_HZ, film_drive
from pipelines.simulate.film import plan_film, write_film
from pipelines.simulate.plan import FilmPlan
from pipelines.simulate.subject import simulate_subject

STILL_S = 32.0
LAGS = range(-3, 4)


class Simulated:
    """A simulated data set with what was planted in it."""

    def __init__(self, root: Path) -> None:
        self.root, self.ds = root, CC2017(root)
        self.plan = FilmPlan.read(root / "scenes.json")
        self.subject = self.ds.subjects[0]

    @cached_property
    def truth(self) -> dict[str, np.ndarray]:
        with np.load(self.root / "truth" / f"subject{self.subject}.npz", allow_pickle=False) as stored:
            return dict(stored)

    @cached_property
    def motion_vertices(self) -> np.ndarray:
        known = np.isfinite(self.truth["direction"]) & (self.truth["reliability"] > 0.2)
        return np.flatnonzero(known & (self.truth["share"][:, 1] > 0.3))

    def predicted(self, segment: str, lag_tr: int) -> np.ndarray:
        """Motion in each vertex's field along its direction, through its response, at the times of kept volumes."""
        v = self.motion_vertices
        field, angle = self.truth["field"][v], self.truth["direction"][v]
        cells = (np.arange(16) + 0.5) / 16
        x, y = (np.exp(-0.5 * ((cells[None] - field[:, [i]]) / np.maximum(field[:, [2]], 0.05)) ** 2) for i in (0, 1))
        seen = np.einsum("tyxc,ny,nx->tnc", film_drive(self.plan, segment).velocity, y, x, optimize=True)
        along = np.sqrt(np.maximum(seen[..., 0] * np.cos(angle) + seen[..., 1] * np.sin(angle), 0))
        still = round(STILL_S * DRIVE_HZ)
        padded = np.concatenate([np.repeat(along[:1], still, 0), along, np.repeat(along[-1:], still, 0)])
        response = haemodynamic_response(1 / DRIVE_HZ)
        length = 2 ** int(np.ceil(np.log2(len(padded) + len(response))))
        spectrum = np.fft.rfft(padded, length, axis=0) * np.fft.rfft(response, length)[:, None]
        answer = np.fft.irfft(spectrum, length, axis=0)[: len(padded)]
        later = self.truth["peak_s"][v] - 5.0  # the response above peaks at 5 s
        wanted = 4 + 2.0 * np.arange(self.ds.n_volumes(segment))[:, None] - 2 * lag_tr - later[None]
        rows = np.round((wanted + STILL_S) * DRIVE_HZ - 0.5).astype(int)
        return detrend(np.take_along_axis(answer, np.clip(rows, 0, len(answer) - 1), axis=0))

    def correlation(self, segments: list[str], lag_tr: int) -> float:
        """Mean over vertices and segments of the correlation of BOLD with what was planted, shifted by some TR."""
        means = []
        for segment in segments:
            bold = self.ds.bold(self.subject, segment)[:, self.motion_vertices]
            guess = self.predicted(segment, lag_tr)
            norms = np.sqrt((guess**2).sum(0) * (bold**2).sum(0))
            means.append(((guess * bold).sum(0) / np.maximum(norms, 1e-6)).mean())
        return float(np.mean(means))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """The tiny data set with its first subject only."""
    config, out = SimulationConfig(size="tiny"), tmp_path_factory.mktemp("simulated")
    write_film(config, out, list(config.segments))
    plan = plan_film(config)
    simulate_subject(config, "1", {segment: film_drive(plan, segment) for segment in config.segments}, out)
    return Simulated(out)


def test_nothing_to_complain_of(simulated: Simulated) -> None:
    ds = simulated.ds
    assert ds.simulated and ds.name == "simulated"
    assert ds.segments == ["seg1", "seg2", "seg3", "test1", "test2"]
    assert check_dataset(ds) == []
    facts = json.loads((simulated.root / "dataset.json").read_text())
    assert facts["format"] == "brainviz-simulated"


def test_both_recording_starts_occur(simulated: Simulated) -> None:
    timing = simulated.ds.timing(simulated.subject).set_index("segment")
    assert (timing.loc["test1", "first_volume_s"] == 2).all() and (timing.loc["test2", "first_volume_s"] == 0).all()
    assert (timing["kept"] == 20).all() and timing["used"].all()


def test_raw_values_are_what_nibabel_reads(simulated: Simulated) -> None:
    scan = simulated.ds.scan(simulated.subject, "test2", 1)
    whole = nib.load(scan.path).get_fdata()
    np.testing.assert_allclose(simulated.ds.raw(simulated.subject, "test2", 1), whole[2:, :59_412], rtol=1e-6)


def test_cuts_are_those_of_the_scenes(simulated: Simulated) -> None:
    for segment in simulated.ds.segments:
        planned = {shot.onset_frame for shot in simulated.plan.shots(segment)} - {0}
        found = set(detect_cuts(simulated.ds.film(segment)).cuts.tolist())
        assert len(found ^ planned) <= max(1, len(planned) // 10)


def test_clips_carry_captions_cases_and_shots(simulated: Simulated) -> None:
    cuts = {segment: detect_cuts(simulated.ds.film(segment)) for segment in simulated.ds.segments}
    clips = simulated.ds.catalogue(cuts)
    assert (clips["caption"] != "").all() and (clips["shot"] != "").all()
    cased = clips[clips["case"] != ""]
    assert len(cased) and (cased["split"] == "test").all() and (cased["continuation"] != "").all()
    assert clips.groupby("shot")["shot_onset"].sum().eq(1).all()
    assert near_duplicates(simulated.ds, clips).empty, "test shots share no crop with training"


@pytest.mark.parametrize("kind", [["seg1", "seg2", "seg3", "test1"], ["test1", "test2"]])
def test_bold_follows_the_film_by_no_more_and_no_less_than_the_rule(simulated: Simulated, kind: list[str]) -> None:
    assert len(simulated.motion_vertices) > 500
    r = {lag: simulated.correlation(kind, lag) for lag in LAGS}
    best = max(r, key=lambda lag: r[lag])
    assert abs(best) <= 1 and r[best] > 0.05
    before, at, after = r[best - 1], r[best], r[best + 1]
    peak_tr = best + (before - after) / (2 * (before - 2 * at + after))
    assert abs(peak_tr) < 0.6, r
