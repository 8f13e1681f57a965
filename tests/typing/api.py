"""The types of the public names, checked by mypy and pyright; this file is never run."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import assert_type

from listboss import (
    AUTOMATIC,
    HOTMART,
    Action,
    AddLead,
    AddTag,
    AllOf,
    AnalysisCode,
    AnyOf,
    AsyncProvider,
    AutomaticSegmentation,
    Capabilities,
    Catalogue,
    Comparison,
    Condition,
    Conflict,
    Contact,
    Engine,
    Event,
    EventName,
    EventType,
    Explanation,
    FactType,
    Finding,
    Idle,
    ListBossError,
    MoveLead,
    Not,
    Place,
    Plan,
    PlannedAction,
    Product,
    ProductKind,
    Provider,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    RuleSet,
    Segmentation,
    Severity,
    SubscriptionPlan,
    where,
)
from listboss.delivery import Journal, MemoryJournal, SqliteJournal
from listboss.engine import ConflictRule, Reason, RuleOutcome
from listboss.provider import Applied, Call, Outcome
from listboss.rules import (
    DashboardEntry,
    FactValue,
    FindingCode,
    FrozenMap,
    Operator,
    RuleSetDiff,
    Subject,
    Verb,
)

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def nouns() -> tuple[RuleSet, Event]:
    """Make each noun with the arguments that a user would write."""
    contact = Contact("ana@example.com", name="Ana", phone=None)
    assert_type(contact.email, str)
    assert_type(contact.name, str | None)
    assert_type(contact.key, str)

    event = Event(
        EventName.PURCHASE_APPROVED,
        id="e-1",
        product_id="42",
        contact=contact,
        occurred_at=NOW,
        facts={"price": Decimal("9.90"), "installments": 6, "is_order_bump": False},
    )
    assert_type(event.name, EventName | str)
    assert_type(event.contact, Contact | None)
    assert_type(event.facts, FrozenMap[str, FactValue])
    assert_type(event.with_facts(language="en"), Event)
    assert_type(event.with_facts({"language": "en"}), Event)

    product = Product(
        "42",
        "Course",
        kind=ProductKind.SUBSCRIPTION,
        plans=[SubscriptionPlan("10", "Monthly", also=("11",))],
        approved_at=date(2025, 1, 1),
    )
    assert_type(product.plans, tuple[SubscriptionPlan, ...])
    assert_type(product.approved_at, datetime | None)
    assert_type(product.plan("10"), SubscriptionPlan | None)
    assert_type(product.has_beta_capture, bool)

    rule = Segmentation(
        "Buyers",
        product_id="42",
        provider="mail",
        event="purchase.approved",
        actions=AddTag("buyer"),
        condition=where.language == "en",
        plan_ids=["10"],
        send=("email", "offer"),
        enabled=True,
    )
    assert_type(rule.id, str)
    assert_type(rule.actions, tuple[Action, ...])
    assert_type(rule.condition, Condition | None)
    assert_type(rule.send, tuple[str, ...])

    several = Segmentation(
        "Several",
        product_id="42",
        provider="mail",
        event=EventName.PURCHASE_APPROVED,
        actions=[RemoveTag("prospect"), AddLead("Buyers"), MoveLead("A", source=Place(list="B"))],
    )
    rules = RuleSet(
        [product],
        [rule, several],
        providers={"mail": Capabilities.everything()},
        catalogue=HOTMART,
        capture_provider="mail",
    )
    return rules, event


def conditions() -> Condition:
    """Compose conditions with Python's operators."""
    english = where.language == "en"
    assert_type(english, Comparison)
    assert_type(where["my_own_fact"] != 3, Comparison)
    assert_type(where.installments >= 6, Comparison)
    assert_type(where.price < Decimal(10), Comparison)
    assert_type(where.country.is_in("BR", "PT"), Comparison)
    assert_type(where.price.between(1, 2), Comparison)
    assert_type(where.coupon.contains("x"), Comparison)
    assert_type(where.offer.is_set(), Comparison)
    assert_type(~english, Comparison | Not)
    assert_type(english & where.offer.is_missing(), AllOf)
    assert_type(english | where.offer.is_missing(), AnyOf)
    assert_type(~(english & english), AnyOf)
    assert_type(~(english | english), AllOf)
    assert_type(~Not(english), Condition)
    return AllOf(english, AnyOf(english), Not(english), Comparison("offer", "in", ["a", "b"]))


def actions() -> tuple[Action, ...]:
    """Make each kind of action; each is an `Action`."""
    assert_type(AddLead("Buyers").place, Place | None)
    assert_type(MoveLead("A").to, Place)
    assert_type(Place(machine="7").parts, FrozenMap[str, str])
    own = ProviderAction("acme.enrol", {"course": "welcome", "times": 2})
    assert_type(own.parameters, FrozenMap[str, FactValue])
    return (AddTag("x"), RemoveTag("x"), AddLead(), MoveLead("A"), RemoveLead("A"), own)


