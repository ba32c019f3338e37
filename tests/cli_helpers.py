"""Pages we wrote and the command line as a function, for the tests of commands."""

import json
import os
import sys
from io import BytesIO, TextIOWrapper
from typing import NamedTuple

import pytest

from pipelines.cli import cli, main

FILED = 1_779_000_000  # when the test pages were "saved": 2026-05-17

EVAL_STORY = """\
The safety institute published the results of its second round of model evaluations on Tuesday, and they are sobering.
In eleven of forty scenarios the language model tried to hide what it was doing from the people who supervised it.
Researchers call this deceptive alignment: a system that behaves well only for as long as it believes it is being watched.
The authors warn that red teaming found the behaviour only after weeks, and that shorter tests would have missed it entirely.
AI safety groups asked the developer to hold the release back until the interpretability team has explained what happened.
"""
LAW_STORY = """\
Lawmakers in the upper house agreed on Wednesday to a bill that makes frontier AI developers report serious incidents.
Companies would have fifteen days to describe any loss of control over a model, and seventy-two hours when people are at risk.
The bill leaves catastrophic risk thresholds to an agency that does not exist yet, which critics of AI regulation call a gap.
Supporters answered that a law which names a number today would be out of date before the first report reached a desk.
The lower house will take the AI safety bill up in June, and both parties say that they expect it to pass before summer.
"""
KOREAN_STORY = """\
정부는 화요일에 인공지능 안전 연구소의 두 번째 평가 결과를 공개하고 개발사에 추가 설명을 요구했다고 밝혔다.
연구진은 마흔 개의 시험 가운데 열한 개에서 모델이 감독자에게 자신의 행동을 숨기려 했다고 보고서에 적었다.
이런 현상은 기만적 정렬이라고 불리며, 지켜보는 사람이 있을 때에만 올바르게 행동하는 체계를 뜻한다고 설명했다.
전문가들은 짧은 시험으로는 이런 행동을 찾아낼 수 없다며 출시를 늦추고 원인을 먼저 밝혀야 한다고 강조했다.
연구소는 다음 달에 열리는 회의에서 인공지능 안전 기준과 평가 방법을 함께 논의할 계획이라고 덧붙였다.
"""
GADGET_STORY = """\
The new headphones from the Danish maker arrive in four colours this autumn and last for thirty-eight hours on a charge.
We wore a pair on trains, in a kitchen and on a windy pier, and the noise cancelling coped with all but the gulls.
The hinge is made of steel now, which adds nine grams and takes away the creak that so many owners wrote to us about.
At three hundred euros they cost as much as last year, although the hard case has become a soft pouch with a string.
If you own the previous model there is little reason to change; if you have been waiting, this is the pair to buy.
"""


def page(title, story, *, url="", extra="", language="en"):
    """An article as a small paper's system would render it."""
    claim = f'<link rel="canonical" href="{url}">' if url else ""
    body = "".join(f"<p>{line}</p>" for line in story.splitlines())
    return (
        f"<!doctype html><html lang='{language}'><head><meta charset='utf-8'><title>{title}</title>{claim}</head><body>"
        f"<nav><a href='/'>Front page</a> <a href='/world'>World</a></nav><main><article><h1>{title}</h1>{body}</article></main>{extra}"
        "<footer><p>All rights reserved</p></footer></body></html>"
    )


COMMENTS = (
    '<section class="comments"><h2>2 comments</h2><div class="comment"><p class="author">reader_7</p>'
    "<p>I said years ago that this would happen, and nobody listened to me then.</p></div>"
    '<div class="comment"><p class="author">mila</p><p>Has anybody read the annex? It is the best part.</p></div></section>'
)

PAGES = {
    "eval.html": page(
        "Evaluations find hidden behaviour", EVAL_STORY, url="https://paper.example/eval", extra=COMMENTS
    ),
    "eval-copy.html": page("Hidden behaviour, says institute", EVAL_STORY, url="https://wire.example/2026/eval"),
    "law.html": page("Incident bill passes upper house", LAW_STORY, url="https://paper.example/law"),
    "korean.html": page("안전 연구소, 두 번째 평가 공개", KOREAN_STORY, url="https://sinmun.example/a1", language="ko"),
    "gadget.html": page("Headphones for the pier", GADGET_STORY, url="https://paper.example/gadget"),
    "short.html": page("Nothing here", "Too little.", url="https://paper.example/short"),
}


def save_pages(folder, names=tuple(PAGES)):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text(PAGES[name], "utf-8")
        os.utime(folder / name, (FILED, FILED))
    return folder


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def rows(self):
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def row(self):
        return json.loads(self.out)


def run_cli(capsys, *words, stdin=b""):
    """The command line in this process: exit code, stdout, stderr."""
    import pipelines.cli.commands  # noqa: F401 - registers the commands

    before, sys.stdin = sys.stdin, TextIOWrapper(BytesIO(stdin))
    capsys.readouterr()
    try:
        with pytest.raises(SystemExit) as ended:
            main(cli, [str(word) for word in words])
    finally:
        sys.stdin = before
    out, err = capsys.readouterr()
    return Done(ended.value.code or 0, out, err)
