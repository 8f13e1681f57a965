"""Errors of the codec: what they say, where they point, and what they never show."""

import copy
import json
import pickle
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss.codec import HINTS, MAX_FAULTS, load_event, load_plan, load_rules, read_rules
from listboss.codec._faults import add_faults
from listboss.errors import CodecError, CodecErrors

RULE = {"name": "R", "product_id": "1", "provider": "m", "event": "e", "actions": []}
CANARY = "zoe.canary"
EVENT = {
    "name": "purchase.approved",
    "id": "e-1",
    "product_id": "1001",
    "contact": {"email": "ana@example.com"},
    "occurred_at": "2026-05-04T12:00:00Z",
}
PLANNED = {
    "provider": "mail",
    "email": "ana@example.com",
    "action": {"add_tag": "x"},
    "data": {"name": "Ana"},
    "because": ["r"],
    "automatic": False,
    "id": "1-2",
}
PLAN = {
    "event_id": "e-1",
    "event_name": "purchase.approved",
    "product_id": "1001",
    "occurred_at": "2026-05-04T12:00:00Z",
    "is_test": False,
    "actions": [PLANNED],
}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"condition": {"all": [{"fact": "a", "eq": 1}, {"not": {"fact": 7, "eq": 1}}]}},
         "$.segmentations[0].condition.all[1].not.fact"),
        ({"condition": {"any": [{"fact": "a", "in": [1, {"decimal": "x"}]}]}},
         "$.segmentations[0].condition.any[0].in[1].decimal"),
        ({"condition": {"fact": "a", "between": [1]}}, "$.segmentations[0].condition.between"),
        ({"condition": {"fact": " ", "eq": 1}}, "$.segmentations[0].condition.fact"),
        ({"condition": {"fact": "a", "like": 1}}, "$.segmentations[0].condition.like"),
        ({"actions": [{"add_tag": "a"}, {"move_lead": {"to": {"list": 1}}}]},
         "$.segmentations[0].actions[1].move_lead.to.list"),
        ({"actions": [{"add_lead": {"a b": 1}}]}, '$.segmentations[0].actions[0].add_lead["a b"]'),
        ({"actions": [{"provider_action": {"verb": "a.b", "parameters": {"p": {"instant": 1}}}}]},
         "$.segmentations[0].actions[0].provider_action.parameters.p.instant"),
        ({"actions": [{"provider_action": {"verb": "x"}}]},
         "$.segmentations[0].actions[0].provider_action.verb"),
        ({"plan_ids": ["1", " "]}, "$.segmentations[0].plan_ids[1]"),
        ({"send": ["email", None]}, "$.segmentations[0].send[1]"),
        ({"\u202eevent": 1}, '$.segmentations[0]["\\u202eevent"]'),
    ],
)  # fmt: skip
def test_the_path_leads_to_the_fault(change: dict[str, Any], path: str) -> None:
    """A path is a JSON path, in which an unusual key is quoted and escaped."""
    (error,) = read_rules({"segmentations": [{**RULE, **change}]}).errors

    assert path == error.path


