"""`examples/quickstart.py` prints every step from webhooks to contacts, the same in every run."""

import os
import shutil
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(folder: Path) -> str:
    """Run the quickstart in `folder` from another folder, and return its output."""
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
    """The output of one run."""
    return run(EXAMPLES)


def section(output: str, title: str) -> list[str]:
    """Return the lines below the heading that begins with `title`."""
    (found,) = [
        part for part in output.removeprefix("## ").split("\n## ") if part.startswith(title)
    ]
    return found.splitlines()[1:]


def below(output: str, start: str) -> set[str]:
    """Return the indented lines below the event line that begins with `start`."""
    lines = iter(section(output, "Events and what they changed"))
    next(line for line in lines if line.startswith(start))
    return set(takewhile(lambda line: line.startswith("    "), lines))


class TestQuickstart:
    """What each section of the output says."""

    def test_flagged_rules(self, output: str):
        """A flagged rule is shown with what is wrong, and does not run."""
        lines = section(output, "15 custom rules for 3 products")

        assert [
            "    FLAGGED Refund of the mini course: remove tag `mini-course-started`",
            "            error event_incompatible: `purchase.refunded` is not offered for products"
            " of kind `free` @ $.event (`RuleSet.events_for` lists the events that are offered)",
        ] == lines[lines.index("Free Mini Course (product 3003)") + 2 :][:2]
        assert "    off     Good ratings: add tag `good-rating`" in lines
        assert not any("Refund of the mini" in line for line in section(output, "Events and"))

    def test_events_and_what_they_changed(self, output: str):
        """An approval removes the tags of the cart, and names the rules that ran or did not."""
        assert {
            "    remove tag `auto:cart-abandonment:1001`         auto.cart_abandonment",
            "    remove tag `abandoned-cart`                     Buyers",
            "    add to `New Buyers`                             Buyers",
            "    add tag `auto:purchase-approved:1001`           auto.purchase_approved",
            "    add tag `buyer`                                 Buyers",
            "    add tag `large-order`                           Large orders in Brazil",
            "    Not run: English-speaking buyers (condition not met: `language` is missing)",
            "    Not run: Buyers abroad"
            " (condition not met: `country` does not match `not in BR, PT`)",
        } == below(
            output,
            "03 Mar 10:31  ana@example.com  purchase.approved (Photography from Scratch)",
        )

    def test_what_the_host_knows(self, output: str):
        """The host adds the language of one buyer, who is then added to the English list."""
        added = [line for line in section(output, "Events and") if "add to `English" in line]

        assert [
            "    add to `English-Speaking Buyers`                English-speaking buyers"
        ] == added

    def test_a_rule_for_each_plan(self, output: str):
        """Each plan has its own rule, and a renewal does not run it again."""
        lines = section(output, "Events and")

        assert 1 == sum("add tag `club-monthly`" in line for line in lines)
        assert 1 == sum("add tag `club-annual`" in line for line in lines)
        assert "    Not run: Welcome, annual (other plan)" in lines

    def test_an_unknown_plan(self, output: str):
        """A webhook of which only automatic rules ran is not listed as ignored."""
        assert {
            "    add tag `auto:purchase-approved:2002`           auto.purchase_approved",
            "    Unknown plan: 99",
            "    Not run: Welcome, monthly (other plan)",
            "    Not run: Welcome, annual (other plan)",
        } == below(output, "15 Apr 12:01  ana@example.com  purchase.approved (Photo Club)")
        assert not any(line.startswith("24-") for line in section(output, "Webhooks that were"))

    def test_legend(self, output: str):
        """The words below the events are explained above them."""
        legend = "\n".join(section(output, "Events and what they changed")[:6])
        assert all(word in legend for word in ('"auto."', '"Not run"', '"Unknown plan"'))

    def test_ignored(self, output: str):
        """A webhook that was ignored is listed with the reason."""
        assert [
            "03-approved-card-again.json         purchase.approved: delivered a second time",
            "18-no-email.json                    purchase.approved: no e-mail address",
            "29-test-button.json                 purchase.approved: a test event",
            "29-test-button.json                 subscription.active: a test event",
            "30-unknown-event.json               ORDER_FULFILLMENT: unknown event",
            "31-unknown-product.json             purchase.approved:"
            " the product is not in rules.toml",
            "32-broken.json                      not a webhook: invalid JSON at line 27, column 25",
            "33-no-object.json                   not a webhook: the body is not an object",
        ] == [line for line in section(output, "Webhooks that were ignored") if line]

    def test_contacts(self, output: str):
        """Captured contacts are marked AUTO; the one beyond the lead limit is kept."""
        lines = section(output, "Contacts (lead limit 6, 0 left)")

        assert [
            "ana@example.com AUTO",
            "bruno@example.com AUTO",
            "carla@example.com AUTO",
            "diego@example.com AUTO",
            "fabio@example.com AUTO",
            "emma@example.com AUTO",
            "gina@example.com AUTO (beyond the lead limit: kept, but receives no mail)",
        ] == [line for line in lines if "@" in line]
        refunded = lines[lines.index("diego@example.com AUTO") + 1]
        assert "auto:purchase-refunded:1001" in refunded
        assert "buyer" not in refunded

    def test_outbox(self, output: str):
        """The message of an automation is due, for a mailer to send."""
        assert [
            "bruno@example.com: Your bank slip has expired (automation: Expired bank slip)"
        ] == section(output, "Messages due on 24 Apr")

    def test_same_every_time(self, output: str):
        """A second run, with another hash seed, prints the same."""
        assert output == run(EXAMPLES)


def test_one_more_broken_file(tmp_path: Path, output: str):
    """It adds one line to the output, and changes nothing else."""
    folder = tmp_path / "examples"
    shutil.copytree(EXAMPLES, folder)
    (folder / "webhooks" / "00-noise.json").write_bytes(b"\xff\xfe\x00{")

    lines = run(folder).splitlines()

    noise = [line for line in lines if line.startswith("00-noise.json")]
    assert [
        "00-noise.json                       not a webhook: the body is neither JSON nor a form"
    ] == noise
    assert output.splitlines() == [line for line in lines if line not in noise]
