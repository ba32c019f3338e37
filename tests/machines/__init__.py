"""Several machines: the frontier they share, the stream to the one who writes."""
