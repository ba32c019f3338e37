"""The error tree. Every error a user can meet is one line: what we saw, what we expected, what to do.

    CopydeskError                 exit 1
    ├── ConfigError               exit 2   copydesk.toml, sources.toml, environment, a flag's value
    ├── InputError                exit 3   a file given to us cannot be used
    ├── StorageError              exit 5   the database or the disk
    ├── MissingExtraError         exit 2   an optional library is not installed
    └── LockedError               exit 75  another run holds the lock

The command line turns these into one line and an exit code; anything else is a bug and keeps its traceback.
A page we do not keep is no error: that is a `Rejection`.
"""

from __future__ import annotations

from typing import ClassVar


class CopydeskError(Exception):
    """Base of every error that is told in one line. `saw`, `expected`, `hint` are its whole message."""

    exit_code: ClassVar[int] = 1

    def __init__(self, subject: str, saw: str, expected: str = "", hint: str = "") -> None:
        super().__init__(subject, saw, expected, hint)  # all four, or it cannot leave a worker process

    def __str__(self) -> str:
        subject, saw, expected, hint = self.args
        line = f"{subject}: {saw}"
        if expected:
            line += f", expected {expected}"
        if hint:
            line += f"; {hint}"
        return line


class ConfigError(CopydeskError):
    """A setting, a source list or a flag says something we cannot use."""

    exit_code = 2


class MissingExtraError(CopydeskError):
    """A command needs an optional library that is not installed."""

    exit_code = 2


class InputError(CopydeskError):
    """A file given to a command cannot be read or understood."""

    exit_code = 3


class StorageError(CopydeskError):
    """The database or the disk under it cannot be used."""

    exit_code = 5


class LockedError(CopydeskError):
    """Another run holds the lock."""

    exit_code = 75


def one_line(error: BaseException) -> str:
    """The first line of an error's text (its class when it has none), for logs and reports."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
