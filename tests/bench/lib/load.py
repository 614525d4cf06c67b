"""The load: wrk, closed loop, keep-alive, one thread."""

import re
import subprocess

import systems
from browser import PATH


def run(command, port, headers, connections, seconds, before=None):
    """Requests answered in a run of so many seconds."""
    arguments = [*command, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
    for name, value in headers.items():
        arguments += ["-H", f"{name}: {value}"]
    done = subprocess.run([*arguments, f"http://127.0.0.1:{port}{PATH}"], capture_output=True, text=True, preexec_fn=before, timeout=600)
    count = re.search(r"(\d+) requests in", done.stdout)
    if not count or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise systems.Failed(f"wrk: {done.stdout}{done.stderr}")
    return int(count[1])