@pytest.mark.parametrize(
    ("change", "message", "hint"),
    [
        ({"product_id": 1}, "expected a string, got an integer", "write it in quotes"),
        ({"enabled": "yes"}, "expected a boolean, got a string",
         "write true or false, without quotes"),
        ({"actions": None}, "expected a list, got null",
         "write a value: only an optional key may have null"),
        ({"send": "email"}, "expected a list, got a string",
         "write the values in square brackets, even a single one"),
        ({"evnt": "x"}, "unknown key `evnt`",
         "did you mean `event`? known keys: name, product_id, provider, id, event, actions, "
         "condition, plan_ids, send, enabled"),
        ({"actions": [{"addtag": "x"}]}, "unknown action `addtag`",
         "did you mean `add_tag`? known actions: remove_tag, remove_lead, move_lead, add_lead, "
         "add_tag, provider_action"),
        ({"actions": [{}]}, "expected one action, got none",
         "known actions: remove_tag, remove_lead, move_lead, add_lead, add_tag, provider_action"),
        ({"actions": [{"add_tag": "a", "remove_tag": "b"}]}, "expected one action, got 2",
         'write an object for each action, such as {"add_tag": "buyer"}'),
        ({"condition": {"fact": "a", "starts": "x"}}, "unknown operator `starts`",
         "did you mean `starts_with`? known operators: eq, ne, in, not_in, lt, le, gt, ge, "
         "between, contains and 3 more"),
        ({"condition": {"fact": "a", "ge": 1, "le": 2}}, "expected one operator, got 2",
         "write one operator in each comparison, and combine them with `all`"),
        ({"condition": {"eq": 1}}, "missing key `fact`", "name the fact to compare"),
        ({"condition": {"fact": "a", "eq": None}},
         "expected a string, an integer, a boolean, a decimal or a date and time, got null",
         "write `is_missing` to find an absent fact"),
        ({"condition": {"fact": "a", "eq": ["b"]}},
         "expected a string, an integer, a boolean, a decimal or a date and time, got a list",
         "write `in` to compare with several values"),
        ({"condition": {"fact": "a", "eq": {"float": 1}}},
         "expected a string, an integer, a boolean, a decimal or a date and time, got an object",
         'write a decimal as {"decimal": "49.90"}, a time as {"instant": "2026-05-04T12:00:00Z"}'),
        ({"condition": {"fact": "a", "is_set": False}}, "expected true, got false",
         "write `is_missing` instead"),
        ({"condition": {"fact": "a", "eq": {"decimal": "49,90"}}}, "invalid decimal",
         'use digits and a decimal point, such as {"decimal": "49.90"}'),
        ({"condition": {"fact": "a", "eq": {"instant": "2026-05-04"}}},
         "expected a date and time with a time zone", 'use the form "2026-05-04T12:00:00Z"'),
        ({"condition": {"fact": "a", "eq": {"instant": "2026-05-04T12:00:00"}}},
         "the time has no time zone",
         'end it with Z or an offset, such as "2026-05-04T12:00:00-03:00"'),
        ({"condition": {"fact": "a", "eq": {"instant": "2026-02-30T12:00:00Z"}}},
         "the date is not in the calendar", "check the day"),
        ({"condition": {"fact": "a", "eq": 1.5}},
         "floats are not accepted, since they are not exact",
         'write {"decimal": "49.90"}, or an integer'),
    ],
)  # fmt: skip
def test_messages_for_people_who_write_rules(
    change: dict[str, Any], message: str, hint: str
) -> None:
    """A message names the rule, and what is wrong by kind; the hint says what to write."""
    (error,) = read_rules({"segmentations": [{**RULE, **change}]}).errors

    assert (f"segmentation `R`: {message}", hint) == (error.message, error.hint)


def test_a_day_in_a_comparison_needs_a_time() -> None:
    """TOML has dates of its own, but a fact is a date and time."""
    rule = "\n".join(f"{key} = {json.dumps(value)}" for key, value in RULE.items())
    text = f'[[segmentations]]\n{rule}\ncondition = {{fact = "at", lt = 2026-05-04}}'
    (error,) = read_rules(text, format="toml").errors

    assert error.message.endswith(", got a date")
    assert "add a time and a time zone: 2026-05-04T00:00:00Z" == error.hint


def test_a_misspelled_word_gets_the_nearest_one() -> None:
    """A hint names the nearest word, if there is one, and all known words."""
    kinds = [{"id": "1", "name": "A", "kind": "Subscripton"}, {"id": "2", "name": "B", "kind": "x"}]
    near, far = read_rules({"products": kinds}).errors
    listed = "known words: single, subscription, free, webinar"

    assert "product `A`: unknown word" == near.message
    assert (f"did you mean `subscription`? {listed}", listed) == (near.hint, far.hint)


def test_the_nearest_word_is_found_for_the_first_faults_only() -> None:
    """Looking for a near word takes time, which is bounded for a document of faults alone."""
    products = [{"id": str(n), "name": "A", "kind": "fre"} for n in range(MAX_FAULTS + 1)]
    errors = read_rules({"products": products}).errors

    assert [True] * MAX_FAULTS + [False] == ["did you mean" in error.hint for error in errors]


@pytest.mark.parametrize(
    ("change", "start"),
    [
        ({"name": "English buyers"}, "segmentation `English buyers`: "),
        ({"name": "B\u202e\nb"}, r"segmentation `B\u202e\nb`: "),
        ({"name": "x" * 81}, f"segmentation `{'x' * 80}…`: "),
        ({"name": " ", "id": "seg-1"}, "segmentation `seg-1`: "),
        ({"name": 7}, ""),
    ],
)
def test_messages_start_with_the_name_of_the_rule(change: dict[str, Any], start: str) -> None:
    """The name is shown as written, but visible and cut; without one, the id is shown."""
    errors = read_rules({"segmentations": [{**RULE, "enabled": 1, **change}]}).errors

    assert f"{start}expected a boolean, got an integer" in [error.message for error in errors]


