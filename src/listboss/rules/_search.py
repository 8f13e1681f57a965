"""Find which of many strings a value contains, or starts with.

To find the strings that it contains, the value is read once for all of them, with the automaton of
Aho and Corasick ("Efficient string matching", 1975). So the time depends on the length of the value
only, not on the strings. Those at its start are found by bisection.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable
from functools import partial

__all__ = [
    "Automaton",
    "Prefixes",
    "are_many",
    "contains_any",
    "contains_none",
    "cost",
    "searcher",
]

COST = 4
"""What searching for any string costs, in characters of a string."""
MAX_COST = 128
"""Strings of at most this cost together are few. Measured with hostile strings: at most 0.3 ms."""
COPIED_PER_CHARACTER = 4
"""For each character of the strings, at most this many transitions are copied from other states."""


def contains_any(text: str, strings: Iterable[str]) -> bool:
    """Whether the text contains one of the strings.

    >>> contains_any("spring-sale", ["winter", "sale"])
    True
    """
    return any(each in text for each in strings)


def contains_none(text: str, strings: Iterable[str]) -> bool:
    """Whether the text contains none of the strings."""
    return not contains_any(text, strings)


def cost(string: str) -> int:
    """Return what searching for one string costs, in characters."""
    return COST + len(string)


def are_many(total: int) -> bool:
    """Whether strings of that cost together are many, so that they get an automaton."""
    return total > MAX_COST


def searcher(strings: Collection[str]) -> Callable[[str], Collection[str]]:
    """Return a function that takes the text and returns those of the strings that it contains.

    >>> searcher(["winter", "sale"])("spring-sale")
    ['sale']
    """
    if are_many(sum(map(cost, strings))):
        return Automaton(strings).contained
    return partial(_contained, strings)


def _contained(strings: Iterable[str], text: str) -> list[str]:
    return [each for each in strings if each in text]


class Prefixes:
    """Strings that a value may start with, in order, numbered from 1 on.

    The longer strings that start with a string come directly after it, so they form an interval.
    The number of the longest string that a value starts with is in the interval of each string
    that it starts with, and in no other.

    >>> prefixes = Prefixes(["spring", "spring-sale", "winter"])
    >>> prefixes.longest("spring-sale-2"), prefixes.longest("spring-offer"), prefixes.longest("s")
    (2, 1, 0)
    >>> prefixes.interval_of("spring")
    (1, 3)
    """

    __slots__ = ("_ends", "_far", "_shorter", "_strings")

    def __init__(self, strings: Iterable[str]) -> None:
        self._strings = found = ["", *sorted(set(strings))]
        self._ends = ends = [*range(1, len(found) + 1)]
        self._shorter = shorter = [0] * len(found)
        """For each string, the longest other one that it starts with; 0 is the empty string."""
        for n in reversed(range(1, len(found))):
            while ends[n] < len(found) and found[ends[n]].startswith(found[n]):
                shorter[ends[n]] = n
                ends[n] = ends[ends[n]]
        self._far = far = [0] * len(found)
        """For each string, one that is often many steps shorter: few steps lead to any of them."""
        depth = [0] * len(found)
        for n in range(1, len(found)):
            near = shorter[n]
            depth[n] = depth[near] + 1
            middle = far[near]
            as_far = depth[near] - depth[middle] == depth[middle] - depth[far[middle]]
            far[n] = far[middle] if as_far else near

    def __len__(self) -> int:
        return len(self._strings) - 1

    def longest(self, value: str) -> int:
        """Return the number of the longest string that the value starts with, or 0."""
        strings = self._strings
        number = bisect_right(strings, value) - 1
        while not value.startswith(strings[number]):
            far = self._far[number]
            number = self._shorter[number] if value.startswith(strings[far]) else far
        return number

    def interval_of(self, string: str) -> tuple[int, int]:
        """Return the interval of a string: its number and those of the longer ones, half-open."""
        number = bisect_left(self._strings, string)
        return number, self._ends[number]


class _State(dict[str, "_State"]):
    """A prefix of some strings, and the state that follows it, by the next character.

    `longest` is the longest string that the prefix ends with. `link` is where to go on for another
    character: the longest suffix of the prefix that is a prefix, too, or the empty prefix if all
    that follows that suffix has been copied here.
    """

    __slots__ = ("link", "longest")

    link: _State
    longest: str | None

    def __init__(self) -> None:
        super().__init__()
        self.longest = None


class Automaton:
    """An automaton that finds strings; its states are their prefixes.

    >>> sorted(Automaton(["winter", "sale", "ring"]).contained("spring-sale"))
    ['ring', 'sale']
    """

    __slots__ = ("_empty", "_inner", "_states")

    def __init__(self, strings: Collection[str]) -> None:
        self._empty = _State()
        self._states = [self._empty]
        for string in strings:
            state = self._empty
            for character in string:
                following = state.get(character)
                if following is None:
                    following = state[character] = _State()
                    self._states.append(following)
                state = following
            state.longest = string
        self._inner: dict[str, str | None] = dict.fromkeys(strings)
        """For each string, the longest other string that it ends with."""
        self._connect(COPIED_PER_CHARACTER * sum(map(len, strings)))

    def __del__(self) -> None:
        """Free the states, which refer to each other, without waiting for the garbage collector."""
        for state in self._states:
            state.clear()

    def _connect(self, room: int) -> None:
        """Set the links, shortest prefixes first."""
        empty = self._empty  # which has no link
        states = [(state, empty) for state in empty.values()]
        for state, suffix in states:
            for character, longer in state.items():
                states.append((longer, self._after(suffix, character)))
            if state.longest is None:
                state.longest = suffix.longest
            else:
                self._inner[state.longest] = suffix.longest
            state.link = suffix
            if suffix is not empty and suffix.link is empty and len(suffix) <= room:
                room -= len(suffix)
                state.update({**suffix, **state})
                state.link = empty

    def _after(self, state: _State, character: str) -> _State:
        """Return the state that follows a state after a character."""
        while (following := state.get(character)) is None and state is not self._empty:
            state = state.link
        return self._empty if following is None else following

    def contained(self, text: str) -> Collection[str]:
        """Return those of the strings that the text contains."""
        empty = state = self._empty
        ends = {empty.longest}
        for character in text:  # what `_after` does, without a call
            while (following := state.get(character)) is None and state is not empty:
                state = state.link
            state = empty if following is None else following
            ends.add(state.longest)
        found: set[str] = set()
        for each in ends:
            string = each
            while string is not None and string not in found:
                found.add(string)
                string = self._inner[string]
        return found
