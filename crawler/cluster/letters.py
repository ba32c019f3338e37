"""Requests as bytes for the shared frontier: MessagePack, never pickle, because what comes from there must not run code here.

A source travels as its id, and is looked up in the worker's own list: nobody who can write to Redis can declare an address
of our network to be a source.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from pipelines.records import Due

if TYPE_CHECKING:
    from crawler.sources import Source


CALLBACKS = ("parse_index", "index_unanswered", "parse_page", "page_unanswered")  # of our spiders


class UnreadableError(Exception):
    """Bytes that are no request of this version."""


class UnknownSourceError(Exception):
    """A request for a source that is not in this worker's list."""


def dumps(request: dict[str, Any]) -> bytes:
    """A request, as Scrapy's `to_dict` gives it; TypeError for what is no plain value or record of ours."""
    arguments = dict(request["cb_kwargs"])
    if "visit" in arguments:
        visit = arguments["visit"]
        arguments["visit"] = [visit.source.id, visit.url, visit.depth]
    if "source" in arguments:
        arguments["source"] = arguments["source"].id
    return msgspec.msgpack.encode(request | {"cb_kwargs": arguments})


def loads(letter: bytes) -> dict[str, Any]:
    """The request again, its sources still ids; `UnreadableError` for what is none."""
    try:
        found = msgspec.msgpack.decode(letter, type=dict[str, Any])
        found.pop("_class", None)  # Scrapy would import what it names
        found["url"], found["cb_kwargs"] = str(found["url"]), dict(found["cb_kwargs"])
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError) as error:
        raise UnreadableError(f"{type(error).__name__}: {error}") from None
    return found


def opened(request: dict[str, Any], sources: Mapping[str, Source]) -> dict[str, Any]:
    """The request with the records its callbacks expect; `UnknownSourceError`, `UnreadableError`."""
    from crawler.spiders.base import Visit

    arguments = dict(request["cb_kwargs"])
    try:
        if "visit" in arguments:
            name, url, depth = arguments["visit"]
            arguments["visit"] = Visit(sources[name], url, depth)
        if "source" in arguments:
            arguments["source"] = sources[arguments["source"]]
        if "due" in arguments:
            arguments["due"] = msgspec.convert(arguments["due"], Due)
    except KeyError as error:
        raise UnknownSourceError(str(error)) from None
    except (msgspec.MsgspecError, ValueError, TypeError) as error:
        raise UnreadableError(f"{type(error).__name__}: {error}") from None
    if sources and not {request.get("callback"), request.get("errback")} <= {*CALLBACKS, None}:
        raise UnreadableError(f"no callbacks of ours: {request.get('callback')}, {request.get('errback')}")
    return request | {"cb_kwargs": arguments}
