"""Maps and the surface on their way to the browser: what is packed comes back, and it is small."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

import numpy as np
import pytest

from brainviz.components.cortex_message import FilmResponse, MapPanel, cortex_message
from brainviz.components.cortex_packing import (
    Blob,
    inflated_blob,
    make_blob,
    q_edges,
    quantise_classes,
    quantise_map,
    quantise_q,
    surface_blob,
)
from brainviz.cortex import cortex_to_full, glasser, load_surface
from brainviz.cortex.surface import N_CORTEX, N_FULL
from brainviz.errors import BrainvizError, UnknownName

RNG = np.random.default_rng(0)


def content(blob: Blob) -> bytes:
    return zlib.decompress(blob.data) if blob.deflated else blob.data


def unpack(message: bytes) -> dict[str, Any]:
    return json.loads(message[4 : 4 + struct.unpack_from("<I", message)[0]])


def test_a_map_comes_back_within_half_a_step_and_nan_as_nan() -> None:
    values = cortex_to_full(RNG.normal(0, 0.2, N_CORTEX).astype(np.float32))
    values[load_surface().cortex[:50]] = np.nan
    codes, low, step = quantise_map(values)
    back = np.where(codes == 255, np.nan, low + codes * np.float64(step))
    expected = values[load_surface().cortex]
    np.testing.assert_array_equal(np.isnan(back), np.isnan(expected))
    assert np.nanmax(np.abs(back - expected)) <= step / 2 * 1.001
    np.testing.assert_array_equal(quantise_map(expected)[0], codes)


@pytest.mark.parametrize("values", [np.full(N_CORTEX, 0.3), np.full(N_CORTEX, np.nan), np.zeros(N_CORTEX)])
def test_constant_and_empty_maps_pack(values: np.ndarray) -> None:
    codes, low, step = quantise_map(values)
    back = np.where(codes == 255, np.nan, low + codes * step)
    np.testing.assert_allclose(back, values, rtol=1e-6)


def test_even_pure_noise_stays_under_the_limit() -> None:
    noise = RNG.uniform(-1, 1, N_CORTEX)
    assert len(make_blob(quantise_map(noise)[0].tobytes()).data) <= 59_412 < 70_000
    smooth = load_surface().midthickness[load_surface().cortex, 1]
    blob = make_blob(quantise_map(smooth)[0].tobytes())
    assert blob.deflated and len(blob.data) < 57_000
    assert content(blob) == quantise_map(smooth)[0].tobytes()


def test_q_codes_never_claim_more_than_the_truth_and_keep_the_usual_levels_exact() -> None:
    q = np.clip(10 ** RNG.uniform(-7, 0, N_CORTEX), 0, 1).astype(np.float32)
    q[:6] = 0.05, 0.01, 0.001, 1.0, 0.0, np.nextafter(np.float32(0.05), np.float32(1))
    codes = quantise_q(q)
    said = q_edges()[codes]
    assert (said >= q.astype(np.float64) * (1 - 1e-6)).all()
    for level in (0.05, 0.01, 0.001):
        at = int(np.flatnonzero(q_edges() == level)[0])
        np.testing.assert_array_equal(codes >= at, q <= np.float32(level))
    assert quantise_q(np.full(N_CORTEX, np.nan)).min() == 255


def test_classes_are_exact_and_anything_else_is_refused() -> None:
    labels = RNG.integers(0, 5, N_CORTEX).astype(np.float32)
    labels[3] = np.nan
    codes, low, step = quantise_classes(labels, 5)
    np.testing.assert_array_equal(np.where(codes == 255, np.nan, low + codes * step), labels)
    for wrong in (labels + 0.5, labels + 1, labels - 1):
        with pytest.raises(BrainvizError, match="whole numbers"):
            quantise_classes(wrong, 5)


def test_the_surface_travels_whole() -> None:
    raw = content(surface_blob())
    header = unpack(raw)

    def part(name: str) -> bytes:
        return raw[header[name]["offset"] :][: header[name]["length"]]

    def columns(data: bytes, count: int) -> np.ndarray:
        planes = np.frombuffer(data, np.uint8).reshape(2, -1)
        steps = (planes[0].astype(np.int32) | planes[1].astype(np.int32) << 8).astype(np.uint16).reshape(count, -1)
        return np.cumsum(steps, axis=1, dtype=np.uint16).T

    surface = load_surface()
    flat = columns(part("flat"), 2).astype(np.int16) / header["units"]
    np.testing.assert_allclose(flat, surface.flat, atol=1e-4)
    np.testing.assert_array_equal(columns(part("faces"), 3), surface.faces[: header["n_faces"]])
    np.testing.assert_array_equal(np.frombuffer(part("labels"), "<i2"), glasser().labels)
    np.testing.assert_array_equal(np.frombuffer(part("mask"), np.uint8), surface.mask)
    inflated = columns(content(inflated_blob()), 3).astype(np.int16) / 50
    np.testing.assert_allclose(inflated, surface.inflated, atol=1e-4)
    assert len(surface_blob().data) < 450_000 and len(inflated_blob().data) < 160_000


def panel(name: str = "a", **kind: Any) -> MapPanel:
    return MapPanel(name, f"Map {name}", RNG.normal(0, 0.1, N_CORTEX).astype(np.float32), **kind)


def test_a_blob_travels_once_and_again_when_asked_for() -> None:
    one = panel(q=RNG.uniform(0, 1, N_FULL), reliability=RNG.uniform(0, 1, N_FULL))
    message = cortex_message([one], pinned=7)
    first, carried = message.packed()
    assert len(carried) == 3 and surface_blob().id not in carried
    again, nothing = message.packed(known=carried)
    assert not nothing and len(again) < 8_000
    assert unpack(again)["pinned"] == 7
    asked, both = message.packed(known=carried, wanted={surface_blob().id, *list(carried)[:1]})
    assert both == {surface_blob().id, *list(carried)[:1]}
    places = unpack(first)["blobs"]
    place = places[unpack(first)["panels"][0]["values"]["hash"]]
    sent = first[place["offset"] : place["offset"] + place["length"]]
    assert (zlib.decompress(sent) if place["deflated"] else sent) == quantise_map(one.values)[0].tobytes()
    assert len(asked) > len(surface_blob().data)


def test_panels_share_equal_companions() -> None:
    q = RNG.uniform(0, 1, N_CORTEX)
    _, carried = cortex_message([panel("a", q=q), panel("b", q=q)]).packed()
    assert len(carried) == 3


def test_a_film_response_packs_all_volumes_on_one_scale() -> None:
    class Sprite:
        data, n, columns, width, height, fps = b"webp", 30, 6, 64, 64, 15.0

    response = RNG.normal(0, 1, (4, N_CORTEX)).astype(np.float32)
    play = FilmResponse("f", response, first_s=4, step_s=2, duration_s=10, sprite=Sprite())
    message = cortex_message([panel()], play)
    header = message.header["play"]
    codes = np.frombuffer(content(message.blobs[header["values"]["hash"]]), np.uint8).reshape(4, -1)
    back = header["values"]["low"] + codes * header["values"]["step"]
    assert np.abs(back - response).max() <= header["values"]["step"] / 2 * 1.001
    assert message.blobs[header["film"]["hash"]].data == b"webp"
    assert header["n"] == 4 and header["sprite"]["fps"] == 15


def test_mistakes_are_named() -> None:
    with pytest.raises(BrainvizError, match="one to 4"):
        cortex_message([])
    with pytest.raises(UnknownName):
        cortex_message([panel(colormap="jet")])
    with pytest.raises(BrainvizError, match="do not increase"):
        cortex_message([panel(limits=(1, 1))])
    with pytest.raises(BrainvizError, match="does not fit"):
        cortex_message([MapPanel("x", "x", np.zeros(91282))])
    with pytest.raises(BrainvizError, match="cannot be played"):
        cortex_message([panel()], FilmResponse("f", np.zeros((0, N_CORTEX)), 0, 2, 4))


def test_simulated_data_are_named_in_the_caption() -> None:
    assert cortex_message([panel(simulated=True)], caption="Here.").header["caption"] == "Simulated data. Here."
