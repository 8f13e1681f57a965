"""`examples/quickstart.py` does what it is there for: every run prints the same whole way."""

import os
import shutil
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(folder: Path) -> str:
    """The output of the quickstart in `folder`, started from somewhere else."""
    done = subprocess.run(
        [sys.executable, "-W", "error", folder / "quickstart.py"],
        cwd=folder.parent,
        env=os.environ | {"PYTHONHASHSEED": "random", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.fixture(scope="module")
def output() -> str:
    """What a run prints."""
    return run(EXAMPLES)


def section(output: str, title: str) -> list[str]:
    """The lines below the heading that begins with `title`."""
    (found,) = [part for part in output.split("\n## ") if part.startswith(title)]
    return found.splitlines()[1:]


def below(output: str, start: str) -> set[str]:
    """The indented lines below the one that begins with `start`."""
    lines = iter(section(output, "Events in, actions out"))
    next(line for line in lines if line.startswith(start))
    return set(takewhile(lambda line: line.startswith("    "), lines))


class TestQuickstart:
    """The sections of its output."""

    def test_flagged_rules(self, output: str):
        """A flagged rule is shown with what is wrong, and did not run."""
        lines = section(output, "15 rules of our own for 3 products")

        assert [
            "FLAGGED Money back for nothing: - tag began-mini-course",
            "        event_incompatible: `purchase.refunded` is not offered for a product of kind"
            " `free`",
        ] == [line for line in lines if not line.startswith(("on ", "off ")) and line]
        assert "off     Five stars: + tag likes-it" in lines
        assert not any("Money back for nothing" in line for line in section(output, "Events in"))

    def test_events_in_and_actions_out(self, output: str):
        """An approval takes the tags of the cart off, and says who asked, and who did not fit."""
        assert {
            "    - tag auto:cart-abandonment:1001        auto.cart_abandonment",
            "    - tag left-the-cart                     Buyers",
            "    + lead New Buyers                       Buyers",
            "    + tag auto:purchase-approved:1001       auto.purchase_approved",
            "    + tag buyer                             Buyers",
            "    + tag large-order                       Large orders in Brazil",
            "    x English-speaking buyers: condition not met: `language` is missing",
            "    x From abroad: condition not met: `country` does not match `not in BR, PT`",
        } <= below(output, "03 Mar 10:31  ana@example.com  purchase.approved 1001")

    def test_what_the_host_knows(self, output: str):
        """The language, which the host added, leads one buyer to the list of the public example."""
        joined = [line for line in section(output, "Events in") if "+ lead English" in line]

        assert ["    + lead English-Speaking Buyers          English-speaking buyers"] == joined

    def test_a_rule_for_each_plan(self, output: str):
        """Each plan has its own rule, and a renewal is not welcomed again."""
        lines = section(output, "Events in")

        assert 1 == sum("+ tag club-monthly" in line for line in lines)
        assert 1 == sum("+ tag club-annual" in line for line in lines)
        assert "    x Welcome, annual: other plan" in lines

    def test_ignored(self, output: str):
        """What was ignored is told with its reason; a wrong body stops nothing."""
        assert [
            "03-approved-card-again.json         purchase.approved: delivered before",
            "18-no-email.json                    purchase.approved: unaddressed",
            "24-unknown-plan.json                purchase.approved: unknown plan 99,"
            " so automatic rules only",
            "24-unknown-plan.json                subscription.active: unknown plan 99,"
            " so automatic rules only",
            "29-test-button.json                 purchase.approved: test",
            "29-test-button.json                 subscription.active: test",
            "30-unknown-event.json               unknown_event: ORDER_FULFILLMENT",
            "31-unknown-product.json             purchase.approved: unknown_product",
            "32-broken.json                      no webhook: the body is neither JSON nor a form",
            "33-no-object.json                   no webhook: the body is not an object",
        ] == [line for line in section(output, "Ignored, and why") if line]

    def test_contacts(self, output: str):
        """Captured contacts are marked AUTO; the one beyond the lead limit is kept."""
        lines = section(output, "Contacts: lead limit 7, 0 left")

        assert [
            "me@example.com",
            "ana@example.com AUTO",
            "bruno@example.com AUTO",
            "carla@example.com AUTO",
            "diego@example.com AUTO",
            "fabio@example.com AUTO",
            "emma@example.com AUTO",
            "gina@example.com AUTO (beyond the limit: kept, but nothing is sent)",
        ] == [line for line in lines if "@" in line]
        refunded = lines[lines.index("diego@example.com AUTO") + 1]
        assert "auto:purchase-refunded:1001" in refunded
        assert "buyer" not in refunded

    def test_outbox(self, output: str):
        """The message of an automation is due, for a mailer to send."""
        assert ["bruno@example.com: Your bank slip has expired (Second chance)"] == section(
            output, "Messages due on 24 Apr"
        )

    def test_same_every_time(self, output: str):
        """A second run, with another hash seed, prints the same."""
        assert output == run(EXAMPLES)


def test_a_wrong_body_among_the_good_ones(tmp_path: Path, output: str):
    """One more broken file adds its line, and changes nothing else."""
    folder = tmp_path / "examples"
    shutil.copytree(EXAMPLES, folder)
    (folder / "webhooks" / "00-noise.json").write_bytes(b"\xff\xfe\x00{")

    lines = run(folder).splitlines()

    noise = [line for line in lines if line.startswith("00-noise.json")]
    assert [
        "00-noise.json                       no webhook: the body is neither JSON nor a form"
    ] == noise
    assert output.splitlines() == [line for line in lines if line not in noise]
