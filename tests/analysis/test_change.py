"""How a report is shown: in full for programs, cut for people, and without personal data."""

import json
from datetime import UTC, datetime

import pytest

from listboss.analysis import (
    BacktestReport,
    ContactChange,
    RuleChange,
    RuleSample,
    Sample,
    TargetChange,
)

SAMPLE = Sample(
    event_id="quiz:ana@example.com",
    event_name="purchase.approved",
    product_id="42",
    occurred_at=datetime(2026, 5, 4, 12, tzinfo=UTC),
    number=1,
    contact="ana@example.com",
    before=(),
    after=("add the tag | <b>",),
    rules=(
        RuleSample(segmentation_id="new", name="New", before="condition not met", after="runs"),
        RuleSample(segmentation_id="auto.x", name="", before="runs", after="runs"),
    ),
)
REPORT = BacktestReport(
    events=1_000,
    changed=2,
    rules=(
        RuleChange(segmentation_id="new", name="New", added=2, removed=0, changed=0, unchanged=1),
        RuleChange(
            segmentation_id="auto.capture", name="", added=0, removed=1, changed=1, unchanged=0
        ),
    ),
    targets=(
        TargetChange(provider="mail", kind="tag", name="vip", added=1, removed=0, unchanged=0),
    ),
    contacts=(
        ContactChange(
            number=1,
            contact="ana@example.com",
            events=1,
            added=("tag `vip` at `mail`",),
            removed=(),
            unchanged=3,
        ),
    ),
    samples=(SAMPLE,),
)


def test_text():
    """The text has every list, aligned, and a number for each contact."""
    assert """\
1,000 events: 2 contacts would have got other actions, and 1 of them would have ended differently

rules (events)
  `New`           +2  -0  ~0  =1
  `auto.capture`  +0  -1  ~1  =0

tags and places (contacts)
  tag `vip` at `mail`  +1  -0  =0

contacts
  contact 1  + tag `vip` at `mail`

sample: `purchase.approved` of product `42`, event `***`, 2026-05-04 12:00, contact 1
  before: -
  after: add the tag | <b>
  `New`: condition not met -> runs
  `auto.x`: runs""" == str(REPORT)


def test_markdown():
    """The Markdown escapes what would be markup."""
    assert """\
1,000 events: 2 contacts would have got other actions, and 1 of them would have ended differently

### rules (events)

| rule | added | removed | changed | unchanged |
|---|---|---|---|---|
| `New` | 2 | 0 | 0 | 1 |
| `auto.capture` | 0 | 1 | 1 | 0 |

### tags and places (contacts)

| target | added | removed | unchanged |
|---|---|---|---|
| tag `vip` at `mail` | 1 | 0 | 0 |

### contacts

| contact | added | removed |
|---|---|---|
| contact 1 | + tag `vip` at `mail` |  |

### samples

- sample: `purchase.approved` of product `42`, event `***`, 2026-05-04 12:00, contact 1
  - before: -
  - after: add the tag &#124; &#60;b&#62;
  - `New`: condition not met -&#62; runs
  - `auto.x`: runs""" == REPORT.markdown()


def test_json():
    """The object has the lists of the report, and can be written as JSON."""
    content = REPORT.to_json()
    assert content == json.loads(json.dumps(content))
    assert ["events", "changed", "rules", "targets", "contacts", "samples"] == [*content]
    assert {
        "number": 1,
        "contact": "contact 1",
        "events": 1,
        "added": ["tag `vip` at `mail`"],
        "removed": [],
        "unchanged": 3,
    } == content["contacts"][0]
    assert ("***", "2026-05-04T12:00:00+00:00") == (
        content["samples"][0]["event_id"],
        content["samples"][0]["occurred_at"],
    )


@pytest.mark.parametrize("show", ["text", "markdown", "to_json", "__repr__", "__str__"])
def test_personal_data_is_masked(show):
    """No form of a report shows who a contact is, unless it is asked for."""
    assert "ana@" not in str(getattr(REPORT, show)())


@pytest.mark.parametrize("show", ["text", "markdown", "to_json"])
def test_personal_data_is_shown(show):
    """A host that asks for it sees the addresses."""
    shown = str(getattr(REPORT, show)(show_personal_data=True))
    assert "quiz:ana@example.com" in shown
    assert "contact 1" not in shown


def test_without_differences():
    """A report without differences is one line."""
    report = BacktestReport(events=1)
    assert "1 event: nothing would have been different" == report.text() == report.markdown()


def test_nobody_ends_differently():
    """Contacts can get other actions and end the same."""
    report = BacktestReport(events=2, changed=1)
    assert (
        "2 events: 1 contact would have got other actions, and none of them would have ended "
        "differently"
    ) == report.text()


def test_long_lists_are_cut():
    """People see the first twenty lines of a list, and how many follow."""
    targets = tuple(
        TargetChange(provider="mail", kind="tag", name=f"t{n}", added=1, removed=0, unchanged=0)
        for n in range(25)
    )
    text = BacktestReport(events=1, changed=1, targets=targets).text()
    assert "  and 5 more" == text.splitlines()[-1]
    assert 20 == text.count("tag `t")
