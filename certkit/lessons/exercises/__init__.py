"""The exercises, one module a notebook; importing them puts them into the course."""

from certkit.lessons.exercises import (
    inventory,
    inventory_estate,
    one_way,
    scenario_and_x509,
    start,
    troubleshooting,
    two_way,
    without_security,
)

__all__ = [
    "inventory",
    "inventory_estate",
    "one_way",
    "scenario_and_x509",
    "start",
    "troubleshooting",
    "two_way",
    "without_security",
]
