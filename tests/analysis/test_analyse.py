"""What a report contains, and what happens at the limits of an analysis."""

import attrs
import pytest

from listboss import (
    AddLead,
    AddTag,
    AllOf,
    AnalysisCode,
    AnyOf,
    Capabilities,
    Engine,
    FindingCode,
    MoveLead,
    Not,
    RemoveTag,
    Severity,
    where,
)
from listboss.analysis import Report, Statistics, _conflicts, _coverage, analyse
from listboss.rules import _boxes
from listboss.rules.condition import comparisons
from tests.analysis.course import make_rule, make_rules
from tests.analysis.test_planted import MANY_CASES

ADDS = make_rule("Adds", actions=AddTag("vip"))
REMOVES = make_rule("Removes", actions=RemoveTag("vip"))
NEVER = AllOf(*[where.country == "BR"] * 60, *[where.country == "PT"] * 60)
"""A condition that never holds, and is too large for the review."""


def found(*rules, **changes):
    """Return code, rule and other rules of each finding."""
    report = analyse(make_rules(*rules, **changes))
    return [(each.code, each.segmentation_id, each.others) for each in report.findings]


class TestReport:
    """Findings, rules that are undecided, and counts."""

    def test_nothing(self):
        """An empty rule set has an empty report."""
        assert Report() == analyse(make_rules())

    def test_statistics(self):
        """Rules that can run, their groups, and the pairs that were compared."""
        report = analyse(
            make_rules(
                ADDS,
                REMOVES,
                make_rule("Off", enabled=False),
                make_rule("Flagged", provider="gone"),
                make_rule("Refund", event="purchase.refunded", actions=RemoveTag("vip")),
            )
        )
        assert Statistics(rules=5, analysed=3, groups=2, comparisons=1) == report.statistics

    def test_order(self):
        """Errors come first, then warnings, then information; within them, by rule."""
        report = analyse(
            make_rules(
                make_rule("B", actions=AddTag("b")),
                make_rule("A", actions=AddTag("a")),
                make_rule("Z", actions=()),
                make_rule("Y", condition=where.payment_method == "CARD"),
            )
        )
        assert [
            (Severity.ERROR, "Z"),
            (Severity.WARNING, "Y"),
            (Severity.INFO, "A"),
            (Severity.INFO, "B"),
        ] == [(each.severity, each.segmentation_id) for each in report.findings]

    def test_errors(self):
        """`errors` are the findings that keep a rule from running."""
        report = analyse(make_rules(make_rule("Z", actions=()), ADDS))

        assert [FindingCode.ACTIONS_EMPTY] == [each.code for each in report.errors]

    def test_the_order_of_rules_does_not_matter_across_products(self):
        """Equal rule sets have equal reports, and a second analysis gives the same."""
        rules = make_rules(ADDS, REMOVES, make_rule("Brazil", condition=where.country == "BR"))

        assert analyse(rules) == analyse(rules)


class TestDisabled:
    """Rules that are switched off."""

    OFF = attrs.evolve(REMOVES, enabled=False)

    def test_not_compared(self):
        """They are reviewed, and meet no other rule."""
        assert [(AnalysisCode.NEVER_REMOVED, "Adds", ())] == found(ADDS, self.OFF)

    def test_reviewed(self):
        """Their own errors are reported."""
        faulty = attrs.evolve(self.OFF, provider="gone")

        assert (FindingCode.PROVIDER_MISSING, "Removes", ()) in found(ADDS, faulty)

    def test_as_if_they_were_enabled(self):
        """With `include_disabled`, they are judged as if they were enabled."""
        report = analyse(make_rules(ADDS, self.OFF), include_disabled=True)

        assert [AnalysisCode.CONFLICT] == [each.code for each in report.findings]


