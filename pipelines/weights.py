"""Model weights: what is here, what is missing, how large it is, under which licence; and fetching one by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from brainviz.errors import BrainvizError, UnknownName
from brainviz.storage import safe_name
from pipelines.conversions import Converter, converter, is_converted

Progress = Callable[[float, str], None]


WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")


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


def find(name: str) -> Path | None:
    """Where the weights lie on this machine: a file, or a folder of the Hugging Face cache; None where they do not."""
    weights = _known(name)
    if name == "raft":
        from pipelines.flow_labels.labellers import find_raft_weights

        return find_raft_weights()
    if converter(name) is not None:
        folder = converted_folder(name)
        return folder if is_converted(folder) else None
    if weights.is_file:
        place = _file_place(weights)
        return place if place.is_file() else None
    repository = hub_cache() / f"models--{weights.source.replace('/', '--')}"
    snapshots = sorted(repository.glob("snapshots/*"), key=lambda p: p.stat().st_mtime)
    whole = [folder for folder in snapshots if any(path.suffix in WEIGHT_SUFFIXES for path in folder.rglob("*"))]
    return whole[-1] if whole else None


def hub_cache() -> Path:
    """The folder where the Hugging Face hub keeps what it fetched, found without importing it."""
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    return Path(os.environ.get("HF_HUB_CACHE", home / "hub")).expanduser()


def converted_folder(name: str) -> Path:
    """Where weights that are converted once lie, whether they are there or not (`BRAINVIZ_WEIGHTS` moves them all)."""
    home = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "brainviz" / "weights"
    return Path(os.environ.get("BRAINVIZ_WEIGHTS", home)).expanduser() / safe_name(name)


def listing() -> str:
    """A line per set of weights: here or missing, size, licence, purpose."""
    known = known_weights().values()
    wide = max(len(weights.name) for weights in known)
    licences = max(len(weights.licence) for weights in known)
    lines = []
    for weights in known:
        place = find(weights.name)
        state = f"here: {place}" if place else f"missing; fetch: python -m pipelines weights {weights.name}"
        facts = f"{weights.name:<{wide}} {weights.size_gb:>5.2f} GB  {weights.licence:<{licences}}  {weights.purpose}"
        lines.append(f"{facts}\n{'':<{wide}} {state}")
    return "\n".join(lines)


def fetch(name: str, progress: Progress, file: Path | None = None) -> Path:
    """Fetch weights by name, saying size and licence first; convert them where that is needed.

    Parameters
    ----------
    name : str
    progress : callable
    file : path, optional
        A checkpoint that is here already, to be converted instead of fetched.

    Returns
    -------
    Path
        Where they lie: a file or a folder.

    Raises
    ------
    UnknownName
        No such weights.
    DataProblem
        A checkpoint that is no plain list of tensors, or whose tensors do not fit; all of them are named.
    BrainvizError
        The network or the hub does not answer, or the file can only be had by hand.
    """
    weights = _known(name)
    place = find(name)
    if place is not None:
        print(f"{name} is here already: {place}")
        return place
    print(f"{name}: {weights.size_gb:.2f} GB from {file or weights.source}; licence: {weights.licence}", flush=True)
    converts = converter(name)
    if file is not None and (converts is None or not file.is_file()):
        what = "is not there" if converts else f"is of no use: {name} is used as published"
        raise BrainvizError(f"The file {what}.", str(file), f"Leave --file out: python -m pipelines weights {name}")
    if file is None and weights.only_by_hand:
        remedy = f"Save {weights.files[0]} from there, then: python -m pipelines weights {name} --file FILE"
        raise BrainvizError(f"{name} cannot be fetched by a program. {weights.by_hand}", weights.source, remedy)
    progress(0.0, f"fetching {name}")
    fetched = file or (_fetch_file(weights) if weights.is_file else _fetch_repository(weights))
    if converts is not None:
        for other in weights.needs if name == "flowsam" else ():
            fetch(other, progress)
        fetched = _converted(weights, converts, fetched, progress)
    progress(1.0, "done")
    print(f"{name} lies at {fetched}")
    return fetched


def _converted(weights: Weights, converts: Converter, fetched: Path, progress: Progress) -> Path:
    """The folder of converted weights, read back; what was published may then be removed by hand."""
    checkpoint = fetched if fetched.is_file() else fetched / weights.files[0]
    progress(0.5, f"converting {weights.name}")
    folder = converted_folder(weights.name)
    print(converts(checkpoint, folder))
    print(f"The published file is not needed any more: {checkpoint}")
    return folder


def _fetch_file(weights: Weights) -> Path:
    """One file by its address; read once, so that a damaged one is not kept for good."""
    import torch

    target = _file_place(weights)
    digest = target.stem.rsplit("-", 1)[1] if weights.name == "raft" else None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(weights.source, str(target), hash_prefix=digest)
    except (OSError, RuntimeError) as error:
        raise _unreachable(weights, error) from error
    if weights.name == "raft":
        from pipelines.flow_labels.labellers import load_raft

        load_raft(target)
    else:
        from pipelines.features.checkpoint_models import read_checkpoint

        read_checkpoint(target)
    return target


def _file_place(weights: Weights) -> Path:
    """Where torch hub keeps a file; common names get their owner's in front."""
    from pipelines.flow_labels.labellers import hub_folder

    file = weights.source.rsplit("/", 1)[1]
    return hub_folder() / (file if weights.name == "raft" else f"{weights.name}-{file}")


def _fetch_repository(weights: Weights) -> Path:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        there = HfApi().list_repo_files(weights.source, revision=weights.revision)
        files = list(weights.files)
        if "*.safetensors" in files and not any(name.endswith(".safetensors") for name in there):
            files.append("pytorch_model.bin")
        return Path(snapshot_download(weights.source, revision=weights.revision, allow_patterns=files))
    except (OSError, HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise _unreachable(weights, error) from error


def _unreachable(weights: Weights, error: Exception) -> BrainvizError:
    return BrainvizError(
        f"{weights.name} could not be fetched ({type(error).__name__}).",
        weights.source,
        "Check the network and, for gated models, the hub login; or copy the files to the cache by hand."
        + (
            f" {weights.by_hand} Then: python -m pipelines weights {weights.name} --file FILE"
            if weights.by_hand
            else ""
        ),
    )


def _known(name: str) -> Weights:
    known = known_weights()
    if name not in known:
        raise UnknownName(f"There are no weights called {name!r}.", "weights", f"There are: {', '.join(known)}.")
    return known[name]
