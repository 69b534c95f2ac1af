"""The trained parts in their released form against the original program's numbers."""

from __future__ import annotations

import random

import pytest
import torch
from mind_animator_arrays import assert_close, assert_gradients, tensors, under

from pipelines.mind_animator.causal_masks import causal_mask, released_patch_mask, sparse_causal_mask
from pipelines.mind_animator.motion_patches import PatchMotionDecoder, unused
from pipelines.mind_animator.motion_tokens import TokenMotionDecoder
from pipelines.mind_animator.semantic import SemanticDecoder, TextConditionMapper, semantic_loss, similarity
from pipelines.mind_animator.structure import StructureDecoder, l1_norm, sparse_loss

SMALL_MAPPER = {"mapper_hidden": (32, 48), "tokens": (5, 16)}


def semantic(held) -> SemanticDecoder:
    network = SemanticDecoder(40, 24, 3, **SMALL_MAPPER).eval()
    network.load_state_dict(under("w/", held))
    return network


def test_semantic_decoder_and_its_gradients(golden):
    held = tensors(golden, "semantic_decoder_small")
    network = semantic(held)
    made = network(held["fmri"])
    assert_close(made.vector, held["x"])
    assert_close(made.condition, held["y"])
    assert_close(similarity(made.vector, held["clip_text"], network.logit_scale), held["logits_t"])
    assert_close(similarity(made.vector, held["clip_image"], network.logit_scale), held["logits_i"])
    loss = semantic_loss(network, made, held["clip_text"], held["clip_image"], held["text_cond"])
    expected = {"text": "pre", "fmri_text": "ft", "fmri_image": "fi", "contrastive": "contrast", "condition": "proj"}
    for ours, theirs in {**expected, "total": "total"}.items():
        assert_close(getattr(loss, ours), held[f"loss_{theirs}"])
    loss.total.backward()
    assert_gradients(network, held)


def test_semantic_training_steps(golden):
    held = tensors(golden, "semantic_decoder_small")
    network = semantic(held)
    optimizer = torch.optim.Adam(network.parameters(), 2e-4)
    losses = []
    for step in range(6):
        optimizer.param_groups[0]["lr"] = 2e-4 * 0.999**step
        made = network(held["fmri"])
        loss = semantic_loss(network, made, held["clip_text"], held["clip_image"], held["text_cond"]).total
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert_close(losses, held["adam_loss_curve"])


def test_text_condition_mapper_layer_by_layer(golden):
    held = tensors(golden, "text_condition_mapper_small")
    network = TextConditionMapper(24, (32, 48), (5, 16))
    network.load_state_dict(under("w/", held))
    x = held["x"]
    for number, layer in enumerate(network):
        x = layer(x)
        assert_close(x, held[f"stage{number}"])
    assert_close(network(held["x"]), held["y"])


def test_structure_decoder_and_its_gradients(golden):
    held = tensors(golden, "structure_decoder_small")
    network = StructureDecoder(40, 96, 20, 2).eval()
    network.load_state_dict(under("w/", held))
    made = network(held["fmri"])
    assert_close(made, held["y"])
    assert_close(l1_norm(network), held["l1"])
    loss = sparse_loss(network, made, held["target"], held["weight_decay"].item())
    assert_close(loss, held["loss_total"])
    loss.backward()
    assert_gradients(network, held)


@pytest.fixture(scope="module")
def tokens(golden):
    held = tensors(golden, "cmg_token_small")
    network = TokenMotionDecoder(40, 256, encoder_width=24, layers=2, heads=4, hidden=32).eval()
    assert_close(network.places, held["w/tgt_embed.1.pe"][0])
    weights = under("w/", held)
    weights.pop("tgt_embed.1.pe")
    network.load_state_dict(weights)
    return network, held


