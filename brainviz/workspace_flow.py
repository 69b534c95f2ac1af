"""The flow fields of a workspace: true, decoded, and where they count."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from brainviz.errors import NotReady, UnknownName
from brainviz.results import Result
from brainviz.storage import open_array
from brainviz.workspace_catalogue import SHARED_UNIT, Catalogue, ClipPlace


class FlowResults(Catalogue):
    """The part of `brainviz.workspace.Workspace` that reads flow."""

    @cached_property
    def _first_label(self) -> Result:
        labels = self.results.all_current("flow_labels")
        if not labels:
            raise NotReady("True flow is not there yet.", "flow_labels", "It appears during the run.")
        return labels[0]

    @property
    def labeller(self) -> str:
        """What measured the true flow, with its settings."""
        return str(self._first_label.manifest["facts"]["labeller"])

    @property
    def step_s(self) -> np.ndarray:
        """Duration of the three flow steps in seconds, float32 (3,)."""
        return np.asarray(self._first_label.manifest["facts"]["step_s"], np.float32)

    def systems(self, subject: str) -> list[str]:
        """Systems whose flow exists for this subject, `truth` first."""
        self._check_subject(subject)
        units = self.results.units("motion_decoder")
        names = [u.split(".", 1)[1] for u in units if u.split(".", 1)[0] in (subject, SHARED_UNIT)]
        truth = ["truth"] if self.results.units("flow_labels") else []
        return truth + sorted(set(names))

    def flow(self, subject: str, clip: str, system: str, sample: int = 0) -> np.ndarray:
        """Flow of one clip: float32 (3, 32, 32, 2), right and down, pixels of the 32 x 32 grid per step."""
        place = self.place(clip)
        if system == "truth":
            return self._label_row(place, "flow").astype(np.float32)
        result = self.decoded(subject, system)
        clips = result.manifest["facts"]["clips"]
        if clip not in clips:
            raise NotReady(f"{system} has no flow for this clip.", clip, "Only test clips are decoded.")
        stored = open_array(result.arrays, "flow")
        if not 0 <= sample < stored.shape[1]:
            raise UnknownName(f"{system} has samples 0 to {stored.shape[1] - 1}.", f"sample {sample}")
        return np.asarray(stored[clips.index(clip), sample], np.float32)

    def samples(self, subject: str, system: str) -> int:
        """How many samples a system gives per clip (1 for an expected flow)."""
        return 1 if system == "truth" else int(open_array(self.decoded(subject, system).arrays, "flow").shape[1])

    def decoded(self, subject: str, system: str) -> Result:
        """The decoder result of a system, the subject's own or the shared one."""
        if system not in self.systems(subject):  # looked up, never joined into a path unseen
            raise NotReady(
                f"There is no flow of {system!r} yet.", f"subject {subject}", "See systems() for what there is."
            )
        own, shared = (self.results.current("motion_decoder", f"{owner}.{system}") for owner in (subject, SHARED_UNIT))
        result = own or shared
        if result is None:
            raise NotReady(
                f"The flow of {system!r} is being rebuilt.", f"subject {subject}", "It appears during the run."
            )
        return result

    def flow_valid(self, clip: str) -> np.ndarray:
        """Where the true flow can be trusted: bool (3, 32, 32); False across cuts, fades and inconsistent flow."""
        return self._label_row(self.place(clip), "valid").astype(bool)

    def object_mask(self, clip: str) -> np.ndarray:
        """Moving objects in the *viewed* film (residual after a camera fit): bool (3, 32, 32)."""
        return self._label_row(self.place(clip), "moving").astype(bool)

    def flowsam_mask(self, clip: str) -> np.ndarray:
        """FlowSAM's objects in the *viewed* film: bool (3, 32, 32); raises `NotReady` where no run has looked."""
        place = self.place(clip)
        result = self.results.current("object_masks", place.segment)
        if result is None:
            remedy = "Run with --object-masks flowsam."
            raise NotReady("FlowSAM's masks of this film are not there yet.", place.segment, remedy)
        return np.asarray(open_array(result.arrays, "objects")[place.index], bool)

    def _label_row(self, place: ClipPlace, name: str) -> np.ndarray:
        result = self.results.current("flow_labels", place.segment)
        if result is None:
            raise NotReady("True flow is not there yet.", place.segment, "It appears during the run.")
        return np.asarray(open_array(result.arrays, name)[place.index])