class TestFlagged:
    """What is missing because a rule is flagged is not reported: its error is."""

    def test_tags(self):
        """A tag that only flagged rules remove is not reported, nor one that they add."""
        broken = attrs.evolve(REMOVES, provider="mail", send=("email", "surname"))
        assert [(FindingCode.DATA_UNKNOWN, "Removes", ())] == found(ADDS, broken)
        broken = attrs.evolve(ADDS, send=("email", "surname"))
        assert [(FindingCode.DATA_UNKNOWN, "Adds", ())] == found(broken, REMOVES)

    def test_plans(self):
        """A plan whose only rule is flagged is not reported."""
        monthly = make_rule("Monthly", product_id="77", plan_ids=("10",))
        annual = make_rule("Annual", product_id="77", plan_ids=("20",), actions=())

        assert [(FindingCode.ACTIONS_EMPTY, "Annual", ())] == found(monthly, annual)

    def test_gaps(self):
        """No gap is reported while a rule of the event is flagged."""
        gold, silver, bronze = (
            make_rule(name, condition=where.grade == name, actions=AddLead(name))
            for name in ("Gold", "Silver", "Bronze")
        )
        assert [(AnalysisCode.GAP, "Gold", ("Silver",))] == found(gold, silver)
        assert [] == found(gold, silver, bronze)
        bronze = attrs.evolve(bronze, send=("email", "surname"))
        assert [(FindingCode.DATA_UNKNOWN, "Bronze", ())] == found(gold, silver, bronze)


class TestOneRule:
    """Findings about the condition of one rule."""

    def test_never_holds_in_a_large_condition(self):
        """The analysis looks further than the review, and reports the same code."""
        rules = make_rules(make_rule("Never", condition=NEVER))
        assert () == rules.findings
        (finding,) = analyse(rules).findings

        assert (FindingCode.NEVER_HOLDS, Severity.ERROR) == (finding.code, finding.severity)

    def test_a_rule_that_never_holds_is_not_compared(self):
        """It conflicts with no rule, covers none, and its tags do not count."""
        never = make_rule("Never", condition=NEVER, actions=AddTag("x"))
        club = make_rule("Club", product_id="77", plan_ids=("10",), condition=NEVER)

        assert [FindingCode.NEVER_HOLDS] * 2 == [code for code, _, _ in found(never, club)]

    def test_always_missing_or_set(self):
        """A condition about nothing but presence can hold on every event."""
        always = where.offer.is_set() | where.offer.is_missing()
        (finding,) = analyse(make_rules(make_rule("Always", condition=always))).findings

        assert (AnalysisCode.ALWAYS_HOLDS, "the condition holds on every event") == (
            finding.code,
            finding.message,
        )

    @pytest.mark.parametrize("condition", [where.offer.is_set(), where.offer.is_missing()])
    def test_presence_is_a_condition(self, condition):
        """A rule on a fact that is there, or is not, is for some events only."""
        assert [] == found(make_rule("Some", condition=condition))

    @pytest.mark.parametrize(
        ("condition", "paths"),
        [
            ((where.offer == "a") & (where.offer == "a"), ["all[1]"]),
            ((where.offer == "a") & where.offer.is_set(), ["all[1]"]),
            ((where.country == "BR") | ((where.offer == "a") & (where.offer == "b")), ["any[1]"]),
            ((where.language == "pt") | (where.language == "pt-BR"), ["any[1]"]),
            (Not((where.installments < 3) | (where.installments < 6)), ["not.any[0]"]),
            (Not(where.installments.between(1, 2)) & (where.installments > 5), ["all[0]"]),
            ((where.coupon == "summer") & where.coupon.contains("sum"), ["all[1]"]),
            (
                (where.coupon.starts_with("summer") | (where.country == "BR"))
                & (where.coupon.starts_with("sum") | (where.country == "BR")),
                ["all[1]"],
            ),
            ((where.country == "BR") | ~where.is_order_bump.is_in(True, False), ["any[1]"]),
            (
                (where.offer.is_missing() | (where.offer != "a")) & where.offer.is_set(),
                ["all[0].any[0]", "all[1]"],  # the second one, once the first one is gone
            ),
            ((where.offer == "a") & (where.country == "BR"), []),
            ((where.offer == "a") | (where.country == "BR") & (where.offer == "b"), []),
        ],
    )
    def test_parts(self, condition, paths):
        """Parts that change nothing are named by their paths."""
        findings = analyse(make_rules(make_rule("Parts", condition=condition))).findings

        assert [(AnalysisCode.REDUNDANT_PART, f"$.condition.{path}") for path in paths] == [
            (finding.code, finding.path) for finding in findings
        ]

    def test_many_parts(self):
        """A condition of very many parts is not searched for redundant ones."""
        many = AnyOf(*((where.offer == str(n)) & (where.installments > n) for n in range(40)))
        report = analyse(make_rules(make_rule("Many", condition=many)))

        assert ([AnalysisCode.TOO_COMPLEX], ("Many",)) == (
            [finding.code for finding in report.findings],
            report.undecided,
        )

    def test_a_part_that_keeps_the_condition_small(self):
        """If the condition has too many cases without one of its parts, that is reported."""
        pairs = MANY_CASES.conditions[:9]
        firsts = [next(comparisons(each))[1].fact for each in pairs]
        absent = AllOf(*(where[name].is_missing() for name in firsts))
        rules = make_rules(make_rule("Small", condition=AllOf(*pairs, absent)))
        (finding,) = analyse(rules).findings

        assert AnalysisCode.TOO_COMPLEX == finding.code