def test_messages_name_the_product_or_account() -> None:
    """Products and accounts have names, too."""
    product, account = read_rules(
        {"products": [{"id": "1", "name": "Course", "approved_at": "soon"}],
         "providers": {"mail": {"rate": "60"}}}
    ).errors  # fmt: skip

    assert [
        "product `Course`: expected a date, or a date and time with a time zone",
        "provider `mail`: expected an integer, got a string",
    ] == [product.message, account.message]


def test_a_duplicate_id_names_the_first_place() -> None:
    """The message says where the same id is, and the hint what to do without an `id`."""
    (error,) = read_rules({"segmentations": [RULE, RULE]}).errors

    assert "segmentation `R`: $.segmentations[0] has the same id" == error.message
    assert "give one of them another `id`, or another name if it has no `id`" == error.hint


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("{", "line 1, column 2", "expected a key in double quotes"),
        ('{\n  "products": [},\n}', "line 2, column 16", "expected a value"),
        ('{"products" []}', "line 1, column 13", "expected `:` after the key"),
        ("[1 2]", "line 1, column 4", "expected `,` or a closing bracket"),
        ("{} {}", "line 1, column 4", "expected the end of the document"),
        ('["a', "line 1, column 2", "close the string with a quote"),
        ('["\t"]', "line 1, column 3", r"write a line break or tab inside a string as \n or \t"),
        (r'["\q"]', "line 1, column 3", r"write a backslash as \\"),
        (r'["\u12"]', "line 1, column 4", r"invalid \uXXXX escape"),
        ("my rules.json", "line 1, column 1", "pass the text of the file, not its name"),
    ],
)
def test_invalid_json(text: str, message: str, hint: str) -> None:
    """A syntax error has a line and a column, and says what was expected."""
    with pytest.raises(CodecError) as caught:
        load_rules(text)

    assert (f"invalid JSON at {message}", hint) == (caught.value.message, caught.value.hint)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("a = 1\nb = yes", "line 2, column 5", "expected a value, and a string in quotes"),
        ('{"version": 1}', "line 1, column 1", "expected a key or a [table]"),
        ("a 1", "line 1, column 3", "expected `=` after the key"),
        ("a = 1 b = 2", "line 1, column 7", "expected the end of the line"),
        ("a = [1", "the end of the document", "expected `,` or `]`"),
        ("a = {b = 1", "the end of the document", "expected `,` or `}`"),
        ("a = 2026-13-01", "line 1, column 9", "expected the end of the line"),
        ('a = "\x01"', "line 1, column 6", r"illegal character '\x01'"),
        ("C:\\x\\r.toml", "line 1, column 2", "pass the text of the file, not its name"),
    ],
)
def test_invalid_toml(text: str, message: str, hint: str) -> None:
    """A syntax error has a line and a column, and says what was expected."""
    with pytest.raises(CodecError) as caught:
        load_rules(text, format="toml")

    assert (f"invalid TOML at {message}", hint) == (caught.value.message, caught.value.hint)


@pytest.mark.parametrize(
    ("text", "format", "message"),
    [
        ('{"version": 1, "version": 1}', "json", "duplicate key `version`"),
        ('{"a b": 1, "a b": 1}', "json", "duplicate key"),
        ("version = 1\nversion = 1\n", "toml", "duplicate key at line 2, column 12"),
        ("[a]\n[a]\n", "toml", "duplicate key at line 2, column 3"),
    ],
)
def test_duplicate_keys(text: str, format: Any, message: str) -> None:
    """JSON names a duplicate key that looks like a name; TOML has its place."""
    with pytest.raises(CodecError) as caught:
        load_rules(text, format=format)

    assert (message, "remove all but one") == (caught.value.message, caught.value.hint)


def test_a_group_is_cut_and_has_the_number_of_faults() -> None:
    """A group holds the first hundred faults, and its message has their number."""
    with pytest.raises(CodecErrors) as caught:
        load_rules({"products": [0] * (MAX_FAULTS + 1)})

    assert MAX_FAULTS == len(caught.value.exceptions)
    assert f"more than {MAX_FAULTS} faults, these are the first {MAX_FAULTS}" in str(caught.value)


@pytest.mark.parametrize(
    "document",
    [
        {"facts": {f"k{n}": 1.5 for n in range(20_000)}},
        {f"k{n}": 1 for n in range(20_000)},
    ],
    ids=["wrong facts", "unknown keys"],
)
def test_collecting_stops(document: dict[str, Any]) -> None:
    """However many faults a document has, only a limited number is made."""
    tracemalloc.start()
    with pytest.raises(CodecErrors) as caught:
        load_event(json.dumps(document))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert MAX_FAULTS == len(caught.value.exceptions)
    assert peak < 15_000_000


