from datetime import date
from decimal import Decimal
from typing import Any

import attrs
import pytest

from listboss import (
    HOTMART,
    AddLead,
    AddTag,
    AllOf,
    AnyOf,
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
from listboss.errors import FlaggedSegmentationError
from listboss.rules import FindingCode, Verb
from listboss.rules.finding import Finding
from listboss.rules.review import MAX_SUGGESTIONS, ReviewContext, is_flagged, review

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
    facts=[
        FactType("score", "integer"),
        FactType("grade", "decimal"),
        FactType("quiz", "text", on_any_event=False),
    ],
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


def _found(**changes):
    return [(f.code, f.severity, f.path) for f in _rules(_rule(**changes)).findings]


def _enrol(**parameters: Any) -> dict[str, Any]:
    return {"provider": "narrow", "actions": ProviderAction("acme.enrol", parameters)}


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
                where.offer.contains("x"),
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
                where.grade == "9.90",
                where.country == "BRA",
                where.currency == "R$",
                where.language == "english speaking",
                where.offer == 5,
                where.is_order_bump == 1,
                where.approved_at > 5,
                where.installments.is_in(1, "2"),
                where.installments.between(3, 2),
                where.grade.between(Decimal("2.5"), 2),
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
    FindingCode.VALUE_UNFAMILIAR: (
        W,
        "$.condition",
        [
            {"condition": condition}
            for condition in (
                where.payment_method == "CREDITCARD",
                where.payment_method != "A_NEW_ONE",
                where.payment_method.is_in("PIX", "SLIP"),
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
                where.coupon.contains(""),
                where.offer.starts_with("\t"),
            )
        ],
    ),
    FindingCode.NEVER_HOLDS: (
        E,
        "$.condition",
        [
            {"condition": condition}
            for condition in (
                (where.installments > 6) & (where.installments < 3),
                (where.installments > 2) & (where.installments < 3),
                (where.country == "BR") & (where.country == "PT"),
                (where.language == "pt-BR") & (where.language != "pt"),
                where.coupon.starts_with("Summer") & ~where.coupon.contains("sum"),
                where.is_order_bump.not_in(True, False),
                (where.offer == "a") & where.offer.is_missing(),
                (where.offer == "a") & Not(where.offer.is_set() | (where.country == "BR")),
                ~((where.grade >= 10) | (where.grade < 10)),
                AnyOf(),
            )
        ],
    ),
    FindingCode.GROUP_EMPTY: (W, "$.condition", [{"condition": AllOf()}, {"condition": ()}]),
    FindingCode.CURRENCY_MISSING: (W, "$.condition", [{"condition": where.price >= 10}]),
    FindingCode.ACTIONS_EMPTY: (E, "$.actions", [{"actions": ()}]),
    FindingCode.ACTIONS_CONTRADICT: (
        E,
        "$.actions[1]",
        [
            {"actions": (RemoveTag("cart"), AddTag("Cart "))},
            {"actions": (AddLead("A"), MoveLead("B", source="a"))},
        ],
    ),
    FindingCode.MOVE_WITHOUT_SOURCE: (
        W,
        "$.actions[0]",
        [{"actions": MoveLead("B")}, {"actions": MoveLead("B"), "event": "purchase.refunded"}],
    ),
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
            {"provider": "narrow", "actions": MoveLead("C", source="A")},
            {"provider": "narrow", "actions": MoveLead("A", source="C")},
            {"provider": "narrow", "actions": MoveLead(Place(machine="A"), source="A")},
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
    FindingCode.VALUE_CASE,
    FindingCode.NAME_DUPLICATE,
    FindingCode.BETA_CAPTURE,
    FindingCode.CAPTURE_PROVIDER_MISSING,
    FindingCode.CAPTURE_LIMITED,
}


