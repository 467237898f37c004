"""certkit: a lab where TLS trust is made, broken on purpose, read and repaired.

``import certkit as ck`` is the one import a notebook needs. Names load when they are first used,
so that the import itself costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from certkit._report import inventory_report
    from certkit.atlas import Atlas, load_atlas, measure_atlas
    from certkit.authority import CertificateAuthority, self_signed
    from certkit.certificates import Certificate
    from certkit.chains import Chain, TrustStore
    from certkit.checkup import ServerCheck, check_server, check_servers
    from certkit.credentials import Credential
    from certkit.csr import CertificateSigningRequest, create_csr
    from certkit.differences import Difference, difference
    from certkit.errors import CertkitError
    from certkit.explanation import Diagnosis, explain
    from certkit.faults import Fault, Scenario, find_fault, good_scenario, list_faults
    from certkit.formats.byte_decoder import ByteClue, decode_byte
    from certkit.formats.damage import Damage, find_damage
    from certkit.formats.der_tree import DerTree, der_tree
    from certkit.handshakes import ClientConfig, Handshake, ServerConfig, handshake
    from certkit.handshakes.comparison import Comparison, compare_handshakes
    from certkit.inventory.analysis.changes import compare_inventories
    from certkit.inventory.analysis.forecast import client_sunset, forecast_renewals, mark_public
    from certkit.inventory.analysis.impact import ca_impact, effective_expiry, impact_by_ca
    from certkit.inventory.analysis.issuers import shadow_cas, unknown_issuers
    from certkit.inventory.analysis.overview import (
        InventorySummary,
        expiry_buckets,
        soonest_first,
        summarize_inventory,
    )
    from certkit.inventory.analysis.owners import join_owners, owner_gaps
    from certkit.inventory.analysis.sameness import find_duplicates, shared_keys
    from certkit.inventory.analysis.strength import broken_rules, weak_certificates
    from certkit.inventory.estate import Estate, make_estate
    from certkit.inventory.export import export_inventory
    from certkit.inventory.scan import scan_inventory, scan_to_parquet
    from certkit.inventory.storage import read_inventory
    from certkit.keys import PrivateKey, generate_key
    from certkit.keystores import (
        Conversion,
        Keystore,
        convert,
        keystore_bytes,
        load_certificate,
        load_certificates,
        load_credential,
        load_keystore,
        load_private_key,
        save_keystore,
    )
    from certkit.keystores.system import system_stores, system_trust
    from certkit.lessons import Progress, check, current_progress, fixture, hint, quiz, solution
    from certkit.lessons.clinic_case import Clinic, ClinicCase, clinic
    from certkit.lessons.game import Case, list_cases, new_case
    from certkit.lessons.glossary import Glossary, TodayBox, glossary, today_box
    from certkit.lessons.group import GroupOverview, group_overview
    from certkit.lessons.mysteries import Mystery, mystery
    from certkit.lessons.pair import ClientCompany, ServerCompany
    from certkit.plots import Plot, chain_figure, expiry_calendar, expiry_timeline, renewal_forecast_plot
    from certkit.revocation import OcspAnswer, RevocationList
    from certkit.services import (
        ClosedPort,
        ForwardProxy,
        FtpsService,
        ReverseProxy,
        RevocationService,
        SilentPort,
        SniRouter,
        TlsFront,
        UserService,
        Way,
        Wiretap,
        call_update_user,
        draw_way,
        generate_stub,
        transfer_ftps,
    )
    from certkit.stacks.ftps_clients import fetch_ftps
    from certkit.stacks.java import JavaVerdict, java_available, java_pkix, java_version
    from certkit.stacks.java_files import java_keystore, keytool
    from certkit.stacks.java_opinion import with_java
    from certkit.stacks.platform import ClientPlatform, PlatformCallout
    from certkit.stacks.platform_rules import platform_rules
    from certkit.verification import ChainGraph, Verification, chain_graph, check_revocation, verify_chain
    from certkit.widgets import (
        ChainLab,
        ClinicLab,
        DerLab,
        ErrorLab,
        FileLab,
        HandshakeLab,
        InventoryExplorer,
    )

__version__ = "0.1.0"

_HOMES = {
    "certkit._report": ("inventory_report",),
    "certkit.atlas": ("Atlas", "load_atlas", "measure_atlas"),
    "certkit.authority": ("CertificateAuthority", "self_signed"),
    "certkit.certificates": ("Certificate",),
    "certkit.chains": ("Chain", "TrustStore"),
    "certkit.checkup": ("ServerCheck", "check_server", "check_servers"),
    "certkit.credentials": ("Credential",),
    "certkit.csr": ("CertificateSigningRequest", "create_csr"),
    "certkit.differences": ("Difference", "difference"),
    "certkit.errors": ("CertkitError",),
    "certkit.explanation": ("Diagnosis", "explain"),
    "certkit.faults": ("Fault", "Scenario", "find_fault", "good_scenario", "list_faults"),
    "certkit.formats.byte_decoder": ("ByteClue", "decode_byte"),
    "certkit.formats.damage": ("Damage", "find_damage"),
    "certkit.formats.der_tree": ("DerTree", "der_tree"),
    "certkit.handshakes": ("ClientConfig", "Handshake", "ServerConfig", "handshake"),
    "certkit.handshakes.comparison": ("Comparison", "compare_handshakes"),
    "certkit.inventory.analysis.changes": ("compare_inventories",),
    "certkit.inventory.analysis.forecast": ("client_sunset", "forecast_renewals", "mark_public"),
    "certkit.inventory.analysis.impact": ("ca_impact", "effective_expiry", "impact_by_ca"),
    "certkit.inventory.analysis.issuers": ("shadow_cas", "unknown_issuers"),
    "certkit.inventory.analysis.overview": (
        "InventorySummary",
        "expiry_buckets",
        "soonest_first",
        "summarize_inventory",
    ),
    "certkit.inventory.analysis.owners": ("join_owners", "owner_gaps"),
    "certkit.inventory.analysis.sameness": ("find_duplicates", "shared_keys"),
    "certkit.inventory.analysis.strength": ("broken_rules", "weak_certificates"),
    "certkit.inventory.estate": ("Estate", "make_estate"),
    "certkit.inventory.export": ("export_inventory",),
    "certkit.inventory.scan": ("scan_inventory", "scan_to_parquet"),
    "certkit.inventory.storage": ("read_inventory",),
    "certkit.keys": ("PrivateKey", "generate_key"),
    "certkit.keystores": (
        "Conversion",
        "Keystore",
        "convert",
        "keystore_bytes",
        "load_certificate",
        "load_certificates",
        "load_credential",
        "load_keystore",
        "load_private_key",
        "save_keystore",
    ),
    "certkit.keystores.system": ("system_stores", "system_trust"),
    "certkit.lessons": ("Progress", "check", "current_progress", "fixture", "hint", "quiz", "solution"),
    "certkit.lessons.clinic_case": ("Clinic", "ClinicCase", "clinic"),
    "certkit.lessons.game": ("Case", "list_cases", "new_case"),
    "certkit.lessons.glossary": ("Glossary", "TodayBox", "glossary", "today_box"),
    "certkit.lessons.group": ("GroupOverview", "group_overview"),
    "certkit.lessons.mysteries": ("Mystery", "mystery"),
    "certkit.lessons.pair": ("ClientCompany", "ServerCompany"),
    "certkit.plots": ("Plot", "chain_figure", "expiry_calendar", "expiry_timeline", "renewal_forecast_plot"),
    "certkit.revocation": ("OcspAnswer", "RevocationList"),
    "certkit.services": (
        "ClosedPort",
        "ForwardProxy",
        "FtpsService",
        "ReverseProxy",
        "RevocationService",
        "SilentPort",
        "SniRouter",
        "TlsFront",
        "UserService",
        "Way",
        "Wiretap",
        "call_update_user",
        "draw_way",
        "generate_stub",
        "transfer_ftps",
    ),
    "certkit.stacks.ftps_clients": ("fetch_ftps",),
    "certkit.stacks.java": ("JavaVerdict", "java_available", "java_pkix", "java_version"),
    "certkit.stacks.java_files": ("java_keystore", "keytool"),
    "certkit.stacks.java_opinion": ("with_java",),
    "certkit.stacks.platform": ("ClientPlatform", "PlatformCallout"),
    "certkit.stacks.platform_rules": ("platform_rules",),
    "certkit.verification": ("ChainGraph", "Verification", "chain_graph", "check_revocation", "verify_chain"),
    "certkit.widgets": (
        "ChainLab",
        "ClinicLab",
        "DerLab",
        "ErrorLab",
        "FileLab",
        "HandshakeLab",
        "InventoryExplorer",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Atlas",
    "ByteClue",
    "Case",
    "Certificate",
    "CertificateAuthority",
    "CertificateSigningRequest",
    "CertkitError",
    "Chain",
    "ChainGraph",
    "ChainLab",
    "ClientCompany",
    "ClientConfig",
    "ClientPlatform",
    "Clinic",
    "ClinicCase",
    "ClinicLab",
    "ClosedPort",
    "Comparison",
    "Conversion",
    "Credential",
    "Damage",
    "DerLab",
    "DerTree",
    "Diagnosis",
    "Difference",
    "ErrorLab",
    "Estate",
    "Fault",
    "FileLab",
    "ForwardProxy",
    "FtpsService",
    "Glossary",
    "GroupOverview",
    "Handshake",
    "HandshakeLab",
    "InventoryExplorer",
    "InventorySummary",
    "JavaVerdict",
    "Keystore",
    "Mystery",
    "OcspAnswer",
    "PlatformCallout",
    "Plot",
    "PrivateKey",
    "Progress",
    "ReverseProxy",
    "RevocationList",
    "RevocationService",
    "Scenario",
    "ServerCheck",
    "ServerCompany",
    "ServerConfig",
    "SilentPort",
    "SniRouter",
    "TlsFront",
    "TodayBox",
    "TrustStore",
    "UserService",
    "Verification",
    "Way",
    "Wiretap",
    "broken_rules",
    "ca_impact",
    "call_update_user",
    "chain_figure",
    "chain_graph",
    "check",
    "check_revocation",
    "check_server",
    "check_servers",
    "client_sunset",
    "clinic",
    "compare_handshakes",
    "compare_inventories",
    "convert",
    "create_csr",
    "current_progress",
    "decode_byte",
    "der_tree",
    "difference",
    "draw_way",
    "effective_expiry",
    "expiry_buckets",
    "expiry_calendar",
    "expiry_timeline",
    "explain",
    "export_inventory",
    "fetch_ftps",
    "find_damage",
    "find_duplicates",
    "find_fault",
    "fixture",
    "forecast_renewals",
    "generate_key",
    "generate_stub",
    "glossary",
    "good_scenario",
    "group_overview",
    "handshake",
    "hint",
    "impact_by_ca",
    "inventory_report",
    "java_available",
    "java_keystore",
    "java_pkix",
    "java_version",
    "join_owners",
    "keystore_bytes",
    "keytool",
    "list_cases",
    "list_faults",
    "load_atlas",
    "load_certificate",
    "load_certificates",
    "load_credential",
    "load_keystore",
    "load_private_key",
    "make_estate",
    "mark_public",
    "measure_atlas",
    "mystery",
    "new_case",
    "owner_gaps",
    "platform_rules",
    "quiz",
    "read_inventory",
    "renewal_forecast_plot",
    "save_keystore",
    "scan_inventory",
    "scan_to_parquet",
    "self_signed",
    "shadow_cas",
    "shared_keys",
    "solution",
    "soonest_first",
    "summarize_inventory",
    "system_stores",
    "system_trust",
    "today_box",
    "transfer_ftps",
    "unknown_issuers",
    "verify_chain",
    "weak_certificates",
    "with_java",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'certkit' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
