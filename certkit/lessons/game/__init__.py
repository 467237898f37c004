"""Break it, fix it: cases to repair, handed over as files and a failing handshake's log, graded by real handshakes."""

from certkit.lessons.game.case import Case, list_cases, new_case
from certkit.lessons.game.grading import Grade
from certkit.lessons.game.stories import LEVELS

__all__ = ["LEVELS", "Case", "Grade", "list_cases", "new_case"]
