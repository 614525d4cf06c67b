"""Runs inside the emulated machine, where a nanosecond of CPU time is an instruction. Reads job.json, writes result lines."""

import json
import os
import pathlib
import struct
import sys
import time

sys.path.insert(0, "/bench/lib")
import browser
import load
import systems

RESULTS = "/dev/ttyS1"


def main():
    job = json.loads(pathlib.Path("/bench/job.json").read_text())
    with open(RESULTS, "w", buffering=1) as out:

        def say(kind, **values):
            print(json.dumps({"kind": kind, **values}), file=out, flush=True)

        try:
            say("processor", flags=flags(), clock=pathlib.Path("/sys/devices/system/clocksource/clocksource0/current_clocksource").read_text().strip())
            say("yardstick", **yardstick())
            measure(job, say)
            say("end")
        except Exception as error:
            say("failed", why=f"{type(error).__name__}: {error}")


def measure(job, say):
    ports = {name: 8001 + index for index, name in enumerate(systems.NAMES)}
    world = systems.Systems("/run", ports, lambda path: [f"/{path}"], "/usr/lib/apache2/modules", "/bench/cloakroom", "/bench/material")
    for name in ("upstream", "provider"):
        world.start(name)
    pids = {name: world.start(name) for name in job["systems"]}
    starts = {"cloakroom": "/oauth-agent/login", "mod_auth_openidc": "/"}
    cookies = {name: browser.sign_in(ports[name], start) for name, start in starts.items() if name in pids}
    # Who guards nothing gets the very request that ours gets.
    headers = {name: browser.request(ports[name], cookies.get(name, cookies["cloakroom"])) for name in pids}
    for name in pids:
        browser.prove(name, ports[name], headers[name], name in starts)
        head = f"GET {browser.PATH} HTTP/1.1\r\n" + "".join(f"{key}: {value}\r\n" for key, value in headers[name].items()) + "\r\n"
        say("request", system=name, head=len(head), cookies=len(headers[name]["Cookie"]))
    done = dict.fromkeys(pids, 0)
    turn = 0
    while min(done.values()) < job["requests"]:
        # The first turn warms up. Every second one goes the other way round.
        for name in list(pids)[:: 1 if turn % 2 == 0 else -1]:
            if turn and done[name] >= job["requests"]:
                continue
            before, split_before = systems.cpu_nanoseconds(pids[name]), user_and_system(pids[name])
            count = load.run(["/usr/bin/wrk"], ports[name], headers[name], job["connections"], 1)
            spent, split = systems.cpu_nanoseconds(pids[name]) - before, user_and_system(pids[name])
            if turn:
                done[name] += count
                say("round", system=name, requests=count, instructions=spent, ticks=[b - a for a, b in zip(split_before, split)])
        turn += 1


def user_and_system(pid):
    """Timer ticks that fell into the program and into the kernel."""
    fields = [pathlib.Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split() for each in systems.family(pid)]
    return [sum(int(each[column]) for each in fields) for column in (11, 12)]


def flags():
    wanted = ["aes", "pclmulqdq", "avx", "avx2", "sha_ni", "vaes", "erms", "rep_good"]
    line = next(line for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags"))
    return {flag: flag in line.split() for flag in wanted}


def yardstick():
    """A program of a known length, once and again: the difference of two lengths is free of what starting costs."""
    short, long = (min(spent(counting_program(loops)) for _ in range(3)) for loops in (25_000_000, 75_000_000))
    return {"expected": 100_000_000, "measured": long - short}


def spent(program):
    path = pathlib.Path("/run/yardstick")
    path.unlink(missing_ok=True)
    path.write_bytes(program)
    path.chmod(0o700)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(reader, 1)
        os.execv(path, [str(path)])
    os.write(writer, b"x")
    _, status, usage = os.wait4(child, 0)
    os.close(reader)
    os.close(writer)
    if status:
        raise RuntimeError(f"the yardstick ended with {status}")
    return round((usage.ru_utime + usage.ru_stime) * 1e9)


def counting_program(loops):
    """An ELF program that does nothing but 2 × `loops` instructions and leave."""
    code = b"\xb9" + struct.pack("<I", loops) + b"\xff\xc9\x75\xfc" + b"\x31\xff\xb8\x3c\x00\x00\x00\x0f\x05"
    base, header = 0x400000, 64 + 56
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    elf = ident + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, base + header, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, header + len(code), header + len(code), 0x1000)
    return elf + segment + code


if __name__ == "__main__":
    main()
