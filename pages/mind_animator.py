"""Mind-Animator: is motion decoded, where on the cortex it is read from, what each correction is worth."""

from __future__ import annotations

import streamlit as st

from brainviz.components import (
    exports,
    mind_animator_corrections,
    mind_animator_cortex,
    mind_animator_exports,
    mind_animator_shuffle,
    shell,
    store,
)
from brainviz.components.heading import subject_heading
from brainviz.components.mind_animator_view import MindAnimatorView, mind_animator_view

SHOWS = "Mind-Animator makes films from nothing but fMRI. Is motion decoded in them, or are they only smooth?"
METHOD = """
- **The system.** Three decoders read the same window of fMRI (0 to 8 s after a clip begins): what is seen (semantics),
  the first frame (structure), and how frames follow each other (motion). A generator that has seen no film draws the
  frames. One model per subject, trained on training films only (Lu et al. 2025).
- **The frame-shuffle test.** The film's flow (Farneback, 8 frames per clip, pixels of 64-pixel films from frame to
  frame) is compared with the shown film's. Then the frames are put in random orders, and run backwards. Shuffled
  frames jump, and jumps cost error in any smooth film: so the same is done with films decoded from fMRI that was
  shifted against its film, and the difference is what counts.
- **What a smaller error may mean.** Knowing how much moves, or how the scene looks, is enough. What is lost backwards
  is the direction of time and nothing else. The frozen film is a control: a film that barely moves errs little.
- **Patterns and filters.** A filter is the product of the weights from a vertex on: it may weigh noise to cancel it.
  A pattern is the covariance of the fMRI with what was decoded (Haufe et al. 2014), on training films. Both say what
  this decoder does with the vertices that it was given, the most reliable ones: nothing is said of the others, and a
  region that is not read is not thereby silent.
- **Corrections** are weighed one at a time against the form with all of them. They may depend on each other: the rows
  do not add up.
"""

shell.ensure_app()


def head(view: MindAnimatorView) -> None:
    """Message, legend, export menu."""
    words = st.empty()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="content"):
            mind_animator_shuffle.legend()
        st.space("stretch")
        with shell.guarded("export"):
            mind_animator_exports.menu(view, *mind_animator_cortex.chosen_map(view))
    with words, shell.guarded("message"):
        shell.message(mind_animator_shuffle.message())


def link_to_benchmark(subject: str) -> None:
    """The way to the films."""
    if not store.workspace().has_table("benchmark"):
        return
    table = store.table("benchmark")
    there = set(table.loc[table["subject"] == subject, "system"])
    pair = {
        name: system for name, system in (("a", "mind-animator-released"), ("b", "mind-animator")) if system in there
    }
    st.page_link(
        "pages/benchmark.py",
        label="See the films, clip by clip, on the Benchmark page",
        icon=":material/leaderboard:",
        query_params={"subject": subject, **pair},
    )


def main() -> None:
    with st.container(gap="small"):
        subject = subject_heading("Mind-Animator", store.workspace())
        shell.sentence(SHOWS)
        view = mind_animator_view(subject)
        head(view)
    with shell.guarded("shuffle test"):
        mind_animator_shuffle.show(subject, float(view.facts.get("shift_s", 0)), str(view.facts.get("generator", "")))
        mind_animator_shuffle.numbers()
    link_to_benchmark(subject)
    st.subheader("Where on the cortex it reads from", anchor=False)
    with shell.guarded("maps"):
        mind_animator_cortex.show(view)
    st.subheader("What each correction is worth", anchor=False)
    with shell.guarded("corrections"):
        mind_animator_corrections.show()
    with st.expander("How this is made, and what it does not show", icon=":material/menu_book:"):
        st.markdown(METHOD)
        if view.facts.get("generator"):
            st.markdown(f"- **Here**, targets and generator: {view.facts['generator']}.")
    with st.expander("Cite", icon=":material/format_quote:"):
        st.code(exports.CITATION, language="bibtex")


with shell.guarded("mind-animator"):
    main()
