"""Labs for notebooks: thin ipywidgets views over pure state. Nothing else in certkit imports them."""

from certkit.widgets.chain_lab import ChainLab
from certkit.widgets.clinic_lab import ClinicLab
from certkit.widgets.der_lab import DerLab
from certkit.widgets.error_lab import ErrorLab
from certkit.widgets.file_lab import FileLab
from certkit.widgets.handshake_lab import HandshakeLab
from certkit.widgets.inventory_explorer import InventoryExplorer

__all__ = ["ChainLab", "ClinicLab", "DerLab", "ErrorLab", "FileLab", "HandshakeLab", "InventoryExplorer"]
