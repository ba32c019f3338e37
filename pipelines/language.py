"""Which language a page is in: its script, then what it says, then what we were told, then a guess.

py3langid takes half a second and 80 MB to load in every process, more than twenty articles take otherwise. So it is asked last and only for
pages that left us no other way: before it the small words are counted, which tell most texts of the languages below for certain.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

SAMPLE_CHARS = 2000  # what the guess reads; more changes nothing
SCRIPT_SHARE = 0.2  # of letters; a Japanese page may be half kanji, a Korean one quotes English
BROKEN_SHARE = 0.1  # of characters nobody could read: the rest says nothing of the language
FEW_LETTERS = 0.05  # of a text's characters in another script: names, quotations
MIN_GUESS_CHARS = 40  # below this a guess is a coin toss

_CODE = re.compile(r"^([a-z]{2})(?:$|[-_])", re.IGNORECASE)
_SCRIPTS = (
    ("ko", re.compile(r"[\uac00-\ud7a3\u1100-\u11ff]")),
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("zh", re.compile(r"[\u3400-\u9fff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
)
_RUSSIAN = re.compile("[а-яё]", re.IGNORECASE)
_RUSSIAN_OWN = re.compile("[ыэ]", re.IGNORECASE)  # a fortieth of Russian letters
_CYRILLIC_ELSEWHERE = re.compile("[\u0400\u0402-\u040f\u0450\u0452-\u052f]")
RUSSIAN_OWN_SHARE = 0.005
MIN_WORDS = 20  # small words among fewer are chance


class Clear(NamedTuple):
    """What makes a language's small words clear enough."""

    share: float  # of the words: prose has .25 to .5 of its own, .1 of a neighbour's
    lead: float  # times as many as the next language has
    neighbour: float  # over the next of kin, which shares most of them


PROSE, LIST = Clear(0.18, 1.6, 1.15), Clear(0.04, 3.0, 2.0)
FEWEST_DIFFERENT = 6
MARKED_SHARE = 0.01  # of the characters
_MARKED = re.compile("[\u0100-\u0151\u0154-\u024f\u1e00-\u1eff]")  # Latin letters that western Europe has none of
_WITH_MARKS = ("pl",)
_SMALL_WORDS = {
    "en": "the of and to in a is that for it was on with as at by from his he they be this have are not but had their were which an or has its will said who we you been more would about",
    "de": "der die das und in den von zu mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch",
    "fr": "le la les de des du et en un une est que qui dans pour pas sur plus par au avec ce il sont ne se aux son cette mais ou nous elle ont été ses leur d l qu n s c",
    "es": "el la los las de del y en un una que es por con para se no su al lo como más pero sus ha este sobre fue entre también según ya desde cuando era está han",
    "it": "il la i le gli lo di del della dei delle e in un una che è per con non si da al nel alla sono come più ma ha anche dal nella l d questo sul essere",
    "pt": "o a os as de do da dos das e em um uma que é por com para não se no na ao mais como mas foi pela pelo são também nos nas seu sua à está",
    "nl": "de het een van en in is dat op te zijn met voor niet die aan er om ook als bij door naar uit wordt hij maar worden nog over heeft tot ze was werd hebben meer kan deze dan",
    "pl": "w i na z się nie do to że jest o jak po co za od przez ale są dla był tym przy czy jego tego także może które który już oraz ze roku",
    "ru": "и в не на что с по как это к из у за от но а для то его о все так он был было они или при также года до если мы после который",
}
_NEIGHBOURS = {  # never the answer: they share the small words of those above, and are left to the model
    "ca": "de la i el en que a per les del els amb una un és no al va es ha als més com ser també han aquest seva entre",
    "gl": "de a o que e en do da os un unha para no na as dos das se por con non é ao como máis ou foi súa",
    "ro": "de în și a la cu pe nu că o un să este care din pentru mai ce se au fost după prin sau fi lui",
    "af": "die van en in het is te vir wat nie met op dat hy om sy was hulle aan deur as ook sal kan word",
    "bg": "на и в се да за от е са не ще като с по че това който си към до при но а му бе",
    "uk": "в і у на та що з до не за про як це від його для а по є був року й також із але який",
    "sv": "och i att det som en på är av för med den till inte har de ett om var men från er ikke og af til at",
}
SMALL_WORDS = {name: frozenset(words.split()) for name, words in (_SMALL_WORDS | _NEIGHBOURS).items()}
_WORD = re.compile(r"[^\W\d_]+")
_LETTER = re.compile(r"[^\W\d_]")
_OTHER_SCRIPT = re.compile(r"[\u0370-\u1fff\u3040-\ud7a3]")
_IN_LATIN = {"ko", "ja", "zh", "el", "he", "th", "ru", "uk", "bg", "ar", "fa"}  # languages not written in Latin letters


