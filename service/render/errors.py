"""What can go wrong in a rendering, and whose turn is it to act?"""


class CourseError(ValueError):
    """The course or one of its images is at fault; the message tells its author where and how to mend it."""


class RenderError(RuntimeError):
    """The machine is at fault (a tool failed, ran out of time or made a bad file); trying again may help."""


class ProviderError(RenderError):
    """A provider of speech or text failed; another one may do."""
