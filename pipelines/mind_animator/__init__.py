"""Mind-Animator (Lu et al., ICLR 2025, arXiv 2405.03280): semantic, structure and motion decoders, and the generator.

Two named forms of every trained part, see `forms`: `released` reproduces the published program with its faults,
`corrected` is the default.
"""
