"""All backends by name, and where their weights lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from brainviz.errors import BrainvizError, UnknownName
from pipelines.reanimate.backend import Backend
from pipelines.reanimate.dragnuwa.backend import DragNuwaBackend
from pipelines.reanimate.motionpro import MotionProBackend
from pipelines.reanimate.stable_video import StableVideoBackend
from pipelines.reanimate.time_to_move import TimeToMoveBackend
from pipelines.reanimate.warp import WarpBackend
from pipelines.svd_pipeline import SVD_NAME, SVD_XT_NAME

# folder of the backend's own weights or None, Stable Video Diffusion's folder or name, device -> the backend
Maker = Callable[[Path | None, str | Path, str], Backend]


@dataclass(frozen=True)
class Entry:
    """A backend as it is listed; importing and asking it loads nothing heavy.

    Attributes
    ----------
    title : str
    follows_motion : bool
        False for the film without the brain, which takes no motion field.
    make : callable
    """

    title: str
    follows_motion: bool
    make: Maker


def _steered(kind: type[DragNuwaBackend] | type[MotionProBackend]) -> Maker:
    def make(weights: Path | None, svd: str | Path, device: str) -> Backend:
        return kind(weights or _converted(kind.id), svd, device)

    return make


def _converted(name: str) -> Path:
    from pipelines.weights import converted_folder

    return converted_folder(name)


BACKENDS: dict[str, Entry] = {
    WarpBackend.id: Entry(WarpBackend.title, True, lambda _weights, _svd, _device: WarpBackend()),
    DragNuwaBackend.id: Entry(DragNuwaBackend.title, True, _steered(DragNuwaBackend)),
    MotionProBackend.id: Entry(MotionProBackend.title, True, _steered(MotionProBackend)),
    TimeToMoveBackend.id: Entry(
        TimeToMoveBackend.title,
        True,
        lambda weights, svd, device: TimeToMoveBackend(weights or (SVD_XT_NAME if svd == SVD_NAME else svd), device),
    ),
    StableVideoBackend.id: Entry(
        StableVideoBackend.title, False, lambda weights, svd, device: StableVideoBackend(weights or svd, device)
    ),
}


def make_backend(
    backend_id: str, weights: Path | None = None, device: str = "cpu", svd: str | Path = SVD_NAME
) -> Backend:
    """A backend by name; nothing is loaded before its first film. Ask `missing()` whether it can run.

    Parameters
    ----------
    backend_id : str
        One of `BACKENDS`.
    weights : path, optional
        Folder of its own weights; by default where `python -m pipelines weights NAME` puts them.
    device : str
        'cpu' or 'cuda'.
    svd : path or hub name
        The stock pipeline that most backends build on.

    Raises
    ------
    UnknownName
        No such backend.
    BrainvizError
        A device that is not there.
    """
    if backend_id not in BACKENDS:
        raise UnknownName(
            f"There is no backend called {backend_id!r}.", "backend", f"There are: {', '.join(BACKENDS)}."
        )
    check_device(device)
    return BACKENDS[backend_id].make(weights, svd or SVD_NAME, device)


def check_device(device: str) -> None:
    """Refuse a device that is not here; raises `BrainvizError`."""
    kind = device.split(":")[0]
    if kind not in ("cpu", "cuda"):
        raise BrainvizError(f"Unknown device {device!r}.", "device", "Use 'cpu' or 'cuda'.")
    if kind == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise BrainvizError("There is no CUDA device here.", device, "Use the CPU.")
