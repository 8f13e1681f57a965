"""What is in the cells of a fact: which of them have a value at all, and a sample of each.

A `Partition` says which values no literal distinguishes. Some of its cells are empty: no integer
is between 2 and 3, a boolean has no third value, and a closed choice only the values that the
catalogue lists. A set of cells is a mask, an integer with a bit for each. Literals of `contains`
and `starts_with` are *patterns*: they also divide the cell of all other strings, which is decided
exactly, by building a string that has the wanted ones and none of the others. How long an event's
strings may be (`MAX_TEXT_LENGTH`) does not count: a built string may be longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Context, Decimal
from itertools import count, product
from string import ascii_lowercase, ascii_uppercase
from typing import Any, TypeAlias

from listboss.rules._facts import READERS, is_present
from listboss.rules._literal import Literal
from listboss.rules._partition import Intervals, Partition
from listboss.rules._text import MAX_DECIMAL, MAX_INTEGER_BITS, number_fault, shortest
from listboss.rules.catalogue import FactKind, FactType
from listboss.rules.condition import Operator
from listboss.rules.event import FactValue

__all__ = ["PATTERNS", "FactCells", "Pattern", "Requirements", "mask_of"]

Pattern: TypeAlias = tuple[str, Operator, str]
"""A fact, `contains` or `starts_with`, and the string."""
Requirements: TypeAlias = tuple[tuple[Pattern, bool], ...]
"""Patterns that must match, and patterns that must not."""

PATTERNS = frozenset({Operator.CONTAINS, Operator.STARTS_WITH})
MAX_INTEGER = 2**MAX_INTEGER_BITS - 1
"""An event cannot have an integer further from zero."""
MAX_DECIMAL_VALUE = Decimal((0, (9,) * MAX_DECIMAL, 1))
"""An event cannot have a decimal further from zero."""
MIN_EXPONENT = -2 * MAX_DECIMAL - 1
"""Between two decimals there is always one with a greater exponent."""
FEW_DIGITS = 32
"""Between decimals of at most this many digits and places, there is always one that an event can
have. Measured: engines of rules with many bounds are built 1.3 x faster."""
A_DAY = datetime(2026, 1, 1, tzinfo=UTC)
FIRST_INSTANT = datetime.min.replace(tzinfo=UTC)
LAST_INSTANT = datetime.max.replace(tzinfo=UTC)
STEPS = (timedelta(days=1), timedelta(hours=1), timedelta(seconds=1), timedelta(microseconds=1))
SEPARATORS: tuple[str, ...] = (*"-_.~0123456789", *map(chr, range(0x4E00, 0x9FA6)))
"""Characters that stay the same in every string, whatever is before or after them."""

_EXACT = Context(prec=8 * MAX_DECIMAL)

_FIRST: dict[FactKind, tuple[FactValue, ...]] = {
    FactKind.BOOLEAN: (True, False),
    FactKind.COUNTRY: ("BR", "PT", "US", "ES", "MX"),
    FactKind.CURRENCY: ("BRL", "EUR", "USD", "MXN"),
    FactKind.LANGUAGE: ("pt", "en", "es", "fr"),
}
"""Samples that read well, before all others."""


def mask_of(intervals: Intervals) -> int:
    """Return a mask with the cells of some intervals."""
    mask = 0
    for low, high in intervals:
        mask |= (1 << high) - (1 << low)
    return mask


class FactCells:
    """The cells of one fact, made for some literals: which are inhabited, and by what.

    `inhabited` and `known` are masks: of all cells that have a value, with *missing* and *wrong
    type*, and of those among them with usable values.
    """

    __slots__ = (
        "_allowed",
        "_matching",
        "_other",
        "_words",
        "fact",
        "inhabited",
        "known",
        "literals",
        "partition",
    )

    def __init__(self, fact: FactType, literals: Iterable[Literal]) -> None:
        self.fact = fact
        self.literals = tuple(literals)
        self.partition = Partition(self.literals)
        read, points = READERS[fact.kind], self.partition.points
        self._words: dict[Any, str] = {}
        for word in fact.values:
            self._words.setdefault(read(word), word)
        self._other: FactValue | None = None
        gaps: Iterator[int] = iter(())
        if self.partition.is_ordered:
            gaps = (2 * n for n in range(len(points) + 1) if self._is_inhabited(n))
        else:
            cell_of, last = self.partition.cell_of, self.partition.count - 1
            others = (raw for raw in _candidates(fact) if cell_of(read(raw)) == last)
            self._other = next(others, None)
            gaps = iter((last,) if self._other is not None else ())
        self.known = sum(1 << gap for gap in gaps)
        for cell in self.partition.cells.values():
            self.known |= 1 << cell
        self.inhabited = self.known | (3 << self.partition.missing)
        self._matching: dict[Pattern, int] = {}
        for each in self.literals:
            if each.operator in PATTERNS:
                self._matching[each.fact, each.operator, each.operand] = sum(
                    1 << cell
                    for point, cell in self.partition.cells.items()
                    if _matches(each.operator, each.operand, point)
                )
        self._allowed: dict[Requirements, int] = {}

    @property
    def has_patterns(self) -> bool:
        """Whether some literal is a pattern."""
        return bool(self._matching)

    def mask(self, literal: Literal) -> int:
        """Return the cells where a literal holds; for a pattern, all where it may."""
        if literal.operator in PATTERNS:
            return self.known
        return mask_of(self.partition.intervals((literal,))) & self.inhabited

    def allowed(self, requirements: Requirements) -> int:
        """Return the cells that have a value which meets the requirements."""
        found = self._allowed.get(requirements)
        if found is None:
            found = self.inhabited
            others = 0 if self._composed(requirements) is None else 1 << self.partition.count - 1
            for pattern, wanted in requirements:
                matching = self._matching[pattern]
                found &= (matching | others) if wanted else (~matching)
            if not others:
                found &= ~(1 << self.partition.count - 1)
            self._allowed[requirements] = found
        return found

    def cell(self, mask: int) -> int:
        """Return the cell of a mask to show: the first in the order of the catalogue."""
        for word in self._words:
            cell = self.partition.cell_of(word)
            if mask >> cell & 1:
                return cell
        return (mask & -mask).bit_length() - 1

    def cell_of(self, raw: FactValue | None) -> int:
        """Return the cell of a raw value; None and blank text are missing."""
        if not is_present(raw):
            return self.partition.missing
        value = READERS[self.fact.kind](raw)
        return self.partition.missing + 1 if value is None else self.partition.cell_of(value)

    def is_in(self, mask: int, requirements: Requirements, raw: FactValue | None) -> bool:
        """Whether a raw value is in one of the cells and meets the requirements."""
        if not mask >> self.cell_of(raw) & 1:
            return False
        return _meet(requirements, READERS[self.fact.kind](raw))

    def nearest(self, mask: int, raw: FactValue | None) -> int:
        """Return the cell of a mask to change a raw value to: the nearest one on a scale."""
        known, here = mask & self.known, self.cell_of(raw)
        if not self.partition.is_ordered or not known or here >= self.partition.missing:
            return self.cell(mask)
        cells = (cell for cell in range(known.bit_length()) if known >> cell & 1)
        return min(cells, key=lambda cell: abs(cell - here))

    def sample(self, cell: int, requirements: Requirements = ()) -> FactValue | None:
        """Return a raw value of an inhabited cell; None for the cell of events without one."""
        partition = self.partition
        if cell == partition.missing:
            return None
        if cell > partition.missing:
            return "text" if self.partition.is_ordered or self.fact.kind is FactKind.BOOLEAN else 0
        if partition.is_ordered:
            between = self._between(cell // 2)
            return partition.points[cell // 2] if cell % 2 else between
        if cell == partition.count - 1:
            other = self._other
            return other if _meet(requirements, other) else self._composed(requirements)
        value: FactValue = partition.points[cell]
        return self._words.get(value, value)

    def _between(self, n: int) -> FactValue | None:
        """Return a value before the point of that number and after the one before it, if any."""
        return _BETWEEN[self.fact.kind](*self._ends(n))

    def _ends(self, n: int) -> tuple[Any, Any]:
        points = self.partition.points
        return points[n - 1] if n else None, points[n] if n < len(points) else None

    def _is_inhabited(self, n: int) -> bool:
        """Whether there is such a value; between short decimals there always is."""
        if self.fact.kind is FactKind.DECIMAL and all(map(_is_short, self._ends(n))):
            return True
        return self._between(n) is not None

    def _composed(self, requirements: Requirements) -> str | None:
        """Return a string that meets the requirements and is not a point, if there is one.

        Its parts are joined by a separator that no pattern can match a part of. So it has a
        pattern only if a part has it; and then every string with that part has the pattern, too.
        """
        wanted = [pattern for pattern, is_wanted in requirements if is_wanted]
        prefixes = [text for _, operator, text in wanted if operator is Operator.STARTS_WITH]
        prefix = max(prefixes, key=len, default="")
        parts = [text for _, operator, text in wanted if operator is Operator.CONTAINS]
        separator = _separator([text for (_, _, text), _ in requirements])
        made = separator.join([prefix, *(part for part in parts if part not in prefix)])
        made = made or separator
        if not _meet(requirements, made):
            return None
        while made in self.partition.cells:
            made += separator
        return made


def _separator(patterns: Sequence[str]) -> str:
    """Return a string that no pattern can match a part of, whatever is before or after it.

    That is a character that no pattern has. If they have all of them, it is two characters that
    no pattern has in this order, and with which no pattern ends or begins.

    >>> _separator(["a-b", "c"])
    '_'
    """
    used = set("".join(patterns))
    unused = next((each for each in SEPARATORS if each not in used), None)
    if unused is not None:
        return unused
    firsts, lasts = ({text[end] for text in patterns} for end in (0, -1))
    pairs = {text[n : n + 2] for text in patterns for n in range(len(text) - 1)}
    candidates = (
        left + right
        for left in SEPARATORS
        if left not in lasts
        for right in SEPARATORS
        if right not in firsts
    )
    return next(pair for pair in candidates if pair not in pairs)


def _meet(requirements: Requirements, value: Any) -> bool:
    """Whether a value that has been read meets the requirements; None matches no pattern."""
    return all(
        (value is not None and _matches(operator, text, value)) is wanted
        for (_, operator, text), wanted in requirements
    )


def _matches(operator: Operator, text: str, value: str) -> bool:
    return value.startswith(text) if operator is Operator.STARTS_WITH else text in value


def _candidates(fact: FactType) -> Iterator[FactValue]:
    """Yield values of a fact that is not ordered: without end, or all that there are.

    A closed choice, a boolean, a country and a currency have a limited number of values.
    """
    yield from fact.values
    if fact.closed:
        return
    yield from _FIRST.get(fact.kind, ())
    match fact.kind:
        case FactKind.BOOLEAN:
            return
        case FactKind.COUNTRY | FactKind.CURRENCY:
            length = 2 if fact.kind is FactKind.COUNTRY else 3
            yield from map("".join, product(ascii_uppercase, repeat=length))
        case FactKind.LANGUAGE:
            lengths = (product(ascii_lowercase, repeat=length) for length in range(2, 9))
            yield from ("".join(letters) for words in lengths for letters in words)
        case _:
            yield "other"
            yield from (f"other {n}" for n in count(2))


def _integer_between(low: Any, high: Any) -> FactValue | None:
    made = low + 1 if low is not None else 1 if high is None else high - 1
    return made if abs(made) <= MAX_INTEGER and (high is None or made < high) else None


def _is_short(value: Decimal | int | None) -> bool:
    """Whether an end of a gap, if there is one, has few digits and few places."""
    if value is None or isinstance(value, int):
        return value is None or abs(value) < 10**FEW_DIGITS
    _, digits, exponent = value.as_tuple()
    return len(digits) <= FEW_DIGITS and abs(int(exponent)) <= FEW_DIGITS


def _decimal_between(low: Any, high: Any) -> FactValue | None:
    """Return the shortest decimal between two, if an event can have it."""
    if low is None and high is None:
        return Decimal(1)
    if low is None:
        return _decimal_beyond(Decimal(high), Decimal(-1))
    if high is None:
        return _decimal_beyond(Decimal(low), Decimal(1))
    low, high = Decimal(low), Decimal(high)
    exponents = range(max(low.adjusted(), high.adjusted()) + 1, MIN_EXPONENT, -1)
    rounded = (_rounded_up(low, exponent) for exponent in exponents)
    made = shortest(next(each for each in rounded if each < high))
    return made if number_fault(made) is None else None


def _rounded_up(value: Decimal, exponent: int) -> Decimal:
    """Return the next multiple of a power of ten."""
    scaled = value.scaleb(-exponent, _EXACT).to_integral_value(ROUND_FLOOR, _EXACT)
    return _EXACT.add(scaled, 1).scaleb(exponent, _EXACT)


def _decimal_beyond(end: Decimal, step: Decimal) -> Decimal | None:
    made = _EXACT.add(end, step)
    if number_fault(made) is not None:
        made = MAX_DECIMAL_VALUE.copy_sign(step)
    return shortest(made) if (made > end) is (step > 0) and made != end else None


def _instant_between(low: datetime | None, high: datetime | None) -> FactValue | None:
    if low is None:
        if high is None:
            return A_DAY
        room = high - FIRST_INSTANT
        return next((high - step for step in STEPS if step <= room), None)
    room = (LAST_INSTANT if high is None else high - STEPS[-1]) - low
    return next((low + step for step in STEPS if step <= room), None)


_BETWEEN: dict[FactKind, Callable[[Any, Any], FactValue | None]] = {
    FactKind.INTEGER: _integer_between,
    FactKind.DECIMAL: _decimal_between,
    FactKind.INSTANT: _instant_between,
}
"""By kind of fact: a value between two others if there is one; None for a limit that is missing."""
