"""The pretrained encoders: the paper's eighteen, and three that came after it.

The paper (Yeung et al., CVPR 2025) does not say which checkpoints, layers, frames or pooling it used; these are our
choices. Encoders of images see the middle frame of the clip; their "all-frames" variants see sixteen frames and are
means over them. Self-supervised checkpoints are taken where an encoder also comes fine-tuned.
"""

from __future__ import annotations

from dataclasses import replace

from pipelines.features.network import DEPTHS
from pipelines.features.spec import EncoderSpec

ALL_FRAMES = 16
_POOLING = "means over a 2 x 2 grid (one mean where that exceeds 4,096 channels)"
_STAGES = ("stage-1", "stage-2", "stage-3", "stage-4")
_SAFE = ("*.safetensors", "*.json")
_NC = "CC-BY-NC-4.0"


def _image(id: str, title: str, source: str, hub: str, size_gb: float, licence: str, **more: object) -> EncoderSpec:
    """An encoder of images on the clip's middle frame."""
    facts: dict[str, object] = {
        "family": "static",
        "layers": tuple(DEPTHS),
        "frames_per_clip": 1,
        "sampling": "middle",
        "pooling": f"{_POOLING} of the middle frame",
        "memory_gb": round(1.0 + size_gb, 1),
        "files": _SAFE,
    }
    known = {"id": id, "title": title, "source": source, "hub_name": hub, "size_gb": size_gb, "licence": licence}
    return EncoderSpec(**(facts | known | more))  # type: ignore[arg-type]


def _video(id: str, title: str, source: str, hub: str, size_gb: float, licence: str, **more: object) -> EncoderSpec:
    """An encoder of clips, on sixteen frames from the first to the last unless it says otherwise."""
    changed: dict[str, object] = {
        "family": "video",
        "frames_per_clip": 16,
        "sampling": "even",
        "pooling": f"{_POOLING}, mean over time",
        "memory_gb": round(1.5 + 1.5 * size_gb, 1),
    }
    return _image(id, title, source, hub, size_gb, licence, **(changed | more))


def _all_frames(base: EncoderSpec) -> EncoderSpec:
    """The variant that sees sixteen frames, each alone."""
    return replace(
        base,
        id=f"{base.id}.all-frames",
        title=f"{base.title}, all frames",
        frames_per_clip=ALL_FRAMES,
        sampling="even",
        pooling=f"{_POOLING}, mean over {ALL_FRAMES} frames",
        base=base.id,
        note=f"{base.note} Frames are averaged, so their order is lost.".strip(),
    )


_STATIC = (
    _image("resnet50", "ResNet50", "transformers", "microsoft/resnet-50", 0.10, "Apache-2.0", layers=_STAGES),
    _image("dino", "DINO", "timm", "timm/vit_base_patch16_224.dino", 0.34, "Apache-2.0"),
    _image("dinov2", "DINOv2", "transformers", "facebook/dinov2-base", 0.35, "Apache-2.0"),
    _image("clip", "CLIP", "transformers", "openai/clip-vit-base-patch16", 0.60, "MIT"),
    _image(
        *("clip-convnext", "CLIP ConvNeXt", "open_clip", "laion/CLIP-convnext_base_w-laion2B-s13B-b82K-augreg"),
        *(0.72, "MIT"),
        layers=(*_STAGES, "embedding"),
    ),
    _image("dinov3", "DINOv3", "timm", "timm/vit_base_patch16_dinov3.lvd1689m", 0.34, "DINOv3 License"),
    _image("siglip-2", "SigLIP 2", "transformers", "google/siglip2-base-patch16-224", 1.50, "Apache-2.0"),
)
_EMBODIED = (
    _image(
        *("vc-1", "VC-1", "checkpoint", "facebook/vc1-base", 0.45, _NC),
        family="embodied",
        revision="413569a9eaa7272995c99bda25fe518816455e8c",
        files=("pytorch_model.bin",),
    ),
    _image(
        *("vip", "VIP", "checkpoint", "https://pytorch.s3.amazonaws.com/models/rl/vip/model.pt", 0.2, _NC),
        family="embodied",
        layers=(*_STAGES, "embedding"),
        files=("model.pt",),
    ),
    _image(
        *("r3m", "R3M", "checkpoint", "surajnair/r3m-50", 0.10, "MIT"),
        family="embodied",
        layers=_STAGES,
        files=("pytorch_model.bin",),
    ),
)
_CLIPS = (
    _video("videomae-base", "VideoMAE Base", "transformers", "MCG-NJU/videomae-base", 0.38, _NC),
    _video("videomae-large", "VideoMAE Large", "transformers", "MCG-NJU/videomae-large", 1.37, _NC),
    _video(
        *("hiera-base-plus", "Hiera Base+", "checkpoint", "facebook/hiera_base_plus_16x224.mae_k400", 0.28, _NC),
        layers=_STAGES,
    ),
    _video(
        *("hiera-huge", "Hiera Huge", "checkpoint", "facebook/hiera_huge_16x224.mae_k400", 2.69, _NC),
        layers=_STAGES,
    ),
    _video(
        *("x-clip", "X-CLIP", "transformers", "microsoft/xclip-base-patch32", 0.79, "MIT"),
        frames_per_clip=8,
        layers=(*DEPTHS, "embedding"),
        revision="a2e27a78a2b5d802e894b8a1ef14f3a8ce490963",
        note="Only its embedding depends on the order of frames.",
    ),
    _video("v-jepa-2", "V-JEPA 2", "transformers", "facebook/vjepa2-vitl-fpc64-256", 1.30, "MIT"),
)
_IN_BOTH_FORMS = ("clip", "clip-convnext", "vc-1", "vip", "r3m")

PRETRAINED: tuple[EncoderSpec, ...] = (
    *_STATIC,
    *_EMBODIED,
    *(_all_frames(spec) for spec in (*_STATIC, *_EMBODIED) if spec.id in _IN_BOTH_FORMS),
    *_CLIPS,
)
