"""Stand-ins where no weights are at hand: small models trained on the training stimuli. Labelled so wherever shown.

- in the place of Stable Diffusion's VAE: an autoencoder of 64-pixel frames with latents 4 x 8 x 8 (`autoencoder`);
- in the place of the diffusion model: that autoencoder's decoder, trained to remove noise from latents and conditioned
  on the text condition (`autoencoder`);
- in the place of CLIP's text encoder: TF-IDF and truncated SVD of the captions (`captions`);
- in the place of CLIP's image encoder: classical features of the first frame, mapped by ridge regression into the
  captions' space (`images`).
"""

LABEL = "embedded stand-ins (no pretrained weights)"
