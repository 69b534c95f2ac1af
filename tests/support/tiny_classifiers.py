"""Classifiers of frames and films with random weights, in the form that the published ones have."""

from __future__ import annotations

from pathlib import Path

PX = 32
IMAGE_CLASSES, FILM_CLASSES = 100, 80


def write_classifiers(
    root: Path, image_classes: int = IMAGE_CLASSES, film_classes: int = FILM_CLASSES, n_frames: int = 16
) -> dict[str, str]:
    """Folders by the names of the weights; their answers differ between pictures."""
    import torch
    import transformers

    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    shape = {"image_size": PX, "patch_size": 8, "initializer_range": 0.3}
    torch.manual_seed(1)
    images = transformers.ViTConfig(**small, **shape, num_labels=image_classes)
    transformers.ViTForImageClassification(images).save_pretrained(root / "vit")
    films = transformers.VideoMAEConfig(**small, **shape, num_frames=n_frames, num_labels=film_classes)
    transformers.VideoMAEForVideoClassification(films).save_pretrained(root / "videomae-classifier")
    size, half = {"height": PX, "width": PX}, [0.5] * 3
    processor = transformers.ViTImageProcessor(size=size, image_mean=half, image_std=half)
    processor.save_pretrained(root / "vit")
    crop = transformers.VideoMAEImageProcessor(size={"shortest_edge": PX}, crop_size=size)
    crop.save_pretrained(root / "videomae-classifier")
    return {"imagenet-classifier": str(root / "vit"), "kinetics-classifier": str(root / "videomae-classifier")}
