"""What a host's dashboard shows: entries, findings about more than one rule, and changes.

`review` looks at one segmentation alone. This module has the findings about a product,
about automatic capture, about segmentations with the same name and about identifiers that
two of them write differently, and the difference between two rule sets.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeAlias

import attrs

from listboss.rules._facts import READERS
from listboss.rules._text import Readable, alternatives, fold, quoted, suggestion
from listboss.rules.automatic import AutomaticSegmentation
from listboss.rules.capabilities import Capabilities
from listboss.rules.catalogue import Catalogue, FactKind
from listboss.rules.condition import comparisons
from listboss.rules.finding import Finding, FindingCode, severity_of
from listboss.rules.segmentation import Product, Segmentation

__all__ = [
    "DashboardEntry",
    "RuleSetDiff",
    "Spellings",
    "beta_findings",
    "capture_findings",
    "case_findings",
    "identifier_spellings",
    "name_findings",
    "name_key",
]

Spellings: TypeAlias = Mapping[tuple[str, str], Mapping[str, set[str]]]
"""By identifier fact and folded value: each spelling, with the ids of the rules that have it."""


@attrs.frozen
class DashboardEntry(Readable):
    """One line of a product's dashboard: a segmentation and its findings."""

    segmentation: AutomaticSegmentation | Segmentation
    findings: tuple[Finding, ...] = ()

    @property
    def is_automatic(self) -> bool:
        """Whether it is a built-in, which cannot be edited or removed."""
        return isinstance(self.segmentation, AutomaticSegmentation)


@attrs.frozen(kw_only=True)
class RuleSetDiff:
    """The ids of segmentations that differ between two rule sets.

    `settings` names the other parts that differ, such as `products` or `providers`.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any((self.added, self.removed, self.changed, self.settings))


def capture_findings(
    provider: str | None, providers: Mapping[str, Capabilities]
) -> tuple[Finding, ...]:
    """Return the findings about the provider of automatic capture, if there is one."""
    if provider is None:
        return ()
    account = providers.get(provider)
    if account is None:
        return (
            Finding(
                FindingCode.CAPTURE_PROVIDER_MISSING,
                severity_of(FindingCode.CAPTURE_PROVIDER_MISSING),
                f"{quoted(provider)}, the provider of automatic capture, is not integrated",
                path="$.capture_provider",
                hint=suggestion(provider, providers, "add the account to `providers`"),
            ),
        )
    missing = [
        kind for kind in ("add_lead", "add_tag", "remove_tag") if account.ability(kind) == "none"
    ]
    if not missing:
        return ()
    return (
        Finding(
            FindingCode.CAPTURE_LIMITED,
            severity_of(FindingCode.CAPTURE_LIMITED),
            f"{quoted(provider)}, the provider of automatic capture, does not support "
            f"{alternatives(missing)}",
            path="$.capture_provider",
            hint="automatic capture leaves these actions out",
        ),
    )


def beta_findings(product: Product | None) -> tuple[Finding, ...]:
    """Return the warning that a product may have the beta version of capture."""
    if product is None or not product.has_beta_capture:
        return ()
    return (
        Finding(
            FindingCode.BETA_CAPTURE,
            severity_of(FindingCode.BETA_CAPTURE),
            "the product was approved before July 2024 and may have the beta version of capture",
            product_id=product.id,
            hint="add custom segmentations for the events that you must not miss",
        ),
    )


def name_key(name: str) -> str:
    """Return a key that two names share if they look the same to people.

    >>> name_key("New  Buyers ") == name_key("new buyers") == name_key("NewBuyers")
    True
    """
    text = name
    while (folded := unicodedata.normalize("NFKC", text).casefold()) != text:
        text = folded
    return "".join(text.split())


def name_findings(
    rule: Segmentation, names: Counter[str], keys: Counter[str]
) -> tuple[Finding, ...]:
    """Return the warning that another segmentation of the product has the same name.

    `names` and `keys` count the names of the product and the `name_key` of each.
    """
    if keys[name_key(rule.name)] == 1:
        return ()
    message = f"another segmentation of the product has the name {quoted(rule.name)}"
    if names[rule.name] == 1:
        message = (
            f"another segmentation of the product has a name that looks like {quoted(rule.name)}:"
            " only blanks, case or the Unicode form differ"
        )
    return (
        Finding(
            FindingCode.NAME_DUPLICATE,
            severity_of(FindingCode.NAME_DUPLICATE),
            message,
            segmentation_id=rule.id,
            product_id=rule.product_id,
            path="$.name",
            hint="rename one of them",
        ),
    )


def _identifiers(rule: Segmentation, catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    """Yield path, fact and value of each identifier that a rule compares with."""
    for path, comparison in comparisons(rule.condition, "$.condition"):
        fact, value = catalogue.fact(comparison.fact), comparison.value
        if fact is None or fact.kind is not FactKind.IDENTIFIER:
            continue
        for each in value if isinstance(value, tuple) else (value,):
            read = READERS[fact.kind](each)
            if isinstance(read, str):
                yield path, fact.name, read


def identifier_spellings(rules: Iterable[Segmentation], catalogue: Catalogue) -> Spellings:
    """Collect the identifiers that the rules of one product compare with."""
    spellings: dict[tuple[str, str], dict[str, set[str]]] = {}
    for rule in rules:
        for _, fact, value in _identifiers(rule, catalogue):
            spellings.setdefault((fact, fold(value)), {}).setdefault(value, set()).add(rule.id)
    return spellings


def case_findings(
    rule: Segmentation, spellings: Spellings, catalogue: Catalogue
) -> tuple[Finding, ...]:
    """Return a warning for each identifier that another rule has in another case."""
    findings: list[Finding] = []
    foreign: dict[tuple[str, str], list[str]] = {}  # two spellings that other rules have, too
    for path, fact, value in _identifiers(rule, catalogue):
        key = fact, fold(value)
        if key not in foreign:
            others = (other for other, ids in spellings[key].items() if ids != {rule.id})
            foreign[key] = [*islice(others, 2)]
        other = next((other for other in foreign[key] if other != value), None)
        if other is not None:
            findings.append(_case_finding(rule, path, fact, value, other))
    return tuple(findings)


def _case_finding(rule: Segmentation, path: str, fact: str, value: str, other: str) -> Finding:
    return Finding(
        FindingCode.VALUE_CASE,
        severity_of(FindingCode.VALUE_CASE),
        f"{quoted(fact)}: {quoted(value)} differs only by case from {quoted(other)} of another"
        " segmentation",
        segmentation_id=rule.id,
        product_id=rule.product_id,
        path=path,
        hint="identifiers compare exactly: correct the wrong one, or keep both if both exist",
    )
