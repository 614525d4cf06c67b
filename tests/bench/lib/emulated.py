"""Instructions per request of each system, by one run of the emulated machine."""

import os
import pathlib
import shutil
import statistics
import time

import machine
import packages

MINUTES = 12
ROUNDS = 4
# Who takes so many times longer is asked so many times less.
SLOWER = {"mod_auth_openidc": 8}


def measure(binary, systems, requests, connections, keep=False):
    """Boots the machine, lets it serve, sums up."""
    if not pathlib.Path(binary).is_file():
        raise packages.Missing(f"{binary} is missing: cargo build --release --locked")
    folder = packages.WORK / f"guest-{os.getpid()}"
    before = time.monotonic()
    each = {name: -(-requests // (ROUNDS * SLOWER.get(name, 1))) for name in systems}
    job = {"systems": systems, "connections": connections, "rounds": ROUNDS, "requests": each}
    try:
        lines = machine.run(job, binary, packages.material(), folder, MINUTES)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    result = {
        "seconds": round(time.monotonic() - before),
        "connections": connections,
        "processor": one(lines, "processor"),
        "yardstick": one(lines, "yardstick"),
        "systems": {name: summary(name, lines) for name in systems},
    }
    nginx = result["systems"]["nginx"]["instructions"]
    for figures in result["systems"].values():
        figures["times_nginx"] = round(nginx / figures["instructions"], 3)
    return result


def summary(name, lines):
    mine = [line for line in lines if line.get("system") == name]
    rounds = [line for line in mine if line["kind"] == "round"]
    request = one(mine, "request")
    each = [line["instructions"] / line["requests"] for line in rounds]
    instructions = sum(line["instructions"] for line in rounds) / sum(line["requests"] for line in rounds)
    samples = one(mine, "samples")
    kernel = instructions * samples["kernel"] / (samples["program"] + samples["kernel"])
    return {
        "instructions": round(instructions),
        "program": round(instructions - kernel),
        "kernel": round(kernel),
        "spread": round((max(each) - min(each)) / statistics.mean(each), 4),
        "requests": sum(line["requests"] for line in rounds),
        "rounds": len(rounds),
        "head_bytes": request["head"],
        "cookie_bytes": request["cookies"],
    }


def one(lines, kind):
    return {key: value for key, value in next(line for line in lines if line["kind"] == kind).items() if key not in ("kind", "system")}


def table(result):
    lines = [f"{'k instructions per request':<26} {'all':>7} {'program':>8} {'kernel':>7} {'nginx ÷ it':>11} {'rounds differ':>14}"]
    for name, figures in result["systems"].items():
        thousands = [figures[part] / 1000 for part in ("instructions", "program", "kernel")]
        lines.append("{:<26} {:>7.1f} {:>8.1f} {:>7.1f} {:>11.3f} {:>14.1%}".format(name, *thousands, figures["times_nginx"], figures["spread"]))
    cloakroom, yardstick = result["systems"]["cloakroom"], result["yardstick"]
    has = [flag for flag, there in result["processor"]["flags"].items() if there]
    lacks = [flag for flag, there in result["processor"]["flags"].items() if not there]
    lines += [
        "",
        f"request: {cloakroom['head_bytes']} bytes of head, {cloakroom['cookie_bytes']} of them cookies; {result['connections']} connections; {result['seconds']} s",
        f"yardstick: a program of {yardstick['expected']:,} instructions measured {yardstick['measured']:,}; clock {result['processor']['clock']}",
        f"processor: with {' '.join(has)}; without {' '.join(lacks)}",
    ]
    return "\n".join(lines)
