"""What a visitor of the Regions page can take away: the map as it is seen, the table, settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from brainviz.components import exports, store
from brainviz.components.cortex_view import checked_view
from brainviz.components.regions_view import MEASURES, panel_of, regions_view

if TYPE_CHECKING:
    from brainviz.cortex.exports import Shown


def menu(subject: str, measure: str, view: dict[str, Any]) -> None:
    """The export menu. Files are made when asked for, with the settings of this moment."""
    workspace = store.workspace()
    stem = exports.file_stem(f"subject{subject}", f"leave-out-{measure}", simulated=workspace.simulated)
    seen = partial(shown, subject, measure, view)
    files: tuple[tuple[str, str, Callable[[], Any], str, str], ...] = (
        ("Picture (PNG)", "image", lambda: as_png(seen()), "png", "image/png"),
        ("Drawing with outlines (SVG)", "draw", lambda: as_svg(seen()), "svg", "image/svg+xml"),
        ("Cortex (CIFTI dscalar)", "grain", lambda: as_cifti(seen()), "dscalar.nii", "application/octet-stream"),
        ("All regions, all measures (CSV)", "table", partial(table_csv, subject), "csv", "text/csv"),
        (
            "Settings of this view (JSON)",
            "data_object",
            partial(settings, subject, measure, st.query_params.to_dict()),
            "json",
            "application/json",
        ),
    )
    with st.popover("Export", icon=":material/download:", help="Picture, surface file, table, settings"):
        for label, icon, make, ending, mime in files:
            exports.download(label, icon, make, f"{stem}.{ending}", mime)
        st.caption("The address is a link to exactly this view.")


def shown(subject: str, measure: str, view: dict[str, Any]) -> Shown:
    """The subject's map under the settings that the visitor sees."""
    from brainviz.cortex.exports import Shown

    panel = panel_of(regions_view(subject), measure)
    caption = f"Subject {subject}, {store.workspace().dataset_name}. {panel.explanation}"
    return Shown.from_panel(panel, checked_view(view), caption, "")


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


def table_csv(subject: str) -> str:
    """The subject's rows of the table `leave_out`."""
    table = store.table("leave_out")
    return str(table[table["subject"] == subject].to_csv(index=False))


def settings(subject: str, measure: str, link: dict[str, str]) -> str:
    """The view's settings and where the data come from, as JSON."""
    workspace = store.workspace()
    facts = {
        "dataset": workspace.dataset_name,
        "simulated": workspace.simulated,
        "measure": MEASURES[measure],
        "decoder": "ridge",
        "regions": "Glasser et al. 2016 (MMP1.0), both sides together",
        "results_version": workspace.version,
    }
    return exports.settings_json({**link, "subject": subject, "measure": measure}, facts)
