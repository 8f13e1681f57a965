"""Where the files of the hosts are that are killed.

These tests need processes that fork and signals that kill: they are not run on Windows.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

from tests.crash.host import World

collect_ignore_glob = [] if hasattr(os, "fork") else ["test_*.py"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for files that have to survive a process, not the machine.

    A soak run takes the disk; otherwise it is a memory disk, where there is one: what a killed
    process had written is in the same page cache.
    """
    memory_disk = Path("/dev/shm")
    in_memory = memory_disk.is_dir() and settings.get_current_profile_name() != "soak"
    with TemporaryDirectory(dir=memory_disk if in_memory else None) as name:
        yield Path(name)


@pytest.fixture
def world(folder) -> World:
    """The files that outlive the processes."""
    return World(folder)
