"""Everything that knows Scrapy: it fetches pages and hands them to `pipelines`."""
