"""Targets and films by published networks: tiny random networks in the true file formats, through to scored targets."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from brainviz.compat import prepare_torchvision
from brainviz.errors import BrainvizError, DataProblem
from brainviz.results import ResultStore
from brainviz.storage import read_array, read_table, write_array, write_table
from brainviz.video.writing import write_mp4
from pipelines.graph import Context, Cost, Task, perform
from pipelines.mind_animator import pretrained
from pipelines.mind_animator.config import PUBLISHED, PartConfig
from pipelines.mind_animator.pretrained import BLIP, CLIP, GENERATOR, TargetNetworks, found_networks, make_captioner
from pipelines.mind_animator.sampling import Sampling
from pipelines.plan_mind_animator import mind_animator_tasks, target_tasks
from pipelines.sources import Source

FILMS, CORTEX, PX = {"seg1": 14, "seg2": 14, "test1": 12}, 59412, 64
WORDS = ["a", "cat", "boat", "moves", "left", "right"]
TINY = dataclasses.replace(
    PUBLISHED,
    vertices=40,
    semantic=PartConfig(8, 1, 1, 32, 1e-3),
    structure=PartConfig(16, 1, 1, 32, 1e-3),
    motion=PartConfig(8, 1, 1, 32, 0.3),
    mapper_hidden=(16, 16),
    layers=1,
    heads=2,
    hidden=16,
)


def tokenizer(folder: Path) -> None:
    """A CLIP tokenizer that knows a few words."""
    from transformers import CLIPTokenizer

    vocabulary = {
        token: i for i, token in enumerate([*(f"{word}</w>" for word in WORDS), "<|startoftext|>", "<|endoftext|>"])
    }
    letters = sorted({letter for word in WORDS for letter in word})
    for token in (*letters, *(f"{letter}</w>" for letter in letters)):
        vocabulary.setdefault(token, len(vocabulary))
    CLIPTokenizer(vocab=vocabulary, merges=[]).save_pretrained(folder)


def save_networks(home: Path) -> dict[str, str]:
    """Tiny random networks, in the layout of those that the hub has."""
    prepare_torchvision()
    import diffusers
    import transformers

    torch.manual_seed(0)
    text = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    text |= {"vocab_size": 60, "max_position_embeddings": 24, "projection_dim": 12}
    seen = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    seen |= {"image_size": 32, "patch_size": 16, "projection_dim": 12}
    clip = transformers.CLIPConfig(text_config=text, vision_config=seen, projection_dim=12)
    transformers.CLIPModel(clip).save_pretrained(home / "clip")
    tokenizer(home / "clip")
    diffusion = home / "diffusion"
    transformers.CLIPTextModel(transformers.CLIPTextConfig(**text)).save_pretrained(diffusion / "text_encoder")
    tokenizer(diffusion / "tokenizer")
    blocks = (8, 8, 8, 8)
    diffusers.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=blocks,
        norm_num_groups=4,
        latent_channels=4,
    ).save_pretrained(diffusion / "vae")
    diffusers.UNet2DConditionModel(
        sample_size=8,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(8, 8),
        layers_per_block=1,
        norm_num_groups=4,
        cross_attention_dim=16,
        attention_head_dim=4,
    ).save_pretrained(diffusion / "unet")
    return {CLIP: str(home / "clip"), GENERATOR: str(diffusion)}


def save_captioner(folder: Path) -> str:
    prepare_torchvision()
    import transformers

    torch.manual_seed(1)
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    words = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "ffn_dim": 16, "vocab_size": 64}
    words |= {"word_embed_proj_dim": 16, "max_position_embeddings": 64, "bos_token_id": 6, "eos_token_id": 7}
    words |= {"pad_token_id": 7}
    config = transformers.Blip2Config(
        vision_config={**small, "image_size": 28, "patch_size": 14},
        qformer_config={**small, "encoder_hidden_size": 16, "vocab_size": 32},
        text_config={"model_type": "opt", **words},
        num_query_tokens=4,
        image_token_index=63,
    )
    transformers.Blip2ForConditionalGeneration(config).save_pretrained(folder)
    tokenizer(folder)
    return str(folder)


@pytest.fixture(scope="module")
def networks(tmp_path_factory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("networks")
    return save_networks(home) | {BLIP: save_captioner(home / "blip")}


def frames(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (n, PX, PX, 3), np.uint8)


def test_targets_are_those_of_the_networks_themselves(networks) -> None:
    made = TargetNetworks.load(Path(networks[CLIP]), Path(networks[GENERATOR]))
    prepare_torchvision()
    import transformers
    from diffusers import AutoencoderKL

    lines, seen = ["a cat moves left", "a boat", "right"], frames(9)
    folder = Path(networks[GENERATOR])
    clip = transformers.CLIPModel.from_pretrained(networks[CLIP]).eval()
    words = transformers.CLIPTokenizer.from_pretrained(networks[CLIP])
    with torch.no_grad():
        one = clip.text_model(**words(["a boat"], return_tensors="pt"))
        vector = clip.text_projection(one.pooler_output)
        given = words(["a boat"], padding="max_length", max_length=20, return_tensors="pt").input_ids
        context = transformers.CLIPTextModel.from_pretrained(folder / "text_encoder").eval()(given)[0]
        vae = AutoencoderKL.from_pretrained(folder / "vae").eval()
        pixels = torch.from_numpy(seen[8:]).permute(0, 3, 1, 2).float() / 127.5 - 1
        latent = vae.encode(pixels).latent_dist.mean * vae.config.scaling_factor
    assert np.allclose(made.text_vectors(lines)[1], vector[0].numpy(), atol=1e-5)
    assert np.allclose(made.conditions(lines)[1], context[0, 1:].numpy(), atol=1e-5)
    assert np.allclose(made.latents(seen)[8], latent[0].numpy(), atol=1e-5)
    assert made.conditions(lines).shape == (3, 19, 16) and made.latents(seen).shape == (9, 4, 8, 8)
    images = made.image_vectors(seen)
    assert images.shape == (9, 12) and np.ptp(images, axis=0).min() > 0


def test_a_missing_caption_is_what_blip_says(networks) -> None:
    describe = make_captioner(Path(networks[BLIP]))
    lines = describe(frames(3))
    assert len(lines) == 3 and lines == describe(frames(3)) and all(isinstance(line, str) for line in lines)


def test_foreign_or_partial_folders_are_refused(networks, tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="cannot be read"):
        TargetNetworks.load(tmp_path, Path(networks[GENERATOR]))
    with pytest.raises(DataProblem, match=r"lacks weights|cannot be read"):
        TargetNetworks.load(Path(networks[GENERATOR]) / "vae", Path(networks[GENERATOR]))


def test_networks_are_used_where_both_are_here() -> None:
    here = {CLIP: Path("a"), GENERATOR: Path("b"), BLIP: None}
    assert found_networks(here.get) == {CLIP: "a", GENERATOR: "b"}
    assert found_networks({**here, GENERATOR: None}.get) == {}


def put(store: ResultStore, task: Task, arrays: dict[str, np.ndarray], facts: dict, table=None) -> Task:
    with store.writing(task.stage, task.unit, task.key) as (folder, manifest):
        for name, values in arrays.items():
            write_array(folder / "arrays.zarr", name, values, None)
        if table is not None:
            write_table(folder / "clips.parquet", table)
        manifest["facts"] = facts
    return task


def before(store: ResultStore, source: Source, path: Path, captions: bool) -> dict[str, Task]:
    """The tasks that Mind-Animator needs, done."""
    rng, named, rows = np.random.default_rng(0), {}, []
    arrays = {"reliability": np.linspace(0, 0.9, CORTEX, dtype=np.float32)}
    for film, n in FILMS.items():
        pictures = (np.full((48, 64, 3), 40 + (7 * t) % 160, np.uint8) for t in range(8 * 2 * n))
        write_mp4(path / f"{film}.mp4", pictures, 8.0)
        flow = rng.standard_normal((n, 3, 32, 32, 2)).astype(np.float32)
        task = source.task("flow_labels", film, {}, (), Cost(1))
        named[task.name] = put(store, task, {"flow": flow, "valid": np.ones(flow.shape[:-1], bool)}, {})
        line = "a cat moves left" if captions else ""
        rows += [{"clip": f"{film}-{i:04d}", "caption": line if i else ""} for i in range(n)]
        arrays[f"mean.{film}"] = rng.standard_normal((n + 4, CORTEX)).astype(np.float16)
    for stage, unit, given, facts, table in (
        ("catalogue", "all", {}, {}, pd.DataFrame(rows)),
        ("bold", "1", arrays, {"segments": list(FILMS), "tr_s": 2.0, "lag_s": 4.0}, None),
    ):
        task = source.task(stage, unit, {}, (), Cost(1))
        named[task.name] = put(store, task, given, facts, table)
    return named


@pytest.fixture
def patched(monkeypatch, networks, tmp_path: Path):
    monkeypatch.setattr(Context, "dataset", lambda _: SimpleNamespace(film=lambda name: tmp_path / f"{name}.mp4"))
    monkeypatch.setattr("pipelines.plan_mind_animator.PUBLISHED", TINY)
    monkeypatch.setattr("pipelines.mind_animator.generator.Sampling", lambda: Sampling(steps=2))
    monkeypatch.setattr(pretrained, "FRAME_PX", PX)
    here = dict(networks)
    monkeypatch.setattr("pipelines.plan_mind_animator.found_networks", lambda _: here)
    return here


def real(captions: str = "") -> Source:
    return Source("data", "tiny", False, ("1",), FILMS, 8.0, 2, {}, {}, {f: f for f in FILMS}, {"1": "1"}, captions)


def test_the_chain_on_real_data(patched, tmp_path: Path) -> None:
    store, source = ResultStore(tmp_path), real()
    named = before(store, source, tmp_path, captions=True)
    tasks = mind_animator_tasks(source, SimpleNamespace(corrections=False, reanimate_clips=3), named)
    assert [name for name in tasks if name.startswith("mind_animator/")] == [
        "mind_animator/1.corrected",
        "mind_animator/1.released",
    ]
    assert [task.unit for task in target_tasks(tasks, FILMS)] == list(FILMS)
    for name in (*(f"mind_animator_targets/{film}" for film in FILMS), "mind_animator/1.corrected"):
        perform(tasks[name], tmp_path, "cpu", lambda *_: None)

    def folder(name: str) -> Path:
        return store.folder(tasks[name].stage, tasks[name].unit, tasks[name].key)

    own = folder("mind_animator_targets/seg1")
    shapes = {name: read_array(own / "arrays.zarr", name).shape for name in ("text", "image", "condition", "latents")}
    assert shapes == {"text": (14, 12), "image": (14, 12), "condition": (14, 19, 16), "latents": (14, 8, 4, 8, 8)}
    table = read_table(own / "captions.parquet")
    assert table["source"].tolist() == [BLIP, *["data set"] * 13], "the first clip had no caption"
    made = folder("mind_animator/1.corrected")
    facts = json.loads((made / "manifest.json").read_text())["facts"]
    assert facts["generator"] == pretrained.LABEL and len(facts["clips"]) == 12 and len(facts["filmed"]) == 3
    for name in ("frames", "frames.shifted"):
        assert read_array(made / "arrays.zarr", name).shape == (3, 8, 256, 256, 3)
    assert read_array(made / "arrays.zarr", "latents").shape == (12, 8, 4, 8, 8)


def test_films_of_a_killed_run_are_taken_up_again(patched, tmp_path: Path, monkeypatch) -> None:
    from pipelines.mind_animator.generator import DiffusionGenerator
    from pipelines.stages.mind_animator_pretrained import draw_diffusion_films

    drawn = []

    def film(self, latents, conditions, seed, progress):
        if len(drawn) == 2:
            raise KeyboardInterrupt
        drawn.append(seed)
        return np.full((1, 8, PX, PX, 3), seed, np.uint8)

    monkeypatch.setattr(DiffusionGenerator, "films", film)
    context = SimpleNamespace(work=tmp_path, config={"generator": patched[GENERATOR]}, device="cpu")
    latents, conditions = np.zeros((3, 8, 4, 8, 8), np.float32), np.zeros((3, 19, 16), np.float32)
    given = (context, "", ["a-0000", "a-0001", "a-0002"], latents, conditions, lambda *_: None)
    with pytest.raises(KeyboardInterrupt):
        draw_diffusion_films(*given)
    drawn.clear()
    films = draw_diffusion_films(*given)
    assert drawn == [2] and films[:, 0, 0, 0, 0].tolist() == [0, 1, 2]


def test_without_captions_or_blip_it_says_what_to_do(patched, tmp_path: Path) -> None:
    patched.pop(BLIP)
    assert mind_animator_tasks(real(), SimpleNamespace(corrections=False, reanimate_clips=3), {}) == {}
    store, source = ResultStore(tmp_path), real("a print")
    named = before(store, source, tmp_path, captions=True)
    tasks = mind_animator_tasks(source, SimpleNamespace(corrections=True, reanimate_clips=3), named)
    assert "mind_animator/1.corrected-minus-whole_window" in tasks
    with pytest.raises(BrainvizError, match="1 of 14 clips have no caption"):
        perform(tasks["mind_animator_targets/seg1"], tmp_path, "cpu", lambda *_: None)
