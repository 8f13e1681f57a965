"""Every statement of the help pages has a test class, which begins with its id."""

import ast
import re
from pathlib import Path

import pytest

STATEMENTS = (
    "M1", "M2", "M3", "M4", "M5",
    "E1", "E2", "E3", "E4", "E5", "E6",
    "C1", "C2", "C3",
    "A1", "A2", "A3", "A4", "A5",
    "P1", "P2",
    "G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G9", "G10",
    "T1", "T2",
    "K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8", "K9",
    "N1", "N2", "N3", "N4", "N5",
    "H1", "H2",
)  # fmt: skip


def _classes():
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            named = re.match(r"Test([A-Z]\d+)[A-Z]", getattr(node, "name", ""))
            if isinstance(node, ast.ClassDef) and named:
                yield named[1], node


CLASSES = list(_classes())


def test_the_table_is_complete():
    """Each statement has exactly one class, and each class is about a listed statement."""
    assert sorted(STATEMENTS) == sorted(statement for statement, _ in CLASSES)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_class_says_its_statement(statement):
    """The docstring of a class is the statement, after its id."""
    docs = [ast.get_docstring(node) or "" for named, node in CLASSES if named == statement]
    assert [f"{statement}: "] == [doc[: len(statement) + 2] for doc in docs if len(doc) > 30]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_class_has_tests(statement):
    """Each statement has at least one test."""
    (node,) = (node for named, node in CLASSES if named == statement)
    tests = [part for part in node.body if getattr(part, "name", "").startswith("test_")]
    assert tests
