"""JupyterHub for a workshop on one machine: everyone logs in with an account of this machine and has a lab of their own.

    jupyterhub -f jupyterhub_config.py          as root, in a folder that only root can read

What it needs: this machine's accounts (`adduser`), in the group "learners"; one environment that all of them can
read, with certkit and jupyterhub in it; configurable-http-proxy. `make hosting` runs this file for real: two
learners, two homes, a handshake in each. The guide's page on hosting has the steps and the measured memory.

By default the hub answers this machine only. For a room, CERTKIT_HUB_URL=https://0.0.0.0:443 with
CERTKIT_HUB_CERT and CERTKIT_HUB_KEY; or leave it on loopback and put a web server with TLS in front of it.
Passwords go over this connection, so another address without TLS is refused.
"""

import ipaddress
import os
import pwd
import sys
from pathlib import Path
from urllib.parse import urlsplit

c = get_config()  # noqa: F821 - JupyterHub gives it

url = os.environ.get("CERTKIT_HUB_URL", "http://127.0.0.1:8000")
certificate, key = os.environ.get("CERTKIT_HUB_CERT", ""), os.environ.get("CERTKIT_HUB_KEY", "")
parts = urlsplit(url)
try:
    loopback = ipaddress.ip_address(parts.hostname or "").is_loopback
except ValueError:
    loopback = parts.hostname == "localhost"
if not loopback and not (parts.scheme == "https" and certificate and key):
    sys.exit(
        f"certkit: passwords would go to {url} unencrypted; "
        "try: https, with CERTKIT_HUB_CERT and CERTKIT_HUB_KEY"
    )
c.JupyterHub.bind_url = url
c.JupyterHub.ssl_cert, c.JupyterHub.ssl_key = certificate, key
# The hub and the learners' servers are reached through the proxy alone.
c.JupyterHub.hub_ip = "127.0.0.1"
c.Spawner.ip = "127.0.0.1"

# Who: accounts of this machine (PAM), in this group. Nobody is an administrator of the hub.
c.JupyterHub.authenticator_class = "pam"
c.LocalAuthenticator.allowed_groups = {os.environ.get("CERTKIT_HUB_GROUP", "learners")}
c.LocalAuthenticator.create_system_users = False

# What: the lab, as the learner, with the series copied into their home.
c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
c.Spawner.cmd = [sys.executable, "-m", "certkit._hub"]
c.Spawner.default_url = "/lab/tree/notebooks/00-start-here.ipynb"
c.Spawner.start_timeout = 120  # twenty at once on two cores: see data/learners.csv
c.Spawner.http_timeout = 120


def close_home(spawner):
    """Shut a learner's home to the others: some systems make homes that everybody can read."""
    Path(pwd.getpwnam(spawner.user.name).pw_dir).chmod(0o700)


c.Spawner.pre_spawn_hook = close_home

# Memory comes back when somebody goes home: the kernel after three hours without work, the server after four.
c.Spawner.args = [
    "--MappingKernelManager.cull_idle_timeout=10800",
    "--MappingKernelManager.cull_connected=True",
    "--ServerApp.shutdown_no_activity_timeout=14400",
]
