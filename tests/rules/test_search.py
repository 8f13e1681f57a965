"""Searching for many strings at once finds what Python finds, whatever the strings are."""

import sys
from random import Random

import pytest

from listboss.rules import _search
from listboss.rules._search import (
    COPIED_PER_CHARACTER,
    COST,
    MAX_COST,
    Automaton,
    Prefixes,
    contains_any,
    contains_none,
    searcher,
)

TEXTS = {
    "random": lambda dice, n: "".join(dice.choice("abcd") for _ in range(n)),
    "two letters": lambda dice, n: "".join(dice.choice("ab") for _ in range(n)),
    "one letter": lambda _dice, n: "a" * n,
    "a period": lambda dice, n: ("ab" * dice.randint(1, 9) + "c") * n,
    "one odd letter": lambda _dice, n: "a" * (n // 2) + "b" + "a" * (n - n // 2 - 1),
    "wide letters": lambda dice, n: "".join(dice.choice("日本語a") for _ in range(n)),
    "many letters": lambda dice, n: "".join(chr(dice.randrange(97, 400)) for _ in range(n)),
}


def strings_of(dice: Random, text: str) -> list[str]:
    """Cut strings of many lengths out of one string, and spoil a letter of every other one."""
    strings = ["", text, text + "a", "~", "a", "aa", "b" * 256, "a" * 257]
    for n in range(40):
        length = dice.choice((1, 2, 3, 7, 16, 40, 255, 700))
        start = dice.randrange(len(text))
        cut = text[start : start + length]
        at = dice.randrange(len(cut))
        strings.append(cut if n % 2 else cut[:at] + dice.choice("abc~") + cut[at + 1 :])
    dice.shuffle(strings)
    return strings


def found(text: str, strings: list[str]) -> set[str]:
    """Return the strings that are found, each once."""
    automaton = Automaton(strings)
    contained = [*automaton.contained(text)]
    assert len(contained) == len(set(contained))
    assert set(contained) == set(automaton.contained(text)) == set(searcher(strings)(text))
    return set(contained)


@pytest.mark.parametrize("length", [1, 255, 1_500])
@pytest.mark.parametrize("kind", TEXTS)
def test_contained(kind, length):
    """The strings found are those that the text contains."""
    dice = Random(f"{kind}/{length}")
    for _ in range(5):
        text = TEXTS[kind](dice, length)[:length]
        strings = strings_of(dice, text)
        assert {each for each in strings if each in text} == found(text, strings)
        other = TEXTS[kind](dice, length)[:length]
        assert {each for each in strings if each in other} == found(other, strings)


@pytest.mark.parametrize("copied", [0, 1, COPIED_PER_CHARACTER])
def test_every_small_case(copied, monkeypatch):
    """All strings of up to five letters over `ab`, however much is copied."""
    monkeypatch.setattr(_search, "COPIED_PER_CHARACTER", copied)
    words = [""]
    for word in words:
        if len(word) < 5:
            words += [word + "a", word + "b"]
    short = [word for word in words if len(word) <= 3]
    dice = Random(1)
    for _ in range(150):
        strings = dice.sample(short, 9)
        searched = Automaton(strings)
        for text in words:
            assert {each for each in strings if each in text} == set(searched.contained(text))


@pytest.mark.parametrize("number", [0, 1, 2, MAX_COST // (COST + 4), 100])
@pytest.mark.parametrize("length", [0, 8, 4_096])
def test_number_of_strings(number, length):
    """Few strings give the same result as many."""
    strings = ["needle", "haystack", "x", "dle\N{EM SPACE}", "e"] * 20
    text = "a needle".rjust(length)[:length]
    expected = {each for each in strings[:number] if each in ("needle", "e") and length}
    assert expected == found(text, strings[:number])


def test_strings_of_which_each_ends_with_another():
    """All of them are found, however many there are."""
    strings = ["a" * n for n in range(1, 400)]
    assert {*strings[:300]} == found("b" + "a" * 300 + "b" * 300, strings)


def test_room():
    """Copied transitions stay within the room for them."""
    many = ["a" + chr(200 + n) for n in range(2_000)]
    strings = [*many, *(f"{n}a{n}a{n}a" for n in range(2_000))]
    automaton = Automaton(strings)
    characters = sum(map(len, strings))
    assert sum(map(len, automaton._states)) <= (1 + COPIED_PER_CHARACTER) * characters
    text = "a" + many[7] + strings[-1] + "a~"
    assert {each for each in strings if each in text} == automaton.contained(text)


def test_a_long_string():
    """A string may be longer than the recursion limit."""
    string = "ab" * sys.getrecursionlimit() * 5
    automaton = Automaton([string, "x"])
    assert {string} == automaton.contained(f"b{string}b")
    assert not automaton.contained(string[1:])


def test_any_and_none():
    """Any of some strings, or none of them."""
    strings = ("winter", "sale")
    texts = ("spring-sale", "autumn", "winter")
    assert [True, False, True] == [contains_any(each, strings) for each in texts]
    assert [False, True, False] == [contains_none(each, strings) for each in texts]


def starting(prefixes: Prefixes, strings: list[str], text: str) -> set[str]:
    """Return the strings that the text starts with, by the number of the longest one."""
    number = prefixes.longest(text)
    intervals = {each: prefixes.interval_of(each) for each in strings}
    return {each for each, (low, high) in intervals.items() if low <= number < high}


@pytest.mark.parametrize("text", ["", "s", "spring", "spring-sale", "winter", "sprint"])
def test_starting(text):
    """The strings that the text starts with, also the whole text."""
    strings = ["spring", "s", "spring-", "autumn", "sp-", "spring"]
    prefixes = Prefixes(strings)
    assert len(prefixes) == 5
    assert {each for each in strings if text.startswith(each)} == starting(prefixes, strings, text)


@pytest.mark.parametrize("kind", TEXTS)
def test_all_prefixes(kind):
    """Strings that start with each other, and many that do not."""
    dice = Random(f"{kind}/prefixes")
    for _ in range(20):
        text = TEXTS[kind](dice, 40)[:40]
        strings = [string[: dice.randint(1, 40)] for string in strings_of(dice, text) if string]
        prefixes = Prefixes(strings)
        for each in [*strings, text, text[:-1] + "~", "~", ""]:
            expected = {string for string in strings if each.startswith(string)}
            assert expected == starting(prefixes, strings, each)


@pytest.mark.parametrize("ends", ["", "z", "A"])
def test_a_long_chain(ends):
    """Each string starts with all that are shorter; from the longest one, any is found."""
    chain = ["a" * n for n in range(1, 301)]
    prefixes = Prefixes([*chain, "b", "ab"])
    for length in range(301):
        assert starting(prefixes, chain, "a" * length + ends) == set(chain[:length])


def test_no_prefixes():
    """Without strings, a value starts with none."""
    assert Prefixes([]).longest("a") == len(Prefixes([])) == 0
