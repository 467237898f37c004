"""The exercises, one module a notebook; importing them puts them into the course."""

from certkit.lessons.exercises import one_way, scenario_and_x509, without_security

__all__ = ["one_way", "scenario_and_x509", "without_security"]
