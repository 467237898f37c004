"""The atlas: what each client stack really says when something is wrong; measured, never copied."""

from certkit.atlas.measuring import ask_stack, measure_atlas
from certkit.atlas.table import COLUMNS, Atlas, AtlasRow, load_atlas

__all__ = [
    "COLUMNS",
    "Atlas",
    "AtlasRow",
    "ask_stack",
    "load_atlas",
    "measure_atlas",
]
