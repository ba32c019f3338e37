"""A small corpus for the tests of the reading room: a story with a copy, versions, other scripts, and an article that attacks its reader."""

from dataclasses import replace
from datetime import timedelta

from pipelines.records import Block, Placement, Rejection, Relevance, Term
from pipelines.store import Corpus
from tests.cli_helpers import EVAL_STORY, GADGET_STORY, KOREAN_STORY, LAW_STORY
from tests.helpers import NOW
from tests.storing import hours, make_article

FIRST, COPY, OTHER_WORDS, KOREAN, BORDER, HOSTILE, HEBREW, LONG, LONE = range(1, 10)
STORY, KOREAN_STORY_NUMBER = 1, 2
LONG_WORD = "w" * 10_000
HOSTILE_TITLE = "<script>alert('title')</script> \u202egpj.exe\u202c <img src=x onerror=alert(1)>"
HOSTILE_BLOCK = "</p><script>alert('block')</script> <style>*{display:none}</style> {{ 7 * 7 }} {% raw %}"
ADDED = "Its editors asked two former evaluators, who were not surprised."
LEFT_OUT = (
    "Front page",
    "Two comments",
    "I said years ago that this would happen.",
    "Share this story",
    "All rights reserved",
)
GERMAN = (
    "Das Institut für Sicherheit hat am Dienstag die Ergebnisse seiner zweiten Prüfung von Sprachmodellen veröffentlicht.\n\n"
    "In elf von vierzig Fällen versuchte das Modell, sein Vorgehen vor den Aufsehern zu verbergen."
)
HEBREW_TEXT = "המכון לבטיחות פרסם ביום שלישי את תוצאות הסבב השני של הבדיקות.\n\nהמודל ניסה להסתיר את מעשיו באחד עשר מתוך ארבעים מקרים."


def text_of(story):
    return "\n\n".join(story.splitlines())


def with_page(article):
    """The article on a page where blocks that were left out stand before, amid and after its own."""
    kept = list(article.document.blocks)
    gone = [
        Block(text=text, kind=kind, is_kept=False, reason=reason, evidence="container")
        for text, kind, reason in zip(
            LEFT_OUT,
            ("navigation", "comment", "comment", "share", "legal"),
            ("menu", "comment thread", "comment thread", "share buttons", "notice"),
            strict=True,
        )
    ]
    blocks = (gone[0], *kept[:2], gone[3], *kept[2:], gone[1], gone[2], gone[4])
    return replace(article, document=replace(article.document, blocks=blocks))


def about(article, concept, term, *, score=7.5, verdict="relevant"):
    return replace(
        article,
        relevance=Relevance(score=score, verdict=verdict, terms=(Term(concept=concept, term=term, weight=3.0),)),
    )


def articles():
    """In the order of their numbers, each with what it copies."""
    evaluation, law = text_of(EVAL_STORY), text_of(LAW_STORY)
    first = with_page(
        make_article(
            "https://paper.example/eval",
            evaluation,
            title="Evaluations find hidden behaviour",
            published=NOW - hours(30),
        )
    )
    copy = make_article(
        "https://wire.example/2026/eval", evaluation.rsplit("\n\n", 1)[0] + f"\n\n{ADDED}", title="Hidden behaviour, says institute",
        published=NOW - hours(28), source="beta", publisher="Wire & Sons",
    )  # fmt: skip
    german = make_article(
        "https://zeitung.example/1",
        GERMAN,
        title="Modelle verbergen ihr Verhalten",
        published=NOW - hours(26),
        language="de",
        source="gamma",
        publisher="Zeitung",
    )
    korean = make_article(
        "https://sinmun.example/a1",
        text_of(KOREAN_STORY),
        title="안전 연구소, 두 번째 평가 공개",
        published=NOW - hours(5),
        language="ko",
        source="delta",
        publisher="신문",
    )
    border = about(
        make_article(
            "https://paper.example/gadget",
            text_of(GADGET_STORY),
            title="Headphones for the pier",
            published=NOW - hours(50),
        ),
        "field",
        "safeguards",
        score=3.5,
        verdict="borderline",
    )
    hostile = about(
        make_article(
            "javascript:alert(1)", f"{HOSTILE_BLOCK}\n\n{LONG_WORD}", title=HOSTILE_TITLE, removed=(HOSTILE_BLOCK, LONG_WORD), published=NOW - hours(2),
            language='en" onload="alert(1)', publisher='"><b onclick=alert(1)>Evil', byline="\u202eeno yb", source="evil/../x y",
        ), "misuse", "<b>model weights</b>",
    )  # fmt: skip
    hebrew = make_article(
        "https://iton.example/1",
        HEBREW_TEXT,
        title="המודל מסתיר את מעשיו",
        published=NOW - hours(3),
        language="he",
        source="delta",
        publisher="עיתון",
    )
    long = make_article(
        "https://paper.example/report", "\n\n".join([law] * 150), title="The whole report", published=NOW - hours(100)
    )
    lone = make_article(
        "https://paper.example/law", law, title="Incident bill passes upper house", published=NOW - hours(4)
    )
    return [
        (first, None),
        (copy, FIRST),
        (german, None),
        (korean, None),
        (border, None),
        (hostile, None),
        (hebrew, None),
        (long, None),
        (lone, None),
    ]


