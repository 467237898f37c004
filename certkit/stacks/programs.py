"""Client stacks that are programs: openssl, curl, wget, gnutls-cli, Node."""

from __future__ import annotations

import json
import re
import shutil
from functools import cache
from pathlib import Path
from tempfile import gettempdir

from certkit._files import write_private
from certkit.stacks.call import Answer, Call, CannotDo, Done, Stack, run_program

__all__ = ["Curl", "GnuTls", "Node", "OpenSsl", "OpenSslStrict", "Wget"]

_REQUEST = "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"


@cache
def first_line(*command: str) -> str:
    """Return the first line that a program prints, for its version."""
    done = run_program(command, home=Path(gettempdir()))
    return (done.out or done.err).strip().partition("\n")[0].strip()


class Program(Stack):
    """A stack that is a program on the path."""

    program = ""

    def available(self) -> bool:
        """Return whether the program is on the path."""
        return shutil.which(self.program) is not None


class OpenSsl(Program):
    """openssl s_client as people type it: it carries on whatever the certificate."""

    name = "openssl"
    api = "openssl s_client -connect HOST:PORT -servername HOST -CAfile ca.pem"
    package = "openssl"
    program = "openssl"
    strict = False

    def version(self) -> str:
        """Return what ``openssl version`` says."""
        return " ".join(first_line("openssl", "version").split()[1:2])

    def talk(self, call: Call) -> Answer:
        """Make the call with s_client."""
        call.needs(self.name, ftps=True)
        if call.plain:
            raise CannotDo("s_client speaks TLS only")
        if call.service == "ftps" and not call.resumes:
            raise CannotDo("s_client carries no files")
        command: list[str | Path] = [
            "openssl",
            "s_client",
            "-quiet",
            "-connect",
            f"127.0.0.1:{call.port}",
            "-CAfile",
            call.anchors,
        ]
        command += ["-no-CApath", "-no-CAstore"]
        if call.host != "127.0.0.1":
            command += ["-servername", call.host]
        if call.service == "ftps":
            command += ["-starttls", "ftp"]
        if self.strict:
            check = "-verify_ip" if call.host == "127.0.0.1" else "-verify_hostname"
            command += ["-verify_return_error", check, call.host, "-x509_strict"]
        if call.proxy is not None:
            command += ["-proxy", call.proxy.removeprefix("http://")]
        if call.max_tls == "1.2":
            command += ["-no_tls1_3"]
        if call.crl is not None and self.strict:
            command += ["-crl_check"]
            command += ["-CRL", call.crl] if call.has_crl else []
        # From a file: a command line can be read by everybody on the machine. An empty one is no line to OpenSSL.
        given = call.password and write_private(call.folder / "openssl.pw", call.password.encode())
        secret = f"file:{given}" if given else "pass:"
        if (pkcs12 := call.pkcs12) is not None and call.file is not None:
            command += ["-cert", pkcs12, "-key", pkcs12, "-cert_chain", pkcs12, "-pass", secret]
        elif (pem := call.pem) is not None:
            command += ["-cert", pem, "-key", pem, "-cert_chain", pem, "-pass", secret]
        send = "QUIT\r\n" if call.service == "ftps" else _REQUEST.format(host=call.host)
        expected = "221 " if call.service == "ftps" else call.expected
        done = run_program(command, home=call.folder, send=send.encode(), until=expected)
        if expected in done.out:
            done = Done(done.code, call.expected, done.err, done.ended)
        return self.judge(call, done, *_openssl_words(done))


class OpenSslStrict(OpenSsl):
    """openssl s_client told to check: chain, name, and RFC 5280 to the letter."""

    name = "openssl-strict"
    api = "openssl s_client … -verify_return_error -verify_hostname HOST -x509_strict"
    strict = True


