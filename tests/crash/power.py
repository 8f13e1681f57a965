"""A disk that loses its power: what was written and not synced may be there, or not.

`run` lets a program write below a folder, and records what the disk was given, with a shim in C.
`Disk` makes the files of any moment: every synced byte, and of the later ones none, all, or
those that chance takes, by sectors. The names of files are taken to be on the disk at once.
"""

import os
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import NamedTuple

SECTOR = 512
SOURCE = Path(__file__).with_name("power.c")
ROOT = Path(__file__).parents[2]


class Step(NamedTuple):
    """One thing that a program did to a file: it wrote, truncated, synced or unlinked it."""

    kind: str
    name: str
    offset: int
    data: bytes


def build(compiler: str, folder: Path) -> Path:
    """Compile the shim."""
    library = folder / "power.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return library


def run(library: Path, module: str, folder: Path, log: Path) -> list[Step]:
    """Run a module in a new process; return what it did to its files."""
    environment = {
        **os.environ,
        "LD_PRELOAD": str(library),
        "POWER_FOLDER": str(folder.resolve()),
        "POWER_LOG": str(log),
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
    }
    command = [sys.executable, "-m", module, str(folder)]
    subprocess.run(command, env=environment, cwd=ROOT, check=True)
    return [*_steps(log.read_bytes())]


def _steps(log: bytes) -> Iterator[Step]:
    at = 0
    while at < len(log):
        kind, named, offset, size = struct.unpack_from("<4q", log, at)
        at += 32
        name = log[at : at + named].decode()
        at += named
        data = log[at : at + size] if chr(kind) == "w" else b""
        at += len(data)
        yield Step(chr(kind), Path(name).name, offset, data)


class Disk:
    """The files after some steps: what is certain, and what was not synced yet."""

    def __init__(self) -> None:
        self._synced: dict[str, bytearray] = {}
        self._unsynced: dict[str, list[Step]] = {}

    def take(self, step: Step) -> None:
        """Take one step."""
        if step.kind == "u":
            self._synced.pop(step.name, None)
            self._unsynced.pop(step.name, None)
            return
        waiting = self._unsynced.setdefault(step.name, [])
        if step.kind == "s":
            _apply(self._synced.setdefault(step.name, bytearray()), waiting)
            waiting.clear()
        else:
            waiting.append(step)

    def after_power_cut(self, chance: Random, share: float) -> Mapping[str, bytes]:
        """Return the files: of what was not synced, each sector is there with a probability."""
        files = {name: bytearray(data) for name, data in self._synced.items()}
        for name, steps in self._unsynced.items():
            kept = [part for step in steps for part in _sectors(step) if chance.random() < share]
            _apply(files.setdefault(name, bytearray()), kept)
        return {name: bytes(data) for name, data in files.items()}


def _sectors(step: Step) -> Iterator[Step]:
    if step.kind != "w":
        yield step
    for at in range(0, len(step.data), SECTOR):
        yield Step("w", step.name, step.offset + at, step.data[at : at + SECTOR])


def _apply(file: bytearray, steps: list[Step]) -> None:
    for step in steps:
        if step.kind == "t":
            del file[step.offset :]
            file.extend(bytes(max(0, step.offset - len(file))))
        else:
            end = step.offset + len(step.data)
            file.extend(bytes(max(0, end - len(file))))
            file[step.offset : end] = step.data
