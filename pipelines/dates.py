"""When a page says it was published. A date is read where it can be meant for this text, and never guessed.

A page holds many days: today's in its header, the last change, those of other stories, a footer's year. So data for
machines comes first, the node that is about this page before others; then what a reader sees beside the headline, in
the words of the page's language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipelines.claims import Claims
from pipelines.decode import letters_of
from pipelines.records import Block, Page
from pipelines.urls import site

EARLIEST_YEAR = 1990  # there was no web page before
CLOCK_SKEW = timedelta(hours=26)  # a date without a zone may be a day ahead of ours; later ones are false
DATE_BLOCKS = 30  # where no headline is found, a visible date stands in the first of them
BEFORE_TITLE, AFTER_TITLE = 3, 12  # blocks beside the headline
DATE_CHARS = 120  # a longer line tells of an event
MONTHS_A_YEAR = 12
COUNTRY_LETTERS = 2  # the end of a host that names a country
TITLE_LETTERS = 12  # a shorter line may be in the title by chance

# a year's months, as they are written beside a day; one line for each language and length
_MONTHS = (
    "january february march april may june july august september october november december",
    "jan feb mar apr may jun jul aug sep oct nov dec",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "jän feb mrz apr mai jun jul aug sept okt nov dez",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "janv févr mars avr mai juin juil août sept oct nov déc",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "ene feb mar abr may jun jul ago sep oct nov dic",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "gen feb mar apr mag giu lug ago set ott nov dic",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "jan fev mar abr mai jun jul ago set out nov dez",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "januar februar marts april maj juni juli august september oktober november december",
    "januari februari mars april maj juni juli augusti september oktober november december",
    "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "ledna února března dubna května června července srpna září října listopadu prosince",
    "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
    "ιανουαρίου φεβρουαρίου μαρτίου απριλίου μαΐου ιουνίου ιουλίου αυγούστου σεπτεμβρίου οκτωβρίου νοεμβρίου δεκεμβρίου",
    "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
)
MONTHS = {name: number for line in _MONTHS for number, name in enumerate(line.split(), 1)}
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_DAY_FIRST = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th|er|º|\.)?[\s-]+(?:de\s+|of\s+)?({_MONTH})\b\.?,?[\s-]+(?:del?\s+)?(\d{{4}})\b",
    re.IGNORECASE,
)
_MONTH_FIRST = re.compile(rf"\b({_MONTH})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})\b", re.IGNORECASE)
_POINTS = re.compile(r"(?<![\d.])(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})(?![\d.])")
_SLASHES = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})/(\d{4})(?![\d/])")
_CJK_DATE = re.compile(
    r"(20\d\d|19\d\d)\s?[년年.\-/]\s?(\d{1,2})\s?[월月.\-/]\s?(\d{1,2})(?:\s?[일日])?(?:[^\d]{0,8}(\d{1,2}):(\d{2}))?"
)
_URL_DATE = re.compile(r"/((?:19|20)\d\d)[/-]?(0[1-9]|1[0-2])[/-]?(0[1-9]|[12]\d|3[01])(?=[/\-_.]|\d{0,8}\b|$)")
# what says how long ago, beside the number; one line for each unit: en de fr es it pt nl pl ru el tr sv, zh ja ko
_UNITS = (
    (timedelta(minutes=1), "minutes? mins? minuten? minutos? minuti minuto minuty minut минут[уы]? λεπτά dakika minuter 分钟 分鐘 分 분"),
    (timedelta(hours=1), "hours? hrs? stunden? heures? horas? ore ora uur uren godzin[ay]? час(?:а|ов)? ώρ(?:ες|α) saat timm(?:ar|e) 小时 小時 時間 시간"),
    (timedelta(days=1), "days? tag(?:en)? jours? d[ií]as? giorn[io] dia dagen dag dni dzień дн(?:я|ей) день ημέρ(?:ες|α) gün dagar 天 日 일"),
    (timedelta(weeks=1), "weeks? wochen? semaines? semanas? settiman[ae] weken week tygodni(?:e)? недел[юиь] εβδομάδ(?:ες|α) hafta veckor 周 週間 주"),
)  # fmt: skip
_AGO_BEFORE = r"(?:vor|il y a|hace|há|πριν(?:\s+από)?|för)\s+"
_AGO_AFTER = r"\s*(?:ago\b|fa\b|atrás\b|geleden\b|temu\b|назад\b|тому\b|önce\b|sedan\b|前|전)"
_AGO = [
    (
        step,
        re.compile(
            rf"\b{_AGO_BEFORE}(\d{{1,2}})\s+(?:{'|'.join(units.split())})\b|(?<!\d)(\d{{1,2}})\s*(?:{'|'.join(units.split())}){_AGO_AFTER}",
            re.IGNORECASE,
        ),
    )
    for step, units in _UNITS
]
# a line about the last change or about rights; one list a language
_CHANGED = re.compile(
    r"©|\(c\)|copyright|\bupdated?\b|modified|aktualisiert|stand:|geändert|mis à jour|modifié|actualizad|modificad|aggiornat|atualizad"
    r"|bijgewerkt|gewijzigd|aktualizac|обновлен|изменен|ενημέρωση|güncelle|uppdaterad|opdateret|oppdatert|更新|수정",
    re.IGNORECASE,
)
_PUBLISHED = re.compile(
    r"publish|posted|veröffentlicht|erstellt|publié|publicad|pubblicat|gepubliceerd|geplaatst|opublikowan|опубликован|δημοσί|yayın|publicerad|发布|發布|公開|掲載|입력|등록",
    re.IGNORECASE,
)
_META_DATES = (
    "article:published_time", "og:article:published_time", "og:published_time", "datepublished", "date", "dc.date.issued", "dc.date", "dcterms.created",
    "dcterms.date", "parsely-pub-date", "sailthru.date", "pubdate", "publishdate", "publish_date", "publish-date", "publication_date", "citation_publication_date",
    "cxenseparse:recs:publishtime", "article.published", "originalpublicationdate",
)  # fmt: skip


def claimed_dates(claims: Claims) -> Iterator[tuple[str, str]]:
    """(text, origin) of every machine-readable date, best first."""
    whole = letters_of(f"{claims.metas.get('og:title', '')} {claims.title_tag} {' '.join(claims.headings)}")
    for node in sorted(claims.linked, key=lambda node: closeness(node, whole)):
        found = node.get("datePublished")
        for text in found if isinstance(found, list) else [found]:
            if isinstance(text, str):
                yield text, "json-ld"
    if claims.linked_date:
        yield claims.linked_date, "json-ld"
    for name in _META_DATES:
        if claims.metas.get(name):
            yield claims.metas[name], "meta"


def closeness(node: dict[str, Any], titles: str) -> int:
    """0 for the node whose headline is among this page's titles, 1 for other articles, 2 for the frame around them."""
    headline = letters_of(str(node.get("headline") or ""))
    if headline and headline in titles:
        return 0
    return 2 if "webpage" in str(node.get("@type")).casefold() else 1


