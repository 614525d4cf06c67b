"""A small OpenID provider for measurements: approves every login at once and signs with the openssl command.

`provider.py PORT FOLDER`; the folder holds `provider.pem`, an RSA key. Loopback only, for no other use.
"""

import base64
import http.server
import json
import pathlib
import secrets
import subprocess
import sys
import time
import urllib.parse

ACCESS_TOKEN_LENGTH = 1000
LIVES = 12 * 3600
CLIENT = "shop"


def main(port, folder):
    key = pathlib.Path(folder) / "provider.pem"
    issuer = f"http://127.0.0.1:{port}"
    Handler.issuer, Handler.key = issuer, key
    Handler.jwks = {"keys": [jwk(key)]}
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


class Handler(http.server.BaseHTTPRequestHandler):
    """Discovery, keys, authorization, token."""

    protocol_version = "HTTP/1.1"
    nonces = {}

    def do_GET(self):
        address = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(address.query))
        if address.path == "/.well-known/openid-configuration":
            self.say({
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            })
        elif address.path == "/jwks":
            self.say(self.jwks)
        elif address.path == "/authorize":
            code = secrets.token_hex(16)
            self.nonces[code] = query.get("nonce")
            back = urllib.parse.urlencode({"code": code, "state": query["state"]})
            self.send_response(302)
            self.send_header("Location", f"{query['redirect_uri']}?{back}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.send_error(404)

    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": "alice", "iat": now, "exp": now + LIVES}
        id_token = {**claims, "aud": CLIENT, "name": "Alice of the measurement", "preferred_username": "alice"}
        nonce = self.nonces.pop(form.get("code"), None)
        if nonce:
            id_token["nonce"] = nonce
        self.say({
            "access_token": access_token({**claims, "aud": "https://api.example.test/", "scope": "openid profile"}, self.key),
            "refresh_token": secrets.token_urlsafe(32),
            "id_token": signed({"alg": "RS256", "kid": "1"}, id_token, self.key),
            "token_type": "Bearer",
            "expires_in": LIVES,
        })

    def say(self, answer):
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def access_token(claims, key):
    """A JWT of exactly the length that is measured with, whatever lengths base64 allows."""
    for kid in ("1", "12", "123", "1234"):
        for padding in range(ACCESS_TOKEN_LENGTH):
            header = {"alg": "RS256", "kid": kid, "typ": "at+jwt"}
            length = len(unsigned(header, {**claims, "padding": "p" * padding}))
            if length + SIGNATURE_LENGTH == ACCESS_TOKEN_LENGTH:
                return signed(header, {**claims, "padding": "p" * padding}, key)
            if length + SIGNATURE_LENGTH > ACCESS_TOKEN_LENGTH:
                break
    raise ValueError("no padding gives the wanted length")


def unsigned(header, claims):
    return ".".join(base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))


def signed(header, claims, key):
    text = unsigned(header, claims)
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=text.encode(), capture_output=True, check=True).stdout
    return f"{text}.{base64url(signature)}"


def jwk(key):
    modulus = subprocess.run(["openssl", "rsa", "-in", key, "-noout", "-modulus"], capture_output=True, text=True, check=True).stdout
    number = bytes.fromhex(modulus.strip().removeprefix("Modulus="))
    return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": base64url(number), "e": "AQAB"}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# A dot and 2048 bits.
SIGNATURE_LENGTH = 1 + 342

if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
