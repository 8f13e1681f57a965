"""Write the tables of the reference pages from the tables of the code.

A page marks the place of a table with `<!-- table: NAME -->` and `<!-- end -->`. Run
`python docs/tables.py` to write all of them, and the diagram of `diagram.py`; the tests fail on
a page that is out of date.
"""

import ast
import inspect
import re
import runpy
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import attrs

from listboss import (
    AUTOMATIC,
    HOTMART,
    AddTag,
    AutomaticSegmentation,
    Capabilities,
    Comparison,
    FactType,
    Product,
    ProductKind,
    RuleSet,
    Segmentation,
    errors,
)
from listboss.cli import COMMANDS, Command, add_arguments
from listboss.codec import HINTS
from listboss.delivery import TRANSITIONS, DeliveryStatus, Happening, RetryPolicy, Status
from listboss.delivery._sql_schema import SCHEMA
from listboss.hotmart._events import DERIVED, ENDED, EVENTS, PURCHASES
from listboss.hotmart._lookup import Paths
from listboss.hotmart.fields import FACTS, IDS
from listboss.rules.catalogue import FactKind
from listboss.rules.condition import LISTS, NO_VALUE, Operator
from listboss.rules.event import EventName
from listboss.rules.finding import FindingCode

__all__ = ["PAGES", "TABLES", "filled"]

