from datetime import date
from decimal import Decimal
from typing import Any

import attrs
import pytest

from listboss import (
    HOTMART,
    AddLead,
    AddTag,
    Capabilities,
    EventType,
    FactType,
    MoveLead,
    Not,
    Place,
    Product,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    RuleSet,
    Segmentation,
    Severity,
    SubscriptionPlan,
    where,
)
from listboss.rules import FindingCode, Verb
from listboss.rules.finding import Finding
from listboss.rules.review import ReviewContext, is_flagged, review

APPROVED = date(2025, 1, 1)
PRODUCTS = (
    Product("42", "Course", approved_at=APPROVED),
    Product("43", "Draft"),
    Product("44", "Lecture", kind="webinar", approved_at=APPROVED),
    Product(
        "77",
        "Club",
        kind="subscription",
        plans=[SubscriptionPlan("10", "Monthly"), SubscriptionPlan("20", "Annual", also=["21"])],
        approved_at=APPROVED,
    ),
    Product("old", "Old course", approved_at=date(2024, 6, 30)),
)
NARROW = Capabilities(
    add_tag="native",
    add_lead="emulated",
    move_lead="native",
    tags=("vip",),
    places=("A", "B"),
    events=("purchase.approved",),
    verbs=(Verb("acme.enrol", {"course": "text", "note": "integer"}, optional=("note",)),),
)
PROVIDERS = {"mail": Capabilities.everything(), "narrow": NARROW}
CATALOGUE = HOTMART.extended(
    events=[EventType("quiz.passed", "Passed our quiz")],
    facts=[FactType("score", "integer"), FactType("quiz", "text", on_any_event=False)],
)


def _rule(**changes):
    fields = {
        "id": "r",
        "product_id": "42",
        "provider": "mail",
        "event": "purchase.approved",
        "actions": AddTag("x"),
    }
    return Segmentation(**{"name": "r", **fields, **changes})


def _rules(*rules, **changes):
    return RuleSet(PRODUCTS, rules, providers=PROVIDERS, catalogue=CATALOGUE, **changes)


def _told(**changes):
    return [(f.code, f.severity, f.path) for f in _rules(_rule(**changes)).findings]