def visible_dates(claims: Claims, blocks: Sequence[Block], page: Page | None = None) -> Iterator[str]:
    """Dates a reader sees near the title, as ISO 8601: a <time> element, or words; "2 days ago" when it is told before when."""
    yield from claims.times[:1]
    has_url_date = page is not None and bool(date_in_url(page.url))
    near = [block.text for block in beside_title(claims, blocks, has_url_date) if len(block.text) < DATE_CHARS]
    custom = claims.language
    country = site(page.url).rpartition(".")[2] if page is not None else ""
    if custom.lower() in ("", "en") and len(country) == COUNTRY_LETTERS and country != "us":
        custom = f"en-{country}"
    dated = [(text, day) for text in near if (day := written_date(text, custom))]
    fresh = [(text, day) for text, day in dated if not _CHANGED.search(text) or _PUBLISHED.search(text)]
    for _, day in sorted(fresh, key=lambda one: not _PUBLISHED.search(one[0])):
        yield day
    if page is not None:
        yield from (found for text in near if not _CHANGED.search(text) and (found := time_ago(text, page.fetched)))


def beside_title(claims: Claims, blocks: Sequence[Block], only_below: bool = False) -> Sequence[Block]:
    """The blocks below the headline, then those above it, where a header has today's date; without a headline the page's first."""
    whole = letters_of(claims.metas.get("og:title", "")) + "\n" + letters_of(claims.title_tag)
    for at, block in enumerate(blocks):
        letters = letters_of(block.text)
        if not block.is_hidden and (len(letters) >= TITLE_LETTERS or block.level == 1) and letters and letters in whole:
            after = blocks[at : at + AFTER_TITLE]
            return [*after, *([] if only_below else blocks[max(0, at - BEFORE_TITLE) : at])]
    return blocks[:DATE_BLOCKS]


