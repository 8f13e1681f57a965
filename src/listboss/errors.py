"""Every exception that listboss raises on purpose, in one tree under `ListBossError`.

Each one also inherits the builtin that a caller would catch without knowing this library
(`ValueError`, `TypeError`, `KeyError`), and has a `code` (stable, for programs), a `path`
(where in the input; `$` is the whole input) and a `hint` (what to do about it). No message
contains personal data or a secret. Several errors at once are an `ExceptionGroup` that is
itself a `ListBossError`, so one `except` catches one error or many.
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
    "StorageError",
    "UnknownIdError",
    "WebhookError",
]


class ListBossError(Exception):
    """The root of the tree.

    `code` is a stable word for programs, `path` says where in the input the error is
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
        """The message without the path and the hint."""
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
    """An argument of the wrong type: a string for a list, `bool()` of a condition."""

    code = "wrong_type"


class EventError(ListBossError, ValueError):
    """An invalid event or contact: a blank id, a time without a zone, an invalid e-mail address."""

    code = "invalid_event"


class ConditionError(ListBossError, ValueError):
    """An invalid condition: nested too deep, too large, or with a value that fits no fact."""

    code = "invalid_condition"


class ActionError(ListBossError, ValueError):
    """An invalid action, place or set of capabilities."""

    code = "invalid_action"


class CatalogueError(ListBossError, ValueError):
    """A catalogue that contradicts itself: a name used twice, an unknown fact."""

    code = "invalid_catalogue"


class RuleError(ListBossError, ValueError):
    """An invalid product, segmentation or rule set, or an operation that it refuses."""

    code = "invalid_rule"


class DuplicateIdError(RuleError):
    """An id that the rule set already has."""

    code = "duplicate_id"


class UnknownIdError(ListBossError, KeyError):
    """The id of a segmentation, product or provider that the rule set does not have."""

    code = "unknown_id"

    __str__ = ListBossError.__str__


class AutomaticSegmentationError(RuleError):
    """An attempt to build, change or remove an automatic segmentation.

    Automatic flows follow rules defined by the platform and cannot be edited or removed.
    """

    code = "automatic_segmentation"


class FlaggedSegmentationError(RuleError):
    """An attempt to enable or test a segmentation that has error findings.

    `findings` has them: a rule with inconsistencies is flagged for review before use.
    """

    code = "flagged_segmentation"
    findings: tuple[Any, ...] = ()


class ConfigurationError(ListBossError, ValueError):
    """Providers, engine and journal that do not fit each other."""

    code = "invalid_configuration"


class StorageError(ListBossError, OSError):
    """A file that cannot be read or written just now: a full disk, or a folder that is missing."""

    code = "storage_unavailable"


class WebhookError(ListBossError, ValueError):
    """A body that is not a webhook: empty, neither JSON nor a form, or not an object."""

    code = "invalid_webhook"


class CodecError(ListBossError, ValueError):
    """A document that the format does not allow; `path` is a JSON path into it."""

    code = "invalid_document"


class CodecErrors(ExceptionGroup[CodecError], CodecError):  # noqa: N818 # the plural marks a group
    """Several errors in one document, each a `CodecError` with its own path.

    `except CodecError` catches it like a single error; `except*` takes it apart, and
    `exceptions` lists the errors.
    """

    code = "invalid_documents"

    def __new__(cls, message: str, _errors: Sequence[CodecError]) -> Self:
        """Group at least one error under one message."""
        return super().__new__(cls, message, _errors)

    def __init__(self, message: str, _errors: Sequence[CodecError]) -> None:
        CodecError.__init__(self, message)

    def __str__(self) -> str:
        return "\n".join([self.message, *(f"  {error}" for error in self.exceptions)])

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.message, self.exceptions))

    def derive(self, excs: Sequence[CodecError]) -> CodecErrors:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] # narrower than typeshed's generic, as PEP 654 recommends
        """Return a group of the same class; `except*` and `split` call this."""
        return CodecErrors(self.message, excs)