PARAMETERS: tuple[dict[str, str | int], ...] = (
    {},
    {"course": 5},
    {"course": "c", "note": "5"},
    {"course": "c", "other": 1},
)
E, W = Severity.ERROR, Severity.WARNING
FINDINGS: dict[FindingCode, tuple[Severity, str, list[dict[str, Any]]]] = {
    FindingCode.PROVIDER_MISSING: (E, "$.provider", [{"provider": "gone"}]),
    FindingCode.PRODUCT_UNKNOWN: (E, "$.product_id", [{"product_id": "1"}]),
    FindingCode.PRODUCT_NOT_APPROVED: (E, "$.product_id", [{"product_id": "43"}]),
    FindingCode.EVENT_UNKNOWN: (E, "$.event", [{"event": "quiz.failed"}]),
    FindingCode.EVENT_INCOMPATIBLE: (
        E,
        "$.event",
        [{"event": "subscription.active"}, {"event": "webinar.ended"}, {"product_id": "44"}],
    ),
    FindingCode.EVENT_UNSUPPORTED: (
        E,
        "$.event",
        [{"event": "purchase.refunded", "provider": "narrow", "actions": AddTag("vip")}],
    ),
    FindingCode.PLAN_REQUIRED: (
        E,
        "$.plan_ids",
        [{"product_id": "77"}, {"product_id": "77", "event": "subscription.active"}],
    ),
    FindingCode.PLAN_UNKNOWN: (
        E,
        "$.plan_ids[1]",
        [{"product_id": "77", "plan_ids": ("21", "99")}],
    ),
    FindingCode.PLAN_NOT_CARRIED: (
        E,
        "$.plan_ids",
        [
            {"plan_ids": ("10",)},
            {"product_id": "77", "plan_ids": ("10",), "event": "purchase.cart_abandoned"},
            {"product_id": "77", "plan_ids": ("10",), "event": "club.progress"},
        ],
    ),
    FindingCode.FACT_UNKNOWN: (E, "$.condition", [{"condition": where.nothing == 1}]),
    FindingCode.FACT_NOT_CARRIED: (
        E,
        "$.condition",
        [
            {"condition": where.rating == 5},
            {"condition": where.quiz == "x"},
            {"condition": where.installments.is_set(), "event": "purchase.cart_abandoned"},
        ],
    ),
    FindingCode.OPERATOR_UNFIT: (
        E,
        "$.condition",
        [
            {"condition": condition}
            for condition in (
                where.offer < "x",
                where.offer.between("a", "b"),
                where.country >= "BR",
                where.payment_method > "PIX",
                where.language <= "en",
                where.is_order_bump < True,
                where.payment_method.contains("PI"),
                where.country.starts_with("B"),
                where.installments.contains("1"),
                where.language.starts_with("p"),
            )
        ],
    ),
    FindingCode.VALUE_UNFIT: (
        E,
        "$.condition",
        [
            {"condition": condition}
            for condition in (
                where.installments == "6",
                where.installments == True,  # noqa: E712 # a condition, no test of truth
                where.installments >= Decimal(6),
                where.price == "9.90",
                where.country == "BRA",
                where.currency == "R$",
                where.language == "english speaking",
                where.offer == 5,
                where.is_order_bump == 1,
                where.approved_at > 5,
                where.installments.is_in(1, "2"),
                where.installments.between(3, 2),
                where.price.between(Decimal("2.5"), 2),
            )
        ],
    ),
    FindingCode.VALUE_UNKNOWN: (
        E,
        "$.condition",
        [
            {"event": "smart_installment.status_changed", "condition": condition}
            for condition in (
                where.smart_payment_status == "PAID",
                where.smart_payment_status.not_in("active", "PAID"),
            )
        ],
    ),
    FindingCode.VALUE_EMPTY: (
        E,
        "$.condition",
        [
            {"condition": condition}
            for condition in (
                where.offer == " ",
                where.offer.is_in(),
                where.offer.not_in(),
                where.offer.is_in("a", ""),
                where.offer.contains(""),
                where.offer.starts_with("\t"),
            )
        ],
    ),
    FindingCode.ACTIONS_EMPTY: (E, "$.actions", [{"actions": ()}]),
    FindingCode.RESERVED_TAG: (
        E,
        "$.actions[0]",
        [{"actions": AddTag("auto:waitlist:42")}, {"actions": RemoveTag(" AUTO:x")}],
    ),
    FindingCode.ACTION_UNSUPPORTED: (
        E,
        "$.actions[0]",
        [
            {"provider": "narrow", "actions": RemoveTag("vip")},
            {"provider": "narrow", "actions": RemoveLead("A")},
            {"provider": "narrow", "actions": ProviderAction("acme.other")},
            {"actions": ProviderAction("acme.enrol")},
        ],
    ),
    FindingCode.ACTION_EMULATED: (
        W,
        "$.actions[0]",
        [{"provider": "narrow", "actions": AddLead("A")}],
    ),
    FindingCode.TAG_UNSUPPORTED: (
        E,
        "$.actions[0]",
        [{"provider": "narrow", "actions": AddTag("other")}],
    ),
    FindingCode.PLACE_UNSUPPORTED: (
        E,
        "$.actions[0]",
        [
            {"provider": "narrow", "actions": MoveLead("C")},
            {"provider": "narrow", "actions": MoveLead("A", source="C")},
            {"provider": "narrow", "actions": MoveLead(Place(machine="A"))},
        ],
    ),
    FindingCode.PARAMETERS_UNSUPPORTED: (
        E,
        "$.actions[0]",
        [
            {"provider": "narrow", "actions": ProviderAction("acme.enrol", parameters)}
            for parameters in PARAMETERS
        ],
    ),
    FindingCode.DATA_UNKNOWN: (E, "$.send[1]", [{"send": ("email", "nothing")}]),
    FindingCode.DATA_NOT_CARRIED: (W, "$.send[0]", [{"send": ("rating", "email")}]),
    FindingCode.DATA_UNSUPPORTED: (
        E,
        "$.send[1]",
        [
            {"provider": "narrow", "actions": AddTag("vip"), "send": ("email", "offer")},
            {"provider": "narrow", "actions": AddTag("vip"), "send": ("name", "first_name")},
        ],
    ),
}
OF_THE_SET = {
    FindingCode.NAME_DUPLICATE,
    FindingCode.BETA_CAPTURE,
    FindingCode.CAPTURE_PROVIDER_MISSING,
    FindingCode.CAPTURE_LIMITED,
}


