"""The exception types: every failure that a user can act on is an ``ingot.Error``."""

from __future__ import annotations


class Error(Exception):
    """A failure with one clear sentence.

    ``code`` is one of ``invalid_argument``, ``guard``, ``not_found``, ``io``,
    ``corrupt_file``, ``version``, ``unsupported``, ``runtime``, ``out_of_memory`` and
    ``internal``; ``message`` the sentence; ``location`` the user's Python lines, innermost
    first, or ``""``; ``hint`` what to do about it, or ``""``. ``str()`` gives all of them.
    ``kind`` is the class of the exception that a program raised, ``"ValueError"``, or ``""``.
    """

    code: str
    message: str
    location: str
    hint: str
    kind: str = ""

    def __init__(
        self, message: str, code: str = "invalid_argument", location: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, code, location, hint)
        self.message = message
        self.code = code
        self.location = location
        self.hint = hint

    @property
    def text(self) -> str:
        """What ``str`` gives of the exception that the program raised."""
        return str(self.__dict__.get("raised_text", self.message))

    def raised_as(self, kind: str, text: str) -> Error:
        """Says which Python exception this was in the program."""
        self.kind, self.raised_text = kind, text
        return self

    def __str__(self) -> str:
        parts = [self.message]
        if self.location:
            parts.append(self.location)
        if self.hint:
            parts.append(f"hint: {self.hint}")
        return "\n".join(parts)


class GuardError(Error):
    """An assumption that the capture recorded does not hold for these inputs."""

    def __init__(
        self, message: str, code: str = "guard", location: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, code, location, hint)
