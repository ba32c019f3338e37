"""Articles for benchmarks, made up of made-up words: originals, what copying does to them, and what only looks like a copy.

The words follow the distribution of a language (few are frequent), so that texts share some words but no sentences.
"""

import random

SYLLABLES = [a + b for a in "bdfgklmnprstvw" for b in ("a", "e", "i", "o", "u", "ar", "en", "il", "ost", "und")]
MAX_SENTENCE_WORDS = 24
FOOTERS = 12  # sites whose pages end in the same lines
TEMPLATES = 6


def vocabulary(count=12_000, seed=5):
    chance = random.Random(seed)
    return ["".join(chance.choices(SYLLABLES, k=chance.choice((1, 2, 2, 3, 3, 4)))) for _ in range(count)]


WORDS = vocabulary()
WEIGHTS = [1 / (rank + 2.7) for rank in range(len(WORDS))]
CUMULATED: list[float] = []
for _weight in WEIGHTS:
    CUMULATED.append((CUMULATED[-1] if CUMULATED else 0.0) + _weight)


def sentence(chance):
    words = chance.choices(WORDS, cum_weights=CUMULATED, k=chance.randint(7, MAX_SENTENCE_WORDS))
    if chance.random() < 0.3:
        words[chance.randrange(1, len(words))] = str(chance.randint(2, 999))
    return " ".join(words).capitalize() + "."


def sentences(chance, words):
    """Sentences with about so many words."""
    found, count = [], 0
    while count < words:
        found.append(sentence(chance))
        count += len(found[-1].split())
    return found


def shown(lines, chance):
    """Sentences as paragraphs."""
    paragraphs, at = [], 0
    while at < len(lines):
        step = chance.randint(1, 4)
        paragraphs.append(" ".join(lines[at : at + step]))
        at += step
    return "\n".join(paragraphs)


def copied(lines, operation, chance):
    """What a paper that takes over an article does to it."""
    new = list(lines)
    if operation == "headline":
        new = [sentence(chance), f"By {chance.choice(WORDS).capitalize()} {chance.choice(WORDS).capitalize()}.", *new]
    elif operation == "truncated":
        new = [*new[: max(3, int(len(new) * chance.uniform(0.25, 0.65)))], "Read more."]
    elif operation == "inserted":
        for _ in range(chance.randint(1, 3)):
            new[chance.randrange(len(new)) : 0] = sentences(chance, 45)
    elif operation == "reworded":
        for index in chance.sample(range(len(new)), max(1, len(new) // 6)):
            words = new[index].split()
            words[chance.randrange(len(words))] = chance.choice(WORDS)
            new[index] = " ".join(words)
    elif operation == "shortened":
        new = [line for line in new if chance.random() < 0.8] or new
    return new


OPERATIONS = ("headline", "truncated", "inserted", "reworded", "shortened")


def corpus(events, seed=1):
    """Lines with text, gold cluster, kind and operation: copies of many events, templates, follow-ups, pages with one footer."""
    chance = random.Random(seed)
    footers = [" ".join(sentences(chance, 60)) for _ in range(FOOTERS)]
    templates = [sentences(chance, 80) for _ in range(TEMPLATES)]
    lines = []
    for event in range(events):
        original = sentences(chance, chance.choice((60, 120, 250, 400, 600)))
        lines.append({"text": shown(original, chance), "cluster": event, "kind": "original", "operation": ""})
        for _ in range(chance.choice((0, 0, 1, 1, 2, 3, 5))):
            operation = chance.choice(OPERATIONS)
            text = shown(copied(original, operation, chance), chance)
            if chance.random() < 0.2:
                text, operation = f"{text}\n{chance.choice(footers)}", "footer"
            lines.append({"text": text, "cluster": event, "kind": "copy", "operation": operation})
        lines += [
            {"text": text, "cluster": f"{kind} {event}", "kind": kind, "operation": ""}
            for kind, text in lookalikes(original, footers, templates, chance)
        ]
    chance.shuffle(lines)
    return [{"id": number} | line for number, line in enumerate(lines)]


def lookalikes(original, footers, templates, chance):
    """Texts that are no copies of anything."""
    if chance.random() < 0.3:
        yield "follow-up", shown([*sentences(chance, 200), *original[: len(original) // 4]], chance)
    if chance.random() < 0.3:
        yield "footer", f"{shown(sentences(chance, 40), chance)}\n{chance.choice(footers)}"
    if chance.random() < 0.3:
        template = chance.choice(templates)
        filled = [f"{line[:-1]} {chance.randint(10, 9999)} {chance.choice(WORDS)}." for line in template]
        yield "template", shown(filled, chance)
