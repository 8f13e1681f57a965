"""How deep the brackets of a document nest, counted before a parser does any work.

Every reader of JSON or TOML bounds the depth here, so that no text makes a parser recurse
further than its limit. Brackets inside strings do not count. The time is linear in the text.
"""

from __future__ import annotations

import re

__all__ = ["JSON_BRACKET", "nests_deeper"]

JSON_BRACKET = re.compile(r'(["\[\]{}])(?:(?<=")(?:[^"\\]++|\\.?)*+"?)?+', re.DOTALL)
"""A bracket outside of strings, as group 1, or a whole string, closed or not."""

_CHANGE = {"[": 1, "{": 1, "]": -1, "}": -1}


def nests_deeper(text: str, limit: int, brackets: re.Pattern[str] = JSON_BRACKET) -> bool:
    """Whether the brackets that `brackets` finds in `text` nest more than `limit` deep.

    >>> nests_deeper('{"a": ["[[["]}', 2), nests_deeper('{"a": [[]]}', 2)
    (False, True)
    """
    if text.count("[") + text.count("{") <= limit:
        return False
    depth = 0
    for bracket in brackets.finditer(text):
        depth += _CHANGE.get(bracket[1], 0)
        if depth > limit:
            return True
    return False
