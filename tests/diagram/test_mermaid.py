"""The flowchart: nodes, links and labels that cannot break out."""

import re
from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss import AddTag, Capabilities, Product, RuleSet
from listboss.diagram import mermaid
from listboss.diagram._mermaid import MAX_LABEL, STYLES, quote_label
from listboss.errors import UnknownIdError
from listboss.testing._worlds import random_rules

NODE = re.compile(r'(?P<key>\w+)(?:\[|\(|\(\[)"(?P<label>[^"]*)"(?:\]|\)|\]\))(?:::: ?\w+)?')


class TestFlowchart:
    """Event to rule to actions, by product."""

    def test_the_whole(self, rules, rule):
        """A small rule set, line by line."""
        small = RuleSet(
            [Product("42", "Course")], [rule("r", AddTag("x")), rule("s", event="own event")]
        )
        assert (
            mermaid(small)
            == """\
flowchart LR
  subgraph p1["Course (42)"]
    direction LR
    p1e1(["Purchase approved"])
    p1e1 --> r1["r: every contact"]:::flagged
    r1 --> r1a1("mail: add tag x")
    p1e2(["own event"])
    p1e2 --> r2["s: every contact"]:::flagged
  end
"""
            + "".join(f"  {style}\n" for style in STYLES)
        )

    def test_states(self, rules):
        """Rules that are flagged or switched off have styles of their own."""
        states = re.findall(r"(r\d)\[.*:::(\w+)", mermaid(rules))
        assert {"r1": "rule", "r2": "rule", "r3": "off", "r4": "flagged"} == dict(states)

    def test_automatic_actions(self, rules):
        """What automatic capture does has one node beside the rules of an event."""
        nodes = re.findall(r'-.-> \w+auto\["(.*)"\]:::automatic', mermaid(rules))
        assert [
            "add to the contact base<br>add tag auto:cart-abandonment:42",
            "add to the contact base<br>add tag auto:purchase-approved:42"
            "<br>remove 9 automatic tags",
        ] == nodes[:2]

    def test_few_tags_that_are_removed(self, rule):
        """Up to two tags are named that automatic capture removes."""
        on_sale = rule("r", AddTag("x"), event="product.available")
        course = Product("42", "Course", approved_at=date(2025, 1, 1))
        capture = {"mail": Capabilities(remove_tag="native")}
        rules = RuleSet([course], [on_sale], providers=capture, capture_provider="mail")
        assert '["remove tag auto:waitlist:42"]:::automatic' in mermaid(rules)

    def test_conflicts_are_links(self, rules, conflict):
        """Two rules that contradict each other are linked once, and unknown ids are left out."""
        text = mermaid(rules, [conflict, *rules.findings])
        assert ["    r1 <-. conflict .-> r2"] == [
            line for line in text.splitlines() if "conflict" in line
        ]

    def test_one_product(self, rules, conflict):
        """With `product_id`, only that product is drawn."""
        text = mermaid(rules, [conflict], product_id="77")
        assert ["p2"] == re.findall(r"subgraph (\w+)", text)
        assert "conflict" not in text

    def test_an_unknown_product(self, rules):
        """A product that the rule set lacks is an error."""
        with pytest.raises(UnknownIdError) as caught:
            mermaid(rules, product_id="7")
        assert "unknown product `7`" == caught.value.message

    def test_any_rule_set(self, amount):
        """Every rule has one node, and no line has anything but the marks of the chart."""
        for seed in range(amount(ci=40, soak=4_000)):
            rules = random_rules(Random(seed))
            text = mermaid(rules)
            keys = [m["key"] for m in NODE.finditer(text)]
            assert len(rules) == sum(re.fullmatch(r"r\d+", key) is not None for key in keys)
            assert len(keys) == len(set(keys))
            marks = re.sub(r'"[^"\n]*"', '""', text)
            assert re.fullmatch(r'[\w \n"()\[\]<>.:,#-]*', marks)


class TestLabels:
    """A label is a quoted string, whatever the user wrote."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Buyers 2/3", '"Buyers 2/3"'),
            ('a"]; b', '"a#34;#93;#59; b"'),
            ("#35; `x`\n", '"#35;35#59; #96;x#96;#92;n"'),
            ("%% <b>&amp;", '"#37;#37; #60;b#62;#38;amp#59;"'),
            ("Ação", '"Ação"'),
            ("1. Welcome", '"1#46; Welcome"'),
            (" 12) Welcome", '"12#41; Welcome"'),
            ("- Welcome", '"#45; Welcome"'),
            ("+", '"#43;"'),
            ("1.5 stars - or more.", '"1.5 stars - or more."'),
            ("see https://a.example", '"see https#58;//a.example"'),
            ("WWW.a.example", '"WWW#46;a.example"'),
            ("x" * (MAX_LABEL + 1), f'"{"x" * (MAX_LABEL - 1)}#8230;"'),
        ],
    )
    def test_each(self, text, expected):
        """Letters, digits and a few marks stay; everything else is a character code."""
        assert expected == quote_label(text)

    @given(st.text())
    def test_any_text(self, text):
        """A label has no quote, line break or markup inside."""
        assert re.fullmatch(r'"(?:[\w .,:/()=+-]|#\d+;)*"', quote_label(text))
