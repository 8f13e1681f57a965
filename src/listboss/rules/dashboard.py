"""What a host's dashboard shows of a rule set: entries, and findings beyond single rules.

`review` looks at one segmentation alone; here stand the findings about a product, about
automatic capture, and about segmentations of equal names, and what differs between two rule
sets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import attrs

from listboss.rules._text import fold
from listboss.rules.automatic import AutomaticSegmentation
from listboss.rules.capabilities import Capabilities
from listboss.rules.finding import Finding, FindingCode, Severity
from listboss.rules.segmentation import Product, Segmentation

__all__ = ["DashboardEntry", "RuleSetDiff", "beta_findings", "capture_findings", "equal_name"]


@attrs.frozen
class DashboardEntry:
    """One line of a product's dashboard: a segmentation and what is wrong with it."""

    segmentation: AutomaticSegmentation | Segmentation
    findings: tuple[Finding, ...] = ()

    @property
    def is_automatic(self) -> bool:
        """Whether it is a built-in, which cannot be edited or removed."""
        return isinstance(self.segmentation, AutomaticSegmentation)


@attrs.frozen(kw_only=True)
class RuleSetDiff:
    """What differs between two rule sets, by id; `settings` names what else differs."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any((self.added, self.removed, self.changed, self.settings))


def capture_findings(
    provider: str | None, providers: Mapping[str, Capabilities]
) -> tuple[Finding, ...]:
    """Return what is wrong with the provider of automatic capture, if one is named."""
    if provider is None:
        return ()
    account = providers.get(provider)
    if account is None:
        return (
            Finding(
                FindingCode.CAPTURE_PROVIDER_MISSING,
                Severity.ERROR,
                "the provider of automatic capture is not integrated",
                path="$.capture_provider",
                hint="integrate it with `with_provider`, or set no `capture_provider`",
            ),
        )
    if "none" not in (account.add_lead, account.add_tag, account.remove_tag):
        return ()
    return (
        Finding(
            FindingCode.CAPTURE_LIMITED,
            Severity.WARNING,
            "the provider of automatic capture cannot add leads, add tags and remove tags",
            path="$.capture_provider",
            hint="what it cannot do is left out of automatic capture",
        ),
    )


def beta_findings(product: Product | None) -> tuple[Finding, ...]:
    """Return the warning that a product may have the beta of capture."""
    if product is None or not product.has_beta_capture:
        return ()
    return (
        Finding(
            FindingCode.BETA_CAPTURE,
            Severity.WARNING,
            "the product was approved before July 2024 and may have the beta of capture",
            product_id=product.id,
            hint="add custom segmentations for what must not be missed",
        ),
    )


def equal_name(rule: Segmentation, names: Counter[str]) -> tuple[Finding, ...]:
    """Return the warning that another segmentation of the product has the same name."""
    if names[fold(rule.name)] == 1:
        return ()
    return (
        Finding(
            FindingCode.NAME_DUPLICATE,
            Severity.WARNING,
            f"another segmentation of the product is named `{rule.name}` too",
            segmentation_id=rule.id,
            product_id=rule.product_id,
            path="$.name",
        ),
    )
