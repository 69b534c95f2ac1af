"""What a visitor of the Mind-Animator page can take away: the map as it is seen, tables, settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from brainviz.components import encoding_controls, exports, store
from brainviz.components.cortex_view import USUAL_VIEW, checked_view
from brainviz.components.encoding_view import is_region
from brainviz.components.mind_animator_cortex import map_stem
from brainviz.components.mind_animator_view import MindAnimatorView, mind_animator_view, panel_of, regions_of

if TYPE_CHECKING:
    from brainviz.cortex.exports import Shown

CSV = {
    "shuffle_test_shift": "Shown against shifted fMRI",
    "shuffle_test": "Frame-shuffle test",
    "corrections": "Corrections",
}


def menu(view: MindAnimatorView, part: str, kind: str) -> None:
    """The export menu. Files are made when asked for, with the settings of this moment."""
    workspace = store.workspace()
    stem = map_stem(view.subject, part, kind)
    region = encoding_controls.asked_region()
    settings = checked_view(encoding_controls.linked_view(USUAL_VIEW))
    seen = partial(shown, view.subject, part, kind, settings, region if is_region(region) else "")
    files: list[tuple[str, str, Callable[[], Any], str, str]] = [
        ("Map (PNG)", "image", lambda: as_png(seen()), f"{stem}.png", "image/png"),
        ("Map with outlines (SVG)", "draw", lambda: as_svg(seen()), f"{stem}.svg", "image/svg+xml"),
        ("Map (CIFTI dscalar)", "grain", lambda: as_cifti(seen()), f"{stem}.dscalar.nii", "application/octet-stream"),
        (
            "Regions of this map (CSV)",
            "table",
            partial(regions_csv, view.subject, part, kind),
            f"{stem}.csv",
            "text/csv",
        ),
    ]
    for name, words in CSV.items():
        if workspace.has_table(name):
            file = exports.file_stem("mind-animator", name.replace("_", "-"), simulated=workspace.simulated)
            files.append((f"{words} (CSV)", "table", partial(table_csv, name), f"{file}.csv", "text/csv"))
    link = {**st.query_params.to_dict(), "subject": view.subject, "part": part, "kind": kind}
    words = "Settings of this view (JSON)"
    files.append((words, "data_object", partial(settings_json, link), f"{stem}.json", "application/json"))
    with st.popover("Export", icon=":material/download:", help="Map, tables, settings"), st.container(gap="xsmall"):
        for label, icon, make, file, mime in files:
            exports.download(label, icon, make, file, mime)
        st.caption("Figures have a button of their own. The address is a link to exactly this view.")


def shown(subject: str, part: str, kind: str, settings: dict[str, Any], region: str = "") -> Shown:
    """The subject's map under the settings that the visitor sees."""
    from brainviz.cortex.exports import Shown

    view = mind_animator_view(subject)
    panel = panel_of(view, part, kind)
    made = f" Targets and generator: {view.facts['generator']}." if view.facts.get("generator") else ""
    caption = f"Mind-Animator, subject {subject}, {store.workspace().dataset_name}. {panel.explanation}{made}"
    return Shown.from_panel(panel, checked_view(settings), caption, region)


def as_png(seen: Shown) -> bytes:
    """A picture on white, with colour bar and caption."""
    from brainviz.cortex.exports import png

    return png(seen, 1024)


def as_svg(seen: Shown) -> bytes:
    """Outlines as paths, names as text."""
    from brainviz.cortex.exports import svg

    return svg(seen, 512)


def as_cifti(seen: Shown) -> bytes:
    """A ``.dscalar.nii``."""
    from brainviz.cortex.exports import cifti

    return cifti(seen)


def regions_csv(subject: str, part: str, kind: str) -> str:
    """Means of the map over the regions."""
    rows = regions_of(mind_animator_view(subject), part, kind).drop(columns=["name", "words"])
    rows = rows.assign(subject=subject, part=part, kind=kind, simulated=store.workspace().simulated)
    return str(rows.to_csv(index=False))


def table_csv(name: str) -> str:
    """All rows of a table."""
    return str(store.table(name).to_csv(index=False))


def settings_json(link: dict[str, str]) -> str:
    """The view's settings and where its values come from, as JSON."""
    workspace = store.workspace()
    facts = mind_animator_view(link["subject"]).facts
    return exports.settings_json(
        link,
        {
            "dataset": workspace.dataset_name,
            "simulated": workspace.simulated,
            "results": workspace.version,
            "regions": "Glasser et al. 2016 (MMP1.0)",
            **{name: facts[name] for name in ("form", "generator", "vertices", "shift_s", "fps") if name in facts},
        },
    )
