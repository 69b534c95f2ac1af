"""Does an encoder predict a vertex, how well, and better than another encoder? For all vertices and regions at once."""

from __future__ import annotations

from dataclasses import dataclass

from brainviz.errors import DataProblem
from brainviz.metrics.block_bootstrap import Resampling
from brainviz.metrics.block_permutation import PermutationNull
from brainviz.metrics.block_statistics import correlation, correlation_difference
from brainviz.metrics.block_sums import (
    BlockSums,
    Columns,
    Float32,
    VolumeBlocks,
    centred_pair,
    check_shapes,
    chunks,
    empty_sums,
    fill_sums,
)
from brainviz.metrics.estimates import MapEstimates, estimate_map
from brainviz.metrics.region_means import Regions, means_of_map


@dataclass(frozen=True, eq=False)
class EncoderTest(MapEstimates):
    """One encoder on one subject: r with its interval, and one-sided p of r > 0 by block permutation.

    Attributes
    ----------
    vertices, regions, mean : Estimates
        As in `MapEstimates`; p of a region is that of its mean r under the same permutations.
    sums : BlockSums
        To be stored: every comparison of encoders starts from them.
    p_max : float32 (v,)
        p corrected for all vertices by the largest value of the map (max-T), each vertex scaled by its null's spread.
    minimum_p : float
        The smallest p that counting permutations can give; smaller ones rest on the fitted tail. 1 where no order of
        the blocks but the true one exists: then nothing can be tested.
    """

    sums: BlockSums
    p_max: Float32
    minimum_p: float


def assess_encoder(
    prediction: Columns,
    measured: Columns,
    blocks: VolumeBlocks,
    regions: Regions,
    resampling: Resampling | None = None,
) -> EncoderTest:
    """Block sums, r > 0 and intervals of one encoder, in one pass over blocks of vertices.

    Parameters
    ----------
    prediction, measured : (volumes, v), any real type
        The encoder's prediction of the test films, and the average over test runs; sliced by columns, so either may be
        a memory map or be computed on demand.
    blocks : VolumeBlocks
        From `volume_blocks`.
    regions : Regions of v vertices
    resampling : Resampling

    Raises
    ------
    DataProblem
        Where shapes do not go together.
    """
    resampling = resampling or Resampling()
    check_shapes(prediction, measured, blocks)
    if len(regions.label) != prediction.shape[1]:
        raise DataProblem(f"Regions of {len(regions.label)} vertices, data of {prediction.shape[1]}.", "regions")
    null = PermutationNull(prediction, measured, blocks, regions, resampling)
    sums = empty_sums(len(blocks), prediction.shape[1])
    for columns in chunks(prediction.shape[1]):
        p, y = centred_pair(prediction, measured, blocks, columns)
        fill_sums(sums, columns, p, y, blocks)
        null.add(columns, p, y)
    r = sums.r
    tested = (null.p, null.group_p(means_of_map(r, regions)[0]))
    result = estimate_map(correlation(sums), regions, resampling, tested)
    return EncoderTest(result.vertices, result.regions, result.mean, sums, null.p_max(r), null.orders.minimum_p)


def compare_encoders(
    a: BlockSums, b: BlockSums, regions: Regions, resampling: Resampling | None = None
) -> MapEstimates:
    """Difference r_a - r_b with intervals and two-sided p, by a paired block bootstrap.

    Parameters
    ----------
    a, b : BlockSums
        Of two encoders on the same measurement and blocks; `yy` is taken from `a`.
    regions : Regions of v vertices
    resampling : Resampling

    Raises
    ------
    DataProblem
        Where the two differ in blocks or vertices.
    """
    return estimate_map(correlation_difference(a, b), regions, resampling or Resampling())
