"""What is guessed of a site: the folder of its articles, its name, its id, which sitemap to read first."""

import pytest

from crawler import guessing
from crawler.finding import is_likely
from pipelines.records import Entry, Hint
from tests.site import rss


def entries(*urls, title=""):
    return [Entry(url=url, hint=Hint(title=title)) for url in urls]


@pytest.mark.parametrize(
    ("urls", "good", "bad"),
    [
        (["/2025/01/a", "/2026/02/b", "/about"], "/2026/11/c", "/about"),
        (["/en/news/a", "/en/news/b", "/en/jobs/a"], "/en/news/c", "/en/jobs/b"),
        (["/a-long-name-of-a-story", "/b-long-name-of-a-story", "/about", "/team"], "/new-long-name-of-it", "/team"),
        (["/view.php?id=1", "/view.php?id=2"], "/view.php?id=3", "/other.php?id=3"),
        (["/tag/a", "/tag/b", "/tag/c", "/post/12345"], "/post/12346", "/tag/a"),
        (["/news/1", "/news/2", "/x/1"], "/news/3", "/news/page/2"),
    ],
)
def test_the_commonest_folder_of_articles_is_guessed(urls, good, bad):
    base = "https://www.paper.example"
    pattern = guessing.commonest_pattern(entries(*(base + url for url in urls)), base + "/")
    assert guessing.re.search(pattern, base + good)
    assert guessing.re.search(pattern, "http://paper.example" + good)
    assert not guessing.re.search(pattern, base + bad)
    assert not guessing.re.search(pattern, "https://wwwxpaper.example" + good)


def test_nothing_is_guessed_from_nothing():
    assert not guessing.commonest_pattern(entries("https://paper.example/about"), "https://paper.example/")
    assert not guessing.commonest_pattern(entries("https://other.example/a/b"), "https://paper.example/")


@pytest.mark.parametrize(
    ("page", "folder"),
    [("https://a.example", "/"), ("https://a.example/blog.html", "/blog/"), ("https://a.example/en/index.php", "/en/")],
)
def test_the_folder_below_a_page(page, folder):
    assert guessing.folder_of(page) == folder


def test_ids_come_from_the_host_and_are_unique():
    taken = set()
    for expected in ("paper-example", "paper-example-blog", "paper-example-2"):
        found = guessing.id_for("https://www.paper.example/blog", taken)
        assert found == expected
        taken.add(found)
    assert guessing.id_for("http://[::1]/", set())


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (rss([], title="A &amp; B").encode(), "A & B"),
        (b"<rss><channel><image><title>Logo</title></image><title>No</title></channel></rss>", ""),
        ("<?xml version='1.0' encoding='euc-kr'?><rss><title><![CDATA[신문]]></title>".encode("euc-kr"), "신문"),
        (b'{"title": "Json", "items": []}', "Json"),
        (b"{", ""),
        (b"<?xml version='1.0' encoding='no-such'?><rss><title>x</title>", ""),
    ],
)
def test_a_feed_says_its_name(body, name):
    assert guessing.feed_name(body) == name


def test_sitemaps_of_news_are_looked_at_first():
    assert is_likely("https://a.example/post-sitemap.xml", "https://a.example/")
    assert is_likely("https://a.example/essays.xml", "https://a.example/essays")
    assert not is_likely("https://a.example/product.xml", "https://a.example/")
