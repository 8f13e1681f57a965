"""The other commands: what they print, in each format, and their exit codes."""

import json
import sys
from datetime import UTC, datetime
from importlib.metadata import version

import pytest

from listboss import Engine
from listboss.cli import COMMANDS
from listboss.codec import load_event, load_rules
from listboss.delivery import Executor, SqliteJournal
from listboss.send import Send
from tests.cli.conftest import RULES, event, webhook

NOW = datetime(2026, 5, 5, tzinfo=UTC)


@pytest.fixture
def events(write):
    """Three events of two contacts."""
    lines = [event(), event("e-2", contact={"email": "bea@example.com"})]
    lines += [event("e-3", "purchase.refunded", occurred_at="2026-05-05T12:00:00Z")]
    return write("events.jsonl", "\n".join(lines))


@pytest.fixture
def journal(rules, tmp_path):
    """A journal with two events of one contact; the id of the second has an address."""
    path = tmp_path / "journal.db"
    with SqliteJournal(path) as kept, Send(":memory:", clock=lambda: NOW) as send:
        accounts = {"mail": send.capabilities}
        engine = Engine(load_rules(rules.read_bytes(), format="toml", providers=accounts))
        executor = Executor(engine, {"mail": send}, kept, clock=lambda: NOW)
        executor.handle(load_event(event()))
        executor.handle(load_event(event("quiz:ana@example.com", "product.rated")))
    return path


class TestPlan:
    """What the rules do with events."""

    def test_text(self, run, rules, events):
        """Each event is a block, without personal data."""
        result = run("plan", rules, events)
        assert 0 == result.code
        assert "buyer" in result.out
        assert "example.com" not in result.out

    def test_personal_data(self, run, rules, events):
        """`--show-personal-data` adds the address."""
        out = run("plan", rules, events, "--show-personal-data").out
        assert ["  for ana@example.com", "  for bea@example.com", "  for ana@example.com"] == [
            line for line in out.splitlines() if line.startswith("  for ")
        ]

    def test_json(self, run, rules, events):
        """Each line is a plan, with the data masked."""
        first, *_ = run("plan", rules, events, "--format", "json").out.splitlines()
        (action,) = json.loads(first)["actions"]
        assert ({"add_tag": "buyer"}, "***", {"email": "***", "name": "***"}) == (
            action["action"],
            action["email"],
            action["data"],
        )

    def test_json_with_personal_data(self, run, rules, events):
        """With personal data, a line is what `dump_plan` writes."""
        out = run("plan", rules, events, "--format", "json", "--show-personal-data").out
        assert "Ana Canary" == json.loads(out.splitlines()[0])["actions"][0]["data"]["name"]

    def test_markdown(self, run, rules, events):
        """Each event is an item of a list."""
        out = run("plan", rules, events, "--format", "markdown").out
        assert 3 == sum(line.startswith("- ") for line in out.splitlines())

    def test_include_tests(self, run, rules, write):
        """Tests have no actions, unless they are asked for."""
        path = write("test.json", event(is_test=True))
        actions = [
            len(
                json.loads(run("plan", rules, path, "--format", "json", *more).out).get(
                    "actions", []
                )
            )
            for more in ([], ["--include-tests"])
        ]
        assert [False, True] == [bool(each) for each in actions]


class TestExplain:
    """Why each rule runs, or does not."""

    def test_text(self, run, rules, events):
        """Segmentations for other events are left out."""
        out = run("explain", rules, events).out
        assert ("buyers" in out, out.count("refunds")) == (True, 1)

    def test_all(self, run, rules, events):
        """`--all` lists them, too."""
        assert 3 == run("explain", rules, events, "--all").out.count("refunds")

    def test_rule(self, run, rules, events):
        """`--rule` explains one segmentation."""
        out = run("explain", rules, events, "--rule", "refunds", "--format", "json").out
        rules_of = [json.loads(line)["rules"] for line in out.splitlines()]
        assert [["other_event", "other_event", None]] == [
            [each["reason"] for rules in rules_of for each in rules]
        ]

    def test_an_automatic_rule(self, run, rules, events):
        """`--rule` takes the id of an automatic segmentation, too."""
        assert 0 == run("explain", rules, events, "--rule", "auto.waitlist").code

    def test_an_unknown_rule(self, run, rules, events):
        """An id that no segmentation has is reported, and nothing is explained."""
        code, out, err = run("explain", rules, events, "--rule", "refund")
        assert (2, "") == (code, out)
        assert "did you mean `refunds`?" in err

    @pytest.mark.parametrize("format", ["text", "json", "markdown"])
    def test_values(self, run, rules, write, format):
        """A value of the event is in the text only with personal data."""
        path = write("one.json", event(facts={"country": "XQ"}))
        given = ("explain", rules, path, "--format", format)
        assert "XQ" not in run(*given).out
        assert "XQ" in run(*given, "--show-personal-data").out

    def test_actual(self, run, rules, write):
        """The value of the event is shown only with personal data."""
        path = write("one.json", event(facts={"country": "PT"}))
        shown, masked = (
            run("explain", rules, path, "--format", "json", *more).out
            for more in (["--show-personal-data"], [])
        )
        assert ("PT", None) == tuple(
            json.loads(out)["rules"][0].get("actual") for out in (shown, masked)
        )

    def test_markdown(self, run, rules, events):
        """A table for each event."""
        out = run("explain", rules, events, "--format", "markdown").out
        assert 3 == out.count("| rule | outcome |")


