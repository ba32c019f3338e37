"""A wire's day: short items, templates filled with other figures, the same words again on another day, corrections.

Generated: every item has words of its own, and what is a copy is known.
"""

import random

import pytest

from pipelines.config import DedupConfig
from pipelines.dedup import decide, dedup
from pipelines.dedup.compare import SHORT_WINDOW_DAYS
from tests.dedup_texts import NOW, WORDS, article, candidate, prose

DAY_S = 86_400
COMPANIES = [
    f"{a}{b}" for a in ("Har", "Vel", "Ost", "Tam", "Quil", "Bren") for b in ("dale", "moor", "wick", "sund", "ton")
]


def earnings(chance, company):
    """A company's quarter in nine lines, as a wire prints it: all words but the name are the template's."""
    figures = [chance.randint(100, 99_999) for _ in range(8)]
    return (
        f"{company} Inc 4th qtr net\nQtr ended Jan 31\nShr {figures[0]} cts vs {figures[1]} cts\nNet {figures[2]:,} vs {figures[3]:,}"
        f"\nRevs {figures[4]:,} vs {figures[5]:,}\nYear\nNet {figures[6]:,} vs {figures[7]:,}\nNote: full name of the company is {company} Industries Inc"
    )


def money_market(chance, day):
    return (
        f"The central bank said it forecast a shortage of around {chance.randint(50, 950)} mln in the money market on day {day}. Among the main "
        f"factors, maturing assistance and take-up of treasury bills will drain {chance.randint(50, 950)} mln while a rise in note circulation takes out "
        f"{chance.randint(50, 950)} mln. Partly offsetting these, exchequer transactions will add {chance.randint(50, 950)} mln."
    )


UNCHANGED = "The central bank left its credit policies unchanged after a regular meeting of its council, a spokesman said in answer to enquiries."


def corrected(text, chance):
    """What an agency sends again: one word or figure mended, and a line that says so."""
    words = text.split(" ")
    words[chance.randrange(len(words))] = chance.choice(WORDS)
    return "CORRECTED - " + " ".join(words)


def wire(seed):
    """Items with time and gold cluster, in order of time."""
    chance = random.Random(seed)
    items = []
    for day in range(60):
        start = day * DAY_S
        for number in range(6):
            text = prose(seed * 100_000 + day * 100 + number, chance.randint(3, 9))
            gold, time = f"item {day} {number}", start + chance.uniform(0, 60_000)
            items.append((time, gold, text))
            kind = chance.random()
            if kind < 0.15:
                items.append((time + 1800, gold, corrected(text, chance)))
            elif kind < 0.3:
                more = prose(seed * 100_000 + 50_000 + day * 100 + number, 4)
                items.append((time + 7200, gold, f"{text} {more}"))
            elif kind < 0.4:
                items.append((time + DAY_S, gold, text))
        items += [
            (start + 40_000 + i, f"earnings {day} {i}", earnings(chance, chance.choice(COMPANIES))) for i in range(4)
        ]
        items.append((start + 35_000, f"money {day}", money_market(chance, day)))
        if day % 20 == 0:
            items.append((start + 50_000, f"unchanged {day}", UNCHANGED))
    return sorted(items)


def pairs_of(labels):
    by_label = {}
    for number, label in enumerate(labels):
        by_label.setdefault(label, []).append(number)
    return {(one, other) for members in by_label.values() for one in members for other in members if one < other}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_known_copies_of_a_wire_are_found_and_its_templates_are_not(seed):
    items = wire(seed)
    placements = dedup([{"text": text, "time": time} for time, _, text in items], time_field="time")
    found, true = pairs_of([place.cluster for place in placements]), pairs_of([gold for _, gold, _ in items])
    assert len(true) > 80
    assert len(found & true) / len(true) >= 0.93
    assert len(found & true) / len(found) >= 0.95


@pytest.mark.parametrize(("days", "clusters"), [(1, 1), (3, 1), (6, 2), (20, 2)])
def test_a_short_notice_in_the_same_words_is_news_again_after_three_days(days, clusters):
    records = [{"text": UNCHANGED, "time": 0}, {"text": UNCHANGED, "time": days * DAY_S}]
    assert len({place.cluster for place in dedup(records, time_field="time")}) == clusters


def test_a_chain_of_days_does_not_make_one_notice_of_many():
    records = [{"text": UNCHANGED, "time": day * DAY_S} for day in range(60)]
    labels = [place.cluster for place in dedup(records, time_field="time")]
    spans = {label: [day for day, one in zip(range(60), labels, strict=True) if one == label] for label in labels}
    assert all(max(days) - min(days) <= SHORT_WINDOW_DAYS for days in spans.values())


def test_quarters_of_one_company_and_of_two_are_no_copies_and_a_correction_is():
    chance = random.Random(4)
    first, second = earnings(chance, "Hardale"), earnings(chance, "Hardale")
    assert decide(article(second), (candidate(first),), DedupConfig()).relation == "original"
    assert decide(article(earnings(chance, "Velmoor")), (candidate(first),), DedupConfig()).relation == "original"
    figure = first.split("Shr ")[1].split()[0]
    mended = decide(
        article(first.replace(f"Shr {figure} ", f"Shr {int(figure) + 7} ")), (candidate(first),), DedupConfig()
    )
    assert mended.relation == "near"


def test_a_short_item_inside_its_longer_version_is_found():
    short = prose(91, 4)
    longer = f"{short} {prose(92, 25)}"
    assert decide(article(longer, published=NOW), (candidate(short),), DedupConfig()).relation == "contained"
