"""The articles of the bundled site, read from one TOML file each, with what must come of them.

Why they are data: a writer adds a page without touching code, and a copy names the page it copies, so that no text
stands twice and the truth about a copy cannot drift from its original. A mistake is told by file and key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

from pipelines.config import Section, decode, read_toml
from pipelines.errors import ConfigError

PAGES = Path(__file__).with_name("pages")

Form: TypeAlias = Literal["p", "h2", "li", "quote", "tr"]
Feature: TypeAlias = Literal[
    "hidden_copy", "mobile_copy", "json_copy", "comments_inside", "comments_details", "read_more"
]
Piece: TypeAlias = tuple[Form, str]
Pair: TypeAlias = tuple[str, str]
BOXES_OF = "lumen"  # the one publisher whose pages have an AI summary and suggested questions


class Expected(Section, frozen=True):
    """What must come of a page."""

    outcome: Literal["kept", "rejected"] = "kept"
    reason: str = ""  # of a rejection; empty: any
    relation: Literal["original", "exact", "near", "contained", "version"] = "original"
    of: str = ""  # key of the article it copies
    story: str = ""  # the same word on two articles: one story, told in other words


class ArticleFile(Section, frozen=True):
    """One file as written."""

    title: str
    published: datetime
    language: str
    expected: Expected
    byline: str = ""
    section: str = ""
    body: tuple[Piece, ...] = ()
    body_from: str = ""  # key of the article whose body is taken
    keep_paragraphs: int = 0  # 0: all of it
    tail: Piece | None = None  # a line of the site's after a cut copy: no part of the article
    dateline: str = ""
    replace: tuple[Pair, ...] = ()
    append: tuple[Piece, ...] = ()
    caption: str = ""
    summary: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    comments: tuple[Pair, ...] = ()  # reader, text
    related: tuple[Pair, ...] = ()  # headline, teaser
    features: tuple[Feature, ...] = ()
    slow_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoArticle:
    """One page of the site with its body resolved."""

    key: str  # publisher/slug
    publisher: str
    slug: str
    title: str
    byline: str
    published: datetime  # aware, UTC
    language: str
    section: str
    body: tuple[Piece, ...]
    tail: Piece | None
    caption: str
    summary: tuple[str, ...]
    questions: tuple[str, ...]
    comments: tuple[Pair, ...]
    related: tuple[Pair, ...]
    features: frozenset[Feature]
    slow_seconds: float
    expected: Expected

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The texts that must come out, in order."""
        return tuple(text for _, text in self.body)

    @property
    def text(self) -> str:
        """What the corpus must hold."""
        return "\n\n".join(self.paragraphs)


def load_articles(folder: Path = PAGES) -> dict[str, DemoArticle]:
    """Return every article by its key, sorted; raise `ConfigError` that names file and key of a mistake."""
    files: dict[str, ArticleFile] = {}
    for path in sorted(folder.glob("*/*.toml")):
        files[f"{path.parent.name}/{path.stem}"] = decode(ArticleFile, read_toml(path), place(path, folder))
    articles = {key: resolved(key, files) for key in files}
    for key, article in articles.items():
        if article.expected.of and article.expected.of not in articles:
            raise mistake(key, "expected.of", article.expected.of, "the key of another article")
        if bool(article.expected.of) != (article.expected.relation != "original"):
            raise mistake(key, "expected.relation", article.expected.relation, "of and relation to go together")
    return articles


def place(path: Path, folder: Path) -> str:
    """A file as errors name it."""
    return str(path.relative_to(folder.parent))


def mistake(key: str, field: str, saw: str, expected: str) -> ConfigError:
    return ConfigError(f"pages/{key}.toml: {field}", repr(saw), expected)


def resolved(key: str, files: Mapping[str, ArticleFile]) -> DemoArticle:
    """An article with its body in full."""
    file = files[key]
    publisher, _, slug = key.partition("/")
    if publisher != BOXES_OF and (file.summary or file.questions):
        raise mistake(key, "summary, questions", publisher, f"only on pages of {BOXES_OF}")
    if file.published.tzinfo is None:
        raise mistake(key, "published", str(file.published), "a time with a zone")
    return DemoArticle(
        key=key,
        publisher=publisher,
        slug=slug,
        title=file.title,
        byline=file.byline,
        published=file.published.astimezone(UTC),
        language=file.language,
        section=file.section,
        body=body_of(key, files, ()),
        tail=file.tail,
        caption=file.caption,
        summary=file.summary,
        questions=file.questions,
        comments=file.comments,
        related=file.related,
        features=frozenset(file.features),
        slow_seconds=file.slow_seconds,
        expected=file.expected,
    )


def body_of(key: str, files: Mapping[str, ArticleFile], above: tuple[str, ...]) -> tuple[Piece, ...]:
    """The body as written, or the body of the copied article with this file's changes."""
    file = files[key]
    if bool(file.body) == bool(file.body_from):
        raise mistake(key, "body", file.body_from, "either body or body_from")
    if not file.body_from:
        return changed_body(key, file, file.body)
    if file.body_from not in files or file.body_from in (*above, key):
        raise mistake(key, "body_from", file.body_from, "the key of another article, not in a circle")
    return changed_body(key, file, body_of(file.body_from, files, (*above, key)))


def changed_body(key: str, file: ArticleFile, body: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Cut, edit and extend a body as the file says; an edit that finds nothing is a mistake."""
    pieces = list(body[: file.keep_paragraphs] if file.keep_paragraphs else body)
    for old, new in file.replace:
        if not any(old in text for _, text in pieces):
            raise mistake(key, "replace", old, "words of the copied body")
        pieces = [(form, text.replace(old, new)) for form, text in pieces]
    if file.dateline:
        form, text = pieces[0]
        pieces[0] = (form, file.dateline + text)
    return (*pieces, *file.append)
