"""The small computations a page may do at once: warm, cached, well under a second. One module per kind."""
