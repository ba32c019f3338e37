"""The reading room's pages and feeds, asked for without a browser: what they say, what they weigh, what they let through."""
