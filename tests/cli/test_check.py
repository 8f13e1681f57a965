"""`listboss check`: what is wrong with a rule file, and on which line."""

import json

import pytest

from listboss.codec import load_event
from tests.cli.conftest import RULES

WRONG_FACT = RULES.replace('fact = "country"', 'fact = "contry"')
WARNING = RULES.replace('name = "Refunds"', 'name = "Buyers"')
UNKNOWN_KEY = RULES.replace("enabled = true", "enable = true", 1)


def test_right(run, rules):
    """A rule file without findings exits with 0 and prints nothing to stdout."""
    assert (0, "", "no findings\n") == run("check", rules)


def test_finding(run, write):
    """A finding has file, line, column, severity, the name of the segmentation and its code."""
    path = write("rules.toml", WRONG_FACT)
    result = run("check", path)
    assert (1, "") == (result.code, result.err)
    (line,) = result.out.splitlines()
    assert line.startswith(f"{path}:17:1: error: segmentation `Buyers`: ")
    assert line.endswith(" [fact_unknown]")


def test_order(run, write):
    """Findings of one severity are in the order of the file, whatever the ids are."""
    wrong = RULES.replace('provider = "mail"', 'provider = "gone"').replace('"buyers"', '"z"')
    lines = run("check", write("rules.toml", wrong)).out.splitlines()
    assert ["error"] * 2 == [line.split(": ")[1] for line in lines]
    assert [15, 25] == [int(line.split(":")[1]) for line in lines]


@pytest.mark.parametrize(("fail_on", "code"), [("error", 0), ("warning", 1), ("info", 1)])
def test_fail_on(run, write, fail_on, code):
    """`--fail-on` says from which severity on a finding fails the check."""
    result = run("check", write("rules.toml", WARNING), "--fail-on", fail_on)
    assert code == result.code
    assert "warning: " in result.out


def test_several_files(run, rules, write):
    """Each file is reported, whatever is wrong with the others."""
    broken, wrong = write("broken.toml", "[["), write("wrong.toml", WRONG_FACT)
    result = run("check", broken, rules, wrong)
    assert 2 == result.code
    assert [str(broken), str(wrong)] == [line.split(":")[0] for line in result.out.splitlines()]


def test_a_file_that_is_missing(run, write, tmp_path):
    """A file that is not there is reported, and the others are checked all the same."""
    wrong = write("wrong.toml", WRONG_FACT)
    gone = tmp_path / "gone.toml"
    code, out, err = run("check", gone, wrong)
    assert (2, f"cannot read `{gone}`: no such file or directory\n") == (code, err)
    assert " [fact_unknown]" in out


def test_tests_that_cannot_be_read(run, write, rules, tmp_path):
    """Tests that cannot be read are reported beside the findings and the other tests."""
    wrong = write("wrong.toml", WRONG_FACT)
    broken = write("broken.rules-test.toml", "rules = 3")
    good = write(
        "good.rules-test.toml",
        """rules = "rules.toml"
[[tests]]
name = "a refund"
event = { name = "purchase.refunded", product_id = "42" }
actions = [{ remove_tag = "buyer" }]
""",
    )
    given = ["--tests", broken, "--tests", tmp_path / "gone", "--tests", good]
    code, out, err = run("check", wrong, *given)
    assert (2, True) == (code, " [fact_unknown]" in out)
    first, second, third = err.splitlines()
    assert first == f"{broken}:1:1: error: expected a string for `rules`"
    assert second.startswith(f"cannot read `{tmp_path / 'gone'}`: ")
    assert third == "1 of 1 tests of rules passed"


def test_syntax_error(run, write):
    """A syntax error has its line and column, and exits with 2."""
    path = write("rules.toml", "[[products]]\nid = 42a\n")
    result = run("check", path)
    assert 2 == result.code
    assert result.out.startswith(f"{path}:2:")


def test_fault(run, write):
    """A key that does not exist has its own line; the other segmentations are reviewed."""
    path = write("rules.toml", UNKNOWN_KEY + 'capture_provider = "gone"\n')
    result = run("check", path)
    assert 2 == result.code
    assert f"{path}:19:1: error: segmentation `Buyers`: unknown key `enable`" in result.out


def test_an_id_of_a_wrong_type(run, write):
    """An id that is not a string is a fault at its own line."""
    path = write("rules.toml", RULES.replace('id = "buyers"', 'id = ["buyers"]'))
    result = run("check", path)
    assert 2 == result.code
    assert f"{path}:13:1: error: segmentation `Buyers`: expected a string" in result.out


