"""The truth about the bundled site: what must come of every address it lists. Tests and the demo compare with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from crawler.demo.articles import DemoArticle
    from crawler.demo.site import DemoSite

Outcome: TypeAlias = Literal["kept", "rejected", "not_found", "disallowed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What must come of one address."""

    url: str  # as an index lists it: the page's identity in the corpus
    publisher: str
    outcome: Outcome
    key: str = ""  # of the article, "" for what is none
    final_url: str = ""  # where a redirect leads; empty: the same
    reason: str = ""  # of a rejection; empty: any
    relation: str = "original"
    of: str = ""  # the address it copies
    story: str = ""
    article: DemoArticle | None = None


def truths(site: DemoSite) -> list[Truth]:
    """One truth for every address that the site's feeds, sitemaps and listings name."""
    found = [truth_of(site, article) for article in site.articles.values()]
    found.append(Truth(url=site.withdrawn, publisher=site_of(site, site.withdrawn), outcome="not_found"))
    found += [Truth(url=url, publisher=site_of(site, url), outcome="rejected") for url in site.no_articles]
    found += [Truth(url=url, publisher=site_of(site, url), outcome="disallowed") for url in site.closed]
    return found


def truth_of(site: DemoSite, article: DemoArticle) -> Truth:
    expected = article.expected
    url, home = site.address(article.key), site.home(article)
    return Truth(
        url=url,
        publisher=article.publisher,
        outcome=expected.outcome,
        key=article.key,
        final_url=home if home != url else "",
        reason=expected.reason,
        relation=expected.relation,
        of=site.address(expected.of) if expected.of else "",
        story=expected.story,
        article=article,
    )


def site_of(site: DemoSite, url: str) -> str:
    return next(name for name, base in site.urls.items() if url.startswith(base + "/"))
