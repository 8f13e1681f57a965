"""`python .ci/build.py FOLDER`: build the sdist and the wheel from tracked files only.

Hatchling selects files by pattern, so in a checkout it would also take files that git does not
know. The build therefore runs on a copy of the tracked files, as they are in the working tree.
Then the files of the sdist are compared with those of git: nothing is missing, nothing is added.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = (".ci/", ".github/", ".pre-commit-config.yaml", "bench/")
"""What only a checkout has."""
GENERATED = {"PKG-INFO"}


def _listed(*options: str) -> set[str]:
    command = ("git", "ls-files", "-z", *options)
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return set(listed.split("\0")) - {""}


def tracked() -> set[str]:
    """Return the tracked files that the working tree has."""
    return _listed() - _listed("--deleted")


def build(files: set[str], folder: Path) -> Path:
    """Build both distributions from a copy of the files, and return the path of the sdist."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in files:
            copy = Path(scratch, name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy)
        command = (sys.executable, "-m", "build", "--outdir", str(folder), scratch)
        subprocess.run(command, check=True)
    (sdist,) = folder.glob("*.tar.gz")
    return sdist


def packed(sdist: Path) -> set[str]:
    """Return the files of the sdist, without its top folder."""
    with tarfile.open(sdist) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def main() -> int:
    """Build into the folder, and return 1 if the sdist has other files than git."""
    folder = Path(sys.argv[1]).absolute()
    files = tracked()
    found = packed(build(files, folder)) - GENERATED
    expected = {name for name in files if not name.startswith(LEFT_OUT)}
    for name in sorted(expected - found):
        print(f"missing in the sdist: {name}", file=sys.stderr)
    for name in sorted(found - expected):
        print(f"not expected in the sdist: {name}", file=sys.stderr)
    return int(found != expected)


if __name__ == "__main__":
    sys.exit(main())
