"""Webhook bodies to read and to bend: `shapes/` holds one file for each shape that is known."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SHAPES = Path(__file__).parent / "shapes"


@pytest.fixture(scope="session")
def shape() -> Callable[[str], Any]:
    """A fresh copy of one shape, as the object that its JSON spells."""

    def shape(name: str) -> Any:
        return json.loads((SHAPES / name).read_bytes())

    return shape


@pytest.fixture
def sale(shape: Callable[[str], Any]) -> Any:
    """An approved first sale of a subscription."""
    return shape("02-approved-first.json")


@pytest.fixture
def form(shape: Callable[[str], Any]) -> Any:
    """An approved sale in version 1.0.0, as its fields."""
    return shape("17-approved-as-object.json")
