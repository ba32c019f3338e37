"""The reading room in a real browser: every page at two widths, by keyboard, without script, in the dark, on paper, under attack."""

import pytest

from tests import room_subject as subject

WIDTHS = ("desktop", "phone")
SERIOUS = ("serious", "critical")
AXE_RULES = "({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", subject.PATHS)
def test_every_page_is_whole_quiet_and_stands_still(open_tab, screenshots, name, width):
    tab = open_tab(width)
    answer = tab.open(subject.PATHS[name])
    tab.page.wait_for_load_state("networkidle")
    assert answer.status == (404 if name == "missing" else 200)
    expected = (
        ["Failed to load resource: the server responded with a status of 404 (Not Found)"] if name == "missing" else []
    )
    assert tab.troubles == expected
    assert all(url.startswith(tab.home + "/") for url in tab.requests)
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= tab.page.viewport_size["width"]
    tab.page.mouse.wheel(0, 2000)
    assert tab.page.evaluate("window.shifted || 0") == 0
    tab.page.evaluate("scrollTo(0, 0)")
    tab.page.screenshot(path=screenshots / f"{name}-{width}.png")


@pytest.mark.parametrize(("width", "scheme"), [("desktop", "light"), ("phone", "light"), ("desktop", "dark")])
@pytest.mark.parametrize("name", subject.PATHS)
def test_axe_finds_nothing_serious(open_tab, axe, name, width, scheme):
    tab = open_tab(width, color_scheme=scheme)
    tab.open(subject.PATHS[name])
    tab.page.evaluate(axe)
    found = tab.page.evaluate(f"axe.run(document, {AXE_RULES})")
    assert found["passes"]
    told = [
        (one["id"], one["impact"], [node["html"][:150] for node in one["nodes"][:3]]) for one in found["violations"]
    ]
    assert not [one for one in told if one[1] in SERIOUS], told
    assert not told, told  # nothing less than serious either, so far


def headline(tab):
    return tab.page.evaluate("document.activeElement.textContent")


def test_the_whole_room_by_keyboard(tab):
    tab.open("/")
    shown = tab.page.locator("[data-open]").all_text_contents()
    for key, place in (("j", 0), ("j", 1), ("j", 2), ("k", 1)):
        tab.page.keyboard.press(key)
        assert headline(tab) == shown[place]
    outline = tab.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert float(outline.removesuffix("px")) >= 2
    tab.page.keyboard.press("o")
    tab.page.wait_for_url("**/article/*")
    assert tab.page.locator("h1").text_content() == shown[1]
    tab.page.keyboard.press("u")
    tab.page.wait_for_url(tab.home + "/")
    tab.page.keyboard.press("/")
    assert tab.page.evaluate("document.activeElement.id") == "find"
    tab.page.keyboard.type("jk?/")  # in a field these are letters
    assert tab.page.input_value("#find") == "jk?/"
    tab.page.keyboard.press("Escape")
    assert tab.page.evaluate("document.activeElement.tagName") == "BODY"
    tab.page.keyboard.press("?")
    tab.page.wait_for_url("**/help")
    tab.page.keyboard.press("t")
    tab.page.wait_for_url(tab.home + "/")
    assert tab.troubles == []


def test_keys_with_others_held_stay_the_browsers(tab):
    tab.open("/")
    tab.page.keyboard.press("Control+j")
    assert tab.page.evaluate("document.activeElement.tagName") == "BODY"


def test_a_long_article_is_turned_by_keys(tab):
    tab.open(f"/article/{subject.LONG}")
    tab.page.keyboard.press("n")
    tab.page.wait_for_url("**part=2")
    tab.page.keyboard.press("p")
    tab.page.wait_for_url("**part=1")


def test_the_first_tab_leads_past_the_navigation(tab):
    tab.open("/")
    tab.page.keyboard.press("Tab")
    assert headline(tab) == "To the text"
    assert tab.page.locator(".skip").is_visible()
    tab.page.keyboard.press("Enter")
    assert tab.page.evaluate("document.activeElement.id") == "main"


def test_everything_works_without_script(open_tab):
    tab = open_tab(java_script_enabled=False)
    tab.open("/")
    tab.page.select_option("select[name=language]", "ko")
    tab.page.click(".filters button")
    assert "language=ko" in tab.page.url
    assert tab.page.locator(".card").count() == 1
    tab.page.fill("#find", "연구소")
    tab.page.press("#find", "Enter")
    assert tab.page.locator("mark").first.text_content() == "연구소"
    tab.page.click(".card .headline")
    assert tab.page.locator(".text").get_attribute("lang") == "ko"


def test_nothing_a_hostile_article_says_is_done(tab):
    for name in (
        "today",
        "hostile",
        "hostile-page",
        "hostile-compared",
        "search-hostile",
        "border",
        "sources",
        "rejected",
        "run",
    ):
        tab.open(subject.PATHS[name])
        assert (
            tab.page.evaluate(
                "document.querySelectorAll('main script, main img, main style, main b[onclick], [onload]').length"
            )
            == 0
        )
        assert tab.page.evaluate("[...document.links].filter(one => !/^https?:$/.test(one.protocol)).length") == 0
        assert tab.page.locator("footer").is_visible()
    assert tab.troubles == []


def test_a_script_that_got_in_would_not_run(tab):
    """What if the escaping failed: the policy alone must stop it."""
    tab.open("/help")
    tab.page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=https://x.invalid/a.png onerror=\"window.ran = 1\">')"
    )
    tab.page.evaluate(
        "const one = document.createElement('script'); one.textContent = 'window.ran = 2'; document.body.append(one)"
    )
    tab.page.wait_for_timeout(200)
    assert tab.page.evaluate("window.ran") is None
    assert len([trouble for trouble in tab.troubles if "Content Security Policy" in trouble]) >= 2


def test_a_long_word_stays_on_the_page(open_tab):
    tab = open_tab("phone")
    for path in (subject.PATHS["hostile"], subject.PATHS["hostile-page"], subject.PATHS["hostile-compared"]):
        tab.open(path)
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_right_to_left_is_read_from_the_right(tab):
    tab.open(subject.PATHS["hebrew"])
    assert tab.page.evaluate("getComputedStyle(document.querySelector('.text p')).direction") == "rtl"
    assert tab.page.evaluate("getComputedStyle(document.querySelector('.text')).direction") == "rtl"


def test_the_dark_is_dark(open_tab):
    colours = []
    for scheme in ("light", "dark"):
        tab = open_tab(color_scheme=scheme)
        tab.open("/")
        colours.append(tab.page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert colours[0] != colours[1]


def test_paper_has_the_text_and_no_furniture(tab):
    tab.open(subject.PATHS["article"])
    tab.page.emulate_media(media="print")
    assert not tab.page.locator("header.top").is_visible()
    assert not tab.page.locator("footer").is_visible()
    assert tab.page.locator(".text p").count() == len(subject.EVAL_STORY.splitlines())


def test_a_table_too_wide_for_a_phone_is_moved_by_itself(open_tab):
    tab = open_tab("phone")
    tab.open(subject.PATHS["rejected"])
    table = tab.page.locator(".wide").first
    assert table.evaluate("one => one.scrollWidth > one.clientWidth")
    assert table.get_attribute("tabindex") == "0"  # by keys, too
