"""Malicious and careless documents: each gives one fault with a declared code."""

import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from listboss.codec import HINTS, LIMITS, load_event, load_plan, load_rules
from listboss.errors import CodecError, CodecErrors

RULE = {
    "name": "Buyers",
    "product_id": "1001",
    "provider": "mail",
    "event": "purchase.approved",
    "actions": [{"add_tag": "buyer"}],
}
MANY = {"any": [{"fact": "offer", "eq": str(n)} for n in range(999)]}
EVENT = {
    "name": "purchase.approved",
    "id": "e-1",
    "product_id": "1001",
    "contact": {"email": "ana@example.com"},
    "occurred_at": "2026-05-04T12:00:00Z",
}
PLAN = {
    "event_id": "e-1",
    "event_name": "purchase.approved",
    "product_id": "1001",
    "occurred_at": "2026-05-04T12:00:00Z",
    "is_test": False,
}


class Spiteful(str):
    """A string that raises when it is compared."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")

    def __hash__(self) -> int:
        return 1


class Odd:
    """An object that no document can contain, and that raises when it is inspected."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")

    def __getattr__(self, name: str) -> Any:
        raise AssertionError("looked into")

    __hash__ = None  # type: ignore[assignment] # unhashable on purpose


def rule(**changes: Any) -> str:
    """A rule file with one segmentation, in JSON."""
    return json.dumps({"segmentations": [{**RULE, **changes}]})


def when(condition: Any) -> str:
    """A rule file with one rule that has the condition."""
    return rule(condition=condition)


def then(action: Any) -> str:
    """A rule file with one rule that has the action."""
    return rule(actions=[action])


def product(**changes: Any) -> str:
    """A rule file with one product."""
    return json.dumps({"products": [{"id": "1001", "name": "Course", **changes}]})


def account(**changes: Any) -> str:
    """A rule file with one account."""
    return json.dumps({"providers": {"mail": changes}})


def event(**changes: Any) -> str:
    """An event with changes, in JSON."""
    return json.dumps({**EVENT, **changes})


def plan(**changes: Any) -> str:
    """A plan with changes, in JSON."""
    return json.dumps({**PLAN, **changes})


def fact(value: str) -> str:
    """An event with one fact, whose value is written as given."""
    return event(facts={"price": 0}).replace('"price": 0', f'"price": {value}')


def nested(depth: int, word: str) -> Any:
    """A condition with `depth` nested combinators."""
    condition: Any = {"fact": "language", "eq": "en"}
    for _ in range(depth):
        condition = {word: condition if word == "not" else [condition]}
    return condition


def toml(source: str | bytes) -> Any:
    """Read rules in TOML."""
    return load_rules(source, format="toml")


def cyclic() -> dict[str, Any]:
    """A mapping that contains itself."""
    content: dict[str, Any] = {"segmentations": []}
    content["segmentations"].append(content)
    return content


def bushy() -> dict[str, Any]:
    """A mapping that contains itself ten times."""
    content: dict[str, Any] = {}
    for name in "abcdefghij":
        content[name] = content
    return content


