"""A plug-in for pytest that runs the tests of rules in files named `NAME.rules-test.toml`.

pytest loads it by itself where listboss is installed. Each test of a file is one item, and a
failure shows which actions differ and why, without a traceback. The rest of listboss is imported
when the first such file is found.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from listboss.cli._rule_tests import RuleTest
    from listboss.engine import Engine

__all__ = ["RuleTestError", "RuleTestFile", "RuleTestItem", "pytest_collect_file"]

SUFFIX = ".rules-test.toml"


class RuleTestError(Exception):
    """A test of rules failed; the message says how the actions differ."""


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the tests of a file, if its name says that it has tests of rules."""
    if not file_path.name.endswith(SUFFIX):
        return None
    kind: Any = RuleTestFile  # pytest's own annotations are partial
    file: RuleTestFile = kind.from_parent(parent, path=file_path)
    return file


class RuleTestFile(pytest.File):
    """A file with tests of rules."""

    def collect(self) -> Iterable[pytest.Item]:
        """Read the file and the rule file that it names."""
        from listboss.cli import UnreadableError  # noqa: PLC0415 # pytest loads this module everywhere
        from listboss.cli._rule_tests import read_rule_tests  # noqa: PLC0415 # the same

        try:
            found = read_rule_tests(self.path)
        except UnreadableError as error:
            raise self.CollectError(str(error)) from None
        for test in found.tests:
            item: Any = RuleTestItem  # pytest's own annotations are partial
            yield item.from_parent(self, name=test.name, test=test, engine=found.engine)


class RuleTestItem(pytest.Item):
    """One test of rules."""

    def __init__(self, *, test: RuleTest, engine: Engine, **more: Any) -> None:
        super().__init__(**more)  # pyright: ignore[reportUnknownMemberType] # partly annotated
        self.test, self.engine = test, engine

    def runtest(self) -> None:
        """Plan the events, and compare the actions."""
        failure = self.test.failure(self.engine)
        if failure is not None:
            raise RuleTestError(failure)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the difference alone."""
        if isinstance(excinfo.value, RuleTestError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say where the test is."""
        return self.path, self.test.place[0] - 1, self.name
