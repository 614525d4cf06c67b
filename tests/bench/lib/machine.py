"""The emulated machine: its disk image in memory, its start, its results.

QEMU without a hypervisor counts instructions and takes the count as the time (`-icount shift=0`: one instruction, one
nanosecond). So the CPU time that the guest's kernel accounts to a process is the number of instructions that it took, in
the program and in the kernel; nothing else that runs on the host can change it.
"""

import json
import os
import pathlib
import stat
import subprocess

import packages

COMMAND_LINE = [
    "console=ttyS0",
    "quiet",
    "panic=-1",
    "tsc=reliable",
    "no_timer_check",
    # What differs from processor to processor and is not the subject: clearing of new memory, detours against speculation.
    "mitigations=off",
    "init_on_alloc=0",
    "nokaslr",
]
# Copies by `rep movsb` count one instruction a byte here and one in all on a processor: the kernel gets the 8-byte way.
PROCESSOR = "max,-erms,-fsrm,-la57"
INIT = """#!/bin/busybox sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0
busybox mount -t proc none /proc
busybox mount -t sysfs none /sys
busybox mount -t devtmpfs none /dev
busybox mkdir /dev/shm
busybox mount -t tmpfs none /dev/shm
busybox mount -t tmpfs none /run
busybox mount -t tmpfs none /tmp
busybox ifconfig lo 127.0.0.1 up
ulimit -n 30000
/usr/bin/python3.11 /bench/lib/guest.py
# Lets the serial lines run dry.
busybox sleep 1
busybox reboot -f
"""
# Of the packages, what the guest needs.
KEPT = [
    "bin/busybox",
    "lib/x86_64-linux-gnu/",
    "lib64/",
    "usr/bin/openssl",
    "usr/bin/python3.11",
    "usr/lib/apache2/modules/",
    "usr/lib/python3.11/",
    "usr/lib/ssl/",
    "usr/lib/x86_64-linux-gnu/",
    "usr/sbin/apache2",
    "usr/sbin/haproxy",
    "usr/sbin/nginx",
    "etc/ssl/openssl.cnf",
]
DROPPED = tuple(f"usr/lib/x86_64-linux-gnu/{name}" for name in ("gconv", "libicu", "libperl", "perl"))


class Broken(Exception):
    """The machine did not run to its end."""


def run(job, binary, material, folder, minutes):
    """Boots, runs the job, gives the lines of its results."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    image, console, results = folder / "image.cpio", folder / "console.log", folder / "results.jsonl"
    with open(image, "wb") as out:
        write_image(out, job, binary, material)
    results.unlink(missing_ok=True)
    command = [
        *packages.emulator(),
        *("-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-smp", "1", "-cpu", PROCESSOR, "-m", "1024"),
        *("-rtc", "base=2026-01-01,clock=vm", "-nodefaults", "-display", "none", "-no-reboot"),
        *("-serial", f"file:{console}", "-serial", f"file:{results}"),
        *("-kernel", str(packages.kernel()), "-initrd", str(image), "-append", " ".join(COMMAND_LINE)),
    ]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=minutes * 60)
    except subprocess.TimeoutExpired:
        raise Broken(f"the emulated machine was ended after {minutes} minutes; its console: {console}") from None
    lines = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    if not lines or lines[-1]["kind"] != "end":
        why = lines[-1].get("why") if lines else done.stderr.strip()
        raise Broken(f"the emulated machine did not finish: {why or 'see ' + str(console)}")
    image.unlink()
    return lines


def write_image(out, job, binary, material):
    root = packages.root()
    writer = Archive(out)
    for name in ("proc", "sys", "dev", "run", "tmp", "root"):
        writer.folder(name)
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if any(name == kept or name.startswith(kept) for kept in KEPT) and not name.startswith(DROPPED):
            writer.add(name, path)
    for path in sorted(pathlib.Path(__file__).parent.glob("*.py")):
        writer.add(f"bench/lib/{path.name}", path)
    for path in sorted(pathlib.Path(material).iterdir()):
        writer.add(f"bench/material/{path.name}", path)
    writer.add("bench/cloakroom", pathlib.Path(binary))
    writer.file("bench/job.json", json.dumps(job).encode(), 0o644)
    writer.file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\nwww-data:x:33:33::/:/bin/sh\n", 0o644)
    writer.file("etc/group", b"root:x:0:\nnogroup:x:65534:\nwww-data:x:33:\n", 0o644)
    writer.file("etc/hosts", b"127.0.0.1 localhost\n", 0o644)
    writer.file("init", INIT.encode(), 0o755)
    writer.end()


class Archive:
    """A cpio archive in the format that the kernel unpacks ("newc")."""

    def __init__(self, out):
        self.out, self.number, self.folders = out, 0, set()

    def add(self, name, path):
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            self._inside(name, 0o120777, os.readlink(path).encode())
        elif stat.S_ISDIR(status.st_mode):
            self.folder(name)
        elif stat.S_ISREG(status.st_mode):
            self.file(name, path.read_bytes(), status.st_mode & 0o7777)

    def folder(self, name):
        if name not in self.folders and name != ".":
            self.folders.add(name)
            self._inside(name, 0o040755, b"")

    def file(self, name, content, mode):
        self._inside(name, 0o100000 | mode, content)

    def end(self):
        self._entry("TRAILER!!!", 0, b"")

    def _inside(self, name, mode, content):
        self.folder(str(pathlib.PurePosixPath(name).parent))
        self._entry(name, mode, content)

    def _entry(self, name, mode, content):
        self.number += 1
        label = name.encode() + b"\0"
        fields = (self.number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(label), 0)
        self._padded(b"070701" + b"".join(b"%08x" % field for field in fields) + label)
        self._padded(content)

    def _padded(self, data):
        self.out.write(data + bytes(-len(data) % 4))
