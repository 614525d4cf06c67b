"""Runs inside the emulated machine, where a nanosecond of CPU time is an instruction. Reads job.json, writes result lines."""

import json
import os
import pathlib
import struct
import sys

sys.path.insert(0, "/bench/lib")
import browser
import closed_loop
import sampling
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
    # A batch process runs until it waits: no system is interrupted whenever the load generator has sent one more request.
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    ports = {name: 8001 + index for index, name in enumerate(systems.NAMES)}
    world = systems.Systems("/run", ports, lambda path: [f"/{path}"], "/usr/lib/apache2/modules", "/bench/cloakroom", "/bench/material")
    for name in ("upstream", "provider"):
        world.start(name)
    pids = {name: world.start(name) for name in job["systems"]}
    headers = systems.signed_in(ports, list(pids))
    for name in pids:
        head = f"GET {browser.PATH} HTTP/1.1\r\n" + "".join(f"{key}: {value}\r\n" for key, value in headers[name].items()) + "\r\n"
        say("request", system=name, head=len(head), cookies=len(headers[name]["Cookie"]))
    loads = {name: closed_loop.ClosedLoop(ports[name], browser.PATH, headers[name], job["connections"]) for name in pids}
    requests = job["requests"]
    for name in pids:
        loads[name].run(requests[name])
    # That was to warm up.
    for turn in range(job["rounds"]):
        # Every second turn goes the other way round.
        for name in list(pids)[:: 1 if turn % 2 == 0 else -1]:
            before = systems.cpu_nanoseconds(pids[name])
            loads[name].run(requests[name])
            spent = systems.cpu_nanoseconds(pids[name]) - before
            say("round", system=name, requests=requests[name], instructions=spent)
    # Not while the whole is counted: a sample takes instructions too.
    for name in pids:
        samples = sampling.Samples(systems.family(pids[name]))
        loads[name].run(requests[name])
        program, kernel = samples.stop()
        say("samples", system=name, program=program, kernel=kernel)


def flags():
    wanted = ["aes", "pclmulqdq", "avx", "avx2", "sha_ni", "vaes", "erms", "rep_good"]
    line = next(line for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags"))
    return {flag: flag in line.split() for flag in wanted}


def yardstick():
    """A program of a known length, once and again: the difference of two lengths is free of what starting costs."""
    short, long = (min(spent(counting_program(loops)) for _ in range(2)) for loops in (5_000_000, 55_000_000))
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
