"""Model weights: what is here, what is missing, how large it is, under which licence; and fetching one by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from brainviz.errors import BrainvizError, UnknownName
from brainviz.storage import safe_name
from pipelines.conversions import Converter, converter, is_converted
from pipelines.weights_catalogue import Weights, known_weights

Progress = Callable[[float, str], None]

WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")


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
