"""Limits are exact: a document below or at a limit is read, one above it is not."""

import tomllib
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, ClassVar

import attrs
import pytest

from listboss import AddTag, RuleSet
from listboss.codec import LIMITS, Limits, _document, load_event, load_plan, load_rules, read_rules
from listboss.codec._document import MAX_KEY_PARTS
from listboss.errors import CodecError, RuleError
from listboss.rules._size import MAX_ACTIONS
from listboss.rules._text import MAX_DECIMAL, MAX_INTEGER_BITS
from listboss.rules.condition import MAX_DEPTH, MAX_NODES

NEAR = pytest.mark.parametrize("over", [-1, 0, 1])


LARGE_TOML = Limits(max_toml_bytes=LIMITS.max_bytes)


def code_of(load: Callable[[], Any]) -> str | None:
    """The code of the fault, or None if the document was read."""
    try:
        load()
    except CodecError as error:
        return error.code
    return None


def rule_with(condition: str) -> str:
    """A rule with that condition, as JSON."""
    rule = '"name": "A", "product_id": "1", "provider": "m", "event": "e", "actions": []'
    return f'{{"segmentations": [{{{rule}, "condition": {condition}}}]}}'


@NEAR
@pytest.mark.parametrize("text", ["{%s}", '{"version": 1%s}', '{"capture_provider": "é"%s}'])
def test_bytes(over: int, text: str) -> None:
    """Bytes are counted, not characters, in a string as in bytes."""
    source = text % (" " * (100 + over - len((text % "").encode())))
    limits = Limits(max_bytes=100)

    expected = "too_many_bytes" if over > 0 else None
    assert (expected, expected) == (
        code_of(lambda: load_rules(source, limits=limits)),
        code_of(lambda: load_rules(source.encode(), limits=limits)),
    )


@NEAR
def test_bytes_by_default(over: int) -> None:
    """Without `limits`, the documented default holds."""
    source = "{}" + " " * (LIMITS.max_bytes + over - 2)

    assert ("too_many_bytes" if over > 0 else None) == code_of(lambda: load_rules(source))


@NEAR
def test_bytes_of_toml(over: int) -> None:
    """TOML has a limit of its own, beside the one for all documents."""
    source = "#" + "x" * (LIMITS.max_toml_bytes + over - 1)
    expected = "too_many_bytes" if over > 0 else None

    assert expected == code_of(lambda: load_rules(source, format="toml"))
    assert "too_many_bytes" == code_of(
        lambda: load_rules(source, format="toml", limits=Limits(max_bytes=99))
    )


@NEAR
def test_depth_of_json(over: int) -> None:
    """The levels of nested containers are counted, including the document's own object."""
    inner = 20 + over - 1
    source = '{"products": ' + "[" * inner + "]" * inner + "}"

    assert ("too_deep" if over > 0 else "wrong_type") == code_of(
        lambda: load_rules(source, limits=Limits(max_depth=20))
    )


@NEAR
def test_depth_of_a_mapping(over: int) -> None:
    """A mapping has as many levels as its JSON."""
    content: Any = []
    for _ in range(20 + over - 2):
        content = [content]

    assert ("too_deep" if over > 0 else "wrong_type") == code_of(
        lambda: load_rules({"products": content}, limits=Limits(max_depth=20))
    )


@NEAR
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a=", "}")])
def test_depth_of_toml(over: int, opening: str, closing: str) -> None:
    """TOML has as many levels as the tree it gives."""
    inner = 20 + over - 1
    source = f"products = {opening * inner}{'1' * (closing == '}')}{closing * inner}"

    assert ("too_deep" if over > 0 else "wrong_type") == code_of(
        lambda: load_rules(source, format="toml", limits=Limits(max_depth=20))
    )


@NEAR
@pytest.mark.parametrize("text", ["%s = 1", "[%s]", '[["a".%s]]', "a = {%s = 1}"])
def test_parts_of_a_toml_key(over: int, text: str) -> None:
    """The parts of a dotted key are counted wherever TOML allows one."""
    parts = MAX_KEY_PARTS + over - text.count('"a"')
    key = " . ".join((["b", '"c.x"', "'d'", "1"] * 5)[:parts])

    assert ("too_deep" if over > 0 else "unknown_key") == code_of(
        lambda: load_rules(text % key, format="toml")
    )


