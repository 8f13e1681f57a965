"""The reference, tested by examples that were worked out by hand."""

import ast
import inspect
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from listboss import (
    AddLead,
    AddTag,
    Capabilities,
    Contact,
    Event,
    Idle,
    MoveLead,
    Product,
    ProductKind,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    RuleSet,
    Segmentation,
    SubscriptionPlan,
    where,
)
from listboss.testing import reference

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
COURSE = Product("1", "Course", approved_at=date(2025, 1, 1))
CLUB = Product(
    "2",
    "Club",
    kind=ProductKind.SUBSCRIPTION,
    plans=[
        SubscriptionPlan("10", "Annual", also=["11"]),
        SubscriptionPlan("20", "Monthly"),
        SubscriptionPlan("30", "monthly "),
    ],
    approved_at=date(2025, 1, 1),
)
ALL = Capabilities.everything()


def rule(*actions, id="r1", product_id="1", event="purchase.approved", enabled=True, **more):
    """Make an enabled rule."""
    return Segmentation(
        f"Rule {id}",
        id=id,
        product_id=product_id,
        provider=more.pop("provider", "mail"),
        event=event,
        actions=actions,
        enabled=enabled,
        **more,
    )


def make_event(name="purchase.approved", **more):
    """Make an event of the course."""
    fields = {
        "id": "e-1",
        "product_id": "1",
        "contact": Contact("Ana@example.com", name="Ana"),
        "occurred_at": NOON,
    }
    return Event(name, **{**fields, **more})


def make_rules(*rules, account=ALL, **more):
    """Make a rule set of both products, with one account."""
    return RuleSet([COURSE, CLUB], rules, providers={"mail": account}, **more)


def actions(rules, event, **more):
    """Return the actions of the plan."""
    return [planned.action for planned in reference.plan(rules, event, **more).actions]


