"""What measures motion between two frames: RAFT where its weights are, else OpenCV's DIS.

A labeller has a `name`, a work size in pixels, the longest gap it bridges at once, and `measure`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError, DataProblem, UnknownName

Array = npt.NDArray[np.float32]
Frames = npt.NDArray[np.uint8]

RAFT_FILE = "raft_large_C_T_SKHT_V2-ff5fadd5.pth"
RAFT_URL = f"https://download.pytorch.org/models/{RAFT_FILE}"


class Labeller(Protocol):
    """Measures flow between square frames."""

    @property
    def name(self) -> str:
        """Program, version and settings, as recorded with every result."""

    @property
    def size(self) -> int:
        """Side of the frames it wants, in pixels."""

    @property
    def max_gap_s(self) -> float:
        """Longest time between two frames that it compares directly, in seconds."""

    def measure(self, first: Frames, second: Frames) -> Array:
        """Flow of n pairs: uint8 (n, size, size, 3) twice -> float32 (n, size, size, 2), pixels of that size."""

    def refine(self, first: Frames, second: Frames, flow: Array) -> Array:
        """Mend what chaining has added up, by comparing a step's two ends directly; shapes as in `measure`."""


@dataclass(frozen=True)
class _Search:
    """Settings of one DIS search: OpenCV's preset, with the scales and iterations that differ from it."""

    preset: str
    finest_scale: int
    descents: int
    variations: int

    def build(self) -> Any:
        import cv2

        search: Any = cv2.DISOpticalFlow.create(getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{self.preset.upper()}"))
        search.setFinestScale(self.finest_scale)
        search.setGradientDescentIterations(self.descents)
        search.setVariationalRefinementIterations(self.variations)
        return search


# Work size, search between neighbours, search between the ends of a step. Chosen by error against known motion
# within a budget of 50 ms ("quick") or 300 ms ("fine") of one core per clip.
_DIS_QUALITIES: dict[str, tuple[int, _Search, _Search]] = {
    "quick": (112, _Search("ultrafast", 2, 12, 0), _Search("fast", 0, 8, 3)),
    "fine": (160, _Search("medium", 1, 25, 5), _Search("medium", 0, 25, 5)),
}


@dataclass(frozen=True)
class DisLabeller:
    """Dense inverse search (Kroeger et al., ECCV 2016) as OpenCV has it. Needs no weights.

    OpenCV cuts the image into one stripe per thread and the stripes change the result, so it runs on one thread here:
    the same film gives the same labels on every machine.
    """

    quality: str = "quick"
    work_size: int | None = None
    max_gap_s: float = 0.2

    def __post_init__(self) -> None:
        if self.quality not in _DIS_QUALITIES:
            raise UnknownName(f"DIS has no quality '{self.quality}' here.", remedy="Use quick or fine.")
        if self.size < 64:
            raise BrainvizError(f"DIS needs a work size of at least 64 px, not {self.size}.")

    @property
    def size(self) -> int:
        return self.work_size or _DIS_QUALITIES[self.quality][0]

    @property
    def name(self) -> str:
        import cv2

        version = ".".join(cv2.__version__.split(".")[:2])
        return f"DIS (OpenCV {version}, {self.quality}, {self.size} px, chained over {self.max_gap_s:g} s, refined)"

    def measure(self, first: Frames, second: Frames) -> Array:
        return self._search(_DIS_QUALITIES[self.quality][1], first, second, [None] * len(first))

    def refine(self, first: Frames, second: Frames, flow: Array) -> Array:
        return self._search(_DIS_QUALITIES[self.quality][2], first, second, [f.copy() for f in flow])

    def _search(self, settings: _Search, first: Frames, second: Frames, guesses: list[Any]) -> Array:
        import cv2

        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            search = settings.build()
            triples = zip(first, second, guesses, strict=True)
            return np.stack([search.calc(_grey(a), _grey(b), guess) for a, b, guess in triples])
        finally:
            cv2.setNumThreads(threads)


def _grey(frame: Frames) -> npt.NDArray[Any]:
    import cv2

    return np.asarray(cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY))


