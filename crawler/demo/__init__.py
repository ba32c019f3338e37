"""A small news internet of ours, to try the program on and to test it with.

Nine invented publishers on loopback, each with its own markup, feeds and bad habits. What stands on their pages is
written in `pages/<publisher>/<slug>.toml` together with what must come of it, so the demo is also a test.
"""
