"""End-point errors of many refits on the same test clips."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from brainviz.flow.errors import end_point_error
from pipelines.motion_decoder.basis import FlowBasis

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ClipErrors:
    """Scores of flow components in, end-point error per clip out.

    Attributes
    ----------
    basis : FlowBasis
    truth : float32 (n, 3, h, w, 2)
    valid : bool (n, 3, h, w)
    stride : int
        Grid points taken: every one, or every second ... each way (for the many patches of a null).
    """

    basis: FlowBasis
    truth: Array
    valid: NDArray[np.bool_]
    stride: int = 1

    def at_every(self, stride: int) -> ClipErrors:
        """The same on a coarser choice of grid points."""
        return replace(self, stride=stride)

    @cached_property
    def _parts(self) -> tuple[Array, Array, Array, Array, Array, NDArray[np.float64]]:
        """Components and mean-minus-truth of x and y at the points taken; weights; their number per clip."""
        cut = (slice(None), slice(None), slice(None, None, self.stride), slice(None, None, self.stride))
        valid = self.valid[cut]
        fields = self.basis.components.reshape(-1, *self.basis.mean.shape)[cut]
        offset = np.where(valid[..., None], self.basis.mean[None][cut] - self.truth[cut], 0)
        n, m = len(offset), len(fields)
        x, y = (np.ascontiguousarray(fields[..., axis]).reshape(m, -1) for axis in (0, 1))
        off_x, off_y = (np.ascontiguousarray(offset[..., axis], dtype=np.float32).reshape(n, -1) for axis in (0, 1))
        weight = valid.reshape(n, -1).astype(np.float32)
        return x, y, off_x, off_y, weight, weight.sum(1, dtype=np.float64)

    def of_scores(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """float64 (n,), grid pixels per step; NaN where a clip has no valid point."""
        x, y, off_x, off_y, weight, count = self._parts
        wanted = np.asarray(scores, np.float32)
        right, down = wanted @ x, wanted @ y
        right += off_x
        down += off_y
        right *= right
        down *= down
        right += down
        np.sqrt(right, out=right)
        right *= weight
        total = right.sum(1, dtype=np.float64)
        return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)

    def of_mean(self) -> NDArray[np.float64]:
        """Error of the mean training flow, which is what is known without a brain."""
        return self.of_scores(np.zeros((len(self.truth), len(self.basis.components)), np.float32))

    def of_flow(self, flow: Array) -> NDArray[np.float64]:
        """Error of flow fields (n, 3, h, w, 2), all grid points."""
        return end_point_error(flow, self.truth, self.valid)
