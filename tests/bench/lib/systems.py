"""What is compared: the configuration of each system, and how it is started. One worker each, loopback only, no log of requests."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

import browser

HERE = pathlib.Path(__file__).resolve().parent
ORDERS = ",".join(f'{{"id":{number},"article":"thing {number}","price":{1000 + number}}}' for number in range(18))
# JSON of 1000 bytes.
ANSWER = f'{{"orders":[{ORDERS}],"note":"'.ljust(998, "-") + '"}'
# Who listens; each has a port.
NAMES = ["upstream", "provider", "nginx", "haproxy", "cloakroom", "mod_auth_openidc"]
# Who keeps sessions, and where a login starts.
GUARDED = {"cloakroom": "/oauth-agent/login", "mod_auth_openidc": "/"}

NGINX = """
daemon off; user root; worker_processes 1; worker_rlimit_nofile 30000; pid {folder}/nginx.pid; error_log {folder}/error.log warn;
events {{ worker_connections 25000; }}
http {{
  access_log off; server_tokens off; tcp_nodelay on; default_type application/json;
  keepalive_requests 1000000000; keepalive_timeout 1h; large_client_header_buffers 8 16k;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
"""

UPSTREAM = NGINX + """
  server {{
    listen 127.0.0.1:{upstream} backlog=4096;
    location / {{ return 200 '{answer}'; }}
    location /api/echo {{ return 200 'authorization=$http_authorization|cookie=$http_cookie|'; }}
  }}
}}
"""

NGINX_PROXY = NGINX + """
  upstream api {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 1000000000; keepalive_timeout 1h; }}
  server {{
    listen 127.0.0.1:{nginx} backlog=4096;
    location / {{ proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; }}
  }}
}}
"""

HAPROXY = """
global
  nbthread 1
  no strict-limits
  maxconn 12000
  tune.bufsize 32768
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 1h
  http-reuse always
frontend shop
  bind 127.0.0.1:{haproxy} backlog 4096
  default_backend api
backend api
  server api 127.0.0.1:{upstream} pool-max-conn 256
"""

CLOAKROOM = """
[server]
listen = "127.0.0.1:{cloakroom}"

[keys]
cookie = ["file:cookie.key"]

[store]
kind = "memory"

[[app]]
id = "shop"
origin = "http://localhost:{cloakroom}"

[app.provider]
issuer = "http://127.0.0.1:{provider}"
client_id = "shop"
client_secret = "file:client-secret"
scopes = ["openid", "profile"]

[[app.route]]
path = "/api"
upstream = "http://127.0.0.1:{upstream}"
"""

MODULES = ["mpm_event", "authn_core", "authz_core", "authz_user", "auth_openidc", "proxy", "proxy_http", "headers"]
MOD_AUTH_OPENIDC = """
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/httpd.pid
ErrorLog {folder}/error.log
LogLevel warn
ServerName localhost
Listen 127.0.0.1:{mod_auth_openidc}
ListenBacklog 4096
{modules}
StartServers 1
ServerLimit 1
ThreadLimit 128
ThreadsPerChild 128
MaxRequestWorkers 128
AsyncRequestWorkerFactor 100
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 3600
LimitRequestFieldSize 32768
OIDCProviderMetadataURL http://127.0.0.1:{provider}/.well-known/openid-configuration
OIDCProviderTokenEndpointAuth client_secret_basic
OIDCClientID shop
OIDCClientSecret {secret}
OIDCPKCEMethod S256
OIDCRedirectURI http://localhost:{mod_auth_openidc}/callback
OIDCCryptoPassphrase {secret}
OIDCSessionType client-cookie
OIDCSessionInactivityTimeout 1800
OIDCPassClaimsAs environment
OIDCScope "openid profile"
ProxyPass / http://127.0.0.1:{upstream}/ keepalive=On
<Location />
  AuthType openid-connect
  Require valid-user
  RequestHeader set Authorization "expr=Bearer %{{reqenv:OIDC_access_token}}"
  RequestHeader unset Cookie
  RequestHeader unset OIDC_access_token
