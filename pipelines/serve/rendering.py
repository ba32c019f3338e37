"""Templates: every value is escaped, and none can turn a page round. Jinja is imported here."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipelines.serve import words

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
MACROS = {  # name in the pages: name in macros.html; a view's value may have the shorter one
    "chip": "chip", "event": "event", "article_list": "article_list", "feed_links": "feeds", "filter_fields": "filters", "lang": "lang",
    "outlink": "outlink", "rejections_table": "rejections", "strip": "strip", "time": "time", "turn_pages": "turn",
}  # fmt: skip
FILTERS = (
    words.when, words.day_of, words.ago, words.language_name, words.language_tag, words.concept_name, words.outward, words.host_of, words.share,
    words.count, words.took, words.kind_name, words.relation_name, words.verdict_name, words.reason_name, words.origin_name,
    words.topic_option, words.same_option, words.path_part,
)  # fmt: skip


def make_templates() -> Environment:
    """The environment of all pages."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=words.shown,
    )
    environment.filters |= {function.__name__: function for function in FILTERS}
    environment.globals |= {"static": static_path}
    macros = environment.get_template("macros.html").module
    environment.globals |= {name: getattr(macros, macro) for name, macro in MACROS.items()}
    return environment


def static_path(name: str) -> str:
    """The address of one of our files; another content has another address, so a browser may keep it."""
    digest = hashlib.blake2b((STATIC / name).read_bytes(), digest_size=6).hexdigest()
    return f"/static/{name}?{digest}"


def render(environment: Environment, template: str, values: dict[str, Any]) -> str:
    return environment.get_template(template).render(values)
