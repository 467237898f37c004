"""The course: exercises that are judged by doing, hints, solutions, progress."""

from certkit.lessons import exercises  # registers them
from certkit.lessons.exercise import EXERCISES, Exercise, Result, check, find_exercise, hint, solution
from certkit.lessons.fixtures import Fixture, fixture
from certkit.lessons.game import Case, Grade, list_cases, new_case
from certkit.lessons.progress import Progress, current_progress
from certkit.lessons.quizzes import Quiz, quiz

__all__ = [
    "EXERCISES",
    "Case",
    "Exercise",
    "Fixture",
    "Grade",
    "Progress",
    "Quiz",
    "Result",
    "check",
    "current_progress",
    "exercises",
    "find_exercise",
    "fixture",
    "hint",
    "list_cases",
    "new_case",
    "quiz",
    "solution",
]
