"""The system clock, as the default of the `clock` arguments in the outer layers.

The core (rules, engine, provider) does not import this module: there, time is an argument.
"""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["utc_now"]


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)
