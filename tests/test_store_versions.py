"""When a page read again is a new version: its text changed, not its date line or white space."""

import pytest

from pipelines.records import Placement
from pipelines.store import Corpus
from pipelines.store.values import is_stamp
from tests.helpers import NOW
from tests.storing import hours, make_article

BODY = "The council voted at ten on Tuesday, and 412 tests were counted.\n\nA second vote is planned for 14 May."


def revised(before, after):
    with Corpus.open(":memory:", create=True) as corpus:
        corpus.keep(make_article(text=before), Placement(relation="original"))
        again = make_article(text=after, fetched=NOW + hours(5))
        outcome = corpus.revise(corpus.known(again.url), again).outcome
        assert corpus.check() == []
        assert corpus.article(1)["text"] == (after if outcome == "updated" else before)
        return outcome, corpus.versions(1)


@pytest.mark.parametrize(
    "stamps",
    [
        ("Updated 3 March 2026, 14:05 GMT", "Updated 4 March 2026, 9:10 GMT"),
        ("Published 2 hours ago", "Published 3 days ago"),
        ("Stand: 3. März 2026, 14:05 Uhr", "Stand: 4. März 2026, 7:00 Uhr"),
        ("Mis à jour le 3 mars 2026 à 14h05", "Mis à jour le 4 mars 2026 à 9h10"),
        (
            "입력 2026.03.02. 오전 9:00 수정 2026.03.02. 오전 10:11",
            "입력 2026.03.02. 오전 9:00 수정 2026.03.03. 오후 1:05",
        ),
        ("更新时间：2026-03-02 10:11", "更新时间：2026-03-03 08:00"),
        ("", "Last updated on Tuesday, 3 March 2026 at 2:05 pm"),
    ],
)
def test_another_date_under_the_headline_is_no_version(stamps):
    outcome, versions = revised(f"{stamps[0]}\n\n{BODY}".strip(), f"{stamps[1]}\n\n{BODY}")
    assert (outcome, versions) == ("unchanged", [])


def test_other_white_space_is_no_version():
    assert revised(BODY, BODY.replace(" ", "  ").replace("\n\n", "\n\n\n")) == ("unchanged", [])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("412 tests", "421 tests"),
        ("14 May", "21 May"),
        ("voted at ten", "voted at eleven"),
        (" A second", " No second"),
    ],
)
def test_a_changed_figure_or_day_in_a_sentence_is_a_version_with_a_readable_difference(old, new):
    outcome, (version,) = revised(BODY, BODY.replace(old.strip(), new.strip()))
    assert outcome == "updated"
    changed = [
        line for line in version["diff"].splitlines() if line.startswith(("-", "+")) and line[:3] not in ("---", "+++")
    ]
    assert len(changed) == 2
    assert old.strip() in changed[0]
    assert new.strip() in changed[1]


def test_a_sentence_is_no_date_line():
    assert not is_stamp("On 3 March 2026 the council voted")
    assert not is_stamp("Updated")
    assert not is_stamp("")
    assert not is_stamp("412")
    assert not is_stamp("3.5 %")
    assert is_stamp("2026-03-02T10:11:00Z")
