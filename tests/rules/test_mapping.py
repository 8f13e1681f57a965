import copy
import pickle
from decimal import Decimal

import pytest

from listboss.rules._mapping import FrozenMap, fill, typed


class TestFrozenMap:
    """An immutable, hashable mapping with sorted keys and typed equality."""

    def test_keys_are_sorted(self):
        """Whatever the order given, keys come in order."""
        assert ["a", "b"] == list(FrozenMap({"b": 1, "a": 2}))

    def test_empty(self):
        """Without a source it is empty."""
        assert {} == dict(FrozenMap())

    def test_of_a_frozen_map(self):
        """Freezing a frozen map gives the very same."""
        frozen = FrozenMap({"a": 1})
        assert FrozenMap(frozen) is frozen

    def test_of_sorted(self):
        """A mapping known to be in order is taken as it is."""
        assert FrozenMap({"a": 1, "b": 2}) == FrozenMap.of_sorted({"a": 1, "b": 2})

    @pytest.mark.parametrize(
        "change",
        [
            ("__setitem__", "a", 2),
            ("__delitem__", "a"),
            ("__ior__", {"b": 2}),
            ("clear",),
            ("pop", "a"),
            ("popitem",),
            ("setdefault", "b", 2),
            ("update", {"b": 2}),
        ],
        ids=lambda change: change[0],
    )
    def test_does_not_change(self, change):
        """Every mutator of a dict is closed."""
        frozen = FrozenMap({"a": 1})
        with pytest.raises(TypeError, match="does not change"):
            getattr(frozen, change[0])(*change[1:])
        assert {"a": 1} == frozen

    @pytest.mark.parametrize(
        ("equal", "other"),
        [
            (True, {"a": 1}),
            (False, {"a": True}),
            (False, {"a": Decimal(1)}),
            (False, {"a": 2}),
            (False, {"b": 1}),
            (False, {"a": 1, "b": 2}),
            (False, [("a", 1)]),
        ],
    )
    def test_equality_is_typed(self, equal, other):
        """`True`, `1` and `Decimal(1)` are three values."""
        assert (FrozenMap({"a": 1}) == other) is equal
        assert (FrozenMap({"a": 1}) != other) is not equal

    def test_equal_maps_hash_alike(self):
        """Whatever the order in which they were made."""
        assert hash(FrozenMap({"b": 1, "a": 2})) == hash(FrozenMap({"a": 2, "b": 1}))

    def test_repr_masks_values(self):
        """Keys show, values do not."""
        assert "FrozenMap({'a': ...})" == repr(FrozenMap({"a": "secret"}))

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_pickles(self, protocol):
        """It comes back as a frozen map, equal and typed."""
        frozen = FrozenMap({"a": True, "b": Decimal("1.0")})
        back = pickle.loads(pickle.dumps(frozen, protocol))
        assert frozen == back
        assert FrozenMap is type(back)

    def test_copies_are_itself(self):
        """What does not change needs no copy."""
        frozen = FrozenMap({"a": 1})
        assert frozen.copy() is frozen
        assert copy.copy(frozen) is frozen
        assert copy.deepcopy(frozen) is frozen


class TestTyped:
    """Values told apart by type."""

    def test_bool_and_int(self):
        """Equal values of two types are two."""
        assert typed(1) != typed(True)
        assert typed(1) == typed(1)


class TestFill:
    """Setting fields of a frozen value."""

    def test_fields(self):
        """Each field gets its value."""

        class Thing:
            pass

        thing = Thing()
        fill(thing, a=1, b=2)
        assert {"a": 1, "b": 2} == vars(thing)
