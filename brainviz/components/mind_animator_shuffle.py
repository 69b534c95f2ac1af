"""Is motion decoded? The frame-shuffle test of the Mind-Animator page, on the shown and on shifted fMRI."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from brainviz.components import exports, mind_animator_words, shell, store
from brainviz.components.benchmark_words import p_words
from brainviz.components.mind_animator_view import shift_rows, shuffle_rows
from brainviz.figures import mind_animator as figures
from brainviz.figures.palette import look
from brainviz.figures.style import picture_settings

if TYPE_CHECKING:
    from streamlit.elements.lib.column_types import ColumnConfig

MARKS = (  # system whose look is used, sign, words
    (figures.SYSTEM, "⬢", "shown fMRI"),
    (figures.SHIFTED, "■", "fMRI shifted against the film"),
    ("truth", "|", "frozen film, a control"),
)


def message() -> str:
    """The page's message, as HTML; raises `NotReady` before the test was run."""
    return mind_animator_words.message(shift_rows("error"), shuffle_rows("shown"))


def legend() -> None:
    """What the marks of the figure stand for."""
    dark = shell.is_dark()
    parts = [
        f'<span><b style="color:{look(system).colour(dark)}">{sign}</b> {words}</span>' for system, sign, words in MARKS
    ]
    st.html(f'<p class="tile" style="display:flex;flex-wrap:wrap;gap:.2rem 1.4rem">{"".join(parts)}</p>')


def show(subject: str, shift_s: float, made_by: str) -> None:
    """One figure per measure, a row per subject.

    Parameters
    ----------
    subject : str
        Whose name is printed bold.
    shift_s : float
        By how much the fMRI was shifted, s.
    made_by : str
        Targets and generator in words, "" where nothing is known of them.
    """
    shown = shuffle_rows("shown")
    frozen = dict(zip(shown["subject"].astype(str), shown["frozen"].astype(float), strict=True))
    for column, measure in zip(st.columns(3, gap="medium"), mind_animator_words.MEASURES, strict=True):
        with column, shell.guarded(measure):
            _panel(measure, subject, frozen if measure == "error" else {})
    error = shift_rows("error")
    st.caption(
        f"Bars: 95 % intervals of the difference to shifted fMRI (by {shift_s:.0f} s, drawn from the grey mark), over "
        f"{mind_animator_words.span(error['n_blocks'].astype(float).tolist(), '{:.0f}')} blocks of whole shots, "
        f"{mind_animator_words.span(error['n'].astype(float).tolist(), '{:.0f}')} test clips. p: sign flips over "
        "blocks, Holm over the three measures; filled: p < .05. "
        f"{mind_animator_words.plain_test_words(shown, shuffle_rows('shifted'))} Running backwards costs no jumps: "
        f"what is lost there is the direction of time alone.{mind_animator_words.few_blocks_words(error)}"
        + (f" Targets and generator: {made_by}." if made_by else "")
    )


def _panel(measure: str, subject: str, frozen: dict[str, float]) -> None:
    rows, simulated = shift_rows(measure), store.workspace().simulated
    st.html(mind_animator_words.measure_verdict(measure, rows))
    figure = figures.against_shifted(
        rows,
        mind_animator_words.TURNS[measure],
        frozen,
        mind_animator_words.MEASURES[measure][2],
        [p_words(float(p)) for p in rows["p_holm"]],
        subject,
        shell.is_dark(),
        simulated,
    )
    stem = exports.file_stem("mind-animator", "shuffle-test", measure, simulated=simulated)
    st.plotly_chart(figure, key=f"shuffle-{measure}", config=picture_settings(stem))


def numbers() -> None:
    """Both tables, one click away."""
    with st.expander("All numbers of this test", icon=":material/table:"), shell.guarded("numbers"):
        table = store.table("shuffle_test_shift")
        names = {measure: words[0] for measure, words in mind_animator_words.MEASURES.items()}
        kept = ["subject", "measure", "shown", "shifted", "difference", "low", "high", "p", "p_holm", "n", "n_blocks"]
        st.dataframe(
            table.assign(measure=table["measure"].map(names))[kept],
            column_config=_columns(),
            hide_index=True,
            height="content",
        )
        st.caption("Shown against shifted fMRI. Difference: above 0 where the shown fMRI is better, px.")
        tests = store.table("shuffle_test").drop(columns="simulated")
        st.dataframe(tests, column_config=_columns(), hide_index=True, height="content")
        st.caption(
            "The plain test. Error of the film, backwards, standing still, and shuffled (mean over orders), px; gain: "
            "shuffled minus error with its 95 % interval over blocks; p: share of orders at least as good as the "
            "film's own."
        )


def _columns() -> dict[str, ColumnConfig]:
    number = st.column_config.NumberColumn
    pixels = ("shown", "shifted", "difference", "error", "reversed", "frozen", "shuffled", "gain")
    named: dict[str, ColumnConfig] = {
        "subject": st.column_config.TextColumn("Subject", pinned=True),
        "measure": st.column_config.TextColumn("Measure"),
        "fmri": st.column_config.TextColumn("fMRI"),
        "low": number("from", format="%.3f", help="Lower end of the 95 % interval"),
        "high": number("to", format="%.3f", help="Upper end of the 95 % interval"),
        "p": number("p", format="%.2g"),
        "p_holm": number("p (Holm)", format="%.2g", help="Over the three measures"),
        "n": number("Clips", format="%d"),
        "n_blocks": number("Blocks", format="%d"),
        "orders": number("Orders", format="%d"),
        "frozen_low": number("Over frozen, from", format="%.3f", help="Frozen minus error, lower end of the interval"),
        "frozen_high": number("Over frozen, to", format="%.3f", help="Upper end of the 95 % interval"),
        "frozen_p": number("p over frozen", format="%.2g", help="Sign flips over blocks"),
    }
    return {**{name: number(name.capitalize(), format="%.3f") for name in pixels}, **named}