class TestBacktest:
    """What a change would have done."""

    def test_nothing(self, run, rules, events):
        """Equal files change nothing."""
        result = run("backtest", rules, rules, events, "--max-changed", "0")
        assert (0, "3 events: nothing would have been different\n", "") == result

    def test_text(self, run, rules, after, events):
        """The report masks contacts."""
        result = run("backtest", rules, after, events)
        assert 0 == result.code
        assert result.out.startswith("3 events: 2 contacts would have got other actions")
        assert "example.com" not in result.out

    def test_threshold(self, run, rules, after, events):
        """More changed contacts than `--max-changed` exit with 1."""
        numbers = (0, 1, 2, 50)
        given = ("backtest", rules, after, events, "--max-changed")
        assert [1, 1, 0, 0] == [run(*given, number).code for number in numbers]

    def test_json(self, run, rules, after, events):
        """Programs get the report as an object."""
        content = json.loads(run("backtest", rules, after, events, "--format", "json").out)
        assert (3, 2, "contact 2") == (
            content["events"],
            content["changed"],
            content["contacts"][0]["contact"],
        )

    def test_personal_data(self, run, rules, after, events):
        """With personal data, contacts have their addresses."""
        for format in ("text", "json", "markdown"):  # without an at sign that makes a link
            arguments = ("--format", format, "--show-personal-data")
            out = run("backtest", rules, after, events, *arguments).out
            assert "bea@example.com" in out.replace("`@`", "@")

    def test_markdown(self, run, rules, after, events):
        """A comment on a change has tables."""
        assert "### contacts" in run("backtest", rules, after, events, "--format", "markdown").out

    def test_github(self, run, rules, after, events):
        """Each segmentation that does something else is annotated at its line."""
        out = run("backtest", rules, after, events, "--format", "github").out
        assert [
            f"::notice file={after},line=1,col=1",
            f"::warning file={after},line=11,col=1",
            f"::warning file={after},line=21,col=1",
        ] == [line.partition(",title")[0] for line in out.splitlines()]

    def test_github_other_rules(self, run, rules, write, events):
        """A removed segmentation is annotated where it was, an automatic one at the start."""
        gone = write("gone.toml", 'capture_provider = "mail"\n' + RULES[: RULES.index("[[seg")])
        out = run("backtest", rules, gone, events, "--format", "github").out
        assert f"file={rules},line=11," in out
        assert "`auto.capture`" in out

    def test_stdin(self, run, rules, after, events):
        """Events from stdin are read twice."""
        result = run("backtest", rules, after, "-", stdin=events.read_bytes())
        assert result.out.startswith("3 events: 2 contacts")

    def test_unreadable_events_come_first(self, run, rules, after, write):
        """Input that cannot be read exits with 2, even if the threshold is exceeded."""
        path = write("events.jsonl", event() + "\n{\n")
        result = run("backtest", rules, after, path, "--max-changed", "0")
        assert 2 == result.code
        assert 1 == result.err.count("not a webhook")