def written_date(text: str, language: str = "") -> str:
    """The first day in a text as ISO 8601, "" for none; what could be two different days is none."""
    match = _CJK_DATE.search(text)
    if match:
        year, month, day, hour, minute = match.groups()
        return f"{year}-{int(month):02}-{int(day):02}T{int(hour or 0):02}:{minute or '00'}"
    match = _DAY_FIRST.search(text)
    if match:
        return as_day(match[3], MONTHS[match[2].lower()], match[1])
    match = _MONTH_FIRST.search(text)
    if match:
        return as_day(match[3], MONTHS[match[1].lower()], match[2])
    match = _POINTS.search(text)
    if match:
        return as_day(match[3], match[2], match[1])
    match = _SLASHES.search(text)
    return by_custom(int(match[1]), int(match[2]), match[3], language.lower()) if match else ""


def by_custom(first: int, second: int, year: str, language: str) -> str:
    """Americans write the month first, others the day; plain "en" may be either."""
    is_american = language.replace("_", "-") == "en-us"
    if second > MONTHS_A_YEAR or (is_american and first <= MONTHS_A_YEAR):
        return as_day(year, first, second)
    if first > MONTHS_A_YEAR or first == second or (language and language != "en"):
        return as_day(year, second, first)
    return ""


def as_day(year: str | int, month: str | int, day: str | int) -> str:
    return f"{int(year):04}-{int(month):02}-{int(day):02}"


def time_ago(text: str, fetched: datetime) -> str:
    """What "3 hours ago" means, counted from the fetch; "" for none."""
    for step, pattern in _AGO:
        match = pattern.search(text)
        if match:
            return (fetched - step * int(match[1] or match[2])).isoformat()
    return ""


def date_in_url(url: str) -> str:
    match = _URL_DATE.search(url)
    return "-".join(match.groups()) if match else ""


def moment(text: str, page: Page) -> datetime | None:
    """Text as an aware UTC time; None for nonsense, for times before the web and for times after the fetch."""
    found = parsed(text.strip())
    if found is None:
        return None
    try:
        if found.tzinfo is None:
            found = found.replace(tzinfo=zone(page.traits.timezone))
        found = found.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    if found > page.fetched + CLOCK_SKEW:
        return None
    found = min(found, page.fetched)
    return found if found.year >= EARLIEST_YEAR else None


def parsed(text: str) -> datetime | None:
    """ISO 8601 in the spellings sites use, the mail format of feeds, and a day in words."""
    from email.utils import parsedate_to_datetime

    candidate = re.sub(r"\.\d+", "", text)[:40]
    candidate = re.sub(r"\s*(?:GMT|UTC)$", "+00:00", candidate)
    candidate = re.sub(
        r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2})", lambda m: f"{m[1]}-{int(m[2]):02}-{int(m[3]):02}", candidate
    )
    for attempt in (candidate, candidate.replace(" ", "T", 1), candidate[:19], candidate[:10]):
        try:
            return datetime.fromisoformat(attempt)
        except ValueError:
            continue
    try:
        return parsedate_to_datetime(text[:60])
    except (ValueError, TypeError, IndexError, OverflowError):
        pass
    try:
        return datetime.fromisoformat(written_date(text[:60]))
    except ValueError:
        return None


def zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
