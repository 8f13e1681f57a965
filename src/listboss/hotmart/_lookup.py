"""How fields are looked up in a webhook: by paths, in two spellings, the first usable value first.

The steps of a path are separated by dots, and `*` means each element of a list. Each key may
also be spelled in camelCase. What is found is read by a tolerant reader, so that a value of a
wrong type leads to the next path. A `FieldReader` finds all fields of a table at once, with a
function that is compiled from their paths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import islice, zip_longest
from typing import Any, TypeAlias, TypeVar, cast

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
    """Read the name of an affiliate that has a code: "" without a name, None without a code.

    A sale without an affiliate may list one without a code.
    """
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
    """Yield the values at a path: the spelling of the path first, then camelCase."""
    if not path:
        yield node
    elif path[0] == "*":
        for element in islice(node if is_list(node) else (), MAX_LISTED):
            yield from _candidates(element, path[1:])
    elif is_mapping(node):
        for key in dict.fromkeys((path[0], _camel_case(path[0]))):
            if key in node:
                yield from _candidates(node[key], path[1:])


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


_Fill: TypeAlias = Callable[[object, dict[str, Any]], Iterable[str]]


class FieldReader:
    """The fields of a table, found in a body of one version.

    The paths are compiled to one function that looks up each object of the body once. It
    decides wherever a key has one spelling and a list has one element; else `Field.find` does.

    >>> reader = FieldReader({"n": Field(text, "a.b c", "")}, Version.V2)
    >>> reader.read({"c": 1, "a": {"b": 2}}), reader.read({"c": 1, "a": {"b": None}})
    ({'n': '2'}, {'n': '1'})
    """

    def __init__(self, table: Mapping[str, Field], version: Version) -> None:
        self._table = table
        self._version = version
        self._fill = _Source(table, version).compiled()

    def read(self, root: Mapping[str, object]) -> dict[str, Any]:
        """Return the fields that have a usable value in `root`, of the types of their readers."""
        values: dict[str, Any] = {}
        try:
            undecided = self._fill(root, values)
        except _TwoSpellingsError:
            undecided = self._table
        for name in undecided:
            values.pop(name, None)
            if (value := self._table[name].find(root, self._version)) is not None:
                values[name] = value
        return values


_EMPTY: Mapping[str, object] = {}


class _TwoSpellingsError(Exception):
    """An object has a key in two spellings."""


def _respelled(value: object, spellings: Mapping[str, set[str]]) -> Mapping[str, object]:
    """Return an object with its keys as the paths spell them; another value is an empty one."""
    if not is_mapping(value):
        return _EMPTY
    fields = dict(value.items())
    for camel_case in spellings.keys() & fields.keys():
        for step in spellings[camel_case]:
            if step in fields:
                raise _TwoSpellingsError
            fields[step] = fields[camel_case]
    return fields


class _Source:
    """The source of a function that fills a dictionary with the fields of a body.

    It has a variable for each object and each list on a path, then one line for each field, in
    the order of their names: `if (v := o3.get("value")) is not None and ...`. The function
    returns the names of the fields that it leaves undecided, since a list has several elements.
    """

    def __init__(self, table: Mapping[str, Field], version: Version) -> None:
        fields = [(name, field, field.paths(version)) for name, field in table.items()]
        self._fields = sorted((name, field, paths) for name, field, paths in fields if paths)
        self._spellings: dict[Path, dict[str, set[str]]] = {}
        pairs = [pair for _, _, paths in self._fields for pair in zip_longest(paths, paths[1:])]
        for path, next_path in pairs:
            for length, step in enumerate(path):
                spellings = self._spellings.setdefault(path[:length], {})
                respelled = (*path[:length], camel_case := _camel_case(step), *path[length + 1 :])
                if respelled not in (path, next_path):  # else it is looked up as written
                    spellings.setdefault(camel_case, set()).add(step)
        self._names: dict[str, Any] = {"EMPTY": _EMPTY, "respelled": _respelled}
        self._objects: dict[Path, str] = {}
        self._elements: dict[Path, str] = {}
        self._lines = ["several = False"]

    def compiled(self) -> _Fill:
        """Return the function."""
        fields = [self._field(*field) for field in self._fields]
        listed = [name for name, _, paths in self._fields if any("*" in path for path in paths)]
        last = f"return {listed} if several else ()"
        source = "\n ".join(["def fill(root, values):", *self._lines, *fields, last])
        exec(source, self._names)  # noqa: S102 # all of it comes from the tables of this package
        return cast("_Fill", self._names["fill"])

    def _field(self, name: str, field: Field, paths: Paths) -> str:
        """Return the line of a field."""
        read, ends = self._named(field.read), list(map(self._end, paths))
        if field.choose is first_usable:
            usable = [f"(v := {end}) is not None and (v := {read}(v)) is not None" for end in ends]
            return f"if {' or '.join(usable)}: values[{name!r}] = v"
        each = f"for w in ({', '.join(ends)},) if w is not None and (v := {read}(w)) is not None"
        chosen = f"{self._named(field.choose)}(iter([v {each}]))"
        return f"if (v := {chosen}) is not None: values[{name!r}] = v"

    def _named(self, value: object) -> str:
        name = f"n{len(self._names)}"
        self._names[name] = value
        return name

    def _end(self, path: Path) -> str:
        """Return the expression of the value at the end of a path."""
        if path[-1] == "*":
            return self._element(path[:-1])
        return f"{self._object(path[:-1])}.get({path[-1]!r})"

    def _element(self, path: Path) -> str:
        """Return the variable of the first element of a list, which is None for another value."""
        if path not in self._elements:
            variable = self._elements[path] = f"e{len(self._elements)}"
            self._lines += [
                f"{variable} = {self._end(path)}",
                f"if isinstance({variable}, list) and {variable}:",
                f"    several = several or len({variable}) > 1",
                f"    {variable} = {variable}[0]",
                f"else: {variable} = None",
            ]
        return self._elements[path]

    def _object(self, path: Path) -> str:
        """Return the variable of an object, which is empty for another value."""
        if path not in self._objects:
            variable = self._objects[path] = f"o{len(self._objects)}"
            spellings = self._spellings[path]
            keys = f"{self._named(frozenset(spellings))}.isdisjoint({variable})"
            self._lines += [
                f"{variable} = {self._end(path) if path else 'root'}",
                f"if {variable} is None: {variable} = EMPTY",
                f"elif {variable}.__class__ is not dict or not {keys}:",
                f"    {variable} = respelled({variable}, {self._named(spellings)})",
            ]
        return self._objects[path]
