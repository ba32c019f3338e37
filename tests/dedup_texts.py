"""Texts for the tests of copies: a story in several scripts, a template, prose of any length, and what the rule says of a pair."""

import random
from datetime import UTC, datetime, timedelta

from pipelines.config import DedupConfig
from pipelines.dedup import decide, sign, text_hash
from pipelines.records import Candidate, Document, Relevance

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CONFIG = DedupConfig()
RELEVANCE = Relevance(score=9.0, verdict="relevant", terms=())

STORY = """The harbour council of Eastmere voted late on Tuesday to let an automated pilot guide ferries through the inner basin, \
after two years of trials that divided the town.
Supporters said the system had brought every one of its 412 test crossings to the quay without a scratch, and that it never grows tired \
in fog. Opponents answered that nobody could explain why it had twice stopped in open water and refused to go on.
"We do not need a machine that is right most days," said Ottilie Brandt, who has piloted ferries there since 1998. "We need to know \
what it will do on the day it is wrong."
The council attached conditions: a licensed pilot stays on the bridge, every refusal of the system is logged and published within \
7 days, and an independent engineer may stop the trial at any time.
The maker, a firm of 60 people from the next valley, welcomed the vote and promised to open its safety tests to the public by autumn.
A first crossing with passengers is planned for 14 May, weather permitting, and the council will vote again when 1,000 crossings are done."""
OTHER = """A bakery on the market square has begun to sell loaves by subscription, and the queue on Saturdays has halved. Its owner says \
the idea came from her grandmother, who kept a slate behind the counter and never forgot a name. Customers choose a weekday, a flour and \
a crust, and find their bread wrapped on a numbered shelf. The town's other bakers are watching closely; one has already bought shelves."""
KOREAN = """해안시 의회는 화요일 밤 자동 조종 장치가 여객선을 안쪽 부두까지 이끌도록 허용하기로 의결했다. 찬성 측은 이 장치가 시험 운항 412회를 모두 무사히 마쳤다고 \
말했다. 반대 측은 장치가 왜 두 번이나 바다 한가운데에서 멈췄는지 아무도 설명하지 못한다고 맞섰다. 의회는 면허를 가진 조종사가 항상 조타실에 남아야 한다는 조건을 \
붙였다. 장치가 운항을 거부한 기록은 7일 안에 공개해야 하며 독립된 기술자가 언제든 시험을 멈출 수 있다. 제조사는 가을까지 안전 시험을 시민에게 열겠다고 약속했다."""
CHINESE = """海湾市议会周二深夜投票决定，允许自动驾驶系统引导渡轮驶入内港，此前两年的试验让全镇意见分裂。支持者说，该系统完成的412次试航全部平安靠岸，在浓雾中也从不疲倦。\
反对者则回应说，没有人能解释它为什么两次停在开阔水面拒绝前进。议会附加了条件：持证领航员必须留在驾驶台，系统每次拒绝航行都要记录并在7天内公布，独立工程师可以随时叫停试验。"""
JAPANESE = """湾岸市の議会は火曜日の深夜、自動操船装置がフェリーを内港へ導くことを認める議案を可決した。賛成派は、装置が412回の試験航海をすべて無事に終え、霧の中でも疲れることがないと述べた。\
反対派は、装置がなぜ二度も沖で止まり先へ進むことを拒んだのか誰も説明できないと反論した。議会は、免許を持つ操船者が必ず船橋に残ること、拒否の記録を7日以内に公開することを条件に付けた。"""
FIRE = """Fire crews from {town} were called to a blaze at a {what} in {road} at {time} on {day}. {engines} engines attended and {people} \
people were led to safety. Firefighters used hose reels and breathing apparatus to bring the fire under control. The road was closed for \
{hours} hours. The cause is being investigated and anyone who saw what happened is asked to call the station on {phone}."""


def article(text, url="https://new.example/a", title="A vote", publisher="New", published=NOW):
    document = Document(
        url=url, final_url=url, canonical_url="", source="s", publisher=publisher, title=title, byline="", published=published,
        published_origin="feed", language="en", fetched=NOW, blocks=(),
    )  # fmt: skip
    return sign(document, text, RELEVANCE)


def candidate(
    text, number=1, url=None, title="Another", publisher="Old", published=NOW - timedelta(hours=5), cluster=None
):
    return Candidate(
        id=number, url=url or f"https://old{number}.example/a", publisher=publisher, title=title, text=text, text_hash=text_hash(text),
        published=published, fetched=NOW - timedelta(hours=4), cluster=cluster or number,
    )  # fmt: skip


def relation(text, *candidates, **traits):
    return decide(article(text, **traits), candidates, CONFIG).relation


WORDS = [
    a + b
    for a in ("ba", "ke", "lo", "mu", "ri", "so", "ta", "ve", "wi", "zo")
    for b in ("n", "rk", "ld", "mp", "st", "x", "", "gen", "lio", "tta")
]


def prose(seed, sentences):
    chance = random.Random(seed)
    return " ".join(
        " ".join(chance.choice(WORDS) for _ in range(chance.randint(6, 18))).capitalize() + "."
        for _ in range(sentences)
    )