class TestTooComplex:
    """A rule of too many cases is in the report, and is otherwise left alone."""

    def test_its_tags_count(self):
        """Its tag is added, but no event is shown for that."""
        rules = make_rules(make_rule("Complex", condition=MANY_CASES, actions=AddTag("x")))
        findings = analyse(rules).findings

        assert [(AnalysisCode.TOO_COMPLEX, None), (AnalysisCode.NEVER_REMOVED, None)] == [
            (finding.code, finding.witness) for finding in findings
        ]

    def test_always_holds(self, monkeypatch):
        """So is a rule for which it takes too long to say whether it always holds."""
        monkeypatch.setattr(_boxes, "STEPS_PER_BOX", 0)
        report = analyse(make_rules(make_rule("Few", condition=where.installments < 6)))

        assert ("Few",) == report.undecided

    def test_coverage(self, monkeypatch):
        """So is a rule for which it takes too long to say whether others cover it."""
        monkeypatch.setattr(_coverage, "COVER_BOXES", 0)
        low, high = (
            make_rule("Low", condition=where.installments < 6),
            make_rule("High", condition=where.installments >= 4),
        )
        middle = make_rule("Middle", condition=where.installments.between(3, 8))
        report = analyse(make_rules(low, high, middle))

        assert ("High", "Middle") == report.undecided

    def test_boxes_that_may_cover(self, monkeypatch):
        """So is a rule with too many cases to find the rules that may cover it."""
        monkeypatch.setattr(_coverage, "MAX_BOXES_COMPARED", 1)
        either = (where.country == "BR") | (where.offer == "a")
        rules = make_rules(make_rule("One", condition=either), make_rule("Other", condition=either))

        assert ("Other",) == analyse(rules).undecided

    def test_boxes_of_pairs(self, monkeypatch):
        """If rules about one target have too many cases, the others are not compared."""
        monkeypatch.setattr(_conflicts, "MAX_BOXES_COMPARED", 2)
        removers = [make_rule(f"R{n}", actions=(RemoveTag("vip"),)) for n in range(3)]
        codes = [code for code, rule, _ in found(ADDS, *removers) if rule in {None, "Adds"}]

        assert [AnalysisCode.TOO_COMPLEX, AnalysisCode.CONFLICT, AnalysisCode.CONFLICT] == codes

    def test_witness(self, monkeypatch):
        """After some steps, the smallest event that was found until then is shown."""
        monkeypatch.setattr(_conflicts, "MAX_WITNESS_STEPS", 1)
        either = ((where.country == "BR") & (where.offer == "a")) | (where.coupon == "b")
        rules = make_rules(make_rule("Adds", condition=either, actions=AddTag("vip")), REMOVES)
        conflict, *_ = analyse(rules).findings
        assert conflict.witness is not None

        assert {"country": "BR", "offer": "a"} == dict(conflict.witness.facts)

    def test_pairs(self, monkeypatch):
        """If too many pairs of rules are about one target, the others are not compared."""
        monkeypatch.setattr(_conflicts, "MAX_COMPARED", 2)
        removers = [make_rule(f"R{n}", actions=(RemoveTag("vip"),)) for n in range(3)]
        codes = [code for code, rule, _ in found(ADDS, *removers) if rule in {None, "Adds"}]

        assert [AnalysisCode.TOO_COMPLEX, AnalysisCode.CONFLICT, AnalysisCode.CONFLICT] == codes


