"""A browser that signs in, and the request that is measured."""

import http.client
import urllib.parse

HEADERS = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "application/json, text/plain, */*",
    "Accept-Language": "en-GB,en;q=0.7,sv;q=0.3",
    "Accept-Encoding": "gzip, deflate, br",
}
PATH = "/api/orders"
ECHO = "/api/echo"


class Unexpected(Exception):
    """An answer is not the one that the measurement stands on."""


def sign_in(port, start):
    """Follows the redirects from `start` through the provider and back; the `Cookie` header of the session."""
    address = f"http://localhost:{port}{start}"
    jars = {}
    for _ in range(8):
        where = urllib.parse.urlsplit(address)
        jar = jars.setdefault(where.netloc, {})
        navigation = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Accept": "text/html"}
        headers = {"Host": where.netloc, **HEADERS, **navigation, **({"Cookie": cookie(jar)} if jar else {})}
        status, answer, _ = get(where.port, f"{where.path}?{where.query}".rstrip("?"), headers)
        for line in answer.get_all("Set-Cookie") or []:
            name, _, value = line.split(";")[0].partition("=")
            if value and "max-age=0" not in line.lower().replace(" ", ""):
                jar[name.strip()] = value
            else:
                jar.pop(name.strip(), None)
        if status not in (302, 303):
            break
        back = urllib.parse.urlsplit(urllib.parse.urljoin(address, answer["Location"]))
        # The page of the app where a login ends is not part of the measurement.
        if back.port == port and "callback" in where.path:
            if "login_error" in back.query:
                raise Unexpected(f"the login ended at {back.path}?{back.query}")
            return cookie(jar)
        address = back.geturl()
    raise Unexpected(f"the login got stuck at {address}: {status}")


def request(port, cookie):
    """The headers of the measured request: what a browser sends with a call of the app's script."""
    origin = f"http://localhost:{port}"
    return {
        "Host": f"localhost:{port}",
        **HEADERS,
        "Referer": f"{origin}/orders",
        "Origin": origin,
        "token-handler-version": "1",
        "Sec-Fetch-Dest": "empty",
        "Sec-Fetch-Mode": "cors",
        "Sec-Fetch-Site": "same-origin",
        "Cookie": f"theme=dark; {cookie}",
    }


def prove(name, port, headers, guarded):
    """That the answer is the API's; and, where the system guards it, that the whole work is done."""
    status, _, body = get(port, PATH, headers)
    if status != 200 or len(body) != 1000:
        raise Unexpected(f"{name} answers {status} with {len(body)} bytes")
    if not guarded:
        return
    status, _, body = get(port, ECHO, headers)
    authorization, cookies = (part.split("=", 1)[1] for part in body.decode().split("|")[:2])
    if status != 200 or not authorization.startswith("Bearer ") or len(authorization) != len("Bearer ") + 1000:
        raise Unexpected(f"{name} attaches no access token of 1000 characters: {status} {authorization[:40]}")
    sealed = [pair.split("=", 1) for pair in headers["Cookie"].split("; ")][1:]
    if any(value in cookies for _, value in sealed if len(value) > 8):
        raise Unexpected(f"{name} passes its session cookies on")
    status, _, _ = get(port, PATH, {key: value for key, value in headers.items() if key != "Cookie"})
    if status not in (302, 401):
        raise Unexpected(f"{name} answers {status} to a call without a session")


def get(port, path, headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def cookie(jar):
    return "; ".join(f"{name}={value}" for name, value in jar.items())
