import runpy
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "custom_provider.py"


def test_custom_provider(capsys):
    """The example of a custom provider runs and shows each kind of result."""
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line]
    assert [
        ["purchase.approved", "ana@example.com", "done"],
        ["purchase.approved", "blocked@example.com", "failed"],
        ["purchase.approved", "bruno@example.com", "pending"],
        ["purchase.refunded", "ana@example.com", "done"],
    ] == lines[:4]
    assert ["a", "minute", "later", "bruno@example.com", "done"] == lines[4]
    assert ["applied", "refused", "waiting", "applied", "applied"] == [
        line[2] for line in lines[5:]
    ]
