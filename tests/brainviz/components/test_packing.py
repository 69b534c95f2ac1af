"""The packed message: blobs come back where the header says, whatever the header's own length."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from brainviz.components.gallery import Card, pack_cards
from brainviz.components.packing import LARGEST, Packer, quantise
from brainviz.errors import BrainvizError


def unpack(message: bytes) -> dict:
    (length,) = struct.unpack_from("<I", message)
    return json.loads(message[4 : 4 + length])


def blob(message: bytes, place: dict) -> bytes:
    return message[place["offset"] : place["offset"] + place["length"]]


@pytest.mark.parametrize("n_blobs", [0, 1, 7, 300])
def test_blobs_stand_where_the_header_says(n_blobs: int) -> None:
    rng = np.random.default_rng(n_blobs)
    blobs = [rng.bytes(int(size)) for size in rng.integers(0, 500, n_blobs)]
    packer = Packer()
    places = [packer.add(one) for one in blobs]
    message = packer.pack({"places": places, "words": "ähnlich → gleich"})
    header = unpack(message)
    assert header["words"] == "ähnlich → gleich"
    assert [blob(message, place) for place in header["places"]] == blobs
    assert all(place["offset"] % 8 == 0 for place in header["places"])


def test_too_large_a_message_is_refused() -> None:
    packer = Packer()
    packer.add(bytes(LARGEST))
    with pytest.raises(BrainvizError, match="fewer panels"):
        packer.pack({})


def test_nan_in_the_header_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Packer().pack({"value": float("nan")})


def test_quantised_vectors_come_back_within_half_a_step() -> None:
    flow = np.random.default_rng(0).normal(0, 2, (3, 32, 32, 2)).astype(np.float32)
    packed, scale = quantise(flow)
    back = np.frombuffer(packed, "<i2").reshape(flow.shape) * scale
    assert len(packed) == 3 * 32 * 32 * 2 * 2
    assert np.abs(back - flow).max() <= scale / 2 * 1.001


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0])
def test_vectors_that_are_no_numbers_become_rest(value: float) -> None:
    packed, scale = quantise(np.full((1, 2, 2, 2), value, np.float32))
    assert scale > 0
    assert not np.frombuffer(packed, "<i2").any()


def test_gallery_carries_pictures_and_marks_the_chosen_clip() -> None:
    cards = [Card("test1-0000", "a cat", "gain +0.10 px", "bird", b"jpeg"), Card("test1-0001")]
    message = pack_cards(cards, "test1-0001")
    header = unpack(message)
    assert header["selected"] == "test1-0001"
    assert blob(message, header["clips"][0]["picture"]) == b"jpeg"
    assert header["clips"][1]["picture"] is None