class TestCoverage:
    """Duplicates, shadowed rules, and rules that repeat automatic capture."""

    def test_duplicates_can_be_removed_together(self):
        """Of three equal rules, the first one stays."""
        rules = [make_rule(name) for name in ("A", "B", "C")]

        assert [
            (AnalysisCode.DUPLICATE, "B", ("A",)),
            (AnalysisCode.DUPLICATE, "C", ("A",)),
        ] == found(*rules)

    def test_more_data_is_not_a_duplicate(self):
        """A rule that sends more data covers one that sends less, not the other way round."""
        less, more = make_rule("Less", send=("email",)), make_rule("More", send=("email", "offer"))

        assert [(AnalysisCode.SHADOWED, "Less", ("More",))] == found(less, more)

    def test_several_rules_cover_one(self):
        """All rules that cover a rule together are named."""
        low = make_rule("Low", condition=where.installments < 6)
        high = make_rule("High", condition=where.installments >= 4)
        middle = make_rule("Middle", condition=where.installments.between(3, 8))

        assert [(AnalysisCode.SHADOWED, "Middle", ("Low", "High"))] == found(low, high, middle)

    def test_a_value_that_nobody_covers(self):
        """A rule that runs on one value more is not covered."""
        low = make_rule("Low", condition=where.installments < 5)
        high = make_rule("High", condition=where.installments > 5)
        middle = make_rule("Middle", condition=where.installments.between(3, 8))

        assert [] == found(low, high, middle)

    def test_other_plans(self):
        """A rule for two plans is covered if each plan has a rule that covers it."""
        fields = {"product_id": "77"}
        monthly = make_rule("Monthly", plan_ids=("10",), **fields)
        annual = make_rule("Annual", plan_ids=("21",), **fields)
        both = make_rule("Both", plan_ids=("20", "10"), **fields)

        assert [(AnalysisCode.SHADOWED, "Both", ("Monthly", "Annual"))] == found(
            monthly, annual, both
        )

    def test_with_automatic_capture(self):
        """Automatic capture can be one of those that ask for a rule's actions."""
        rules = make_rules(
            make_rule("List"),
            make_rule("Both", actions=(AddLead(), AddLead("Buyers"))),
            capture_provider="mail",
        )
        (finding,) = analyse(rules).findings

        assert (AnalysisCode.SHADOWED, ("List",)) == (finding.code, finding.others)
        assert "automatic capture and `List`" in finding.message

    def test_capture_at_another_account(self):
        """Capture at another account, or at none, covers nothing."""
        lead = make_rule("Lead", actions=AddLead())
        accounts = {"mail": Capabilities.everything(), "post": Capabilities.everything()}

        assert [] == found(lead, providers=accounts, capture_provider="post")
        assert [(FindingCode.CAPTURE_PROVIDER_MISSING, None, ())] == found(
            lead, providers=accounts, capture_provider="gone"
        )

    def test_many_names(self):
        """A message names three rules, and counts the others."""
        tenths = [make_rule(f"R{n}", condition=where.installments == n) for n in range(5)]
        whole = make_rule("Whole", condition=where.installments.between(0, 4))
        (finding,) = analyse(make_rules(*tenths, whole)).findings

        assert "`R0`, `R1`, `R2` and 2 more" in finding.message


