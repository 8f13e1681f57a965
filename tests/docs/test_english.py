"""Everything that a person reads is written in plain English: a table of habits to avoid.

The patterns find compressed phrases and private metaphors, in prose as well as in names.
Each row has a sentence that it finds and the plain one, so no pattern can be without effect.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

SELF = Path(__file__).resolve()
ROOT = SELF.parents[2]
AREAS = ("src", "tests", "docs", "examples", "bench", ".github", ".ci")
SUFFIXES = {".py", ".md", ".toml", ".yml", ".yaml", ""}
GAP = r'(?:\s*"\n\s*f?"|\s+(?:#\s+)?)'
"""A space in a pattern is also a line break inside a comment, a docstring or a message."""


class Habit(NamedTuple):
    """A phrase to avoid."""

    pattern: str
    advice: str
    bad: str
    good: str

    def search(self, text: str) -> Iterator[re.Match[str]]:
        """Find the phrase in a text, in upper and lower case."""
        flags = re.IGNORECASE if self.pattern == self.pattern.lower() else re.NOFLAG
        return re.finditer(self.pattern.replace(" ", GAP), text, flags)


HABITS = (
    # General rules
    Habit(
        r"\b(?!there\b)\w+[`'\")]* (?:is|are|was|were) no "
        r"(?!(?:longer|more|fewer|less|different)\b)",
        "write `is not` or `is not a`",
        "a bare text is no list",
        "a string is not a list; there is no limit; it is no longer used",
    ),
    Habit(
        r"\bthere is no (?!such\b)\w+ `",
        "write `unknown … `",
        "there is no datum `x`",
        "unknown field `x`",
    ),
    Habit(
        r"\b(?:is|are|was|were) meant\b",
        "write `expected …`",
        "a text is meant here",
        "expected a string; did you mean `name`?",
    ),
    Habit(
        r"\bmend(?:s|ed|ing)?\b",
        "write `fix`",
        "mend the syntax there",
        "fix the syntax error, as we recommend",
    ),
    Habit(
        r"(?<![.a-z])(?:told|tells?|telling)(?![a-z])",
        "write `report`, `show`, `say` or `return`; for names, `payload` or `detail`",
        "the receipt tells what happened",
        "the receipt shows what happened; position = file.tell()",
    ),
    Habit(
        r"\b(?:stands?|stood)\b(?!-)",
        "write `is`, `stays`, `is stored` or `appears`",
        "the policy stands in one table",
        "the policy is in one table; a stand-in for a standard",
    ),
    Habit(
        r"\bso (?:few|many)\b",
        "write `at most N`, `up to N` or `this many`",
        "so few rules are scanned",
        "up to eight rules are scanned",
    ),
    Habit(
        r"\bwhoever\b",
        "write `anyone who`, `people who` or the role",
        "Whoever buys gets the tag",
        "buyers get the tag",
    ),
    Habit(
        r"(?:\"\"\"|\. |\n\n)Who \w[^.?!]*[.!]",
        "name the person: `someone who …`, `the reader`",
        "Short. Who has read this page knows it.",
        "Short. Who reads this page?",
    ),
    Habit(
        r"\bdatum\b",
        "write `field`",
        "an absent datum is left out",
        "an absent field is left out of the data",
    ),
    Habit(
        r"\b(?!(?:do|does|did|doing|done|if|say|says|said|saying|think|why)\b)\w+`? so"
        r"(?=[.;:)]|\"\")",
        "say how: `so` does not end a sentence",
        "`verb` does not take `name` so.",
        "the provider says so. If so, wait; or do so.",
    ),
    Habit(
        r"\brules? (?:is|are) (?:\w+ )?asked\b"
        r"|\b(?:ask|asks|asking) (?:only )?(?:the|each|one|every|all|a few) (?:of )?"
        r"(?:the )?(?:rules?|facts?|index|buckets?|cells?|entries|entry|masks?|bins?)\b"
        r"|\basked (?:one by one|by every|by each)\b",
        "rules are evaluated, scanned or matched; facts are looked up",
        "the rules are asked one by one",
        "the rules are scanned; a rule asks for a price of at least 250",
    ),
    Habit(
        r"(?<![a-z])(?:doors?|shelf|shelves|desks?)(?![a-z])",
        "use the field's term: module, encoder, posting list, executor",
        "door = door_of(domain)",
        "encode = encoder_of(partition); indoors",
    ),
    # Words for types and values
    Habit(
        r"\ba (?:bare )?text\b(?! (?:facts?|files?|fields?|messages?))",
        "write `a string`",
        "a bare text is not accepted",
        "a string is not accepted; a text fact",
    ),
    Habit(
        r"\ban? (?:truth value|whole number)\b",
        "write `a boolean` or `an integer`",
        "a truth value, not a whole number",
        "a boolean, not an integer",
    ),
    Habit(
        r"\ban? instant\b(?! facts?)",
        "write `a date and time with a time zone`",
        "an instant is stored in UTC",
        "a date and time is stored in UTC; an instant fact",
    ),
    # Phrases
    Habit(
        r"\bby nobody\b",
        "say what is not accepted or not done",
        "a float is expected by nobody here",
        "floats are not accepted",
    ),
    Habit(
        r"\bis (?:no|neither) (?:json|toml)\b(?! nor)",
        "write `invalid JSON at line 1, column 2`",
        "line 1, column 2 is no JSON",
        "invalid JSON at line 1, column 2; it is neither JSON nor a form",
    ),
    Habit(
        r"\bgo(?:es)? (?:when|with) (?:its|the) last\b",
        "write `is freed`",
        "an engine goes when its last reference goes",
        "an engine is freed with its last reference",
    ),
    Habit(
        r"\bat hand\b",
        "write `cached`, `stored` or `current`",
        "find out, and keep at hand, what there is",
        "look up and cache the bucket; one at a time",
    ),
    Habit(
        r"\beach by (?:itself|themselves)\b",
        "write `separately` or `one by one`",
        "rules are read each by itself",
        "rules are read one by one, each by its id",
    ),
    Habit(
        r"\bhas another value\b",
        "write what it does not match: `does not match `>= 250``",
        "`price` has another value",
        "`price` does not match `>= 250`",
    ),
    Habit(
        r"\bblank text (?:fills|is no)\b",
        "write `blank text counts as missing`",
        "a fact that blank text fills is missing",
        "blank text counts as missing",
    ),
    Habit(
        r"\bthe whole[,:.]",
        "write `the complete example`",
        "The whole, without a framework:",
        "The complete example; the whole body",
    ),
    # Names
    Habit(
        r"\b_?(?:MOST|FEWEST|LEAST|LARGEST|LONGEST|SHORTEST)_[A-Z]",
        "write `MAX_` or `MIN_`",
        "MOST_BINS = 4",
        "MAX_BINS = 4; the most bins",
    ),
)


class Offence(NamedTuple):
    """A place where a phrase was found."""

    path: str
    line: int
    phrase: str
    advice: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: `{self.phrase}`: {self.advice}"


class Allowed(NamedTuple):
    """A line that may keep its phrase."""

    path: str
    part: str
    reason: str


ALLOWED: tuple[Allowed, ...] = ()


def files(area: str) -> Iterator[Path]:
    """The sources of one folder, without data and this very table."""
    for path in sorted((ROOT / area).rglob("*")):
        generated = {"__pycache__", "_build"} & set(path.parts)
        if path.suffix in SUFFIXES and path.is_file() and not generated and path != SELF:
            yield path


def at_the_top() -> Iterator[Path]:
    """The sources outside any folder."""
    for pattern in ("*.md", "*.py", "*.toml"):
        yield from sorted(ROOT.glob(pattern))


def prose(path: Path) -> str:
    """The text of a file; the changelog names what was renamed, in back-ticks."""
    text = path.read_text("utf-8")
    return re.sub(r"`[^`\n]*`", "``", text) if path.name == "CHANGELOG.md" else text


def offences(path: str, text: str) -> Iterator[Offence]:
    """Every phrase of the table that a text has."""
    for habit in HABITS:
        for match in habit.search(text):
            line = text.count("\n", 0, match.start()) + 1
            yield Offence(path, line, " ".join(match.group().split()), habit.advice)


def is_allowed(offence: Offence, text: str) -> bool:
    """Whether the list of exceptions has the line."""
    line = text.splitlines()[offence.line - 1]
    return any(each.path == offence.path and each.part in line for each in ALLOWED)


def found_in(paths: Iterator[Path]) -> list[str]:
    """The offences of files that are not exceptions."""
    found: list[Offence] = []
    for path in paths:
        name, text = path.relative_to(ROOT).as_posix(), prose(path)
        found += [each for each in offences(name, text) if not is_allowed(each, text)]
    return [str(each) for each in sorted(found)]


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.bad)
class TestHabits:
    """Every row of the table."""

    def test_bad(self, habit: Habit):
        """The sentence to avoid is found."""
        assert list(habit.search(habit.bad))

    def test_good(self, habit: Habit):
        """The plain sentence is not found by any row."""
        assert [] == list(offences("", habit.good))


@pytest.mark.parametrize(
    "text",
    [
        "# what follows here is\n# no list\n",
        '"""A bare tuple is\n    no list.\n"""\n',
        'message = (\n    "a bare tuple is "\n    "no list"\n)\n',
    ],
)
def test_a_phrase_over_two_lines(text: str):
    """A line break in a comment, a docstring or a message hides nothing."""
    (found,) = offences("", text)

    assert "write `is not` or `is not a`" == found.advice


@pytest.mark.parametrize("area", AREAS)
def test_sources(area: str):
    """The sources of a folder are written in plain English."""
    assert [] == found_in(files(area))


def test_top():
    """So are the pages and settings at the top."""
    assert [] == found_in(at_the_top())


def test_files_are_read():
    """The folders that every copy of the sources has are not empty."""
    assert all(len(list(files(area))) > 5 for area in ("tests", "docs"))


@pytest.mark.parametrize("each", ALLOWED, ids=lambda each: f"{each.path}: {each.part}")
def test_exceptions_are_needed(each: Allowed):
    """Each exception is still there, and still has a phrase of the table."""
    path = ROOT / each.path
    if path.is_file():
        lines = [line for line in prose(path).splitlines() if each.part in line]
        assert any(list(offences("", line)) for line in lines)