def test_a_null_id(run, write):
    """A segmentation whose id is null is found by what its id is made of."""
    rule = {"id": None, "product_id": "42", "provider": "mail", "actions": [{"add_tag": "t"}]}
    rules = [
        {"name": "x", "event": "purchase.approved", **rule},
        {"name": "y", "event": "purchase.aproved", **rule},
    ]
    path = write("rules.json", json.dumps({"segmentations": rules}, indent=1))
    lines = run("check", path).out.splitlines()
    assert [f"{path}:17:4"] == [line[: line.index(": ")] for line in lines if "aproved" in line]


def test_json_file(run, write):
    """A rule file in JSON has positions, too."""
    rule = {"name": "x", "product_id": "42", "provider": "mail", "event": "purchase.aproved"}
    content = {"segmentations": [{**rule, "actions": [{"add_tag": "t"}], "enabled": True}]}
    path = write("rules.json", json.dumps(content, indent=1))
    result = run("check", path)
    places = {line.split("[")[-1]: line.split(":")[1] for line in result.out.splitlines()}
    assert "7" == places["event_unknown]"]


class TestFormats:
    """How findings are shown."""

    @pytest.fixture
    def path(self, write):
        """A file with one finding."""
        return write("rules.toml", WRONG_FACT)

    def test_json(self, run, path):
        """Programs get an object with a list."""
        (finding,) = json.loads(run("check", path, "--format", "json").out)["findings"]
        assert {
            "file": str(path),
            "line": 17,
            "column": 1,
            "severity": "error",
            "code": "fact_unknown",
            "segmentation_id": "buyers",
            "path": "$.condition",
            "others": [],
            "witness": None,
        } == {name: value for name, value in finding.items() if name != "message"}

    def test_github(self, run, path):
        """An annotation has its properties escaped."""
        result = run("check", path, "--format", "github")
        assert result.out.startswith(
            f"::error file={path},line=17,col=1,title=fact_unknown::segmentation `Buyers`: "
        )

    def test_markdown(self, run, path):
        """A table has a row for each finding."""
        head, rule, row = run("check", path, "--format", "markdown").out.splitlines()
        assert ("| severity | where | what |", "|---|---|---|") == (head, rule)
        assert row.startswith(f"| error | `{path}:17` | segmentation `Buyers`: ")


class TestWitness:
    """A finding that an event shows has that event."""

    @pytest.fixture
    def path(self, write):
        """Two rules that contradict each other on some events."""
        rule = RULES[RULES.index("[[seg") : RULES.index("\n[[segmentations]]", 300)]
        other = rule.replace("buyers", "leavers").replace("add_tag", "remove_tag")
        return write("rules.toml", RULES + other.replace("Buyers", "Leavers"))

    def test_text(self, run, path):
        """The event is a line below the finding."""
        lines = run("check", path).out.splitlines()
        at = next(n for n, line in enumerate(lines) if line.endswith("[conflict]"))
        assert "  for example: event `purchase.approved` with `country=BR`" == lines[at + 1]

    def test_json(self, run, path):
        """Programs get the other segmentations, and the event as `dump_event` writes it."""
        findings = json.loads(run("check", path, "--format", "json").out)["findings"]
        (conflict,) = [each for each in findings if each["code"] == "conflict"]
        assert {"buyers", "leavers"} == {conflict["segmentation_id"], *conflict["others"]}
        assert {"country": "BR"} == load_event(conflict["witness"]).facts


def test_annotations_escape(run, write):
    """A line break or a comma in a name does not end an annotation or its property."""
    name = write("a,b%.toml", WRONG_FACT.replace('"Buyers"', '"Buy%ers\\nof"'))
    (line,) = run("check", name, "--format", "github").out.splitlines()
    assert "a%2Cb%25.toml,line=" in line
    assert "Buy%25ers" in line


def test_findings_about_other_parts(run, write):
    """A finding about the rule set or about a product has the line of that part."""
    text = 'capture_provider = "mail"\n' + RULES.replace("2025-01-01", "2024-01-01")
    beta = run("check", write("beta.toml", text)).out
    gone = run("check", write("gone.toml", 'capture_provider = "gone"\n' + RULES)).out
    other = RULES.replace('id = "42"', 'id = "43"', 1)
    unknown = run("check", write("unknown.toml", other)).out
    assert "beta.toml:7:1: warning: the product was approved" in beta
    assert "gone.toml:1:1: error: `gone`, the provider" in gone
    assert "unknown.toml:14:1: error: segmentation `Buyers`: " in unknown
