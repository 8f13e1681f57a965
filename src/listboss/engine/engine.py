"""`Engine`: from an event to an action plan, as a pure function of immutable values.

No I/O, clock, randomness or global state: the same rules and the same event give the same
plan, in every process. Every matching rule counts; a disabled rule, or one with error
findings, never runs. An engine may be shared between threads and pickled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import attrs

from listboss.engine.explain import Explanation, explain
from listboss.engine.matching.bucket import Bucket
from listboss.engine.matching.router import Key, ProductIndex, index_product, updated
from listboss.engine.matching.scan import NOTHING
from listboss.engine.planning.binding import arranged, bound, settled
from listboss.engine.planning.capture import Capture
from listboss.engine.planning.compiled import Step, steps_of
from listboss.engine.planning.trial import dummy_event
from listboss.plan import Idle, Plan, plan_of
from listboss.rules.event import Contact, Event
from listboss.rules.review import flagged_error, is_flagged, review
from listboss.rules.ruleset import RuleSet

__all__ = ["Engine"]

LARGE = 256
"""A product with more rules than this is indexed at once, a smaller one on its first event."""
MOST_KEPT = 32_768
"""How many pairs of product and event an engine keeps at hand; with their automatic steps each
takes some hundred bytes to two kilobytes, for every subscription plan that it has events of."""


def _with(bucket: Bucket, automatic: tuple[Step, ...]) -> Bucket:
    return attrs.evolve(bucket, automatic=automatic) if automatic else bucket


@attrs.frozen(eq=False)
class _ByPlan:
    """The buckets of one product and event, where the event's subscription plan says which."""

    index: ProductIndex
    automatic: tuple[Step, ...]
    kept: dict[Key | None, Bucket] = attrs.field(factory=dict[Key | None, Bucket])

    def bucket(self, event: Event) -> Bucket:
        """Return the bucket of the event's plan."""
        key = self.index.key(event)
        bucket = self.kept.get(key)
        if bucket is None:
            bucket = self.kept[key] = _with(self.index.bucket(key), self.automatic)
        return bucket


