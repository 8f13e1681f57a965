"""A shop in files, and the command line in this process."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from listboss.cli import main

RULES = """\
[providers.mail]
add_tag = "native"
remove_tag = "native"
add_lead = "native"

[[products]]
id = "42"
name = "Course"
approved_at = 2025-01-01

[[segmentations]]
name = "Buyers"
id = "buyers"
product_id = "42"
provider = "mail"
event = "purchase.approved"
condition = { fact = "country", eq = "BR" }
actions = [{ add_tag = "buyer" }]
enabled = true

[[segmentations]]
name = "Refunds"
id = "refunds"
product_id = "42"
provider = "mail"
event = "purchase.refunded"
actions = [{ remove_tag = "buyer" }]
enabled = true
"""


class Result(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


class Input(io.TextIOWrapper):
    """The standard input of a test."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))


@pytest.fixture
def run(capsys, monkeypatch) -> Callable[..., Result]:
    """Run a command in this process."""

    def run(*arguments: object, stdin: bytes = b"") -> Result:
        monkeypatch.setattr("sys.stdin", Input(stdin))
        try:
            code = main([str(each) for each in arguments])
        except SystemExit as left:
            code = int(left.code or 0)
        return Result(code, *capsys.readouterr())

    return run


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The rule file of the shop."""
    path = tmp_path / "rules.toml"
    path.write_text(RULES, "utf-8")
    return path


@pytest.fixture
def after(tmp_path: Path) -> Path:
    """The rule file after a change: another tag."""
    path = tmp_path / "after.toml"
    path.write_text(RULES.replace('"buyer"', '"client"'), "utf-8")
    return path


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file, and return its path."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def event(id: str = "e-1", name: str = "purchase.approved", **more: Any) -> str:
    """One event as a line of JSON."""
    fields = {
        "name": name,
        "id": id,
        "product_id": "42",
        "contact": {"email": "ana@example.com", "name": "Ana Canary"},
        "occurred_at": "2026-05-04T12:00:00Z",
        "facts": {"country": "BR"},
    }
    return json.dumps({**fields, **more})


def webhook(id: str = "w-1") -> str:
    """One webhook body, over several lines."""
    return json.dumps(
        {
            "id": id,
            "creation_date": 1777896600000,
            "event": "PURCHASE_APPROVED",
            "version": "2.0.0",
            "data": {
                "product": {"id": 42},
                "buyer": {"email": "bea@example.com", "address": {"country_iso": "BR"}},
                "purchase": {"price": {"value": 10, "currency_value": "BRL"}},
            },
        },
        indent=1,
    )
