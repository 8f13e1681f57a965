"""Calls that are interrupted: by a signal, by a time limit, or by a call within a call."""

import signal
import sqlite3
import sys
from threading import Timer

import pytest

from listboss import AddTag
from listboss.errors import ConfigurationError
from listboss.provider import Applied, Call
from listboss.send import Automation, Send, Step

ANA = "ana@example.com"
WELCOME = Automation("Welcome", ["buyer"], steps=Step("welcome"), published=True)
posix = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")


class TimeLimitError(Exception):
    """Raised by a signal handler."""


@pytest.fixture
def path(tmp_path):
    """Where the file is."""
    return tmp_path / "send.db"


@pytest.fixture
def send(path, clock):
    """A store on a file, with an automation."""
    with Send(path, clock=clock) as store:
        store.save(WELCOME)
        yield store


@pytest.fixture
def on_alarm():
    """Call a function after some seconds, in a signal handler of this thread."""
    before = signal.getsignal(signal.SIGALRM)

    def on_alarm(seconds, function):
        signal.signal(signal.SIGALRM, lambda *_: function())
        signal.setitimer(signal.ITIMER_REAL, seconds)

    yield on_alarm
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def lock(path, seconds):
    """Lock the file for writing, and release it after some seconds."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")

    def release():
        other.execute("COMMIT")
        other.close()

    timer = Timer(seconds, release)
    timer.start()
    return timer


def assert_unlocked(path):
    """Another connection can write at once."""
    other = sqlite3.connect(path, isolation_level=None, timeout=0)
    other.execute("BEGIN IMMEDIATE")
    other.execute("ROLLBACK")
    other.close()


def limit():
    """Raise the error of a time limit."""
    raise TimeLimitError


@posix
@pytest.mark.parametrize(
    "call",
    [
        lambda send, planned: send.apply(planned(AddTag("vip")), Call()),
        lambda send, planned: send.save(WELCOME),
        lambda send, planned: send.suppress(ANA, "unsubscribed"),
        lambda send, planned: send.erase(ANA),
        lambda send, planned: send.remove_tests(),
    ],
    ids=["apply", "save", "suppress", "erase", "remove_tests"],
)
def test_while_waiting_for_the_lock(send, planned, path, on_alarm, call):
    """A time limit that ends the wait for another process leaves nothing locked."""
    timer = lock(path, 0.3)
    on_alarm(0.1, limit)
    with pytest.raises(TimeLimitError):
        call(send, planned)
    timer.join()
    assert_unlocked(path)
    assert Applied() == send.apply(planned(AddTag("buyer")), Call())


def interrupted_after(call, number):
    """Make a call that raises after a number of function calls; return whether it got that far."""
    left = [number]

    def profile(_frame, event, _argument):
        if event in {"call", "c_return"}:  # where Python runs signal handlers
            left[0] -= 1
            if left[0] == 0:
                raise TimeLimitError

    sys.setprofile(profile)
    try:
        call()
    except TimeLimitError:
        return True
    finally:
        sys.setprofile(None)
    return False


def test_anywhere(send, planned, path, clock):
    """Wherever an action is interrupted, it is done as a whole or not at all, and once."""
    number = 0
    interrupted = True
    while interrupted:
        number += 1
        email = f"contact{number}@example.com"
        action = planned(AddTag("buyer"), email, name="x")
        interrupted = interrupted_after(lambda action=action: send.apply(action, Call()), number)
        assert_unlocked(path)
        due = [message for message in send.due(clock.now) if message.email == email]
        done = (send.tags(email), len(due))
        assert done in {((), 0), (("buyer",), 1)}
        assert Applied() == send.apply(action, Call(attempt=2))
    assert number > 20
    assert number == len(send.due(clock.now))


def test_left_open(send, planned, path):
    """A transaction that was left open, say by two interrupts at once, is rolled back."""
    send._db.execute("BEGIN IMMEDIATE")
    send._db.execute("UPDATE automation SET published = 0")
    assert Applied() == send.apply(planned(AddTag("buyer")), Call())
    assert (WELCOME,) == send.automations()
    assert_unlocked(path)


class TestSignalHandlers:
    """A signal handler that uses the store while the same thread does."""

    def handled(self, send, function, planned):
        """Apply an action, and call the function in the middle of its transaction."""

        def profile(frame, event, _argument):
            if event == "call" and frame.f_code.co_name == "carry_out":
                sys.setprofile(None)
                function()

        sys.setprofile(profile)
        try:
            return send.apply(planned(AddTag("buyer"), ANA), Call())
        finally:
            sys.setprofile(None)

    def test_refused(self, send, planned):
        """A call within a call is refused, and the outer call is not disturbed."""
        errors = []

        def handler():
            try:
                send.contacts()
            except ConfigurationError as error:
                errors.append(error.code)

        assert Applied() == self.handled(send, handler, planned)
        assert ["reentrant"] == errors
        assert ("buyer",) == send.tags(ANA)

    def test_close(self, send, planned, path):
        """A handler that closes the store and exits leaves nothing half done."""

        def handler():
            send.close()
            raise SystemExit(0)

        with pytest.raises(SystemExit):
            self.handled(send, handler, planned)
        assert_unlocked(path)
        with Send(path) as again:
            assert () == again.contacts()