@NEAR
@pytest.mark.parametrize(
    ("format", "text"),
    [("json", '{"products": [%s]}'), ("toml", "products = [%s]"), ("toml", "products = [%s,]")],
)
def test_nodes(over: int, format: Any, text: str) -> None:
    """Every value counts, also a container."""
    source = text % ",".join("0" * (20 + over - 2))
    limits = Limits(max_nodes=20)

    assert ("too_many_nodes" if over > 0 else "invalid_documents") == code_of(
        lambda: load_rules(source, format=format, limits=limits)
    )


@NEAR
def test_nodes_of_a_mapping(over: int) -> None:
    """A mapping has as many values as its JSON, in one list or in several."""
    content = {"products": [[0] * 5, [0] * (12 + over - 2)], "version": 1}

    assert ("too_many_nodes" if over > 0 else "invalid_documents") == code_of(
        lambda: load_rules(content, limits=Limits(max_nodes=20))
    )


@NEAR
def test_events_and_plans_have_limits_too(over: int) -> None:
    """The limits are arguments of every reader."""
    source = "{" + " " * (9 + over - 1) + "}"
    limits = Limits(max_bytes=10)

    expected = "too_many_bytes" if over > 0 else "invalid_documents"
    assert (expected, expected) == (
        code_of(lambda: load_event(source, limits=limits)),
        code_of(lambda: load_plan(source, limits=limits)),
    )


@NEAR
@pytest.mark.parametrize("sign", ["", "-"])
def test_bits_of_an_integer(over: int, sign: str) -> None:
    """An integer has as many bits as a fact of an event may have."""
    number = sign + str((1 << MAX_INTEGER_BITS) - 1 + over)

    assert ("number_too_large" if over > 0 else None) == code_of(
        lambda: load_rules(rule_with(f'{{"fact": "a", "eq": {number}}}'))
    )


@NEAR
@pytest.mark.parametrize(
    "spelled",
    [
        lambda n: "1" * n,
        lambda n: "0." + "1" * n,
        lambda n: f"1e{n}",
        lambda n: f"-1.5E-{n}",
    ],
    ids=["digits", "decimals", "large", "small"],
)
def test_size_of_a_decimal(over: int, spelled: Callable[[int], str]) -> None:
    """The digits of a decimal are bounded, and so is its exponent."""
    text = spelled(MAX_DECIMAL + over)
    source = rule_with(f'{{"fact": "a", "eq": {{"decimal": "{text}"}}}}')

    assert ("number_too_large" if over > 0 else None) == code_of(lambda: load_rules(source))


def test_a_decimal_within_its_limits_is_exact() -> None:
    """No digit is rounded, whatever the precision of the decimal context."""
    text = "1." + "7" * (MAX_DECIMAL - 1)
    rules = load_rules(rule_with(f'{{"fact": "a", "eq": {{"decimal": "{text}"}}}}'))
    condition: Any = rules.segmentations[0].condition

    assert Decimal(text) == condition.value


@NEAR
@pytest.mark.parametrize("word", ["not", "all", "any"])
def test_depth_of_a_condition(over: int, word: str) -> None:
    """The deepest condition that can be built can be read; a deeper one gives a path."""
    condition = '{"fact": "a", "eq": {"decimal": "1"}}'
    for _ in range(MAX_DEPTH + over):
        inner = condition if word == "not" else f"[{condition}]"
        condition = f'{{"{word}": {inner}}}'

    errors = read_rules(rule_with(condition)).errors
    assert (["too_deep"] if over > 0 else []) == [error.code for error in errors]
    assert all(error.path.startswith("$.segmentations[0].condition") for error in errors)


@NEAR
def test_nodes_of_a_condition(over: int) -> None:
    """The largest condition that can be built can be read."""
    parts = ['{"fact": "a", "eq": 1}'] * (MAX_NODES + over - 1)
    condition = f'{{"all": [{",".join(parts)}]}}'

    assert ("too_large" if over > 0 else None) == code_of(lambda: load_rules(rule_with(condition)))


