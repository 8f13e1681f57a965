"""How many cases a test tries: few by default, many in a soak run."""

from collections.abc import Callable

import pytest
from hypothesis import settings


@pytest.fixture(scope="session")
def amount() -> Callable[..., int]:
    """Return how many cases a loop without Hypothesis tries: `amount(ci=2_000, soak=100_000)`.

    The profile `dev` tries a tenth of the figure for CI.
    """

    def amount(*, ci: int, soak: int) -> int:
        profile = settings.get_current_profile_name()
        return {"ci": ci, "soak": soak, "dev": max(1, ci // 10)}[profile]

    return amount
