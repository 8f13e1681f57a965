"""What can never act, contradicts itself or is not read is refused or reported."""

import json

import attrs
import pytest

from listboss import (
    AddLead,
    AddTag,
    AllOf,
    AnyOf,
    Capabilities,
    Engine,
    MoveLead,
    Not,
    RemoveLead,
    RemoveTag,
    Severity,
    where,
)
from listboss.codec import dump_rules, load_rules
from listboss.errors import ArgumentTypeError, FlaggedSegmentationError
from listboss.rules import FindingCode


def findings(rules):
    """The code and severity of each finding."""
    return [(finding.code, finding.severity) for finding in rules.findings]


class TestContradictions:
    """One segmentation cannot add and remove the same tag or lead: it is flagged."""

    @pytest.mark.parametrize(
        "actions",
        [
            (RemoveTag("cart"), AddTag("Cart ")),
            (AddLead("Buyers"), RemoveLead("buyers")),
            (AddLead("Buyers"), MoveLead("Customers", source="Buyers")),
            (MoveLead("Buyers", source="buyers"),),
        ],
    )
    def test_flagged(self, rule, rule_set, actions):
        """It cannot be enabled, and it never runs."""
        rules = rule_set(rule("r", *actions, enabled=False))
        assert [(FindingCode.ACTIONS_CONTRADICT, Severity.ERROR)] == findings(rules)
        with pytest.raises(FlaggedSegmentationError):
            rules.enable("r")

    def test_two_segmentations_are_a_conflict(self, plan_actions, rule, make_event):
        """Two segmentations may contradict each other: the plan decides, and removing wins."""
        rules = (rule("r", RemoveTag("cart")), rule("s", AddTag("cart")))
        assert [RemoveTag("cart")] == plan_actions(make_event(), *rules)


class TestEmptyGroups:
    """A group without conditions is reported: the rule runs for everybody, or for nobody."""

    @pytest.mark.parametrize(
        "condition", [AllOf(), [], Not(AnyOf()), AnyOf(where.country == "BR", AllOf())]
    )
    def test_everybody(self, plan_actions, rule, rule_set, make_event, condition):
        """The rule runs for every contact, with a warning."""
        silent = rule("r", AddTag("x"), condition=condition)
        assert [(FindingCode.GROUP_EMPTY, Severity.WARNING)] == findings(rule_set(silent))
        assert [AddTag("x")] == plan_actions(make_event(), silent)

    @pytest.mark.parametrize(
        "condition", [AnyOf(), Not(AllOf()), (where.country == "BR") & AnyOf()]
    )
    def test_nobody(self, rule, rule_set, condition):
        """The rule could never run, so it is flagged."""
        rules = rule_set(rule("r", AddTag("x"), condition=condition))
        assert [(FindingCode.NEVER_HOLDS, Severity.ERROR)] == findings(rules)

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            ({"all": []}, (FindingCode.GROUP_EMPTY, Severity.WARNING)),
            ({"not": {"any": []}}, (FindingCode.GROUP_EMPTY, Severity.WARNING)),
            ({"any": []}, (FindingCode.NEVER_HOLDS, Severity.ERROR)),
            ({"all": [{"any": []}]}, (FindingCode.NEVER_HOLDS, Severity.ERROR)),
            ({"any": [{"all": [{"any": []}]}]}, (FindingCode.NEVER_HOLDS, Severity.ERROR)),
        ],
    )
    def test_in_a_file(self, rule, rule_set, condition, expected):
        """A group of a file is as one of Python."""
        document = json.loads(dump_rules(rule_set(rule("r", AddTag("x")))))
        document["segmentations"][0]["condition"] = condition
        assert expected in findings(load_rules(document))


class TestMovesWithoutSource:
    """A move without a source takes the contact out of other products' places: a warning."""

    def test_warning(self, rule, rule_set):
        """The warning comes with a second product, whose places the move may empty."""
        moved = rule("r", MoveLead("Alumni"))
        course = rule_set().product(moved.product_id)
        assert [(FindingCode.MOVE_WITHOUT_SOURCE, Severity.WARNING)] == findings(rule_set(moved))
        assert [] == findings(rule_set(moved, products=[course]))

    def test_source(self, rule, rule_set):
        """A move that names its source touches no other place."""
        assert [] == findings(rule_set(rule("r", MoveLead("Alumni", source="Students"))))

    def test_one_place(self, rule, rule_set):
        """Where a contact is at one place at a time, every addition does the same."""
        account = attrs.evolve(Capabilities.everything(), one_place=True)
        rules = rule_set(rule("r", MoveLead("Alumni")), providers={"mail": account})
        assert [] == findings(rules)


