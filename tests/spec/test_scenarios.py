"""What happens to real products and buyers, told from one end to the other."""

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
from listboss.engine import Reason
from listboss.engine.explain import FactState
from listboss.errors import AutomaticSegmentationError, WebhookError
from listboss.hotmart import Parsed, parse
from listboss.rules import FindingCode

SHAPES = Path(__file__).parents[1] / "hotmart" / "shapes"
ANA = "ana@example.com"


CHANGE: dict[str, Any] = {"adds_on": ()}


def _webhook(shape, event, **purchase):
    """Read a known webhook body, and make it another event of the same sale."""
    body = json.loads((SHAPES / shape).read_bytes())
    body["id"], body["event"] = f"w-{event}", event
    body["data"]["purchase"].update(purchase)
    (first, *_) = parse(body).events
    return first


def _sold(product_id):
    return Product(product_id, "Course", approved_at=date(2025, 1, 1))


class TestEnglishBuyers:
    """1. Approved and English: on the list. The same event with the language missing: nothing."""

    @pytest.fixture
    def engine(self, rule, rule_set):
        """The engine of the English rule."""
        english = rule(
            "english", AddLead("English-Speaking Buyers"), condition=where.language == "en"
        )
        return Engine(rule_set(english))

    def test_english(self, engine, happens):
        """The lead is added to the list."""
        (planned,) = engine.plan(happens(facts={"language": "en"})).actions
        assert AddLead(Place(list="English-Speaking Buyers")) == planned.action

    def test_missing(self, engine, happens):
        """The trace says that the language is missing, not that it is another."""
        event = happens()
        (outcome,) = engine.explain(event).rules
        assert (Idle.NO_RULE, Reason.CONDITION_NOT_MET, FactState.MISSING) == (
            engine.plan(event).idle,
            outcome.reason,
            outcome.state,
        )


def test_four_use_cases_in_one_life(host, rule, happens):
    """2. Cart abandoned, approved, completed, refunded: tag, list, move, untag, in turn."""
    shop = host(
        rule("tag", AddTag("cart"), event="purchase.cart_abandoned"),
        rule("add", AddLead("Buyers"), AddTag("buyer")),
        rule("move", MoveLead("Alumni", source="Buyers"), event="purchase.completed"),
        rule("untag", RemoveTag("buyer"), event="purchase.refunded"),
    )
    seen = []
    for name in ("cart_abandoned", "approved", "completed", "refunded"):
        shop.handle(happens(f"purchase.{name}"))
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
        """It is flagged as lacking the plan."""
        rules = rule_set(rule("r", AddTag("x"), product_id="club"))
        assert [FindingCode.PLAN_REQUIRED] == [finding.code for finding in rules.findings]

    def test_two_plans(self, asks, rule, happens):
        """Of two segmentations only the matching one runs."""
        rules = (
            rule("monthly", AddTag("m"), product_id="club", plan_ids=("10",)),
            rule("annual", AddTag("a"), product_id="club", plan_ids=("20",)),
        )
        assert [AddTag("a")] == asks(happens(product_id="club", plan_id="20"), *rules)


def test_provider_disconnected_after_the_rule_was_made(rule_set, rule, happens):
    """4. The rule is flagged and does not run; the others are unaffected."""
    everything = rule_set().providers["mail"]
    rules = rule_set(
        rule("a", AddTag("a")),
        rule("b", AddTag("b"), provider="post"),
        providers={"mail": everything, "post": everything},
    ).without_provider("mail")
    planned = Engine(rules).plan(happens()).actions
    assert (["a"], [AddTag("b")]) == (
        [finding.segmentation_id for finding in rules.findings],
        [action.action for action in planned],
    )


def test_pix_sale(host):
    """5. A PIX code is printed and paid a minute later: pending on, then off, approved on."""
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
    """6. An abandoned cart, then a purchase by another offer of the product: the tag goes."""
    (cart,) = parse((SHAPES / "11-cart.json").read_bytes()).events
    bought = _webhook("05-pix.json", "PURCHASE_APPROVED", offer={"code": "another1"})
    shop = host(products=[_sold(cart.product_id)], capture_provider="mail")
    shop.handle(cart, bought)
    assert (False, (f"auto:purchase-approved:{cart.product_id}",)) == (
        cart.facts["offer"] == bought.facts["offer"],
        shop.send.tags(ANA),
    )


class TestProtestRefundLateApproval:
    """7. Protested, refunded; then an approval of the same sale arrives late."""

    def test_in_order(self, host, happens):
        """Approved, protested, refunded: in the end refunded, and nothing else."""
        shop = host(capture_provider="mail")
        shop.handle(
            *(happens(f"purchase.{name}") for name in ("approved", "protested", "refunded"))
        )
        assert ("auto:purchase-refunded:course",) == shop.send.tags(ANA)

    def test_the_late_one_can_be_told(self, rule_set, happens):
        """Its plan says that it is older, and touches the targets that the refund touched."""
        engine = Engine(rule_set(capture_provider="mail"))
        refund = happens("purchase.refunded")
        late = happens("purchase.approved", occurred_at=refund.occurred_at - timedelta(hours=1))
        plans = [engine.plan(event) for event in (refund, late)]
        tags = [
            {p.action.tag for p in plan.actions if isinstance(p.action, (AddTag, RemoveTag))}
            for plan in plans
        ]
        approved, refunded = "auto:purchase-approved:course", "auto:purchase-refunded:course"
        assert (True, {approved, refunded}) == (
            plans[1].occurred_at < plans[0].occurred_at,
            tags[0] & tags[1],
        )


