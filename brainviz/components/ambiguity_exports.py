"""What a visitor of the Ambiguity page can take away, and how its figures are made."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from brainviz.components import exports, store
from brainviz.components.ambiguity_cases import Case
from brainviz.components.ambiguity_view import AmbiguityView
from brainviz.workspace import Workspace

METHOD = """
- **Direction of a clip**: of eight, the one that carries most motion, every valid vector of the true flow voting with
  its length; none where the mean speed is below a tenth of the training films' median ({still:.2f} px of the 32×32 grid
  per step).
- **Usable bits, by this decoder**: log₂ q(d) from frame + fMRI minus log₂ q(d) from the frame alone, d being the true
  direction (V-information, Xu et al. 2020), minus the same for decoders trained on fMRI shifted against the film. Not
  clipped at 0, not summed over patches. A poor image model overstates, a poor brain model understates.
- **The three decoders are nested.** A softmax over nine outcomes sees components of the first frame; with fMRI it also
  sees a vector and a speed that ridge regression reads from 0 to 8 s after clip onset. All are fitted on training
  films, each training clip read by a ridge that has not seen its film; temperatures come from held-out training films.
- **Samples of the prior** are whole flow fields of training clips with similar first frames, no fMRI.
- **What this does not show**: not what a person saw, but shot-level motion over about 10 s from the mean of the test
  runs. fMRI around a shot's first clip also holds the shot before it.
"""


def menu(workspace: Workspace, view: AmbiguityView, case: Case, clip: str) -> None:
    """The export menu. Tables are made when asked for."""
    stem = exports.file_stem(f"subject{view.subject}", "ambiguity", case.id, simulated=workspace.simulated)
    with st.popover("Export", icon=":material/download:", help="Tables and settings; figures save themselves on hover"):
        rows: Callable[[], str] = lambda: case_csv(view.subject, case)  # noqa: E731
        exports.download("Bits of this case (CSV)", "table", rows, f"{stem}.csv", "text/csv")
        name = exports.file_stem(f"subject{view.subject}", "ambiguity", simulated=workspace.simulated)
        exports.download(
            "Bits of all clips (CSV)", "table_view", lambda: subject_csv(view.subject), f"{name}.csv", "text/csv"
        )
        means = exports.file_stem("ambiguity-cases", simulated=workspace.simulated)
        exports.download("Means of all cases (CSV)", "functions", cases_csv, f"{means}.csv", "text/csv")
        text = settings(workspace, view, case, clip)
        exports.download(
            "Settings of this view (JSON)", "data_object", lambda: text, f"{stem}.json", "application/json"
        )
        st.caption("A figure is saved as a PNG by the camera on it. The address bar is a link to exactly this view.")


def case_csv(subject: str, case: Case) -> str:
    """All rows of the case's clips."""
    table = store.table("ambiguity")
    return str(table[(table["subject"] == subject) & table["clip"].isin(case.clips)].to_csv(index=False))


def subject_csv(subject: str) -> str:
    """All rows of the subject."""
    table = store.table("ambiguity")
    return str(table[table["subject"] == subject].to_csv(index=False))


def cases_csv() -> str:
    """Means per case, every subject."""
    return str(store.table("ambiguity_cases").to_csv(index=False))


def settings(workspace: Workspace, view: AmbiguityView, case: Case, clip: str) -> str:
    """The view's settings and where the data come from, as JSON."""
    chosen = {**st.query_params.to_dict(), "subject": view.subject, "ambiguity": case.id, "clip": clip}
    facts = {
        "dataset": workspace.dataset_name,
        "simulated": workspace.simulated,
        "labeller": workspace.labeller,
        "runs": view.runs,
        "results_version": workspace.version,
    }
    return exports.settings_json(chosen, facts)


def method(view: AmbiguityView) -> None:
    """How this is made, one click away."""
    with st.expander("How this is made, and what it does not show", icon=":material/menu_book:"):
        st.markdown(METHOD.format(still=float(view.clips["still_below"].iloc[0])))
    with st.expander("Cite", icon=":material/format_quote:"):
        st.code(exports.CITATION, language="bibtex")
