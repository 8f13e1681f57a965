"""Searching for many strings at once finds what Python finds, whatever the strings are."""

from random import Random

import pytest

from listboss.rules._search import MAX_SUFFIX, contained, contains_any, contains_none, starting

TEXTS = {
    "random": lambda dice, n: "".join(dice.choice("abcd") for _ in range(n)),
    "two letters": lambda dice, n: "".join(dice.choice("ab") for _ in range(n)),
    "one letter": lambda _dice, n: "a" * n,
    "a period": lambda dice, n: ("ab" * dice.randint(1, 9) + "c") * n,
    "one odd letter": lambda _dice, n: "a" * (n // 2) + "b" + "a" * (n - n // 2 - 1),
    "wide letters": lambda dice, n: "".join(dice.choice("日本語a") for _ in range(n)),
}


def strings_of(dice: Random, text: str) -> list[str]:
    """Cut strings of many lengths out of one string, and spoil a letter of every other one."""
    strings = ["", text, text + "a", "~", "a", "b" * MAX_SUFFIX, "a" * (MAX_SUFFIX + 1)]
    for n in range(40):
        length = dice.choice((1, 2, 7, 16, 40, MAX_SUFFIX - 1, MAX_SUFFIX, MAX_SUFFIX + 1, 700))
        start = dice.randrange(len(text))
        cut = text[start : start + length]
        at = dice.randrange(len(cut))
        strings.append(cut if n % 2 else cut[:at] + dice.choice("abc~") + cut[at + 1 :])
    return strings


@pytest.mark.parametrize("length", [1, 255, 256, 257, 1_500])
@pytest.mark.parametrize("kind", TEXTS)
def test_contained(kind, length):
    """The strings found are those that the text contains."""
    dice = Random(f"{kind}/{length}")
    for _ in range(5):
        text = TEXTS[kind](dice, length)[:length]
        strings = strings_of(dice, text)
        assert [each for each in strings if each in text] == contained(text, strings)


@pytest.mark.parametrize("number", [0, 1, 15, 16, 17])
def test_number_of_strings(number):
    """Few strings are searched as many are."""
    strings = ["needle", "haystack", "x", "dle\N{EM SPACE}"] * 5
    text = "a needle".rjust(500)
    expected = [each for each in strings[:number] if each == "needle"]
    assert expected == contained(text, strings[:number])


def test_any_and_none():
    """Any of some strings, or none of them."""
    strings = ("winter", "sale")
    texts = ("spring-sale", "autumn", "winter")
    assert [True, False, True] == [contains_any(each, strings) for each in texts]
    assert [False, True, False] == [contains_none(each, strings) for each in texts]


@pytest.mark.parametrize("text", ["", "s", "spring", "spring-sale", "springs", "autumn"])
def test_starting(text):
    """The strings that the text starts with, also the whole text."""
    strings = ["s", "spring", "spring-", "autumn", "sp-"]
    assert [each for each in strings if each == text[: len(each)]] == starting(text, strings)