</Location>
"""

COMMANDS = {
    "upstream": ("usr/sbin/nginx", UPSTREAM, ["-p", "{folder}", "-e", "{folder}/error.log", "-c", "{config}"]),
    "nginx": ("usr/sbin/nginx", NGINX_PROXY, ["-p", "{folder}", "-e", "{folder}/error.log", "-c", "{config}"]),
    "haproxy": ("usr/sbin/haproxy", HAPROXY, ["-db", "-f", "{config}"]),
    "mod_auth_openidc": ("usr/sbin/apache2", MOD_AUTH_OPENIDC, ["-DFOREGROUND", "-f", "{config}"]),
}
# Apache listens, reads its configuration once more and listens again: what it writes then is the sign.
READY = {"mod_auth_openidc": "httpd.pid"}


class Failed(Exception):
    """A system did not come up, or does not do the work that is to be measured."""


class Systems:
    """Starts systems in folders of their own below `folder`, and ends them.

    `ports`: a port for each of [`NAMES`]; `program`: gives the command of a Debian program by its path in the package;
    `modules`: where Apache's modules are; `binary`: ours; `material`: the folder with the provider's and our keys.
    """

    def __init__(self, folder, ports, program, modules, binary, material):
        self.folder, self.ports, self.program, self.modules = pathlib.Path(folder), ports, program, modules
        self.binary, self.material = binary, pathlib.Path(material)
        self.running = {}

    def start(self, name, before=None):
        """Starts one and waits until it listens. `before` runs in the new process, to pin it to a core for instance."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with open(folder / "output.log", "wb") as output:
            process = subprocess.Popen(
                self._command(name, folder), stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder, preexec_fn=before, start_new_session=True
            )
        self.running[name] = process
        deadline = time.monotonic() + 60
        while not (listens(self.ports[name]) and (name not in READY or (folder / READY[name]).exists())):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"{name} does not listen: {self.log(name)}")
            time.sleep(0.05)
        return process.pid

    def _command(self, name, folder):
        if name == "provider":
            return [sys.executable, str(HERE / "provider.py"), str(self.ports[name]), str(self.material)]
        if name == "cloakroom":
            for secret in ("cookie.key", "client-secret"):
                (folder / secret).write_bytes((self.material / secret).read_bytes())
                (folder / secret).chmod(0o600)
            config = folder / "config.toml"
            config.write_text(CLOAKROOM.format(**self.ports))
            return [str(self.binary), "serve", "--config", str(config)]
        program, text, arguments = COMMANDS[name]
        config = folder / "config"
        values = {
            **self.ports,
            "folder": folder,
            "answer": ANSWER,
            "secret": (self.material / "client-secret").read_text().strip(),
            "modules": "\n".join(f"LoadModule {module}_module {self.modules}/mod_{module}.so" for module in MODULES),
        }
        config.write_text(text.format(**values))
        return [*self.program(program), *(argument.format(folder=folder, config=config) for argument in arguments)]

    def log(self, name):
        logs = [path.read_text(errors="replace") for path in (self.folder / name).glob("*.log")]
        return "\n".join(logs)[-1500:] or "it wrote nothing"

    def end(self, name):
        """Ends one, and whatever it started: each is the head of a process group of its own."""
        process = self.running.pop(name)
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, how)
                process.wait(5)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass

    def stop(self):
        for name in list(self.running):
            self.end(name)


def signed_in(ports, names):
    """The headers of the measured request for each system, proven to make it do its work."""
    cookies = {name: browser.sign_in(ports[name], start) for name, start in GUARDED.items() if name in names}
    # Who guards nothing gets the very request that ours gets.
    headers = {name: browser.request(ports[name], cookies.get(name, cookies["cloakroom"])) for name in names}
    for name in names:
        browser.prove(name, ports[name], headers[name], name in GUARDED)
    return headers


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def family(pid):
    """A process and all below it."""
    found, todo = [], [pid]
    while todo:
        each = todo.pop()
        found.append(each)
        for task in pathlib.Path(f"/proc/{each}/task").glob("*/children"):
            todo += map(int, task.read_text().split())
    return found


def cpu_nanoseconds(pid):
    """CPU time of a process and all below it, exact where the kernel counts in nanoseconds."""
    tasks = [task for each in family(pid) for task in pathlib.Path(f"/proc/{each}/task").glob("*/schedstat")]
    return sum(int(task.read_text().split()[0]) for task in tasks)
