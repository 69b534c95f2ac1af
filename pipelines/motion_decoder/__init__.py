"""Motion predicted from first frame and fMRI: model, training, decoding, controls."""
