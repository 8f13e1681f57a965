"""Realistic scenarios, from the event or the webhook to the result."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss import (
    AUTOMATIC,
    AddLead,
    AddTag,
    Contact,
    Engine,
    Idle,
    MoveLead,
    Place,
    Product,
    ProductKind,
    RemoveTag,
    RuleSet,
    SubscriptionPlan,
    where,
)
from listboss.delivery import DeliveryStatus, Status
from listboss.engine import FactState, Reason
from listboss.errors import AutomaticSegmentationError, WebhookError
from listboss.hotmart import Parsed, parse
from listboss.rules import FindingCode

SHAPES = Path(__file__).parents[1] / "hotmart" / "shapes"
ANA = "ana@example.com"
CHANGE: dict[str, Any] = {"adds_on": ()}


def _webhook(shape, event, **purchase):
    """Read a known webhook body and change it into another event of the same sale."""
    body = json.loads((SHAPES / shape).read_bytes())
    body["id"], body["event"] = f"w-{event}", event
    body["data"]["purchase"].update(purchase)
    (first, *_) = parse(body).events
    return first


def _sold(product_id):
    return Product(product_id, "Course", approved_at=date(2025, 1, 1))


class TestEnglishBuyers:
    """1. A buyer who speaks English is added to a list; one whose language is unknown is not."""

    @pytest.fixture
    def engine(self, rule, rule_set):
        """An engine with the rule."""
        english = rule(
            "english", AddLead("English-Speaking Buyers"), condition=where.language == "en"
        )
        return Engine(rule_set(english))

    def test_english(self, engine, make_event):
        """The lead is added to the list."""
        (planned,) = engine.plan(make_event(facts={"language": "en"})).actions
        assert AddLead(Place(list="English-Speaking Buyers")) == planned.action

    def test_missing(self, engine, make_event):
        """The explanation says that the language is missing, not that it is another one."""
        event = make_event()
        (outcome,) = engine.explain(event).rules
        assert (Idle.NO_RULE, Reason.CONDITION_NOT_MET, FactState.MISSING) == (
            engine.plan(event).idle,
            outcome.reason,
            outcome.state,
        )


def test_four_use_cases_for_one_contact(host, rule, make_event):
    """2. A cart, an approval, a completion and a refund change the tags and lists in turn."""
    shop = host(
        rule("tag", AddTag("cart"), event="purchase.cart_abandoned"),
        rule("add", AddLead("Buyers"), AddTag("buyer")),
        rule("move", MoveLead("Alumni", source="Buyers"), event="purchase.completed"),
        rule("untag", RemoveTag("buyer"), event="purchase.refunded"),
    )
    seen = []
    for name in ("cart_abandoned", "approved", "completed", "refunded"):
        shop.handle(make_event(f"purchase.{name}"))
        lead = shop.send.contact(ANA)
        seen.append((lead.tags, [place.parts["list"] for place in lead.places]))
    assert [
        (("cart",), []),
        (("buyer", "cart"), ["Buyers"]),
        (("buyer", "cart"), ["Alumni"]),
        (("cart",), ["Alumni"]),
    ] == [(tuple(sorted(tags)), places) for tags, places in seen]


class TestPlans:
    """3. A subscription needs a segmentation for each plan."""

    def test_without_a_plan(self, rule_set, rule):
        """It is flagged if it names no plan."""
        rules = rule_set(rule("r", AddTag("x"), product_id="club"))
        assert [FindingCode.PLAN_REQUIRED] == [finding.code for finding in rules.findings]

    def test_two_plans(self, plan_actions, rule, make_event):
        """Of two segmentations, only the one for the plan runs."""
        rules = (
            rule("monthly", AddTag("m"), product_id="club", plan_ids=("10",)),
            rule("annual", AddTag("a"), product_id="club", plan_ids=("20",)),
        )
        assert [AddTag("a")] == plan_actions(make_event(product_id="club", plan_id="20"), *rules)


def test_provider_disconnected_after_the_rule_was_made(rule_set, rule, make_event):
    """4. The rule is flagged and does not run; other rules are not affected."""
    everything = rule_set().providers["mail"]
    rules = rule_set(
        rule("a", AddTag("a")),
        rule("b", AddTag("b"), provider="post"),
        providers={"mail": everything, "post": everything},
    ).without_provider("mail")
    planned = Engine(rules).plan(make_event()).actions
    assert (["a"], [AddTag("b")]) == (
        [finding.segmentation_id for finding in rules.findings],
        [action.action for action in planned],
    )


def test_pix_sale(host):
    """5. A PIX payment is pending and is paid a minute later; the tags follow."""
    printed = _webhook("05-pix.json", "PURCHASE_BILLET_PRINTED")
    paid = _webhook("05-pix.json", "PURCHASE_APPROVED")
    shop = host(products=[_sold(printed.product_id)], capture_provider="mail")
    tags = []
    for event in (printed, paid):
        shop.handle(event)
        tags.append(shop.send.tags(ANA))
    assert [
        (f"auto:purchase-pending:{printed.product_id}",),
        (f"auto:purchase-approved:{printed.product_id}",),
    ] == tags


def test_cart_then_another_offer(host):
    """6. A purchase through another offer removes the tag of the abandoned cart."""
    (cart,) = parse((SHAPES / "11-cart.json").read_bytes()).events
    bought = _webhook("05-pix.json", "PURCHASE_APPROVED", offer={"code": "another1"})
    shop = host(products=[_sold(cart.product_id)], capture_provider="mail")
    shop.handle(cart, bought)
    assert (False, (f"auto:purchase-approved:{cart.product_id}",)) == (
        cart.facts["offer"] == bought.facts["offer"],
        shop.send.tags(ANA),
    )


class TestProtestRefundLateApproval:
    """7. An approval arrives late, after the protest and the refund of the same sale."""

    def test_in_order(self, host, make_event):
        """In the right order, only the tag of the refund is left."""
        shop = host(capture_provider="mail")
        shop.handle(
            *(make_event(f"purchase.{name}") for name in ("approved", "protested", "refunded"))
        )
        assert ("auto:purchase-refunded:course",) == shop.send.tags(ANA)

    def test_late_approval(self, rule_set, make_event):
        """The plan of the late event has its earlier time and touches the same tags."""
        engine = Engine(rule_set(capture_provider="mail"))
        refund = make_event("purchase.refunded")
        late = make_event("purchase.approved", occurred_at=refund.occurred_at - timedelta(hours=1))
        plans = [engine.plan(event) for event in (refund, late)]
        tags = [
            {p.action.tag for p in plan.actions if isinstance(p.action, (AddTag, RemoveTag))}
            for plan in plans
        ]
        approved, refunded = "auto:purchase-approved:course", "auto:purchase-refunded:course"
        assert plans[1].occurred_at < plans[0].occurred_at
        assert {approved, refunded} <= tags[0] & tags[1]


@pytest.mark.parametrize(("number", "expected"), [(1, [AddTag("new")]), (2, []), (13, [])])
def test_renewals(plan_actions, rule, make_event, number, expected):
    """8. A rule for the first payment does not run for renewals, which are approved again."""
    first = rule(
        "first",
        AddTag("new"),
        product_id="club",
        plan_ids=("10",),
        condition=where.recurrence_number == 1,
    )
    event = make_event(product_id="club", plan_id="10", facts={"recurrence_number": number})
    assert expected == plan_actions(event, first)


def test_order_bump(host, rule):
    """9. An order bump is a second event of a second product, each with its own rules."""
    main = _webhook("02-approved-order-bump.json", "PURCHASE_APPROVED")
    bump = attrs.evolve(main, id="w-bump:purchase.approved", product_id="bump")
    main = main.with_facts(is_order_bump=False)
    shop = host(
        rule("main", AddTag("main"), product_id=main.product_id),
        rule("bump", AddTag("bump"), product_id="bump", condition=where.is_order_bump == True),  # noqa: E712 # a condition
        products=[_sold(main.product_id), _sold("bump")],
    )
    receipts = shop.handle(main, bump)
    assert [[AddTag("main")], [AddTag("bump")]] == [
        [state.planned.action for state in receipt.states] for receipt in receipts
    ]


class TestSendTestButton:
    """10. A webhook from the test button is parsed, marked as a test, and not planned."""

    BODY: ClassVar = {
        "id": "11111111-2222-3333-4444-555555555555",
        "creation_date": 1746000000123,
        "event": "PURCHASE_APPROVED",
        "version": "2.0.0",
        "data": {
            "product": {"id": 0, "name": "Produto test postback2"},
            "buyer": {"email": "testeComprador271101postman15@example.com", "name": "Teste"},
            "purchase": {"transaction": "HP16015479281022", "status": "APPROVED"},
        },
    }

    def test_marked(self):
        """The parsed events are marked as tests."""
        parsed = parse(self.BODY)
        assert (True, {True}) == (parsed.is_test, {event.is_test for event in parsed.events})

    def test_no_plan(self, rule_set, rule):
        """No rule runs for it without `include_tests=True`."""
        (event, *_) = parse(self.BODY).events
        rules = rule_set(
            rule("r", AddTag("x"), product_id=event.product_id),
            products=[_sold(event.product_id)],
        )
        engine = Engine(rules)
        assert (Idle.TEST, 1) == (
            engine.plan(event).idle,
            len(engine.plan(event, include_tests=True).actions),
        )


class TestSameIdTwice:
    """11. A webhook is delivered twice."""

    def test_same_plan(self, rule_set, rule):
        """Both deliveries have the same plan, with the same ids."""
        body = (SHAPES / "05-pix.json").read_bytes()
        (one,), (other,) = parse(body).events, parse(body).events
        engine = Engine(
            rule_set(
                rule("r", AddTag("x"), product_id=one.product_id, event=str(one.name)),
                products=[_sold(one.product_id)],
                capture_provider="mail",
            )
        )
        plans = engine.plan(one), engine.plan(other)
        assert (plans[0], True) == (plans[1], bool(plans[0].actions))

    def test_done_once(self, host):
        """The actions are carried out once."""
        body = (SHAPES / "05-pix.json").read_bytes()
        (event,) = parse(body).events
        shop = host(products=[_sold(event.product_id)], capture_provider="mail")
        shop.handle(event, *parse(body).events)
        assert [1, 1] == [state.attempts for state in shop.journal.receipt(event.id).states]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=20,
)


class TestAnyWebhook:
    """12. Every known webhook is parsed, and no body makes the parser fail."""

    @pytest.mark.parametrize("shape", sorted(path.name for path in SHAPES.iterdir()))
    def test_known_shapes(self, shape, rule_set):
        """Each has events that can be planned, or a reason for having none."""
        parsed = parse((SHAPES / shape).read_bytes())
        engine = Engine(rule_set(capture_provider="mail"))
        plans = list(engine.plan_many(parsed.events))
        assert (True, len(parsed.events)) == (
            bool(parsed.events) is (parsed.ignored is None),
            len(plans),
        )

    @given(st.dictionaries(st.text(max_size=10), JSON, max_size=5))
    def test_any_object(self, body):
        """Any JSON object is parsed or raises `WebhookError`, and nothing else."""
        try:
            parsed = parse(body)
        except WebhookError:
            return
        assert isinstance(parsed, Parsed)

    @given(
        st.sampled_from(["PURCHASE_APPROVED", "SWITCH_PLAN", "PURCHASE_OUT_OF_SHOPPING_CART"]),
        st.dictionaries(
            st.sampled_from(["product", "buyer", "purchase", "subscription", "plans"]), JSON
        ),
    )
    def test_any_data_of_a_known_event(self, event, data):
        """So is a known event with any JSON in the known fields."""
        try:
            parsed = parse({"id": "w-1", "event": event, "version": "2.0.0", "data": data})
        except WebhookError:
            return
        assert isinstance(parsed, Parsed)


class TestBuiltIns:
    """13. Automatic segmentations are listed first and cannot be changed."""

    @pytest.mark.parametrize(
        "attempt",
        [
            lambda rules: rules.remove(AUTOMATIC[0].id),
            lambda rules: rules.disable(AUTOMATIC[0].id),
            lambda rules: rules.replace(AUTOMATIC[0]),
            lambda rules: attrs.evolve(AUTOMATIC[0], **CHANGE),
        ],
        ids=["delete", "disable", "replace", "edit"],
    )
    def test_refused(self, rule_set, attempt):
        """They cannot be deleted, disabled, replaced or edited."""
        with pytest.raises(AutomaticSegmentationError):
            attempt(rule_set(capture_provider="mail"))

    def test_no_custom_one_with_its_id(self, rule_set, rule):
        """A custom segmentation cannot have the id of a built-in."""
        with pytest.raises(AutomaticSegmentationError):
            rule_set().add(rule("mine", AddTag("x"), id=AUTOMATIC[0].id))

    def test_listed_and_explained_first(self, rule_set, rule, make_event):
        """They come first on the dashboard and in the explanation."""
        rules = rule_set(rule("mine", AddTag("x")), capture_provider="mail")
        expected = [*(row.id for row in AUTOMATIC), "mine"]
        explained = Engine(rules).explain(make_event()).rules
        assert [expected] * 2 == [
            [entry.segmentation.id for entry in rules.for_product("course")],
            [outcome.segmentation_id for outcome in explained],
        ]


class TestLeadLimit:
    """14. The account has a lead limit."""

    def test_a_thousand_captured(self, host, make_event):
        """With a limit of 5,000, 4,000 leads are left."""
        shop = host(lead_limit=5_000, capture_provider="mail")
        shop.handle(
            *(
                make_event("product.rated", id=f"e-{n}", contact=Contact(f"{n}@example.com"))
                for n in range(1_000)
            )
        )
        assert 4_000 == shop.send.remaining

    def test_one_more_than_the_limit(self, host, make_event):
        """A contact beyond the limit gets its tags, and is marked."""
        shop = host(lead_limit=3, capture_provider="mail")
        receipts = shop.handle(
            *(make_event(id=f"e-{n}", contact=Contact(f"{n}@example.com")) for n in range(4))
        )
        last = shop.send.contact("3@example.com")
        assert (DeliveryStatus.DONE, ("auto:purchase-approved:course",), False, 0) == (
            receipts[3].status,
            last.tags,
            last.sendable,
            shop.send.remaining,
        )


@pytest.mark.parametrize(
    ("day", "expected"), [(date(2024, 6, 30), True), (date(2024, 7, 1), False)]
)
def test_beta_boundary(day, expected):
    """15. Only products approved before July 2024 have beta capture."""
    assert expected is Product("42", "Course", approved_at=day).has_beta_capture


def test_moving_a_lead_that_is_not_there(host, rule):
    """16. The integration test of a move fails, and is in the history as a test."""
    shop = host(rule("move", MoveLead("Alumni", source="Buyers")))
    receipt = shop.executor.test("move", ANA)
    (record,) = shop.journal.history("course")
    assert (DeliveryStatus.FAILED, Status.REFUSED, True, ("move",)) == (
        receipt.status,
        record.status,
        record.is_test,
        record.segmentation_ids,
    )


class TestDisabled:
    """17. A new segmentation is disabled: it does not run, but can be tested."""

    @pytest.fixture
    def created(self, rule):
        """A segmentation that was made without `enabled`."""
        fields = attrs.asdict(rule("r", AddTag("x")), recurse=False)
        del fields["enabled"]
        return type(rule("r", AddTag("x")))(**fields)

    def test_does_not_run(self, plan_actions, created, make_event):
        """Nothing is planned for its event."""
        assert (False, []) == (created.enabled, plan_actions(make_event(), created))

    def test_can_be_tested(self, host, created):
        """Its integration test reaches the provider."""
        shop = host(created)
        shop.executor.test("r", ANA)
        assert ("x",) == shop.send.tags(ANA)


def test_trial(plan_actions, rule, make_event):
    """The price 0 of a trial is a known price, not a missing one."""
    free = rule("trial", AddTag("trial"), condition=where.price == Decimal(0))
    assert [AddTag("trial")] == plan_actions(make_event(facts={"price": Decimal("0.00")}), free)


def test_recovery_plan(host, rule):
    """The rule for a plan also runs for the other ids of the plan."""
    event = _webhook("02-approved-first.json", "PURCHASE_APPROVED")
    club = Product(
        event.product_id,
        "Club",
        kind=ProductKind.SUBSCRIPTION,
        plans=[SubscriptionPlan("annual", "Annual", also=[event.plan_id])],
        approved_at=date(2025, 1, 1),
    )
    annual = rule("annual", AddTag("a"), product_id=event.product_id, plan_ids=("annual",))
    shop = host(annual, products=[club])
    shop.handle(event)
    assert ("a",) == shop.send.tags(ANA)


def test_an_empty_rule_set_does_nothing(make_event):
    """With an empty rule set, the product of every event is unknown."""
    assert Idle.UNKNOWN_PRODUCT == Engine(RuleSet()).plan(make_event()).idle
