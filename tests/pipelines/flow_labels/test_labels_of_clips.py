"""Labels of rendered films whose motion is known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from brainviz.errors import BrainvizError, Cancelled, DataProblem
from brainviz.flow.fields import frame_numbers
from pipelines.flow_labels import (
    ClipLabels,
    compare_with_exact,
    label_film,
    label_frames,
    make_labeller,
    measured_frames,
)

SIZE, FPS = 112, 15
PHOTO = data.astronaut()


def _view(pan: tuple[float, float], zoom: float, t: float) -> tuple[float, float, float]:
    """Scale and corner of the camera's window on the photo at frame t."""
    scale = 2.2 * zoom**t
    return scale, 120 + pan[0] * t, 100 + pan[1] * t


def _frame(view: tuple[float, float, float]) -> np.ndarray:
    scale, x, y = view
    window = np.float32([[scale, 0, x], [0, scale, y]])
    return cv2.warpAffine(PHOTO, window, (SIZE, SIZE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def _film(pan: tuple[float, float], zoom: float = 1.0, n: int = 30) -> np.ndarray:
    return np.stack([_frame(_view(pan, zoom, t)) for t in range(n)])


def _exact(pan: tuple[float, float], zoom: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Flow between the clip's frames on the grid, and where it stays inside: from the cameras alone."""
    centres = (np.stack(np.meshgrid(np.arange(32), np.arange(32)), axis=-1) + 0.5) * SIZE / 32 - 0.5
    flow, inside = [], []
    for a, b in zip(frame_numbers(FPS)[:-1], frame_numbers(FPS)[1:], strict=True):
        (s0, *c0), (s1, *c1) = _view(pan, zoom, a), _view(pan, zoom, b)
        landing = (centres * s0 + c0 - c1) / s1
        flow.append((landing - centres) * 32 / SIZE)
        inside.append(((landing > 2) & (landing < SIZE - 3)).all(axis=-1))
    return np.stack(flow)[None], np.stack(inside)[None]


@pytest.mark.parametrize(
    ("pan", "zoom"),
    [((0.0, 0.0), 1.0), ((3.0, 0.0), 1.0), ((-2.0, 4.0), 1.0), ((0.0, 0.0), 0.985), ((2.0, -1.0), 1.01)],
)
def test_camera_moves_are_measured(pan: tuple[float, float], zoom: float) -> None:
    labels = label_frames(_film(pan, zoom), FPS, 1, make_labeller("dis"))
    exact, inside = _exact(pan, zoom)
    row = compare_with_exact(labels.flow, labels.valid, exact, inside).iloc[0]
    assert row.epe < 0.12
    assert row.coverage > 0.85
    fitted = np.abs(labels.camera[..., :2] - exact[..., 15:17, 15:17, :].mean(axis=(-2, -3)))
    assert fitted.max() < 0.2
    assert labels.moving.mean() < 0.03
    np.testing.assert_allclose(labels.step_s, [10 / 15, 10 / 15, 9 / 15])
    assert "DIS (OpenCV" in labels.labeller and "112 px" in labels.labeller


def test_an_object_moves_on_its_own() -> None:
    film = _film((0.0, 0.0))
    patch = cv2.resize(data.coffee()[100:300, 150:350], (49, 49), interpolation=cv2.INTER_AREA)
    for t in range(30):
        film[t, 28:77, 21 + t : 70 + t] = patch
    labels = label_frames(film, FPS, 1, make_labeller("dis"))
    np.testing.assert_allclose(labels.flow[0, 0, 10:20, 8:18].mean(axis=(0, 1)), [10 * 32 / SIZE, 0], atol=0.25)
    assert labels.moving[0, 0, 9:21, 7:19].mean() > 0.9
    assert labels.moving[0, 0, :6].mean() < 0.05
    covered = labels.valid[0, 0, 10:20, 21:22]  # what the object covers is seen no more
    assert covered.mean() < 0.5


def test_steps_over_cuts_and_fades_are_invalid() -> None:
    film = np.concatenate([_film((1.0, 0.0))] * 3)
    film[45:] = film[45:, ::-1]
    labels = label_frames(film, FPS, 3, make_labeller("dis"), cuts=[45], fades=[(62, 65)])
    usable = labels.valid.mean(axis=(-1, -2)) > 0.5
    # The cut at frame 45 lies in clip 1 (frames 30-59), step 10-20; the fade in clip 2, step 0-10.
    assert usable.tolist() == [[True] * 3, [True, False, True], [False, True, True]]
    assert not labels.flow[1, 1].any() and labels.consistency[1, 1] == 0


def test_a_cut_on_a_steps_border_spoils_only_the_step_before() -> None:
    film = np.concatenate([_film((1.0, 0.0))] * 2)
    labels = label_frames(film, FPS, 2, make_labeller("dis"), cuts=[10, 30])
    assert labels.valid.any(axis=(-1, -2)).tolist() == [[False, True, True], [True] * 3]


def test_gaps_are_short_and_cover_each_step() -> None:
    for fps, gap in [(15, 0.2), (30, 0.2), (29.97, 0.1), (4, 0.1)]:
        steps = measured_frames(fps, gap)
        assert [s[0] for s in steps] + [steps[-1][-1]] == frame_numbers(fps).tolist()
        assert max(np.diff(s).max() for s in steps) <= max(1, gap * fps)
    assert [s.tolist() for s in measured_frames(15, 1.0)] == [[0, 10], [10, 20], [20, 29]]


def test_same_film_same_labels() -> None:
    runs = [label_frames(_film((2.0, 1.0)), FPS, 1, make_labeller("dis")) for _ in range(2)]
    assert runs[0].flow.tobytes() == runs[1].flow.tobytes()


def test_clips_are_cut_where_they_begin() -> None:
    """Each clip of a film with another pan per clip gets its own motion, streamed."""
    pans = [(3.0, 0.0), (0.0, 3.0), (-3.0, 0.0)]
    film = np.concatenate([_film(p) for p in pans])
    reports: list[float] = []
    labels = label_frames(
        iter(film), FPS, 3, make_labeller("dis"), cuts=[30, 60], progress=lambda part, text: reports.append(part)
    )
    pan = labels.camera[:, 0, :2]
    np.testing.assert_allclose(pan, [_exact(p)[0][0, 0, 16, 16] for p in pans], atol=0.2)
    assert reports == pytest.approx([1 / 3, 2 / 3, 1])
    joined = ClipLabels.join([labels, labels])
    assert len(joined) == 6 and joined.flow.shape == (6, 3, 32, 32, 2)


def test_films_that_end_early() -> None:
    film = np.concatenate([_film((1.0, 0.0))] * 2)
    assert len(label_frames(film[:59], FPS, 2, make_labeller("dis"))) == 2
    with pytest.raises(DataProblem, match="ends in clip 1 of 2"):
        label_frames(film[:50], FPS, 2, make_labeller("dis"))


def test_progress_may_stop_the_work() -> None:
    def stop(part: float, text: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        label_frames(_film((1.0, 0.0)), FPS, 1, make_labeller("dis"), progress=stop)


def test_labels_of_different_labellers_do_not_mix() -> None:
    film = _film((1.0, 0.0))
    a = label_frames(film, FPS, 1, make_labeller("dis"))
    b = label_frames(film[:, ::2, ::2], FPS, 1, make_labeller("dis", size=64))
    with pytest.raises(BrainvizError, match="one labeller"):
        ClipLabels.join([a, b])


def test_comparison_counts_only_what_both_know() -> None:
    labels = label_frames(_film((2.0, 0.0)), FPS, 1, make_labeller("dis"))
    defined = np.zeros_like(labels.valid)
    defined[:, :, 8:24, 8:24] = True
    row = compare_with_exact(labels.flow, labels.valid, labels.flow + np.float32([3, 4]), defined).iloc[0]
    assert row.epe == pytest.approx(5) and row.epe_all == pytest.approx(5)
    assert row.coverage == pytest.approx(labels.valid[:, :, 8:24, 8:24].mean())
    assert np.isnan(compare_with_exact(labels.flow, labels.valid, labels.flow, np.zeros_like(defined)).epe[0])


@pytest.mark.parametrize("fps", [15, 30])
def test_a_film_file_gives_the_labels_of_its_frames(fps: int, tmp_path: Path) -> None:
    """Through a real MP4: two clips with a cut between them, found by the cut detector."""
    from brainviz.video.cuts import detect_cuts
    from brainviz.video.writing import write_mp4

    slow = 15 / fps
    film = np.concatenate([_film((3.0 * slow, 0.0), n=2 * fps), _film((0.0, -3.0 * slow), n=2 * fps)[:, :, ::-1]])
    path = tmp_path / "film.mp4"
    write_mp4(path, film, fps)
    cuts = detect_cuts(path)
    labels = label_film(path, 2, make_labeller("dis"), cuts.cuts, cuts.fades)
    assert (len(cuts.cuts), len(cuts.fades)) == (1, 0)
    plain = label_frames(film, fps, 2, make_labeller("dis"), [2 * fps])
    both = labels.valid & plain.valid
    assert both.mean() > 0.75
    assert np.abs(labels.flow - plain.flow)[both].mean() < 0.05  # the file is compressed
    np.testing.assert_allclose(labels.camera[0, 0, :2], [-30 / 2.2 * 32 / SIZE, 0], atol=0.2)
    np.testing.assert_allclose(labels.camera[1, 0, :2], [0, 30 / 2.2 * 32 / SIZE], atol=0.2)
    assert len(label_film(path, 1, make_labeller("dis"))) == 1
    with pytest.raises(DataProblem, match="ends in clip 2 of 3"):
        label_film(path, 3, make_labeller("dis"))
