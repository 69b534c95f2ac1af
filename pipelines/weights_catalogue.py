"""The published weights that the pipelines can use: where they are, how large, under which licence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Weights:
    """One published set of weights.

    `source` is a Hugging Face repository (owner/name), or the address of one file. Of a repository, `files` are
    fetched; where it has no safetensors, its pytorch_model.bin instead. `by_hand` says where else the file can be had,
    or that it can only be had there (`source` is then a page for people). `needs` are other weights it stands on.
    """

    name: str
    purpose: str
    source: str
    size_gb: float
    licence: str
    files: tuple[str, ...] = ("*.safetensors", "*.json")
    revision: str = "main"
    by_hand: str = ""
    needs: tuple[str, ...] = ()
    only_by_hand: bool = False

    @property
    def is_file(self) -> bool:
        return self.source.startswith("https://")


_SVD = "stabilityai/stable-video-diffusion-img2vid"
_SVD_LICENCE = "Stability AI Community License"
_SVD_FILES = ("*.fp16.safetensors", "*.json")

REANIMATION = (
    Weights("svd", "films without the brain (Stable Video Diffusion)", _SVD, 4.6, _SVD_LICENCE, _SVD_FILES),
    Weights("svd-xt", "reanimation (Time-to-Move): 25-frame SVD", f"{_SVD}-xt", 4.6, _SVD_LICENCE, _SVD_FILES),
    Weights(
        "dragnuwa",
        "reanimation (DragNUWA 1.5); converted once, 6.4 GB more",
        "yinsming/DragNUWA",
        10.2,
        "MIT (the authors' program); on SVD: Stability AI Community License",
        ("drag_nuwa_svd.pth",),
        by_hand="The authors' other place: https://drive.google.com/uc?id=1Z4JOley0SJCb35kFF4PCc6N6P1ftfX4i",
        needs=("svd",),
    ),
    Weights(
        "motionpro",
        "reanimation (MotionPro-Dense); converted once, 6.4 GB more",
        "HiDream-ai/MotionPro",
        10.2,  # not published; the same network as DragNUWA's
        "not stated in the authors' repository; on SVD: Stability AI Community License",
        ("MotionPro_Dense-gs_14k.pt",),
        needs=("svd",),
    ),
    Weights("sam", "what FlowSAM stands on (SAM ViT-B)", "facebook/sam-vit-base", 0.38, "Apache-2.0"),
    Weights(
        "flowsam",
        "object masks of the film (FlowI-SAM); converted once",
        "https://drive.google.com/drive/folders/16I6zjJI4FCxhdGVIXgDddC5c64raKEuu",
        0.4,
        "not stated in the authors' repository; on SAM: Apache-2.0",
        ("frame_level_flowisam_vitb_train_on_oclrsyn_dvs16.pth",),
        by_hand="Its authors publish it in a shared folder, to be opened in a browser.",
        needs=("sam",),
        only_by_hand=True,
    ),
)

_TEXT_FILES = ("*.safetensors", "*.json", "*.txt")

MIND_ANIMATOR = (
    Weights(
        "clip-vit-b-32",
        "Mind-Animator's semantic targets (CLIP ViT-B/32)",
        "openai/clip-vit-base-patch32",
        0.61,
        "MIT",
        _TEXT_FILES,
    ),
    Weights(
        "stable-diffusion",
        "Mind-Animator's latents and films (Stable Diffusion 1.5)",
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        4.3,
        "CreativeML Open RAIL-M",
        (
            *(f"{part}/diffusion_pytorch_model.safetensors" for part in ("unet", "vae")),
            "text_encoder/model.safetensors",
            *(f"{part}/config.json" for part in ("unet", "vae", "text_encoder")),
            "tokenizer/*",
        ),
    ),
    Weights(
        "blip-2",
        "captions where a data set has none (BLIP-2, OPT 2.7B)",
        "Salesforce/blip2-opt-2.7b",
        15.5,
        "MIT",
        _TEXT_FILES,
    ),
)

VIFI = Weights(
    "vifi-clip",
    "scores of films (VIFI: ViFi-CLIP ViT-B/16); converted once",
    "https://osf.io/utqde/files/osfstorage",
    0.6,  # not published: CLIP ViT-B/16 in float32; with the state of its training three times as much
    "MIT (the authors' program)",
    ("k400_seed1_vifi_clip_base2novel.pth",),
    by_hand="Mind-Animator's authors keep there what they score with; ViFi-CLIP's own files: "
    "https://github.com/muzairkhattak/ViFi-CLIP.",
    only_by_hand=True,
)

CLASSIFIERS = (
    Weights(
        "imagenet-classifier",
        "scores of films (n-way accuracy, images: ViT-B/16, ImageNet-1k)",
        "google/vit-base-patch16-224",
        0.35,
        "Apache-2.0",
    ),
    Weights(
        "kinetics-classifier",
        "scores of films (n-way accuracy, films: VideoMAE Base, Kinetics-400)",
        "MCG-NJU/videomae-base-finetuned-kinetics",
        0.35,
        "CC-BY-NC-4.0",
    ),
)


def known_weights() -> dict[str, Weights]:
    """All weights that the pipelines can use, by name."""
    from pipelines.features.catalogue import PRETRAINED
    from pipelines.flow_labels.labellers import RAFT_URL

    listed = [
        Weights("raft", "true flow (RAFT large, torchvision)", RAFT_URL, 0.02, "BSD-3-Clause"),
        *REANIMATION,
        *MIND_ANIMATOR,
        VIFI,
        *CLASSIFIERS,
    ]
    for spec in PRETRAINED:
        if not spec.base:
            purpose = f"encoder {spec.title} ({spec.family})"
            if spec.id == "dinov2":
                purpose += "; also first-frame features"
            listed.append(
                Weights(spec.id, purpose, spec.hub_name, spec.size_gb, spec.licence, spec.files, spec.revision)
            )
    return {weights.name: weights for weights in listed}
