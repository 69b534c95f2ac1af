import numpy as np
import pandas as pd
import pytest

from brainviz.errors import DataProblem
from brainviz.metrics.blocks import at_shot_onset, enough_blocks, shot_blocks


def film(shot_lengths: dict[str, list[int]]) -> pd.DataFrame:
    """Clips of 2 s; per segment, the number of clips of each shot."""
    rows = []
    for segment, lengths in shot_lengths.items():
        index = 0
        for shot, length in enumerate(lengths):
            for _ in range(length):
                rows.append((f"{segment}-{index:04d}", segment, index, 2.0 * index, 2.0, shot))
                index += 1
    return pd.DataFrame(rows, columns=["clip", "segment", "index", "onset_s", "duration_s", "shot"])


def random_film(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return film({f"test{k}": list(rng.integers(1, 9, rng.integers(3, 40))) for k in range(3)})


def test_a_block_closes_at_the_first_shot_border_after_thirty_seconds():
    clips = film({"test1": [8, 7, 1, 20, 3]})  # 16 + 14 = 30 s | 2 + 40 s | 6 s left over joins the last
    assert list(shot_blocks(clips)) == [0] * 15 + [1] * 24


@pytest.mark.parametrize("seed", range(20))
def test_blocks_hold_whole_shots_of_one_segment_and_thirty_seconds(seed):
    clips = random_film(seed).assign(block=lambda c: shot_blocks(c))
    assert (clips.groupby("block")["segment"].nunique() == 1).all()
    assert (clips.groupby(["segment", "shot"])["block"].nunique() == 1).all()
    seconds = clips.groupby("block")["duration_s"].sum()
    segment_seconds = clips.groupby("segment")["duration_s"].sum()
    short = seconds[seconds < 30].index
    assert all(segment_seconds[clips.loc[clips["block"] == block, "segment"].iloc[0]] < 30 for block in short)
    for _, segment in clips.groupby("segment"):
        assert (np.diff(segment.sort_values("onset_s")["block"]) >= 0).all()


def most_blocks(lengths: list[int], minimum: int) -> int:
    """The largest number of runs of whole shots that each last `minimum` or more, by dynamic programming."""
    best = [0] + [-1] * len(lengths)
    for stop in range(1, len(lengths) + 1):
        options = [best[start] + 1 for start in range(stop) if best[start] >= 0 and sum(lengths[start:stop]) >= minimum]
        best[stop] = max(options, default=-1)
    return max(best[-1], 1)


@pytest.mark.parametrize("seed", range(20))
def test_no_other_division_has_more_blocks(seed):
    lengths = list(np.random.default_rng(seed).integers(1, 12, 30))
    assert shot_blocks(film({"test1": lengths})).max() + 1 == most_blocks(lengths, 15)


def test_the_order_of_the_rows_does_not_matter():
    clips = random_film(3)
    shuffled = clips.sample(frac=1, random_state=1)
    expected = pd.Series(shot_blocks(clips), index=clips["clip"])
    found = pd.Series(shot_blocks(shuffled), index=shuffled["clip"])[expected.index]
    pairs = pd.DataFrame({"a": expected, "b": found}).drop_duplicates()
    assert len(pairs) == expected.nunique() == found.nunique()


def test_the_same_shot_label_after_another_shot_is_a_new_shot():
    clips = film({"test1": [15, 1, 15]}).assign(shot=[0] * 15 + [1] + [0] * 15)
    assert list(shot_blocks(clips)) == [0] * 15 + [1] * 16


def test_shot_onsets_are_the_first_clips_of_shots():
    clips = film({"test1": [2, 1, 3], "test2": [2]}).assign(shot=[0, 0, 1, 2, 2, 2, 2, 2])
    assert list(at_shot_onset(clips)) == [True, False, True, True, False, False, True, False]
    backwards = at_shot_onset(clips.iloc[::-1])
    assert list(backwards[::-1]) == list(at_shot_onset(clips))


def test_strong_claims_need_twenty_blocks():
    assert enough_blocks(20) and not enough_blocks(19)


def test_a_missing_column_is_named():
    with pytest.raises(DataProblem, match="shot"):
        shot_blocks(film({"test1": [3]}).drop(columns="shot"))


def test_a_block_must_have_a_length():
    with pytest.raises(DataProblem, match="more than 0 s"):
        shot_blocks(film({"test1": [3]}), minimum_s=0)