@dataclass(frozen=True)
class RaftLabeller:
    """RAFT large (Teed & Deng, ECCV 2020) of torchvision, with weights from a local file."""

    weights: Path
    device: str = "cpu"
    size: int = 256
    max_gap_s: float = 0.35
    pairs_at_once: int = 8
    _loaded: list[Any] = field(default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.size % 8 or self.size < 128:
            raise BrainvizError(f"RAFT needs a work size of at least 128 px that is a multiple of 8, not {self.size}.")

    @property
    def name(self) -> str:
        from importlib.metadata import version

        release = version("torchvision").split("+")[0]
        return (
            f"RAFT large (torchvision {release}, {self.weights.stem}, {self.size} px, gaps up to {self.max_gap_s:g} s)"
        )

    def measure(self, first: Frames, second: Frames) -> Array:
        import torch

        network = self._network()
        out = []
        for start in range(0, len(first), self.pairs_at_once):
            part = slice(start, start + self.pairs_at_once)
            pair = [
                torch.from_numpy(np.ascontiguousarray(x[part])).to(self.device).permute(0, 3, 1, 2).float() / 127.5 - 1
                for x in (first, second)
            ]
            with torch.inference_mode():
                out.append(network(*pair)[-1].permute(0, 2, 3, 1).float().cpu().numpy())
        return np.concatenate(out).astype(np.float32)

    def refine(self, first: Frames, second: Frames, flow: Array) -> Array:
        """RAFT bridges long gaps and takes no first guess: the chained flow stays."""
        return flow

    def _network(self) -> Any:
        if not self._loaded:
            self._loaded.append(load_raft(self.weights).to(self.device))
        return self._loaded[0]


def load_raft(weights: Path) -> Any:
    """RAFT large with the weights of a state-dict file, in evaluation mode.

    Raises
    ------
    DataProblem
        If the file is missing, is no plain state dict, or belongs to another network.
    """
    from brainviz.compat import prepare_torchvision

    prepare_torchvision()
    import pickle

    import torch
    from torchvision.models.optical_flow import raft_large

    remedy = f"Fetch the right file with `python -m pipelines weights raft`, or save {RAFT_URL} there."
    if not weights.is_file():
        raise DataProblem("RAFT's weights are not there.", str(weights), remedy)
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise DataProblem("RAFT's weights cannot be read as plain tensors.", str(weights), remedy) from error
    network = raft_large(weights=None, progress=False)
    try:
        network.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise DataProblem(
            "The file does not hold the weights of torchvision's raft_large.", str(weights), remedy
        ) from error
    return network.eval()


def hub_folder() -> Path:
    """The folder where torch hub keeps downloaded weights, found as torch finds it but without importing it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    return Path(os.environ.get("TORCH_HOME", cache / "torch")).expanduser() / "hub" / "checkpoints"


def find_raft_weights() -> Path | None:
    """torchvision's own raft_large file in the torch hub cache, the default one first; None if there is none."""
    folder = hub_folder()
    known = [folder / RAFT_FILE, *sorted(folder.glob("raft_large_*.pth"))]
    return next((path for path in known if path.is_file()), None)


def make_labeller(
    name: str = "auto", weights: str | Path | None = None, device: str = "cpu", size: int | None = None
) -> Labeller:
    """The labeller of a name.

    Parameters
    ----------
    name : {"auto", "raft", "dis", "dis-fine"}
        "auto" takes RAFT where weights are given or found, else DIS; "dis-fine" is DIS at five times the cost.
    weights : path, optional
        RAFT's state-dict file; by default the one in the torch hub cache.
    device : str
        Torch device for RAFT.
    size : int, optional
        Work size in pixels (RAFT: a multiple of 8, at least 128).

    Raises
    ------
    UnknownName, BrainvizError, DataProblem
        Unknown name; impossible size; weights that are missing or do not fit.
    """
    found = Path(weights).expanduser() if weights else find_raft_weights()
    kind = resolve_labeller("raft" if weights and name == "auto" else name)
    if kind != "raft":
        return DisLabeller("fine" if kind == "dis-fine" else "quick", work_size=size)
    if found is None:
        raise DataProblem(
            "RAFT's weights are not there.",
            str(hub_folder()),
            f"Run `python -m pipelines weights raft`, or save {RAFT_URL}.",
        )
    labeller = RaftLabeller(found, device=device, size=256 if size is None else size)
    labeller._network()  # an unfit file should stop the run now, not after the film is read
    return labeller


def resolve_labeller(name: str) -> str:
    """The name that "auto" stands for on this machine: "raft", "dis" or "dis-fine". Loads nothing."""
    if name not in ("auto", "raft", "dis", "dis-fine"):
        raise UnknownName(f"There is no flow labeller '{name}'.", remedy="Use auto, raft, dis or dis-fine.")
    return name if name != "auto" else "raft" if find_raft_weights() else "dis"
