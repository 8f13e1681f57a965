"""Tests of rules: what they compare, what a failure says, and what is wrong with a file."""

from pathlib import Path

import pytest

from listboss import pytest_plugin
from listboss.cli._rule_tests import SUFFIX
from tests.cli.conftest import RULES, webhook

EXAMPLES = Path(__file__).parents[2] / "examples"
HEAD = 'rules = "rules.toml"\n[defaults]\nproduct_id = "42"\nfacts = { country = "BR" }\n'
TWO_ACCOUNTS = RULES.replace("[[products]]", '[providers.post]\nadd_tag = "native"\n[[products]]')


@pytest.fixture
def check(run, rules, write):
    """Run the tests in a file, of which the head is given."""

    def check(*tests, head=HEAD):
        path = write(f"shop{SUFFIX}", head + "".join(f"[[tests]]\n{test}\n" for test in tests))
        result = run("check", "--tests", path)
        return result._replace(out=result.out.replace(str(path), "shop"))

    return check


def one(actions: str, *, event: str = '{ name = "purchase.approved" }', more: str = "") -> str:
    """One test."""
    return f'name = "one"\nevent = {event}\nactions = {actions}\n{more}'


def test_passes(check):
    """A test with the right actions passes."""
    result = check(one('[{ add_tag = "buyer" }]'))
    assert (0, "", "no findings\n1 of 1 tests of rules passed\n") == result


def test_missing(check):
    """A missing action says why the segmentations that ask for it did not run."""
    event = '{ name = "purchase.approved", facts = { country = "PT" } }'
    result = check(one('[{ add_tag = "buyer" }]', event=event))
    assert (1, "0 of 1 tests of rules passed\n") == (result.code, result.err)
    assert (
        """\
shop:5:1: error: test `one` failed [test_failed]
  missing: add tag `buyer` at `mail`
    segmentation `Buyers`: condition not met: `country` does not match `== BR`
"""
        == result.out
    )


def test_not_expected(check):
    """An action that is not expected names the segmentations that ask for it."""
    assert (
        """\
shop:5:1: error: test `one` failed [test_failed]
  missing: add tag `vip` at `mail`
    no segmentation of the product asks for it on this event
  not expected: add tag `buyer` at `mail`
    because of `Buyers`
"""
        == check(one('[{ add_tag = "vip" }]')).out
    )


def test_order_and_repetition(check, write):
    """The order of the actions does not matter."""
    two = '[{ add_tag = "a" }, { add_tag = "b" }]'
    write("rules.toml", RULES.replace('[{ add_tag = "buyer" }]', two))
    assert 0 == check(one('[{ add_tag = "b" }, { add_tag = "a" }, { add_tag = "b" }]')).code


class TestAutomatic:
    """Automatic actions are compared if the test has `automatic`."""

    @pytest.fixture(autouse=True)
    def _capture(self, rules, write):
        write("rules.toml", 'capture_provider = "mail"\n' + RULES)

    def test_left_out(self, check):
        """Without it, only the custom segmentations count."""
        assert 0 == check(one('[{ add_tag = "buyer" }]')).code

    def test_compared(self, check):
        """With it, every automatic action counts."""
        more = 'automatic = [{ add_lead = true }, { add_tag = "auto:cart-abandonment:42" }]'
        event = '{ name = "purchase.cart_abandoned" }'
        assert 0 == check(one("[]", event=event, more=more)).code

    def test_not_expected(self, check):
        """An automatic action has the id of its segmentation as the reason."""
        result = check(one('[{ add_tag = "buyer" }]', more="automatic = []"))
        assert "because of `auto.capture`" in result.out


def test_several_accounts(check, write):
    """With several accounts, actions are listed by account."""
    write("rules.toml", TWO_ACCOUNTS)
    assert 0 == check(one('{ mail = [{ add_tag = "buyer" }] }')).code
    wrong = check(one('{ mail = [], post = [{ add_tag = "buyer" }] }')).out
    assert "missing: add tag `buyer` at `post`" in wrong
    assert "not expected: add tag `buyer` at `mail`" in wrong


class TestWebhook:
    """A test can have a webhook body in place of an event."""

    @pytest.fixture(autouse=True)
    def _body(self, rules, write):
        write("body.json", webhook())
        write("ignored.json", '{"event": "ORDER_FULFILLMENT", "data": {}}')
        write("broken.json", "{")

    def test_facts(self, check):
        """Facts that no webhook has are added."""
        test = 'name = "one"\nwebhook = "body.json"\nactions = '
        assert 0 == check(test + '[{ add_tag = "buyer" }]').code
        assert 0 == check(test + '[]\nfacts = { country = "PT" }').code

    @pytest.mark.parametrize(
        ("test", "message"),
        [
            ('webhook = "ignored.json"', "shop:7:1: error: `ignored.json` has no event: "),
            ('webhook = "broken.json"', "shop:7:1: error: `broken.json` is not a webhook: "),
            ('webhook = "gone.json"', "cannot read `"),
            ('webhook = "body.json"\nfacts = 1', "error: expected an object, got an integer"),
        ],
    )
    def test_wrong(self, check, test, message):
        """A body that gives no event is a fault of the file."""
        result = check(f'name = "one"\n{test}\nactions = []')
        assert (2, "") == (result.code, result.out)
        assert message in result.err.replace(f"shop{SUFFIX}", "shop").rpartition("/")[2] or (
            message in result.err
        )


