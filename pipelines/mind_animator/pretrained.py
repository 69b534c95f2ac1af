"""Mind-Animator's targets by published networks: CLIP ViT-B/32, Stable Diffusion 1.x, BLIP-2 for missing captions.

As released: text and image vectors are CLIP ViT-B/32's projected embeddings, the text condition is what Stable
Diffusion's text encoder gives for the caption (tokens 2 to 20; the first one is the same for every text), the latents
are those of its VAE, times its scaling factor. CLIP and BLIP-2 look at the clip's first frame.

Source: Lu et al. 2025, sections 3.1 to 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainviz.errors import DataProblem
from pipelines.network_folders import read_network

Array = NDArray[np.float32]
Frames = NDArray[np.uint8]

CLIP, GENERATOR, BLIP = "clip-vit-b-32", "stable-diffusion", "blip-2"
"""Names of `python -m pipelines weights`."""

CONTEXT_TOKENS = 20
"""The text encoder's first token and the 19 that the semantic decoder predicts."""

FRAME_PX = 512
AT_ONCE = 8
CAPTION_TOKENS = 18
LABEL = "Stable Diffusion 1.x and CLIP ViT-B/32"


@dataclass(frozen=True)
class TargetNetworks:
    """What the decoders' targets are made with.

    Attributes
    ----------
    text_vectors : captions -> float32 (n, 512)
    image_vectors : frames uint8 (n, h, w, 3) -> float32 (n, 512)
    conditions : captions -> float32 (n, 19, 768)
    latents : frames uint8 (n, s, s, 3) -> float32 (n, 4, s / 8, s / 8)
    """

    text_vectors: Callable[[Sequence[str]], Array]
    image_vectors: Callable[[Frames], Array]
    conditions: Callable[[Sequence[str]], Array]
    latents: Callable[[Frames], Array]

    @classmethod
    def load(cls, clip: Path, generator: Path, device: str = "cpu") -> TargetNetworks:
        """From a transformers folder of CLIP and a diffusers folder of Stable Diffusion 1.x. Downloads nothing.

        Raises
        ------
        DataProblem
            Weights that cannot be used, or of another network.
        """
        text, image = _clip(clip, device)
        conditions, latents = _stable_diffusion(generator, device)
        return cls(text, image, conditions, latents)


def _clip(folder: Path, device: str) -> tuple[Callable[[Sequence[str]], Array], Callable[[Frames], Array]]:
    import torch

    from pipelines.features.preprocessing import transformers_pixels

    text = read_network("CLIPTextModelWithProjection", folder, "a CLIP", device)
    image = read_network("CLIPVisionModelWithProjection", folder, "a CLIP", device)
    words = _tokenizer(folder)
    pixels = transformers_pixels(folder, int(image.config.image_size))

    @torch.inference_mode()
    def of_text(lines: Sequence[str]) -> Array:
        tokens = words(list(lines), padding=True, truncation=True, return_tensors="pt").to(device)
        return _numpy(text(**tokens).text_embeds)

    @torch.inference_mode()
    def of_frames(frames: Frames) -> Array:
        return _numpy(image(pixel_values=pixels(frames, device)).image_embeds)

    return _in_parts(of_text), _in_parts(of_frames)


def _stable_diffusion(folder: Path, device: str) -> tuple[Callable[[Sequence[str]], Array], Callable[[Frames], Array]]:
    import torch

    text = read_network("CLIPTextModel", folder / "text_encoder", "Stable Diffusion's text encoder", device)
    words = _tokenizer(folder / "tokenizer")
    vae = read_network("AutoencoderKL", folder / "vae", "Stable Diffusion's VAE", device, "diffusers")
    scale = float(vae.config.scaling_factor)

    @torch.inference_mode()
    def conditions(lines: Sequence[str]) -> Array:
        tokens = words(
            list(lines), padding="max_length", truncation=True, max_length=CONTEXT_TOKENS, return_tensors="pt"
        )
        return _numpy(text(tokens.input_ids.to(device))[0][:, 1:])

    @torch.inference_mode()
    def latents(frames: Frames) -> Array:
        seen = torch.from_numpy(np.ascontiguousarray(frames)).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
        return _numpy(vae.encode(seen).latent_dist.mode() * scale)

    return _in_parts(conditions), _in_parts(latents)


def make_captioner(folder: Path, device: str = "cpu") -> Callable[[Frames], list[str]]:
    """BLIP-2 from a transformers folder: frames uint8 (n, h, w, 3) -> n captions, greedily decoded.

    Raises `DataProblem` for weights that cannot be used.
    """
    import torch

    from pipelines.features.preprocessing import transformers_pixels

    network = read_network("Blip2ForConditionalGeneration", folder, "a BLIP-2", device)
    words = _tokenizer(folder)
    pixels = transformers_pixels(folder, int(network.config.vision_config.image_size))
    places = torch.full((1, int(network.config.num_query_tokens)), int(network.config.image_token_index), device=device)
    start = torch.tensor([[int(network.config.text_config.bos_token_id)]], device=device)
    prompt = torch.cat([places, start], dim=1)

    @torch.inference_mode()
    def describe(frames: Frames) -> list[str]:
        lines = []
        for part in np.array_split(frames, -(-len(frames) // AT_ONCE)):
            given = prompt.expand(len(part), -1)
            made = network.generate(
                pixel_values=pixels(part, device),
                input_ids=given,
                attention_mask=torch.ones_like(given),
                max_new_tokens=CAPTION_TOKENS,
                do_sample=False,
            )
            lines += [line.strip() for line in words.batch_decode(made, skip_special_tokens=True)]
        return lines

    return describe


def _tokenizer(folder: Path) -> Any:
    import transformers

    try:
        return transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise DataProblem("The tokenizer cannot be read.", str(folder), f"transformers says: {error}") from error


def _in_parts(make: Callable[[Any], Array]) -> Callable[[Any], Array]:
    return lambda given: np.concatenate([make(given[i : i + AT_ONCE]) for i in range(0, len(given), AT_ONCE)])


def _numpy(values: Any) -> Array:
    return np.asarray(values.float().cpu().numpy(), np.float32)


def found_networks(find: Callable[[str], Path | None]) -> dict[str, str]:
    """Folders by name of the networks that are on this machine: CLIP and Stable Diffusion both, or none."""
    places: Mapping[str, Path | None] = {name: find(name) for name in (CLIP, GENERATOR, BLIP)}
    if places[CLIP] is None or places[GENERATOR] is None:
        return {}
    return {name: str(place) for name, place in places.items() if place is not None}
