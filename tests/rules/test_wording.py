"""What `str()` shows of actions, conditions, segmentations and findings, in each medium."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss import (
    AUTOMATIC,
    AddLead,
    AddTag,
    AllOf,
    AnyOf,
    Capabilities,
    Comparison,
    Finding,
    MoveLead,
    Not,
    Place,
    Product,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    RuleSet,
    Segmentation,
    where,
)
from listboss.rules._text import one_line, quoted
from listboss.rules._wording import (
    MAX_SHOWN_VALUES,
    as_html,
    as_markdown,
    describe,
    describe_condition,
    describe_mismatch,
    describe_target,
)
from listboss.testing import actions, conditions, segmentations

NOON = datetime(2026, 5, 4, 12, tzinfo=timezone(timedelta(hours=-3)))
EN, SIX, BR = where.language == "en", where.installments >= 6, where.country == "BR"
CHARACTERS = st.text(st.characters() | st.sampled_from("`|\\\n\r\t<>&[]()!*_~#:@/. \u202e\u2028"))


class TestActions:
    """An action in a few words."""

    @pytest.mark.parametrize(
        ("action", "expected"),
        [
            (AddTag("buyer"), "add tag `buyer`"),
            (RemoveTag("buyer"), "remove tag `buyer`"),
            (AddLead(), "add to the contact base"),
            (AddLead("Buyers"), "add to `Buyers`"),
            (AddLead(Place(machine="7", level="1")), "add to `level=1, machine=7`"),
            (RemoveLead("Buyers"), "remove from `Buyers`"),
            (MoveLead("Customers"), "move from wherever it is to `Customers`"),
            (MoveLead("B", source="A"), "move from `A` to `B`"),
            (MoveLead("B", source="A", if_absent="skip"), "move from `A` to `B`, if it is there"),
            (ProviderAction("acme.pause"), "`acme.pause`"),
            (
                ProviderAction("acme.enrol", {"seats": 2, "course": "7", "until": NOON}),
                '`acme.enrol` with `course="7"`, `seats=2`, `until=2026-05-04 15:00:00 UTC`',
            ),
        ],
    )
    def test_each(self, action, expected):
        """What happens, and where."""
        assert expected == str(action)

    @pytest.mark.parametrize(
        ("place", "expected"),
        [
            (Place(list="Buyers"), "Buyers"),
            (Place(machine="7", level="1"), "level=1, machine=7"),
            (Place(list="a\nb"), r"a\nb"),
        ],
    )
    def test_place(self, place, expected):
        """A place is its name, or its parts, on one line."""
        assert expected == str(place)

    @pytest.mark.parametrize(
        ("action", "expected"),
        [
            (AddTag("vip"), "tag `vip`"),
            (RemoveTag("vip"), "tag `vip`"),
            (AddLead(), "the contact base"),
            (AddLead("News"), "place `News`"),
            (RemoveLead("News"), "place `News`"),
            (MoveLead("News", source="Old"), "place `News`"),
            (ProviderAction("acme.pause"), "`acme.pause`"),
        ],
    )
    def test_target(self, action, expected):
        """What an action is about."""
        assert expected == describe_target(action)


class TestConditions:
    """Which contacts a condition holds for."""

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (where.language == "en", "`language == en`"),
            (where.language != "pt-BR", "`language != pt-BR`"),
            (where.price >= Decimal("49.90"), "`price >= 49.90`"),
            (where.price < Decimal("1E+3"), "`price < 1000`"),
            (where.installments <= 6, "`installments <= 6`"),
            (where.installments > 6, "`installments > 6`"),
            (where.country.is_in("BR", "PT"), "`country in BR, PT`"),
            (where.country.not_in("BR"), "`country not in BR`"),
            (where.price.between(10, 20), "`price between 10 and 20`"),
            (where.offer.contains("summer sale"), "`offer contains summer sale`"),
            (where.offer.starts_with("x"), "`offer starts with x`"),
            (where.offer.is_set(), "`offer is set`"),
            (where.offer.is_missing(), "`offer is missing`"),
            (Comparison("is_order_bump", "eq", True), "`is_order_bump == true`"),
            (where.approved_at > NOON, "`approved_at > 2026-05-04 15:00:00 UTC`"),
            (EN & SIX, "`language == en` and `installments >= 6`"),
            (EN | SIX, "`language == en` or `installments >= 6`"),
            (EN & (SIX | BR), "`language == en` and (`installments >= 6` or `country == BR`)"),
            ((EN & SIX) | BR, "(`language == en` and `installments >= 6`) or `country == BR`"),
            (AllOf(EN, AllOf(SIX)), "`language == en` and `installments >= 6`"),
            (Not(EN), "not `language == en`"),
            (Not(EN & SIX), "not (`language == en` and `installments >= 6`)"),
            (AllOf(), "always"),
            (AnyOf(), "never"),
            (EN & AnyOf(), "`language == en` and never"),
        ],
    )
    def test_each(self, condition, expected):
        """Each comparison is one name; groups in groups are in parentheses."""
        assert expected == str(condition)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("en", "en"),
            ("summer sale", "summer sale"),
            ("ação", "ação"),
            ("10", '"10"'),
            ("true", '"true"'),
            ("", '""'),
            (" a", '" a"'),
            ("a ", '"a "'),
            ("a, b", '"a, b"'),
            ('say "a"', r'"say \"a\""'),
            ("a\\b", r'"a\\b"'),
            ("a`b", r'"a\x60b"'),
            ("a\nb", r'"a\nb"'),
        ],
    )
    def test_strings(self, text, expected):
        """A string that could be taken for something else is in quotes."""
        assert f"`offer == {expected}`" == str(where.offer == text)

    def test_many_values(self):
        """A long list is cut."""
        text = str(where.installments.is_in(*range(MAX_SHOWN_VALUES + 3)))
        assert (
            f"`installments in {', '.join(map(str, range(MAX_SHOWN_VALUES)))} and 3 more`" == text
        )

    def test_without_a_condition(self):
        """A rule without a condition is for everybody."""
        assert "every contact" == describe_condition(None)

    @pytest.mark.parametrize(
        ("comparison", "state", "expected"),
        [
            (SIX, "missing", "`installments` is missing"),
            (SIX, "wrong_type", "`installments` has the wrong type"),
            (SIX, "known", "`installments` does not match `>= 6`"),
            (where.offer.is_missing(), "missing", "`offer` does not match `is missing`"),
            (where.offer.is_missing(), "known", "`offer` does not match `is missing`"),
            (where.country.not_in("BR", "PT"), None, "`country` does not match `not in BR, PT`"),
        ],
    )
    def test_mismatch(self, comparison, state, expected):
        """Why a comparison does not hold, without the value of the event."""
        assert expected == describe_mismatch(comparison, state)


RULE = Segmentation(
    "Buyers",
    id="buyers",
    product_id="42",
    provider="mail",
    event="purchase.approved",
    actions=(AddTag("buyer"), AddLead("Buyers")),
    enabled=True,
)


class TestSegmentations:
    """A rule in one line."""

    def test_a_rule(self):
        """When, at which account, and what."""
        assert (
            "`Buyers`: on `purchase.approved` of product `42`, at `mail`: add tag `buyer`;"
            " add to `Buyers`"
        ) == str(RULE)

    def test_every_part(self):
        """A rule that is off, with plans and a condition."""
        rule = Segmentation(
            "Annual",
            product_id="77",
            provider="mail",
            event="purchase.approved",
            plan_ids=("20", "21"),
            condition=EN,
            actions=(),
        )
        assert (
            "`Annual` (off): on `purchase.approved` of product `77`, plan `20`, `21`, if"
            " `language == en`, at `mail`: nothing"
        ) == str(rule)

    def test_automatic(self):
        """An automatic segmentation has the events that add and remove its tag, or why it stays."""
        texts = {row.id: str(row) for row in AUTOMATIC}
        assert (
            "`Purchase refunded` (automatic): add its tag on `purchase.refunded`;"
            " remove it on `purchase.approved`"
        ) == texts["auto.purchase_refunded"]
        assert texts["auto.subscription_canceled"].endswith(
            "; remove it on `subscription.active` and, at the first charge, on `purchase.approved`"
        )
        assert texts["auto.free_student"].startswith(
            "`Free student` (automatic): add its tag on `club.free_registration`; keep it, since "
        )

    def test_finding(self):
        """A finding has its severity, code, message, path and hint."""
        finding = Finding("value_empty", "error", "the tag is blank", path="$.actions[0]")
        assert "error value_empty: the tag is blank @ $.actions[0]" == str(finding)
        hinted = Finding("value_empty", "warning", "a\nb", hint="write it")
        assert r"warning value_empty: a\nb @ $ (write it)" == str(hinted)

    def test_dashboard(self):
        """An entry of the dashboard has the rule, and its findings below."""
        course = Product("42", "Course", approved_at=date(2025, 1, 1))
        rules = RuleSet([course], [RULE], providers={"mail": Capabilities.everything()})
        assert [str(RULE)] == [str(entry) for entry in rules.for_product("42")]
        (entry,) = rules.without_provider("mail").for_product("42")
        assert [
            str(RULE),
            "  error provider_missing: provider `mail` is not integrated @ $.provider"
            " (add the account to `providers`)",
        ] == str(entry).splitlines()


class TestEscapes:
    """What a user wrote looks neither like a line nor like the words around it."""

    @given(CHARACTERS)
    def test_one_line(self, text):
        """Everything is visible and on one line; a printable text stays as it is."""
        shown = one_line(text)
        assert shown.isprintable()
        assert text.isprintable() is (shown == text)

    @given(CHARACTERS)
    def test_quoted(self, text):
        """There is no back-tick inside the back-ticks."""
        shown = quoted(text)
        assert ("`", 2, "`") == (shown[0], shown.count("`"), shown[-1])

    @given(st.one_of(actions(), conditions(), segmentations()))
    def test_every_noun(self, noun):
        """Every description is one printable line, with its names between back-ticks."""
        shown = str(noun)
        assert (describe(noun), True, 0) == (shown, shown.isprintable(), shown.count("`") % 2)

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("a", "`a`"),
            ("<b>x</b>", "`<b>x</b>`"),
            ("[ok](https://x.example)", "`[ok](https://x.example)`"),
            ("a|b", "a&#124;b"),
            (r"a\|b", "a&#92;&#124;b"),
            ("a`b", "a&#92;x60b"),
            ("|https://x.example", "&#124;https&#58;&#47;&#47;x&#46;example"),
            ("| _a_ ", "&#124; &#95;a&#95; "),
            (" a ", " a "),
            ("|a@@b.example", "&#124;a`@@`b&#46;example"),
        ],
    )
    def test_markdown(self, name, expected):
        """A name is code, or has no character that could be markup or make a link."""
        assert expected == as_markdown(quoted(name))

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("runs", "runs"),
            ("flagged: `a` is *b*", "flagged: `a` is &#42;b&#42;"),
            (
                "see https://x.example or www.x.example",
                "see https&#58;//x.example or www&#46;x.example",
            ),
            ("wrong @ $.event, a@b.example", "wrong @ $.event, a`@`b.example"),
            ("one ` back-tick", "one &#96; back&#45;tick"),
            ("two\nlines", "two&#92;nlines"),
            ("``", ""),
        ],
    )
    def test_markdown_words(self, words, expected):
        """The words between names are readable, and have no markup either."""
        assert expected == as_markdown(words)

    @given(CHARACTERS)
    def test_markdown_of_anything(self, text):
        """A name is code without a pipe, or has entities only; either way it shows the name."""
        shown, name = as_markdown(quoted(text)), quoted(text)[1:-1]
        if shown == quoted(text):
            assert {"|", "\\"}.isdisjoint(name)
        else:
            assert re.fullmatch(r"(?:[\w ]|&#\d+;|`@+`)*", shown)
            assert name == unescape(shown.replace("`", ""))

    @given(CHARACTERS)
    def test_html(self, text):
        """Markup in a name is shown, not obeyed."""
        shown = as_html(quoted(text))
        inner = shown.removeprefix("<code>").removesuffix("</code>")
        assert ("<" not in inner, one_line(text).replace("`", r"\x60")) == (True, unescape(inner))

    def test_html_words(self):
        """The words between names are escaped, too."""
        assert "a &lt;b&gt; <code>c</code>" == as_html("a <b> `c`")


def test_dates_of_every_zone():
    """A date and time is shown in UTC, whatever its zone."""
    at = datetime(2026, 5, 4, 12, 30, 1, tzinfo=UTC)
    assert "`approved_at == 2026-05-04 12:30:01 UTC`" == str(where.approved_at == at)