class TestConflicts:
    """Two rules that one event can run, with actions that contradict each other."""

    def test_exclusive_conditions(self):
        """Rules that never run on one event do not conflict."""
        low = attrs.evolve(ADDS, condition=where.installments < 3)
        high = attrs.evolve(REMOVES, condition=where.installments > 2)

        assert [] == found(low, high)

    def test_boxes_are_compared_in_pairs(self):
        """Conditions of several cases meet if any two cases do."""
        one = attrs.evolve(ADDS, condition=(where.country == "BR") | (where.offer == "a"))
        other = attrs.evolve(
            REMOVES,
            condition=((where.country == "PT") & (where.offer == "b"))
            | ((where.country == "PT") & (where.offer == "a")),
        )
        (finding,) = analyse(make_rules(one, other)).findings
        assert finding.witness is not None

        assert {"country": "PT", "offer": "a"} == dict(finding.witness.facts)

    @pytest.mark.parametrize(
        ("one", "other", "wins"),
        [
            (MoveLead("A", source="B"), MoveLead("C", source="B"), "the first one wins"),
            (MoveLead("A"), AddLead("B"), "the first one wins"),
            (AddLead("A"), MoveLead("B", source="A"), "the first one wins"),
        ],
    )
    def test_moves(self, one, other, wins):
        """Moves that cannot both happen conflict; the first declared wins."""
        rules = make_rules(make_rule("One", actions=one), make_rule("Other", actions=other))
        (finding,) = [
            each for each in analyse(rules).findings if each.code == AnalysisCode.CONFLICT
        ]

        assert finding.message.endswith(wins)
        assert "run `One`" in finding.message

    def test_one_place(self):
        """Where a contact is at one place at a time, two places conflict."""
        account = attrs.evolve(Capabilities.everything(), one_place=True)
        rules = [make_rule(name, actions=AddLead(name)) for name in ("A", "B")]

        assert [(AnalysisCode.CONFLICT, "A", ("B",))] == found(*rules, providers={"mail": account})
        assert [] == found(*rules)

    def test_a_pair_is_reported_once(self):
        """Two rules that contradict each other over two tags have one finding."""
        one = make_rule("One", actions=(AddTag("a"), AddTag("b")))
        other = make_rule("Other", actions=(RemoveTag("b"), RemoveTag("a")))

        assert [(AnalysisCode.CONFLICT, "One", ("Other",))] == found(one, other)

    def test_another_rule_decides(self):
        """The finding is about the two rules, even if a third one beats both of them."""
        moves = [make_rule(f"M{n}", actions=MoveLead(f"P{n}", source="S")) for n in range(3)]

        assert [
            (AnalysisCode.CONFLICT, "M0", ("M1",)),
            (AnalysisCode.CONFLICT, "M0", ("M2",)),
            (AnalysisCode.CONFLICT, "M1", ("M2",)),
        ] == found(*moves)

    @pytest.mark.parametrize(
        ("adding", "removing", "target"),
        [
            (AddTag("vip"), RemoveTag("VIP"), "the tag `vip` at `mail`"),
            (AddLead("Buyers"), None, "the place of a contact at `mail`"),
        ],
    )
    def test_many_pairs_are_one_finding(self, adding, removing, target):
        """More than a hundred pairs over one target have one finding: the count, and ten pairs."""
        fields = {"event": "purchase.approved"}
        others = [
            make_rule(f"B{n:02}", actions=removing or MoveLead(f"P{n}"), **fields)
            for n in range(11 if removing else 1)
        ]
        ones = [
            make_rule(
                f"A{n:03}",
                actions=adding,
                condition=where.offer == str(n),
                send=("email",),
            )
            for n in range(11 if removing else 101)
        ]
        rules = make_rules(*ones, *others)
        report = analyse(rules)
        (finding,) = [each for each in report.findings if each.code == AnalysisCode.CONFLICT]

        count = len(ones) * len(others)
        assert (
            f"{count} pairs of rules contradict each other over {target}, such as `A000` and"
            in (finding.message)
        )
        assert 9 == finding.message.count(";")
        assert finding.witness is not None
        assert Engine(rules).plan(finding.witness).conflicts

    def test_only_pairs_that_meet_are_counted(self):
        """Rules for different subscription plans are not pairs, however many there are."""
        fields = {"product_id": "77", "send": ("email",)}
        adding = [
            make_rule(f"A{n:02}", actions=AddTag("vip"), plan_ids=("10",), **fields)
            for n in range(11)
        ]
        removing = [
            make_rule(f"R{n:02}", actions=RemoveTag("vip"), plan_ids=plans, **fields)
            for n, plans in enumerate([("10",)] * 10 + [("20",)] * 5)
        ]
        report = analyse(make_rules(*adding, *removing))
        (finding,) = [each for each in report.findings if each.code == AnalysisCode.CONFLICT]

        assert finding.message.startswith("110 pairs of rules")

    def test_automatic_tags(self):
        """Automatic segmentations and custom ones do not conflict."""
        assert [] == [
            code
            for code, _, _ in found(
                ADDS, attrs.evolve(REMOVES, event="purchase.refunded"), capture_provider="mail"
            )
        ]


