"""Several corpora poured into one."""
