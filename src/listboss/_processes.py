"""Work in several processes of this machine, with the results in the order of what was given.

Each process makes its worker once, from plain values. A few pieces of work a process are on
their way at the same time, so memory does not grow with the work. What a worker raises is raised
here. Processes are started anew and not forked, so that threads and locks of the host do not
matter.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, TypeVar

from listboss.errors import ConfigurationError

__all__ = ["in_order"]

Piece = TypeVar("Piece")
Result = TypeVar("Result")

MAX_AHEAD = 2
"""At most this many pieces for each process are on their way."""


def in_order(
    processes: int,
    make: Callable[..., Callable[[Piece], Result]],
    arguments: tuple[Any, ...],
    pieces: Iterable[Piece],
) -> Iterator[Result]:
    """Yield what `make(*arguments)` returns for each piece, in their order.

    `make` is a function of a module, and everything else can be pickled. Raises
    `ConfigurationError` if a process ends.
    """
    pool = ProcessPoolExecutor(
        processes, get_context("spawn"), initializer=_begin, initargs=(make, arguments)
    )
    under_way: deque[Future[Result]] = deque()
    try:
        for piece in pieces:
            under_way.append(pool.submit(_work, piece))
            if len(under_way) > MAX_AHEAD * processes:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    except BrokenProcessPool:
        raise ConfigurationError(
            "a process ended before its work was done",
            code="process_ended",
            hint='call from below `if __name__ == "__main__":`, and use fewer processes if'
            " memory is short",
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


_made: list[Any] = []
"""In a process of the pool: how to make its worker, then the worker."""


def _begin(make: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    _made[:] = [make, arguments]


def _work(piece: Any) -> Any:
    """Do one piece; the worker is made here, so that what it raises is not lost."""
    if len(_made) > 1:
        make, arguments = _made
        _made[:] = [make(*arguments)]
    return _made[0](piece)