class TestEachFinding:
    """Every code: its causes, its severity and its path."""

    @pytest.mark.parametrize(
        ("code", "changes"),
        [(code, changes) for code, (_, _, rows) in FINDINGS.items() for changes in rows],
    )
    def test_of_one_rule(self, code, changes):
        """One fault gives one finding and no other."""
        severity, path, _ = FINDINGS[code]
        assert [(code, severity, path)] == _found(**changes)

    def test_every_code_is_tested(self):
        """The table and the findings about whole rule sets have every code."""
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
            {"condition": where.payment_method == " credit_card "},
            {"condition": where.payment_method.is_in("PIX", "billet")},
            {"condition": where.grade.between(2, Decimal("2.0"))},
            {"condition": where.grade >= 10},
            {"condition": (where.grade > 2) & (where.grade < 3)},
            {"condition": (where.price >= 10) & (where.currency == "BRL")},
            {"condition": where.coupon.starts_with("Summer") & ~where.coupon.contains("sumo")},
            {"condition": where.country == " br "},
            {"condition": where.offer.is_missing() & where.country.is_set()},
            {"send": ("first_name", "last_name", "offer", "price", "language")},
            {"send": ()},
        ],
    )
    def test_no_finding(self, changes):
        """Correct rules have no findings."""
        assert [] == _found(**changes)


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
        """The path names the comparison."""
        assert [(FindingCode.FACT_NOT_CARRIED, E, path)] == _found(condition=condition)

    def test_actions(self):
        """The path has the position of the action."""
        actions = (AddTag("x"), AddTag(" "), AddTag("auto:x"))
        assert [
            (FindingCode.VALUE_EMPTY, E, "$.actions[1]"),
            (FindingCode.RESERVED_TAG, E, "$.actions[2]"),
        ] == _found(actions=actions)

    @pytest.mark.parametrize(
        "action",
        [
            AddTag(""),
            RemoveTag(" "),
            AddLead(Place()),
            AddLead(" "),
            RemoveLead(Place(a="x", b="")),
            MoveLead("A", source=" "),
            MoveLead(" ", source="A"),
        ],
    )
    def test_blank_targets(self, action):
        """A blank tag, a blank place and a place without parts are errors."""
        assert [(FindingCode.VALUE_EMPTY, E, "$.actions[0]")] == _found(actions=action)


class TestSeveral:
    """All faults are reported, not only the first."""

    def test_all_at_once(self):
        """The order is provider, product, event, condition, action, data."""
        found = _found(
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
        ] == [code for code, _, _ in found]

    def test_a_value_and_its_fact(self):
        """The value is reviewed even if the event does not carry the fact."""
        assert ["fact_not_carried", "value_unfit"] == [
            code for code, _, _ in _found(condition=where.rating == "5")
        ]

    def test_several_plans(self):
        """Each unknown plan is reported."""
        found = _found(product_id="77", plan_ids=("98", "10", "99"))
        assert ["$.plan_ids[0]", "$.plan_ids[2]"] == [path for _, _, path in found]

    def test_both_places_of_a_move(self):
        """Source and target are both reviewed."""
        found = _found(provider="narrow", actions=MoveLead("C", source="D"))
        assert ["place_unsupported"] * 2 == [code for code, _, _ in found]

    def test_facts_of_an_unknown_event(self):
        """For an unknown event no fact is reported as not carried."""
        assert ["event_unknown"] == [
            code for code, _, _ in _found(event="quiz.failed", condition=where.rating == 5)
        ]


