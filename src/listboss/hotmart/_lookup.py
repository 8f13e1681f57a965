"""How fields are looked up in a webhook: by paths, in two spellings, the first usable value first.

The steps of a path are separated by dots, and `*` means each element of a list. Each key may
also be spelled in camelCase. What is found is read by a tolerant reader, so that a value of a
wrong type leads to the next path. A `FieldReader` finds all fields of a table in one walk over
the body: the paths are a tree, and each key of the body is looked up once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

import attrs

from listboss.hotmart._reading import Version
from listboss.hotmart._values import is_list, is_mapping, text
from listboss.rules.event import FactValue

__all__ = [
    "Field",
    "FieldReader",
    "Path",
    "Paths",
    "affiliate_name",
    "campaign_parameter",
    "first_if_not_blank",
    "first_usable",
    "most_specific",
    "paths",
    "read_first",
]

T = TypeVar("T")
Path: TypeAlias = tuple[str, ...]
Paths: TypeAlias = tuple[Path, ...]

MAX_LISTED = 10
"""At most this many elements of a list are read."""
MAX_PATHS = 16
"""A field has fewer paths than this."""


def paths(written: str) -> Paths:
    """Split a string of paths: spaces between the paths, dots between the steps.

    >>> paths("buyer.email user.email")
    (('buyer', 'email'), ('user', 'email'))
    """
    return tuple(tuple(path.split(".")) for path in written.split())


def first_usable(values: Iterator[FactValue]) -> FactValue | None:
    """Return the first value, or None."""
    return next(values, None)


def most_specific(statuses: Iterator[FactValue]) -> FactValue | None:
    """Return the first status, or the one that says who canceled if the first does not."""
    first, *others = (*statuses, None)
    if first != "CANCELED":
        return first
    return next((other for other in others if str(other).startswith("CANCELLED_BY_")), first)


def affiliate_name(affiliate: object) -> str | None:
    """Read the name of an affiliate with a code, or ""; a sale without one has a blank element."""
    if not is_mapping(affiliate):
        return text(affiliate)
    has_code = read_first(affiliate, (("affiliate_code",),), text) is not None
    return (text(affiliate.get("name")) or "") if has_code else None


def first_if_not_blank(names: Iterator[FactValue]) -> FactValue | None:
    """Return the name of the first affiliate, if it has one."""
    return next(names, None) or None


@attrs.frozen
class Field:
    """The reader of one fact, its paths in each version, and how to choose between values."""

    read: Callable[[object], FactValue | None]
    v2: Paths = attrs.field(converter=paths)
    v1: Paths = attrs.field(converter=paths)
    choose: Callable[[Iterator[FactValue]], FactValue | None] = first_usable

    def paths(self, version: Version) -> Paths:
        """Return the paths in a body of that version, in the order tried."""
        return self.v2 if version is Version.V2 else self.v1

    def find(self, root: object, version: Version) -> FactValue | None:
        """Return the field's value in `root`, or None: slower than a `FieldReader`."""
        return self.choose(_usable(root, self.paths(version), self.read))


def campaign_parameter(name: str) -> Field:
    """Return the field of a campaign parameter, such as `utm_source`."""
    joined = name.replace("_", "")
    return Field(
        text,
        f"purchase.origin.{name} purchase.origin.{joined} origin.{name} purchase.tracking.{name}",
        f"{name} {joined}",
    )


@cache
def _camel_case(step: str) -> str:
    """Return the camelCase spelling of a step.

    >>> _camel_case("creation_date"), _camel_case("id")
    ('creationDate', 'id')
    """
    first, *others = step.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in others)


def _candidates(node: object, path: Path) -> Iterator[object]:
    for position, step in enumerate(path):
        if step == "*":
            for element in islice(node if is_list(node) else (), MAX_LISTED):
                yield from _candidates(element, path[position + 1 :])
            return
        if not is_mapping(node):
            return
        camel_case = _camel_case(step)
        if camel_case != step and camel_case in node:
            yield from _candidates(node.get(step), path[position + 1 :])
            yield from _candidates(node[camel_case], path[position + 1 :])
            return
        node = node.get(step)
    yield node


