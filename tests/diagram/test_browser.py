"""The HTML page in a real browser: Chromium, without a window and without a network.

These tests need the extra `browser` and a Chromium from the system's packages: `chromium` on the
path, or the file that LISTBOSS_CHROMIUM names. Without them, they are not run.
"""

import os
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from listboss import AddTag, Product, RuleSet, where
from listboss.diagram import page

sync_api = pytest.importorskip("playwright.sync_api", reason="the extra `browser` is not installed")
CHROMIUM = os.environ.get("LISTBOSS_CHROMIUM") or shutil.which("chromium")
if CHROMIUM is None:
    pytest.skip("this machine has no Chromium", allow_module_level=True)

HOSTILE = "</script><img src=x onerror=\"document.title='taken'\">"
CONTRAST = """() => {
  const part = (value) => value <= 10.3 ? value / 3294.6 : ((value / 255 + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * part(r) + .7152 * part(g) + .0722 * part(b);
  const colour = (text) => text.match(/[\\d.]+/g).map(Number);
  const ground = (element) => {
    const [r, g, b, opacity = 1] = colour(getComputedStyle(element).backgroundColor);
    return opacity === 0 ? ground(element.parentElement) : [r, g, b];
  };
  const bad = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    const ink = colour(getComputedStyle(element).color);
    const [a, b] = [light(ink), light(ground(element))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) bad.push(walker.currentNode.data);
  }
  return bad;
}"""
"""The texts whose contrast is too low; no colour of the page is translucent."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for all tests."""
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser, tmp_path) -> Iterator[Any]:
    """Open a page from disk, without a network; at the end, nothing was requested or reported."""
    contexts: list[Any] = []
    problems: list[str] = []

    def opened(html: str, **settings: Any) -> Any:
        file = tmp_path / "rules.html"
        file.write_text(html, "utf-8")
        size = {"width": 1300, "height": 800}
        context = browser.new_context(offline=True, **{"viewport": size, **settings})
        contexts.append(context)
        context.set_default_timeout(10_000)
        tab = context.new_page()
        tab.on("console", lambda message: problems.append(message.text))
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.on("request", lambda request: problems.append(request.url))
        tab.goto(file.as_uri())
        problems.remove(file.as_uri())
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert [] == problems


@pytest.fixture
def tab(opened, html) -> Any:
    """The page of the small rule set."""
    return opened(html)


@pytest.fixture(scope="module")
def large(rule) -> str:
    """The page of 3,000 rules of 60 products."""
    products = [Product(f"{n}", f"Course {n}") for n in range(60)]
    rules = [
        rule(
            f"rule {n}",
            AddTag(f"tag {n % 100}"),
            product_id=str(n % 60),
            event=("purchase.approved", "purchase.refunded")[n // 60 % 2],
            condition=(where.price >= n) & (where.language == "en"),
        )
        for n in range(3_000)
    ]
    return page(RuleSet(products, rules))


def visible(tab: Any) -> list[str]:
    """The names of the custom rules that the search left."""
    names: list[str] = tab.locator(".rule[id]:not([hidden]) h4").all_text_contents()
    return names


def focused(tab: Any) -> str:
    """The id of the element with the focus, or else its text."""
    text: str = tab.evaluate("document.activeElement.id || document.activeElement.innerText")
    return text


class TestSearch:
    """The search leaves the rules that have every word, and says how many."""

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("", ["carts", "in", "out", "Ação VIP"]),
            ("acao", ["Ação VIP"]),
            ("AÇÃO price", ["Ação VIP"]),
            ("photography approved", ["in", "out"]),
            ("country", ["out"]),
            ("nothing has this", []),
        ],
    )
    def test_words(self, tab, words, expected):
        """Case and accents do not matter; names of products and events count, too."""
        tab.get_by_label("Search").fill(words)
        of = f"{len(expected)} of 4 rules" if words else "4 rules"
        tab.get_by_role("status").get_by_text(of, exact=True).wait_for()
        assert expected == visible(tab)

    @pytest.mark.parametrize(
        ("choice", "expected"),
        [
            ("flagged", ["Ação VIP"]),
            ("conflict", ["in", "out"]),
            ("off", ["carts"]),
            ("noted", ["in", "out", "Ação VIP"]),
        ],
    )
    def test_choices(self, tab, choice, expected):
        """The form shows the rules in one state."""
        tab.get_by_label("Show").select_option(choice)
        tab.get_by_role("status").get_by_text(" of 4 rules").wait_for()
        assert expected == visible(tab)

    def test_products_without_a_hit_are_hidden(self, tab):
        """The list of products has those with hits, and their numbers."""
        tab.get_by_label("Search").fill("country")
        tab.get_by_role("status").get_by_text("1 of 4").wait_for()
        links = tab.get_by_role("navigation").get_by_role("link")
        assert ["Photography 1"] == links.all_text_contents()
        assert not tab.get_by_role("heading", name="Reading club").is_visible()

    def test_no_hit(self, tab):
        """A search without a hit says that."""
        tab.get_by_label("Search").fill("xyz")
        tab.get_by_text("No rule matches.").wait_for()

    def test_a_link_to_a_hidden_rule(self, tab):
        """A link to a rule that the search hides shows it, and goes there."""
        tab.get_by_label("Search").fill("country")
        tab.get_by_role("status").get_by_text("1 of 4").wait_for()
        tab.get_by_role("link", name="in", exact=True).click()
        tab.get_by_role("status").get_by_text("4 rules", exact=True).wait_for()
        assert ("r1", True) == (focused(tab), tab.url.endswith("#r1"))


