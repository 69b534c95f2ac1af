"""Fixtures of the decoder tests."""

from __future__ import annotations

import pytest
from planted_motion import planted

from pipelines.motion_decoder import DecoderConfig, DecoderData
from pipelines.motion_decoder.config import NetworkConfig, ReferenceConfig


@pytest.fixture(scope="session")
def world() -> DecoderData:
    return planted()


@pytest.fixture(scope="session")
def quick() -> DecoderConfig:
    """Settings that train in about a second."""
    network = NetworkConfig(width=16, epochs=6, patches=32, members=2, feature_components=4)
    reference = ReferenceConfig(words=12, hidden=16, width=16, blocks=1, epochs=4, patches=32)
    return DecoderConfig(network=network, reference=reference)