def tables() -> Catalogue:
    """Read the catalogue and the automatic segmentations."""
    assert_type(HOTMART, Catalogue)
    assert_type(HOTMART.event("purchase.approved"), EventType | None)
    assert_type(HOTMART.fact("offer"), FactType | None)
    assert_type(HOTMART.events_for(ProductKind.SINGLE), tuple[EventType, ...])
    assert_type(HOTMART.facts_of("purchase.approved"), tuple[FactType, ...])
    assert_type(AUTOMATIC, tuple[AutomaticSegmentation, ...])
    assert_type(AUTOMATIC[0].adds_on, tuple[EventName, ...])
    assert_type(AUTOMATIC[0].tag_for("42"), str)
    assert_type(AUTOMATIC[0].removes_on_first_charge, tuple[EventName, ...])
    assert_type(AUTOMATIC[0].permanent_reason, str | None)
    own = EventType("license.revoked", "Revoked", about="purchase", ends=True, rank=1)
    assert_type(own.about, Subject | None)
    assert_type(own.rank, int)
    return HOTMART.extended(events=[EventType("quiz.passed", "Passed"), own], facts=())


def rule_sets(rules: RuleSet, rule: Segmentation) -> None:
    """Query and change a rule set."""
    assert_type(rules.products, tuple[Product, ...])
    assert_type(rules.segmentations, tuple[Segmentation, ...])
    assert_type(rules.providers, FrozenMap[str, Capabilities])
    assert_type(rules.rules_by_product, Mapping[str, tuple[Segmentation, ...]])
    assert_type(rules.segmentation("r"), Segmentation)
    assert_type(rules.product("42"), Product | None)
    assert_type(rules.events_for("42", "mail"), tuple[EventType, ...])
    assert_type(rules.facts_for("purchase.approved"), tuple[FactType, ...])
    assert_type(rules.operators_for("price"), tuple[Operator, ...])
    assert_type(rules.actions_for("mail"), tuple[str, ...])
    assert_type(rules.add(rule, rule), RuleSet)
    assert_type(rules.replace(rule), RuleSet)
    assert_type(rules.remove("r"), RuleSet)
    assert_type(rules.enable("r"), RuleSet)
    assert_type(rules.disable("r"), RuleSet)
    assert_type(rules.with_product(Product("1", "Book")), RuleSet)
    assert_type(rules.with_provider("mail", Capabilities(verbs=(Verb("acme.enrol"),))), RuleSet)
    assert_type(rules.without_provider("mail"), RuleSet)
    assert_type(rules.findings, tuple[Finding, ...])
    assert_type(rules.for_product("42"), tuple[DashboardEntry, ...])
    assert_type(rules.diff(rules), RuleSetDiff)
    for entry in rules.for_product("42"):
        assert_type(entry.segmentation, AutomaticSegmentation | Segmentation)
        for finding in entry.findings:
            assert_type(finding.code, FindingCode | AnalysisCode)
            assert_type(finding.severity, Severity)
            assert_type(finding.witness, Event | None)


def planning(rules: RuleSet, event: Event) -> None:
    """Plan and explain with an engine."""
    engine = Engine(rules)
    plan = engine.plan(event, include_tests=True)
    assert_type(plan, Plan)
    assert_type(plan.actions, tuple[PlannedAction, ...])
    assert_type(plan.conflicts, tuple[Conflict, ...])
    assert_type(plan.idle, Idle | None)
    assert_type(engine.plan_many(iter([event])), Iterator[Plan])
    assert_type(engine.with_rules(rules), Engine)
    assert_type(engine.warm(), Engine)
    assert_type(engine.rules, RuleSet)
    assert_type(engine.match(event), tuple[str, ...])
    test = engine.plan_test("r", Contact("ana@example.com"), id="t-1", occurred_at=NOW)
    assert_type(test, Plan)
    for planned in plan.actions:
        assert_type(planned.action, Action)
        assert_type(planned.data, FrozenMap[str, FactValue])
        assert_type(planned.because, tuple[str, ...])
        assert_type(planned.id, str)
    for conflict in plan.conflicts:
        assert_type(conflict.rule, ConflictRule)
        assert_type(conflict.kept, Action)
    explanation = engine.explain(event)
    assert_type(explanation, Explanation)
    assert_type(explanation.rules, tuple[RuleOutcome, ...])
    assert_type(explanation.markdown(), str)
    for outcome in explanation.rules:
        assert_type(outcome.reason, Reason | None)
        assert_type(outcome.comparison, Comparison | None)
        assert_type(outcome.actual, FactValue | None)


class MyProvider:
    """A provider of a host."""

    @property
    def capabilities(self) -> Capabilities:
        """Return what the account can do."""
        return Capabilities(add_tag="native", data=("name",), rate=60)

    def apply(self, action: PlannedAction, call: Call) -> Outcome:
        """Carry out an action."""
        assert_type(call.attempt, int)
        return Applied()


class MyAsyncProvider:
    """An asynchronous provider of a host."""

    @property
    def capabilities(self) -> Capabilities:
        """Return what the account can do."""
        return Capabilities.everything()

    async def apply(self, action: PlannedAction, call: Call) -> Outcome:
        """Carry out an action."""
        return Applied()


def providers() -> tuple[Provider, AsyncProvider]:
    """Both classes fit their protocols without inheriting from them."""
    return MyProvider(), MyAsyncProvider()


def journals() -> tuple[Journal, Journal]:
    """Both journals fit the protocol that executors take."""
    return MemoryJournal(), SqliteJournal("journal.db")


def errors(error: ListBossError) -> tuple[str, str, str]:
    """Read the three strings that each error has."""
    return error.code, error.path, error.hint
