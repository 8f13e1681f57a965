"""The example `doorbell`: a job queue in PostgreSQL that says when something is due."""

import importlib.util
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from listboss import AddTag, Capabilities, Contact, Engine, Event, Product, RuleSet, Segmentation
from listboss.delivery import Executor
from listboss.provider import Applied, Throttled

procrastinate = pytest.importorskip("procrastinate")

FILE = Path(__file__).parents[2] / "examples" / "doorbell" / "doorbell.py"
RULE = Segmentation(
    "buyers",
    product_id="42",
    provider="mail",
    event="purchase.approved",
    actions=AddTag("buyer"),
    enabled=True,
)


class Account:
    """An account with some answers, and then success."""

    capabilities = Capabilities.everything()

    def __init__(self) -> None:
        self.answers: list[object] = []
        self.tagged: list[str] = []

    def apply(self, planned, call):
        """Answer."""
        if self.answers:
            return self.answers.pop(0)
        self.tagged.append(planned.email)
        return Applied()


@pytest.fixture
def mail():
    """The account."""
    return Account()


@pytest.fixture
def new_app(postgres):
    """Make a queue as each process has it, on the same server as the journal."""

    def new_app():
        return procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=postgres.dsn))

    return new_app


@pytest.fixture
def app(new_app):
    """The queue of the web server."""
    with new_app().open() as app:
        if not app.check_connection():
            app.schema_manager.apply_schema()
        yield app


@pytest.fixture
def new_doorbell(postgres_journal, mail):
    """Make the example's doorbell for a process; its journal is in PostgreSQL."""
    spec = importlib.util.spec_from_file_location("doorbell", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    product = Product("42", "Course", approved_at=date(2025, 1, 1))
    rules = RuleSet([product], [RULE], providers={"mail": mail.capabilities})

    def new_doorbell(app):
        executor = Executor(Engine(rules), {"mail": mail}, postgres_journal)
        return module.Doorbell(app, lambda: (executor, postgres_journal))

    return new_doorbell


@pytest.fixture
def doorbell(app, new_doorbell):
    """The doorbell of the web server."""
    return new_doorbell(app)


@pytest.fixture
def work(new_app, new_doorbell):
    """Run a worker of the queue until it has nothing to do."""

    def work():
        app = new_app()
        new_doorbell(app)
        app.run_worker(wait=False, install_signal_handlers=False)

    return work


def bought(number):
    """Make the purchase of another contact for each number."""
    return Event(
        "purchase.approved",
        id=f"e-{number}",
        product_id="42",
        contact=Contact(f"{number}@example.com"),
        occurred_at=datetime.now(UTC),
    )


def waiting(app):
    """Return the jobs that are not done."""
    return [job for job in app.job_manager.list_jobs() if job.status in ("todo", "doing")]


def test_one_job_is_enough(app, doorbell, mail, work):
    """Ten events ring once, and the job delivers all of them."""
    for number in range(10):
        doorbell.accept(bought(number))
    assert ["deliver"] == [job.task_name for job in waiting(app)]
    work()
    assert [f"{number}@example.com" for number in range(10)] == sorted(mail.tagged)
    assert [] == waiting(app)


def test_what_waits_rings_again(app, doorbell, mail, work):
    """A throttled action has a job for the time when it is due."""
    mail.answers = [Throttled(timedelta(minutes=5))]
    doorbell.accept(bought(1))
    work()
    (job,) = waiting(app)
    assert timedelta(minutes=4) < job.scheduled_at - datetime.now(UTC) <= timedelta(minutes=5)


def test_a_lost_job(doorbell, mail):
    """What no job rang for is found by the next one."""
    doorbell._executor()[0].accept(bought(1))
    assert 1 == doorbell.look(0)
    assert ["1@example.com"] == mail.tagged
