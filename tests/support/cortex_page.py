"""A page with nothing but the cortex component, for browser tests: streamlit run tests/support/cortex_page.py."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import streamlit as st
from PIL import Image

from brainviz.components.cortex_view import FilmResponse, MapPanel, cortex_state, cortex_view
from brainviz.cortex import glasser, load_surface

st.set_page_config(layout="wide", page_title="cortex")


@st.cache_resource
def smooth_maps() -> dict[str, np.ndarray]:
    """Plane waves over the folded surface: any vertex has another value, known in closed form."""
    surface = load_surface()
    x, y, z = surface.midthickness.T
    difference = (0.22 * np.sin(y / 21) * np.cos(z / 17) + 0.08 * np.sin(x / 9)).astype(np.float32)
    difference[~surface.mask] = np.nan
    ceiling = np.clip(0.55 - 0.006 * (y + 90), 0, 1).astype(np.float32)
    q = np.clip(10 ** (-12 * np.abs(np.nan_to_num(difference))), 1e-6, 1).astype(np.float32)
    return {"difference": difference, "ceiling": ceiling, "q": q, "r": np.abs(difference) + 0.02}


@st.cache_resource
def counting_film() -> SimpleNamespace:
    """Forty frames at 2 per second, each as bright as its number."""
    sheet = np.zeros((4 * 64, 10 * 64, 3), np.uint8)
    for frame in range(40):
        row, column = divmod(frame, 10)
        sheet[64 * row : 64 * row + 64, 64 * column : 64 * column + 64] = 40 + 5 * frame
    stream = io.BytesIO()
    Image.fromarray(sheet).save(stream, "WEBP", lossless=True)
    return SimpleNamespace(data=stream.getvalue(), n=40, columns=10, width=64, height=64, fps=2.0)


maps = smooth_maps()
count = int(st.query_params.get("panels", 1))
which = st.segmented_control("Map", ["difference", "r", "best"], default="difference", key="which") or "difference"
note = {"note": "subject 1", "simulated": True}
if which == "best":
    best = np.where(load_surface().mask, glasser().labels % 3, np.nan).astype(np.float32)
    classes = (("Motion energy", "0072b2"), ("Gabor and colour", "e69f00"), ("Neither", "999999"))
    panel = MapPanel("best", "Best encoder", best, classes=classes, **note)
elif which == "r":
    panel = MapPanel("r", "Motion energy", maps["r"], colormap="sequential", symbol="r", **note)
else:
    panel = MapPanel(
        "difference",
        "Motion energy minus Gabor and colour",
        maps["difference"],
        limits=(-0.3, 0.3),
        reliability=np.clip(np.sqrt(maps["ceiling"]), 0, 1),
        q=maps["q"],
        ceiling=maps["ceiling"],
        symbol="Δr",
        explanation="Where one encoder predicts better than the other.",
        **note,
    )
others = [
    MapPanel(
        f"s{i}", f"Subject {i + 1}", maps["difference"] * (1 - 0.2 * i), symbol="Δr", limits=(-0.3, 0.3), q=maps["q"]
    )
    for i in range(1, count)
]
play = None
if "play" in st.query_params:
    phase = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    waves = [0.3 * np.sin(load_surface().midthickness[:, 1] / 20 + one) for one in phase]
    play = FilmResponse("waves", np.stack(waves), first_s=4, step_s=2, duration_s=20, sprite=counting_film())
pinned = st.session_state.get("pinned", st.query_params.get("v"))
view = {"mode": st.query_params.get("mode", "flat")}


def remember() -> None:
    st.session_state["pinned"] = cortex_state("cortex").pinned
    st.session_state["region"] = cortex_state("cortex").region


state = cortex_view(
    [panel, *others],
    key="cortex",
    pinned=None if pinned is None else int(pinned),
    region=st.session_state.get("region", st.query_params.get("region", "")),
    view=view,
    play=play,
    caption="A page for tests.",
    on_change=remember,
)
st.write(
    f"pinned={state.pinned} region={state.region or '-'} threshold={state.view['threshold']} mode={state.view['mode']}"
)
if st.button("Pin vertex 1000"):
    st.session_state["pinned"] = 1000
    st.rerun()