@pytest.mark.parametrize(("number", "expected"), [(1, [AddTag("new")]), (2, []), (13, [])])
def test_renewals(asks, rule, happens, number, expected):
    """8. Renewals are approved again: a rule for the first time only leaves them alone."""
    first = rule(
        "first",
        AddTag("new"),
        product_id="club",
        plan_ids=("10",),
        condition=where.recurrence_number == 1,
    )
    event = happens(product_id="club", plan_id="10", facts={"recurrence_number": number})
    assert expected == asks(event, first)


def test_order_bump(host, rule):
    """9. An order bump is a second event on a second product: each has its own rules."""
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
    """10. The body of the test button is read, is marked, and gives no plan."""

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
        """The events say that they are tests."""
        parsed = parse(self.BODY)
        assert (True, {True}) == (parsed.is_test, {event.is_test for event in parsed.events})

    def test_no_plan(self, rule_set, rule):
        """Rules leave it alone, unless tests are asked for."""
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
    """11. A webhook that comes twice."""

    def test_same_plan(self, rule_set, rule):
        """It gives the same plan, with the same keys."""
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
        """It is carried out once."""
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
    """12. Every known shape is read, and no body whatever brings the parser down."""

    @pytest.mark.parametrize("shape", sorted(path.name for path in SHAPES.iterdir()))
    def test_known_shapes(self, shape, rule_set):
        """Each gives events that can be planned, or says why it gives none."""
        parsed = parse((SHAPES / shape).read_bytes())
        engine = Engine(rule_set(capture_provider="mail"))
        plans = list(engine.plan_many(parsed.events))
        assert (True, len(parsed.events)) == (
            bool(parsed.events) is (parsed.ignored is None),
            len(plans),
        )

    @given(st.dictionaries(st.text(max_size=10), JSON, max_size=5))
    def test_any_object(self, body):
        """Any JSON object is read, or is no webhook; there is no other error."""
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
        """Nor is there for a known event with anything at all in the known places."""
        try:
            parsed = parse({"id": "w-1", "event": event, "version": "2.0.0", "data": data})
        except WebhookError:
            return
        assert isinstance(parsed, Parsed)


class TestBuiltIns:
    """13. Automatic segmentations are listed, run first, and cannot be touched."""

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
        """Deleting, disabling, replacing and editing."""
        with pytest.raises(AutomaticSegmentationError):
            attempt(rule_set(capture_provider="mail"))

    def test_no_custom_one_with_its_id(self, rule_set, rule):
        """A custom segmentation with a built-in's id is refused."""
        with pytest.raises(AutomaticSegmentationError):
            rule_set().add(rule("mine", AddTag("x"), id=AUTOMATIC[0].id))

    def test_listed_and_explained_first(self, rule_set, rule, happens):
        """They stand first on the dashboard and in the explanation."""
        rules = rule_set(rule("mine", AddTag("x")), capture_provider="mail")
        expected = [*(row.id for row in AUTOMATIC), "mine"]
        explained = Engine(rules).explain(happens()).rules
        assert [expected] * 2 == [
            [entry.segmentation.id for entry in rules.for_product("course")],
            [outcome.segmentation_id for outcome in explained],
        ]


class TestLeadLimit:
    """14. Five thousand leads are the limit."""

    def test_a_thousand_captured(self, host, happens):
        """Four thousand are left."""
        shop = host(lead_limit=5_000, capture_provider="mail")
        shop.handle(
            *(
                happens("product.rated", id=f"e-{n}", contact=Contact(f"{n}@example.com"))
                for n in range(1_000)
            )
        )
        assert 4_000 == shop.send.remaining

    def test_one_more_than_the_limit(self, host, happens):
        """The one beyond it gets its tags all the same, and is marked."""
        shop = host(lead_limit=3, capture_provider="mail")
        receipts = shop.handle(
            *(happens(id=f"e-{n}", contact=Contact(f"{n}@example.com")) for n in range(4))
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
    """15. Approved on the last day of June 2024: beta. A day later: not."""
    assert expected is Product("42", "Course", approved_at=day).has_beta_capture


def test_moving_a_lead_that_is_not_there(host, rule):
    """16. The test run of a move fails, and is in the history as a test."""
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
    """17. A segmentation is created disabled, never runs so, and can be tested."""

    @pytest.fixture
    def created(self, rule):
        """A segmentation as it is made, without a word about being enabled."""
        fields = attrs.asdict(rule("r", AddTag("x")), recurse=False)
        del fields["enabled"]
        return type(rule("r", AddTag("x")))(**fields)

    def test_never_runs(self, asks, created, happens):
        """Its event asks for nothing."""
        assert (False, []) == (created.enabled, asks(happens(), created))

    def test_can_be_tested(self, host, created):
        """The integration test reaches the provider."""
        shop = host(created)
        shop.executor.test("r", ANA)
        assert ("x",) == shop.send.tags(ANA)


def test_trial(asks, rule, happens):
    """A trial is approved at a price of nothing, which is a price and not a missing one."""
    free = rule("trial", AddTag("trial"), condition=where.price == Decimal(0))
    assert [AddTag("trial")] == asks(happens(facts={"price": Decimal("0.00")}), free)


def test_recovery_plan(host, rule):
    """A plan that the platform put behind the annual one is covered by the annual one's rule."""
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


def test_an_empty_rule_set_does_nothing(happens):
    """Before anything is set up, every event is of an unknown product."""
    assert Idle.UNKNOWN_PRODUCT == Engine(RuleSet()).plan(happens()).idle
