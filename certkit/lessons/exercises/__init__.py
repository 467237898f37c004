"""The exercises, one module a notebook; importing them puts them into the course."""

from certkit.lessons.exercises import one_way

__all__ = ["one_way"]
