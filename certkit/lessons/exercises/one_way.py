"""Exercises of notebook 03: one-way TLS."""

from __future__ import annotations

from certkit.chains import TrustStore
from certkit.credentials import Credential
from certkit.errors import ArgumentError
from certkit.faults import good_scenario
from certkit.faults.scenario import HOST
from certkit.handshakes import ClientConfig, ServerConfig, handshake
from certkit.lessons.exercise import Finding, exercise, miss, passed


@exercise(
    "3.1",
    title="what the client needs",
    level="predict",
    hints=(
        "Who signed the server's certificate, and who signed that one?",
        "The client needs just one certificate of that chain, the one that nobody above vouches for.",
        '"root", "intermediate" or "leaf": which of the three does the server not send?',
    ),
    answer="""
    # The client must hold the root. The server sends the leaf and the intermediate;
    # sending the root as well would prove nothing, because anybody can send a root.
    ck.check("3.1", "root")
    """,
)
def what_the_client_needs(answer: object) -> Finding:
    """Which certificate of the server's chain must be in the client's truststore: "leaf", "intermediate" or "root"?"""
    scenario = good_scenario()
    parts = {
        "leaf": scenario.server.credential.certificate,
        "intermediate": scenario.server_ca.certificate,
        "root": scenario.server_ca.root.certificate,
    }
    if str(answer).lower() not in parts:
        raise ArgumentError(
            "that is none of the three", on=repr(str(answer)[:40]), hint='"leaf", "intermediate" or "root"'
        )
    client = ClientConfig(TrustStore([parts[str(answer).lower()]]), host=HOST)
    run = handshake(client, scenario.server)
    tested = f"a handshake in which the client trusts the {str(answer).lower()} only"
    if run.ok:
        return passed(tested, "the client built the path up to it and accepted the server", run)
    return miss(
        tested,
        run.verdict.rstrip("."),
        "which certificate is at the end of the path, and who can vouch for it",
        run,
    )


@exercise(
    "3.2",
    title="a certificate for two names",
    level="change",
    hints=(
        "Where does a client look for the host name: in the common name, or somewhere else?",
        "`issue` takes as many names as you like; each becomes a subject alternative name.",
        f'Give `issue` both names: "{HOST}" and "www.{HOST}", with `usage="server"`.',
    ),
    answer=f"""
    ca = ck.CertificateAuthority("My Root")
    server = ca.issue("{HOST}", "www.{HOST}", usage="server")
    ck.check("3.2", (server, ca.trust_store))
    # Both are subject alternative names; a client that wants either of them is content.
    """,
)
def two_names(answer: object) -> Finding:
    """Make one server credential that is good for orders.example.test and for www.orders.example.test.

    Hand over two things: the credential and the truststore that a client needs.
    """
    credential, anchors = _pair(answer)
    for host in (HOST, f"www.{HOST}"):
        run = handshake(ClientConfig(anchors, host=host), ServerConfig(credential))
        if not run.ok:
            tested = f"a handshake with a client that wants {host}"
            found = f"{run.verdict.rstrip('.')} (cause: {run.cause})"
            return miss(
                tested,
                found,
                "the names on the certificate, its usage, and whose root the client trusts",
                run,
            )
    return passed(f"two handshakes, for {HOST} and for www.{HOST}", "both clients accepted your server", run)


def _pair(answer: object) -> tuple[Credential, TrustStore]:
    if isinstance(answer, tuple) and len(answer) == 2:
        credential, anchors = answer
        if isinstance(credential, Credential) and isinstance(anchors, TrustStore):
            return credential, anchors
    raise ArgumentError(
        "this exercise takes a credential and a truststore",
        on=type(answer).__name__,
        hint='ck.check("3.2", (server, ca.trust_store))',
    )
