"""Rule files as the command line reads them: the rules, and where in the file each of them is.

A segmentation is found by its id, or by what its id is made of; a part of it by the path of the
finding. Faults and findings so have a line and a column.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any, cast

import attrs

from listboss.cli._console import Console, UnreadableError, reason_of
from listboss.cli._positions import Positions, parts_of
from listboss.codec import Format, read_rules
from listboss.errors import CodecError
from listboss.rules.catalogue import Catalogue
from listboss.rules.finding import Finding
from listboss.rules.ruleset import RuleSet

__all__ = [
    "Fault",
    "RuleFile",
    "UnreadableFileError",
    "format_of",
    "load_rule_file",
    "read_file",
    "read_rule_file",
]

_PLACE = re.compile(r" at line (\d+), column (\d+)")


@attrs.frozen
class Fault:
    """What is wrong with the text of a file, and where."""

    place: tuple[int, int]
    error: CodecError

    @property
    def text(self) -> str:
        """The fault in words."""
        error = self.error
        return f"{error.message} ({error.hint})" if error.hint else error.message


@attrs.frozen
class RuleFile:
    """One rule file: its rules, the faults of those that cannot be read, and the positions."""

    name: str
    rules: RuleSet
    faults: tuple[Fault, ...]
    _positions: Positions
    _indexes: dict[tuple[object, ...], int]

    def place_of_rule(self, segmentation_id: str, path: str = "$") -> tuple[int, int]:
        """Return the line and column of a segmentation, or of a part of it."""
        rule = self.rules.segmentation(segmentation_id)
        index = self._indexes.get((rule.id,))
        if index is None:
            index = self._indexes.get((rule.product_id, rule.provider, rule.name))
        return self._positions.find(
            ("segmentations",) if index is None else ("segmentations", index, *parts_of(path))
        )

    def place_of(self, finding: Finding) -> tuple[int, int]:
        """Return the line and column that a finding is about."""
        if finding.segmentation_id is not None and finding.segmentation_id in self.rules:
            return self.place_of_rule(finding.segmentation_id, finding.path)
        if finding.product_id is not None:
            ids = [product.id for product in self.rules.products]
            if finding.product_id in ids:
                return self._positions.find(("products", ids.index(finding.product_id)))
        return self._positions.find(parts_of(finding.path))


def read_file(name: str) -> bytes:
    """Return the content of a file; raises `UnreadableError` if it cannot be read."""
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise UnreadableError(f"cannot read `{name}`: {reason_of(error)}") from None


def format_of(name: str) -> Format:
    """Return the format of a rule file by its name."""
    suffix = Path(name).suffix.lower()
    if suffix not in (".json", ".toml"):
        raise UnreadableError(f"`{name}` is not a rule file (its name must end in .toml or .json)")
    return "toml" if suffix == ".toml" else "json"


def read_rule_file(name: str, catalogue: Catalogue) -> RuleFile:
    """Read a rule file with the faults of rules that cannot be read.

    Raises `UnreadableError` if nothing can be read.
    """
    format = format_of(name)
    source = read_file(name)
    try:
        loaded = read_rules(source, format=format, catalogue=catalogue)
    except CodecError as error:
        found = _PLACE.search(error.message)
        place = (int(found[1]), int(found[2])) if found else (1, 1)
        raise UnreadableFileError(name, Fault(place, error)) from None
    text = source.decode()
    positions = Positions(text, format)
    return RuleFile(
        name,
        loaded.rules,
        tuple(Fault(positions.find(parts_of(error.path)), error) for error in loaded.errors),
        positions,
        _indexes(text, format),
    )


class UnreadableFileError(UnreadableError):
    """A rule file of which nothing can be read."""

    def __init__(self, name: str, fault: Fault) -> None:
        line, column = fault.place
        super().__init__(f"{name}:{line}:{column}: error: {fault.text}")
        self.fault = fault


def load_rule_file(name: str, catalogue: Catalogue, console: Console) -> RuleFile:
    """Read a rule file, all of which must be valid; raises `UnreadableError` else."""
    file = read_rule_file(name, catalogue)
    for fault in file.faults:
        line, column = fault.place
        console.message(f"{name}:{line}:{column}: error: {fault.text}")
    if file.faults:
        raise UnreadableError(f"`{name}` has rules that cannot be read")
    return file


def _indexes(text: str, format: Format) -> dict[tuple[object, ...], int]:
    """Return where in the list each segmentation is, by its id, or by what its id is made of."""
    tree: Any = json.loads(text) if format == "json" else tomllib.loads(text)
    listed = cast("list[Any]", tree.get("segmentations", []))
    indexes: dict[tuple[object, ...], int] = {}
    if not isinstance(cast("object", listed), list):
        return indexes
    for index, item in enumerate(listed):
        if isinstance(item, dict):
            fields = cast("dict[str, Any]", item)
            made_of = tuple(fields.get(name) for name in ("product_id", "provider", "name"))
            given = fields.get("id")
            key = made_of if given is None else (given,)
            if all(isinstance(part, str) for part in key):
                indexes.setdefault(key, index)
    return indexes