HERE = Path(__file__).parent
PAGES = sorted(HERE.rglob("*.md"))
BLOCK = re.compile(r"(<!-- table: ([a-z0-9-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

Row = tuple[str, ...]


def table(head: Row, rows: Iterable[Row]) -> str:
    """Lay out a Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def code(words: Iterable[object]) -> str:
    """List words as code; a dash if there are none."""
    return ", ".join(f"`{word}`" for word in words) or "–"


def events() -> str:
    """Every event with its label, kinds of product and source, and whether it names a plan."""
    return table(
        ("group", "event", "label", "product kinds", "names a plan", "source"),
        (
            (
                event.group,
                f"`{event.name}`",
                event.label,
                ", ".join(event.product_kinds),
                "yes" if event.carries_plan else "no",
                str(event.source),
            )
            for event in HOTMART.events
        ),
    )


def states() -> str:
    """What each event is about, whether it ends that, and its rank; the rest is about nothing."""
    return table(
        ("event", "is about", "and ends it", "rank"),
        (
            (
                f"`{event.name}`",
                "–" if event.about is None else f"the {event.about}",
                "yes" if event.ends else "no",
                str(event.rank),
            )
            for event in HOTMART.events
            if (event.about, event.rank) != (None, 0)
        ),
    )


def facts() -> str:
    """Every fact with its kind, its label, and the values of a choice."""
    return table(
        ("fact", "kind", "label", "known values"),
        (
            (
                f"`{fact.name}`",
                str(fact.kind),
                fact.label,
                (code(fact.values) + ("" if fact.closed else " …")) if fact.values else "",
            )
            for fact in HOTMART.facts
        ),
    )


def carried() -> str:
    """Which events carry which facts; events that carry the same facts share a row."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for event in HOTMART.events:
        groups.setdefault(event.facts, []).append(event.name)
    return table(("events", "facts"), ((code(names), code(f)) for f, names in groups.items()))


def operators() -> str:
    """Which operator fits which kind of fact, according to the review."""
    head = ("operator", "value", *FactKind)
    rows = (
        (
            f"`{operator}`",
            _operand(operator),
            *("yes" if _fits(operator, kind) else "" for kind in FactKind),
        )
        for operator in Operator
    )
    return table(head, rows)


def _operand(operator: Operator) -> str:
    if operator in NO_VALUE:
        return "none"
    if operator is Operator.BETWEEN:
        return "two"
    return "a list" if operator in LISTS else "one"


def _fits(operator: Operator, kind: FactKind) -> bool:
    value = (1, 2) if operator in LISTS else None if operator in NO_VALUE else 1
    probe = Segmentation(
        "probe",
        product_id="1",
        provider="any",
        event=EventName.PURCHASE_APPROVED,
        actions=AddTag("probe"),
        condition=Comparison("probe", operator, value),
    )
    rules = RuleSet(
        [Product("1", "probe", approved_at=date(2025, 1, 1))],
        [probe],
        providers={"any": Capabilities.everything()},
        catalogue=HOTMART.extended(facts=[FactType("probe", kind)]),
    )
    return FindingCode.OPERATOR_UNFIT not in {finding.code for finding in rules.findings}


def automatic() -> str:
    """Every automatic segmentation, for the product with the id `42`."""
    return table(
        ("id", "tag on product 42", "added by", "removed by"),
        (
            (f"`{row.id}`", f"`{row.tag_for('42')}`", code(row.adds_on), _removed_by(row))
            for row in AUTOMATIC
        ),
    )


def _removed_by(row: AutomaticSegmentation) -> str:
    if row.permanent_reason is not None:
        return f"– ({row.permanent_reason})"
    first = (f"`{name}` (first charge only)" for name in row.removes_on_first_charge)
    return ", ".join([code(row.removes_on), *first])


def product_kinds() -> str:
    """Which groups of events each kind of product is offered."""
    return table(
        ("product kind", "groups of events"),
        (
            (f"`{kind}`", ", ".join(dict.fromkeys(e.group for e in HOTMART.events_for(kind))))
            for kind in ProductKind
        ),
    )


def error_classes() -> str:
    """Every exception with its other base classes, its code and its meaning."""
    return table(
        ("exception", "is also", "code", "meaning"),
        (_error(getattr(errors, name)) for name in errors.__all__),
    )


def _error(cls: type[errors.ListBossError]) -> Row:
    names = (base.__name__ for base in cls.__mro__[1:])
    meaning = (cls.__doc__ or "").split("\n", maxsplit=1)[0]
    also = [name for name in names if name not in OF_ALL_ERRORS]
    return (f"`{cls.__name__}`", code(also), f"`{cls.code}`", meaning)


OF_ALL_ERRORS = ("ListBossError", "Exception", "BaseException", "object")


def codec_errors() -> str:
    """Every code of a fault in a document, with what to do about it."""
    return table(("code", "what to do"), ((f"`{key}`", hint) for key, hint in HINTS.items()))


def webhook_events() -> str:
    """What the events of version 2.0.0 become."""
    return table(
        ("webhook event", "event"),
        ((f"`{event}`", f"`{name}`") for event, name in EVENTS.items()),
    )


def derived_events() -> str:
    """Which second event one body of version 2.0.0 can give."""
    return table(
        ("webhook event", "and the subscription status is", "gives as well"),
        (
            (
                f"`{row.event}`",
                f"`{row.status}`" if row.status else "there is a subscription",
                f"`{row.name}`" + (" (first charge only)" if row.first_only else ""),
            )
            for row in DERIVED
        ),
    )


def version_1() -> str:
    """What the statuses of version 1.0.0 become."""
    purchases = (
        ("`status`", f"`{status.lower()}`", f"`{name}`") for status, name in PURCHASES.items()
    )
    ended = (
        ("`subscription_status`", f"`{status.lower()}`", code(names))
        for status, names in ENDED.items()
    )
    return table(("field", "value", "events"), (*purchases, *ended))


def fact_paths() -> str:
    """The paths in a body where each fact is looked up, in this order."""
    return table(
        ("fact", "version 2.0.0, below `data`", "version 1.0.0"),
        (
            (f"`{name}`", _paths(field.v2), _paths(field.v1))
            for name, field in {**IDS, **FACTS}.items()
        ),
    )


def _paths(paths: Paths) -> str:
    return code(".".join(path) for path in paths)


def transitions() -> str:
    """Which status of an action follows which, by outcome or by what happens."""
    rows: list[Row] = []
    for status, moves in TRANSITIONS.items():
        names = {getattr(cause, "__name__", str(cause)): then for cause, then in moves.items()}
        following = ", ".join(f"`{cause}` → {then}" for cause, then in names.items())
        meaning = _documented_member(Status, status.name)
        rows.append((f"`{status}`", meaning, following or "none: the action is over"))
    return table(("status", "meaning", "next status, by outcome or happening"), rows)


def happenings() -> str:
    """What happens to an action besides the outcomes of providers."""
    return table(
        ("happening", "meaning"),
        ((f"`{each}`", _documented_member(Happening, each.name)) for each in Happening),
    )


def delivery_statuses() -> str:
    """What can have become of an event."""
    return table(
        ("status", "meaning"),
        ((f"`{each}`", _documented_member(DeliveryStatus, each.name)) for each in DeliveryStatus),
    )


def _documented_member(kind: type, name: str) -> str:
    """The string below a member of an enumeration."""
    body = ast.parse(inspect.getsource(kind)).body[0]
    if not isinstance(body, ast.ClassDef):
        raise TypeError(kind)
    for statement, below in pairwise(body.body):
        if isinstance(statement, ast.Assign) and isinstance(below, ast.Expr):
            constant = below.value
            if isinstance(constant, ast.Constant) and _names_of(statement) == [name]:
                return " ".join(str(constant.value).split()).removesuffix(".")
    raise ValueError(name)


def _names_of(statement: ast.Assign) -> list[str]:
    return [target.id for target in statement.targets if isinstance(target, ast.Name)]


def retry_policy() -> str:
    """The values of `RetryPolicy`, with their defaults."""
    policy = RetryPolicy()
    return table(
        ("value", "default"),
        (
            (f"`{each.name}`", _duration(getattr(policy, each.name)))
            for each in attrs.fields(RetryPolicy)
        ),
    )


def _duration(value: object) -> str:
    """A duration in its largest whole unit; any other value as it is."""
    if not isinstance(value, timedelta):
        return str(value)
    for unit in ("days", "hours", "minutes", "seconds"):
        count = value / timedelta(**{unit: 1})
        if count >= 1 and count.is_integer():
            return f"{count:.0f} {unit if count > 1 else unit.removesuffix('s')}"
    return str(value)


def journal_schema() -> str:
    """The tables of a journal file, as SQLite gets them."""
    return f"```sql\n{SCHEMA.strip()}\n```\n"


API = (
    "listboss",
    "listboss.rules",
    "listboss.engine",
    "listboss.provider",
    "listboss.standing",
    "listboss.delivery",
    "listboss.send",
    "listboss.hotmart",
    "listboss.codec",
    "listboss.analysis",
    "listboss.diagram",
    "listboss.scale",
    "listboss.scale.spark",
    "listboss.testing",
    "listboss.errors",
)
"""The modules whose names are public, in the order in which a reader needs them."""


def public_names() -> dict[str, list[str]]:
    """Every public name by the first module that has it."""
    names: dict[str, list[str]] = {}
    listed: set[tuple[str, int]] = set()
    for path in API:
        module = import_module(path)
        new = [name for name in module.__all__ if (name, id(getattr(module, name))) not in listed]
        listed.update((name, id(getattr(module, name))) for name in new)
        if new:
            names[path] = new
    return names


def api() -> str:
    """The public names of each module, and what they are in one sentence."""
    return "\n".join(
        f"### {module}\n\n"
        + table(
            ("name", "what it is"),
            ((f"`{name}`", _first_sentence(import_module(module), name)) for name in names),
        )
        for module, names in public_names().items()
    )


def api_details() -> str:
    """What makes Sphinx show every public name in full; the errors have a page of their own."""
    return "\n".join(
        f"```{{eval-rst}}\n.. automodule:: {module}\n   :members: {', '.join(names)}\n```\n"
        for module, names in public_names().items()
        if module != "listboss.errors"
    )


def _first_sentence(module: ModuleType, name: str) -> str:
    value = getattr(module, name)
    described = inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value)
    is_alias = inspect.isclass(value) and value.__name__ != name
    text = inspect.getdoc(value) if described and not is_alias else _documented(module, name)
    paragraph = " ".join((text or "").partition("\n\n")[0].split())
    return paragraph.partition(". ")[0].removesuffix(".").replace("|", "\\|")


