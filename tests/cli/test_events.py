"""What the command line reads as events: files, folders, JSON lines, journals and stdin."""

import json
from datetime import UTC, datetime

import pytest

from listboss import Engine
from listboss.codec import load_event, load_rules
from listboss.delivery import SqliteJournal
from listboss.hotmart import MAX_BYTES
from tests.cli.conftest import event, webhook


@pytest.fixture
def ids(run, rules):
    """Plan some events, and return the ids of the plans, the exit code and the messages."""

    def ids(*sources, stdin=b"", options=()):
        result = run("plan", rules, *sources, "--format", "json", *options, stdin=stdin)
        plans = [json.loads(line)["event_id"] for line in result.out.splitlines()]
        return plans, result.code, result.err

    return ids


WEBHOOK = "w-1:purchase.approved"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("one.json", webhook(), [WEBHOOK]),
        ("one-line.json", webhook().replace("\n", ""), [WEBHOOK]),
        ("event.json", event(), ["e-1"]),
        ("pretty.json", json.dumps(json.loads(event()), indent=2), ["e-1"]),
        ("lines.jsonl", f"{event()}\n\n{webhook()}\n".replace("\n ", " "), None),
        ("many.jsonl", event() + "\n" + webhook().replace("\n", "") + "\n", ["e-1", WEBHOOK]),
        ("blank-first.jsonl", "\n\n" + event("e-2"), ["e-2"]),
        ("list.json", f"[{webhook()}, {webhook('w-2')}]", [WEBHOOK, "w-2:purchase.approved"]),
    ],
)
def test_file(ids, write, name, content, expected):
    """A file is one body, or JSON lines; each is an event or a webhook."""
    plans, code, _ = ids(write(name, content))
    if expected is not None:
        assert (expected, 0) == (plans, code)
    else:
        assert ["e-1", 2] == [*plans[:1], code]


def test_form(ids, write):
    """A webhook of version 1.0.0 is a form."""
    body = "transaction=HP1&prod=42&email=ana%40example.com&status=approved"
    body += "&purchase_date=2026-05-04T12:00:00Z"
    plans, code, _ = ids(write("one.form", body))
    assert (1, 0) == (len(plans), code)


def test_pix(ids, write):
    """`--pix-as` names the event of PIX payments, as the host's own code does."""
    content = json.loads(webhook())
    content["event"] = "PURCHASE_BILLET_PRINTED"
    content["data"]["purchase"]["payment"] = {"type": "PIX"}
    path = write("pix.json", json.dumps(content))
    assert ["w-1:purchase.waiting_payment"] == ids(path)[0]
    options = ["--pix-as", "purchase.billet_printed"]
    assert ["w-1:purchase.billet_printed"] == ids(path, options=options)[0]


def test_folder(ids, write, tmp_path):
    """The files of a folder are read in the order of their names; others are left out."""
    for name, content in (("b.json", event("b")), ("a.jsonl", event("a")), ("README.md", "#")):
        write(f"inbox/{name}", content)
    assert (["a", "b"], 0, "") == ids(tmp_path / "inbox")


def test_stdin(ids):
    """`-` is stdin."""
    assert (["e-1", "e-2"], 0, "") == ids("-", stdin=f"{event()}\n{event('e-2')}\n".encode())


def test_several_sources(ids, write):
    """Sources are read in the order given."""
    first, second = write("2.json", event("e-2")), write("1.json", event("e-1"))
    assert ["e-2", "e-1"] == ids(first, second)[0]


def test_journal(ids, rules, tmp_path):
    """The events of a journal are read in the order in which they happened."""
    engine = Engine(load_rules(rules.read_bytes(), format="toml"))
    now = datetime(2026, 5, 5, tzinfo=UTC)
    with SqliteJournal(tmp_path / "journal.db") as journal:
        for text in (
            event("e-2", occurred_at="2026-05-04T13:00:00Z"),
            event("e-1"),
        ):
            happened = load_event(text)
            journal.accept(happened, engine.plan(happened), now)
    assert (["e-1", "e-2"], 0, "") == ids(tmp_path / "journal.db")


class TestUnreadable:
    """What cannot be read is reported by its place, and does not stop the rest."""

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            ("{", "not a webhook: "),
            ("[1]", "not a webhook: "),
            ("canary@example.com", "not a webhook: "),
            ("", "the file is empty"),
            (event(occurred_at="canary@example.com"), "not an event: "),
            ("[" * 100_000, "not a webhook: "),
            ('{"occurred_at": 1, "product_id": 2', "not a webhook: "),
        ],
        ids=["syntax", "shape", "text", "empty", "event", "depth", "broken event"],
    )
    def test_body(self, ids, write, content, reason):
        """The message has the file and the reason, and nothing of the content."""
        bad, good = write("bad.json", content), write("good.json", event())
        plans, code, err = ids(bad, good)
        assert (["e-1"], 2) == (plans, code)
        assert err.startswith(f"{bad}")
        assert reason in err
        assert "canary" not in err

    def test_line(self, ids, write):
        """A line of a file has its number."""
        path = write("many.jsonl", f"{event()}\n{{\n{event('e-2')}\n")
        plans, code, err = ids(path)
        assert (["e-1", "e-2"], 2) == (plans, code)
        assert err.startswith(f"{path}:2: not a webhook: ")

    def test_first_line_of_json_lines(self, ids, write):
        """The name of a file says that it is JSON lines, even if the first line is broken."""
        path = write("many.jsonl", f"{{\n{event('e-2')}\n")
        assert ["e-2"] == ids(path)[0]

    def test_long_line(self, ids, write):
        """A line that is too long is one fault, whatever its length, and uses little memory."""
        long = "x" * (2 * MAX_BYTES + 10)
        path = write("many.jsonl", f"{event()}\n{long}\n{event('e-2')}\n")
        plans, code, err = ids(path)
        assert (["e-1", "e-2"], 2) == (plans, code)
        assert [f"{path}:2", "1 of the inputs cannot be read"] == [
            line.partition(": ")[0] for line in err.splitlines()
        ]

    def test_skip(self, ids, write):
        """`--skip-unreadable` reports it and exits with 0."""
        _, code, err = ids(write("bad.json", "{"), options=["--skip-unreadable"])
        assert 0 == code
        assert err.endswith("1 of the inputs cannot be read\n")

    def test_missing_file(self, ids, tmp_path):
        """A file that does not exist is reported before anything is read."""
        plans, code, err = ids(tmp_path / "gone.json")
        assert ([], 2) == (plans, code)
        assert f"cannot read `{tmp_path / 'gone.json'}`: no such file or directory\n" == err

    def test_other_database(self, ids, write):
        """A SQLite file of another program is not a journal."""
        _, code, err = ids(write("other.db", b"SQLite format 3\0" + b"\0" * 100))
        assert 2 == code
        assert "cannot be read: " in err

    def test_no_permission(self, ids, tmp_path):
        """A name that cannot be opened is reported."""
        path = tmp_path / "folder.json" / "inner.json"
        path.mkdir(parents=True)
        loop = tmp_path / "folder.json" / "loop.json"
        loop.symlink_to(loop)
        assert ([], 0, "") == ids(tmp_path / "folder.json")


def test_ignored(ids, write):
    """A webhook that has no event is counted, and is not a fault."""
    body = '{"event": "ORDER_FULFILLMENT", "data": {}}'
    _, code, err = ids(write("many.jsonl", f"{body}\n{body}\n"), write("one.json", body))
    assert (0, "3 webhooks without an event that listboss knows\n") == (code, err)
    assert ids(write("one.json", body))[2].startswith("1 webhook ")
