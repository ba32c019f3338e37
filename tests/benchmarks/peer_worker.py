"""Runs one extractor from elsewhere in its own environment: pages as JSON lines in, {"text", "seconds", "error"} out.

It must run where nothing of ours is installed, so it imports the standard library and that one extractor alone.
"""

import json
import sys
import time
import warnings

BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "br",
        "caption",
        "dd",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "td",
        "th",
        "tr",
        "ul",
    ]
)
STOPLISTS = {  # ISO 639-1: how jusText calls the language
    "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "fi": "Finnish", "fr": "French",
    "is": "Icelandic", "it": "Italian", "lt": "Lithuanian", "nl": "Dutch", "no": "Norwegian_Bokmal", "pl": "Polish", "pt": "Portuguese",
    "ru": "Russian", "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian",
}  # fmt: skip


def with_readability(markup, lang):
    from lxml import html
    from readability import Document

    tree = html.fromstring(Document(markup).summary())
    for element in tree.iter():
        if element.tag in BLOCKS:
            element.text = "\n" + (element.text or "")
            element.tail = "\n" + (element.tail or "")
    return tree.text_content()


def with_newspaper(markup, lang):
    import newspaper
    from newspaper.languages import valid_languages

    known = {code for code, _ in valid_languages()}
    article = newspaper.Article("http://localhost/", language=lang if lang in known else "en", fetch_images=False)
    article.download(input_html=markup)
    article.parse()
    return article.text


def with_resiliparse(markup, lang):
    from resiliparse.extract.html2text import extract_plain_text

    return extract_plain_text(markup, main_content=True, alt_texts=False, list_bullets=False)


def with_justext(markup, lang):
    import justext

    name = STOPLISTS.get(lang or "en")
    known = justext.get_stoplists()
    if name in known:
        found = justext.justext(markup, justext.get_stoplist(name))
    else:  # as its manual says for languages without a list
        found = justext.justext(markup, frozenset(), stopwords_low=0, stopwords_high=0)
    return "\n".join(paragraph.text for paragraph in found if not paragraph.is_boilerplate)


PEERS = {
    "readability-lxml": with_readability,
    "newspaper4k": with_newspaper,
    "resiliparse": with_resiliparse,
    "jusText": with_justext,
}


def main():
    warnings.simplefilter("ignore")
    extract = PEERS[sys.argv[1]]
    pages = [json.loads(line) for line in sys.stdin]
    for number, page in enumerate(pages[:1] + pages):  # the first twice: what is loaded on first use does not count
        started, error, text = time.process_time(), "", ""
        try:
            text = extract(page["html"], page["lang"]) or ""
        except Exception as problem:  # noqa: BLE001 - whatever it raises is its result for this page
            error = type(problem).__name__
        if number:
            print(json.dumps({"text": text, "seconds": time.process_time() - started, "error": error}))


if __name__ == "__main__":
    main()
