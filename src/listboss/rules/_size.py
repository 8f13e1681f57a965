"""How large conditions and rule sets are, and how large they may be.

A size is counted in parts of conditions. Whatever takes longer to index or to evaluate than one
part counts for several. The limits grow with the number of rules, so that many small rules are
never refused; a few rules of any size are held to what keeps building and planning fast.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple, TypeAlias

import attrs

from listboss.errors import RuleError
from listboss.rules._search import are_many, cost
from listboss.rules._text import fold, quoted
from listboss.rules.action import AddLead, MoveLead
from listboss.rules.condition import Comparison, Condition, Not, Operator
from listboss.rules.event import FactValue
from listboss.rules.segmentation import Segmentation

__all__ = ["VALUES_PER_PART", "Sizes", "size_of"]

MAX_PARTS, MAX_PARTS_PER_RULE = 60_000, 30
"""The most parts of all segmentations together, and of those on one event of a product: the first
number, or the second for each of them if that is more. Measured: at most 1.8 s to build."""
MAX_ACTIONS, MAX_ACTIONS_PER_RULE = 4_000, 2
"""The most actions of the segmentations on one event of a product. Measured: at most 8 ms to
plan."""
MAX_FACTS = 8
"""At most this many facts may be searched for many strings with `contains`, by the segmentations on
one event of a product. Measured: at most 8 ms to plan, with as many actions as are left."""
ACTIONS_PER_FACT = 250
"""Each of these facts counts as that many actions, since both take time for the same event."""

PARTS_OF_RANGE = 2
VALUES_PER_PART, CHARACTERS_PER_VALUE = 4, 32
"""The number of values of a list that count as one part, and how many characters of a string in it
count as another value."""
MAX_DIGITS, VALUES_PER_LONG_NUMBER = 18, 128
"""A number of more digits counts as this many further values: all such numbers may have one hash.
Looking one up then takes as long as comparing it with all others."""
CHARACTERS_PER_STRING = 512
"""How many characters of a single string count as another part."""
PARTS_OF_SEARCH, CHARACTERS_PER_PART = 15, 2
"""How many more parts a string of `contains` counts as, and how many of its characters count as
one: each character may be a state of an automaton."""
MAX_COPIES, PLANS_PER_PART = 4, 16
"""At most this many times, a condition for several subscription plans counts; and how many plans
count as one part."""
FIELDS_PER_ACTION = 8
"""The number of fields to send that count as one action."""

_Key: TypeAlias = tuple[str, str]
_ALL: _Key = ("", "")


def size_of(condition: Condition) -> int:
    """Return the size of a condition.

    >>> from listboss import where
    >>> size_of((where.price > 5) & where.offer.is_in("a", "b", "c", "d"))
    4
    """
    if isinstance(condition, Comparison):
        value = condition.value
        if isinstance(value, tuple):
            more = sum([_further_values(each) for each in value])
            if condition.operator is Operator.BETWEEN:
                return PARTS_OF_RANGE + more // VALUES_PER_PART
            return 1 + (len(value) + more) // VALUES_PER_PART
        if not isinstance(value, str):
            return 1 + _further_values(value) // VALUES_PER_PART
        if condition.operator is Operator.CONTAINS:
            return 1 + PARTS_OF_SEARCH + len(fold(value)) // CHARACTERS_PER_PART
        return 1 + len(value) // CHARACTERS_PER_STRING
    if isinstance(condition, Not):
        return 1 + size_of(condition.condition)
    return 1 + sum([size_of(part) for part in condition.conditions])


def _further_values(value: FactValue | None) -> int:
    """Return how many other values a value in a list counts as."""
    match value:
        case str():
            return len(value) // CHARACTERS_PER_VALUE
        case int():
            is_long = abs(value) >= 10**MAX_DIGITS
        case Decimal():
            is_long = len(value.as_tuple().digits) > MAX_DIGITS
        case _:
            return 0
    return VALUES_PER_LONG_NUMBER if is_long else 0


def _searches(condition: Condition) -> Iterator[tuple[str, str]]:
    """Yield the fact and the string of each `contains` in a condition."""
    if isinstance(condition, Comparison):
        if condition.operator is Operator.CONTAINS and isinstance(condition.value, str):
            yield condition.fact, fold(condition.value)
    elif isinstance(condition, Not):
        yield from _searches(condition.condition)
    else:
        for part in condition.conditions:
            yield from _searches(part)


def _size(rule: Segmentation) -> tuple[int, int]:
    """Return the parts and the actions of a rule; an action counts as a part, too."""
    parts = 0 if rule.condition is None else size_of(rule.condition)
    if plans := len(rule.plan_ids):
        parts = min(plans, MAX_COPIES) * parts + plans // PLANS_PER_PART
    actions = len(rule.actions) + len(rule.send) // FIELDS_PER_ACTION
    for each in rule.actions:
        actions += isinstance(each, (AddLead, MoveLead))  # which may contradict many others
    return parts + len(rule.actions), actions


@attrs.define
class _Size:
    """The size of some rules; `facts` are those that are searched for many strings."""

    rules: int = 0
    parts: int = 0
    actions: int = 0
    facts: int = 0

    def add(self, other: _Size) -> None:
        """Add another size to this one."""
        self.rules += other.rules
        self.parts += other.parts
        self.actions += other.actions
        self.facts += other.facts


class _Limit(NamedTuple):
    """How large a field of `_Size` may be: `most`, or `per_rule` for each rule if that is more."""

    field: str
    most: int
    per_rule: int
    excess: str
    hint: str

    def of(self, size: _Size) -> int:
        """Return the field."""
        return int(getattr(size, self.field))

    def most_of(self, size: _Size) -> int:
        """Return how large the field may be."""
        return max(self.most, self.per_rule * size.rules)


_LIMITS = (
    _Limit(
        "parts",
        MAX_PARTS,
        MAX_PARTS_PER_RULE,
        "have more than {:,} parts",
        "shorten the longest conditions, or split the products over several rule sets",
    ),
    _Limit(
        "actions",
        MAX_ACTIONS,
        MAX_ACTIONS_PER_RULE,
        "have more than {:,} actions",
        "take fewer actions on one event, or search fewer facts with `contains`",
    ),
    _Limit(
        "facts",
        MAX_FACTS,
        0,
        "search more than {:,} facts for many strings",
        "search fewer facts with `contains`, or use `==` or `starts_with`",
    ),
)
"""The limits for one event of a product; the first one also holds for all rules together."""


class _Strings:
    """The strings that the segmentations on one event of a product search for."""

    __slots__ = ("_costs", "_counts")

    def __init__(self, other: _Strings | None) -> None:
        self._counts: Counter[tuple[str, str]] = Counter(other._counts if other else ())
        self._costs: Counter[str] = Counter(other._costs if other else ())

    def change(self, rule: Segmentation, sign: int) -> int:
        """Add or remove those of a rule; return how many more facts have many strings now."""
        more = 0
        for fact, string in () if rule.condition is None else _searches(rule.condition):
            count = self._counts[fact, string] = self._counts[fact, string] + sign
            if count == (sign > 0):  # the first or the last of several equal ones
                before = self._costs[fact]
                self._costs[fact] += sign * cost(string)
                more += are_many(self._costs[fact]) - are_many(before)
            if not count:
                del self._counts[fact, string]
        return more


class Sizes:
    """How large the segmentations on each event of each product are, and all of them together."""

    __slots__ = ("_strings", "_totals")

    def __init__(self) -> None:
        self._totals: dict[_Key, _Size] = {}
        self._strings: dict[_Key, _Strings] = {}

    def changed(self, added: Sequence[Segmentation], removed: Sequence[Segmentation] = ()) -> Sizes:
        """Return the sizes after a change; raises `RuleError` if they grow and are too large."""
        new = self._copy()
        changed: defaultdict[_Key, _Size] = defaultdict(_Size)
        for key, size in new._count(added, removed):
            changed[_ALL].add(size)
            changed[key].add(size)
        for key, total in changed.items():
            before = self._totals.get(key, _Size())
            total.add(before)
            new._totals[key] = total
            if not total.rules:
                del new._totals[key]
                new._strings.pop(key, None)
            for limit in _LIMITS[:1] if key is _ALL else _LIMITS:
                if limit.of(total) > max(limit.most_of(total), limit.of(before)):
                    each = [*self._copy()._count(added, removed)][len(removed) :]
                    sizes = [limit.of(size) if key in (_ALL, own) else 0 for own, size in each]
                    raise _too_complex(key, limit, total, added, sizes)
        return new

    def _copy(self) -> Sizes:
        new = Sizes()
        new._totals, new._strings = {**self._totals}, {**self._strings}
        return new

    def _count(
        self, added: Sequence[Segmentation], removed: Sequence[Segmentation]
    ) -> Iterator[tuple[_Key, _Size]]:
        """Add and remove the strings; yield the key of each rule, and the change of its size."""
        copied: set[_Key] = set()
        for sign, rules in ((-1, removed), (1, added)):
            for rule in rules:
                key = rule.product_id, rule.event
                parts, actions = _size(rule)
                facts = 0
                if parts > PARTS_OF_SEARCH:  # a smaller rule has no `contains`
                    if key not in copied:
                        self._strings[key] = _Strings(self._strings.get(key))
                        copied.add(key)
                    facts = self._strings[key].change(rule, sign)
                actions = sign * actions + ACTIONS_PER_FACT * facts
                yield key, _Size(sign, sign * parts, actions, facts)


def _too_complex(
    key: _Key, limit: _Limit, total: _Size, added: Sequence[Segmentation], sizes: Sequence[int]
) -> RuleError:
    """Make the error of the first added rule that exceeds the limit, or exceeds it further."""
    most = limit.most_of(total)
    totals = [*accumulate(sizes, initial=limit.of(total) - sum(sizes))][1:]
    n = next(n for n, each in enumerate(totals) if each > most and sizes[n])
    where = "" if key is _ALL else f" on {quoted(key[1])} of product {quoted(key[0])}"
    return RuleError(
        f"with {quoted(added[n].name)}, the segmentations{where} {limit.excess.format(most)}",
        code="too_complex",
        path=f"$.segmentations[{n}]",
        hint=limit.hint,
    )