class TestEachFinding:
    """Every code: what brings it about, how severe it is, and where it points."""

    @pytest.mark.parametrize(
        ("code", "changes"),
        [(code, changes) for code, (_, _, rows) in FINDINGS.items() for changes in rows],
    )
    def test_of_one_rule(self, code, changes):
        """One thing wrong is one finding, and nothing else."""
        severity, path, _ = FINDINGS[code]
        assert [(code, severity, path)] == _told(**changes)

    def test_every_code_is_tested(self):
        """The table and the findings of the whole set are all the codes there are."""
        assert set(FindingCode) == {*FINDINGS, *OF_THE_SET}

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"actions": AddLead()},
            {"provider": "narrow", "actions": AddTag(" VIP")},
            {"provider": "narrow", "actions": MoveLead("a", source="B")},
            {"provider": "narrow", "actions": ProviderAction("acme.enrol", {"course": "c"})},
            {
                "provider": "narrow",
                "actions": ProviderAction("acme.enrol", {"course": "c", "note": 1}),
            },
            {"provider": "narrow", "actions": AddTag("vip"), "send": ("phone", "email", "name")},
            {"event": "quiz.passed", "condition": where.score >= 5},
            {"event": "quiz.passed", "condition": where.language == "en"},
            {"product_id": "77", "plan_ids": ("10", "21")},
            {"product_id": "77", "event": "purchase.cart_abandoned"},
            {"product_id": "44", "event": "webinar.ended"},
            {"condition": where.payment_method == "A_NEW_ONE"},
            {"condition": where.price.between(2, Decimal("2.0"))},
            {"condition": where.price >= 10},
            {"condition": where.country == " br "},
            {"condition": where.offer.is_missing() & where.country.is_set()},
            {"send": ("first_name", "last_name", "offer", "price", "language")},
            {"send": ()},
        ],
    )
    def test_nothing_wrong(self, changes):
        """Rules that are right have no finding."""
        assert [] == _told(**changes)


class TestPaths:
    """A finding says where in the segmentation."""

    @pytest.mark.parametrize(
        ("condition", "path"),
        [
            ((where.language == "en") & (where.rating == 5), "$.condition.all[1]"),
            ((where.rating == 5) | (where.language == "en"), "$.condition.any[0]"),
            (Not(where.rating.between(1, 2)), "$.condition.not"),
            (
                (where.language == "en") & (~where.rating.between(1, 2) | (where.offer == "x")),
                "$.condition.all[1].any[0].not",
            ),
        ],
    )
    def test_condition(self, condition, path):
        """The path leads to the comparison."""
        assert [(FindingCode.FACT_NOT_CARRIED, E, path)] == _told(condition=condition)

    def test_actions(self):
        """The action is named by its position."""
        actions = (AddTag("x"), AddTag(" "), AddTag("auto:x"))
        assert [
            (FindingCode.VALUE_EMPTY, E, "$.actions[1]"),
            (FindingCode.RESERVED_TAG, E, "$.actions[2]"),
        ] == _told(actions=actions)

    @pytest.mark.parametrize(
        "action",
        [
            AddTag(""),
            RemoveTag(" "),
            AddLead(Place()),
            AddLead(" "),
            RemoveLead(Place(a="x", b="")),
            MoveLead("A", source=" "),
            MoveLead(" "),
        ],
    )
    def test_blank_targets(self, action):
        """A blank tag, a blank place, and a place without parts."""
        assert [(FindingCode.VALUE_EMPTY, E, "$.actions[0]")] == _told(actions=action)


class TestSeveral:
    """Everything that is wrong is told, not the first thing only."""

    def test_all_at_once(self):
        """Provider, product, event, condition, action and data, in this order."""
        told = _told(
            provider="gone",
            product_id="1",
            event="quiz.failed",
            condition=where.nothing == 1,
            actions=(),
            send=("nothing",),
        )
        assert [
            "provider_missing",
            "product_unknown",
            "event_unknown",
            "fact_unknown",
            "actions_empty",
            "data_unknown",
        ] == [code for code, _, _ in told]

    def test_a_value_and_its_fact(self):
        """A fact that the event does not carry is reviewed for its value, too."""
        assert ["fact_not_carried", "value_unfit"] == [
            code for code, _, _ in _told(condition=where.rating == "5")
        ]

    def test_several_plans(self):
        """Each unknown plan is told."""
        told = _told(product_id="77", plan_ids=("98", "10", "99"))
        assert ["$.plan_ids[0]", "$.plan_ids[2]"] == [path for _, _, path in told]

    def test_both_places_of_a_move(self):
        """Source and target are asked alike."""
        told = _told(provider="narrow", actions=MoveLead("C", source="D"))
        assert ["place_unsupported"] * 2 == [code for code, _, _ in told]

    def test_an_unknown_event_carries_nothing_that_could_be_missed(self):
        """Of an unknown event nobody says which facts it carries."""
        assert ["event_unknown"] == [
            code for code, _, _ in _told(event="quiz.failed", condition=where.rating == 5)
        ]