class TestPage:
    """The reference is one page, and independent of the engine."""

    def test_length(self):
        """It has fewer than 200 lines."""
        assert len(Path(reference.__file__).read_text().splitlines()) < 200

    def test_shares_nothing_with_the_engine(self):
        """It imports nothing from the engine; the classes of the result are in `listboss.plan`."""
        tree = ast.parse(inspect.getsource(reference))
        modules = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
        assert [] == [m for m in modules if m.startswith("listboss.engine")]

    def test_takes_no_shortcut_through_the_nouns(self):
        """It has its own readers, keys and digests."""
        tree = ast.parse(inspect.getsource(reference))
        names = {a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
        assert set() == names & {"READERS", "action_key", "digest", "language_range", "NEGATED"}


class TestIdle:
    """Why nothing is planned: the first reason that applies."""

    @pytest.mark.parametrize(
        ("idle", "changes"),
        [
            (Idle.UNADDRESSED, {"contact": None, "is_test": True}),
            (Idle.TEST, {"is_test": True, "product_id": "9"}),
            (Idle.UNKNOWN_PRODUCT, {"product_id": "9", "name": "no.such"}),
            (Idle.UNKNOWN_EVENT, {"name": "no.such"}),
            (Idle.UNKNOWN_PLAN, {"product_id": "2", "plan_id": "99", "plan_name": "Annual"}),
            (Idle.UNKNOWN_PLAN, {"product_id": "2", "plan_name": "Monthly"}),
            (Idle.UNKNOWN_PLAN, {"product_id": "2"}),
            (Idle.NO_RULE, {"product_id": "2", "plan_id": "20"}),
            (Idle.NO_RULE, {"product_id": "2", "name": "purchase.cart_abandoned"}),
            (Idle.NO_RULE, {"name": "purchase.refunded"}),
        ],
    )
    def test_reason(self, idle, changes):
        """The reasons are checked in this order."""
        assert idle is reference.plan(make_rules(rule(AddTag("x"))), make_event(**changes)).idle

    def test_a_plan_with_actions_is_not_idle(self):
        """A plan with actions has no such reason."""
        assert reference.plan(make_rules(rule(AddTag("x"))), make_event()).idle is None

    def test_tests_on_request(self):
        """A test event is planned with `include_tests=True`."""
        rules, event = make_rules(rule(AddTag("x"))), make_event(is_test=True)
        assert [AddTag("x")] == actions(rules, event, include_tests=True)


class TestWhichRulesRun:
    """Enabled rules without errors run, for their product, event and plan."""

    @pytest.mark.parametrize(
        "other",
        [
            rule(AddTag("x"), enabled=False),
            rule(AddTag("x"), event="purchase.refunded"),
            rule(AddTag("x"), product_id="2", plan_ids=["10"]),
            rule(AddTag("auto:x")),
            rule(AddTag("x"), provider="gone"),
        ],
    )
    def test_other_rules_do_not_run(self, other):
        """Disabled, other event, other product, reserved tag, provider not integrated."""
        assert [] == actions(make_rules(other), make_event())

    @pytest.mark.parametrize(
        ("runs", "plan"),
        [
            (True, {"plan_id": "10"}),
            (True, {"plan_id": "11"}),
            (True, {"plan_name": " ANNUAL"}),
            (False, {"plan_id": "20"}),
            (False, {"plan_id": "99", "plan_name": "Annual"}),
            (False, {"plan_name": "monthly"}),
        ],
    )
    def test_subscription_plan(self, runs, plan):
        """A plan is found by any of its ids or, without an id, by its name if it is unique."""
        rules = make_rules(rule(AddTag("x"), product_id="2", plan_ids=["11"]))
        expected = [AddTag("x")] if runs else []
        assert expected == actions(rules, make_event(product_id="2", **plan))


class TestConditions:
    """Comparisons hold only for known facts, and convert nothing."""

    @pytest.mark.parametrize(
        ("holds", "condition", "facts"),
        [
            (True, where.language == "pt", {"language": "pt_BR"}),
            (False, where.language == "pt-BR", {"language": "pt"}),
            (False, where.language == "pt", {"language": "ptx"}),
            (True, where.language != "pt", {"language": "en"}),
            (False, where.language != "pt", {}),
            (False, where.language != "pt", {"language": 3}),
            (True, where.country == "br", {"country": " Br "}),
            (False, ~(where.country == "PT"), {"country": "Brazil"}),
            (True, where.coupon.contains(" ABC"), {"coupon": "xabcx"}),
            (True, where.coupon.starts_with("Ab"), {"coupon": " ABC"}),
            (False, where.coupon.starts_with("b"), {"coupon": "abc"}),
            (True, where.offer == " aB3", {"offer": "aB3 "}),
            (False, where.offer == "aB3", {"offer": "Ab3"}),
            (True, where.offer.starts_with("aB"), {"offer": "aB3"}),
            (False, where.offer.starts_with("Ab"), {"offer": "aB3"}),
            (False, where.country == "FI", {"country": "\ufb01"}),
            (False, where.offer.is_set(), {"offer": " \t"}),
            (True, where.offer.is_missing(), {"offer": ""}),
            (True, where.installments.is_set(), {"installments": "twelve"}),
            (False, where.installments == 1, {"installments": True}),
            (False, where.installments == 150, {"installments": "150"}),
            (True, where.installments >= 6, {"installments": 6}),
            (False, where.installments > 6, {"installments": 6}),
            (True, where.installments < 6, {"installments": 5}),
            (True, where.installments <= 6, {"installments": 6}),
            (True, where.installments.between(1, 6), {"installments": 6}),
            (True, ~where.installments.between(1, 6), {"installments": 7}),
            (False, ~where.installments.between(1, 6), {}),
            (True, where.price == Decimal("49.9"), {"price": Decimal("49.90")}),
            (True, where.price > 49, {"price": 50}),
            (False, where.price == 1, {"price": True}),
            (True, where.payment_method.is_in("PIX", "BILLET"), {"payment_method": "pix"}),
            (False, where.payment_method.not_in("PIX"), {}),
            (True, where.payment_method.not_in("PIX"), {"payment_method": "HOTCARD"}),
            (True, where.is_order_bump == True, {"is_order_bump": True}),  # noqa: E712 # a condition
            (False, where.is_order_bump == True, {"is_order_bump": 1}),  # noqa: E712 # a condition
            (
                True,
                where.approved_at == NOON,
                {"approved_at": NOON.astimezone(timezone(timedelta(hours=9)))},
            ),
            (True, ~((where.country == "BR") & (where.offer == "a")), {"offer": "b"}),
            (False, ~((where.country == "BR") | (where.offer == "a")), {"offer": "b"}),
        ],
    )
    def test_holds(self, holds, condition, facts):
        """Each comparison holds for the facts that the documentation says."""
        rules = make_rules(rule(AddTag("x"), condition=condition))
        expected = [AddTag("x")] if holds else []
        assert expected == actions(rules, make_event(facts=facts))


class TestMerging:
    """Equal actions become one, with all their reasons and data."""

    def test_spellings_reasons_and_data(self):
        """The first spelling in sorted order is sent, with all reasons and all known data."""
        rules = make_rules(
            rule(AddTag("vip"), id="r2", send=["name"]),
            rule(AddTag(" VIP"), id="r1", send=["email", "price", "phone", "offer"]),
        )
        (vip,) = reference.plan(rules, make_event(facts={"price": 0, "offer": " "})).actions
        assert AddTag(" VIP") == vip.action
        assert ("r1", "r2") == vip.because
        assert {"email": "Ana@example.com", "name": "Ana", "price": 0} == dict(vip.data)
        assert "Ana@example.com" == vip.email

    def test_id(self):
        """An id is two digests of length-prefixed strings; these were made with `b2sum -l 96`."""
        of_event = "1217136cc6c780e6d4827680"  # of 3:e-14:mail15:ana@example.com
        of_action = "1a0e83258b8e5b3ccfb1b653"  # of 7:add_tag3:vip
        (tag,) = reference.plan(make_rules(rule(AddTag("VIP "))), make_event()).actions
        assert f"{of_event}-{of_action}" == tag.id

    def test_order(self):
        """Removals come first, then moves, adds, tags, and the actions of this provider alone."""
        account = Capabilities(
            add_tag="native",
            remove_tag="native",
            add_lead="native",
            move_lead="native",
            remove_lead="native",
            verbs=["acme.enrol"],
        )
        wanted = [
            ProviderAction("acme.enrol"),
            AddTag("b"),
            AddTag("a"),
            AddLead(),
            MoveLead("x", source="y"),
            RemoveLead("z"),
            RemoveTag("c"),
        ]
        expected = [*reversed(wanted[3:]), AddTag("a"), AddTag("b"), ProviderAction("acme.enrol")]
        assert expected == actions(make_rules(rule(*wanted), account=account), make_event())


class TestConflicts:
    """An action that removes wins; otherwise the one declared first."""

    @pytest.mark.parametrize(
        ("kept", "dropped", "row", "target"),
        [
            (RemoveTag("A "), AddTag("a"), "remove_wins", "a"),
            (RemoveLead("L"), AddLead("l "), "remove_wins", "list=l"),
            (RemoveLead("L"), MoveLead("l", source="m"), "remove_wins", "list=l"),
            (MoveLead("a"), MoveLead("b"), "first_wins", "list=b"),
            (MoveLead("a", source="s"), MoveLead("b", source="S"), "first_wins", "list=b"),
            (MoveLead("a", source="s"), MoveLead("b"), "first_wins", "list=b"),
            (MoveLead("a", source="s"), MoveLead("b", source="a"), "first_wins", "list=b"),
            (MoveLead("b", source="a"), MoveLead("a", source="s"), "first_wins", "list=a"),
            (AddLead("a"), MoveLead("b", source="a"), "first_wins", "list=b"),
            (MoveLead("b", source="a"), AddLead("a"), "first_wins", "list=a"),
            (AddLead("a"), MoveLead("b"), "first_wins", "list=b"),
        ],
    )
    def test_row(self, kept, dropped, row, target):
        """Each row of the table drops one of two actions, and the conflict says which and why."""
        first, second = (kept, dropped) if row == "first_wins" else (dropped, kept)
        plan = reference.plan(make_rules(rule(first, id="r1"), rule(second, id="r2")), make_event())
        assert [kept] == [planned.action for planned in plan.actions]
        (conflict,) = plan.conflicts
        assert ("mail", target, kept, dropped, row) == (
            conflict.provider,
            conflict.target,
            conflict.kept,
            conflict.dropped,
            conflict.rule,
        )

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (MoveLead("a", source="s"), MoveLead("b", source="t")),
            (AddLead("a"), MoveLead("a")),
            (AddLead("a"), AddLead("b")),
            (AddLead(), MoveLead("b")),
            (AddTag("a"), RemoveTag("b")),
            (AddLead("a"), RemoveLead("b")),
            (RemoveLead("a"), MoveLead("b", source="a")),
        ],
    )
    def test_no_conflict(self, one, other):
        """Actions that do not contradict each other all stay, in either order."""
        for pair in ((one, other), (other, one)):
            assert () == reference.plan(make_rules(rule(*pair)), make_event()).conflicts

    def test_one_place(self):
        """If a contact can be at one place only, the first add wins; the base is not a place."""
        account = Capabilities(add_lead="native", one_place=True)
        rules = make_rules(
            rule(AddLead(), AddLead("a"), id="r1"), rule(AddLead("b"), id="r2"), account=account
        )
        assert [AddLead(), AddLead("a")] == actions(rules, make_event())

    def test_the_reported_winner_is_in_the_plan(self):
        """A conflict reports a winner that was not dropped itself."""
        rules = make_rules(
            rule(MoveLead("a", source="x"), id="r1"),
            rule(RemoveLead("a"), id="r0"),
            rule(MoveLead("b", source="y"), id="r2"),
            rule(MoveLead("c"), id="r3"),
        )
        plan = reference.plan(rules, make_event())
        assert [RemoveLead("a"), MoveLead("b", source="y")] == [a.action for a in plan.actions]
        assert [RemoveLead("a"), MoveLead("b", source="y")] == [c.kept for c in plan.conflicts]