@pytest.mark.parametrize(
    ("test", "place", "message"),
    [
        ('name = "one"', "5:1", "expected an `event` or a `webhook`, and not both"),
        ('name = "one"\nevent = {}\nwebhook = ""', "5:1", "expected an `event` or a `webhook`"),
        ("event = {}", "5:1", "expected a string for `name`"),
        ('name = " "', "6:1", "expected a string for `name`"),
        ('name = "one"\nevnt = {}', "7:1", "unknown key `evnt` (did you mean `event`?)"),
        ('name = "one"\nzzzzzzzz = {}', "7:1", "unknown key `zzzzzzzz` (known keys: name, "),
        (one("[]", event="1"), "7:1", "expected a table with the fields of an event"),
        (one("[]", event="{ name = 'x', facts = 1 }"), "7:1", "expected a table for `facts`"),
        (one("[]", event="{ name = 1 }"), "7:11", "expected a string, got an integer"),
        (one("[]", event="{ name = 'x', id = 1 }"), "7:23", "expected a string, got an integer"),
        ('name = "one"\nevent = { name = "x" }', "5:1", "missing key `actions`"),
        (one("1"), "8:1", "expected a list of actions"),
        (one("{ mail = 1 }"), "8:13", "expected a list of actions"),
        (one('[{ addtag = "x" }]'), "8:14", "unknown action `addtag` (did you mean `add_tag`?"),
        (one("{ mall = [] }"), "8:13", "unknown provider `mall` (did you mean `mail`?)"),
        (one("{ zzzzz = [] }"), "8:13", "unknown provider `zzzzz` (known providers: mail)"),
    ],
)
def test_faults_of_a_test(check, test, place, message):
    """What is wrong with a test has its line and column, and exits with 2."""
    result = check(test)
    assert (2, "") == (result.code, result.out)
    found = result.err.partition(SUFFIX)[2]
    assert f":{place}: error: {message}" == found[: len(f":{place}: error: {message}")]


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("rules = ", "error: invalid TOML at the end of the document (expected a value"),
        ("tests = []\n", "error: expected a string for `rules`"),
        ('rules = "rules.toml"\ntest = 1\n', "unknown key `test` (did you mean `tests`?)"),
        ('rules = "rules.toml"\ndefaults = 1\n', ":2:1: error: expected a table with fields"),
        ('rules = "rules.toml"\ntests = 1\n', ":2:1: error: expected tests: begin each with"),
        ('rules = "rules.toml"\ntests = [1]\n', ":2:10: error: expected a table with name, "),
        ('rules = "rules.toml"\n', "error: expected tests"),
        ('rules = "gone.toml"\n', "gone.toml`: no such file or directory"),
    ],
)
def test_faults_of_a_file(check, head, message):
    """A file of which nothing can be run exits with 2."""
    result = check(head=head)
    assert (2, "") == (result.code, result.out)
    assert message in result.err


def test_faulty_rules(check, write):
    """Rules that cannot be read are reported at their own line."""
    write("rules.toml", RULES.replace("enabled", "enable"))
    result = check(one("[]"))
    assert 2 == result.code
    assert "rules.toml:19:1: error: segmentation `Buyers`: unknown key `enable`" in result.err


def test_list_with_several_accounts(check, write):
    """A bare list is refused if it does not name the account."""
    write("rules.toml", TWO_ACCOUNTS)
    assert "expected a table of lists by provider" in check(one("[]")).err


class TestCheck:
    """How `listboss check` runs them."""

    def test_folder(self, run, rules, write, tmp_path):
        """All files below a folder run; findings and tests are reported together."""
        for name in ("a", "b"):
            write(f"{name}{SUFFIX}", HEAD + f"[[tests]]\n{one('[]')}")
        result = run("check", rules, "--tests", tmp_path, "--format", "github")
        assert (1, 2) == (result.code, result.out.count("title=test_failed::test `one` failed%0A"))
        assert "0 of 2 tests of rules passed\n" == result.err

    def test_empty_folder(self, run, tmp_path):
        """A folder without tests is an error: a typo would otherwise pass for ever."""
        result = run("check", "--tests", tmp_path)
        assert 2 == result.code
        assert f"no file below `{tmp_path}` has a name that ends in {SUFFIX}\n" == result.err

    def test_nothing(self, run):
        """There must be something to check."""
        assert (2, "nothing to check: name a rule file, or `--tests` with a path\n") == (
            run("check")[0],
            run("check").err,
        )


def test_example(run):
    """The example passes."""
    assert 0 == run("check", "--tests", EXAMPLES / f"rules{SUFFIX}").code


def test_one_suffix():
    """Pytest and the command line run the same files."""
    assert SUFFIX == pytest_plugin.SUFFIX