class TestTags:
    """Tags that rules only put on, or only take off."""

    def test_any_product(self):
        """A rule of another product may remove the tag."""
        assert [] == found(ADDS, attrs.evolve(REMOVES, product_id="44", event="webinar.ended"))

    def test_other_account(self):
        """A rule at another account does not."""
        accounts = {"mail": Capabilities.everything(), "post": Capabilities.everything()}
        away = attrs.evolve(REMOVES, provider="post")

        assert [
            (AnalysisCode.ONLY_REMOVED, "Removes", ()),
            (AnalysisCode.NEVER_REMOVED, "Adds", ()),
        ] == found(ADDS, away, providers=accounts)

    def test_a_misspelled_tag(self):
        """The hint names the nearest tag that rules add."""
        rules = make_rules(
            make_rule("A", actions=AddTag("cart-abandoned")),
            make_rule("B", actions=RemoveTag("cart_abandoned"), event="purchase.approved"),
        )
        hints = {each.code: each.hint for each in analyse(rules).findings}

        assert "did you mean `cart-abandoned`?" == hints[AnalysisCode.ONLY_REMOVED]


class TestGaps:
    """Values of a choice that a family of rules leaves out."""

    def test_rules_that_overlap_are_not_a_family(self):
        """Rules with a value in common do not divide the values among them."""
        one = make_rule("One", condition=where.grade.is_in("Gold", "Silver"), actions=AddLead("A"))
        other = make_rule("Other", condition=where.grade == "Gold", actions=AddLead("B"))

        assert [] == found(one, other)

    def test_the_other_conditions_must_be_equal(self):
        """A family shares all other conditions."""
        brazil = where.country == "BR"
        one = make_rule("One", condition=brazil & (where.grade == "Gold"), actions=AddLead("A"))
        other = make_rule("Other", condition=where.grade == "Silver", actions=AddLead("B"))
        both = attrs.evolve(other, condition=brazil & (where.grade == "Silver"))

        assert [] == found(one, other)
        assert [(AnalysisCode.GAP, "One", ("Other",))] == found(one, both)

    def test_several_cases(self):
        """A rule whose condition is not one case is in no family."""
        one = make_rule(
            "One", condition=(where.grade == "Gold") | (where.country == "BR"), actions=AddLead("A")
        )
        other = make_rule("Other", condition=where.grade == "Silver", actions=AddLead("B"))

        assert [] == found(one, other)

    def test_known_values_of_an_open_choice(self):
        """The known values that are left out are named, and counted."""
        pix, card = (
            make_rule(name, condition=where.payment_method == name, actions=AddLead(name))
            for name in ("PIX", "CREDIT_CARD")
        )
        (finding,) = analyse(make_rules(pix, card)).findings

        assert "`BILLET`, `CASH_PAYMENT`, `DIRECT_BANK_TRANSFER` and 13 more" in finding.message
        assert finding.witness is not None
        assert {"payment_method": "BILLET"} == dict(finding.witness.facts)
