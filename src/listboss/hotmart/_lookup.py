"""How a field is looked up in a webhook: by paths, in two spellings, the first usable value first.

The steps of a path are separated by dots, and `*` means each element of a list. Each key may
also be spelled in camelCase. What is found is read by a tolerant reader, so that a value of a
wrong type leads to the next path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import TypeAlias, TypeVar

import attrs

from listboss.hotmart._reading import Version
from listboss.hotmart._values import is_list, is_mapping, text
from listboss.rules.event import FactValue

__all__ = [
    "Field",
    "Path",
    "Paths",
    "affiliate_name",
    "campaign_parameter",
    "first_if_not_blank",
    "most_specific",
    "paths",
    "read_all",
    "read_first",
    "read_texts",
]

T = TypeVar("T")
Path: TypeAlias = tuple[str, ...]
Paths: TypeAlias = tuple[Path, ...]

MAX_LISTED = 10
"""At most this many elements of a list are read."""


def paths(written: str) -> Paths:
    """Split a string of paths: spaces between the paths, dots between the steps.

    >>> paths("buyer.email user.email")
    (('buyer', 'email'), ('user', 'email'))
    """
    return tuple(tuple(path.split(".")) for path in written.split())


def _first(values: Iterator[FactValue]) -> FactValue | None:
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
    has_code = read_first(affiliate, paths("affiliate_code"), text) is not None
    return (read_first(affiliate, paths("name"), text) or "") if has_code else None


def first_if_not_blank(names: Iterator[FactValue]) -> FactValue | None:
    """Return the name of the first affiliate, if it has one."""
    return next(names, None) or None


@attrs.frozen
class Field:
    """The reader of one fact, its paths in each version, and how to choose between values."""

    read: Callable[[object], FactValue | None]
    v2: Paths = attrs.field(converter=paths)
    v1: Paths = attrs.field(converter=paths)
    choose: Callable[[Iterator[FactValue]], FactValue | None] = _first

    def find(self, root: object, version: Version) -> FactValue | None:
        """Return the field's value in `root`, or None."""
        return self.choose(_usable(root, self.v2 if version is Version.V2 else self.v1, self.read))


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


def read_all(
    table: Mapping[str, Field], root: Mapping[str, object], version: Version
) -> dict[str, FactValue]:
    """Return the fields of `table` that have a usable value in `root`."""
    found = ((name, field.find(root, version)) for name, field in table.items())
    return {name: value for name, value in found if value is not None}


def read_texts(
    table: Mapping[str, Field], root: Mapping[str, object], version: Version
) -> dict[str, str]:
    """Return the fields of `table` that have a usable value in `root`, as strings."""
    return {name: str(value) for name, value in read_all(table, root, version).items()}
