"""The HTML page: what it shows, that it is well-formed, and that nothing in it can run or load."""

import re
from base64 import b64encode
from collections import Counter
from datetime import date
from hashlib import sha256
from html.parser import HTMLParser
from random import Random

import attrs
import pytest

from listboss import Finding, FindingCode, Product, RuleSet, Segmentation, Severity
from listboss.diagram import page
from listboss.testing._worlds import random_rules

APPROVED = date(2025, 1, 1)
VOID = {"meta", "link", "input"}
HOSTILE = "</script></style></title>--><img src=x onerror=alert(1)>\"'`&lt;\u202e\n"


class Reader(HTMLParser):
    """Reads a page, and checks that every element is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.text: dict[str, str] = {}
        self.feed(html)
        self.close()
        assert [] == self.open

    def handle_starttag(self, tag, attrs):
        """Count an element, and remember that it is open."""
        self.elements[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Close the innermost element."""
        assert tag == self.open.pop()

    def handle_data(self, data):
        """Add a string to the elements that it is in."""
        for tag in self.open:
            self.text[tag] = self.text.get(tag, "") + data

    def values(self, name: str) -> list[str]:
        """The values of one attribute, in the order of the page."""
        return [value for _, each, value in self.attributes if each == name]


def body(html: str) -> str:
    """The part of the page that is not style, script or form."""
    return html[html.index("<main") : html.index("</main>")]


def card(html: str, key: str) -> str:
    """One rule of the page, with one blank between parts."""
    article = re.search(rf'<article[^>]* id="{key}".*?</article>', html, re.DOTALL)
    assert article is not None
    reader = Reader(article[0].replace("><", "> <"))
    return " ".join(reader.text["article"].split())


class TestContent:
    """Rules by product: from the event over the condition to the actions."""

    @pytest.mark.parametrize(
        ("key", "expected"),
        [
            (
                "r1",
                "in conflict at mail if language == en add to Buyers add tag buyer"
                " warning in adds the tag buyer, which out removes; the removal wins see out"
                " for example, with language == en, price == 10",
            ),
            (
                "r2",
                "out conflict at mail if country == BR remove tag buyer"
                " warning in adds the tag buyer, which out removes; the removal wins see in"
                " for example, with language == en, price == 10",
            ),
            ("r3", "carts switched off at mail every contact add tag cart"),
        ],
    )
    def test_a_rule(self, html, key, expected):
        """Name, states, provider, condition, actions and findings, with links to other rules."""
        assert expected == card(html, key)

    def test_a_flagged_rule(self, html):
        """Every finding is beside its rule, with its hint; plans have their names."""
        head, *findings = re.split(" (?:error|warning) ", card(html, "r4"))
        assert (
            "Ação VIP flagged at crm , only plan Annual, 30 if price >= 250 and"
            " installments between 2 and 6 move from Customers to VIP"
        ) == head
        assert (
            "provider crm is not integrated choose mail, or add the account to providers"
        ) == findings[0]

    def test_products_and_events(self, html):
        """Products are as declared, events as in the catalogue."""
        headings = re.findall(r"<h[23].*?</h[23]>", body(html))
        assert [
            "Photography",
            "Cart abandonment purchase.cart_abandoned",
            "Purchase approved purchase.approved",
            "Reading club",
            "Purchase approved purchase.approved",
            "Automatic segmentations",
        ] == [" ".join(re.sub("<.*?>", " ", each).split()) for each in headings]

    def test_automatic_actions_are_marked(self, html):
        """Beside the rules on an event is what automatic capture does."""
        automatic = re.findall(r'<article class="rule automatic".*?</article>', html, re.DOTALL)
        assert [
            "Automatic segmentations automatic add to the contact base"
            " add tag auto:cart-abandonment:42"
        ] == [" ".join(re.sub("<.*?>", " ", each).split()) for each in automatic[:1]]
        assert "auto:subscription-canceled:42</code> at the first charge" in automatic[1]

    def test_the_table_of_automatic_segmentations(self, html):
        """A table has all of them, with a reason for those that no event takes off."""
        table = html[html.index("<tbody>") : html.index("</tbody>")]
        assert 15 == table.count("<tr>")
        assert "<td>never: the contact registered for free; buying later does not" in table

    def test_without_capture(self, rule):
        """Without automatic capture, nothing is said about it."""
        html = page(RuleSet([Product("42", "Course", approved_at=APPROVED)], [rule("r")]))
        assert ("automatic" in body(html), "not approved" in body(html)) == (False, False)

    def test_a_product_that_is_not_approved(self, rule):
        """Rules of such a product do not run, and the page says that."""
        assert "<li>not approved</li>" in page(RuleSet([Product("42", "Course")], [rule("r")]))

    def test_counts(self, html):
        """The head counts rules and products, and what needs attention."""
        assert (
            "<li>4 rules</li><li>2 products</li><li>1 flagged</li><li>1 switched off</li>" in html
        )

    def test_choices(self, html):
        """The form offers the states that some rule has."""
        assert [
            ("", "all rules"),
            ("noted", "with findings (3)"),
            ("conflict", "in a conflict (2)"),
            ("flagged", "flagged (1)"),
            ("off", "switched off (1)"),
        ] == re.findall(r'<option value="(\w*)">(.*?)</option>', html)

    def test_an_empty_rule_set(self):
        """A rule set without rules has a page."""
        html = page(RuleSet([Product("42", "Course")]), title="Nothing yet")
        assert "<title>Nothing yet</title>" in html
        assert "No custom rules." in html

    def test_an_unknown_product(self, rule):
        """Rules of a product that the rule set lacks are shown under its id."""
        html = page(RuleSet(segmentations=[rule("r", product_id="9")]))
        assert "not in the rule set" in html
        assert "nothing" in card(html, "r1")

    def test_findings_about_no_rule(self, rules):
        """A finding about the product or the whole rule set is above its rules."""
        code = FindingCode.BETA_CAPTURE
        html = page(
            rules,
            [
                Finding(code, Severity.WARNING, "of the product", product_id="77"),
                Finding(code, Severity.WARNING, "of everything"),
            ],
        )
        places = [html.index(text) for text in ("of everything", 'id="p2"', "of the product")]
        assert sorted(places) == places

    def test_a_witness_without_facts(self, rules, conflict):
        """If any event shows a finding, that is said."""
        witness = attrs.evolve(conflict.witness, facts={})
        html = page(rules, [attrs.evolve(conflict, witness=witness)])
        assert "for example, with any event" in card(html, "r1")

    def test_many_others(self, rule):
        """Of a finding about many rules, ten are linked and the others counted."""
        rules = RuleSet(segmentations=[rule(f"rule {n}") for n in range(14)])
        finding = Finding(
            FindingCode.NAME_DUPLICATE,
            Severity.WARNING,
            "many",
            segmentation_id="rule 0",
            others=tuple(f"rule {n}" for n in range(1, 14)),
        )
        assert card(page(rules, [finding]), "r1").endswith("rule 10 , 3 more")

    def test_the_same_every_time(self, rules, html, conflict):
        """Equal rules give an equal page."""
        assert html == page(rules, (*rules.findings, conflict))