class TestAmounts:
    """An amount is compared together with its currency, or the rule gets a warning."""

    def test_warning(self, plan_actions, rule, rule_set, make_event):
        """300 of any currency are enough, which the warning says; the rule runs all the same."""
        large = rule("r", AddTag("large"), condition=where.price >= 300)
        yen = make_event(facts={"price": 300, "currency": "JPY"})
        assert [(FindingCode.CURRENCY_MISSING, Severity.WARNING)] == findings(rule_set(large))
        assert [AddTag("large")] == plan_actions(yen, large)

    def test_with_the_currency(self, plan_actions, rule, rule_set, make_event):
        """With the currency, there is no warning, and 300 yen are not enough."""
        condition = (where.price >= 300) & (where.currency == "BRL")
        large = rule("r", AddTag("large"), condition=condition)
        facts = [{"price": 300, "currency": currency} for currency in ("JPY", "BRL")]
        assert () == rule_set(large).findings
        assert [[], [AddTag("large")]] == [
            plan_actions(make_event(facts=each), large) for each in facts
        ]


class TestOwnFields:
    """A condition finds what the event says of itself, wherever the host put it."""

    @pytest.mark.parametrize("name", ["plan_id", "plan_name", "transaction", "subscriber_code"])
    @pytest.mark.parametrize("place", ["field", "fact"])
    def test_conditions_and_data(self, rule, rule_set, make_event, name, place):
        """The rule runs, and sends the value."""
        code = {name: "Monthly" if name == "plan_name" else "10"}
        changes = code if place == "field" else {"plan_id": "10", "facts": code}
        welcome = rule(
            "r",
            AddTag("x"),
            product_id="club",
            plan_ids=("10",),
            condition=where[name] == code[name],
            send=("email", name),
        )
        event = make_event(**{"product_id": "club", "plan_id": "10", **changes})
        assert () == rule_set(welcome).findings
        (planned,) = Engine(rule_set(welcome)).plan(event).actions
        assert code[name] == planned.data[name]

    def test_by_the_plan(self, plan_actions, rule, make_event):
        """A rule for several plans can have a condition on one of them."""
        annual = rule(
            "r",
            AddTag("annual"),
            product_id="club",
            plan_ids=("10", "20"),
            condition=where.plan_id.is_in("20", "21"),
        )
        events = [make_event(product_id="club", plan_id=plan_id) for plan_id in ("10", "20", "21")]
        assert [[], [AddTag("annual")], [AddTag("annual")]] == [
            plan_actions(event, annual) for event in events
        ]


class TestOrder:
    """A list has an order, and a set has none: a rule made of a set is refused."""

    @pytest.mark.parametrize(
        "changes",
        [
            {"actions": {AddTag("a"), AddTag("b")}},
            {"condition": {where.country == "BR"}},
            {"plan_ids": {"10", "20"}},
            {"send": {"email", "name"}},
        ],
    )
    def test_refused(self, rule, changes):
        """The error has the path of the field."""
        with pytest.raises(ArgumentTypeError) as caught:
            attrs.evolve(rule("r"), **changes)
        assert f"$.{next(iter(changes))}" == caught.value.path


class TestNames:
    """Two segmentations of a product whose names look the same get a warning."""

    @pytest.mark.parametrize("name", ["Brasil", " brasil", "BRASIL", "Bra sil", "Ｂrasil"])
    def test_warning(self, rule, rule_set, name):
        """Blanks, case and the Unicode form do not make another name."""
        names = ("Brasil", name)
        rules = [rule(each, AddTag("x"), id=str(n)) for n, each in enumerate(names)]
        assert [(FindingCode.NAME_DUPLICATE, Severity.WARNING)] * 2 == findings(rule_set(*rules))


class TestTags:
    """A tag is sent without blanks around it."""

    @pytest.mark.parametrize("tag", ["buyer", " buyer", "buyer\t", "\u3000buyer "])
    def test_trimmed(self, plan_actions, rule, make_event, tag):
        """Whatever blanks the rule has around the tag, the same tag is sent."""
        (action,) = plan_actions(make_event(), rule("r", AddTag(tag)))
        assert "buyer" == action.tag

    def test_equal(self, plan_actions, rule, make_event):
        """Tags that differ by blanks are one tag."""
        rules = (rule("r", AddTag("buyer")), rule("s", AddTag("buyer ")))
        assert [AddTag("buyer")] == plan_actions(make_event(), *rules)
