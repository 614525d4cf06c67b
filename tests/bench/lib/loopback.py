"""Requests per second and memory, on this machine's loopback: the system on one core, load and upstream on another."""

import os
import pathlib
import resource
import shutil
import socket
import statistics
import time

import browser
import load
import packages
import systems

ROUNDS = 5
SECONDS = 1
CONNECTIONS = 64
IDLE = 10_000
# HAProxy wants two for each connection that it may have.
OPEN_FILES = 40_000
# After so long a connection that waits has given back what it can.
SETTLE_SECONDS = 4


def measure(binary, names, rounds=ROUNDS, idle=IDLE):
    """Figures for each system. Whatever was started is ended."""
    folder = packages.WORK / f"loopback-{os.getpid()}"
    cores = sorted(os.sched_getaffinity(0))
    server, other = on(cores[0]), on(cores[-1])
    idle = min(idle, raise_limit() - 1000)
    root = packages.root()

    def program(path):
        return packages.run_from(root, path)

    world = systems.Systems(folder, free_ports(), program, root / "usr/lib/apache2/modules", pathlib.Path(binary).resolve(), packages.material())
    try:
        for name in ("upstream", "provider"):
            world.start(name, other)
        pids = {name: world.start(name, server) for name in names}
        headers = systems.signed_in(world.ports, names)
        fresh = {name: resident(pid) for name, pid in pids.items()}
        rates = in_turns(names, rounds, lambda name: load.run(program("usr/bin/wrk"), world.ports[name], headers[name], CONNECTIONS, SECONDS, other))
        held = {}
        for name, pid in pids.items():
            # A new process: what the load left in its memory is not the connections'.
            world.end(name)
            pid = world.start(name, server)
            headers = {**headers, name: systems.signed_in(world.ports, names)[name]}
            browser.get(world.ports[name], browser.PATH, headers[name])
            held[name] = holding(world.ports[name], headers[name], pid, idle)
    finally:
        world.stop()
        shutil.rmtree(folder, ignore_errors=True)
    ratios = {name: [mine / nginx for mine, nginx in zip(rates[name], rates["nginx"])] for name in names}
    return {
        "rounds": rounds,
        "seconds": SECONDS,
        "connections": CONNECTIONS,
        "idle": idle,
        "systems": {
            name: {
                "rate": round(statistics.median(rates[name]) / SECONDS),
                "rate_times_nginx": round(statistics.median(ratios[name]), 3),
                "rate_times_nginx_least": round(min(ratios[name]), 3),
                "rate_times_nginx_most": round(max(ratios[name]), 3),
                "fresh_mib": round(fresh[name] / 1024, 1),
                "idle_mib": round(held[name][1] / 1024, 1),
                "kib_per_idle": round((held[name][1] - held[name][0]) / idle, 2),
            }
            for name in names
        },
    }


def in_turns(names, rounds, run):
    """Every system in every round; every second round the other way round, so that no one always comes first. The first is thrown away."""
    rates = {name: [] for name in names}
    for turn in range(rounds + 1):
        for name in names[:: 1 if turn % 2 == 0 else -1]:
            rates[name].append(run(name))
    return {name: each[1:] for name, each in rates.items()}


def holding(port, headers, pid, count):
    """Memory in KiB before and with so many connections that have each had one answer and wait."""
    request = f"GET {browser.PATH} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    before = resident(pid)
    connections = []
    try:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port), 30)
            connections.append(connection)
            connection.sendall(request.encode())
            read_answer(connection)
        time.sleep(SETTLE_SECONDS)
        # An allocator gives back what is free only while it works: a little work, and the same rest after it.
        for connection in connections[:50]:
            connection.sendall(request.encode())
            read_answer(connection)
        time.sleep(SETTLE_SECONDS)
        return before, resident(pid)
    finally:
        for connection in connections:
            connection.close()


def read_answer(connection):
    answer = b""
    while b"\r\n\r\n" not in answer or len(answer.split(b"\r\n\r\n", 1)[1]) < len(systems.ANSWER):
        piece = connection.recv(65536)
        if not piece or not (answer + piece).startswith(b"HTTP/1.1 200 "):
            raise browser.Unexpected(f"instead of an answer: {(answer + piece)[:60]}")
        answer += piece


def resident(pid):
    """KiB of memory of a process and all below it, what they share counted once."""
    total = 0
    for each in systems.family(pid):
        for line in pathlib.Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def raise_limit():
    """Open files for this process and what it starts: as many as are needed, or as may be."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    for files in (max(OPEN_FILES, most), most):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
            return files
        except (ValueError, PermissionError):
            continue
    raise packages.Missing("the limit of open files cannot be set")


def on(core):
    return lambda: os.sched_setaffinity(0, {core})


def free_ports():
    sockets = {name: socket.create_server(("127.0.0.1", 0)) for name in systems.NAMES}
    ports = {name: each.getsockname()[1] for name, each in sockets.items()}
    for each in sockets.values():
        each.close()
    return ports
