"""`ARCHITECTURE.md` describes the code as it is: the files, and the way of an event."""

import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from types import FrameType

import listboss
from listboss import AddTag, Engine, Product, RuleSet, Segmentation, where
from listboss.delivery import Executor, MemoryJournal
from listboss.hotmart import parse
from listboss.send import Send

PACKAGE = Path(listboss.__file__).parent
TEXT = (Path(__file__).parents[2] / "ARCHITECTURE.md").read_text("utf-8")
WAY = re.findall(r"^ ?(\d+) (\S+\.py) ", TEXT, re.MULTILINE)
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
BODY = b"""{"id": "w-1", "creation_date": 1777896600000, "event": "PURCHASE_APPROVED",
  "version": "2.0.0", "data": {"product": {"id": 42}, "buyer": {"email": "ana@example.com"},
  "purchase": {"price": {"currency_value": "BRL"}, "offer": {"coupon_code": "spring-sale"}}}}"""


def in_bucket(n: int) -> Segmentation:
    """One of many rules on the same event; some conditions cannot be decided by cells."""
    coupon = where.coupon.contains("sale") if n % 2 else where.coupon.is_set()
    return Segmentation(
        f"rule {n}",
        product_id="42",
        provider="mail",
        event="purchase.approved",
        condition=(where.currency != f"XX{chr(65 + n % 26)}") & coupon,
        actions=AddTag(f"tag {n}"),
        enabled=True,
    )


def visited() -> list[str]:
    """The files that a webhook visits, from `parse` to `Send`, in the order of the first visit."""
    files: dict[str, None] = {}

    def note(frame: FrameType, event: str, _arg: object) -> None:
        file = Path(frame.f_code.co_filename)
        if event == "call" and file.is_relative_to(PACKAGE):
            files[file.relative_to(PACKAGE).as_posix()] = None

    with Send(":memory:", clock=lambda: NOW) as send:
        rules = RuleSet(
            [Product("42", "Course", approved_at=date(2025, 1, 1))],
            [in_bucket(n) for n in range(40)],
            providers={"mail": send.capabilities},
        )
        executor = Executor(Engine(rules).warm(), {"mail": send}, MemoryJournal())
        previous = sys.getprofile()
        sys.setprofile(note)
        try:
            (event,) = parse(BODY).events
            receipt = executor.handle(event)
        finally:
            sys.setprofile(previous)
    assert receipt.status == "done"
    return list(files)


def test_an_event_goes_the_way_that_is_listed():
    """An event reaches the listed files in the listed order."""
    listed = [file for _, file in WAY]

    assert listed == [file for file in visited() if file in listed]


def test_the_way_is_short():
    """The way is at most twenty files, numbered, and none is listed twice."""
    assert [str(n) for n in range(1, len(WAY) + 1)] == [number for number, _ in WAY]
    assert len({file for _, file in WAY}) == len(WAY) <= 20


def test_every_file_that_is_named_exists():
    """Each file name of the tree is the name of a module."""
    named = set(re.findall(r"[\w/]+\.py\b", TEXT))
    modules = {file.name for file in PACKAGE.rglob("*.py")}

    assert set() == {name for name in named if name.rpartition("/")[2] not in modules}
    assert len(named) > 40


def test_every_module_of_the_engine_is_in_the_tree():
    """A new module of the engine gets its line."""
    modules = {file.name for file in (PACKAGE / "engine").rglob("*.py")} - {"__init__.py"}

    assert set() == {name for name in modules if f" {name} " not in TEXT}


def test_the_page_is_short():
    """The map fits on one page."""
    assert len(TEXT.splitlines()) < 80
