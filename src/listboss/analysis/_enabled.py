"""A rule set as if all of its rules were enabled.

Rules are judged before they are switched on: what they would do beside all others can then be
seen in an engine that has all of them.
"""

from __future__ import annotations

import attrs

from listboss.rules.ruleset import RuleSet

__all__ = ["with_all_enabled"]


def with_all_enabled(rules: RuleSet) -> RuleSet:
    """Return the rule set with all of its rules enabled, and nothing else changed."""
    return RuleSet(
        rules.products,
        [attrs.evolve(rule, enabled=True) for rule in rules],
        providers=rules.providers,
        catalogue=rules.catalogue,
        capture_provider=rules.capture_provider,
    )