class TestSizeOfARuleSet:
    """The limits of a rule set hold for a file, too."""

    RULE: ClassVar[dict[str, Any]] = {
        "product_id": "1",
        "provider": "m",
        "event": "e",
        "actions": [],
    }

    def _file(self, actions: int) -> dict[str, Any]:
        """Make a file whose first rule cannot be read, and whose last one has many actions."""
        tags = [{"add_tag": str(n)} for n in range(actions)]
        rules: list[dict[str, Any]] = [
            {"name": True},
            {"name": "A"},
            {"name": "B", "actions": tags},
        ]
        return {"segmentations": [{**self.RULE, **rule} for rule in rules]}

    @NEAR
    def test_exact(self, over: int) -> None:
        """A file of as many actions as allowed is read, except for its other faults."""
        expected = "too_complex" if over > 0 else "wrong_type"
        assert expected == code_of(lambda: load_rules(self._file(MAX_ACTIONS + over)))

    @pytest.mark.parametrize("load", [load_rules, read_rules])
    def test_path(self, load: Callable[[object], object]) -> None:
        """The path counts the rules of the file, also those that cannot be read."""
        with pytest.raises(CodecError) as caught:
            load(self._file(MAX_ACTIONS + 1))
        assert "$.segmentations[2]" == caught.value.path

    def test_as_from_objects(self) -> None:
        """The message and the hint are those of a rule set that is made from objects."""
        rules = read_rules(self._file(MAX_ACTIONS)).rules.segmentations
        with pytest.raises(RuleError) as made:
            RuleSet([], [*rules, attrs.evolve(rules[0], id="C", actions=AddTag("a"))])
        more = {**self.RULE, "name": "A", "id": "C", "actions": [{"add_tag": "a"}]}
        file = self._file(MAX_ACTIONS)
        with pytest.raises(CodecError) as loaded:
            load_rules({"segmentations": [*file["segmentations"], more]})
        assert (made.value.message, made.value.hint) == (loaded.value.message, loaded.value.hint)


class TestBeforeTheParser:
    """A document over a limit never reaches a parser, which would need much time and memory."""

    @pytest.fixture(autouse=True)
    def _no_parser(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_arguments: object, **_options: object) -> None:
            pytest.fail("the parser saw the document")

        monkeypatch.setattr(_document, "_DECODER", SimpleNamespace(decode=refuse))
        monkeypatch.setattr(tomllib, "loads", refuse)

    @pytest.mark.parametrize(
        ("format", "text", "code"),
        [
            ("json", "[" * 400_000, "too_deep"),
            ("json", '["[", ' + "[" * 100, "too_deep"),
            ("json", "[" + "[[]]," * 250_000 + "1]", "too_many_nodes"),
            ("json", "[" + '"",' * 500_000 + "1]", "too_many_nodes"),
            ("toml", "a = " + "[" * 1_000_000, "too_deep"),
            ("toml", "a = [" + "1," * 500_000 + "]", "too_many_nodes"),
            ("toml", "a = 1\n" * 500_000, "too_many_nodes"),
            ("toml", "".join(f"[k{n}.a.a.a.a]\n" for n in range(20_100)), "too_many_nodes"),
            ("toml", "".join(f"k{n}.a.a.a.a.a = 1\n" for n in range(20_100)), "too_many_nodes"),
            ("toml", "a = " + "1" * 1_000_000, "number_too_large"),
            ("toml", "a = 0.1" + "1" * 1_000_000, "number_too_large"),
            ("toml", "a = 0xF" + "_f" * 1_000_000, "number_too_large"),
        ],
    )
    def test_each(self, format: Any, text: str, code: str) -> None:
        """Too deep, too many values, too many tables, or a number with too many digits."""
        assert code == code_of(lambda: load_rules(text, format=format, limits=LARGE_TOML))

    @pytest.mark.parametrize(
        ("format", "text"),
        [
            ("json", '["' + "[" * 1_000_000 + '"'),
            ("json", '["' + '\\",[' * 500_000 + '"]'),
            ("toml", "a = '" + "[," * 500_000 + "'"),
            ("toml", "# " + "[1.a," * 500_000),
            ("toml", "a = [" + "1.5," * 200_000 + "]"),
        ],
    )
    def test_not_these(self, format: Any, text: str) -> None:
        """What strings and comments contain does not count, nor do the dots in numbers."""
        with pytest.raises(pytest.fail.Exception):
            load_rules(text, format=format, limits=LARGE_TOML)
