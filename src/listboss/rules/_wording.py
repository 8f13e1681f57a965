"""The sentences that describe actions, conditions, segmentations and findings to people.

`str()` of these, of plans, receipts and records, explanations, the dashboard and the quickstart
all use this module. Everything that a user wrote is in back-ticks and on one line; a back-tick
in it, or a character that is not printable, is escaped. So a name looks neither like another
line nor like the words around it, and `as_markdown` and `as_html` know which parts are names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from html import escape
from typing import TypeAlias, assert_never

from listboss.rules._text import one_line, quoted, without_address
from listboss.rules.action import (
    Action,
    AddLead,
    AddTag,
    MoveLead,
    Place,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    place_text,
)
from listboss.rules.automatic import AutomaticSegmentation
from listboss.rules.condition import AllOf, AnyOf, Comparison, Condition, Not, Operator
from listboss.rules.dashboard import DashboardEntry
from listboss.rules.event import FactValue
from listboss.rules.finding import Finding
from listboss.rules.segmentation import Segmentation

__all__ = [
    "Describable",
    "as_html",
    "as_markdown",
    "describe",
    "describe_action",
    "describe_condition",
    "describe_event",
    "describe_mismatch",
    "describe_planned",
    "describe_target",
    "in_words",
]

Describable: TypeAlias = (
    Action | Condition | Place | Segmentation | AutomaticSegmentation | Finding | DashboardEntry
)

_SYMBOLS = {
    Operator.EQ: "==",
    Operator.NE: "!=",
    Operator.LT: "<",
    Operator.LE: "<=",
    Operator.GT: ">",
    Operator.GE: ">=",
}
MAX_SHOWN_VALUES = 12
"""Of a longer list of values, only this many are shown."""
_BARE = re.compile(r"[^\W\d](?:[\w .:/@+-]*[\w.:/@+-])?")
"""Strings that need no quotes to look like strings."""
_WORDS = frozenset({"true", "false"})


def describe(value: Describable) -> str:
    """Return what `str()` shows.

    >>> describe(AddTag("buyer"))
    'add tag `buyer`'
    """
    match value:
        case Comparison() | AllOf() | AnyOf() | Not():
            return describe_condition(value)
        case Place():
            return one_line(place_text(value))
        case Segmentation():
            return _segmentation(value)
        case AutomaticSegmentation():
            return _automatic(value)
        case Finding():
            return _finding(value)
        case DashboardEntry():
            return "\n  ".join(map(str, (value.segmentation, *value.findings)))
        case _:
            return describe_action(value)


# Actions


def describe_action(action: Action) -> str:
    """Say in a few words what an action does.

    >>> describe_action(MoveLead("Customers", source="New Buyers"))
    'move from `New Buyers` to `Customers`'
    """
    match action:
        case AddTag(tag):
            return f"add tag {quoted(tag)}"
        case RemoveTag(tag):
            return f"remove tag {quoted(tag)}"
        case AddLead(place):
            return f"add to {_place(place)}"
        case RemoveLead(place):
            return f"remove from {_place(place)}"
        case MoveLead(to, source):
            origin = "wherever it is" if source is None else _place(source)
            condition = ", if it is there" if action.if_absent == "skip" else ""
            return f"move from {origin} to {_place(to)}{condition}"
        case ProviderAction(verb, parameters):
            pairs = (quoted(f"{name}={_value(value)}") for name, value in parameters.items())
            return " with ".join(filter(None, (quoted(verb), ", ".join(pairs))))
        case _:
            assert_never(action)


def _place(place: Place | None) -> str:
    return "the contact base" if place is None else quoted(place_text(place))


def describe_target(action: Action) -> str:
    """Name the tag or the place that an action is about.

    >>> describe_target(RemoveTag("buyer")), describe_target(AddLead("Buyers"))
    ('tag `buyer`', 'place `Buyers`')
    """
    match action:
        case AddTag(tag) | RemoveTag(tag):
            return f"tag {quoted(tag)}"
        case AddLead(None):
            return _place(None)
        case AddLead(Place() as place) | RemoveLead(place) | MoveLead(place):
            return f"place {quoted(place_text(place))}"
        case _:
            return describe_action(action)


def describe_planned(action: Action, provider: str) -> str:
    """Say what an action does, and at which provider.

    >>> describe_planned(AddTag("buyer"), "mail")
    'add tag `buyer` at `mail`'
    """
    return f"{describe_action(action)} at {quoted(provider)}"


def describe_event(event_id: str, name: str = "") -> str:
    """Name an event by its type and id; an id that may contain an address is masked.

    >>> describe_event("e-1", "purchase.approved"), describe_event("quiz:ana@example.com")
    ('`purchase.approved` `e-1`', '`***`')
    """
    return " ".join(map(quoted, filter(None, (name, without_address(event_id)))))


def in_words(word: str) -> str:
    """Return the words of a member of an enumeration.

    >>> from listboss import Idle
    >>> in_words(Idle.NO_RULE)
    'no rule'
    """
    return word.replace("_", " ")


# Conditions


def describe_condition(condition: Condition | None) -> str:
    """Say which contacts a condition holds for.

    >>> from listboss import where
    >>> describe_condition((where.country == "BR") & ~(where.price.between(10, 20)))
    '`country == BR` and not `price between 10 and 20`'
    """
    match condition:
        case None:
            return "every contact"
        case Comparison():
            return quoted(f"{condition.fact} {_test(condition)}")
        case Not():
            return f"not {_part(condition.condition)}"
        case AllOf():
            return " and ".join(map(_part, condition.conditions)) or "always"
        case AnyOf():
            return " or ".join(map(_part, condition.conditions)) or "never"
        case _:
            assert_never(condition)


def _part(condition: Condition) -> str:
    text = describe_condition(condition)
    several = isinstance(condition, (AllOf, AnyOf)) and len(condition.conditions) > 1
    return f"({text})" if several else text


def describe_mismatch(
    comparison: Comparison, state: str | None, actual: FactValue | None = None
) -> str:
    """Say why a comparison did not hold, with the event's value only if it is given.

    >>> from listboss import where
    >>> describe_mismatch(where.price >= 250, "known")
    '`price` does not match `>= 250`'
    >>> describe_mismatch(where.price >= 250, "known", 120)
    '`price` is `120`, which does not match `>= 250`'
    """
    fact = quoted(comparison.fact)
    if state == "missing" and comparison.operator is not Operator.IS_MISSING:
        return f"{fact} is missing"
    value = "" if actual is None else f" is {quoted(_value(actual))}, which"
    if state == "wrong_type":
        return f"{fact}{value} has the wrong type"
    return f"{fact}{value} does not match {quoted(_test(comparison))}"


def _test(comparison: Comparison) -> str:
    """Return the operator and what it compares with."""
    operator, value = comparison.operator, comparison.value
    symbol = _SYMBOLS.get(operator, in_words(operator))
    if value is None:
        return symbol
    values = value if isinstance(value, tuple) else (value,)
    return f"{symbol} {_values(values, ' and ' if operator is Operator.BETWEEN else ', ')}"


def _values(values: Sequence[FactValue], separator: str) -> str:
    shown = separator.join(map(_value, values[:MAX_SHOWN_VALUES]))
    more = len(values) - MAX_SHOWN_VALUES
    return f"{shown} and {more} more" if more > 0 else shown


def _value(value: FactValue) -> str:
    match value:
        case bool():
            return str(value).lower()
        case Decimal():
            return f"{value:f}"
        case datetime():
            return f"{value.astimezone(UTC).isoformat(' ').removesuffix('+00:00')} UTC"
        case str() if not _BARE.fullmatch(value) or value in _WORDS:
            return '"{}"'.format(value.replace("\\", r"\\").replace('"', r"\""))
        case _:
            return str(value)


# Segmentations and findings


def _segmentation(rule: Segmentation) -> str:
    state = "" if rule.enabled else " (off)"
    plans = f", plan {', '.join(map(quoted, rule.plan_ids))}" if rule.plan_ids else ""
    condition = "" if rule.condition is None else f", if {describe_condition(rule.condition)}"
    actions = "; ".join(map(describe_action, rule.actions)) or "nothing"
    return (
        f"{quoted(rule.name)}{state}: on {quoted(rule.event)} of product"
        f" {quoted(rule.product_id)}{plans}{condition}, at {quoted(rule.provider)}: {actions}"
    )


def _automatic(row: AutomaticSegmentation) -> str:
    added, removed, first = (
        ", ".join(map(quoted, events))
        for events in (row.adds_on, row.removes_on, row.removes_on_first_charge)
    )
    ends = f"remove it on {removed}" if removed else f"keep it, since {row.permanent_reason}"
    more = f" and, at the first charge, on {first}" if first else ""
    return f"{quoted(row.name)} (automatic): add its tag on {added}; {ends}{more}"


def _finding(finding: Finding) -> str:
    hint = f" ({finding.hint})" if finding.hint else ""
    text = f"{finding.severity} {finding.code}: {finding.message} @ {finding.path}{hint}"
    return one_line(text)


# Media


def as_markdown(text: str) -> str:
    r"""Return a description for a cell of a Markdown table.

    What was in back-ticks becomes code. Where that cannot be, and between them, what could be
    markup or become a link is written as entities.

    >>> print(as_markdown("add tag `a`"), as_markdown("add tag `a|b`"))
    add tag `a` add tag a&#124;b
    """
    return "".join(
        f"`{part}`" if is_code and _is_code(part) else _escape(part, _ANY if is_code else _MARKUP)
        for is_code, part in _parts(text)
    )


_MARKUP = re.compile(r"[\\`*_\[\]<>&|~#!]|:(?=//)|(?<=www)\.|(?<=\S)@+")
_ANY = re.compile(r"@+|[^\w\s]|_")


def _escape(text: str, characters: re.Pattern[str]) -> str:
    """Escape what the pattern finds; an at sign becomes code, since an entity would be a link."""
    return characters.sub(
        lambda found: f"`{found[0]}`" if "@" in found[0] else f"&#{ord(found[0])};", text
    )


def _is_code(part: str) -> bool:
    """Whether a name can be code in a table: it has no pipe, backslash or outer blank."""
    return bool(part) and part == part.strip() and not {"|", "\\", "`"} & set(part)


def as_html(text: str) -> str:
    """Return a description as HTML; what was in back-ticks becomes code.

    >>> as_html("add tag `<b>`")
    'add tag <code>&lt;b&gt;</code>'
    """
    return "".join(
        f"<code>{escape(part)}</code>" if is_code else escape(part)
        for is_code, part in _parts(text)
    )


def _parts(text: str) -> list[tuple[bool, str]]:
    """Split a description into words and the names between back-ticks, which are code."""
    parts = one_line(text).split("`")
    if len(parts) % 2 == 0:  # a back-tick without a second one
        return [(True, one_line(text))]
    return [(n % 2 == 1, part) for n, part in enumerate(parts) if part or n % 2]
