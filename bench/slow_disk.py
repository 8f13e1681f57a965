"""Run a measurement as on a slower disk, where every flush takes some milliseconds more.

A virtual disk may acknowledge a flush after 0.1 ms; a server's SSD takes about 1 ms, a hard disk
10 ms. What a journal gains by groups depends on little else.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

__all__ = ["run"]

_SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static int slow(const char *name, int file) {
    int (*flush)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    long microseconds = atol(getenv("FLUSH_MICROSECONDS"));
    struct timespec more = {microseconds / 1000000, microseconds % 1000000 * 1000};
    nanosleep(&more, NULL);
    return flush(file);
}

int fsync(int file) { return slow("fsync", file); }
int fdatasync(int file) { return slow("fdatasync", file); }
"""


def run(module: str, arguments: Sequence[str], milliseconds: float) -> int:
    """Run a module in a new process with slower flushes; return its exit status."""
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "slow.c"), Path(folder, "slow.so")
        source.write_text(_SHIM, encoding="utf-8")
        command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
        subprocess.run(command, check=True)
        environment = {
            **os.environ,
            "LD_PRELOAD": str(library),
            "FLUSH_MICROSECONDS": str(round(milliseconds * 1000)),
        }
        work = [sys.executable, "-m", module, *arguments]
        return subprocess.run(work, env=environment, check=False).returncode
