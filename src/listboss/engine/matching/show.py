"""Print the index of a small rule set: its entries, cells, bitmaps and bins.

For people who want to see how their rules are found, and for the documentation. It uses the
same partitions and postings as `index`, and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from listboss.engine.matching.bitmap import Entry
from listboss.engine.matching.bucket import IndexedBucket
from listboss.engine.matching.index import MIN_POSTED, choose_bins, eligible, post
from listboss.engine.matching.normal_form import ALWAYS, by_fact, normal_form
from listboss.engine.matching.router import BucketKey, route
from listboss.errors import UnknownIdError
from listboss.rules._literal import LIST_OPERATORS, Literal
from listboss.rules._partition import Intervals, Partition, partitions_of
from listboss.rules._text import quoted
from listboss.rules.condition import Operator
from listboss.rules.ruleset import RuleSet

__all__ = ["show_index"]


def show_index(rules: RuleSet, product_id: str, event_name: str, plan_id: str | None = None) -> str:
    """Return the index of one product, event and subscription plan as text.

    Raises `UnknownIdError` for a product that the rule set does not have.

    >>> from datetime import date
    >>> from listboss import AddTag, Capabilities, Product, Segmentation, where
    >>> rule = Segmentation(
    ...     "Brazil",
    ...     id="brazil",
    ...     product_id="42",
    ...     provider="mail",
    ...     event="purchase.approved",
    ...     condition=where.country == "BR",
    ...     actions=AddTag("brazil"),
    ...     enabled=True,
    ... )
    >>> course = Product("42", "Course", approved_at=date(2025, 1, 1))
    >>> rules = RuleSet([course], [rule], providers={"mail": Capabilities.everything()})
    >>> print(show_index(rules, "42", "purchase.approved"))
    scan bucket: 1 rule, 1 entry
    entry 0  brazil  country eq BR
    country     BR  0b1
    country  other  0b0
    country   none  0b0
    country  wrong  0b0
    """
    product = rules.product(product_id)
    if product is None:
        raise UnknownIdError(f"unknown product {quoted(product_id)}")
    key: BucketKey = event_name if plan_id is None else (event_name, plan_id)
    bucket = route(product, rules).bucket(key)
    compiled = bucket.rules()
    entries: list[Entry] = []
    names: list[str] = []
    for rule in compiled:
        condition = rule.rule.condition
        form = ALWAYS if condition is None else normal_form(condition, rules.catalogue)
        for each in form.conjunctions:
            names.append(rule.id + ("" if form.lossless else " (rechecked)"))
            entries.append((len(entries), by_fact(each)))
    partitions = partitions_of(literals for _, literals in entries)
    postings, rest = post(entries, eligible(partitions, frozenset()), choose_bins, MIN_POSTED)
    kind = "indexed" if isinstance(bucket, IndexedBucket) else "scan"
    lines = [f"{kind} bucket: {_count(compiled, 'rule')}, {_count(entries, 'entry', 'entries')}"]
    lines += [f"entry {n}  {names[n]}  {_conjunction(flat.values())}" for n, flat in entries]
    for (fact, size), bins in postings.items():
        cells = list(_cell_names(partitions[fact]))
        for number, posted in sorted(bins.items()):
            first, last = cells[number * size], cells[min((number + 1) * size, len(cells)) - 1]
            span = first if size == 1 else f"{first} … {last}"
            lines.append(f"bin {fact} {span}: {_count(posted, 'entry', 'entries')}")
    for fact, partition in partitions.items():
        lines += _bitmaps(fact, partition, rest)
    return "\n".join(lines)


def _count(items: Sequence[object], one: str, many: str = "") -> str:
    return f"{len(items)} {one if len(items) == 1 else many or one + 's'}"


def _conjunction(groups: Iterable[Sequence[Literal]]) -> str:
    return " and ".join(_literal(each) for group in groups for each in group)


def _literal(one: Literal) -> str:
    words = [one.fact, "not " * one.negated + one.operator]
    several = one.operator in LIST_OPERATORS or one.operator is Operator.BETWEEN
    operand: tuple[Any, ...] = one.operand if several else (one.operand,)
    return " ".join([*words, *(str(value) for value in operand if value is not None)])


def _cell_names(partition: Partition) -> Iterator[str]:
    points = [str(point) for point in partition.points]
    if not partition.is_ordered:
        yield from [*points, "other"]
    else:
        for low, high in zip(["", *points], [*points, ""], strict=True):
            yield f"{low} < x < {high}" if low and high else f"x > {low}" if low else f"x < {high}"
            if high:
                yield high
    yield from ("none", "wrong")


def _bitmaps(fact: str, partition: Partition, entries: Sequence[Entry]) -> list[str]:
    rows: list[tuple[str, int]] = []
    for cell, name in enumerate(_cell_names(partition)):
        bitmap = 0
        for bit, (_, literals) in enumerate(entries):
            spans: Intervals = ((0, partition.size),)
            if fact in literals:
                spans = partition.intervals(literals[fact])
            bitmap |= any(low <= cell < high for low, high in spans) << bit
        rows.append((name, bitmap))
    width = max(len(name) for name, _ in rows)
    return [f"{fact}  {name:>{width}}  {bitmap:#0{len(entries) + 2}b}" for name, bitmap in rows]
