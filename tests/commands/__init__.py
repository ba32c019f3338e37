"""Every corpus command: what it answers, where, and how it fails."""