class TestDiff:
    """Which segmentations differ, and how."""

    @pytest.fixture
    def one(self, write):
        """A file without the second segmentation, and with capture."""
        return write("one.toml", 'capture_provider = "mail"\n' + RULES[: RULES.rindex("[[seg")])

    def test_text(self, run, rules, after):
        """Each segmentation that differs has its fields, before and after."""
        assert (
            """\
changed: segmentation `Buyers` (actions)
  actions: add tag `buyer` -> add tag `client`
changed: segmentation `Refunds` (actions)
  actions: remove tag `buyer` -> remove tag `client`
"""
            == run("diff", rules, after).out
        )

    def test_values(self, run, rules, write):
        """Every kind of field is shown in words."""
        text = RULES.replace("enabled = true", "enabled = false\nsend = []", 1)
        text = text.replace('condition = { fact = "country", eq = "BR" }\n', "", 1)
        other = write("other.toml", text.replace('name = "Buyers"', 'name = "Clients"'))
        lines = run("diff", rules, other).out.splitlines()
        assert [
            "  name: `Buyers` -> `Clients`",
            "  condition: `country == BR` -> none",
            "  send: `email`, `name`, `phone` -> none",
            "  enabled: yes -> no",
        ] == [line for line in lines if line.startswith("  ")]

    def test_a_name_with_an_escape_sequence(self, run, rules, write):
        """No string of a rule file reaches the terminal as it is."""
        other = write("other.toml", RULES.replace('"purchase.approved"', '"\\u001b[2J"'))
        assert "  event: `purchase.approved` -> `\\x1b[2J`\n" in run("diff", rules, other).out

    def test_equal(self, run, rules):
        """Equal files say so."""
        assert (0, "", "the rules are equal\n") == run("diff", rules, rules)

    def test_added_and_removed(self, run, rules, one):
        """Segmentations and settings can be added and removed."""
        there, back = run("diff", rules, one).out, run("diff", one, rules).out
        assert "removed: segmentation `Refunds`\n" in there
        assert "changed: capture provider\n" in there
        assert "added: segmentation `Refunds`\n" in back

    def test_findings(self, run, rules, one):
        """Findings that only one of the files has are shown."""
        there, back = run("diff", rules, one).out, run("diff", one, rules).out
        (new,) = [line for line in there.splitlines() if line.startswith("new finding: ")]
        (gone,) = [line for line in back.splitlines() if line.startswith("finding gone: ")]
        assert new.partition(": ")[2] == gone.partition(": ")[2]
        assert "no rule removes the tag `buyer`" in new

    def test_json(self, run, rules, after):
        """Programs get the ids, and the fields by id."""
        content = json.loads(run("diff", rules, after, "--format", "json").out)
        assert (["buyers", "refunds"], {"buyers": ["actions"], "refunds": ["actions"]}, []) == (
            content["changed"],
            content["fields"],
            content["new_findings"],
        )

    def test_markdown(self, run, rules, after):
        """A list for people."""
        out = run("diff", rules, after, "--format", "markdown").out
        assert out.startswith("- changed: segmentation `Buyers` (actions)\n  - actions: add tag")

    def test_github(self, run, rules, one):
        """Annotations are at the line of the segmentation, in the file that has it."""
        removed, settings, finding = run("diff", rules, one, "--format", "github").out.splitlines()
        assert removed.startswith(f"::notice file={rules},line=21,col=1,title=removed::")
        assert settings.startswith(f"::notice file={one},line=1,col=1,title=changed::")
        assert finding.startswith(f"::notice file={one},line=19,col=")

    @pytest.mark.parametrize(("number", "code"), [(1, 1), (2, 0)])
    def test_threshold(self, run, rules, after, number, code):
        """More differences than `--max-changed` exit with 1."""
        assert code == run("diff", rules, after, "--max-changed", number).code


class TestHistory:
    """What a journal says was done."""

    def test_text(self, run, journal):
        """Each record is a line, without personal data."""
        result = run("history", journal)
        assert 0 == result.code
        assert "`purchase.approved` `e-1`" in result.out
        assert "example.com" not in result.out

    def test_personal_data(self, run, journal):
        """With personal data, each record has its contact."""
        assert "[ana@example.com]" in run("history", journal, "--show-personal-data").out

    def test_filters(self, run, journal):
        """Every filter limits the records."""
        everything = len(run("history", journal, "--limit", "50").out.splitlines())
        assert everything > 1
        for more in (
            ["--contact", "bea@example.com"],
            ["--product", "7"],
            ["--event", "gone"],
            ["--rule", "gone"],
            ["--provider", "gone"],
            ["--status", "dead"],
            ["--since", "2030-01-01"],
            ["--until", "2020-01-01T00:00:00+00:00"],
        ):
            assert (0, "", "no records\n") == run("history", journal, *more)
        assert 1 == len(run("history", journal, "--limit", "1").out.splitlines())

    @pytest.mark.parametrize(
        ("more", "contact"), [([], "***"), (["--show-personal-data"], "ana@example.com")]
    )
    def test_json(self, run, journal, more, contact):
        """Programs get a list."""
        records = json.loads(run("history", journal, "--format", "json", *more).out)
        assert {contact} == {record["contact"] for record in records}

    def test_markdown(self, run, journal):
        """A list for people."""
        out = run("history", journal, "--format", "markdown").out
        assert all(line.startswith("- ") for line in out.splitlines())


