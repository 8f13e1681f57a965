"""The page of public names: complete, and described."""

import inspect
import re
import typing
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "api.md").read_text("utf-8")
SECTIONS = re.findall(r"^### (listboss\S*)\n(.*?)(?=\n#|\n<!--)", PAGE, re.MULTILINE | re.DOTALL)
PUBLIC = {
    (module, name): getattr(import_module(module), name)
    for module, _ in SECTIONS
    for name in import_module(module).__all__
}
BY_NAME = {name: value for (_, name), value in PUBLIC.items()}


def signatures() -> Iterator[tuple[str, Any]]:
    """Everything public that has annotations: functions, classes, and the methods of classes."""
    for (module, name), value in PUBLIC.items():
        if inspect.isroutine(value) or inspect.isclass(value):
            yield f"{module}.{name}", value
        for attribute, member in vars(value).items() if inspect.isclass(value) else ():
            function = member.fget if isinstance(member, property) else member
            function = getattr(function, "__func__", function)
            if inspect.isfunction(function) and not attribute.startswith("_"):
                yield f"{module}.{name}.{attribute}", function


def classes_in(annotation: Any) -> Iterator[type]:
    """The classes that a type is made of."""
    if isinstance(annotation, list):  # the arguments of a Callable
        for part in annotation:
            yield from classes_in(part)
    if inspect.isclass(annotation):
        yield annotation
    for part in typing.get_args(annotation):
        yield from classes_in(part)


SIGNATURES = dict(signatures())


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_what_a_public_call_takes_and_returns_is_public(name: str):
    """Every class of listboss in the annotations of a public name is public, too."""
    hints = typing.get_type_hints(SIGNATURES[name], localns=BY_NAME)
    named = {
        part
        for field, annotation in hints.items()
        if not field.startswith("_")
        for part in classes_in(annotation)
        if part.__module__.startswith("listboss")
    }

    assert set() == named - {value for value in PUBLIC.values() if inspect.isclass(value)}


def test_every_public_name_is_described():
    """Each name has a row with a sentence, in the first module that has it."""
    rows = [
        (getattr(import_module(module), name), sentence)
        for module, section in SECTIONS
        for name, sentence in re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE)
    ]

    assert {id(value) for value in PUBLIC.values()} == {id(value) for value, _ in rows}
    assert [] == [value for value, sentence in rows if not sentence.strip()]
    assert len(rows) > 100
