"""All rules of a host in one immutable value: products, segmentations, providers.

Rules are kept by product, so that a change to one product leaves the others untouched. A
rule set accepts any rule that can be written; `findings` says what is wrong with it, and a
rule with an error never runs. Ids are unique; automatic segmentations cannot be added,
replaced, disabled or removed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias, cast

import attrs

from listboss.errors import (
    DuplicateIdError,
    RuleError,
    UnknownIdError,
)
from listboss.rules._facts import operators_of
from listboss.rules._mapping import FrozenMap, look_up
from listboss.rules._size import Sizes
from listboss.rules._text import (
    fold,
    quoted,
    require_id,
    require_tuple,
    suggestion,
    wrong_type,
)
from listboss.rules.automatic import AUTOMATIC, AutomaticSegmentation, refuse_automatic_id
from listboss.rules.builtin import HOTMART
from listboss.rules.capabilities import Capabilities, require_accounts
from listboss.rules.catalogue import Catalogue, EventType, FactType
from listboss.rules.condition import Operator
from listboss.rules.dashboard import (
    DashboardEntry,
    RuleSetDiff,
    beta_findings,
    capture_findings,
    case_findings,
    identifier_spellings,
    name_findings,
    name_key,
)
from listboss.rules.finding import Finding, FindingsDiff, Severity, findings_between
from listboss.rules.review import ReviewContext, flagged_error, review
from listboss.rules.segmentation import Product, Segmentation

__all__ = ["RuleSet"]

_ByProduct: TypeAlias = dict[str, tuple[Segmentation, ...]]


@attrs.frozen(init=False, repr=False)
class RuleSet:
    """Products, custom segmentations and provider accounts; immutable and ordered.

    `providers` maps the name of each integrated account to its `Capabilities`.
    `capture_provider` names the account of automatic capture, None for no capture. Two
    products or two segmentations with the same id raise `DuplicateIdError`. Rules that are too
    large together, so that an event would have to wait for them, raise `RuleError`.

    >>> from listboss import AddTag, Capabilities, EventName
    >>> from datetime import date
    >>> course = Product("42", "Course", approved_at=date(2025, 1, 1))
    >>> buyers = Segmentation(
    ...     "Buyers",
    ...     product_id="42",
    ...     provider="mail",
    ...     event=EventName.PURCHASE_APPROVED,
    ...     actions=AddTag("buyer"),
    ... )
    >>> rules = RuleSet([course], [buyers], providers={"mail": Capabilities.everything()})
    >>> rules.enable(buyers.id).segmentation(buyers.id).enabled
    True
    >>> rules.remove(buyers.id)
    <RuleSet of 1 products and 0 segmentations>
    """

    __attrs_init__: ClassVar[Any]  # made by attrs: sets the fields, in their order
    _products: dict[str, Product] = attrs.field(hash=False)
    _by_product: _ByProduct = attrs.field(hash=False)
    _owner: dict[str, str] = attrs.field(eq=False)
    providers: FrozenMap[str, Capabilities]
    catalogue: Catalogue
    capture_provider: str | None
    _sizes: Sizes = attrs.field(eq=False)

    def __init__(
        self,
        products: Iterable[Product] = (),
        segmentations: Iterable[Segmentation] = (),
        *,
        providers: Mapping[str, Capabilities] | None = None,
        catalogue: Catalogue = HOTMART,
        capture_provider: str | None = None,
    ) -> None:
        if not isinstance(cast("object", catalogue), Catalogue):
            raise wrong_type("a catalogue", catalogue, "$.catalogue")
        by_id = _products_by_id(products)
        rules = require_tuple(segmentations, "$.segmentations", Segmentation, AutomaticSegmentation)
        by_product, owner = _by_product_and_owner({}, {}, rules)
        if capture_provider is not None:
            capture_provider = require_id(capture_provider, "$.capture_provider", RuleError)
        accounts = require_accounts({} if providers is None else providers)
        sizes = Sizes().changed(rules)
        self.__attrs_init__(by_id, by_product, owner, accounts, catalogue, capture_provider, sizes)

    def __repr__(self) -> str:
        return f"<RuleSet of {len(self._products)} products and {len(self)} segmentations>"

    def __len__(self) -> int:
        return len(self._owner)

    def __contains__(self, segmentation_id: object) -> bool:
        return segmentation_id in self._owner

    def __iter__(self) -> Iterator[Segmentation]:
        for rules in self._by_product.values():
            yield from rules

    # Contents

    @property
    def products(self) -> tuple[Product, ...]:
        """The products, in the order given."""
        return tuple(self._products.values())

    @property
    def segmentations(self) -> tuple[Segmentation, ...]:
        """The custom segmentations by product, and in declared order within each."""
        return tuple(self)

    @property
    def rules_by_product(self) -> Mapping[str, tuple[Segmentation, ...]]:
        """The custom segmentations of each product that has some, unknown products included."""
        return MappingProxyType(self._by_product)

    def product(self, product_id: str) -> Product | None:
        """Return the product, or None."""
        return look_up(self._products, product_id, "$.product_id")

    def rules_of(self, product_id: str) -> tuple[Segmentation, ...]:
        """Return the custom segmentations of one product, in declared order."""
        return look_up(self._by_product, product_id, "$.product_id") or ()

    def segmentation(self, segmentation_id: str) -> Segmentation:
        """Return the custom segmentation; raises `UnknownIdError`."""
        rules = self.rules_of(self._owner_of(segmentation_id))
        return next(rule for rule in rules if rule.id == segmentation_id)

    def _owner_of(self, segmentation_id: str) -> str:
        require_id(segmentation_id, "$", RuleError)
        if segmentation_id not in self._owner:
            refuse_automatic_id(segmentation_id)
            hint = suggestion(segmentation_id, self._owner, "look the id up in `segmentations`")
            named = (rule.id for rule in self if fold(rule.name) == fold(segmentation_id))
            if (id_of_name := next(named, None)) is not None:
                hint = f"the id of the segmentation with this name is {quoted(id_of_name)}"
            raise UnknownIdError(f"unknown segmentation {quoted(segmentation_id)}", hint=hint)
        return self._owner[segmentation_id]

    def _account(self, name: str) -> Capabilities | None:
        return look_up(self.providers, name, "$.provider")

    # Choices for a form

    def events_for(self, product_id: str, provider: str) -> tuple[EventType, ...]:
        """Return the events to offer for a product at a provider.

        Only the events compatible with the chosen product are offered; for an unknown product
        or provider there are none.
        """
        product, account = self.product(product_id), self._account(provider)
        if product is None or account is None:
            return ()
        offered = self.catalogue.events_for(product.kind)
        return tuple(event for event in offered if account.takes_event(event.name))

    def facts_for(self, event_name: str) -> tuple[FactType, ...]:
        """Return the facts that conditions on an event may use."""
        return self.catalogue.facts_of(event_name)

    def operators_for(self, fact_name: str) -> tuple[Operator, ...]:
        """Return the operators that fit a fact; for an unknown fact there are none."""
        fact = self.catalogue.fact(fact_name)
        return () if fact is None else operators_of(fact.kind)

    def actions_for(self, provider: str) -> tuple[str, ...]:
        """Return the kinds of action that a provider offers, then its own verbs.

        Not all providers offer the same actions: each has its own capabilities.
        """
        account = self._account(provider)
        return () if account is None else account.kinds()

    # Changes: each returns a new rule set

    def add(self, *segmentations: Segmentation) -> RuleSet:
        """Return a rule set with more rules; an id that exists raises `DuplicateIdError`."""
        by_product, owner = _by_product_and_owner(self._by_product, self._owner, segmentations)
        sizes = self._sizes.changed(segmentations)
        return self._evolved(_by_product=by_product, _owner=owner, _sizes=sizes)

    def replace(self, segmentation: Segmentation) -> RuleSet:
        """Return a rule set with the rule of that id replaced, at the same position.

        A rule for another product goes to the end of the rules of that one. Raises
        `UnknownIdError` if no rule has the id.
        """
        _require_custom(segmentation)
        product_id = self._owner_of(segmentation.id)
        if segmentation.product_id != product_id:
            return self.remove(segmentation.id).add(segmentation)
        rules = list(self._by_product[product_id])
        at = _position(rules, segmentation.id)
        sizes = self._sizes.changed([segmentation], [rules[at]])
        rules[at] = segmentation
        by_product = {**self._by_product, product_id: tuple(rules)}
        return self._evolved(_by_product=by_product, _sizes=sizes)

    def remove(self, segmentation_id: str) -> RuleSet:
        """Return a rule set without the rule; contacts keep the tags that it added."""
        product_id = self._owner_of(segmentation_id)
        rules = list(self._by_product[product_id])
        sizes = self._sizes.changed((), [rules.pop(_position(rules, segmentation_id))])
        by_product = {**self._by_product, product_id: tuple(rules)}
        if not rules:
            del by_product[product_id]
        owner = {rule: product for rule, product in self._owner.items() if rule != segmentation_id}
        return self._evolved(_by_product=by_product, _owner=owner, _sizes=sizes)

    def enable(self, segmentation_id: str) -> RuleSet:
        """Return a rule set with the rule switched on.

        A rule with error findings is flagged for review before use: it raises
        `FlaggedSegmentationError`, which has the findings.
        """
        rule = self.segmentation(segmentation_id)
        findings = review(rule, self.review_context(rule))
        if any(finding.severity is Severity.ERROR for finding in findings):
            raise flagged_error(rule, findings)
        return self.replace(attrs.evolve(rule, enabled=True))

    def disable(self, segmentation_id: str) -> RuleSet:
        """Return a rule set with the rule switched off."""
        return self.replace(attrs.evolve(self.segmentation(segmentation_id), enabled=False))

    def with_product(self, product: Product) -> RuleSet:
        """Return a rule set with the product added, or replaced if its id exists."""
        if not isinstance(cast("object", product), Product):
            raise wrong_type("a product", product, "$.products")
        return self._evolved(_products={**self._products, product.id: product})

    def with_provider(self, name: str, capabilities: Capabilities) -> RuleSet:
        """Return a rule set with the account integrated, or its capabilities replaced."""
        name = require_id(name, "$.providers", RuleError)
        return self._evolved(providers=require_accounts({**self.providers, name: capabilities}))

    def without_provider(self, name: str) -> RuleSet:
        """Return a rule set without the account; its rules stay and are flagged."""
        if self._account(name) is None:
            raise UnknownIdError(
                f"unknown provider {quoted(name)}", hint=suggestion(name, self.providers)
            )
        accounts = {key: value for key, value in self.providers.items() if key != name}
        return self._evolved(providers=FrozenMap(accounts))

    def _evolved(self, **changes: object) -> RuleSet:
        new: RuleSet = object.__new__(RuleSet)
        fields = {name: getattr(self, name) for name in _FIELDS}
        new.__attrs_init__(*{**fields, **changes}.values())
        return new

    # Findings

    def review_context(self, rule: Segmentation) -> ReviewContext:
        """Return what the rule is reviewed against."""
        return ReviewContext(
            self._products.get(rule.product_id),
            self.providers.get(rule.provider),
            self.catalogue,
            self._products.keys(),
            self.providers.keys(),
        )

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings: about the whole rule set first, then product by product."""
        own = capture_findings(self.capture_provider, self.providers)
        products = dict.fromkeys((*self._products, *self._by_product))
        return own + tuple(f for product_id in products for f in self.findings_of(product_id))

    def findings_of(self, product_id: str) -> tuple[Finding, ...]:
        """Return the findings about one product and its segmentations."""
        product = self.product(product_id)
        beta = () if self.capture_provider is None else beta_findings(product)
        entries = self.for_product(product_id)
        return beta + tuple(finding for entry in entries for finding in entry.findings)

    def for_product(self, product_id: str) -> tuple[DashboardEntry, ...]:
        """Return the dashboard of a product: automatic segmentations first, then custom.

        Each entry has its findings. Automatic segmentations appear on approved products if
        the rule set has a `capture_provider`.
        """
        rules = self.rules_of(product_id)
        names = Counter(rule.name for rule in rules)
        keys = Counter(name_key(rule.name) for rule in rules)
        spellings = identifier_spellings(rules, self.catalogue)
        product = self._products.get(product_id)
        automatic: tuple[DashboardEntry, ...] = ()
        if self.capture_provider is not None and product is not None and product.approved_at:
            automatic = tuple(DashboardEntry(row) for row in AUTOMATIC)
        return automatic + tuple(
            DashboardEntry(
                rule,
                review(rule, self.review_context(rule))
                + name_findings(rule, names, keys)
                + case_findings(rule, spellings, self.catalogue),
            )
            for rule in rules
        )

    def diff(self, other: RuleSet) -> RuleSetDiff:
        """Return the ids of the segmentations that `other` adds, removes and changes."""
        if not isinstance(cast("object", other), RuleSet):
            raise wrong_type("a rule set", other, "$.other")
        mine, theirs = ({rule.id: rule for rule in rules} for rules in (self, other))
        settings = ("products", "providers", "catalogue", "capture_provider")
        return RuleSetDiff(
            added=tuple(i for i in theirs if i not in mine),
            removed=tuple(i for i in mine if i not in theirs),
            changed=tuple(i for i in mine if i in theirs and mine[i] != theirs[i]),
            settings=tuple(n for n in settings if getattr(self, n) != getattr(other, n)),
        )

    def findings_diff(self, other: RuleSet) -> FindingsDiff:
        """Return what is wrong in `other` and not here, and what is wrong here and not there."""
        return findings_between(self.findings, other.findings, [rule.id for rule in other])


