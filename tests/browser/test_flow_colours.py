"""The colours that the browser paints are those that Python writes into exports."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from brainviz.components.packing import Packer, quantise
from brainviz.flow.wheel import flow_to_rgb

PLAYER = Path(__file__).resolve().parents[2] / "assets" / "player"


def javascript(*parts: str) -> str:
    return "\n".join((PLAYER / f"{part}.js").read_text() for part in parts)


def run_script(chromium, code: str):
    page = chromium.new_page()
    try:
        return page.evaluate(code)
    finally:
        page.close()


def test_colours_agree_with_python(chromium) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(0, 1.2, (4000, 2))
    edges = [[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [3, 0], [0, -3], [-2, 0], [1e-9, 0], [2, 2]]
    vectors = np.concatenate([vectors, np.array(edges)]).astype(np.float32)
    code = (
        javascript("flow_colours")
        + f"""
        const vectors = {json.dumps(vectors.tolist())};
        const rgba = new Uint8ClampedArray(4 * vectors.length);
        vectors.forEach(([u, v], i) => writeFlowColour(u, v, 2, rgba, 4 * i));
        return [...rgba];"""
    )
    found = np.array(run_script(chromium, f"() => {{ {code} }}")).reshape(-1, 4)
    expected = flow_to_rgb(vectors, 2.0).astype(int)
    assert np.abs(found[:, :3] - expected).max() <= 1
    assert (found[:, 3] == 255).all()


def test_vectors_survive_the_way_to_the_browser(chromium) -> None:
    rng = np.random.default_rng(1)
    flow = rng.normal(0, 3, (3, 8, 8, 2)).astype(np.float32)
    packer = Packer()
    vectors, scale = quantise(flow)
    place = packer.add(vectors) | {}
    film, valid = packer.add(b"picture"), packer.add(bytes(range(192)))
    header = {"panels": [{"id": "film"}, {"id": "a", "vectors": place}], "film": film, "valid": valid, "moving": None}
    header["panels"][1]["vectors"] = packer._places[0]
    packer._places[0]["scale"] = scale
    message = packer.pack(header)
    code = (
        javascript("payload")
        + f"""
        const clip = parsePayload(new Uint8Array({json.dumps(list(message))}));
        return [[...clip.panels[1].flow], [...clip.valid], clip.film.size, clip.panels[0].flow];"""
    )
    back, mask, size, none = run_script(chromium, f"() => {{ {code} }}")
    assert np.abs(np.array(back).reshape(flow.shape) - flow).max() <= np.abs(flow).max() / 65534 * 1.01
    assert mask == list(range(192))
    assert size == len(b"picture")
    assert none is None


def test_held_step_follows_the_clock_of_python(chromium) -> None:
    from brainviz.figures.panels import step_of_frames

    for fps, frames, steps in ((15, 30, (10, 10, 9)), (30, 60, (20, 20, 19)), (24, 48, (16, 16, 15))):
        step_s = np.array(steps) / fps
        code = (
            javascript("payload")
            + f"""
            const ends = {json.dumps(np.cumsum(step_s).tolist())};
            return [...Array({frames}).keys()].map((frame) => stepOfFrame(frame, {fps}, ends));"""
        )
        found = run_script(chromium, f"() => {{ {code} }}")
        assert found == step_of_frames(frames, fps, step_s).tolist()
        assert found.index(1) == steps[0]
        assert found.index(2) == steps[0] + steps[1]