def test_collecting_stops_between_rules() -> None:
    """The faults of many rules are collected up to the limit, too; valid rules are still read."""
    wrong: list[Any] = [{}] * 1_000
    loaded = read_rules({"products": [*wrong, {"id": "1", "name": "Course"}]})

    assert ["1"] == [product.id for product in loaded.rules.products]
    assert MAX_FAULTS + 1 == len(loaded.errors)


def test_faults_go_through_pickle_and_copy() -> None:
    """A group that is pickled or copied keeps its faults, their codes and paths."""
    with pytest.raises(CodecErrors) as caught:
        load_rules({"products": [{"id": 1}]})

    for other in (pickle.loads(pickle.dumps(caught.value)), copy.deepcopy(caught.value)):
        assert str(caught.value) == str(other)


def test_a_mistake_of_this_package_is_not_a_fault() -> None:
    """An error that neither cattrs nor listboss raises on purpose is raised as it is."""
    mistake = ZeroDivisionError("ours")

    with pytest.raises(ZeroDivisionError) as caught:
        add_faults([], mistake, private=False)

    assert mistake is caught.value


def test_a_foreign_note_is_not_part_of_the_path() -> None:
    """A note that other code added to an error does not change its path."""
    error = CodecError("odd", code="blank")
    error.add_note("by the way")
    faults: list[CodecError] = []
    add_faults(faults, error, private=False)

    assert ["$"] == [fault.path for fault in faults]


def everything_shown(error: BaseException) -> str:
    """Everything an error shows: its texts, notes, attributes, causes and contexts."""
    shown = [str(error), repr(error), repr(error.args), repr(vars(error))]
    shown += getattr(error, "__notes__", [])
    if isinstance(error, BaseExceptionGroup):
        shown += [everything_shown(inner) for inner in error.exceptions]
    shown += [everything_shown(inner) for inner in (error.__cause__, error.__context__) if inner]
    return "\n".join(shown)


def poisoned(content: Any) -> list[Any]:
    """Copies of a document, each with one value or key that names a person."""
    variants: list[Any] = [f"{CANARY}@example.com", [CANARY], {"decimal": CANARY}]
    variants.append({f"{CANARY} Silva": CANARY})
    if isinstance(content, dict):
        for key, value in content.items():
            variants += [{**content, key: variant} for variant in poisoned(value)]
        variants.append({**content, f"{CANARY}@example.com": 1})
    if isinstance(content, list):
        variants += [[variant] for variant in poisoned(content[0])]
    return variants


@pytest.mark.parametrize(("load", "content"), [(load_event, EVENT), (load_plan, PLAN)])
def test_nothing_that_names_a_person_gets_into_an_error(load: Any, content: Any) -> None:
    """No value, and no key unless it looks like a name, shows in an error or its causes."""
    shown = []
    broken, twice = f'{{"name": "{CANARY}', f'{{"{CANARY}": 1, "{CANARY}": 2}}'
    for variant in [*poisoned(content), broken, twice]:
        for source in (variant, json.dumps(variant)) if isinstance(variant, dict) else (variant,):
            try:
                load(source)
            except CodecError as error:
                shown.append(everything_shown(error))

    assert len(shown) > 50
    assert [] == [text for text in shown if CANARY in text]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["products", "segmentations", "id", "name", "actions", "all", "fact", "eq"])
        | st.text(max_size=5),
        inner,
        max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


def codes_of(load: Callable[..., Any], source: Any, **how: Any) -> set[str]:
    """The codes of all faults of a document; any other exception is not caught."""
    try:
        load(source, **how)
    except CodecError as error:
        return {fault.code for fault in getattr(error, "exceptions", [error])}
    return set()


@given(JUNK)
def test_any_json_raises_codec_errors_only(content: Any) -> None:
    """Any JSON raises nothing or a `CodecError` with declared codes."""
    for load in (load_rules, load_event, load_plan):
        assert codes_of(load, json.dumps(content)) <= set(HINTS)
        assert codes_of(load, {"segmentations": [content], "actions": [content]}) <= set(HINTS)


@given(st.text(max_size=60) | st.text("[]{}\"'#=.,\\\n a1-:", max_size=60) | st.binary(max_size=40))
def test_any_text_raises_codec_errors_only(text: str | bytes) -> None:
    """Any text or bytes, as JSON or as TOML, raise nothing or a `CodecError`."""
    assert codes_of(load_rules, text) <= set(HINTS)
    assert codes_of(load_rules, text, format="toml") <= set(HINTS)