class TestOfTheSet:
    """Findings about several rules, a product, or capture."""

    def test_equal_names(self):
        """Each rule of a product with the same name as another gets a warning."""
        rules = _rules(_rule(), _rule(id="s", name=" R "), _rule(id="t", name="t"))
        assert [
            (FindingCode.NAME_DUPLICATE, W, "r", "$.name"),
            (FindingCode.NAME_DUPLICATE, W, "s", "$.name"),
        ] == [(f.code, f.severity, f.segmentation_id, f.path) for f in rules.findings]

    @pytest.mark.parametrize(
        "name",
        [
            "Bra\u0301s  l",
            "\uff22r\xe1sl",
            " br\xe1sl\u3000",
            "BR\xc1S L",
            "Br\xe1\tsl",
            "Br\xe1\u017fl",
        ],
    )
    def test_names_that_look_equal(self, name):
        """Names that only differ in blanks, case or Unicode form get the warning, which says so."""
        rules = _rules(_rule(name="Br\xe1sl"), _rule(id="s", name=name))
        assert [(FindingCode.NAME_DUPLICATE, W, "r"), (FindingCode.NAME_DUPLICATE, W, "s")] == [
            (f.code, f.severity, f.segmentation_id) for f in rules.findings
        ]
        assert (
            "another segmentation of the product has a name that looks like `Br\xe1sl`:"
            " only blanks, case or the Unicode form differ"
        ) == rules.findings[0].message

    def test_names_that_are_equal(self):
        """The message says that the names are the same."""
        rules = _rules(_rule(), _rule(id="s"), _rule(id="t", name="R"))
        assert [
            "another segmentation of the product has the name `r`",
            "another segmentation of the product has the name `r`",
            "another segmentation of the product has a name that looks like `R`:"
            " only blanks, case or the Unicode form differ",
        ] == [finding.message for finding in rules.findings]

    def test_names_that_differ(self):
        """A letter more or another accent is another name."""
        names = ("Brasil", "Br\xe1sil", "Brasil 2", "Brasi")
        assert () == _rules(*(_rule(id=name, name=name) for name in names)).findings

    def test_equal_names_in_two_products(self):
        """Rules of different products may have the same name."""
        other = _rule(id="s", product_id="44", event="webinar.ended")
        assert () == _rules(_rule(), other).findings

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (where.offer == "aB3", where.offer == "Ab3"),
            (where.transaction.is_in("x", "HP1"), where.transaction != " hp1 "),
            (where.country.is_set() & ~(where.affiliate == "N7z"), where.affiliate == "n7Z"),
            (where.subscriber_code.starts_with("SUB"), where.subscriber_code.not_in("sub")),
        ],
    )
    def test_codes_in_another_case(self, one, other):
        """Identifiers of two rules that differ only by case give a warning on both."""
        rules = _rules(_rule(condition=one), _rule(id="s", name="s", condition=other))
        assert [(FindingCode.VALUE_CASE, W, "r"), (FindingCode.VALUE_CASE, W, "s")] == [
            (f.code, f.severity, f.segmentation_id) for f in rules.findings
        ]

    def test_the_text_of_a_code_in_another_case(self):
        """The finding names both codes, and its path is that of the comparison."""
        condition = where.country.is_set() & where.offer.is_in("x", "aB3")
        rules = _rules(
            _rule(condition=condition), _rule(id="s", name="s", condition=where.offer == "Ab3")
        )
        found = rules.findings[0]
        assert ("$.condition.all[1]", "`offer`: `aB3` differs only by case from `Ab3` of another "
                "segmentation") == (found.path, found.message)  # fmt: skip

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (where.offer == "aB3", where.offer == " aB3"),
            (where.offer == "aB3", where.offer == "aB4"),
            (where.offer == "aB3", where.transaction == "Ab3"),
            (where.offer.is_in("aB3", "Ab3"), where.offer == "other"),
            (where.coupon == "aB3", where.coupon == "Ab3"),
        ],
    )
    def test_codes_that_are_no_mistake(self, one, other):
        """Equal codes, other codes, other facts, one rule's own list and text give no warning."""
        rules = _rules(_rule(condition=one), _rule(id="s", name="s", condition=other))
        assert () == rules.findings

    def test_codes_of_two_products(self):
        """Rules of different products are not compared."""
        other = _rule(id="s", product_id="old", condition=where.offer == "Ab3")
        assert () == _rules(_rule(condition=where.offer == "aB3"), other).findings

    def test_beta_capture(self):
        """With capture, a product approved before July 2024 gets a warning."""
        found = _rules(capture_provider="mail").findings
        assert [(FindingCode.BETA_CAPTURE, W, "old", None)] == [
            (f.code, f.severity, f.product_id, f.segmentation_id) for f in found
        ]

    def test_no_beta_without_capture(self):
        """Without capture there is no warning."""
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
        """The provider must be integrated, and should add leads, add tags and remove tags."""
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

    def test_a_changed_provider(self):
        """When an account gains or loses abilities, its rules are reviewed again."""
        rule = _rule(provider="narrow", actions=AddTag("other"))
        rules = _rules(rule)
        wider = rules.with_provider("narrow", attrs.evolve(NARROW, tags=None))
        assert (1, 0, 1) == (
            len(rules.findings),
            len(wider.findings),
            len(wider.without_provider("narrow").findings),
        )