class TestContact:
    """What a contact should have, and why."""

    def test_text(self, run, journal):
        """Each tag has the segmentation and the event that decided."""
        (line,) = run("contact", journal, "ana@example.com").out.splitlines()
        assert line.startswith("`mail`: tag `buyer` on since 2026-05-04 12:00")
        assert line.endswith(": buyers, event e-1")

    def test_json(self, run, journal):
        """Programs get a list."""
        (entry,) = json.loads(run("contact", journal, "Ana@Example.com", "--format", "json").out)
        assert (True, "e-1", ["buyers"], "2026-05-04T12:00:00+00:00") == (
            entry["on"],
            entry["event_id"],
            entry["segmentation_ids"],
            entry["since"],
        )

    def test_markdown(self, run, journal):
        """A list for people."""
        assert run("contact", journal, "ana@example.com", "--format", "markdown").out[:2] == "- "

    def test_nobody(self, run, journal):
        """An unknown contact has nothing."""
        result = run("contact", journal, "bea@example.com")
        assert (0, "") == (result.code, result.out)

    def test_no_address(self, run, journal):
        """What is not an address is refused, and not shown."""
        result = run("contact", journal, "canary")
        assert (2, "the contact is not an e-mail address\n") == (result.code, result.err)

    @pytest.mark.parametrize("command", ["history", "contact"])
    def test_no_journal(self, run, tmp_path, rules, command):
        """A file that is missing or is not a journal exits with 2, and no file is made."""
        more = ["ana@example.com"] if command == "contact" else []
        gone = tmp_path / "gone.db"
        assert (2, False) == (run(command, gone, *more).code, gone.exists())
        assert 2 == run(command, rules, *more).code


def test_schema(run):
    """The schema is that of the codec."""
    assert "listboss rules" == json.loads(run("schema").out)["title"]


class TestDiagram:
    """A rule file for people."""

    def test_page(self, run, rules):
        """The page is HTML, with the name of the file as its title."""
        out = run("diagram", rules).out
        assert out.startswith("<!doctype html>")
        assert "rules.toml" in out

    def test_mermaid(self, run, rules):
        """A flowchart of one product."""
        out = run("diagram", rules, "--format", "mermaid", "--product", "42").out
        assert out.startswith("flowchart")

    def test_unknown_product(self, run, rules):
        """A product that the file does not have exits with 2."""
        result = run("diagram", rules, "--format", "mermaid", "--product", "43")
        assert (2, "") == (result.code, result.out)
        assert result.err.startswith("unknown product `43`")

    def test_a_page_of_one_product(self, run, rules):
        """A page shows all products, so `--product` is refused for it."""
        result = run("diagram", rules, "--product", "42")
        message = "`--product` needs `--format mermaid`: a page shows all products\n"
        assert (2, "", message) == result

    def test_output(self, run, rules, tmp_path):
        """`--output` writes a file."""
        path = tmp_path / "rules.html"
        assert (0, "", f"wrote `{path}`\n") == run("diagram", rules, "--output", path)
        assert path.read_text("utf-8").startswith("<!doctype html>")

    def test_no_folder(self, run, rules, tmp_path):
        """A file that cannot be written exits with 2."""
        path = tmp_path / "gone" / "rules.html"
        result = run("diagram", rules, "--output", path)
        assert (2, f"cannot write `{path}`: no such file or directory\n") == (
            result.code,
            result.err,
        )


class TestUsage:
    """Wrong usage, and what every command has."""

    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["chekc"],
            ["check", "rules.toml", "--format", "yaml"],
            ["plan", "rules.toml"],
            ["plan", "rules.toml", "events.json", "--format", "github"],
            ["backtest", "rules.toml", "after.toml"],
            ["backtest", "rules.toml", "after.toml", "e.json", "--max-changed", "few"],
            ["diff", "rules.toml", "after.toml", "--max-changed", "-1"],
            ["history", "journal.db", "--limit", "0"],
            ["history", "journal.db", "--since", "yesterday"],
        ],
        ids=" ".join,
    )
    def test_wrong(self, run, arguments):
        """Wrong usage exits with 2 and shows the usage on stderr."""
        result = run(*arguments)
        assert (2, "") == (result.code, result.out)
        assert result.err.startswith("usage: listboss")

    @pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
    def test_help(self, run, command):
        """Each command has a help."""
        result = run(command.name, "--help")
        assert 0 == result.code
        assert f"usage: listboss {command.name}" in result.out

    @pytest.mark.parametrize("command", ["plan", "explain", "backtest", "diff", "check"])
    @pytest.mark.parametrize("name", ["gone.toml", "rules.yaml"])
    def test_no_rule_file(self, run, tmp_path, command, name):
        """A rule file that cannot be read exits with 2."""
        more = {"check": 0, "backtest": 2}.get(command, 1)
        result = run(command, *[tmp_path / name] * (1 + more))
        assert (2, "") == (result.code, result.out)
        assert name in result.err

    @pytest.mark.parametrize("command", ["plan", "explain", "backtest", "diff"])
    def test_faulty_rule_file(self, run, write, rules, command):
        """A rule file with faults exits with 2 and says where they are."""
        path = write("faulty.toml", RULES.replace("enabled = true", "enable = true", 1))
        more = [rules] if command in ("backtest", "diff") else []
        more += [rules] if command != "diff" else []
        result = run(command, path, *more)
        assert 2 == result.code
        assert result.err.startswith(f"{path}:19:1: error: ")


