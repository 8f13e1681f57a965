"""What a host's dashboard shows: entries, findings about more than one rule, and changes.

`review` looks at one segmentation alone. This module has the findings about a product,
about automatic capture and about segmentations with the same name, and the difference
between two rule sets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import attrs

from listboss.rules._text import alternatives, fold, suggestion
from listboss.rules.automatic import AutomaticSegmentation
from listboss.rules.capabilities import Capabilities
from listboss.rules.finding import Finding, FindingCode, severity_of
from listboss.rules.segmentation import Product, Segmentation

__all__ = ["DashboardEntry", "RuleSetDiff", "beta_findings", "capture_findings", "name_findings"]


@attrs.frozen
class DashboardEntry:
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
                f"`{provider}`, the provider of automatic capture, is not integrated",
                path="$.capture_provider",
                hint=suggestion(provider, providers, "integrate it with `RuleSet.with_provider`"),
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
            f"`{provider}`, the provider of automatic capture, does not support "
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


def name_findings(rule: Segmentation, names: Counter[str]) -> tuple[Finding, ...]:
    """Return the warning that another segmentation of the product has the same name."""
    if names[fold(rule.name)] == 1:
        return ()
    return (
        Finding(
            FindingCode.NAME_DUPLICATE,
            severity_of(FindingCode.NAME_DUPLICATE),
            f"another segmentation of the product has the name `{rule.name}`",
            segmentation_id=rule.id,
            product_id=rule.product_id,
            path="$.name",
            hint="rename one of them",
        ),
    )