class TestFinding:
    """A finding is readable for programs and for people."""

    def test_says_whose(self):
        """A finding has the ids of the segmentation and the product."""
        (finding,) = _rules(_rule(provider="gone")).findings
        assert (
            Finding(
                FindingCode.PROVIDER_MISSING,
                E,
                "provider `gone` is not integrated",
                segmentation_id="r",
                product_id="42",
                path="$.provider",
                hint="choose `mail` or `narrow`, or add the account to `providers`",
            )
            == finding
        )

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"condition": where.nothing == 1}, "unknown fact `nothing`"),
            ({"event": "quiz.failed"}, "unknown event `quiz.failed`"),
            (
                {"product_id": "44"},
                "`purchase.approved` is not offered for products of kind `webinar`",
            ),
            (
                {"condition": where.country < "BR"},
                "`lt` does not fit `country`, a fact of kind `country`",
            ),
            (
                {"condition": where.country == "Brasil"},
                "`country`: expected two letters, such as BR, got another string",
            ),
            (
                {"condition": where.language == "english speaking"},
                "`language`: expected a tag such as en or pt-BR, got another string",
            ),
            (
                {"condition": where.installments == "6"},
                "`installments`: expected an integer, got a string",
            ),
            (
                {"condition": where.payment_method == "CREDITCARD"},
                "`CREDITCARD` is not a known value of `payment_method`",
            ),
            ({"provider": "narrow", "actions": AddTag("other")}, "the provider has no tag `other`"),
            (
                {
                    "provider": "narrow",
                    "actions": MoveLead(Place(machine="7", level="1"), source="A"),
                },
                "the provider has no place `level=1, machine=7`",
            ),
            (_enrol(), "parameter `course` of `acme.enrol` is missing"),
            (_enrol(course="c", other=1), "`acme.enrol` has no parameter `other`"),
            (
                _enrol(course="c", note="5"),
                "parameter `note` of `acme.enrol`: expected an integer, got a string",
            ),
        ],
    )
    def test_messages(self, changes, message):
        """A message is lower-case, without full stop, with the user's words in back-ticks."""
        (finding,) = _rules(_rule(**changes)).findings
        assert message == finding.message

    def test_every_message_is_in_the_house_style(self):
        """Every message begins lower-case or with a user's word, and has no full stop."""
        messages = [
            finding.message
            for _, _, rows in FINDINGS.values()
            for changes in rows
            for finding in _rules(_rule(**changes)).findings
        ]
        assert [] == [m for m in messages if m.endswith(".") or not (m[0].islower() or m[0] == "`")]

    def test_review_is_about_one_rule(self):
        """`review` needs the rule and its context, but no rule set."""
        context = ReviewContext(None, None, HOTMART)
        assert ["provider_missing", "product_unknown"] == [
            finding.code for finding in review(_rule(), context)
        ]


HINTS: dict[str, tuple[dict[str, Any], str]] = {
    "provider": (
        {"provider": "mial"},
        "did you mean `mail`? otherwise, add the account to `providers`",
    ),
    "product": (
        {"product_id": "odl"},
        "did you mean `old`? otherwise, add the product to `products`",
    ),
    "event": (
        {"event": "purchase.aproved"},
        "did you mean `purchase.approved`? otherwise, add an event type with `Catalogue.extended`",
    ),
    "own event": (
        {"event": "quiz.pased"},
        "did you mean `quiz.passed`? otherwise, add an event type with `Catalogue.extended`",
    ),
    "fact": (
        {"condition": where.contry == "BR"},
        "did you mean `country`? otherwise, add a fact type with `Catalogue.extended`",
    ),
    "fact, nothing near": (
        {"condition": where.xyz == 1},
        "add a fact type with `Catalogue.extended`",
    ),
    "value of an open choice": (
        {"condition": where.payment_method == "CREDITCARD"},
        "did you mean `CREDIT_CARD`? otherwise, keep the value if events can have it",
    ),
    "value of an open choice, nothing near": (
        {"condition": where.payment_method == "BARTER"},
        "keep the value if events can have it",
    ),
    "value of a closed choice": (
        {
            "event": "smart_installment.status_changed",
            "condition": where.smart_payment_status == "ACTIV",
        },
        "did you mean `ACTIVE`?",
    ),
    "value of a closed choice, nothing near": (
        {
            "event": "smart_installment.status_changed",
            "condition": where.smart_payment_status == "PAID",
        },
        "choose `STARTED`, `ACTIVE`, `INACTIVE`, `DELAYED`, `CANCELLED_BY_ADMIN`"
        " or `CANCELLED_BY_SELLER`",
    ),
    "country": (
        {"condition": where.country == "Brasil"},
        "use the ISO 3166-1 code of the country",
    ),
    "currency": (
        {"condition": where.currency == "R$"},
        "use the ISO 4217 code of the currency",
    ),
    "plan": (
        {"product_id": "77", "plan_ids": ("99",)},
        "choose `10`, `20` or `21`, or add the plan to `plans` of the product",
    ),
    "no plan": ({"product_id": "77"}, "name the plan in `plan_ids`, such as `10`"),
    "verb": (
        {"provider": "narrow", "actions": ProviderAction("acme.enroll")},
        "did you mean `acme.enrol`? otherwise,"
        " `RuleSet.actions_for` lists the actions of the provider",
    ),
    "parameter": (
        _enrol(course="c", notes=1),
        "did you mean `note`? otherwise, remove `notes`",
    ),
    "missing parameter": (_enrol(), "add a string"),
    "tag": (
        {"provider": "narrow", "actions": AddTag("vpi")},
        "did you mean `vip`? otherwise, declare it in `Capabilities.tags`",
    ),
    "place": (
        {"provider": "narrow", "actions": MoveLead("C", source="A")},
        "choose `A` or `B`, or declare it in `Capabilities.places`",
    ),
    "field to send": (
        {"send": ("email", "frist_name")},
        "did you mean `first_name`? otherwise, send a field of the contact or a fact",
    ),
    "field that the provider does not accept": (
        {"provider": "narrow", "actions": AddTag("vip"), "send": ("offer",)},
        "choose `email`, `name` or `phone`, or remove the field from `send`",
    ),
    "order of a code": (
        {"condition": where.country < "BR"},
        "`lt` fits facts of kind `decimal`, `instant` or `integer`",
    ),
    "range": ({"condition": where.installments.between(3, 2)}, "write the lower bound first"),
    "long value": (
        {"condition": where.src.contains("x" * 4_097)},
        "use a shorter string: a longer one never matches",
    ),
}