def _openssl_words(done: Done) -> tuple[str, str]:
    verify = re.findall(r"verify error:num=(\d+):([^\n]*)", done.err)
    errors = re.findall(r"error:[0-9A-F]+:([^\n]*)", done.err)
    # LIBRARY:function:reason:file:line:…; the reason and the alert number are what users quote.
    words = [":".join(part for part in item.split(":")[2:3]) for item in errors]
    said = [text for _, text in verify] + words
    if not said:
        said = [
            line
            for line in done.err.splitlines()
            if line.strip() and "verify return" not in line and "depth=" not in line
        ]
    return "; ".join(dict.fromkeys(said[-4:])), f"verify {verify[-1][0]}" if verify else f"exit {done.code}"


class Curl(Program):
    """curl, with Debian's OpenSSL."""

    name = "curl"
    api = "curl --cacert ca.pem https://HOST:PORT/"
    package = "curl"
    program = "curl"

    def version(self) -> str:
        """Return curl's version and its TLS library's."""
        words = first_line("curl", "--version").split()
        return f"{words[1]} {next((item for item in words if 'SSL' in item or 'TLS' in item), '')}".strip()

    def talk(self, call: Call) -> Answer:
        """Make the call."""
        call.needs(self.name, ftps=True)
        # -q first: no settings of the user's.
        command: list[str | Path] = ["curl", "-q", "-4", "-sS", "--max-time", "9", "--cacert", call.anchors]
        command += ["--capath", call.folder / "none"]
        # From a file: a command line can be read by everybody on the machine.
        private = [f"pass = {json.dumps(call.password or '', ensure_ascii=False)}"]
        command += ["--proxy", call.proxy] if call.proxy is not None else ["--noproxy", "*"]
        if call.max_tls == "1.2":
            command += ["--tls-max", "1.2"]
        if call.has_crl:
            command += ["--crlfile", call.crl or ""]
        if (pkcs12 := call.pkcs12) is not None and call.file is not None:
            command += ["--cert-type", "P12", "--cert", pkcs12]
        elif (pem := call.pem) is not None:
            command += ["--cert", pem]
        if call.service == "ftps":
            private.append(f"user = {json.dumps(':'.join(call.login))}")
            command += ["--ssl-reqd", f"ftp://{call.host}:{call.port}/orders.csv"]
            if not call.resumes:
                command += ["--no-sessionid"]
        else:
            command += [call.url]
        command += ["--config", write_private(call.folder / "curlrc", "\n".join(private).encode())]
        done = run_program(command, home=call.folder)
        return self.judge(call, done, done.err.strip().partition("\n")[0])


class Wget(Program):
    """wget, with Debian's GnuTLS."""

    name = "wget"
    api = "wget --ca-certificate=ca.pem https://HOST:PORT/"
    package = "wget"
    program = "wget"

    def version(self) -> str:
        """Return wget's version and the name of its TLS library."""
        done = run_program(["wget", "--version"], home=Path(gettempdir()))
        library = re.search(r"\+ssl/(\w+)", done.out)
        return f"{done.out.split()[2]} {library[1] if library else ''}".strip()

    def talk(self, call: Call) -> Answer:
        """Make the call."""
        call.needs(self.name, pkcs12=False)
        command = ["wget", "--no-config", "-4", "-O", "-", "--tries=1", "--timeout=8", "--no-hsts"]
        command += [f"--ca-certificate={call.anchors}", f"--ca-directory={call.folder / 'none'}"]
        more = {}
        if call.proxy is not None:
            more = {"https_proxy": call.proxy, "no_proxy": ""}
        else:
            command += ["--no-proxy"]
        if call.max_tls == "1.2":
            command += ["--ciphers=NORMAL:-VERS-TLS1.3"]
        if call.has_crl:
            command += [f"--crl-file={call.crl}"]
        if call.file is not None:
            command += [f"--certificate={call.file}", f"--private-key={call.file}"]
        elif call.credential is not None:
            command += [
                f"--certificate={call.folder / 'client.pem'}",
                f"--private-key={call.folder / 'client.key'}",
            ]
        done = run_program([*command, call.url], home=call.folder, env=more)
        return self.judge(call, done, _wget_words(done.err))


_WGET_NOISE = re.compile(
    r"^(--\d{4}-|Resolving|Connecting to|Reusing|HTTP request sent|Length:|Saving to|Proxy request sent|\s*$)"
    r"|^(To connect to .* insecurely|Loaded CA certificate|ERROR: Cannot open directory)"
)


