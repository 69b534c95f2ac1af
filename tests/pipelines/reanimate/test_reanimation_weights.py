"""`python -m pipelines weights NAME`: tiny checkpoints in the published layouts, fetched, converted once, read back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from brainviz.errors import BrainvizError, DataProblem
from pipelines import conversions
from pipelines import weights as store
from pipelines.__main__ import main
from pipelines.reanimate.dragnuwa.key_map import PREFIX, module_map
from pipelines.reanimate.registry import make_backend
from pipelines.weights_catalogue import known_weights

TINY = {
    "down_block_types": ("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
    "up_block_types": ("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
    "block_out_channels": (32, 32),
    "num_attention_heads": (2, 2),
    "cross_attention_dim": 32,
    "layers_per_block": 1,
    "addition_time_embed_dim": 32,
    "projection_class_embeddings_input_dim": 96,
}


@pytest.fixture(autouse=True)
def bare_machine(tmp_path, monkeypatch):
    for name in ("BRAINVIZ_WEIGHTS", "HF_HUB_CACHE", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for name, own in conversions.STEERED.items():
        monkeypatch.setitem(conversions.STEERED, name, {**TINY, **own, "num_frames": 3})


def published(name: str, low_rank: bool) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """A random network and the tensors its authors would publish."""
    from pipelines.reanimate.dragnuwa.network import FlowUNet

    torch.manual_seed(0)
    network = FlowUNet(**conversions.STEERED[name])
    theirs = sorted(((ours, named) for named, ours in module_map(network).items()), key=lambda pair: -len(pair[0]))
    held, state = {}, network.state_dict()
    linear = {n for n, part in network.named_modules() if isinstance(part, torch.nn.Linear)}
    for ours, value in state.items():
        begin, named = next((a, b) for a, b in theirs if ours == a or ours.startswith(f"{a}."))
        layer, _, kind = f"{PREFIX}{named}{ours.removeprefix(begin)}".rpartition(".")
        if not low_rank or ours.rpartition(".")[0] not in linear:
            held[f"{layer}.{kind}"] = value
            continue
        held[f"{layer}.linear.{kind}"] = value
        if kind == "weight":
            held[f"{layer}.lora_up.weight"] = torch.zeros(len(value), 2)
            held[f"{layer}.lora_down.weight"] = torch.ones(2, value.shape[1])
    return held | {"first_stage_model.encoder.a": torch.zeros(2)}, state


def same_tensors(folder: Path, state: dict[str, torch.Tensor]) -> bool:
    from safetensors.torch import load_file

    held = load_file(folder / "diffusion_pytorch_model.safetensors")
    return set(held) == set(state) and all(torch.equal(held[name], value) for name, value in state.items())


def test_a_file_is_converted_once(tmp_path, capsys):
    held, state = published("dragnuwa", low_rank=True)
    torch.save(held, tmp_path / "drag.pth")
    assert main(["weights", "dragnuwa", "--file", str(tmp_path / "drag.pth")]) == 0
    said = capsys.readouterr().out
    assert said.index("10.20 GB") < said.index(f"{len(state)} tensors mapped") and "MIT" in said
    assert "1 elsewhere" in said and "first_stage_model.encoder.a" in said
    place = store.find("dragnuwa")
    assert place is not None and same_tensors(place, state)
    stamp = (place / "config.json").stat().st_mtime_ns
    assert main(["weights", "dragnuwa"]) == 0 and "is here already" in capsys.readouterr().out
    assert (place / "config.json").stat().st_mtime_ns == stamp
    assert make_backend("dragnuwa", svd=tmp_path).missing().startswith(f"{tmp_path} is no diffusers pipeline")


def test_the_hub_file_of_motionpro_unwrapped(tmp_path, monkeypatch):
    held, state = published("motionpro", low_rank=True)
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    deepspeed = {"module": {f"module.{name}": value for name, value in held.items()}, "global_steps": 14000}
    torch.save(deepspeed, snapshot / "MotionPro_Dense-gs_14k.pt")
    asked = []

    def hub(name: str, revision: str, allow_patterns: list[str]) -> str:
        asked.append((name, allow_patterns))
        return str(snapshot)

    monkeypatch.setattr("huggingface_hub.snapshot_download", hub)
    monkeypatch.setattr("huggingface_hub.HfApi.list_repo_files", lambda *_, **__: ["MotionPro_Dense-gs_14k.pt"])
    place = store.fetch("motionpro", lambda *_: None)
    assert asked == [("HiDream-ai/MotionPro", ["MotionPro_Dense-gs_14k.pt"])]
    assert same_tensors(place, state)
    entry = next(value for name, value in state.items() if name.startswith("flow_encoder") and value.ndim == 4)
    assert entry.shape[1] == 3


def test_every_wrong_tensor_is_named(tmp_path, capsys):
    held, _ = published("dragnuwa", low_rank=False)
    held[f"{PREFIX}surprise.weight"] = torch.zeros(1)
    del held[f"{PREFIX}out.2.bias"]
    torch.save({"state_dict": held}, tmp_path / "drag.pth")
    assert main(["weights", "dragnuwa", "--file", str(tmp_path / "drag.pth")]) == 2
    said = capsys.readouterr().err
    assert "conv_out.bias" in said and "surprise.weight" in said
    assert store.find("dragnuwa") is None and not list((tmp_path / "BRAINVIZ_WEIGHTS").glob("*"))


def test_programs_in_a_checkpoint_never_run(tmp_path):
    class Surprise:
        def __reduce__(self):
            return (tmp_path / "run").touch, ()

    torch.save({"module": {}, "args": Surprise()}, tmp_path / "bad.pt")
    with pytest.raises(DataProblem, match="more than tensors"):
        store.fetch("motionpro", lambda *_: None, tmp_path / "bad.pt")
    assert not (tmp_path / "run").exists()


def test_a_cut_short_conversion_is_found(tmp_path):
    from pipelines.reanimate.dragnuwa.checkpoint import verify_tensors

    held, state = published("dragnuwa", low_rank=False)
    torch.save(held, tmp_path / "drag.pth")
    place = store.fetch("dragnuwa", lambda *_: None, tmp_path / "drag.pth")
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    verify_tensors(place, shapes)
    with pytest.raises(DataProblem, match="differ in more"):
        verify_tensors(place, shapes | {"more": (1,)})
    file = place / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DataProblem, match="cannot be read"):
        verify_tensors(place, shapes)


def test_what_cannot_be_done_says_what_can(tmp_path, monkeypatch):
    def silent(*_, **__):
        raise OSError("no route")

    monkeypatch.setattr("huggingface_hub.HfApi.list_repo_files", silent)
    with pytest.raises(BrainvizError, match=r"drive\.google\.com/uc\?id=.*weights dragnuwa --file FILE"):
        store.fetch("dragnuwa", lambda *_: None)
    with pytest.raises(BrainvizError, match="used as published"):
        store.fetch("svd", lambda *_: None, tmp_path)
    with pytest.raises(BrainvizError, match="is not there"):
        store.fetch("dragnuwa", lambda *_: None, tmp_path / "none.pth")


def test_all_are_listed_with_size_and_licence():
    lines = store.listing()
    for name in ("svd", "svd-xt", "dragnuwa", "motionpro", "sam", "flowsam"):
        known = known_weights()[name]
        assert f"missing; fetch: python -m pipelines weights {name}" in lines
        assert known.size_gb > 0 and known.licence in lines