class TestCapture:
    """Capture records every contact, and sets the automatic tags."""

    def test_refund(self):
        """A refund adds its tag, and removes the tags of what happened before."""
        rules = make_rules(capture_provider="mail")
        planned = reference.plan(rules, make_event("purchase.refunded")).actions
        assert [
            (RemoveTag("auto:cart-abandonment:1"), ("auto.cart_abandonment",)),
            (RemoveTag("auto:purchase-approved:1"), ("auto.purchase_approved",)),
            (RemoveTag("auto:purchase-delayed:1"), ("auto.purchase_delayed",)),
            (RemoveTag("auto:purchase-pending:1"), ("auto.purchase_pending",)),
            (RemoveTag("auto:purchase-protested:1"), ("auto.purchase_protested",)),
            (AddLead(), ("auto.capture",)),
            (AddTag("auto:purchase-refunded:1"), ("auto.purchase_refunded",)),
        ] == [(action.action, action.because) for action in planned]
        assert all(action.automatic for action in planned)

    @pytest.mark.parametrize(("charge", "expected"), [(1, True), (2, False), (True, False)])
    def test_first_charge(self, charge, expected):
        """The approval of a first charge removes the tag of a canceled subscription."""
        rules = make_rules(capture_provider="mail")
        event = make_event(facts={"recurrence_number": charge})
        planned = [action.action for action in reference.plan(rules, event).actions]
        assert expected is (RemoveTag("auto:subscription-canceled:1") in planned)

    @pytest.mark.parametrize(
        ("account", "data", "expected"),
        [
            (ALL, ["email", "name"], 2),
            (Capabilities(add_lead="native", data=["phone"]), ["email"], 1),
            (Capabilities(add_tag="native"), ["email", "name"], 1),
            (Capabilities(add_tag="native", events=["purchase.refunded"]), [], 0),
        ],
    )
    def test_what_the_account_can_do(self, account, data, expected):
        """Capture leaves out what the account cannot do; it always sends the e-mail address."""
        rules = make_rules(account=account, capture_provider="mail")
        planned = reference.plan(rules, make_event("club.free_registration")).actions
        assert expected == len(planned)
        assert [data] * expected == [list(action.data) for action in planned]

    @pytest.mark.parametrize("provider", [None, "gone"])
    def test_off(self, provider):
        """Nothing is captured without an account for it, or if the account is not integrated."""
        assert [] == actions(make_rules(capture_provider=provider), make_event())

    def test_product_not_approved(self):
        """Nothing is captured for a product that is not approved."""
        rules = RuleSet([Product("1", "Course")], providers={"mail": ALL}, capture_provider="mail")
        assert Idle.NO_RULE is reference.plan(rules, make_event()).idle

    def test_with_a_custom_rule(self):
        """`AddLead()` of a rule merges with that of capture, and has both reasons."""
        rules = make_rules(rule(AddLead(), send=["offer"]), capture_provider="mail")
        lead = next(
            planned
            for planned in reference.plan(rules, make_event(facts={"offer": "x"})).actions
            if planned.action == AddLead()
        )
        assert (("auto.capture", "r1"), True) == (lead.because, lead.automatic)
        assert {"email": "Ana@example.com", "name": "Ana", "offer": "x"} == dict(lead.data)
