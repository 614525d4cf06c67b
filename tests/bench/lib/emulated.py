"""Instructions per request of each system, by one run of the emulated machine."""

import pathlib
import secrets
import shutil
import statistics
import subprocess
import time

import machine
import packages

MINUTES = 12


def measure(binary, systems, requests, connections, keep=False):
    """Boots the machine, lets it serve, sums up."""
    if not pathlib.Path(binary).is_file():
        raise packages.Missing(f"{binary} is missing: cargo build --release --locked")
    folder = packages.WORK / "guest"
    before = time.monotonic()
    job = {"systems": systems, "requests": requests, "connections": connections}
    lines = machine.run(job, binary, material(), folder, MINUTES)
    if not keep:
        shutil.rmtree(folder)
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
    program, kernel = (sum(line["ticks"][column] for line in rounds) for column in (0, 1))
    return {
        "instructions": round(sum(line["instructions"] for line in rounds) / sum(line["requests"] for line in rounds)),
        "spread": round((max(each) - min(each)) / statistics.mean(each), 4),
        "requests": sum(line["requests"] for line in rounds),
        "rounds": len(rounds),
        "kernel_share": round(kernel / (program + kernel), 3) if program + kernel else None,
        "head_bytes": request["head"],
        "cookie_bytes": request["cookies"],
    }


def one(lines, kind):
    return {key: value for key, value in next(line for line in lines if line["kind"] == kind).items() if key not in ("kind", "system")}


def material():
    """Keys for the provider and for us, made once: the same in every run, so that runs are alike."""
    folder = packages.WORK / "material"
    if (folder / "client-secret").is_file():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    openssl = shutil.which("openssl")
    command = [openssl] if openssl else packages.run_from(packages.root(), "usr/bin/openssl")
    subprocess.run([*command, "genrsa", "-out", str(folder / "provider.pem"), "2048"], check=True, capture_output=True)
    (folder / "cookie.key").write_text(secrets.token_hex(32))
    (folder / "client-secret").write_text(secrets.token_hex(20))
    return folder


def table(result):
    lines = [f"{'system':<18} {'k instructions':>15} {'nginx ÷ it':>11} {'kernel':>8} {'rounds differ':>14} {'requests':>9}"]
    for name, figures in result["systems"].items():
        kernel = "" if figures["kernel_share"] is None else f"~{figures['kernel_share']:.0%}"
        lines.append(
            f"{name:<18} {figures['instructions'] / 1000:>15.1f} {figures['times_nginx']:>11.3f} {kernel:>8} {figures['spread']:>14.1%} {figures['requests']:>9}"
        )
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
