"""Regions left out at once, from what the stage has stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainviz.errors import NotReady, UnknownName
from brainviz.flow.errors import end_point_error
from brainviz.storage import read_array
from brainviz.workspace import Workspace
from pipelines.interactive.regions import HOWS, lesioned, moved_frame
from support.fake_regions import DECODED
from support.fake_workspace import make_workspace

CLIP = "test1-0003"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_workspace(tmp_path_factory.mktemp("regions"), subjects=["1"])


def test_errors_are_those_of_the_flow_that_is_shown(workspace: Workspace) -> None:
    for how in HOWS:
        lesion = lesioned(workspace, "1", CLIP, ["MT"], how)
        truth, valid = workspace.flow("1", CLIP, "truth")[None], workspace.flow_valid(CLIP)[None]
        assert lesion.flow.shape == (3, 32, 32, 2)
        assert lesion.epe == pytest.approx(float(end_point_error(lesion.flow[None], truth, valid)[0]), abs=1e-4)
        assert lesion.epe_full == pytest.approx(
            float(end_point_error(lesion.full_flow[None], truth, valid)[0]), abs=1e-4
        )
        assert not np.allclose(lesion.flow, lesion.full_flow)
        assert lesion.n_vertices == 2 * DECODED["MT"]


def test_means_are_over_all_test_clips(workspace: Workspace) -> None:
    clips = [clip for clip in workspace.clips["clip"] if clip.startswith("test")]
    each = [lesioned(workspace, "1", clip, ["V1", "MT"], "without") for clip in clips]
    assert each[0].mean_epe == pytest.approx(np.nanmean([lesion.epe for lesion in each]))
    assert each[0].mean_epe_no_brain == pytest.approx(np.nanmean([lesion.epe_no_brain for lesion in each]))


def test_a_set_has_no_order_and_no_doubles(workspace: Workspace) -> None:
    one = lesioned(workspace, "1", CLIP, ["MT", "V1", "MT"], "without")
    other = lesioned(workspace, "1", CLIP, ["V1", "MT"], "without")
    assert one.regions == other.regions == ("V1", "MT")
    np.testing.assert_array_equal(one.flow, other.flow)


def test_nothing_left_is_the_mean_flow_and_all_kept_is_close_to_the_full_decoder(workspace: Workspace) -> None:
    result = workspace.results.current("leave_out", "1")
    assert result is not None
    mean = read_array(result.arrays, "mean")
    for how in ("without", "conditional"):
        np.testing.assert_allclose(lesioned(workspace, "1", CLIP, list(DECODED), how).flow, mean, atol=1e-6)
    whole = lesioned(workspace, "1", CLIP, list(DECODED), "only")
    np.testing.assert_allclose(whole.flow, whole.full_flow, atol=1e-3)


def test_a_region_without_decoded_vertices_changes_nothing(workspace: Workspace) -> None:
    lesion = lesioned(workspace, "1", CLIP, ["A1"], "without")
    np.testing.assert_array_equal(lesion.flow, lesion.full_flow)
    assert lesion.unused == ("A1",)
    assert lesioned(workspace, "1", CLIP, ["A1"], "only").epe == lesion.epe_no_brain


def test_what_does_not_exist_is_named(workspace: Workspace) -> None:
    with pytest.raises(UnknownName):
        lesioned(workspace, "1", CLIP, ["V1x"], "without")
    with pytest.raises(UnknownName):
        lesioned(workspace, "1", CLIP, ["L_V1"], "without")
    with pytest.raises(UnknownName):
        lesioned(workspace, "1", CLIP, ["V1"], "masked")
    with pytest.raises(UnknownName):
        lesioned(workspace, "9", CLIP, ["V1"], "without")
    with pytest.raises(NotReady):
        lesioned(workspace, "1", "seg1-0001", ["V1"], "without")


def test_the_first_frame_moves_by_the_lesioned_flow(workspace: Workspace) -> None:
    lesion = lesioned(workspace, "1", CLIP, ["MT"], "without")
    frames = moved_frame(workspace, CLIP, lesion.flow, 96)
    assert frames.shape == (workspace.film_sprite(CLIP).n, 96, 96, 3)
    np.testing.assert_array_equal(frames[0], workspace.first_frame(CLIP, 96))
    assert (moved_frame(workspace, CLIP, np.zeros_like(lesion.flow), 96)[-1] == frames[0]).mean() > 0.99


def test_without_a_result_it_is_not_ready(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "workspace.json").write_text((workspace.path / "workspace.json").read_text())
    with pytest.raises(NotReady):
        lesioned(Workspace(tmp_path), "1", CLIP, ["V1"], "without")
