"""Is this chain trusted, by which paths, and why not: the verdict, the explorer and the pictures."""

from __future__ import annotations

from certkit.verification._graph_build import chain_graph
from certkit.verification.graph import ChainGraph, GraphEdge, GraphNode
from certkit.verification.result import Opinion, Path, Verification
from certkit.verification.revocation import check_revocation
from certkit.verification.verify import verify_chain

__all__ = [
    "ChainGraph",
    "GraphEdge",
    "GraphNode",
    "Opinion",
    "Path",
    "Verification",
    "chain_graph",
    "check_revocation",
    "verify_chain",
]
