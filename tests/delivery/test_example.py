import runpy
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "custom_provider.py"


def test_custom_provider(capsys):
    """The example of a custom provider runs and shows each kind of result."""
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    sections = capsys.readouterr().out.split("\n\n")
    events, later, history = (
        [line.split() for line in section.splitlines() if not line.startswith("#")]
        for section in sections
    )

    assert [
        ["purchase.approved", "ana@example.com", "done"],
        ["purchase.approved", "blocked@example.com", "failed"],
        ["purchase.approved", "bruno@example.com", "pending"],
        ["purchase.refunded", "ana@example.com", "pending"],
    ] == events
    assert [
        ["e-0", "purchase.approved", "done"],
        ["e-1", "purchase.approved", "failed"],
        ["e-2", "purchase.approved", "done"],
        ["e-3", "purchase.refunded", "done"],
    ] == later
    assert ["applied", "refused", "waiting", "applied", "applied"] == [line[2] for line in history]
