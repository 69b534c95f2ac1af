"""Clips as thumbnails: one page of pictures, a click picks the clip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from brainviz.components import assets
from brainviz.components.packing import Packer


@dataclass(frozen=True)
class Card:
    """One clip in the gallery; `picture` is a JPEG (None while it is not there yet)."""

    id: str
    caption: str = ""
    note: str = ""
    tag: str = ""
    picture: bytes | None = None


def pack_cards(cards: list[Card], selected: str) -> bytes:
    """The message for one page of the gallery."""
    packer = Packer()
    clips = [
        {
            "id": card.id,
            "caption": card.caption,
            "note": card.note,
            "tag": card.tag,
            "picture": packer.add(card.picture) if card.picture else None,
        }
        for card in cards
    ]
    return packer.pack({"clips": clips, "selected": selected})


_component = st.components.v2.component(
    "brainviz_gallery",
    html=assets.text("gallery/gallery.html"),
    css=assets.text("gallery/gallery.css"),
    js=assets.text("gallery/gallery.js"),
)


def gallery(cards: list[Card], selected: str, key: str, on_pick: Callable[[], None]) -> Any:
    """Mount the gallery; after a click ``st.session_state[key].pick`` is the clip (look it up before use)."""
    return _component(key=key, data=pack_cards(cards, selected), on_pick_change=on_pick)