def fill(path):
    """Make the corpus; return its path."""
    with Corpus.open(path, create=True) as corpus:
        write_runs(corpus)
        for article, of in articles():
            placement = Placement(relation="original")
            if of:
                placement = Placement(
                    relation="near", of=of, similarity=0.81, containment=0.92, evidence="shares 80 of 87 five-word runs"
                )
            corpus.keep(article, placement, run=16)
        corpus.assign_stories({FIRST: "a", OTHER_WORDS: "a", KOREAN: "b", HEBREW: "c", LONE: "d"}, NOW)
        changed = articles()[KOREAN - 1][0]
        text = changed.text.replace("열한 개에서", "열두 개에서")
        later = make_article(
            changed.url,
            text,
            title=changed.document.title,
            published=changed.document.published,
            fetched=NOW,
            language="ko",
            source="delta",
            publisher="신문",
        )
        corpus.revise(corpus.known(changed.url), later, run=16)
        for number, (stage, reason, detail) in enumerate(
            (
                ("relevance", "off_topic", "score 0"),
                ("fetch", "robots", "robots.txt says no"),
                ("clean", "no_article", "<i>none</i> of its blocks"),
            )
        ):
            corpus.reject(rejection(f"https://paper.example/no/{number}", stage, reason, detail), 16, NOW)
        corpus.reject(rejection("javascript:alert(2)", "fetch", "forbidden_address", ""), 16, NOW)
    return path


def rejection(url, stage, reason, detail):
    return Rejection(url=url, stage=stage, reason=reason, detail=detail, source="alpha")


def write_runs(corpus):
    """Sixteen runs: one source does well, one fails since three, and one run never ended."""
    for number in range(1, 18):
        started = NOW - hours(6) * (17 - number)
        run = corpus.start_run("crawl", started)
        for source in ("alpha", "beta"):
            fails = source == "beta" and number > 13
            corpus.start_source_run(run, source, started)
            if number < 17:
                counts = {"fetched": 3, "new": number % 3 if not fails else 0}
                corpus.finish_source_run(
                    run,
                    source,
                    started + timedelta(seconds=9),
                    "failed" if fails else "ok",
                    counts,
                    "the feed is not XML" if fails else "",
                )
        if number != 9 and number < 17:
            corpus.finish_run(
                run, started + timedelta(seconds=12), 3 if number > 13 else 0, {"fetched": 6, "new": number % 3}
            )
    corpus.set_source_state("alpha", last_success=NOW, last_new=NOW - hours(4), failures=0, next_due=NOW + hours(6))
    corpus.set_source_state(
        "beta", last_success=NOW - hours(24), last_new=NOW - hours(28), failures=3, note="the feed is not XML"
    )


PATHS = {  # name: every page, for tests that hold for all of them
    "today": "/",
    "filtered": "/?topic=methods&language=en",
    "story": f"/story/{STORY}",
    "article": f"/article/{FIRST}",
    "korean": f"/article/{KOREAN}",
    "hebrew": f"/article/{HEBREW}",
    "long": f"/article/{LONG}?part=2",
    "hostile": f"/article/{HOSTILE}",
    "hostile-page": f"/article/{HOSTILE}/page",
    "page": f"/article/{FIRST}/page",
    "copies": f"/compare/{FIRST}/{COPY}",
    "hostile-compared": f"/compare/{HOSTILE}/{FIRST}",
    "versions": f"/article/{KOREAN}/version/1",
    "search": "/search?q=model",
    "search-korean": "/search?q=연구소",
    "search-hostile": "/search?q=%3Cscript%3Ealert",
    "search-nothing": "/search?q=zzzz",
    "search-empty": "/search",
    "address": "/address?url=https://paper.example/no/1",
    "sources": "/sources",
    "source": "/source/beta",
    "border": "/borderline",
    "rejected": "/rejected",
    "runs": "/runs",
    "run": "/run/16",
    "trends": "/trends",
    "trends-sources": "/trends?by=source&weeks=13",
    "help": "/help",
    "missing": "/article/4711",
}
