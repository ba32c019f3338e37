"""Score how much a document is about AI safety, and say which words made it so.

Why it stands alone: the vocabulary (relevance.toml) will be argued over for as long as the corpus lives, so it is
data, and every point of a score can be traced to a line of it. The words are only a filter for general press; a
dedicated source's page is ranked by its score, never refused for it: its titles often carry no keyword.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from copy import copy
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipelines.config import RelevanceConfig
from pipelines.records import Document, Relevance, Term

CONCEPT_CAP = 12.0  # one subject repeated in many words must not outweigh three subjects
TITLE_FACTOR = 2.0  # a headline word says what the piece is about
REPEAT_STEP = 0.25  # each further mention in the text, until the text counts double
TEXT_FACTOR_MAX = 2.0
MIN_CONTEXT_MENTIONS = 2  # of AI in the text: a car's "AI assistant", named once, makes no accident a loss of control
ACRONYM_MAX_CHARS = 5  # "AISI", "RSP": lower-case they are other words, so their case counts
LATIN = "0-9A-Za-z\u00c0-\u024f"  # a word ends where these end: "AGI가" holds the word AGI
_LATIN_RUN = re.compile(f"[{LATIN}]+")
_CAPITALS = re.compile("[0-9A-Z]+")  # what acronyms are made of: they alone are looked for with their case
VOCABULARY = Path(__file__).with_name("relevance.toml")


@dataclass(frozen=True, slots=True)
class Phrase:
    """One line of the vocabulary, ready to be looked for."""

    text: str
    needle: str  # what must stand in the text before the pattern is worth trying
    expression: (
        str  # of its places; compiled for what is found in a text, and of seven hundred phrases a page has a few
    )
    role: str  # positive | ambiguous | negative | context | mask
    concept: str
    weight: float
    is_acronym: bool
    words: frozenset[
        str
    ]  # runs of Latin letters in it; its ends are ends of words, so each must be a whole run of the text
    others: frozenset[str]  # its characters beyond ASCII


class Field:
    """A title or a text in which found phrases are blanked, so that none of their parts counts again."""

    def __init__(self, text: str) -> None:
        self.exact = " ".join(text.replace("\u2019", "'").split())
        self.lower = lower(self.exact)

    def has(self, phrase: Phrase) -> bool:
        text = self.exact if phrase.is_acronym else self.lower
        return phrase.needle in text and pattern(phrase.expression).search(text) is not None

    def take(self, phrase: Phrase) -> int:
        """Blank every place of the phrase; return how many there were."""
        text = self.exact if phrase.is_acronym else self.lower
        if phrase.needle not in text:
            return 0
        spans = [match.span() for match in pattern(phrase.expression).finditer(text)]
        for start, end in spans:
            blank = "\0" * (end - start)
            self.exact = self.exact[:start] + blank + self.exact[end:]
            self.lower = self.lower[:start] + blank + self.lower[end:]
        return len(spans)


def rate(document: Document, config: RelevanceConfig, *, is_topical: bool) -> Relevance:
    """Return the score, its verdict and every term that gave or took points."""
    title, text = Field(document.title), Field(document.text)
    phrases = possible(vocabulary(), title, text)
    for phrase in phrases["mask"]:
        title.take(phrase)
        text.take(phrase)
    has_context = not is_topical or speaks_of_ai(title, text, phrases["context"])
    terms: list[Term] = []
    for phrase in phrases["scored"]:
        if phrase.role == "ambiguous" and not has_context:
            continue
        in_title, in_text = title.take(phrase), text.take(phrase)
        if in_title or in_text:
            terms.append(
                Term(concept=phrase.concept, term=phrase.text, weight=amount(phrase.weight, in_title, in_text))
            )
    total = score(terms)
    return Relevance(score=total, verdict=verdict(total, config), terms=tuple(terms))


def possible(vocabulary: dict[str, list[Phrase]], *fields: Field) -> dict[str, list[Phrase]]:
    """The vocabulary without the phrases of which a word or a letter stands nowhere: nearly all of it, told in a tenth of the time."""
    words = {word for field in fields for word in _CAPITALS.findall(field.exact) + _LATIN_RUN.findall(field.lower)}
    letters = {letter for field in fields if not field.lower.isascii() for letter in set(field.lower)}
    table = by_key()
    near = sorted(place for key in table.keys() & (words | letters | {""}) for place in table[key])
    found: dict[str, list[Phrase]] = {role: [] for role in vocabulary}
    for role, number in near:
        phrase = vocabulary[role][number]
        if phrase.words <= words and phrase.others <= letters:
            found[role].append(phrase)
    return found


def speaks_of_ai(title: Field, text: Field, phrases: list[Phrase]) -> bool:
    """True when the title names AI, or the text does more than once."""
    if any(title.has(phrase) for phrase in phrases):
        return True
    rest, mentions = copy(text), 0
    for phrase in phrases:
        mentions += rest.take(phrase)
        if mentions >= MIN_CONTEXT_MENTIONS:
            return True
    return False


def amount(weight: float, in_title: int, in_text: int) -> float:
    """Weight x (2 in the title + 1 to 2 by how often the text says it)."""
    factor = TITLE_FACTOR if in_title else 0.0
    if in_text:
        factor += min(TEXT_FACTOR_MAX, 1 + REPEAT_STEP * (in_text - 1))
    return round(weight * factor, 2)


def score(terms: list[Term]) -> float:
    """Sum of the concepts, each capped, less what speaks against; never below 0."""
    concepts: dict[str, float] = defaultdict(float)
    for term in terms:
        concepts[term.concept if term.weight > 0 else ""] += term.weight
    against = concepts.pop("", 0.0)
    return round(max(0.0, sum(min(CONCEPT_CAP, total) for total in concepts.values()) + against), 2)


def verdict(total: float, config: RelevanceConfig) -> str:
    """Name the band the score falls into."""
    if total >= config.keep:
        return "relevant"
    return "borderline" if total >= config.borderline else "off_topic"


@cache
def vocabulary() -> dict[str, list[Phrase]]:
    """Return the phrases of relevance.toml, longest first: masks, context words, and those that score."""
    found: dict[str, list[Phrase]] = {"mask": [], "context": [], "scored": []}
    for role, concepts in tomllib.loads(VOCABULARY.read_text("utf-8")).items():
        for concept, languages in concepts.items():
            for terms in languages.values():
                for text, weight in terms.items():
                    found[role if role in found else "scored"].append(phrase_of(text, role, concept, float(weight)))
    for phrases in found.values():
        phrases.sort(key=lambda phrase: -len(phrase.text))
    return found


@cache
def by_key() -> dict[str, list[tuple[str, int]]]:
    """Where in the vocabulary the phrases are that need this word or letter, the rarest of theirs as far as its length tells."""
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for role, phrases in vocabulary().items():
        for number, phrase in enumerate(phrases):
            found[max(sorted(phrase.words or phrase.others), key=len, default="")].append((role, number))
    return found


def phrase_of(text: str, role: str, concept: str, weight: float) -> Phrase:
    """Prepare one line: Latin ends need a word boundary, CJK ends do not, short capitals keep their case."""
    is_acronym = text.isascii() and text.isupper() and len(text) <= ACRONYM_MAX_CHARS
    needle = text if is_acronym else lower(text)
    before = f"(?<![{LATIN}])" if re.match(f"[{LATIN}]", needle) else ""
    after = f"(?![{LATIN}])" if re.search(f"[{LATIN}]$", needle) else ""
    signed = -abs(weight) if role == "negative" else weight
    expression, words = before + re.escape(needle) + after, frozenset(_LATIN_RUN.findall(needle))
    others = frozenset(letter for letter in needle if not letter.isascii())
    return Phrase(text, needle, expression, role, concept, signed, is_acronym, words, others)


@cache
def pattern(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


def lower(text: str) -> str:
    """Fold case but keep every character in its place (the Turkish dotted I would become two)."""
    folded = text.lower()
    return folded if len(folded) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