# For each name: a reader, a document and the code of its fault.
HOSTILE: dict[str, tuple[Callable[[Any], Any], Any, str]] = {
    # the text
    "nothing": (load_rules, "", "empty"),
    "blanks": (load_event, " \n\t ", "empty"),
    "empty TOML": (toml, "\n", "empty"),
    "None for a document": (load_rules, None, "wrong_type"),
    "a number for a document": (load_event, 7, "wrong_type"),
    "a byte array": (load_plan, bytearray(b"{}"), "wrong_type"),
    "a byte order mark": (load_rules, b"\xef\xbb\xbf{}", "byte_order_mark"),
    "a byte order mark in a string": (toml, "\ufeffversion = 1", "byte_order_mark"),
    "UTF-16": (load_rules, "{}".encode("utf-16"), "not_utf8"),
    "Latin-1": (load_rules, '{"products": "é"}'.encode("latin-1"), "not_utf8"),
    "an encoded surrogate": (load_rules, b'{"products": "\xed\xa0\x80"}', "not_utf8"),
    "broken off": (load_event, '{"name": "purchase', "syntax"),
    "a comma too many": (load_rules, '{"products": [],}', "syntax"),
    "two documents": (load_rules, "{}{}", "syntax"),
    "single quotes": (load_rules, "{'products': []}", "syntax"),
    "a comment": (load_rules, "{} // rules", "syntax"),
    "NUL between": (load_rules, "{}\0", "syntax"),
    "NUL in a string": (load_rules, '{"products": "\0"}', "syntax"),
    "NUL in TOML": (toml, "version = 1 # \0", "syntax"),
    "an unclosed string that escapes": (load_rules, '{"' + '\\"' * 100_000, "syntax"),
    "a backslash at the end": (load_rules, '{"\\', "syntax"),
    "TOML broken off": (toml, "products = [", "syntax"),
    "JSON for TOML": (toml, '{"version": 1}', "syntax"),
    "YAML": (lambda source: load_rules(source, format="yaml"), "a: 1", "unknown_format"),  # type: ignore[arg-type] # wrong on purpose
    # how deep and how much
    "deep lists": (load_rules, "[" * 100_000, "too_deep"),
    "deep objects": (load_event, '{"a":' * 100_000, "too_deep"),
    "deep after an escape": (load_rules, '["\\"", ' + "[" * 100_000, "too_deep"),
    "deep TOML": (toml, "a = " + "[" * 100_000, "too_deep"),
    "deep TOML after five quotes": (toml, 'a = ["""b""""", ' + "[" * 100_000, "too_deep"),
    "deep TOML after a literal": (toml, "a = ['''b''''', " + "[" * 100_000, "too_deep"),
    "a long dotted key": (toml, ".".join("a" * 100_000) + " = 1", "too_deep"),
    "a long table name": (toml, "[" + " . ".join("a" * 50) + "]", "too_deep"),
    "deep mapping": (load_rules, {"products": nested(200, "not")}, "too_deep"),
    "a mapping that contains itself": (load_rules, cyclic(), "too_deep"),
    "deep condition": (load_rules, when(nested(33, "not")), "too_deep"),
    "deep condition of lists": (load_rules, when(nested(33, "all")), "too_deep"),
    "a condition of many parts": (
        load_rules,
        when({"any": [{"fact": "offer", "eq": str(n)} for n in range(1_000)]}),
        "too_large",
    ),
    "rules of too many parts": (
        load_rules,
        {"segmentations": [{**RULE, "id": str(n), "condition": MANY} for n in range(61)]},
        "too_complex",
    ),
    "too many actions": (
        load_rules,
        {"segmentations": [{**RULE, "actions": [{"add_lead": str(n)} for n in range(2_001)]}]},
        "too_complex",
    ),
    "too many bytes": (load_rules, " " * LIMITS.max_bytes + "{}", "too_many_bytes"),
    "too many wide bytes": (load_rules, "é" * (LIMITS.max_bytes // 2 + 1), "too_many_bytes"),
    "many values": (load_rules, "[" + "0," * LIMITS.max_nodes + "0]", "too_many_nodes"),
    "many values in TOML": (toml, "a = [" + "0," * LIMITS.max_nodes + "]", "too_many_nodes"),
    "many keys in TOML": (toml, "a=0\n" * LIMITS.max_nodes, "too_many_nodes"),
    "a mapping of many values": (load_rules, {"a": [0] * LIMITS.max_nodes}, "too_many_nodes"),
    # its values
    "a float": (load_rules, when({"fact": "price", "eq": 49.9}), "float"),
    "a float without a fraction": (load_event, fact("1.0"), "float"),
    "a float with an exponent": (load_event, fact("1e2"), "float"),
    "1e400": (load_event, fact("1e400"), "not_finite"),
    "NaN": (load_event, fact("NaN"), "not_finite"),
    "Infinity": (load_event, fact("-Infinity"), "not_finite"),
    "nan in TOML": (toml, "version = nan", "not_finite"),
    "an enormous TOML exponent": (toml, "capture_provider = 1e99999999999999999999", "not_finite"),
    "1e400 in TOML": (toml, "capture_provider = 1e400", "number_too_large"),
    "a huge integer": (load_event, fact("9" * 100_000), "number_too_large"),
    "a huge integer in TOML": (toml, "version = " + "9" * 100_000, "number_too_large"),
    "a huge hexadecimal integer": (toml, "capture_provider = 0x" + "f" * 100, "number_too_large"),
    "129 bits": (load_event, fact(str(1 << 128)), "number_too_large"),
    "a huge decimal": (load_event, fact('{"decimal": "1e9999"}'), "number_too_large"),
    "a decimal of many digits": (
        load_event,
        fact('{"decimal": "' + "1" * 129 + '"}'),
        "number_too_large",
    ),
    "a decimal of a million digits": (
        load_event,
        fact('{"decimal": "' + "1" * 1_000_000 + '"}'),
        "not_decimal",
    ),
    "a decimal NaN": (load_event, fact('{"decimal": "NaN"}'), "not_decimal"),
    "a decimal with a comma": (load_event, fact('{"decimal": "49,90"}'), "not_decimal"),
    "a decimal in other digits": (load_event, fact('{"decimal": "٤٩"}'), "not_decimal"),
    "a decimal as a number": (load_event, fact('{"decimal": 49}'), "wrong_type"),
    "a decimal and more": (load_event, fact('{"decimal": "1", "instant": "x"}'), "wrong_type"),
    "an object for a fact": (load_event, fact("{}"), "wrong_type"),
    "a list for a fact": (load_event, fact("[]"), "wrong_type"),
    "null for a fact": (load_event, fact("null"), "wrong_type"),
    "a day that is missing": (load_event, event(occurred_at="2026-02-30T12:00:00Z"), "not_instant"),
    "an hour after 23": (load_event, event(occurred_at="2026-02-03T24:00:00Z"), "not_instant"),
    "before the first year": (
        load_event,
        event(occurred_at="0001-01-01T00:00:00+14:00"),
        "not_instant",
    ),
    "a week date": (load_event, event(occurred_at="2026-W05-1T12:00:00Z"), "not_instant"),
    "a local time": (load_event, event(occurred_at="2026-05-04T12:00:00"), "no_time_zone"),
    "a local time in TOML": (
        toml,
        'products = [{id = "1", name = "C", approved_at = 2026-05-04T12:00:00}]',
        "no_time_zone",
    ),
    "seconds since 1970": (load_event, event(occurred_at=1_780_000_000), "wrong_type"),
    "a time of day": (toml, "capture_provider = 12:00:00", "wrong_type"),
    "a lone surrogate": (load_event, fact('"\\ud800"'), "lone_surrogate"),
    "a lone surrogate in a key": (load_event, '{"\\udfff": 1}', "lone_surrogate"),
    "an escaped NUL": (load_event, fact('"a\\u0000b"'), "null_character"),
    "an escaped NUL in TOML": (toml, 'capture_provider = "a\\u0000b"', "null_character"),
    # its keys
    "a key twice": (load_rules, '{"products": [], "products": []}', "duplicate_key"),
    "a key twice, escaped": (load_event, '{"id": "1", "\\u0069d": "2"}', "duplicate_key"),
    "a key twice in TOML": (toml, "version = 1\nversion = 1", "duplicate_key"),
    "a table twice in TOML": (toml, "[providers]\n[providers]", "duplicate_key"),
    "an inline key twice": (toml, "providers = {mail = {}, mail = {}}", "duplicate_key"),
    "an unknown key": (load_rules, '{"rules": []}', "unknown_key"),
    "a class": (load_rules, '{"__class__": "os.system"}', "unknown_key"),
    "a class in a rule": (load_rules, rule(__class__="x"), "unknown_key"),
    "a prototype in an event": (load_event, event(__proto__={}), "unknown_key"),
    "an init in an account": (load_rules, account(__init__=1), "unknown_key"),
    "a private field": (load_rules, account(_place_keys=[]), "unknown_key"),
    "a computed field": (
        load_event,
        event(contact={"email": "ana@example.com", "key": "bob@example.com"}),
        "unknown_key",
    ),
    "a confusable key": (load_rules, rule(еvent="x"), "unknown_key"),
    "a key with an override": (load_rules, json.dumps({"\u202eproducts": []}), "unknown_key"),
    "a missing key": (load_rules, '{"products": [{"id": "1"}]}', "missing_key"),
    "a number for a key": (load_rules, {1: []}, "wrong_type"),
    # its shape
    "a list for a document": (load_rules, "[]", "wrong_type"),
    "a string for a document": (load_event, '"event"', "wrong_type"),
    "null for a document": (load_plan, "null", "wrong_type"),
    "a later version": (load_rules, '{"version": 2}', "unsupported_version"),
    "a version that is true": (load_rules, '{"version": true}', "unsupported_version"),
    "an event for a rule file": (load_rules, {"name": "purchase.approved"}, "unknown_key"),
    "an object for a list": (load_rules, '{"products": {}}', "wrong_type"),
    "a list for an object": (load_rules, '{"providers": []}', "wrong_type"),
    "a string for a list": (load_rules, rule(send="email"), "wrong_type"),
    "a number for an id": (load_rules, product(id=1001), "wrong_type"),
    "null for a name": (load_rules, product(name=None), "wrong_type"),
    "1 for true": (load_rules, rule(enabled=1), "wrong_type"),
    "true for 1": (load_rules, account(batch=True), "wrong_type"),
    "a string for a number": (load_rules, account(rate="60"), "wrong_type"),
    "a string for a contact": (load_event, event(contact="ana@example.com"), "wrong_type"),
    "a list for a word": (load_rules, product(kind=[]), "wrong_type"),
    "an unknown kind": (load_rules, product(kind="Single"), "unknown_word"),
    "an unknown ability": (load_rules, account(add_tag="yes"), "unknown_word"),
    "a string other than any": (load_rules, account(data="all"), "wrong_type"),
    "a number for a provider": (load_rules, '{"capture_provider": 7}', "wrong_type"),
    "a blank provider": (load_rules, '{"capture_provider": " "}', "blank"),
    "a provider without a name": (load_rules, '{"providers": {"": {}}}', "blank"),
    "a blank event": (load_rules, rule(event=" "), "blank"),
    # conditions and actions
    "a condition in a string": (load_rules, when("language == 'en'"), "wrong_type"),
    "a list of conditions": (load_rules, when([]), "wrong_type"),
    "an empty condition": (load_rules, when({}), "one_key"),
    "a condition without a fact": (load_rules, when({"eq": "en"}), "missing_key"),
    "a condition without an operator": (load_rules, when({"fact": "language"}), "one_key"),
    "two operators": (load_rules, when({"fact": "price", "ge": 1, "le": 2}), "one_key"),
    "two combinators": (load_rules, when({"all": [], "any": []}), "one_key"),
    "a combinator and a fact": (load_rules, when({"all": [], "fact": "x"}), "unknown_key"),
    "a regular expression": (load_rules, when({"fact": "a", "matches": "(a+)+"}), "unknown_key"),
    "is_set with false": (load_rules, when({"fact": "offer", "is_set": False}), "wrong_type"),
    "is_set with 1": (load_rules, when({"fact": "offer", "is_set": 1}), "wrong_type"),
    "in with a string": (load_rules, when({"fact": "offer", "in": "abc"}), "wrong_type"),
    "eq with a list": (load_rules, when({"fact": "offer", "eq": ["a"]}), "wrong_type"),
    "between three": (load_rules, when({"fact": "a", "between": [1, 2, 3]}), "invalid_condition"),
    "a blank fact": (load_rules, when({"fact": "", "eq": 1}), "invalid_condition"),
    "an action in a string": (load_rules, then("add_tag"), "wrong_type"),
    "an action alone": (load_rules, rule(actions={"add_tag": "x"}), "wrong_type"),
    "an empty action": (load_rules, then({}), "one_key"),
    "two actions in one": (load_rules, then({"add_tag": "a", "remove_tag": "b"}), "one_key"),
    "an unknown action": (load_rules, then({"eval": "1"}), "unknown_key"),
    "null for a tag": (load_rules, then({"add_tag": None}), "wrong_type"),
    "false for a place": (load_rules, then({"add_lead": False}), "wrong_type"),
    "true for a place to remove": (load_rules, then({"remove_lead": True}), "wrong_type"),
    "a number in a place": (load_rules, then({"add_lead": {"machine": 7}}), "wrong_type"),
    "a move without a target": (load_rules, then({"move_lead": {"source": "A"}}), "missing_key"),
    "a verb without a vendor": (
        load_rules,
        then({"provider_action": {"verb": "enrol"}}),
        "invalid_action",
    ),
    # what it says
    "two products with one id": (
        load_rules,
        json.dumps({"products": [{"id": "1", "name": "A"}, {"id": "1", "name": "B"}]}),
        "duplicate_id",
    ),
    "one rule twice": (load_rules, json.dumps({"segmentations": [RULE, RULE]}), "duplicate_id"),
    "an automatic id": (load_rules, rule(id="auto.refund"), "automatic_segmentation"),
    "plans of a free product": (
        load_rules,
        product(kind="free", plans=[{"id": "1", "name": "A"}]),
        "invalid_rule",
    ),
    "a blank id": (load_rules, product(id=" "), "invalid_rule"),
    "an invalid e-mail address": (load_event, event(contact={"email": "ana"}), "invalid_event"),
    "no actions a minute": (load_rules, account(rate=0), "invalid_action"),
    "a string for a boolean in a plan": (
        load_plan,
        plan(actions=[{"provider": "mail", "email": "a@example.com", "action": {"add_tag": "x"},
                       "data": {}, "because": [], "automatic": "no", "id": "1-2"}]),
        "wrong_type",
    ),
    "an unknown reason for an idle plan": (load_plan, plan(idle="tired"), "unknown_word"),
    # objects of a host
    "a set": (load_rules, {"products": {1, 2}}, "wrong_type"),
    "an object of another type": (load_event, {**EVENT, "facts": {"price": Odd()}}, "wrong_type"),
    "bytes in a mapping": (load_event, {**EVENT, "id": b"e-1"}, "wrong_type"),
    "a float in a mapping": (load_event, {**EVENT, "facts": {"price": 49.9}}, "float"),
}  # fmt: skip


@pytest.mark.parametrize(("load", "source", "code"), HOSTILE.values(), ids=HOSTILE)
def test_gives_one_declared_code_with_path_and_hint(
    load: Callable[[Any], Any], source: Any, code: str
) -> None:
    """A hostile document gives exactly one fault, whose code is in `HINTS`."""
    with pytest.raises(CodecError) as caught:
        load(source)

    error = caught.value
    assert not isinstance(error, CodecErrors), str(error)
    assert (code, True) == (error.code, code in HINTS)
    assert error.path.startswith("$")
    assert error.hint
    assert error.message
    assert error.__cause__ is None


def test_every_code_is_reached() -> None:
    """Each declared code has a document that gives it."""
    assert set(HINTS) == {code for _, _, code in HOSTILE.values()}


def test_a_mapping_that_branches_into_itself_ends() -> None:
    """A mapping that contains itself ten times is refused before its tree explodes."""
    with pytest.raises(CodecError) as caught:
        load_rules(bushy())

    assert caught.value.code in {"too_deep", "too_many_nodes"}


def test_a_string_with_its_own_equality_is_read_as_a_plain_string() -> None:
    """The `__eq__` of a subclass of `str` is never called."""
    read = load_event({**EVENT, "id": Spiteful("e-1"), "facts": {"offer": Spiteful("black")}})

    assert ("e-1", "black", str) == (read.id, read.facts["offer"], type(read.facts["offer"]))


def test_any_mapping_is_read() -> None:
    """A mapping need not be a dict."""

    class Lazy(Mapping[str, Any]):
        def __getitem__(self, key: str) -> Any:
            return EVENT[key]

        def __iter__(self) -> Iterator[str]:
            return iter(EVENT)

        def __len__(self) -> int:
            return len(EVENT)

    assert load_event(EVENT) == load_event(MappingProxyType(EVENT)) == load_event(Lazy())
