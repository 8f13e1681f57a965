"""Work in several processes: the order, the errors, and how much is on its way."""

import os
import signal
from collections.abc import Iterator

import pytest

from listboss._processes import MAX_AHEAD, in_order
from listboss.errors import CodecError, ConfigurationError


def doubling(by: int):
    """Make a worker that multiplies; some numbers are not welcome."""

    def work(n: int) -> int:
        if n == 13:
            raise CodecError("thirteen", code="unlucky", path="$.n", hint="take another")
        if n == 99:
            os.kill(os.getpid(), signal.SIGKILL)
        return by * n

    return work


def failing():
    """A worker that cannot be made."""
    raise CodecError("no worker", code="none")


def test_results_are_in_order_and_few_are_on_their_way():
    """Memory does not grow with the work."""
    begun: list[int] = []
    ahead: list[int] = []

    def pieces() -> Iterator[int]:
        for n in range(50, 80):
            begun.append(n)
            yield n

    results: list[int] = []
    for result in in_order(2, doubling, (3,), pieces()):
        results.append(result)
        ahead.append(len(begun) - len(results))

    assert [3 * n for n in range(50, 80)] == results
    assert MAX_AHEAD * 2 == max(ahead)


def test_what_a_worker_raises_is_raised_here():
    """With its code, path and hint, after the results before it."""
    results: list[int] = []

    with pytest.raises(CodecError) as caught:
        results.extend(in_order(1, doubling, (3,), [1, 13, 2]))
    with pytest.raises(CodecError) as not_made:
        list(in_order(1, failing, (), [1]))

    assert [3] == results
    assert ("unlucky", "$.n", "take another") == (
        caught.value.code,
        caught.value.path,
        caught.value.hint,
    )
    assert "none" == not_made.value.code


def test_a_process_that_is_killed():
    """Is an error that says what to look at."""
    with pytest.raises(ConfigurationError) as caught:
        list(in_order(1, doubling, (3,), [1, 99]))

    assert "process_ended" == caught.value.code
