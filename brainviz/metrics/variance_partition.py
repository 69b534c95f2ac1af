"""What two encoders explain alone and together, from their block sums and those of the joint model.

unique A = R2(AB) - R2(B), shared = R2(A) + R2(B) - R2(AB) (Dupre la Tour et al. 2022, NeuroImage 264). A negative value
says that the joint model predicts held-out data worse; it is kept. A difference of r is not unique variance.
"""

from __future__ import annotations

from dataclasses import dataclass

from brainviz.errors import DataProblem
from brainviz.metrics.block_bootstrap import Resampling
from brainviz.metrics.block_statistics import ratio
from brainviz.metrics.block_sums import BlockSums, Float32
from brainviz.metrics.estimates import MapEstimates, estimate_map
from brainviz.metrics.region_means import Regions


@dataclass(frozen=True, eq=False)
class VariancePartition:
    """Shares of the measured variance, with intervals and two-sided p."""

    unique_a: MapEstimates
    unique_b: MapEstimates
    shared: MapEstimates


def partition_variance(
    joint: BlockSums, a: BlockSums, b: BlockSums, regions: Regions, resampling: Resampling | None = None
) -> VariancePartition:
    """Unique and shared variance of two encoders, by a paired block bootstrap of R2.

    Parameters
    ----------
    joint, a, b : BlockSums
        Of the model with both encoders and of each alone, on the same measurement and blocks.
    regions : Regions of v vertices
    resampling : Resampling

    Raises
    ------
    DataProblem
        Where they differ in blocks or vertices.
    """
    if not joint.py.shape == a.py.shape == b.py.shape:
        shapes = f"{joint.py.shape}, {a.py.shape} and {b.py.shape}"
        raise DataProblem(f"The models' block sums differ in shape: {shapes}.", "variance partition")
    chosen = resampling or Resampling()
    explained_joint, explained_a, explained_b = (_explained(each) for each in (joint, a, b))

    def of(above: Float32) -> MapEstimates:
        return estimate_map(ratio(above, joint.yy), regions, chosen)

    return VariancePartition(
        unique_a=of(explained_joint - explained_b),
        unique_b=of(explained_joint - explained_a),
        shared=of(explained_a + explained_b - explained_joint),
    )


def _explained(sums: BlockSums) -> Float32:
    """Sum of y^2 - (y - p)^2 per block: R2 times the measured sum of squares."""
    return 2 * sums.py - sums.pp
