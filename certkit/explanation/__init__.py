"""From a pasted error to its cause, the fix, and the proof: `explain` and what it returns."""

from __future__ import annotations

from certkit.explanation.diagnosis import Diagnosis, RankedCause, Recognised
from certkit.explanation.explaining import explain
from certkit.explanation.reproduction import Reproduction
from certkit.explanation.timeline import Step

__all__ = ["Diagnosis", "RankedCause", "Recognised", "Reproduction", "Step", "explain"]
