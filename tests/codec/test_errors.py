"""Errors of the codec: where they say that the fault lies, and what they never say."""

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listboss.codec import HINTS, MAX_FAULTS, load_event, load_plan, load_rules, read_rules
from listboss.codec._faults import faults_of
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
    """A path is a JSON path; an odd key is quoted and escaped in it."""
    (error,) = read_rules({"segmentations": [{**RULE, **change}]}).errors

    assert path == error.path


def test_a_hint_tells_the_words_there_are() -> None:
    """Who misspells a word is shown the right ones."""
    products = [{"id": "1", "name": "A", "kind": "x"}, {"id": "2", "nam": "B", "name": "B"}]
    kind, key = read_rules({"products": products}).errors

    assert "one of single, subscription, free, webinar" == kind.hint
    assert "one of id, name, kind, plans, approved_at" == key.hint


def test_syntax_has_a_place() -> None:
    """What is no JSON or TOML says on which line, and why."""
    with pytest.raises(CodecError) as no_json:
        load_rules('{\n  "products": [},\n}')
    with pytest.raises(CodecError) as no_toml:
        load_rules('a = 1\nb = "x', format="toml")

    assert "line 2, column 16 is no JSON" == no_json.value.message
    assert "line 2" in no_toml.value.message or "end of document" in no_toml.value.message
    assert no_toml.value.hint


def test_more_faults_than_anybody_reads_are_counted() -> None:
    """A group holds the first hundred faults, and says how many there are."""
    with pytest.raises(CodecErrors) as caught:
        load_rules({"products": [0] * (MAX_FAULTS + 1)})

    assert MAX_FAULTS == len(caught.value.exceptions)
    assert f"{MAX_FAULTS + 1} faults, the first {MAX_FAULTS} are" in str(caught.value)


def test_faults_go_through_pickle_and_copy() -> None:
    """A group keeps its faults, their codes and paths on the way to another process."""
    with pytest.raises(CodecErrors) as caught:
        load_rules({"products": [{"id": 1}]})

    for other in (pickle.loads(pickle.dumps(caught.value)), copy.deepcopy(caught.value)):
        assert str(caught.value) == str(other)


def test_a_mistake_of_our_own_is_not_taken_for_a_fault() -> None:
    """What is neither cattrs' nor ours is raised as it is."""
    mistake = ZeroDivisionError("ours")

    with pytest.raises(ZeroDivisionError) as caught:
        list(faults_of(mistake, private=False))

    assert mistake is caught.value


def test_a_foreign_note_is_no_part_of_the_path() -> None:
    """A note that somebody else put on an error changes no path."""
    error = CodecError("odd", code="blank")
    error.add_note("by the way")

    assert ["$"] == [fault.path for fault in faults_of(error, private=False)]


def everything_told(error: BaseException) -> str:
    """All that can be seen of an error: texts, notes, attributes, causes, contexts."""
    told = [str(error), repr(error), repr(error.args), repr(vars(error))]
    told += getattr(error, "__notes__", [])
    if isinstance(error, BaseExceptionGroup):
        told += [everything_told(inner) for inner in error.exceptions]
    told += [everything_told(inner) for inner in (error.__cause__, error.__context__) if inner]
    return "\n".join(told)


def poisoned(content: Any) -> list[Any]:
    """Copies of a document, each with one thing in it that names a person."""
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
    """No value, and no key that is no name, shows in an error, its notes or its causes."""
    told = []
    broken, twice = f'{{"name": "{CANARY}', f'{{"{CANARY}": 1, "{CANARY}": 2}}'
    for variant in [*poisoned(content), broken, twice]:
        for source in (variant, json.dumps(variant)) if isinstance(variant, dict) else (variant,):
            try:
                load(source)
            except CodecError as error:
                told.append(everything_told(error))

    assert len(told) > 50
    assert [] == [text for text in told if CANARY in text]


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
    """The codes of all faults of a document; any other exception is let through."""
    try:
        load(source, **how)
    except CodecError as error:
        return {fault.code for fault in getattr(error, "exceptions", [error])}
    return set()


@given(JUNK)
def test_whatever_json_comes_gives_codec_errors_only(content: Any) -> None:
    """No JSON whatever raises anything but a `CodecError` with declared codes."""
    for load in (load_rules, load_event, load_plan):
        assert codes_of(load, json.dumps(content)) <= set(HINTS)
        assert codes_of(load, {"segmentations": [content], "actions": [content]}) <= set(HINTS)


@given(st.text(max_size=60) | st.text("[]{}\"'#=.,\\\n a1-:", max_size=60) | st.binary(max_size=40))
def test_whatever_text_comes_gives_codec_errors_only(text: str | bytes) -> None:
    """No text and no bytes raise anything but a `CodecError`, as JSON or as TOML."""
    assert codes_of(load_rules, text) <= set(HINTS)
    assert codes_of(load_rules, text, format="toml") <= set(HINTS)
