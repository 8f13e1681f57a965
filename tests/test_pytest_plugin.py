"""The plug-in for pytest, in a suite of its own."""

import pytest

pytest_plugins = ["pytester"]

RULES = """\
[providers.mail]
add_tag = "native"
[[products]]
id = "42"
name = "Course"
approved_at = 2025-01-01
[[segmentations]]
name = "Buyers"
product_id = "42"
provider = "mail"
event = "purchase.approved"
actions = [{ add_tag = "buyer" }]
enabled = true
"""
TESTS = """\
rules = "rules.toml"
[[tests]]
name = "passes"
event = { name = "purchase.approved", product_id = "42" }
actions = [{ add_tag = "buyer" }]
[[tests]]
name = "fails"
event = { name = "purchase.approved", product_id = "42" }
actions = [{ add_tag = "vip" }]
"""


@pytest.fixture
def suite(pytester):
    """A suite with a rule file and its tests."""
    pytester.makefile(".toml", rules=RULES)
    (pytester.path / "shop.rules-test.toml").write_text(TESTS, "utf-8")
    return lambda *more: pytester.runpytest_inprocess("-p", "listboss.pytest_plugin", *more)


def test_each_test_is_an_item(suite):
    """Every test of a file passes or fails by itself."""
    suite("-v").stdout.fnmatch_lines(
        ["shop.rules-test.toml::passes PASSED*", "shop.rules-test.toml::fails FAILED*"]
    )


def test_failure(suite):
    """A failure shows the difference, and no traceback."""
    result = suite()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "missing: add tag `vip` at `mail`",
            "  no segmentation of the product asks for it on this event",
            "not expected: add tag `buyer` at `mail`",
            "  because of `Buyers`",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*RuleTestError*")


def test_selection(suite):
    """A test can be chosen by its name."""
    suite("-k", "passes").assert_outcomes(passed=1, deselected=1)


def test_broken_file(suite, pytester):
    """A file that cannot be read is an error of the collection, with its line."""
    (pytester.path / "bad.rules-test.toml").write_text('rules = "rules.toml"\ntest = 1', "utf-8")
    result = suite()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*bad.rules-test.toml:2:1: error: unknown key `test`*"])


def test_other_files(pytester):
    """Other files are left alone."""
    pytester.makefile(".toml", rules=RULES)
    pytester.runpytest_inprocess("-p", "listboss.pytest_plugin").assert_outcomes()


def test_other_errors(suite, pytester, monkeypatch):
    """An error of another kind has its traceback, since it is a bug."""
    monkeypatch.setattr("listboss.cli._rule_tests.RuleTest.failure", _broken)
    result = suite("-k", "passes")
    result.assert_outcomes(failed=1, deselected=1)
    result.stdout.fnmatch_lines(["*ZeroDivisionError*"])


def _broken(_test: object, _engine: object) -> str:
    return str(1 // 0)