def _usable(root: object, locations: Paths, read: Callable[[object], T | None]) -> Iterator[T]:
    for path in locations:
        for found in _candidates(root, path):
            value = None if found is None else read(found)
            if value is not None:
                yield value


def read_first(root: object, locations: Paths, read: Callable[[object], T | None]) -> T | None:
    """Return the first usable value at `locations`, or None; camelCase keys are read, too.

    >>> read_first({"a": "", "b": {"c": 7}}, paths("a x.y b.c"), text)
    '7'
    """
    return next(_usable(root, locations, read), None)


_ELEMENT = object()
"""The key of the elements of a list in a tree of paths."""
_Tree: TypeAlias = dict[object, "_Branch"]


class _Branch(NamedTuple):
    """What is below one key: the numbers of the paths that end there, and the other paths."""

    ends: list[int]
    tree: _Tree


def _add_path(tree: _Tree, path: Path, number: int) -> None:
    """Add a path to a tree, in every spelling of its steps."""
    step, *rest = path
    for key in {_ELEMENT} if step == "*" else {step, _camel_case(step)}:
        below = tree.setdefault(key, _Branch([], {}))
        if rest:
            _add_path(below.tree, tuple(rest), number)
        else:
            below.ends.append(number)


_Found: TypeAlias = list[tuple[int, object]]
"""The numbers of paths, and the values at their ends."""
_number = itemgetter(0)


def _walk(value: object, tree: _Tree, found: _Found) -> None:
    """Collect the values at the ends of the paths of a tree."""
    if value.__class__ is dict or is_mapping(value):
        items: Iterable[tuple[object, object]] = cast("Mapping[object, object]", value).items()
    elif is_list(value):
        items = [(_ELEMENT, element) for element in value[:MAX_LISTED]]
    else:
        return
    for key, inner in items:
        below = tree.get(key)
        if below is not None and inner is not None:
            ends, further = below
            for number in ends:
                found.append((number, inner))
            if further:
                _walk(inner, further, found)


class FieldReader:
    """The fields of a table, found in one walk over a body of one version.

    A path has a number: that of its field times `MAX_PATHS`, and its rank. So numbers in
    order are fields in order, each with its paths in the order tried.

    >>> reader = FieldReader({"n": Field(text, "a.b c", "")}, Version.V2)
    >>> reader.read({"c": 1, "a": {"b": 2}}), reader.read({"c": 1, "a": {"b": None}})
    ({'n': '2'}, {'n': '1'})
    """

    def __init__(self, table: Mapping[str, Field], version: Version) -> None:
        self._version = version
        self._fields = [(name, field.read, field) for name, field in table.items()]
        self._choosing = {
            index for index, field in enumerate(table.values()) if field.choose is not first_usable
        }
        self._tree: _Tree = {}
        for index, field in enumerate(table.values()):
            for rank, path in enumerate(field.paths(version)):
                _add_path(self._tree, path, index * MAX_PATHS + rank)

    def read(self, root: Mapping[str, object]) -> dict[str, Any]:
        """Return the fields that have a usable value in `root`, of the types of their readers."""
        found: _Found = []
        _walk(root, self._tree, found)
        found.sort(key=_number)
        values: dict[str, Any] = {}
        several: set[int] = set()
        last = -1
        for number, inner in found:
            index = number // MAX_PATHS
            name, read, _ = self._fields[index]
            if number == last or (name in values and index in self._choosing):
                several.add(index)
            elif name not in values and (value := read(inner)) is not None:
                values[name] = value
            last = number
        for index in several | self._choosing:
            name, _, field = self._fields[index]
            if index in several:  # of several values at a path, their order in the body counts
                self._set(values, name, field.find(root, self._version))
            elif name in values:
                self._set(values, name, field.choose(iter((values[name],))))
        return values

    @staticmethod
    def _set(values: dict[str, FactValue], name: str, value: FactValue | None) -> None:
        if value is None:
            values.pop(name, None)
        else:
            values[name] = value
