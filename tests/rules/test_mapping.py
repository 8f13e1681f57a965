import copy
import pickle
from decimal import Decimal

import pytest

from listboss.rules._mapping import FrozenMap, typed


class TestFrozenMap:
    """An immutable, hashable mapping with sorted keys and typed equality."""

    def test_keys_are_sorted(self):
        """The keys are in order, whatever the order given."""
        assert ["a", "b"] == list(FrozenMap({"b": 1, "a": 2}))

    def test_empty(self):
        """Without an argument it is empty."""
        assert {} == dict(FrozenMap())

    def test_of_a_frozen_map(self):
        """Freezing a frozen map returns the same object."""
        frozen = FrozenMap({"a": 1})
        assert FrozenMap(frozen) is frozen

    def test_of_sorted(self):
        """A mapping with sorted keys is frozen without sorting it again."""
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
        """Every mutating method of a dict raises."""
        frozen = FrozenMap({"a": 1})
        with pytest.raises(TypeError, match="cannot be changed"):
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
        """`True`, `1` and `Decimal(1)` are three different values."""
        assert (FrozenMap({"a": 1}) == other) is equal
        assert (FrozenMap({"a": 1}) != other) is not equal

    def test_equal_maps_hash_alike(self):
        """The order in which they were made does not matter."""
        assert hash(FrozenMap({"b": 1, "a": 2})) == hash(FrozenMap({"a": 2, "b": 1}))

    def test_repr_masks_values(self):
        """The repr shows the keys and masks the values."""
        assert "FrozenMap({'a': ...})" == repr(FrozenMap({"a": "secret"}))

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_pickles(self, protocol):
        """Unpickling gives an equal frozen map with the same types."""
        frozen = FrozenMap({"a": True, "b": Decimal("1.0")})
        back = pickle.loads(pickle.dumps(frozen, protocol))
        assert frozen == back
        assert FrozenMap is type(back)

    def test_copies_are_itself(self):
        """A copy is the same object."""
        frozen = FrozenMap({"a": 1})
        assert frozen.copy() is frozen
        assert copy.copy(frozen) is frozen
        assert copy.deepcopy(frozen) is frozen


class TestTyped:
    """Values that differ by type."""

    def test_bool_and_int(self):
        """Equal values of different types differ."""
        assert typed(1) != typed(True)
        assert typed(1) == typed(1)
