"""A rule set as text for another process or machine, with the catalogue of the host.

A pickle would tie both sides to one release. The catalogue of listboss itself is not sent.
"""

from __future__ import annotations

from typing import TypeAlias

from listboss.codec._document import Limits
from listboss.codec._reading import read_document
from listboss.codec._rules import dump_rules, load_rules
from listboss.codec._writing import canonical_json, write
from listboss.rules.builtin import HOTMART
from listboss.rules.catalogue import Catalogue
from listboss.rules.ruleset import RuleSet

__all__ = ["Texts", "catalogue_from", "catalogue_text", "rules_from", "texts_of"]

Texts: TypeAlias = tuple[str, str]
"""A rule set and its catalogue, each as canonical JSON."""

_ANY_SIZE = Limits(max_bytes=2**31, max_depth=10_000, max_nodes=2**31)
"""Rules that are made in code may be more than a file may have."""


def texts_of(rules: RuleSet) -> Texts:
    """Return a rule set as text."""
    return dump_rules(rules), catalogue_text(rules.catalogue)


def rules_from(texts: Texts) -> RuleSet:
    """Return the rule set of its text."""
    rules, catalogue = texts
    return load_rules(rules, catalogue=catalogue_from(catalogue), limits=_ANY_SIZE)


def catalogue_text(catalogue: Catalogue) -> str:
    """Return a catalogue as text; that of listboss is empty."""
    return "" if catalogue == HOTMART else canonical_json(write(catalogue))


def catalogue_from(text: str) -> Catalogue:
    """Return the catalogue of its text."""
    return read_document(text, Catalogue, _ANY_SIZE, private=False) if text else HOTMART
