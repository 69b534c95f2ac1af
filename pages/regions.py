"""Regions: what the ridge decoder loses without a region, over all clips and for one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import streamlit as st

from brainviz.components import (
    choices,
    clip_picker,
    exports,
    regions_choice,
    regions_exports,
    regions_lesion,
    regions_table,
    shell,
    store,
)
from brainviz.components.cortex_view import USUAL_VIEW, cortex_state, cortex_view
from brainviz.components.heading import subject_heading
from brainviz.components.motion_view import first_clip, view_or_none
from brainviz.components.regions_view import (
    EXPLAINED,
    MEASURES,
    RegionsView,
    measure_message,
    panel_of,
    regions_view,
)
from pipelines.interactive import regions

SHOWS = (
    "What the ridge decoder (fMRI to motion, linear) loses without a region of the cortex. Click regions on the map to "
    "leave them out of this clip's prediction."
)
METHOD = """
- **Unique.** The decoder is refitted without the region's vertices: an exact refit of the kernel ridge, kernel minus
  the region's kernel, with the full decoder's penalties. Small values are to be expected: neighbours know the same.
- **Reliance.** The decoder stays as it is; the region's activity in the test films is replaced by its conditional mean
  given all other decoded vertices, a ridge fitted on training films. Setting activity to zero without a refit would ask
  the decoder about brains that do not occur (Hooker et al. 2021), so it is not offered.
- **Alone.** A decoder fitted to nothing but the region, penalties chosen anew on training films, against the mean flow.
- **Null.** Random contiguous patches of both sides, as large as the regions and as reliable as can be found. Their
  values are carried to each region's size and reliability by local regression; both are compared on every third
  training clip and every second grid point. p is one-sided: more than a patch.
- **Only vertices that the decoder uses count.** It uses those whose training runs agree best. A region without one has
  no value, which says nothing of the region.
- **What this does not show.** It describes one decoder. That it loses error without a region does not say what the
  region represents, and that it loses nothing does not say that the region is silent: others may carry the same.
- **One clip** is descriptive. Tests are over all test clips.
"""

shell.ensure_app()


def moved(clip: str, flow: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """The clip's first frame moved by a flow."""
    return regions.moved_frame(store.workspace(), clip, flow)


def draw(view: RegionsView, measure: str, chosen: tuple[str, ...]) -> None:
    """The map of the measure; a click puts a region in or out."""
    workspace = store.workspace()
    cortex_view(
        [panel_of(view, measure)],
        key=regions_choice.CORTEX_KEY,
        region=chosen[-1] if chosen else "",
        follow=False,
        view=USUAL_VIEW,
        caption=f"Leave-out, {measure}, {workspace.dataset_name}, subject {view.subject}",
        file_stem=exports.file_stem(f"subject{view.subject}", f"leave-out-{measure}", simulated=workspace.simulated),
        on_change=regions_choice.remember,
    )
    regions_choice.seen()


def all_clips(view: RegionsView) -> str:
    """Left: the map of a measure over all test clips; returns the measure."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        measure = regions_choice.choose_measure()
        regions_exports.menu(view.subject, measure, cortex_state(regions_choice.CORTEX_KEY).view)
    with shell.guarded("map"):
        draw(view, measure, regions_choice.chosen_set())
    st.caption("  \n".join(f"**{MEASURES[name]}.** {EXPLAINED[name]}" for name in MEASURES))
    return measure


def one_clip(view: RegionsView, clip: str, ids: list[str]) -> regions.Lesion:
    """Right: one clip's flow with regions left out or kept; returns the lesion."""
    chosen = regions_choice.choose_set(view)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        way = regions_choice.choose_way()
        st.space("stretch")
        clip_picker.neighbour_buttons(ids, clip)
    lesion = regions.lesioned(store.workspace(), view.subject, clip, chosen, way if chosen else "without")
    with shell.guarded("clip"):
        regions_lesion.show_player(view.subject, clip, lesion)
        if chosen:
            regions_lesion.show_errors(view.subject, clip, lesion)
    return lesion


def main() -> None:
    workspace = store.workspace()
    with st.container(gap="xxsmall"):
        subject = subject_heading("Regions", workspace)
        shell.sentence(SHOWS)
        view = regions_view(subject)
        clips = workspace.clips[workspace.clips["split"] == "test"]
        ids = list(clips["clip"])
        clip = choices.choose("clip", ids, first_clip(view_or_none(subject), ids), "the clip")
        choices.keep("clip", clip)
        words = st.empty()
        left, right = st.columns([9, 11], gap="medium")
        with left:
            measure = all_clips(view)
        with right:
            lesion = one_clip(view, clip, ids)
        with words:
            shell.message(regions_lesion.message_of(lesion) if lesion.regions else measure_message(view, measure))
    if lesion.regions:
        st.subheader("The first frame, moved", anchor=False)
        regions_lesion.show_films(subject, clip, lesion, moved)
    with shell.guarded("regions"):
        regions_table.show(view, measure)
    clip_picker.picker(workspace, view_or_none(subject), clips, clip)
    with st.expander("How this is made, and what it does not show", icon=":material/menu_book:"):
        st.markdown(METHOD)
    with st.expander("Cite", icon=":material/format_quote:"):
        st.code(exports.CITATION, language="bibtex")


with shell.guarded("regions"):
    main()
