"""Model weights: what is here, what is missing, how large it is, under which licence; and fetching one by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from brainviz.errors import BrainvizError, UnknownName

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Weights:
    """One published set of weights.

    `source` is a Hugging Face repository (owner/name), or the address of one file of torch hub.
    """

    name: str
    purpose: str
    source: str
    size_gb: float
    licence: str
    files: tuple[str, ...] = ("*.safetensors", "*.json")

    @property
    def is_file(self) -> bool:
        return self.source.startswith("https://")


def known_weights() -> dict[str, Weights]:
    """All weights that the pipelines can use, by name."""
    from pipelines.flow_labels.labellers import RAFT_URL

    listed = (
        Weights("raft", "true flow (RAFT large, torchvision)", RAFT_URL, 0.02, "BSD-3-Clause"),
        Weights("dinov2", "first-frame features (DINOv2 ViT-B/14)", "facebook/dinov2-base", 0.35, "Apache-2.0"),
        Weights(
            "svd",
            "the no-brain baseline (Stable Video Diffusion)",
            "stabilityai/stable-video-diffusion-img2vid",
            4.6,
            "Stability AI Community License",
            ("*.fp16.safetensors", "*.json"),
        ),
    )
    return {weights.name: weights for weights in listed}


def find(name: str) -> Path | None:
    """Where the weights lie on this machine: a file, or a folder of the Hugging Face cache; None where they do not."""
    weights = _known(name)
    if weights.is_file:
        from pipelines.flow_labels.labellers import find_raft_weights

        return find_raft_weights()
    repository = hub_cache() / f"models--{weights.source.replace('/', '--')}"
    snapshots = sorted(repository.glob("snapshots/*"), key=lambda p: p.stat().st_mtime)
    return snapshots[-1] if snapshots else None


def hub_cache() -> Path:
    """The folder where the Hugging Face hub keeps what it fetched, found without importing it."""
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    return Path(os.environ.get("HF_HUB_CACHE", home / "hub")).expanduser()


def listing() -> str:
    """A line per set of weights: here or missing, size, licence, purpose."""
    lines = []
    for weights in known_weights().values():
        place = find(weights.name)
        state = f"here: {place}" if place else f"missing; fetch: python -m pipelines weights {weights.name}"
        lines.append(
            f"{weights.name:<8} {weights.size_gb:>5.2f} GB  {weights.licence:<31} {weights.purpose}\n         {state}"
        )
    return "\n".join(lines)


def fetch(name: str, progress: Progress) -> Path:
    """Fetch weights by name, saying size and licence first; returns where they lie.

    Raises
    ------
    UnknownName
        No such weights.
    BrainvizError
        The network or the hub does not answer.
    """
    weights = _known(name)
    place = find(name)
    if place is not None:
        print(f"{name} is here already: {place}")
        return place
    print(f"{name}: {weights.size_gb:.2f} GB from {weights.source}; licence: {weights.licence}", flush=True)
    progress(0.0, f"fetching {name}")
    fetched = _fetch_file(weights) if weights.is_file else _fetch_repository(weights)
    progress(1.0, "done")
    print(f"{name} lies at {fetched}")
    return fetched


def _fetch_file(weights: Weights) -> Path:
    from pipelines.flow_labels.labellers import RAFT_FILE, hub_folder, load_raft

    target = hub_folder() / RAFT_FILE
    import torch

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = RAFT_FILE.removesuffix(".pth").rsplit("-", 1)[1]
        torch.hub.download_url_to_file(weights.source, str(target), hash_prefix=digest)
    except (OSError, RuntimeError) as error:
        raise _unreachable(weights, error) from error
    load_raft(target)
    return target


def _fetch_repository(weights: Weights) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(weights.source, allow_patterns=list(weights.files)))
    except (OSError, HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise _unreachable(weights, error) from error


def _unreachable(weights: Weights, error: Exception) -> BrainvizError:
    return BrainvizError(
        f"{weights.name} could not be fetched ({type(error).__name__}).",
        weights.source,
        "Check the network and, for gated models, the hub login; or copy the files to the cache by hand.",
    )


def _known(name: str) -> Weights:
    known = known_weights()
    if name not in known:
        raise UnknownName(f"There are no weights called {name!r}.", "weights", f"There are: {', '.join(known)}.")
    return known[name]
