"""Thirty invented publishers over a week: what stands at which address in which hour, and what must be in a corpus at the end.

Everything follows from a seed and the hour, so the oracle asks nobody: neither the server that misbehaves nor the crawl.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
VISITS_H = (6, 24, 72, 168)  # after publication: when the crawl promises to look at an article again
SLACK_H = 8  # a visit may come that much late: back-off after three bad hours
LISTED_H = 60  # how long an article stays in its publisher's index
KINDS = ("feed", "sitemap", "listing")
WORDS = (  # noqa: SIM905 - read better as text
    "harbour valley engine ledger window meadow signal copper bridge lantern orchard river market village granite paper summer "
    "winter station garden bottle ladder mirror candle pepper saddle thunder ribbon basket anchor barley cabin dairy ember ferry "
    "glacier hammer island jacket kettle lemon marble needle ocean parcel quarry rocket silver timber umbrella velvet walnut "
    "yellow zipper autumn blanket canyon desert elbow forest gravel helmet iron journal kitchen lagoon mountain north oyster "
    "pillow quilt rabbit shelter tunnel uncle vessel wagon yard apron bucket carpet drawer engineer farmer guitar hunter insect "
    "judge kernel lawyer miller nurse officer painter queen runner sailor teacher usher visitor weaver writer archive bakery "
    "chapel depot estate factory gallery hospital institute junction library museum nursery office palace quarter refuge school"
).split()
VERBS = "praised repaired measured counted followed questioned improved borrowed described rebuilt tested reviewed moved weighed".split()  # noqa: SIM905
STARTS = ("Yesterday", "Later", "In the end", "Meanwhile", "Again", "At noon", "Since then", "For years", "By then")


@dataclass(slots=True)
class Piece:
    """One page of one publisher and its fate; hours count from the start."""

    number: int
    publisher: int
    born: int
    copy_of: int | None = None
    share: float = 1.0  # of the original's paragraphs
    stub_until: int = 0  # so long only two lines: no article yet
    changed: int | None = None
    moved: int | None = None
    gone: int | None = None
    never: str = ""  # "private", "ghost": listed, and yet nothing for the corpus

    @property
    def path(self):
        return f"/{'private' if self.never == 'private' else 'a'}/{self.number}-{WORDS[self.number % len(WORDS)]}"

    @property
    def new_path(self):
        return f"/a/moved/{self.number}"

    @property
    def published(self):
        return START + timedelta(hours=self.born) - timedelta(minutes=5 + self.number % 50)

    @property
    def title(self):
        chosen = random.Random(f"title {self.number}")
        return f"{' '.join(chosen.sample(WORDS, 5)).capitalize()} in the {chosen.choice(WORDS)}"

    def modified(self, hour):
        """When the page last became another."""
        steps = [step for step in (self.stub_until, self.changed) if step and step <= hour]
        return START + timedelta(hours=max(steps)) if steps else self.published

    def version(self, hour):
        return int(self.changed is not None and self.changed <= hour)


@dataclass(slots=True)
class World:
    """All pages, by number; what is in whose index."""

    publishers: int
    hours: int
    pieces: list = field(default_factory=list)
    by_path: dict = field(default_factory=dict)  # (publisher, path): piece

    def paragraphs(self, piece, hour):
        """The body as it stands in an hour."""
        if piece.stub_until > hour:
            return ["More to come."]
        if piece.copy_of is not None:
            origin = self.pieces[piece.copy_of]
            told = prose(origin.number)
            return told[: max(3, round(len(told) * piece.share))]
        told = prose(piece.number)
        if piece.version(hour):
            chosen = random.Random(f"change {piece.number}")
            told[1] = sentence(chosen) + " " + told[1]
            told.append(f"Correction: {sentence(chosen)} {sentence(chosen)}")
        return told

    def listed(self, publisher, hour):
        """What the publisher's index names in an hour, newest first."""
        found = [
            piece
            for piece in self.pieces
            if piece.publisher == publisher and piece.born <= hour < piece.born + LISTED_H and not is_over(piece, hour)
        ]
        return sorted(found, key=lambda piece: piece.published, reverse=True)

    def expected(self):
        """The articles a corpus must hold: number of the piece, with the text it must have."""
        return {
            piece.number: "\n\n".join(self.paragraphs(piece, self.hours)) for piece in self.pieces if not piece.never
        }

    def cluster_of(self, piece):
        return piece.number if piece.copy_of is None else piece.copy_of


def is_over(piece, hour):
    return piece.gone is not None and piece.gone <= hour


def address(piece, hour):
    """The path an index names: half of the publishers go on naming the old one, which leads to the new."""
    is_new = piece.moved is not None and piece.moved <= hour and piece.publisher % 2
    return piece.new_path if is_new else piece.path


def sentence(chosen):
    one, two, three, four = chosen.sample(WORDS, 4)
    start, verb, more = chosen.choice(STARTS), chosen.choice(VERBS), chosen.choice(VERBS)
    return f"{start} the {one} of the {two} {verb} what the {three} had {more} near the {four}, and the {chosen.choice(WORDS)} {chosen.choice(VERBS)} it."


def prose(number):
    """Paragraphs no other number shares."""
    chosen = random.Random(f"prose {number}")
    return [" ".join(sentence(chosen) for _ in range(chosen.randint(2, 4))) for _ in range(chosen.randint(6, 10))]


def last_visit(born, hours):
    """The last promised visit that surely takes place, in hours after publication; 0 for none."""
    return max((age for age in VISITS_H if born + age + SLACK_H <= hours), default=0)


def make_world(seed, publishers, articles, hours):
    """A world that comes to rest: what changes does so before a visit that will see it."""
    chosen = random.Random(seed)
    world = World(publishers, hours)
    last_birth = max(hours - 24 - SLACK_H - 2, 1)
    for number in range(articles):
        piece = Piece(number, chosen.randrange(publishers), chosen.randint(0, min(last_birth, int(hours * 0.6))))
        give_fate(piece, world, chosen, hours)
        world.pieces.append(piece)
        for path in (piece.path, piece.new_path):
            world.by_path[piece.publisher, path] = piece
    return world


def give_fate(piece, world, chosen, hours):
    """One of the things that happen to pages."""
    fate, age = chosen.random(), last_visit(piece.born, hours)
    if fate < 0.15:
        make_copy(piece, world, chosen, hours)
    elif fate < 0.30 and age:
        piece.changed = piece.born + chosen.randint(1, max(1, age - 2))
    elif fate < 0.36 and age:
        piece.moved = piece.born + chosen.randint(1, max(1, age - 2))
    elif fate < 0.42 and piece.born + 24 + SLACK_H < hours:
        piece.gone = piece.born + chosen.randint(16, 60)  # by then it was surely read
    elif fate < 0.44 and piece.born + 24 + 2 * SLACK_H < hours:
        piece.stub_until = piece.born + chosen.randint(1, 12)
    elif fate < 0.46:
        piece.never = chosen.choice(["private", "ghost"])


def make_copy(piece, world, chosen, hours):
    """Make it a syndicated copy, whole or cut, of an article of another publisher of the day before."""
    origins = [
        other
        for other in world.pieces[-400:]
        if other.copy_of is None
        and not other.never
        and not other.stub_until
        and other.publisher != piece.publisher
        and 0 < piece.born - other.born < 48
    ]
    if origins:
        piece.copy_of = chosen.choice(origins).number
        piece.share = chosen.choice([1.0, 1.0, 0.6, 0.8])
