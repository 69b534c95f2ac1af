"""Captions as vectors: TF-IDF of words and of parts of words, each reduced by truncated SVD. No language model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainviz.errors import DataProblem

Array = NDArray[np.float32]
WIDTH = 32


@dataclass(frozen=True)
class CaptionEncoder:
    """Two fitted views of a caption; `fit` on training captions only."""

    words: Any
    parts: Any
    scale: tuple[float, float]

    @classmethod
    def fit(cls, captions: Sequence[str], width: int = WIDTH, seed: int = 0) -> CaptionEncoder:
        """From the training clips' captions (repeats weigh as often as they are shown).

        Raises
        ------
        DataProblem
            Without captions.
        """
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import make_pipeline

        given = [caption for caption in captions if caption]
        if len(set(given)) < 2:
            raise DataProblem(
                "The training clips have no captions to learn from.", "captions.csv", "Describe the films' shots there."
            )

        def fitted(**how: Any) -> Any:
            view = TfidfVectorizer(sublinear_tf=True, **how).fit(given)
            found = min(width, len(view.vocabulary_) - 1)
            return make_pipeline(view, TruncatedSVD(found, random_state=seed)).fit(given)

        words = fitted(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b")
        parts = fitted(analyzer="char_wb", ngram_range=(3, 5), max_features=4000)
        spread = [float(np.sqrt(np.square(view.transform(given)).mean())) for view in (words, parts)]
        return cls(words, parts, (1 / spread[0], 1 / spread[1]))

    def vectors(self, captions: Sequence[str]) -> Array:
        """float32 (n, width), mean square 1 over the training captions; zeros for an empty caption."""
        return self._view(0, captions)

    def conditions(self, captions: Sequence[str]) -> Array:
        """What the renderer's text input should be, float32 (n, 2, width): by words, by parts of words."""
        views = [self._view(number, captions) for number in (0, 1)]
        wide = max(view.shape[1] for view in views)
        return np.stack([np.pad(view, ((0, 0), (0, wide - view.shape[1]))) for view in views], axis=1)

    def _view(self, number: int, captions: Sequence[str]) -> Array:
        view = (self.words, self.parts)[number]
        return np.asarray(view.transform([caption or "" for caption in captions]) * self.scale[number], np.float32)
