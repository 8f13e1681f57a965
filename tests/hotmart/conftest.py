"""Webhook bodies: `shapes/` has one file for each known shape of a webhook."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SHAPES = Path(__file__).parent / "shapes"


@pytest.fixture(scope="session")
def shape() -> Callable[[str], Any]:
    """Return a new copy of one shape as a JSON object."""

    def shape(name: str) -> Any:
        return json.loads((SHAPES / name).read_bytes())

    return shape


@pytest.fixture
def sale(shape: Callable[[str], Any]) -> Any:
    """The approved first sale of a subscription."""
    return shape("02-approved-first.json")


@pytest.fixture
def form(shape: Callable[[str], Any]) -> Any:
    """An approved sale of version 1.0.0, as a mapping of its fields."""
    return shape("17-approved-as-object.json")
