"""Every exception that listboss raises on purpose, in one tree under `ListBossError`.

Each one also inherits the builtin that a caller would catch without knowing this library
(`ValueError`, `TypeError`, `KeyError`), and carries `code` (stable, for programs), `path`
(where in the input, `$` is the whole of it) and `hint` (what to do about it). No message
holds personal data or a secret. Several faults at once come as an `ExceptionGroup` that is
itself a `ListBossError`, so one `except` catches one fault and many alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

__all__ = [
    "ActionError",
    "ArgumentTypeError",
    "AutomaticSegmentationError",
    "CatalogueError",
    "CodecError",
    "CodecErrors",
    "ConditionError",
    "ConfigurationError",
    "DuplicateIdError",
    "EventError",
    "FlaggedSegmentationError",
    "ListBossError",
    "RuleError",
    "UnknownIdError",
    "WebhookError",
]


class ListBossError(Exception):
    """The root of the tree.

    `code` is a stable word for programs, `path` says where in the input the fault lies
    (`$` is the whole input), `hint` says what to do about it and may be empty.

    >>> from listboss.errors import ListBossError
    >>> error = ListBossError("no plan named `gold`", code="plan_unknown", path="$.plan_ids[0]")
    >>> error.code, error.path, error.hint
    ('plan_unknown', '$.plan_ids[0]', '')
    >>> print(error)
    no plan named `gold` @ $.plan_ids[0]
    """

    code: str = "error"
    path: str = "$"
    hint: str = ""

    def __init__(
        self, message: str, *, code: str | None = None, path: str = "$", hint: str = ""
    ) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.path = path
        self.hint = hint

    @property
    def message(self) -> str:
        """The bare message, without path and hint."""
        return str(self.args[0])

    def __str__(self) -> str:
        where = "" if self.path == "$" else f" @ {self.path}"
        advice = f" ({self.hint})" if self.hint else ""
        return f"{self.message}{where}{advice}"

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default reduction of exceptions.
        return (_rebuilt, (type(self), self.args), dict(self.__dict__))


def _rebuilt(cls: type[ListBossError], args: tuple[object, ...]) -> ListBossError:
    error = cls.__new__(cls, *args)
    error.args = args
    return error


class ArgumentTypeError(ListBossError, TypeError):
    """An argument of a wrong type: a bare string for a tuple, `bool()` of a condition."""

    code = "wrong_type"


class EventError(ListBossError, ValueError):
    """An event or a contact that cannot be: no id, a naive time, an e-mail that is none."""

    code = "invalid_event"


class ConditionError(ListBossError, ValueError):
    """A condition that cannot be: nested too deep, too many nodes, an impossible value."""

    code = "invalid_condition"


class ActionError(ListBossError, ValueError):
    """An action, place or set of capabilities that cannot be."""

    code = "invalid_action"


class CatalogueError(ListBossError, ValueError):
    """A catalogue that contradicts itself: an equal name twice, an unknown fact."""

    code = "invalid_catalogue"


class RuleError(ListBossError, ValueError):
    """A product, segmentation or rule set that cannot be, or an operation it refuses."""

    code = "invalid_rule"


class DuplicateIdError(RuleError):
    """An id that is already taken in the rule set."""

    code = "duplicate_id"


class UnknownIdError(ListBossError, KeyError):
    """An id, a product or a provider that the rule set does not have."""

    code = "unknown_id"

    __str__ = ListBossError.__str__


class AutomaticSegmentationError(ListBossError, TypeError):
    """An attempt to build, change or remove an automatic segmentation.

    Automatic flows follow rules defined by the platform and cannot be edited or removed.
    """

    code = "automatic_segmentation"


class FlaggedSegmentationError(RuleError):
    """A segmentation with error findings was to be enabled.

    `findings` holds them; a rule with inconsistencies is flagged for review before use.
    """

    code = "flagged_segmentation"
    findings: tuple[Any, ...] = ()


class ConfigurationError(ListBossError, ValueError):
    """Providers, engine and journal do not fit each other."""

    code = "invalid_configuration"


class WebhookError(ListBossError, ValueError):
    """The body is no webhook at all: empty, neither JSON nor a form, or not an object."""

    code = "invalid_webhook"


class CodecError(ListBossError, ValueError):
    """A text that does not say what the format allows; `path` is a JSON path into it."""

    code = "invalid_document"


class CodecErrors(ExceptionGroup[CodecError], CodecError):  # noqa: N818 # a group: the plural says it
    """Several faults of one text, each a `CodecError` with its own path.

    Caught by `except CodecError` like a single one; taken apart with `except*` or read
    from `exceptions`.
    """

    code = "invalid_documents"

    def __new__(cls, message: str, _errors: Sequence[CodecError]) -> Self:
        """Group the errors (at least one) under one message."""
        return super().__new__(cls, message, _errors)

    def __init__(self, message: str, _errors: Sequence[CodecError]) -> None:
        CodecError.__init__(self, message)

    def __str__(self) -> str:
        return "\n".join([self.message, *(f"  {error}" for error in self.exceptions)])

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.message, self.exceptions))

    def derive(self, excs: Sequence[CodecError]) -> CodecErrors:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] # narrower than typeshed's generic, as PEP 654 recommends
        """Make a group of the same kind; `except*` and `split` call this."""
        return CodecErrors(self.message, excs)
