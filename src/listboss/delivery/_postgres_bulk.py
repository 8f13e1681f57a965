"""Statements that change many rows of PostgreSQL at once.

A statement for each row costs more than what it does to the row, on both sides. So the rows are
sent as one JSON value, with the types of the columns of the table, in the order in which they are
given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from listboss.delivery._sql_schema import SCHEMA

__all__ = ["Bulk", "array_of", "bulk"]

_TYPES: Final = {"TEXT": 'text COLLATE "C"', "INTEGER": "bigint"}
_COLUMNS: Final = {
    table: {
        column: _TYPES[kind]
        for column, kind in re.findall(r"^  (\w+) (TEXT|INTEGER)\b", columns, re.MULTILINE)
    }
    for table, columns in re.findall(r"CREATE TABLE (\w+) \((.*?)^\)", SCHEMA, re.DOTALL | re.M)
}
"""The columns of each table, and their types."""
_INSERT: Final = re.compile(r"INSERT INTO (\w+) (?:\(([^)]+)\) )?VALUES \([?, ]+\)(.*)", re.DOTALL)
_NULL: Final = r"\u0000"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Bulk(NamedTuple):
    """A statement for many rows, and the columns of its values."""

    sql: str
    columns: tuple[str, ...]

    def value(self, rows: Iterable[Sequence[Any]]) -> str:
        """Return the one value of the statement; what is missing in it is NULL."""
        found = [
            {
                column: int(value) if value is True or value is False else value
                for column, value in zip(self.columns, row, strict=True)
                if value is not None
            }
            for row in rows
        ]
        text = _encode(found)
        if _NULL in text:  # JSON may contain a null character, and text in the database may not
            text = _encode([{name: _whole(value) for name, value in row.items()} for row in found])
        return text


def array_of(values: Iterable[int | str]) -> str:
    """Return the text of an array of numbers or of strings; psycopg takes longer for it."""
    found = [value if isinstance(value, int) else _quoted(value) for value in values]
    return "{" + ",".join(map(str, found)) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _whole(value: Any) -> Any:
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


@lru_cache(maxsize=64)
def bulk(sql: str) -> Bulk:
    """Return the statement that does for many rows what a statement does for one."""
    if found := _INSERT.fullmatch(sql):
        table, given, more = found.groups()
        columns = tuple(given.split(", ") if given else _COLUMNS[table])
        names = ", ".join(columns)
        text = f"INSERT INTO {table} ({names}) SELECT {names} FROM {_rows(table, columns)}{more}"
        return Bulk(text, columns)
    table, assignments, condition = re.split("UPDATE | SET | WHERE ", sql)[1:]
    changed, keys = assignments.split(" = ?, "), condition.split(" = ? AND ")
    changed[-1], keys[-1] = changed[-1].removesuffix(" = ?"), keys[-1].removesuffix(" = ?")
    columns = (*changed, *keys)
    values = ", ".join(f"{name} = new.{name}" for name in changed)
    same = " AND ".join(f"{table}.{name} = new.{name}" for name in keys)
    return Bulk(f"UPDATE {table} SET {values} FROM {_rows(table, columns)} WHERE {same}", columns)


def _rows(table: str, columns: Iterable[str]) -> str:
    types = ", ".join(f"{name} {_COLUMNS[table][name]}" for name in columns)
    return f"json_to_recordset(?::json) AS new ({types})"
