"""Go's net/http as a client stack: a small program, built once a process."""

from __future__ import annotations

import atexit
import contextlib
import json
import threading
from pathlib import Path

from certkit._minder import minded_folder
from certkit.stacks.call import Answer, Call, run_program
from certkit.stacks.programs import Program, first_line

__all__ = ["Go"]

_SOURCE = r"""
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"
)

type call struct{ URL, CA, PEM, Key, Proxy, Max string }

func fail(err error) { fmt.Fprintln(os.Stderr, err); os.Exit(1) }

func main() {
	var c call
	if err := json.Unmarshal([]byte(os.Args[1]), &c); err != nil { fail(err) }
	roots := x509.NewCertPool()
	pem, _ := os.ReadFile(c.CA)
	roots.AppendCertsFromPEM(pem)
	config := &tls.Config{RootCAs: roots}
	if c.Max == "1.2" { config.MaxVersion = tls.VersionTLS12 }
	if c.PEM != "" {
		pair, err := tls.LoadX509KeyPair(c.PEM, c.Key)
		if err != nil { fail(err) }
		config.Certificates = []tls.Certificate{pair}
	}
	transport := &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}
	if c.Proxy != "" {
		way, _ := url.Parse(c.Proxy)
		transport.Proxy = http.ProxyURL(way)
	}
	client := &http.Client{Transport: transport, Timeout: 8 * time.Second}
	answer, err := client.Get(c.URL)
	if err != nil { fail(err) }
	body, _ := io.ReadAll(answer.Body)
	fmt.Println(answer.Status, string(body))
}
"""
_lock = threading.Lock()
# Until this process ends: built once, and called often.
_kept = contextlib.ExitStack()
atexit.register(_kept.close)
_built: dict[str, Path | str] = {}


def _binary() -> Path | str:
    """Return the built program, or the compiler's words."""
    with _lock:
        if "go" not in _built:
            folder = _kept.enter_context(minded_folder("certkit-go-"))
            (folder / "main.go").write_text(_SOURCE)
            # Its caches in the same folder: nothing is left in the user's home.
            env = {"GOCACHE": str(folder / "cache"), "GOPATH": str(folder / "path"), "GO111MODULE": "off",
                   "GOFLAGS": "", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}  # fmt: skip
            target = folder / "call"
            done = run_program(
                ["go", "build", "-o", target, folder / "main.go"], home=folder, env=env, seconds=180
            )
            _built["go"] = target if target.is_file() else done.err or "go build failed"
        return _built["go"]


class Go(Program):
    """Go's net/http and crypto/tls."""

    name = "go"
    api = "http.Client{Transport: &http.Transport{TLSClientConfig: …}}.Get(url)"
    package = "golang-go"
    program = "go"

    def version(self) -> str:
        """Return Go's version."""
        return first_line("go", "version").split()[2].removeprefix("go")

    def talk(self, call: Call) -> Answer:
        """Make the call."""
        call.needs("Go", pkcs12=False)
        binary = _binary()
        if isinstance(binary, str):
            return Answer("not-applicable", f"the program could not be built: {binary}")
        options = {
            "URL": call.url,
            "CA": str(call.anchors),
            "Proxy": call.proxy or "",
            "Max": call.max_tls or "",
        }
        if call.file is not None:
            options |= {"PEM": str(call.file), "Key": str(call.file)}
        elif call.credential is not None:
            options |= {"PEM": str(call.folder / "client.pem"), "Key": str(call.folder / "client.key")}
        done = run_program([binary, json.dumps(options)], home=call.folder)
        return self.judge(call, done, done.err.strip().removeprefix(f'Get "{call.url}": '))
