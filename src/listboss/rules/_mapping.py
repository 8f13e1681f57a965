"""`FrozenMap`: an immutable mapping, for facts, data, parameters and accounts.

A `dict` whose mutating methods raise, so it reads at full speed and serialises like one.
Keys are sorted; the mapping can be hashed, pickled and copied. Equality is typed: `True`, `1`
and `Decimal(1)` are three different values, since a rule on one is not a rule on another. The
`repr` shows the keys and masks the values, which may be personal data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Never, Self, TypeVar, cast

from listboss.rules._text import wrong_type

__all__ = ["FrozenMap", "look_up", "require_mapping", "typed"]

K = TypeVar("K")
V = TypeVar("V")


_fill: Any = cast("Any", dict).update


def typed(value: object) -> tuple[type, object]:
    """Pair a value with its type, so that equal values of different types differ.

    >>> typed(True) == typed(1)
    False
    """
    return (type(value), value)


def require_mapping(value: object, path: str, hint: str) -> None:
    """Check that a value is a mapping."""
    if not isinstance(value, Mapping):
        raise wrong_type("a mapping", value, path, hint)


def look_up(named: Mapping[str, V], name: object, path: str) -> V | None:
    """Return what has that name, or None; a name that is not a string is an error."""
    if not isinstance(name, str):
        raise wrong_type("a string", name, path)
    return named.get(name)


class FrozenMap(dict[K, V]):
    """An immutable, hashable, picklable mapping with sorted keys.

    >>> facts = FrozenMap({"language": "en", "country": "BR"})
    >>> facts
    FrozenMap({'country': ..., 'language': ...})
    >>> facts["country"], list(facts)
    ('BR', ['country', 'language'])
    >>> facts["country"] = "PT"
    Traceback (most recent call last):
    TypeError: a FrozenMap cannot be changed
    """

    __slots__ = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Return a given frozen map itself, without a copy."""
        if len(args) == 1 and not kwargs and type(args[0]) is cls:
            return args[0]
        return super().__new__(cls)

    def __init__(self, source: Mapping[K, V] | None = None, /) -> None:
        if source is None or source is self:
            return
        for key in sorted(source, key=str):
            super().__setitem__(key, source[key])

    @classmethod
    def of_sorted(cls, items: Mapping[K, V]) -> Self:
        """Freeze a mapping whose keys the caller has sorted; the order is not checked."""
        new = dict.__new__(cls)
        _fill(new, items)
        return new

    def _refuse_change(self, *_args: object, **_kwargs: object) -> Never:
        raise TypeError("a FrozenMap cannot be changed")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = _refuse_change
    setdefault = update = cast("Any", _refuse_change)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        them = cast("Mapping[object, object]", other)
        if len(self) != len(them):
            return False
        missing = object()
        return all(typed(them.get(key, missing)) == typed(value) for key, value in self.items())

    def __ne__(self, other: object) -> bool:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    def __hash__(self) -> int:  # type: ignore[override] # pyright: ignore[reportIncompatibleVariableOverride] # a dict is mutable and has no hash
        return hash(tuple((key, type(value), value) for key, value in self.items()))

    def __repr__(self) -> str:
        return f"FrozenMap({{{', '.join(f'{key!r}: ...' for key in self)}}})"

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (dict(self),))

    def copy(self) -> Self:
        """Return the mapping itself: an immutable value needs no copy."""
        return self

    __copy__ = copy

    def __deepcopy__(self, _memo: object) -> Self:
        return self
