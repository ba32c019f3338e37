"""Ask the room for a page and read it."""

from lxml import html

HOME = "http://127.0.0.1"
MAX_PAGE_BYTES = 100_000
ATOM = "{http://www.w3.org/2005/Atom}"


def page(client, address):
    client.cookies.clear()
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return html.document_fromstring(answer.text)


def words(element):
    return " ".join(element.text_content().split())


def main(client, address):
    return words(page(client, address).find(".//main"))


def cards(client, address):
    return page(client, address).xpath("//article[@class='card']")


def titles(client, address):
    return [
        words(card.find(".//h3/a") if card.find(".//h3/a") is not None else card.find(".//h2/a"))
        for card in cards(client, address)
    ]