def code(claim: str) -> str:
    """`en-GB` as `en`; "" for what is no language code."""
    match = _CODE.match(claim.strip())
    return match.group(1).lower() if match else ""


def by_script(text: str) -> str:
    """The language whose script a fifth of the letters is in; "" for Latin, Arabic and other shared scripts; of Cyrillic, Russian."""
    sample = text[:SAMPLE_CHARS]
    if len(_OTHER_SCRIPT.findall(sample)) < FEW_LETTERS * len(sample):
        return ""
    letters = len(_LETTER.findall(sample))
    for name, script in _SCRIPTS:
        if letters and len(script.findall(sample)) >= SCRIPT_SHARE * letters:
            return name
    return "ru" if is_russian(sample, letters) else ""


def is_russian(sample: str, letters: int) -> bool:
    """True when most letters are Russian, some are what Bulgarian and Ukrainian lack, and none is another alphabet's in Cyrillic."""
    russian = len(_RUSSIAN.findall(sample))
    has_own = len(_RUSSIAN_OWN.findall(sample)) >= RUSSIAN_OWN_SHARE * russian
    return russian >= max(MIN_GUESS_CHARS, letters / 2) and has_own and not _CYRILLIC_ELSEWHERE.search(sample)


def language_of(text: str, claims: Iterable[str]) -> str:
    """ISO 639-1 code. `claims`: the page's own first, then the source's; a claim the script contradicts is passed over."""
    script = by_script(text)
    if script:
        return script
    is_latin = len(_OTHER_SCRIPT.findall(text[:SAMPLE_CHARS])) < FEW_LETTERS * len(text[:SAMPLE_CHARS])
    for claim in claims:
        found = code(claim)
        if found and not (is_latin and text and found in _IN_LATIN):
            return found
    return guessed(text)


def guessed(text: str) -> str:
    """Count the small words, and where they leave a doubt ask the model."""
    sample = text[:SAMPLE_CHARS]
    if len(sample) < MIN_GUESS_CHARS or sample.count("\ufffd") > BROKEN_SHARE * len(sample):
        return ""
    if name := by_small_words(sample):
        return name
    import py3langid

    name, _ = py3langid.classify(sample)
    return str(name)


def by_small_words(text: str) -> str:
    """The language that far more of the words belong to than to any other; "" when there is none.

    Lists and headlines have few small words: there the lead must be the larger, of several words, and hardly a letter a foreign one.
    """
    words = _WORD.findall(text.lower())
    if len(words) < MIN_WORDS:
        return ""
    counts = Counter(words)
    found = {name: sum(counts[word] for word in own) for name, own in SMALL_WORDS.items()}
    best = max(_SMALL_WORDS, key=lambda name: found[name])
    if leads(found, best, PROSE) and found[best] >= PROSE.share * len(words):
        return best
    is_telling = leads(found, best, LIST) and found[best] >= LIST.share * len(words)
    has_several = len(SMALL_WORDS[best] & counts.keys()) >= FEWEST_DIFFERENT
    is_foreign = best not in _WITH_MARKS and len(_MARKED.findall(text)) > MARKED_SHARE * len(text)
    return best if is_telling and has_several and not is_foreign else ""


def leads(found: Mapping[str, int], best: str, clear: Clear) -> bool:
    return all(
        found[best] >= (clear.neighbour if name in _NEIGHBOURS else clear.lead) * count
        for name, count in found.items()
        if name != best
    )