class Engine:
    """Decides what an event asks for, by the rules of one `RuleSet`.

    Large products (over 256 segmentations) are indexed when the engine is made, others on
    their first event; `warm` does all at once.

    >>> from datetime import UTC, date, datetime
    >>> from listboss import AddTag, Capabilities, Product, Segmentation
    >>> rules = RuleSet(
    ...     [Product("42", "Course", approved_at=date(2025, 1, 1))],
    ...     [
    ...         Segmentation(
    ...             "Buyers",
    ...             id="buyers",
    ...             product_id="42",
    ...             provider="mail",
    ...             event="purchase.approved",
    ...             actions=AddTag("buyer"),
    ...             enabled=True,
    ...         )
    ...     ],
    ...     providers={"mail": Capabilities.everything()},
    ... )
    >>> event = Event(
    ...     "purchase.approved",
    ...     id="e-1",
    ...     product_id="42",
    ...     contact=Contact("ana@example.com"),
    ...     occurred_at=datetime(2026, 5, 4, tzinfo=UTC),
    ... )
    >>> [(planned.action, planned.because) for planned in Engine(rules).plan(event).actions]
    [(AddTag(tag='buyer'), ('buyers',))]
    """

    __slots__ = ("_capture", "_carries_plan", "_count", "_indexes", "_kept", "_rules")

    _rules: RuleSet
    _capture: Capture | None
    _carries_plan: Mapping[str, bool]
    _indexes: dict[str, ProductIndex]
    _kept: dict[str, dict[str, Bucket | _ByPlan]]  # by event name and product
    _count: int

    def __init__(self, rules: RuleSet) -> None:
        self._take(rules)
        for product_id, segmentations in rules.rules_by_product.items():
            if len(segmentations) > LARGE:
                self._index(product_id)

    def _take(self, rules: RuleSet) -> None:
        name = rules.capture_provider
        account = None if name is None else rules.providers.get(name)
        self._rules = rules
        self._capture = None if name is None or account is None else Capture(name, account)
        self._carries_plan = {kind.name: kind.carries_plan for kind in rules.catalogue.events}
        self._indexes = {}
        self._forget()

    def __repr__(self) -> str:
        return f"<Engine of {self._rules!r}>"

    def __reduce__(self) -> tuple[object, ...]:
        return (Engine, (self._rules,))

    @property
    def rules(self) -> RuleSet:
        """The rule set that the engine decides by."""
        return self._rules

    def with_rules(self, rules: RuleSet) -> Engine:
        """Return an engine for other rules that shares what did not change with this one.

        Only the buckets of changed rules are touched. A large one gets the change beside
        its index, until `warm`, or some two thousand changes, make it one piece again.
        """
        new = Engine.__new__(Engine)
        new._take(rules)
        old = self._rules
        if old.providers == rules.providers and old.catalogue == rules.catalogue:
            new._indexes = self._indexes.copy()
            product, rules_of = rules.product, rules.rules_of
            changed = [
                index
                for product_id, index in new._indexes.items()
                if rules_of(product_id) is not index.rules
                or product(product_id) is not index.product
            ]
            for index in changed:
                product_id = index.product.id
                if product(product_id) == index.product:
                    new._indexes[product_id] = updated(index, rules)
                else:
                    del new._indexes[product_id]
        return new

    def warm(self) -> Engine:
        """Index every product now and put changed buckets in one piece; return the engine.

        For hosts that want no event to pay for it.
        """
        for product in self._rules.products:
            index = self._indexes.get(product.id) or index_product(product, self._rules)
            self._indexes[product.id] = index.compacted(self._rules.catalogue)
        self._forget()
        return self

    def _index(self, product_id: str) -> ProductIndex | None:
        index = self._indexes.get(product_id)
        if index is None:
            product = self._rules.product(product_id)
            if product is None:
                return None
            index = self._indexes[product_id] = index_product(product, self._rules)
        return index

    # Other threads may plan, and so keep a bucket or index a product, at any time: what is
    # written depends on the rules alone. Only the count may drift.

    def _forget(self) -> None:
        self._kept = {name: {} for name in self._carries_plan}
        self._count = 0

    def _met(self, event: Event) -> Bucket | _ByPlan:
        """Find out, and keep at hand, what there is for the event's product and name."""
        index = self._index(event.product_id)
        if index is None:
            return NOTHING[Idle.UNKNOWN_PRODUCT]
        carries_plan = self._carries_plan.get(event.name)
        if carries_plan is None:
            return NOTHING[Idle.UNKNOWN_EVENT]
        automatic: tuple[Step, ...] = ()
        if self._capture is not None and index.product.approved_at is not None:
            automatic = self._capture.steps(event.product_id, event.name)
        found: Bucket | _ByPlan
        if carries_plan and index.plans is not None:
            found = _ByPlan(index, automatic)
        else:
            found = _with(index.bucket(event.name), automatic)
        if self._count >= MOST_KEPT:
            self._forget()
        self._count += 1
        self._kept[event.name][event.product_id] = found
        return found

    # Deciding

    def plan(self, event: Event, *, include_tests: bool = False) -> Plan:
        """Return the actions that the event asks for, or why there are none.

        Test events give no actions unless `include_tests`.
        """
        contact = event.contact
        if contact is None:
            return plan_of(event, (), (), Idle.UNADDRESSED)
        if event.is_test and not include_tests:
            return plan_of(event, (), (), Idle.TEST)
        bucket = self._bucket(event)
        found = bucket.match_steps(event.facts)
        if found:
            steps, conflicts = arranged(bucket, found)
            return bound(event, contact, steps, conflicts)
        if bucket.automatic:
            return bound(event, contact, bucket.automatic)
        return plan_of(event, (), (), bucket.idle)

    def _bucket(self, event: Event) -> Bucket:
        """Return what there is for the event, of its subscription plan if it carries one."""
        try:
            found = self._kept[event.name][event.product_id]
        except KeyError:
            found = self._met(event)
        return found.bucket(event) if isinstance(found, _ByPlan) else found

    def plan_many(self, events: Iterable[Event], *, include_tests: bool = False) -> Iterator[Plan]:
        """Plan events one after the other, in constant memory."""
        for event in events:
            yield self.plan(event, include_tests=include_tests)

    def match(self, event: Event) -> tuple[str, ...]:
        """Return the ids of the custom segmentations that hold for the event, as declared."""
        return self._bucket(event).match_ids(event.facts)

    # Telling and testing

    def explain(self, event: Event, *, include_tests: bool = False) -> Explanation:
        """Tell of every rule of the event's product that it runs, or why it does not."""
        return explain(self._rules, event, self.plan(event, include_tests=include_tests))

    def plan_test(
        self, segmentation_id: str, contact: Contact, *, id: str, occurred_at: datetime
    ) -> Plan:
        """Plan the integration test of one segmentation, with dummy data.

        Whether it is enabled and what its condition says does not count; one with error
        findings raises `FlaggedSegmentationError`. The plan is marked as a test.
        """
        rules = self._rules
        rule = rules.segmentation(segmentation_id)
        context = rules.review_context(rule)
        capabilities = context.capabilities
        if capabilities is None or is_flagged(rule, context):
            raise flagged_error(rule, review(rule, context))
        event = dummy_event(rule, contact, rules.catalogue, id=id, occurred_at=occurred_at)
        steps = list(steps_of(rule, capabilities))
        return bound(event, event.contact or contact, *settled(steps))
