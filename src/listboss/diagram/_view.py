"""What a diagram shows: products, their events, and the rules on each, with their findings.

Everything is in a stable order: products as declared, events as in the catalogue, rules as
declared. Automatic actions come from the engine, so a diagram has exactly those that a plan
would have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import attrs

from listboss.engine.planning.capture import Capture
from listboss.rules.action import Action
from listboss.rules.catalogue import Catalogue
from listboss.rules.finding import Finding, Severity
from listboss.rules.ruleset import RuleSet
from listboss.rules.segmentation import Product, Segmentation

__all__ = [
    "AutomaticAction",
    "EventView",
    "ProductView",
    "RuleView",
    "View",
    "label",
    "view",
]


@attrs.frozen
class RuleView:
    """A custom segmentation, and the findings about it and perhaps other rules.

    `key` is its id inside the diagram: ids of rules may have any characters.
    """

    key: str
    rule: Segmentation
    findings: tuple[Finding, ...]

    @property
    def is_flagged(self) -> bool:
        """Whether the rule has an error, and so never runs."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


@attrs.frozen
class AutomaticAction:
    """One action of automatic capture; `first_charge` if only the first charge has it."""

    action: Action
    first_charge: bool


@attrs.frozen
class EventView:
    """One event of a product, with the rules that it may start."""

    name: str
    label: str
    rules: tuple[RuleView, ...]
    automatic: tuple[AutomaticAction, ...]


@attrs.frozen
class ProductView:
    """One product with its events; `product` is None if the rule set does not have it."""

    key: str
    id: str
    product: Product | None
    has_automatic: bool
    findings: tuple[Finding, ...]
    events: tuple[EventView, ...]

    @property
    def name(self) -> str:
        """The name, or the id of an unknown product."""
        return self.id if self.product is None else self.product.name

    @property
    def rules(self) -> tuple[RuleView, ...]:
        """The rules of all events."""
        return tuple(rule for event in self.events for rule in event.rules)


@attrs.frozen
class View:
    """A whole rule set: its products, and all rules by the id of their segmentation.

    `findings` are those about no single product.
    """

    products: tuple[ProductView, ...]
    rules: Mapping[str, RuleView]
    findings: tuple[Finding, ...]


def view(rules: RuleSet, findings: Iterable[Finding]) -> View:
    """Arrange a rule set for a diagram, with each finding at what it is about."""
    of_rule: dict[str, list[Finding]] = defaultdict(list)
    of_product: dict[str, list[Finding]] = defaultdict(list)
    of_all: list[Finding] = []
    shown = dict.fromkeys([*(product.id for product in rules.products), *rules.rules_by_product])
    for finding in findings:
        named = dict.fromkeys((finding.segmentation_id, *finding.others))
        about = [id for id in named if id is not None and id in rules]
        for segmentation_id in about:
            of_rule[segmentation_id].append(finding)
        if about:
            continue
        if finding.product_id is not None and finding.product_id in shown:
            of_product[finding.product_id].append(finding)
        else:
            of_all.append(finding)
    capture = Capture.of(rules)
    keys = {rule.id: f"r{n}" for n, rule in enumerate(rules, 1)}
    products: list[ProductView] = []
    for n, product_id in enumerate(shown, 1):
        product = rules.product(product_id)
        used = capture if product is not None and product.approved_at is not None else None
        views = [
            RuleView(keys[rule.id], rule, tuple(of_rule[rule.id]))
            for rule in rules.rules_of(product_id)
        ]
        products.append(
            ProductView(
                f"p{n}",
                product_id,
                product,
                used is not None,
                tuple(of_product[product_id]),
                _events(rules, product_id, views, used),
            )
        )
    by_id = {each.rule.id: each for product in products for each in product.rules}
    return View(tuple(products), by_id, tuple(of_all))


def _events(
    rules: RuleSet, product_id: str, views: Iterable[RuleView], capture: Capture | None
) -> tuple[EventView, ...]:
    by_event: dict[str, list[RuleView]] = defaultdict(list)
    for each in views:
        by_event[each.rule.event].append(each)
    known = [event.name for event in rules.catalogue.events if event.name in by_event]
    return tuple(
        EventView(
            name,
            label(name, rules.catalogue),
            tuple(by_event[name]),
            _automatic(product_id, name, capture),
        )
        for name in dict.fromkeys([*known, *by_event])
    )


def _automatic(
    product_id: str, event_name: str, capture: Capture | None
) -> tuple[AutomaticAction, ...]:
    if capture is None:
        return ()
    always, first = capture.actions(product_id, event_name)
    return tuple(AutomaticAction(each.action, each not in always) for each in first)


def label(event_name: str, catalogue: Catalogue) -> str:
    """Return the label of an event, or the name of an unknown one."""
    event = catalogue.event(event_name)
    return event_name if event is None else event.label
