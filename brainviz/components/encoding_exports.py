"""What a visitor of the Encoding page can take away: the map as it is seen, the region table, settings, link."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from brainviz.components import encoding_controls, encoding_map, exports, store
from brainviz.components.cortex_view import checked_view
from brainviz.components.encoding_map import NEEDS_B, MapChoice
from brainviz.components.encoding_view import EncodingView, encoding_view, is_region
from brainviz.errors import NotReady
from brainviz.figures.encoders import encoder_look

if TYPE_CHECKING:
    from brainviz.cortex.exports import Shown

SVG_HEIGHT, PNG_HEIGHT = 512, 1024


@dataclass(frozen=True, eq=False)
class Seen:
    """What is on the screen."""

    subject: str
    choice: MapChoice
    view: dict[str, Any]
    region: str
    link: dict[str, str]


@dataclass
class Screen:
    """Holds what the visitor saw last: a download is made later, outside the session, where no link can be read."""

    seen: Seen | None = None

    def make(self, what: Callable[[Seen], Any]) -> Any:
        """A file of what is on the screen.

        Raises
        ------
        NotReady
            Nothing was shown yet.
        """
        if self.seen is None:
            raise NotReady("There is no map to export yet.", "", "Wait until it is shown.")
        return what(self.seen)


def screen() -> Screen:
    """The visitor's screen."""
    held: Screen = st.session_state.setdefault("encoding-screen", Screen())
    return held


def note(subject: str, choice: MapChoice) -> None:
    """Note what the visitor sees in this run."""
    region = encoding_controls.asked_region()
    view = checked_view(encoding_controls.linked_view())
    region = region if is_region(region) else ""
    screen().seen = Seen(subject, choice, view, region, st.query_params.to_dict())


def menu(view: EncodingView, choice: MapChoice) -> None:
    """The export menu. Files are made when asked for, as the map is seen at that moment."""
    now = screen()
    simulated = store.workspace().simulated
    stem = exports.file_stem(f"subject{view.subject}", choice.slug, simulated=simulated)
    files: tuple[tuple[str, str, Callable[..., Any], str, str], ...] = (
        ("Picture (PNG)", "image", as_png, "png", "image/png"),
        ("Drawing with outlines (SVG)", "draw", as_svg, "svg", "image/svg+xml"),
        ("Surface (GIFTI, both sides)", "deployed_code", as_gifti, "gii.zip", "application/zip"),
        ("Cortex (CIFTI dscalar)", "grain", as_cifti, "dscalar.nii", "application/octet-stream"),
        ("Regions of this map (CSV)", "table", as_csv, "csv", "text/csv"),
    )
    with (
        st.popover("Export", icon=":material/download:", help="Picture, surface files, tables, settings"),
        st.container(gap="xsmall"),
    ):
        for label, icon, make, ending, mime in files:
            exports.download(label, icon, partial(now.make, make), f"{stem}.{ending}", mime)
        table = f"{stem}_regions.csv"
        exports.download("Tests of all regions (CSV)", "functions", partial(now.make, tests_csv), table, "text/csv")
        words = partial(now.make, settings)
        exports.download("Settings of this view (JSON)", "data_object", words, f"{stem}.json", "application/json")
        _pycortex(now, stem)
        st.caption("Files hold the map as it is seen now, with its limits and thresholds. The address is a link to it.")


def _pycortex(now: Screen, stem: str) -> None:
    """Exports that pycortex makes, each in a process of its own; where it is missing, what is missing."""
    from brainviz.cortex.exports.pycortex_export import missing

    reason = missing()
    if reason:
        st.caption(reason)
        return
    exports.download(
        "pycortex figure (PNG, takes 20 s)", "image", partial(now.make, as_figure), f"{stem}_pycortex.png", "image/png"
    )
    name = f"{stem}_pycortex-viewer.zip"
    exports.download(
        "pycortex viewer (ZIP, takes 20 s)", "3d_rotation", partial(now.make, as_viewer), name, "application/zip"
    )


def shown(seen: Seen) -> Shown:
    """The subject's map under the settings that the visitor sees."""
    from brainviz.cortex.exports import Shown

    panel = encoding_map.panel_of(encoding_view(seen.subject), seen.choice, [seen.subject])
    caption = f"Subject {seen.subject}, {store.workspace().dataset_name}. {panel.explanation}"
    return Shown.from_panel(panel, seen.view, caption, seen.region)


def as_png(seen: Seen) -> bytes:
    """A picture on white, with colour bar and caption."""
    from brainviz.cortex.exports import png

    return png(shown(seen), PNG_HEIGHT)


def as_svg(seen: Seen) -> bytes:
    """Outlines as paths, names as text."""
    from brainviz.cortex.exports import svg

    return svg(shown(seen), SVG_HEIGHT)


def as_gifti(seen: Seen) -> bytes:
    """Both hemispheres' ``.func.gii`` in one archive."""
    from brainviz.cortex.exports import gifti

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for side, content in gifti(shown(seen)).items():
            archive.writestr(f"subject{seen.subject}_{seen.choice.slug}_{side}.func.gii", content)
    return buffer.getvalue()


def as_cifti(seen: Seen) -> bytes:
    """A ``.dscalar.nii``: the values, then q, ceiling and what is kept."""
    from brainviz.cortex.exports import cifti

    return cifti(shown(seen))


def as_figure(seen: Seen) -> bytes:
    """The map as pycortex draws it."""
    from brainviz.cortex.exports.pycortex_export import quickflat_figure

    return quickflat_figure(shown(seen))


def as_viewer(seen: Seen) -> bytes:
    """pycortex's viewer as an archive; open its ``index.html``."""
    from brainviz.cortex.exports.pycortex_export import webgl_viewer

    buffer = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        place = Path(folder) / "viewer"
        webgl_viewer(shown(seen), place)
        for path in sorted(place.rglob("*")):
            archive.write(path, path.relative_to(place))
    return buffer.getvalue()


def as_csv(seen: Seen) -> str:
    """Statistics of the map's vertices, region by region."""
    from brainviz.cortex.exports import region_csv

    return region_csv(shown(seen))


def tests_csv(seen: Seen) -> str:
    """The table under the map: tested means of the 360 regions."""
    from brainviz.components.encoding_region import encoder_table, pair_table

    view, choice = encoding_view(seen.subject), seen.choice
    with_pair = choice.kind in NEEDS_B and choice.a != choice.b and view.has_pair(choice.a, choice.b)
    table = pair_table(view, choice) if with_pair else encoder_table(view, choice.a)
    facts = {"subject": seen.subject, "a": choice.a, **({"b": choice.b} if with_pair else {})}
    return str(table.drop(columns="name").assign(**facts, simulated=store.workspace().simulated).to_csv(index=False))


def settings(seen: Seen) -> str:
    """The view's settings and where the data come from, as JSON."""
    workspace, choice = store.workspace(), seen.choice
    chosen = {**seen.link, "subject": seen.subject, "map": choice.kind, "a": choice.a, "b": choice.b}
    facts = {
        "dataset": workspace.dataset_name,
        "simulated": workspace.simulated,
        "a": encoder_look(choice.a).label,
        "b": encoder_look(choice.b).label,
        "surface": "fs_LR 32k",
        "regions": "Glasser et al. 2016 (MMP1.0)",
        "results_version": workspace.version,
    }
    return exports.settings_json(chosen, facts)
