"""Labs for notebooks: thin ipywidgets views over pure state. Nothing else in certkit imports them."""

from certkit.widgets.der_lab import DerLab
from certkit.widgets.handshake_lab import HandshakeLab
from certkit.widgets.inventory_explorer import InventoryExplorer

__all__ = ["DerLab", "HandshakeLab", "InventoryExplorer"]
