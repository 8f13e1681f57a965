import os
import subprocess
import sys
from pathlib import Path

import attr
import cattrs
import pytest

import listboss

PROGRAM = Path(__file__).parent / "plans.py"
WORLDS = 20
GOLDEN = "55bfd04141dd00763c3599262c1f6990"
"""What the program has always printed. Another digest means other plans for existing rules, which
needs a ★ in the changelog, or other random worlds."""


def digest(python: str, *options: str, hash_seed: str = "random") -> str:
    """Run the program in its own process, with the libraries of this one."""
    libraries = {str(Path(str(m.__file__)).parents[1]) for m in (listboss, attr, cattrs)}
    environment = {
        **os.environ,
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": os.pathsep.join(sorted(libraries)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [python, *options, str(PROGRAM), str(WORLDS)],
        env=environment,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.strip()


def other_pythons() -> list[str]:
    """Return the other supported Pythons that are installed and start."""
    found = []
    for minor in (11, 12, 13):
        python = f"python3.{minor}"
        try:
            started = subprocess.run([python, "-c", ""], capture_output=True, check=False)
        except OSError:
            continue
        if started.returncode == 0 and sys.version_info[:2] != (3, minor):
            found.append(python)
    return found


class TestLaw01Deterministic:
    """Law 1: equal input gives equal plan bytes, with any hash seed, Python or level of `-O`."""

    @pytest.mark.parametrize("hash_seed", [str(seed) for seed in range(20)])
    def test_hash_seeds(self, hash_seed):
        """The order of sets does not matter; every second run uses `-O`."""
        options = ["-O"] if int(hash_seed) % 2 else []
        assert GOLDEN == digest(sys.executable, *options, hash_seed=hash_seed)

    def test_without_asserts_and_docstrings(self):
        """`-OO` changes nothing."""
        assert GOLDEN == digest(sys.executable, "-OO")

    def test_other_pythons(self):
        """Each installed Python gives the same bytes; CI runs the suite on every supported one."""
        pythons = other_pythons()
        assert dict.fromkeys(pythons, GOLDEN) == {python: digest(python) for python in pythons}
