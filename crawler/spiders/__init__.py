"""One spider for each kind of source: feed, sitemap, listing. Never one for a site."""