def _wget_words(text: str) -> str:
    return "; ".join(line for line in text.splitlines() if not _WGET_NOISE.match(line))


class GnuTls(Program):
    """gnutls-cli."""

    name = "gnutls-cli"
    api = "gnutls-cli --x509cafile ca.pem -p PORT HOST"
    package = "gnutls-bin"
    program = "gnutls-cli"

    def version(self) -> str:
        """Return what ``gnutls-cli --version`` says."""
        return first_line("gnutls-cli", "--version").split()[-1]

    def talk(self, call: Call) -> Answer:
        """Make the call."""
        call.needs(self.name, proxy=False, pkcs12=False)
        if call.plain:
            raise CannotDo("gnutls-cli speaks TLS only")
        command = ["gnutls-cli", f"--x509cafile={call.anchors}", "-p", str(call.port)]
        if call.max_tls == "1.2":
            command += ["--priority=NORMAL:-VERS-TLS1.3"]
        if call.file is not None:
            command += [f"--x509certfile={call.file}", f"--x509keyfile={call.file}"]
        elif call.credential is not None:
            command += [
                f"--x509certfile={call.folder / 'client.pem'}",
                f"--x509keyfile={call.folder / 'client.key'}",
            ]
        done = run_program(
            [*command, call.host], home=call.folder, send=_REQUEST.format(host=call.host).encode()
        )
        printed = (done.err + "\n" + done.out).splitlines()
        lines = [item for item in printed if item.startswith("***") or "rror" in item or "Status:" in item]
        return self.judge(call, done, "; ".join(dict.fromkeys(item.strip() for item in lines)))


_NODE = """
const https = require('https'), http = require('http'), fs = require('fs');
const c = JSON.parse(process.env.CERTKIT_CALL);
const read = (f) => f ? fs.readFileSync(f) : undefined;
const o = {host: c.host, port: c.port, path: '/', agent: false, family: 4, ca: read(c.ca), timeout: 8000};
if (c.max) o.maxVersion = c.max;
if (c.crl) o.crl = read(c.crl);
if (c.pfx) { o.pfx = read(c.pfx); o.passphrase = c.password; }
if (c.pem) { o.cert = read(c.pem); o.key = read(c.pem); if (c.password) o.passphrase = c.password; }
const fail = (e) => { console.error((e.code || '') + '|' + e.message); process.exit(1); };
try {
  const r = (c.plain ? http : https).get(o, (a) => {
    a.setEncoding('utf8'); a.on('data', (d) => process.stdout.write(d)); a.on('error', fail); });
  r.on('timeout', () => r.destroy(Object.assign(new Error('timeout'), {code: 'ETIMEDOUT'})));
  r.on('error', fail);
} catch (e) { fail(e); }
"""


class Node(Program):
    """Node's https module, with the OpenSSL that is built into it."""

    name = "node"
    api = "https.get({host, port, ca})"
    package = "nodejs"
    program = "node"

    def version(self) -> str:
        """Return Node's version and its OpenSSL's."""
        return first_line("node", "-p", "process.version.slice(1) + ' OpenSSL/' + process.versions.openssl")

    def talk(self, call: Call) -> Answer:
        """Make the call."""
        call.needs(self.name, proxy=False)
        options = {
            "host": call.host,
            "port": call.port,
            "ca": str(call.anchors),
            "plain": call.plain,
            "max": "TLSv1.2" if call.max_tls == "1.2" else None,
            "crl": str(call.crl) if call.has_crl else None,
            "password": call.password,
        }
        if call.file is not None and call.pkcs12 is not None:
            options["pfx"] = str(call.pkcs12)
        elif call.pem is not None:
            options["pem"] = str(call.pem)
            if call.file is None:
                options["password"] = None
        # The environment, unlike a command line, is for its owner's eyes.
        told = {"CERTKIT_CALL": json.dumps(options)}
        done = run_program(["node", "-e", _NODE], home=call.folder, env=told)
        code, _, message = done.err.strip().partition("|")
        if not message:
            return self.judge(call, done, done.err)
        return self.judge(call, done, message, code)
