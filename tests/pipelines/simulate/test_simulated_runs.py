"""Whole runs: noise, reliability, files, resuming."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from simulated_film import random_drives

from brainviz.cortex import load_surface
from brainviz.errors import DataProblem, UnknownName
from pipelines.simulate.areas import CLASSES
from pipelines.simulate.cifti import brain_models, grayordinate_positions, read_description, write_dtseries
from pipelines.simulate.config import SimulationConfig
from pipelines.simulate.noise import AR1, NoiseModel, amplitude, draw_noise_model, locked_courses, run_bold
from pipelines.simulate.responses import noise_free
from pipelines.simulate.streams import stream
from pipelines.simulate.subject import run_path, simulate_subject
from pipelines.simulate.vertices import draw_subject

TINY = SimulationConfig(size="tiny")


def clean(raw: np.ndarray) -> np.ndarray:
    """Fourth-order detrending and z-scores of (n_volumes, v), as the data set's authors do."""
    n = len(raw)
    base = np.polynomial.legendre.legvander(np.linspace(-1, 1, n), 4)
    residual = raw - base @ np.linalg.lstsq(base, raw, rcond=None)[0]
    return (residual - residual.mean(0)) / residual.std(0)


@pytest.fixture(scope="module")
def model() -> NoiseModel:
    return draw_noise_model(TINY, "1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("simulated")
    simulate_subject(TINY, "1", random_drives(TINY), out)
    return out


def test_responsive_vertices_agree_between_two_runs_as_they_should() -> None:
    """Median correlation of single runs .15 to .35 over responsive vertices, about none elsewhere."""
    config = SimulationConfig(seed=5)
    drives = {segment: drive for segment, drive in random_drives(config).items() if segment in ("seg1", "seg2")}
    subject = draw_subject(config.seed, "1")
    signal = noise_free(config, subject, drives)["seg1"] * amplitude(subject.reliability)[:, None]
    maps = draw_noise_model(config, "1")
    locked = locked_courses(config, "1", "seg1", drives["seg1"])
    runs = []
    for number in (1, 2):
        bold = run_bold(maps, signal, subject.vertices, locked, stream(config.seed, "run", "1", "seg1", number))
        runs.append(clean(bold[:59412, 1:-4].T.astype(np.float64)))
    agreement = (runs[0] * runs[1]).mean(0)
    assert 0.15 <= np.median(agreement[subject.vertices]) <= 0.35
    silent = np.setdiff1d(np.arange(59412), subject.vertices)
    assert abs(np.median(agreement[silent])) < 0.1


def test_noise_has_its_temporal_and_spatial_correlation(model: NoiseModel) -> None:
    t = 300
    nothing = np.zeros((0, t), np.float32)
    bold = run_bold(model, nothing, np.zeros(0, int), np.zeros((4, t), np.float32), np.random.default_rng(3))
    raw = bold[:59412].T.astype(np.float64)
    assert 9_000 < np.median(raw.mean(0)) < 11_000
    assert 30 < np.median(raw.mean(0) / raw.std(0)) < 90
    noise = clean(raw)
    lag_one = np.median((noise[1:] * noise[:-1]).mean(0))
    assert AR1 - 0.05 < lag_one < AR1 + 0.15  # slower components add to it
    where = grayordinate_positions()[:29696]
    distance = np.linalg.norm(where - where[15000], axis=1)
    near = (distance > 2) & (distance < 4)
    far = distance > 60
    agreement = (noise[:, :29696] * noise[:, [15000]]).mean(0)
    assert agreement[near].mean() > 0.6
    assert abs(agreement[far].mean()) < 0.35


def test_local_noise_is_six_millimetres_smooth(model: NoiseModel) -> None:
    """Noise blurred by a Gaussian of width s correlates by exp(-d^2 / (4 s^2)) at distance d."""
    where = grayordinate_positions()[:29696]
    rng = np.random.default_rng(0)
    noise = model.local[:29696] @ rng.standard_normal((model.local.shape[1], 200)).astype(np.float32)
    np.testing.assert_allclose(noise.std(1).mean(), 1, atol=0.02)
    sigma = 6 / np.sqrt(8 * np.log(2))
    for vertex in (2000, 9000, 20000):
        distance = np.linalg.norm(where - where[vertex], axis=1)
        ring = (distance > 3) & (distance < 5)
        measured = np.mean([np.corrcoef(noise[vertex], noise[k])[0, 1] for k in np.flatnonzero(ring)])
        expected = np.exp(-(distance[ring] ** 2) / (4 * sigma**2)).mean()
        assert measured == pytest.approx(expected, abs=0.15)


def test_signal_lands_on_its_vertices_and_drift_is_slow(model: NoiseModel) -> None:
    t = 100
    vertices = np.array([10, 40_000])
    wave = (20 * np.sin(np.arange(t) * 0.8)).astype(np.float32)
    bold = run_bold(model, np.stack([wave, wave]), vertices, np.zeros((4, t), np.float32), np.random.default_rng(0))
    cleaned = clean(bold[:59412].T.astype(np.float64))
    match = (cleaned * clean(wave[:, None].astype(np.float64))).mean(0)
    assert (match[vertices] > 0.95).all()
    assert np.abs(np.delete(match, vertices)).max() < 0.6
    order = np.polynomial.legendre.legvander(np.linspace(-1, 1, t), 3)
    explained = order @ np.linalg.lstsq(order, bold[59412:].T, rcond=None)[0]
    assert 0.001 < np.median(explained.std(0) / bold[59412:].mean(1)) < 0.06


def test_locked_nuisance_is_shared_by_runs_but_blind_to_motion() -> None:
    drive = random_drives(TINY)["seg1"]
    courses = locked_courses(TINY, "1", "seg1", drive)
    assert courses.shape == (4, 21)
    np.testing.assert_allclose(courses.std(1), 1, atol=1e-3)
    still = type(drive)(0 * drive.velocity, 0 * drive.moving, 0 * drive.camera, drive.colour, drive.cut)
    np.testing.assert_array_equal(courses, locked_courses(TINY, "1", "seg1", still))


def test_files_lie_in_the_data_sets_layout(folder: Path) -> None:
    for segment, clips in TINY.segments.items():
        for run in range(1, TINY.runs_of(segment) + 1):
            with run_path(folder, "1", segment, run).open("rb") as file:
                shape = nib.Nifti2Header.from_fileobj(file).get_data_shape()
            assert shape[4:] == (clips + (6 if segment == "test2" else 5), 91282)
    assert not list(folder.rglob("*.part"))
    assert run_path(folder, "1", "seg1", 2).relative_to(folder) == Path(
        "subject1/fmri/seg1/cifti/seg1_2_Atlas.dtseries.nii"
    )


def test_nibabel_reads_the_standard_axes(folder: Path) -> None:
    image = nib.load(run_path(folder, "1", "test2", 1))
    time, models = (image.header.get_axis(k) for k in (0, 1))
    assert (time.start, time.step, str(time.unit)) == (0, 2.0, "SECOND")
    structures = {str(name): piece for name, piece, _ in models.iter_structures()}
    assert structures["CIFTI_STRUCTURE_CORTEX_LEFT"] == slice(0, 29696)
    assert structures["CIFTI_STRUCTURE_CORTEX_RIGHT"] == slice(29696, 59412)
    assert len(structures) == 21 and models == brain_models()
    full = np.where(np.arange(59412) < 29696, 0, 32492) + models.vertex[:59412]
    np.testing.assert_array_equal(full, load_surface().cortex)
    voxels = models.voxel[59412:]
    assert len(np.unique(voxels, axis=0)) == 31870
    values = image.get_fdata(dtype=np.float32)
    assert np.isfinite(values).all() and 8_000 < np.median(values) < 12_000


def test_values_survive_the_file(tmp_path: Path) -> None:
    stored = np.arange(91282 * 3, dtype=np.int32).astype(np.int16).reshape(91282, 3)
    path = tmp_path / "a" / "x.dtseries.nii"
    write_dtseries(path, stored, "a test")
    np.testing.assert_array_equal(nib.load(path).get_fdata(), stored.T * 0.5 + 10_000)
    assert read_description(path) == "a test"
    assert nib.load(path).get_data_dtype() == np.int16


@pytest.mark.parametrize("shape", [(91282, 3), (59412, 3)])
def test_an_array_that_is_no_dense_time_series_is_refused(shape: tuple[int, int], tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="no dense time series"):
        write_dtseries(tmp_path / "x.dtseries.nii", np.zeros(shape, np.float32), "")  # type: ignore[arg-type]


def test_a_lost_run_is_made_again_to_the_bit_and_alone(folder: Path) -> None:
    lost = run_path(folder, "1", "test1", 2)
    before = lost.read_bytes()
    others = {path: path.stat().st_mtime_ns for path in folder.rglob("*.nii") if path != lost}
    lost.unlink()
    told: list[float] = []
    simulate_subject(TINY, "1", random_drives(TINY), folder, lambda fraction, _: told.append(fraction))
    assert lost.read_bytes() == before
    assert told == [1.0]
    assert others == {path: path.stat().st_mtime_ns for path in others}


def test_runs_of_one_segment_differ_in_noise_only(folder: Path) -> None:
    first, second = (nib.load(run_path(folder, "1", "seg1", run)).get_fdata() for run in (1, 2))
    assert not np.array_equal(first, second)
    np.testing.assert_allclose(first.mean(0), second.mean(0), rtol=0.25)
    assert abs(np.corrcoef(clean(first)[:, 70_000], clean(second)[:, 70_000])[0, 1]) < 0.9


def test_another_world_is_not_taken_for_this_one(tmp_path: Path, folder: Path) -> None:
    path = run_path(folder, "1", "seg1", 1)
    assert read_description(path).startswith("brainviz simulated") and "mixed" in read_description(path)
    copy = run_path(tmp_path, "1", "seg1", 1)
    copy.parent.mkdir(parents=True)
    copy.write_bytes(path.read_bytes())
    noise = SimulationConfig(size="tiny", world="noise")
    simulate_subject(noise, "1", random_drives(noise), tmp_path)
    assert "noise" in read_description(copy)


def test_the_truth_is_written(folder: Path) -> None:
    with np.load(folder / "truth" / "subject1.npz", allow_pickle=False) as truth:
        responsive, kind, share = truth["responsive"], truth["class"], truth["share"]
        assert list(truth["class_names"]) == list(CLASSES)
        np.testing.assert_array_equal(responsive, kind > 0)
        np.testing.assert_allclose(share.sum(1), responsive, atol=1e-5)
        assert np.isfinite(truth["field"][responsive]).all() and np.isnan(truth["field"][~responsive]).all()
        motion, static = share[kind == CLASSES.index("motion")].mean(0)[[1, 0]]
        assert motion > 3 * static
        for name in ("peak_s", "reliability", "direction", "speed"):
            assert truth[name].shape == (59412,)


@pytest.mark.parametrize(("world", "active"), [("static", True), ("noise", False), ("nuisance", False)])
def test_the_truth_of_other_worlds_holds_no_motion(world: str, active: bool) -> None:
    from pipelines.simulate.truth import planted

    truth = planted(SimulationConfig(size="tiny", world=world), draw_subject(0, "1"))
    assert truth["responsive"].any() == active
    assert not truth["share"][:, 1:3].any()
    assert np.isnan(truth["direction"]).all()


def test_bad_requests_are_named(tmp_path: Path) -> None:
    drives = random_drives(TINY)
    with pytest.raises(UnknownName, match="subject"):
        simulate_subject(TINY, "9", drives, tmp_path)
    with pytest.raises(DataProblem, match="no drive"):
        simulate_subject(TINY, "1", {"seg1": drives["seg1"]}, tmp_path)
    with pytest.raises(DataProblem, match="samples"):
        simulate_subject(TINY, "1", drives | {"seg2": random_drives(SimulationConfig())["seg2"]}, tmp_path)
    assert not list(tmp_path.iterdir())