def test_version(run):
    """The version is that of the package."""
    assert f"listboss {version('listboss')}\n" == run("--version").out


class TestPersonalData:
    """No command shows who a contact is."""

    def test_canaries(self, run, rules, after, journal, write):
        """Neither on stdout nor on stderr, in any format."""
        body = webhook().replace("bea@", "canary@").replace('"id": "w-1"', '"id": "q:canary@b.com"')
        bad = event("canary@b.com", occurred_at="canary")
        named = event("canary@b.com", contact={"email": "canary@example.com", "name": "canary"})
        paths = [write("a.json", body), write("b.jsonl", f"{named}\n{bad}")]
        shown = ""
        for command in COMMANDS:
            given = {
                "check": [rules],
                "schema": [],
                "history": [journal],
                "contact": [journal, "canary@example.com"],
                "diff": [rules, after],
                "diagram": [rules],
                "backtest": [rules, after, *paths],
            }.get(command.name, [rules, *paths])
            for format in command.formats:
                result = run(command.name, *given, "--format", format)
                shown += result.out + result.err
        assert "canary" not in shown
        assert len(shown) > 1_000


class TestCatalogue:
    """A host with events of its own names its catalogue."""

    @pytest.fixture
    def shop(self, write, tmp_path, monkeypatch):
        """A module with a catalogue, in the folder of the command, and a rule on its event."""
        code = "from listboss import HOTMART, EventType\nNOTHING = 1\n"
        code += 'EVENTS = [EventType("quiz.passed", "Quiz passed")]\n'
        write("shop_events.py", code + "CATALOGUE = HOTMART.extended(events=EVENTS)\n")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.path", [*sys.path])
        monkeypatch.delitem(sys.modules, "shop_events", raising=False)
        return write("quiz.toml", RULES.replace("purchase.refunded", "quiz.passed"))

    def test_rules(self, run, shop):
        """The rules are reviewed against it."""
        code = run("check", shop, "--catalogue", "shop_events:CATALOGUE").code
        assert (0, 1) == (code, run("check", shop).code)

    def test_events(self, run, shop, write):
        """Events of the host are planned."""
        path = write("quiz.json", event(name="quiz.passed"))
        given = ("plan", shop, path, "--format", "json")
        plans = [run(*given, *more).out for more in ([], ["--catalogue", "shop_events:CATALOGUE"])]
        assert ["unknown_event", None] == [json.loads(plan).get("idle") for plan in plans]

    def test_schema(self, run, shop):
        """The schema names them."""
        assert "quiz.passed" in run("schema", "--catalogue", "shop_events:CATALOGUE").out

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("shop_events", "is not the name of a catalogue (write `MODULE:NAME`)"),
            (
                "gone:CATALOGUE",
                "cannot import the module of `gone:CATALOGUE` (ModuleNot",
            ),
            ("shop_events:GONE", "`shop_events:GONE` is not a catalogue"),
            ("shop_events:NOTHING", "`shop_events:NOTHING` is not a catalogue"),
        ],
    )
    def test_wrong(self, run, shop, name, message):
        """A name that leads nowhere exits with 2."""
        result = run("check", shop, "--catalogue", name)
        assert 2 == result.code
        assert message in result.err

    def test_tests_of_rules(self, run, shop, write):
        """A file of tests names its catalogue, too."""
        head = 'rules = "quiz.toml"\ncatalogue = "shop_events:CATALOGUE"\n[[tests]]\nname = "x"\n'
        body = 'event = { name = "quiz.passed", product_id = "42" }\n'
        body += 'actions = [{ remove_tag = "buyer" }]'
        path = write("quiz.rules-test.toml", head + body)
        assert 0 == run("check", "--tests", path).code
