"""A fitted encoder, small enough to keep: from features of any film to predicted cortex."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from brainviz.errors import DataProblem
from pipelines.encoding.delays import Standardiser, scaled_design
from pipelines.encoding.low_rank import LowRank

FORMAT = 1


@dataclass(frozen=True)
class EncoderWeights:
    """Low-rank ridge weights with all that stands between raw features and the design.

    Attributes
    ----------
    layer : str
        Layer of the encoder that the features come from.
    moments : Standardiser
        Of the training clips.
    delays_s : tuple of float
    tr_s, lag_s : float
        Kept volume k stands at film time lag_s + tr_s * k.
    low_rank : LowRank
    """

    layer: str
    moments: Standardiser
    delays_s: tuple[float, ...]
    tr_s: float
    lag_s: float
    low_rank: LowRank

    def predict(
        self, features: npt.ArrayLike, n_volumes: int | None = None, columns: slice = slice(None)
    ) -> npt.NDArray[np.float32]:
        """Predicted BOLD of a film.

        Parameters
        ----------
        features : float32 (n_clips, channels)
            Raw features of clips that begin every `tr_s` seconds.
        n_volumes : int, optional
            Volumes wanted; one per clip by default.
        columns : slice
            Vertices wanted.

        Returns
        -------
        float32 (n_volumes, v)
        """
        clips = np.asarray(features, dtype=np.float32)
        if clips.ndim != 2 or clips.shape[1] != len(self.moments.mean):
            what = f"Features of shape {clips.shape} do not fit weights for {len(self.moments.mean)} channels."
            raise DataProblem(what, self.layer, "Encode the film with the encoder and layer of the fit.")
        volumes = {"film": n_volumes or len(clips)}
        design = scaled_design({"film": clips}, self.moments, volumes, self.delays_s, self.tr_s, self.lag_s)
        return self.low_rank.predict(design["film"], columns)

    def save(self, path: Path) -> None:
        """Write as plain arrays (.npz), complete or not at all."""
        low = self.low_rank
        arrays = {
            "format": np.asarray(FORMAT),
            "layer": np.asarray(self.layer),
            "channel_mean": self.moments.mean,
            "channel_scale": self.moments.scale,
            "delays_s": np.asarray(self.delays_s),
            "timing_s": np.asarray([self.tr_s, self.lag_s]),
            **{name: np.asarray(getattr(low, name)) for name in LowRank.__dataclass_fields__},
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        with part.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> EncoderWeights:
        """Read what `save` wrote.

        Raises
        ------
        DataProblem
            The file holds no such weights.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                if int(file["format"]) != FORMAT:
                    raise ValueError(f"format {int(file['format'])}, not {FORMAT}")
                low = {name: file[name] for name in LowRank.__dataclass_fields__}
                moments = Standardiser(file["channel_mean"], file["channel_scale"])
                tr_s, lag_s = (float(value) for value in file["timing_s"])
                delays = tuple(float(value) for value in file["delays_s"])
                layer = str(file["layer"])
        except (OSError, ValueError, KeyError) as error:
            raise DataProblem(f"These weights cannot be read: {error}", str(path), "Fit the encoder again.") from error
        return cls(layer, moments, delays, tr_s, lag_s, LowRank(**low | {"agreement": float(low["agreement"])}))
