"""The networks at their full published size; weights from an integer hash, as the golden folder's README gives it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mind_animator_arrays import assert_close, tensors

from pipelines.mind_animator.causal_masks import causal_mask
from pipelines.mind_animator.motion_tokens import TokenMotionDecoder
from pipelines.mind_animator.semantic import SemanticDecoder, similarity
from pipelines.mind_animator.structure import StructureDecoder

AT_ONCE = 1 << 14  # stays in the cache
MASK = 2**64 - 1
FACTORS = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], np.uint64)
SHIFTS = np.array([30, 27, 31, 11], np.uint64)


def hashed(shape: tuple[int, ...], number: int, scale: float = 1.0, shift: float = 0.0) -> torch.Tensor:
    """float32: `shift` + `scale` times values in -1..1 that follow from place and number of the tensor."""
    size = int(np.prod(shape))
    made = np.empty(size, np.float32)
    offset = np.uint64(number * int(FACTORS[1]) & MASK)
    for start in range(0, size, AT_ONCE):
        z = np.arange(start + 1, min(start + AT_ONCE, size) + 1, dtype=np.uint64)
        z *= FACTORS[0]
        z += offset
        moved = np.empty_like(z)
        for bits, factor in ((SHIFTS[0], FACTORS[1]), (SHIFTS[1], FACTORS[2])):
            z ^= np.right_shift(z, bits, out=moved)
            z *= factor
        z ^= np.right_shift(z, SHIFTS[2], out=moved)
        z >>= SHIFTS[3]
        value = z.astype(np.float64)
        value *= scale * 2.0**-52
        value += shift - scale
        made[start : start + len(z)] = value
    return torch.from_numpy(made).view(shape)


def fill(network: torch.nn.Module, names: list[str]) -> None:
    """Weights by their place in `names`, the released order of parameters."""
    parameters = dict(network.named_parameters())
    assert set(names) == set(parameters)
    for number, name in enumerate(names):
        value = parameters[name]
        if name == "logit_scale":
            continue
        gain = name.endswith("a_2") or (name.endswith("weight") and value.ndim == 1)
        scale = (6 / sum(value.shape)) ** 0.5 if value.ndim == 2 else 0.1 if gain else 0.05
        value.data = hashed(tuple(value.shape), number, scale, 1.0 if gain else 0.0)


@pytest.fixture(scope="module")
def held(golden):
    torch.set_grad_enabled(False)
    yield tensors(golden, "fullsize_formula_weights")
    torch.set_grad_enabled(True)


@pytest.fixture(scope="module")
def fmri(held):
    made = hashed((2, 4500), 1000)
    assert_close(made[:, :8], held["fmri_first8"], 1e-6)
    return made


def bare(build):
    """Built without drawing the weights that are overwritten at once."""
    with torch.device("meta"):
        network = build()
    return network.to_empty(device="cpu").eval()


def test_semantic_decoder(held, fmri):
    network = bare(SemanticDecoder)
    network.logit_scale.data.fill_(np.log(1 / 0.07))
    assert sum(p.numel() for p in network.parameters()) == held["n_params"][0]
    fill(network, ["logit_scale", *(name for name, _ in network.named_parameters() if name != "logit_scale")])
    made = network(fmri)
    assert_close(made.vector, held["sem_x"])
    assert_close(made.condition, held["sem_y"])
    for kind, number in (("t", 1001), ("i", 1002)):
        assert_close(similarity(made.vector, hashed((2, 512), number), network.logit_scale), held[f"sem_logits_{kind}"])


def test_structure_decoder(held, fmri):
    network = bare(StructureDecoder)
    assert sum(p.numel() for p in network.parameters()) == held["n_params"][1]
    fill(network, [name for name, _ in network.named_parameters()])
    assert_close(network(fmri), held["str_y"])


def test_motion_decoder(held, fmri):
    network = bare(TokenMotionDecoder)
    network.places.copy_(TokenMotionDecoder(8, 16384, 8, layers=0).places)
    assert sum(p.numel() for p in network.parameters()) == held["n_params"][2]
    fill(network, [name for name, _ in network.named_parameters()])
    memory = network.encoder(fmri)
    assert_close(memory[:, 0, ::64], held["cmg_memory_every64"])
    made = network.after(memory, hashed((2, 7, 16384), 1003), torch.from_numpy(causal_mask(7)))
    assert_close(made[..., ::64], held["cmg_out_causal_every64"])
    assert_close(made.mean(-1), held["cmg_out_mean"], 1e-3)
    assert_close(made.std(-1), held["cmg_out_std"])
    unrolled = network.unroll(fmri, held["str_y"], causal=False)
    assert_close(unrolled[..., ::64], held["cmg_greedy_maskratio0_every64"])