class TestOfTheSet:
    """What is wrong with several rules together, with a product, or with capture."""

    def test_equal_names(self):
        """Rules of one product that are named alike are each warned of it, and run."""
        rules = _rules(_rule(), _rule(id="s", name=" R "), _rule(id="t", name="t"))
        assert [
            (FindingCode.NAME_DUPLICATE, W, "r", "$.name"),
            (FindingCode.NAME_DUPLICATE, W, "s", "$.name"),
        ] == [(f.code, f.severity, f.segmentation_id, f.path) for f in rules.findings]

    def test_equal_names_in_two_products(self):
        """Names are a matter of one product."""
        other = _rule(id="s", product_id="44", event="webinar.ended")
        assert () == _rules(_rule(), other).findings

    def test_beta_capture(self):
        """With capture on, a product approved before July 2024 is warned of."""
        told = _rules(capture_provider="mail").findings
        assert [(FindingCode.BETA_CAPTURE, W, "old", None)] == [
            (f.code, f.severity, f.product_id, f.segmentation_id) for f in told
        ]

    def test_no_beta_without_capture(self):
        """Without capture there is nothing to warn of."""
        assert () == _rules().findings

    @pytest.mark.parametrize(
        ("provider", "expected"),
        [
            ("gone", [(FindingCode.CAPTURE_PROVIDER_MISSING, E)]),
            ("narrow", [(FindingCode.CAPTURE_LIMITED, W)]),
            ("mail", []),
            (None, []),
        ],
    )
    def test_capture_provider(self, provider, expected):
        """It has to be integrated, and should add leads, add tags and remove tags."""
        rules = RuleSet(providers=PROVIDERS, capture_provider=provider)
        assert expected == [(finding.code, finding.severity) for finding in rules.findings]


class TestSeverity:
    """An error keeps a rule from running, a warning does not."""

    @pytest.mark.parametrize("code", FINDINGS)
    def test_flagged(self, code):
        """`is_flagged` and the engine agree with the findings."""
        severity, _, (changes, *_) = FINDINGS[code]
        rule = _rule(**changes)
        rules = _rules(rule)
        context = ReviewContext(
            rules.product(rule.product_id), rules.providers.get(rule.provider), CATALOGUE
        )
        assert (severity is E) == is_flagged(rule, context)

    def test_a_changed_provider_is_judged_anew(self):
        """Abilities that an account gains or loses flag its rules or free them."""
        rule = _rule(provider="narrow", actions=AddTag("other"))
        rules = _rules(rule)
        wider = rules.with_provider("narrow", attrs.evolve(NARROW, tags=None))
        assert (1, 0, 1) == (
            len(rules.findings),
            len(wider.findings),
            len(wider.without_provider("narrow").findings),
        )


class TestFinding:
    """A finding is a value that a program and a person can read."""

    def test_says_whose(self):
        """It names the segmentation and the product."""
        (finding,) = _rules(_rule(provider="gone")).findings
        assert (
            Finding(
                FindingCode.PROVIDER_MISSING,
                E,
                "the provider is not integrated",
                segmentation_id="r",
                product_id="42",
                path="$.provider",
                hint="integrate it with `RuleSet.with_provider`",
            )
            == finding
        )

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"condition": where.nothing == 1}, "there is no fact `nothing`"),
            ({"event": "quiz.failed"}, "there is no event `quiz.failed`"),
            (
                {"product_id": "44"},
                "`purchase.approved` is not offered for a product of kind `webinar`",
            ),
            (
                {"condition": where.country < "BR"},
                "`lt` does not fit `country`, a fact of kind `country`",
            ),
            ({"provider": "narrow", "actions": AddTag("other")}, "the provider has no tag `other`"),
        ],
    )
    def test_messages(self, changes, message):
        """Lower-case, no full stop, what users wrote in back-ticks."""
        (finding,) = _rules(_rule(**changes)).findings
        assert message == finding.message

    def test_every_message_is_in_the_house_style(self):
        """Begins lower-case or with what a user wrote, and ends without a full stop."""
        messages = [
            finding.message
            for _, _, rows in FINDINGS.values()
            for changes in rows
            for finding in _rules(_rule(**changes)).findings
        ]
        assert [] == [m for m in messages if m.endswith(".") or not (m[0].islower() or m[0] == "`")]

    def test_review_is_about_one_rule(self):
        """`review` needs the rule and its context, not the rule set."""
        context = ReviewContext(None, None, HOTMART)
        assert ["provider_missing", "product_unknown"] == [
            finding.code for finding in review(_rule(), context)
        ]
