"""Where the files of the hosts are that are killed.

These tests need processes that fork and signals that kill: they are not run on Windows.
"""

import os
from pathlib import Path

import pytest

from tests.crash.host import World

collect_ignore_glob = [] if hasattr(os, "fork") else ["test_*.py"]


@pytest.fixture
def folder(memory_disk: Path) -> Path:
    """A folder for the files of a test."""
    return memory_disk


@pytest.fixture
def world(folder) -> World:
    """The files that outlive the processes."""
    return World(folder)