_FIELDS = tuple(field.name for field in attrs.fields(RuleSet))


def _products_by_id(products: Iterable[Product]) -> dict[str, Product]:
    by_id: dict[str, Product] = {}
    for n, product in enumerate(require_tuple(products, "$.products", Product)):
        if not isinstance(product, Product):
            raise wrong_type("a product", product, f"$.products[{n}]")
        if product.id in by_id:
            raise DuplicateIdError(
                f"products {quoted(by_id[product.id].name)} and {quoted(product.name)} have the"
                f" same id {quoted(product.id)}",
                path=f"$.products[{n}]",
                hint="give one of them another id",
            )
        by_id[product.id] = product
    return by_id


def _require_custom(rule: object) -> None:
    if isinstance(rule, (AutomaticSegmentation, Segmentation)):
        refuse_automatic_id(rule.id)
    else:
        raise wrong_type("a segmentation", rule, "$.segmentations")


def _by_product_and_owner(
    by_product: _ByProduct, owner: dict[str, str], rules: Iterable[Segmentation]
) -> tuple[_ByProduct, dict[str, str]]:
    """Return copies of the two tables with the segmentations added."""
    fresh: dict[str, list[Segmentation]] = {}
    owner = dict(owner)
    for rule in rules:
        _require_custom(rule)
        if rule.id in owner:
            product_id = owner[rule.id]
            old = (*by_product.get(product_id, ()), *fresh.get(product_id, ()))
            name = next(each.name for each in old if each.id == rule.id)
            raise DuplicateIdError(
                f"segmentations {quoted(name)} and {quoted(rule.name)} have the same id"
                f" {quoted(rule.id)}",
                path="$.segmentations",
                hint="give one of them another `id`, or another name if it has no `id`",
            )
        owner[rule.id] = rule.product_id
        fresh.setdefault(rule.product_id, []).append(rule)
    grown = {product: (*by_product.get(product, ()), *rules) for product, rules in fresh.items()}
    return {**by_product, **grown}, owner


def _position(rules: list[Segmentation], segmentation_id: str) -> int:
    return next(n for n, rule in enumerate(rules) if rule.id == segmentation_id)