def test_token_decoder_inside(tokens):
    network, held = tokens
    memory, mask, first = network.encoder(held["fmri"]), held["train_mask"], network.decoder.layers[0]
    assert_close(memory[:, 0], held["memory"])
    embedded = held["latents"][:, :7] + network.places[:7]
    assert_close(embedded, held["embedded"])
    assert_close(first.self_attn.weights(embedded, embedded, mask), held["self_attn0_prob"])
    assert_close(first.self_attn(embedded, embedded, mask), held["self_attn0_out"])
    assert_close(first.src_attn.weights(embedded, memory), held["cross_attn0_prob"])
    assert_close(first.src_attn(embedded, memory), held["cross_attn0_out"])
    x = first(embedded, memory, mask)
    assert_close(x, held["layer0"])
    assert_close(network.decoder.layers[1](x, memory, mask), held["layer1"])


def test_token_decoder_teacher_forcing_and_gradients(tokens):
    network, held = tokens
    made = network(held["fmri"], held["latents"][:, :7], held["train_mask"])
    assert_close(made, held["out"])
    assert_close(l1_norm(network), held["l1"])
    loss = sparse_loss(network, made, held["latents"][:, 1:], held["weight_decay"].item())
    assert_close(loss, held["loss_total"])
    network.zero_grad()
    loss.backward()
    assert_gradients(network, held)


@pytest.mark.parametrize("causal", [False, True])
def test_token_decoder_inference(tokens, causal):
    network, held = tokens
    made = network.unroll(held["fmri"], held["latents"][:, :1], causal=causal)
    assert_close(made, held[f"greedy_maskratio{int(causal)}"])


def test_masks_of_training(golden):
    for name, expected in tensors(golden, "cmg_masks").items():
        keep, size = (part.lstrip("ratiosze") for part in name.split("_")[:2])
        assert (sparse_causal_mask(int(size), float(keep), random.Random(123)) == expected.numpy()).all(), name
    assert (
        sparse_causal_mask(7, 0.6, random.Random(5)) == tensors(golden, "cmg_token_small")["train_mask"][0].numpy()
    ).all()


@pytest.fixture(scope="module")
def patches(golden):
    held = tensors(golden, "cmg_patch_small")
    network = PatchMotionDecoder(40, 16, 4, 4, 32, 2, 4, 2.0, 7).eval()
    network.load_state_dict({name: value for name, value in under("w/", held).items() if not unused(name)})
    return network, held


def test_patch_decoder_teacher_forcing_and_gradients(patches):
    network, held = patches
    made_places = PatchMotionDecoder(40, 16, 4, 4, 32, 2, 4, 2.0, 7)
    assert_close(made_places.pos_embed, held["pos_embed"])
    assert_close(made_places.time_embed, held["time_embed"])
    frames = held["latents"][:, :7]
    assert_close(network(held["fmri"], frames), held["out_nomask"])
    made = network(held["fmri"], frames, held["train_mask"])
    assert_close(made, held["out"])
    loss = torch.nn.functional.mse_loss(made, held["latents"][:, 1:])
    assert_close(loss, held["mse"])
    network.zero_grad()
    loss.backward()
    assert_gradients(network, held)


def test_patch_decoder_with_one_fmri_vector_ignores_the_query(patches):
    network, held = patches
    memory = network.fMRI_to_spatial(held["fmri"])[:, None].repeat_interleave(7, 0)
    attention = network.blocks[0].spatial_attention
    assert_close(attention(held["spatial_attn_q"], memory), held["spatial_attn_out"])
    assert_close(attention(torch.randn(21, 16, 32), memory), held["spatial_attn_out"])


def test_patch_decoder_inference(patches):
    network, held = patches
    first = held["latents"][:, :1]
    assert_close(network.unroll(held["fmri"], first), held["greedy_causal"])
    for step in range(7):
        assert (released_patch_mask(7, step + 1) == held["custom_masks"][step].numpy()).all()
    assert_close(network.unroll(held["fmri"], first, causal=False), held["greedy_custommask"])
    assert (causal_mask(7)[0] == ~released_patch_mask(7, 7)).all()
