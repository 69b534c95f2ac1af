import numpy as np
import pytest

from brainviz.errors import UnknownName
from brainviz.published import TAGS, published, published_names


def value(name: str, system: str, metric: str, subject: str) -> float:
    table = published(name)
    rows = table[(table["system"] == system) & (table["metric"] == metric) & (table["subject"] == subject)]
    assert len(rows) == 1
    return float(rows["value"].iloc[0])


@pytest.mark.parametrize(
    ("name", "system", "metric", "subject", "expected"),
    [
        ("brainnrds_motion", "BrainNRDS, true first frame", "epe", "1", 0.543),
        ("brainnrds_motion", "MindVideo, best of 100", "epe", "3", 1.356),
        ("brainnrds_motion", "SVD, best of 10 (no brain)", "epe", "2", 1.192),
        ("brainnrds_generation", "BrainNRDS end to end", "ssim", "3", 0.223),
        ("brainnrds_generation", "MindVideo", "videomae_cosine", "all", 0.742),
        ("brainnrds_encoding", "VideoMAE Large", "mean_r", "3", 0.324),
        ("brainnrds_encoding", "CLIP ConvNeXt-all-frames", "mean_r", "2", 0.260),
        ("mind_animator_benchmark", "Mind-Animator 2025", "epe", "mean of 3", 5.422),
        ("mind_animator_benchmark", "Wen 2018", "psnr", "mean of 3", 8.031),
        ("mind_animator_ablations", "Mind-Animator, no semantic", "epe", "mean of 3", 8.72),
        ("mind_animator_retrieval", "Mind-Animator", "top10_large", "mean of 3", 0.0239),
    ],
)
def test_values_are_those_that_were_published(name, system, metric, subject, expected):
    assert value(name, system, metric, subject) == expected


@pytest.mark.parametrize("name", published_names())
def test_every_row_says_where_it_comes_from_and_how_it_was_made(name):
    table = published(name)
    assert len(table)
    assert table["source"].str.contains("arXiv:").all()
    for column in ("system", "subject", "metric", "unit", "protocol", "protocol_note"):
        assert (table[column].str.len() > 0).all(), column
    assert set(table["tag"]) <= set(TAGS)
    assert np.isfinite(table["value"]).all()
    assert not table.duplicated(["system", "subject", "metric"]).any()
    assert table.attrs["title"]


def test_a_system_with_its_own_protocol_is_not_put_with_the_others():
    table = published("mind_animator_benchmark").set_index("system")
    assert set(table.loc["NeuroClips 2024", "protocol"]) == {"neuroclips"}
    assert set(table.loc["MindVideo 2023", "protocol"]) == {"mind-animator"}


def test_the_unit_of_the_published_motion_errors_is_not_ours():
    assert set(published("brainnrds_motion")["unit"]) == {"not stated"}


def test_all_encoders_of_the_figure_are_there():
    assert published("brainnrds_encoding")["system"].nunique() == 18


@pytest.mark.parametrize("name", ["brainnrds", "../errors", ""])
def test_an_unknown_collection_is_refused_and_the_known_ones_named(name):
    with pytest.raises(UnknownName, match="brainnrds_motion"):
        published(name)