class TestKeyboard:
    """Everything can be done without a mouse."""

    def test_tab_order(self, tab):
        """Tab goes to the link to the rules, the form, the products and the links in rules."""
        order = []
        for _ in range(6):
            tab.keyboard.press("Tab")
            order.append(focused(tab))
        assert [
            "Skip to the rules",
            "query",
            "show",
            "Photography\n3",
            "Reading club\n1",
            "automatic segmentations",
        ] == order

    def test_from_the_search_to_the_rules_and_back(self, tab):
        """Enter goes to the first hit, arrows to the next ones, and Escape back."""
        tab.get_by_label("Search").fill("photography")
        order = []
        for key in ("Enter", "ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp", "ArrowUp", "ArrowUp"):
            tab.keyboard.press(key)
            order.append(focused(tab).partition("\n")[0])
        automatic = "Automatic segmentations"
        assert ["r3", automatic, "r1", automatic, "r3", "query", "query"] == order
        tab.keyboard.press("ArrowDown")
        tab.keyboard.press("Escape")
        assert "query" == focused(tab)

    def test_escape_clears_the_search(self, tab):
        """Escape in the search shows all rules again."""
        tab.get_by_label("Search").fill("country")
        tab.get_by_role("status").get_by_text("1 of 4").wait_for()
        tab.keyboard.press("Escape")
        tab.get_by_role("status").get_by_text("4 rules", exact=True).wait_for()
        assert "" == tab.get_by_label("Search").input_value()

    def test_the_focus_is_visible(self, tab):
        """What has the focus has an outline."""
        styles = []
        for key in ("Tab", "Tab", "Tab", "Tab", "Enter"):
            tab.keyboard.press(key)
            styles.append(tab.evaluate("getComputedStyle(document.activeElement).outlineStyle"))
        assert ["solid"] * 4 == styles[:4]

    def test_the_skip_link(self, tab):
        """The first link goes past the form and the products."""
        tab.keyboard.press("Tab")
        tab.keyboard.press("Enter")
        assert "rules" == focused(tab)


class TestLook:
    """Light and dark, wide and narrow, on paper, and without the script."""

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_contrast(self, opened, html, scheme):
        """All text has a contrast of at least 4.5 to 1."""
        assert [] == opened(html, color_scheme=scheme).evaluate(CONTRAST)

    @pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
    def test_dark_mode(self, opened, html, scheme, is_dark):
        """The page follows the colour scheme of the system."""
        tab = opened(html, color_scheme=scheme)
        ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        assert is_dark == (int(re.findall(r"\d+", ground)[0]) < 128)

    def test_reduced_motion(self, opened, html):
        """A link does not scroll smoothly for people who asked for less motion."""
        tab = opened(html, reduced_motion="reduce")
        assert "auto" == tab.evaluate("getComputedStyle(document.documentElement).scrollBehavior")

    @pytest.mark.parametrize("width", [320, 700, 1300])
    def test_no_sideways_scrolling(self, opened, html, width):
        """The page fits screens from 320 pixels."""
        tab = opened(html, viewport={"width": width, "height": 800})
        assert tab.evaluate("document.documentElement.scrollWidth") <= width

    def test_print(self, tab):
        """Paper has every rule, on white, without the form and the list of products."""
        tab.emulate_media(media="print")
        assert (False, False, True, "rgb(255, 255, 255)") == (
            tab.get_by_label("Search").is_visible(),
            tab.locator("nav").is_visible(),
            tab.locator("#r4").is_visible(),
            tab.evaluate("getComputedStyle(document.body).backgroundColor"),
        )
        assert tab.pdf().startswith(b"%PDF")

    def test_without_the_script(self, opened, html):
        """Without JavaScript, all rules are there, and no form that would do nothing."""
        tab = opened(html, java_script_enabled=False)
        assert (4, False) == (len(visible(tab)), tab.locator("form").is_visible())


class TestSafety:
    """What a user wrote is shown and not run."""

    def test_a_hostile_name(self, opened, rule):
        """Markup in a name is text, and no script runs."""
        tab = opened(page(RuleSet(segmentations=[rule(HOSTILE, AddTag(HOSTILE))]), title="mine"))
        assert ("mine", 0, [HOSTILE]) == (
            tab.title(),
            tab.locator("img").count(),
            visible(tab),
        )

    def test_a_script_that_got_in(self, browser, html, tmp_path):
        """The policy refuses a script that somebody put into the file."""
        file = tmp_path / "rules.html"
        file.write_text(html.replace("</main>", "<script>document.title = 'taken'</script></main>"))
        with browser.new_page() as tab:
            tab.goto(file.as_uri())
            assert "Rules" == tab.title()


class TestLarge:
    """3,000 rules: only what is on the screen is laid out."""

    def test_search(self, opened, large):
        """The search finds one rule among 3,000."""
        tab = opened(large)
        tab.get_by_label("Search").fill("course 59 2999")
        tab.get_by_role("status").get_by_text("1 of 3,000 rules").wait_for()
        assert ["rule 2999"] == visible(tab)

    def test_what_is_laid_out(self, opened, large):
        """When it opens, the browser lays out less than a tenth of the rules."""
        tab = opened(large)
        laid_out = tab.evaluate(
            "() => [...document.querySelectorAll('.rule')].filter((rule) =>"
            " rule.firstElementChild.checkVisibility({contentVisibilityAuto: true})).length"
        )
        assert 0 < laid_out < 300

    def test_by_keyboard(self, opened, large):
        """The arrow goes on to rules that were not laid out before."""
        tab = opened(large)
        tab.get_by_label("Search").focus()
        for _ in range(20):
            tab.keyboard.press("ArrowDown")
        sync_api.expect(tab.locator(".rule:focus")).to_be_in_viewport()
        assert 0 < tab.evaluate("scrollY")
