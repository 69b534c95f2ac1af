"""Features of a whole film: the right frames, several encoders from one decoding, resumed after a stop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from skimage.measure import block_reduce

from brainviz.errors import DataProblem, UnknownName
from brainviz.video.reading import read_frames
from brainviz.video.writing import write_mp4
from pipelines.features import film_clips
from pipelines.features.extraction import encode_film, encode_film_all
from pipelines.features.gabor import frame_channels
from pipelines.features.registry import DEMO_ENCODERS, ENCODERS, encoder_spec, make_encoder
from pipelines.features.spec import EncoderSpec, Features, Frames, sampled_frames

FPS, N_CLIPS = 12, 7


@dataclass
class Witness:
    """An encoder that returns what it was shown, and can be stopped."""

    spec: EncoderSpec
    weights: Path | None = None
    calls: int = 0
    stop_at: int = 0

    @property
    def layers(self) -> tuple[str, ...]:
        return self.spec.layers

    @property
    def size_px(self) -> int:
        return self.spec.size_px

    @property
    def frames_per_clip(self) -> int:
        return self.spec.frames_per_clip

    def encode(self, frames: Frames, fps: float) -> Features:
        self.calls += 1
        if self.calls == self.stop_at:
            raise KeyboardInterrupt
        assert fps == FPS
        return {layer: frames.reshape(len(frames), -1).astype(np.float32) for layer in self.layers}


def _witness(frames: int, sampling: str = "even", size: int = 8, name: str = "witness") -> Witness:
    spec = EncoderSpec(name, name, "video", "embedded", ("all",), frames, sampling, size)
    return Witness(spec)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven clips of 12 frames a second, half a second short; noise over a slow wave."""
    rng = np.random.default_rng(0)
    n = 2 * FPS * N_CLIPS - FPS // 2
    base = rng.integers(0, 200, (n, 4, 6, 3)).astype(np.uint8)
    path = tmp_path_factory.mktemp("film") / "seg1.mp4"
    write_mp4(path, base.repeat(12, 1).repeat(12, 2), FPS)
    return path


def test_frames_are_those_of_each_clip(film: Path) -> None:
    views = [
        _witness(0),
        _witness(4, name="four"),
        _witness(1, "middle", 0, "middle"),
        _witness(2, "first", 8, "still"),
    ]
    got = encode_film_all(views, film, N_CLIPS)
    everything = read_frames(film, range(2 * FPS * N_CLIPS - FPS // 2), 8).reshape(-1, 8 * 8 * 3)
    native = read_frames(film, range(2 * FPS * N_CLIPS - FPS // 2)).reshape(len(everything), -1)
    last = len(everything) - 1
    for clip in range(N_CLIPS):
        numbers = np.minimum(24 * clip + np.arange(24), last)
        np.testing.assert_array_equal(got["witness"]["all"][clip].reshape(24, -1), everything[numbers])
        np.testing.assert_array_equal(got["four"]["all"][clip].reshape(4, -1), everything[numbers[[0, 8, 15, 23]]])
        np.testing.assert_array_equal(got["middle"]["all"][clip], native[numbers[12]])
        np.testing.assert_array_equal(got["still"]["all"][clip].reshape(2, -1), everything[numbers[[0, 0]]])


def test_short_clips_repeat_the_nearest_frame() -> None:
    assert sampled_frames(5, 8, "even").tolist() == [0, 1, 1, 2, 2, 3, 3, 4]
    assert sampled_frames(1, 4, "even").tolist() == [0, 0, 0, 0]
    assert sampled_frames(60, 0, "even").tolist() == list(range(60))
    assert sampled_frames(60, 16, "even")[[0, -1]].tolist() == [0, 59]
    assert sampled_frames(60, 1, "middle").tolist() == [30]


def test_a_stopped_extraction_goes_on(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film_clips, "MOST_CLIPS", 2)
    expected = encode_film(_witness(3), film, N_CLIPS)["all"]
    stopped = _witness(3)
    stopped.stop_at = 3
    with pytest.raises(KeyboardInterrupt):
        encode_film(stopped, film, N_CLIPS, work=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    fractions: list[float] = []
    again = _witness(3)
    got = encode_film(again, film, N_CLIPS, lambda fraction, _: fractions.append(fraction), tmp_path)
    np.testing.assert_array_equal(got["all"], expected)
    assert again.calls == 2 and fractions == [0.75, 1.0]


def test_damaged_parts_and_parts_of_other_encoders_are_made_again(film: Path, tmp_path: Path) -> None:
    encode_film(_witness(3), film, N_CLIPS, work=tmp_path)
    (part,) = tmp_path.iterdir()
    part.write_bytes(part.read_bytes()[:100])
    again = _witness(3)
    encode_film(again, film, N_CLIPS, work=tmp_path)
    assert again.calls == 1
    other = _witness(3)
    other.spec = replace(other.spec, pooling="another")
    encode_film(other, film, N_CLIPS, work=tmp_path)
    assert other.calls == 1
    finished = _witness(3)
    encode_film(finished, film, N_CLIPS, work=tmp_path)
    assert finished.calls == 0


def test_too_many_clips_are_named(film: Path) -> None:
    with pytest.raises(DataProblem, match="no clip 7"):
        encode_film(_witness(3), film, N_CLIPS + 1)


def test_embedded_encoders_alone_and_together(film: Path) -> None:
    encoders = [make_encoder(name) for name in DEMO_ENCODERS]
    together = encode_film_all(encoders, film, 3)
    for encoder in encoders:
        alone = encode_film(encoder, film, 3)["energy"]
        np.testing.assert_allclose(together[encoder.spec.id]["energy"], alone, rtol=1e-5, atol=1e-5)
        assert alone.dtype == np.float32 and np.isfinite(alone).all()


def test_gabor_colour_is_the_area_mean_of_four_frames() -> None:
    clip = np.random.default_rng(1).integers(0, 255, (1, 4, 128, 128, 3), dtype=np.uint8)
    fine = np.mean([frame_channels(frame) for frame in clip[0]], axis=0).repeat(6, 1).repeat(6, 2)  # 192 = 6 * 32
    expected = block_reduce(fine, (1, 32, 32), np.mean).reshape(1, -1)
    got = make_encoder("gabor-colour").encode(clip, 30.0)["energy"]
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


def test_names_and_fingerprints() -> None:
    assert all(spec.id == name for name, spec in ENCODERS.items())
    with pytest.raises(UnknownName, match="motion-energy"):
        make_encoder("resnet49")
    prints = {spec.fingerprint() for spec in ENCODERS.values()}
    assert len(prints) == len(ENCODERS)
    spec = encoder_spec("motion-energy")
    assert spec.fingerprint() == replace(spec, title="another title").fingerprint()


def test_weights_enter_the_fingerprint(tmp_path: Path) -> None:
    spec = encoder_spec("motion-energy")
    (tmp_path / "model.safetensors").write_bytes(b"one")
    first = spec.fingerprint(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"two!")
    assert spec.fingerprint(tmp_path) != first != spec.fingerprint()