def _documented(module: ModuleType, name: str) -> str | None:
    """The string below the assignment of a constant, in the module that assigns it."""
    body = ast.parse(inspect.getsource(module)).body
    for statement, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.ImportFrom) and statement.module is not None:
            if name in [alias.asname or alias.name for alias in statement.names]:
                return _documented(import_module(statement.module), name)
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            assigned = [target.id for target in targets if isinstance(target, ast.Name)]
            if name in assigned and isinstance(below, ast.Expr):
                constant = below.value
                return str(constant.value) if isinstance(constant, ast.Constant) else None
    return None


def command_line() -> str:
    """Every command with its arguments, as the parser has them."""
    return "\n".join(
        f"### `listboss {command.name}`\n\n{command.help[:1].upper()}{command.help[1:]}.\n\n"
        + table(("argument", "what it is"), _arguments(command))
        for command in COMMANDS
    )


def _arguments(command: Command) -> Iterable[Row]:
    parser = ArgumentParser(add_help=False)
    add_arguments(parser, command)
    for action in parser._actions:
        name = action.option_strings[0] if action.option_strings else str(action.metavar)
        if action.option_strings and action.nargs != 0:
            words = "|".join(map(str, action.choices)) if action.choices else action.metavar
            name += f" {words}"
        more = ", once or more" if action.nargs == "+" else ""
        yield (f"`{name}`".replace("|", "\\|"), f"{action.help}{more}")


HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def decisions() -> str:
    """Every decision by number, below the title of its page."""
    pages: list[tuple[int, str]] = []
    for page in (HERE / "explanation" / "decisions").glob("*.md"):
        title, *headings = HEADING.findall(page.read_text("utf-8"))
        items = (f"- [{heading}]({page.name}#{_anchor(heading)})\n" for heading in headings)
        if page.name != "index.md":
            first = int(headings[0].partition(".")[0])
            pages.append((first, f"## {title}\n\n{''.join(items)}"))
    return "\n".join(text for _, text in sorted(pages))


def _anchor(heading: str) -> str:
    """The anchor that GitHub and MyST give a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


TABLES: Mapping[str, Callable[[], str]] = {
    "api": api,
    "api-details": api_details,
    "automatic": automatic,
    "carried": carried,
    "codec-errors": codec_errors,
    "command-line": command_line,
    "decisions": decisions,
    "delivery-statuses": delivery_statuses,
    "derived-events": derived_events,
    "errors": error_classes,
    "events": events,
    "fact-paths": fact_paths,
    "facts": facts,
    "happenings": happenings,
    "journal-schema": journal_schema,
    "operators": operators,
    "product-kinds": product_kinds,
    "retry-policy": retry_policy,
    "states": states,
    "transitions": transitions,
    "version-1": version_1,
    "webhook-events": webhook_events,
}


def filled(text: str) -> str:
    """Return a page with each of its tables as the code has them now."""
    return BLOCK.sub(lambda block: f"{block[1]}{TABLES[block[2]]()}{block[3]}", text)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(filled(page.read_text("utf-8")), "utf-8")
    runpy.run_path(str(HERE / "diagram.py"), run_name="__main__")
