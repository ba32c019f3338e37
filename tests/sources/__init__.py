"""`copydesk sources`, on a list of its own."""