class TestSafety:
    """Nothing that a user wrote is markup, and the page loads nothing."""

    def hostile(self) -> str:
        """A page on which all names are hostile."""
        product = Product(HOSTILE, HOSTILE)
        rule = Segmentation(
            HOSTILE, id=HOSTILE, product_id=HOSTILE, provider=HOSTILE, event=HOSTILE, actions=[]
        )
        return page(RuleSet([product], [rule]), title=HOSTILE)

    def test_no_markup(self):
        """A hostile name adds no element and no attribute."""
        plain = page(
            RuleSet(
                [Product("p", "P")],
                [Segmentation("r", id="i", product_id="p", provider="m", event="e", actions=[])],
            )
        )
        assert Reader(plain).elements == Reader(self.hostile()).elements

    def test_shown_as_written(self):
        """The name is shown, on one line and with invisible characters escaped."""
        (heading,) = re.findall(r"<h4>(.*?)</h4>", self.hostile())
        assert (
            "</script></style></title>--><img src=x onerror=alert(1)>\"'`&lt;\\u202e\\n"
            == Reader(f"<h4>{heading}</h4>").text["h4"]
        )

    def test_the_policy_allows_only_its_own_style_and_script(self, html):
        """The policy forbids everything but the style and the script that the page has."""
        policy = re.findall(r"content=\"(default-src[^\"]*)", html)[0]
        digests = {
            name: b64encode(sha256(text.encode()).digest()).decode()
            for name, text in re.findall(r"<(style|script)>(.*?)</\1>", html, re.DOTALL)
        }
        assert policy == (
            f"default-src 'none'; style-src 'sha256-{digests['style']}'; "
            f"script-src 'sha256-{digests['script']}'; img-src data:; base-uri 'none'; "
            "form-action 'none'"
        )

    def test_no_address(self, html):
        """The page names no other file and no host."""
        reader = Reader(html)
        links = [*reader.values("href"), *reader.values("src")]
        assert {"data:,"} == {link for link in links if not link.startswith("#")}
        assert [] == re.findall(r"https?:|url\(|@import|//\w+\.", html)

    def test_any_rule_set(self, amount):
        """Every rule set has a well-formed page with unique ids; each link has its target."""
        for seed in range(amount(ci=40, soak=4_000)):
            rules = random_rules(Random(seed))
            reader = Reader(page(rules))
            ids = reader.values("id")
            assert len(ids) == len(set(ids))
            assert {link[1:] for link in reader.values("href") if link.startswith("#")} <= {*ids}
            assert len(rules) == sum(re.fullmatch(r"r\d+", each) is not None for each in ids)