class TestHints:
    """A hint says what to do; for an unknown word it has the nearest known one."""

    @pytest.mark.parametrize("name", HINTS)
    def test_each(self, name):
        """The nearest word, else a short list of all, then what else to do."""
        changes, hint = HINTS[name]
        (finding,) = _rules(_rule(**changes)).findings
        assert hint == finding.hint

    def test_every_finding_has_one(self):
        """Every finding says what to do about it."""
        findings = [
            finding
            for _, _, rows in FINDINGS.values()
            for changes in rows
            for finding in _rules(_rule(**changes)).findings
        ]
        assert [] == [finding for finding in findings if not finding.hint]

    def test_the_number_of_suggestions_is_bounded(self):
        """Only the first unknown words of a rule get a suggestion, so a review stays cheap."""
        condition = AllOf(*[where.contry == "BR"] * (MAX_SUGGESTIONS + 1))
        *first, last = _rules(_rule(condition=condition)).findings
        assert [MAX_SUGGESTIONS] == [sum("`country`" in finding.hint for finding in first)]
        assert "add a fact type with `Catalogue.extended`" == last.hint

    def test_a_product_without_plans(self):
        """Where a subscription lists no plans, the hint is to add some."""
        product = Product("88", "Club", kind="subscription", approved_at=APPROVED)
        rules = _rules(_rule(product_id="88")).with_product(product)
        assert ["add the plan to `plans` of the product"] == [f.hint for f in rules.findings]

    def test_a_closed_choice_without_values(self):
        """A closed choice without known words has no value at all."""
        catalogue = HOTMART.extended(facts=[FactType("grade", "choice", closed=True)])
        rule = _rule(condition=where.grade == "A")
        rules = RuleSet(PRODUCTS, [rule], providers=PROVIDERS, catalogue=catalogue)
        assert ["value_unknown"] == [finding.code for finding in rules.findings]


class TestFlaggedError:
    """The error for enabling a flagged rule."""

    def test_one_finding(self):
        """It names the rule, and has the path and the hint of its only finding."""
        rules = _rules(_rule(name="Buyers", condition=where.contry == "BR"))
        with pytest.raises(FlaggedSegmentationError) as caught:
            rules.enable("r")
        assert (
            "segmentation `Buyers` (id `r`) is flagged: unknown fact `contry`",
            "$.condition",
            "did you mean `country`? otherwise, add a fact type with `Catalogue.extended`; "
            "check the provider, the event, the conditions and the action",
        ) == (caught.value.message, caught.value.path, caught.value.hint)

    def test_several_findings(self):
        """It names the rule, and lists each error with its path but no warning."""
        rules = _rules(_rule(name="Buyers", event="x", actions=AddTag(" "), send=("rating",)))
        with pytest.raises(FlaggedSegmentationError) as caught:
            rules.enable("r")
        assert (
            "segmentation `Buyers` (id `r`) is flagged: unknown event `x` @ $.event;"
            " the tag is blank @ $.actions[0]",
            "$",
            ["event_unknown", "value_empty"],
        ) == (
            caught.value.message,
            caught.value.path,
            [getattr(finding, "code", None) for finding in caught.value.findings],
        )
