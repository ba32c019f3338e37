"""One module a publisher: how its pages are marked up. Each has `page(article, frame)`."""
