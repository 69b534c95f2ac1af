"""FlowI-SAM in transformers' SAM, against arrays of SAM's original decoder (`tiny_flowsam`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from brainviz.compat import prepare_torchvision
from brainviz.errors import BrainvizError, DataProblem, NotReady
from pipelines import weights as store
from pipelines.flow_labels import make_labeller
from pipelines.reanimate.drive import drive
from pipelines.reanimate.flowsam import FlowSam, FlowSamSettings, chosen, flow_pictures, object_masks

prepare_torchvision()

from tiny_flowsam import flowsam_arrays, published_flowsam, save_tiny_flowsam, save_tiny_sam  # noqa: E402
from transformers import SamModel  # noqa: E402

SETTINGS = FlowSamSettings(points=4, least_overlap=-9.0)


@pytest.fixture(scope="module")
def arrays() -> dict[str, torch.Tensor]:
    return flowsam_arrays()


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sam")
    save_tiny_sam(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory, base) -> Path:
    return save_tiny_flowsam(tmp_path_factory.mktemp("flowsam"), base)


def test_decoder_makes_the_original_masks(arrays, folder):
    network = SamModel.from_pretrained(folder).eval()
    points = arrays["points"][None]
    with torch.no_grad():
        first, rest = (
            network(image_embeddings=arrays["embedding"], input_points=points, multimask_output=many)
            for many in (False, True)
        )
    masks = torch.cat([first.pred_masks[0], rest.pred_masks[0]], dim=1)
    overlap = torch.cat([first.iou_scores[0], rest.iou_scores[0]], dim=1)
    torch.testing.assert_close(masks, arrays["masks"], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(overlap, arrays["overlap"], rtol=1e-4, atol=1e-5)


def test_encoder_is_left_alone(base, folder):
    before, after = (SamModel.from_pretrained(place).state_dict() for place in (base, folder))
    changed = {name.split(".")[0] for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed == {"mask_decoder"}


def test_flowp_and_damaged_files_are_refused_by_name(base, tmp_path):
    from pipelines.reanimate.flowsam_checkpoint import convert_flowsam

    held = published_flowsam()
    held["model_state_dict"] |= {"obj_token.weight": torch.zeros(1, 8), "prompt_tokens.weight": torch.zeros(4, 8)}
    del held["model_state_dict"]["iou_token.weight"]
    torch.save(held, tmp_path / "flowp.pth")
    with pytest.raises(DataProblem, match=r"1 tensors are missing and 2 unexpected.*obj_token.weight"):
        convert_flowsam(tmp_path / "flowp.pth", base, tmp_path / "out")
    assert not (tmp_path / "out").exists() and [path.name for path in tmp_path.iterdir()] == ["flowp.pth"]


def test_fetched_by_hand_and_converted_once(base, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BRAINVIZ_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(BrainvizError, match=r"drive\.google\.com.*weights flowsam --file FILE"):
        store.fetch("flowsam", lambda *_: None)
    snapshots = tmp_path / "hub" / "models--facebook--sam-vit-base" / "snapshots"
    snapshots.mkdir(parents=True)
    (snapshots / "main").symlink_to(base)
    torch.save(published_flowsam(), tmp_path / "flowisam.pth")
    place = store.fetch("flowsam", lambda *_: None, tmp_path / "flowisam.pth")
    assert place == store.find("flowsam") and "120 tensors mapped" in capsys.readouterr().out
    assert FlowSam(place).mask(np.zeros((1, 32, 32, 2), np.float32)).shape == (32, 32)
    assert "here already" in (store.fetch("flowsam", lambda *_: None), capsys.readouterr().out)[1]


def test_missing_weights_say_what_to_do(tmp_path):
    with pytest.raises(NotReady, match="python -m pipelines weights flowsam"):
        FlowSam(tmp_path)


def test_flow_becomes_pictures():
    flow = np.zeros((2, 20, 40, 2), np.float32)
    flow[1, :, :20, 0] = 3.0
    pictures = flow_pictures(flow, 64)
    assert pictures.shape == (2, 3, 64, 64) and pictures.dtype == np.float32
    white = (255 - np.float32([123.675, 116.28, 103.53])) / np.float32([58.395, 57.12, 57.375])
    assert np.allclose(pictures[0, :, :32], white[:, None, None]) and not pictures[0, :, 32:].any()
    assert np.allclose(pictures[1, :, :32, 40:], white[:, None, None])
    red = pictures[1, :, 16, 8] * np.float32([58.395, 57.12, 57.375]) + np.float32([123.675, 116.28, 103.53])
    assert red[0] > 250 and red[1] < 40  # right is red, the fastest in full colour


def test_choice_of_masks():
    masks = np.zeros((6, 20, 20), bool)
    masks[0, 2:8, 2:8] = True
    masks[1, 2:8, 2:8] = True  # the same again
    masks[2] = True
    masks[2, 5:15, 5:15] = False  # background
    masks[3, 12:18, 12:18] = True
    masks[5, 10:14, 2:6] = True  # too unsure
    overlap = np.array([0.8, 0.7, 0.95, 0.9, 0.99, 0.4], np.float32)
    assert chosen(masks, overlap, FlowSamSettings()).tolist() == [3, 0]
    assert chosen(masks, overlap, FlowSamSettings(most=1)).tolist() == [3]
    assert chosen(masks[2:3], overlap[2:3], FlowSamSettings()).size == 0


def test_masks_of_a_film_drive_a_motion(folder):
    rng = np.random.default_rng(0)
    ground = rng.integers(0, 255, (96, 96, 3), dtype=np.uint8)
    frames = np.stack([np.roll(ground, 2 * k, axis=1) for k in range(12)])
    network = FlowSam(folder, settings=SETTINGS)
    made = object_masks(frames, (0, 4, 11), make_labeller("dis"), network)
    assert made.shape == (3, 32, 32) and made.dtype == bool
    assert np.array_equal(made, object_masks(frames, (0, 4, 11), make_labeller("dis"), network))
    flow = np.ones((3, 32, 32, 2), np.float32)
    moved = drive(flow, [0.1, 0.1, 0.1], "flowsam", made).displacement
    assert np.array_equal(moved[0, ..., 0] > 0, made[0])
    with pytest.raises(BrainvizError, match="no frame 12"):
        object_masks(frames, (0, 12), make_labeller("dis"), network)
    with pytest.raises(BrainvizError, match="too short"):
        object_masks(frames[:2], (0,), make_labeller("dis"), network)
