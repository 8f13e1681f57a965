"""`listboss history` and `listboss contact`: what a journal says was done, and what should be.

The journal may be in use by workers at the same time. No record is changed, and a file that
does not exist is not created.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from listboss.cli._console import OK, Console, UnreadableError
from listboss.cli._numbers import number_from
from listboss.delivery import Record, SqliteJournal, StandingEntry
from listboss.errors import EventError, ListBossError
from listboss.rules._text import without_address
from listboss.rules.event import Contact

__all__ = ["add_arguments", "add_contact_arguments", "run", "run_contact"]

MAX_RECORDS = 100


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


_time.__name__ = "date"  # argparse names the type by it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `history`."""
    parser.add_argument("journal", metavar="JOURNAL", help="the file of a SqliteJournal")
    parser.add_argument("--contact", metavar="EMAIL", help="only what was done for this contact")
    for name, what in (
        ("product", "product"),
        ("event", "event"),
        ("rule", "segmentation"),
        ("provider", "provider"),
    ):
        parser.add_argument(f"--{name}", metavar="ID", help=f"only records of this {what}")
    parser.add_argument("--status", metavar="WORD", help="only records with this status")
    parser.add_argument("--since", type=_time, metavar="DATE", help="only from this time on (UTC)")
    parser.add_argument("--until", type=_time, metavar="DATE", help="only before this time (UTC)")
    parser.add_argument(
        "--limit",
        type=number_from(1, "count"),
        default=MAX_RECORDS,
        metavar="N",
        help=f"at most the newest N records (default: {MAX_RECORDS})",
    )


def add_contact_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `contact`."""
    parser.add_argument("journal", metavar="JOURNAL", help="the file of a SqliteJournal")
    parser.add_argument("email", metavar="EMAIL", help="the address of the contact")


def _open(name: str) -> SqliteJournal:
    if not Path(name).is_file():
        raise UnreadableError(f"cannot read `{name}`: no such file")
    try:
        return SqliteJournal(name, keep=None)
    except ListBossError as error:
        raise UnreadableError(f"cannot read `{name}`: {error.message}") from None


def _address(text: str) -> Contact:
    try:
        return Contact(text)
    except EventError:
        raise UnreadableError("the contact is not an e-mail address") from None


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Run `history`."""
    contact = None if arguments.contact is None else _address(arguments.contact)
    with _open(arguments.journal) as journal:
        records = journal.history(
            arguments.product,
            contact,
            event_id=arguments.event,
            segmentation_id=arguments.rule,
            provider=arguments.provider,
            status=arguments.status,
            since=arguments.since,
            until=arguments.until,
            limit=arguments.limit,
        )
    if arguments.format == "json":
        console.json([_record_content(record, console) for record in records])
        return OK
    for record in records:
        who = f" [{record.contact}]" if console.show_personal_data and record.contact else ""
        console.lines([f"{record}{who}"], markdown=arguments.format == "markdown")
    if not records:
        console.message("no records")
    return OK


def run_contact(arguments: argparse.Namespace, console: Console) -> int:
    """Run `contact`."""
    with _open(arguments.journal) as journal:
        entries = journal.standing(_address(arguments.email))
    if arguments.format == "json":
        console.json([_entry_content(entry, console) for entry in entries])
        return OK
    for entry in entries:
        event_id = entry.event_id or ""
        rules = ", ".join(entry.segmentation_ids) or "no segmentation"
        shown = event_id if console.show_personal_data else without_address(event_id)
        why = f": {rules}, event {shown}" if event_id else ""
        console.lines([f"{entry}{why}"], markdown=arguments.format == "markdown")
    if not entries:
        console.message("no event says anything of a tag or place of this contact")
    return OK


def _record_content(record: Record, console: Console) -> dict[str, Any]:
    show = console.show_personal_data
    return {
        "number": record.number,
        "time": record.time.isoformat(),
        "status": str(record.status),
        "detail": record.detail,
        "event_name": str(record.event_name),
        "event_id": record.event_id if show else without_address(record.event_id),
        "product_id": record.product_id if show else without_address(record.product_id),
        "contact": record.contact if show or record.contact is None else "***",
        "provider": record.provider,
        "action": None if record.action is None else str(record.action),
        "segmentation_ids": [*record.segmentation_ids],
        "automatic": record.automatic,
        "is_test": record.is_test,
    }


def _entry_content(entry: StandingEntry, console: Console) -> dict[str, Any]:
    event_id = entry.event_id or ""
    shown = event_id if console.show_personal_data else without_address(event_id)
    return {
        "provider": entry.provider,
        "target": str(entry.target),
        "on": entry.on,
        "since": None if entry.since is None else entry.since.isoformat(),
        "event_id": shown or None,
        "segmentation_ids": [*entry.segmentation_ids],
        "sent": entry.sent,
        "confirmed": entry.confirmed,
    }
