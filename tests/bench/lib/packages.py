"""The Debian packages of the measurement, fetched and unpacked below target/bench: nothing is installed, no root needed."""

import hashlib
import os
import pathlib
import secrets
import shutil
import subprocess

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
WORK = REPOSITORY / "target" / "bench"

# With all they depend on, so what runs does not hang on what the machine happens to have.
PACKAGES = [
    "nginx-light",
    "haproxy",
    "apache2-bin",
    "libapache2-mod-auth-openidc",
    "wrk",
    "openssl",
    "busybox-static",
    "python3.11-minimal",
    "libpython3.11-stdlib",
]
KERNEL = "linux-image-cloud-amd64"
EMULATOR = ["qemu-system-x86"]


class Missing(Exception):
    """Something that is needed is not there and cannot be fetched."""


def root():
    """The folder with the unpacked packages."""
    return _unpacked("root", PACKAGES)


def kernel():
    """The kernel image of the guest."""
    images = sorted((_unpacked("kernel", [KERNEL]) / "boot").glob("vmlinuz-*"))
    if not images:
        raise Missing(f"{KERNEL} holds no kernel")
    return images[-1]


def emulator():
    """The command that starts QEMU: the machine's own, else one from the packages."""
    installed = shutil.which("qemu-system-x86_64")
    if installed:
        return [installed]
    own = _unpacked("emulator", EMULATOR)
    # It looks for its parts beside the program that was started, and that is the loader.
    parts = f"QEMU_MODULE_DIR={own / 'usr/lib/x86_64-linux-gnu/qemu'}"
    return ["env", parts, *run_from(own, "usr/bin/qemu-system-x86_64"), "-L", str(own / "usr/share/qemu"), "-L", str(own / "usr/share/seabios")]


def run_from(unpacked, program):
    """The command for a program of unpacked packages, with their C library and loader."""
    libraries = [unpacked / folder for folder in ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/pulseaudio")]
    loader = unpacked / "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
    return [str(loader), "--library-path", ":".join(map(str, libraries)), str(unpacked / program)]


def material():
    """Keys for the provider and for us, made once: the same in every run, so that runs are alike."""
    folder = WORK / "material"
    if (folder / "client-secret").is_file():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    openssl = shutil.which("openssl")
    command = [openssl] if openssl else run_from(root(), "usr/bin/openssl")
    subprocess.run([*command, "genrsa", "-out", str(folder / "provider.pem"), "2048"], check=True, capture_output=True)
    (folder / "cookie.key").write_text(secrets.token_hex(32))
    (folder / "client-secret").write_text(secrets.token_hex(20))
    return folder


def _unpacked(name, packages):
    """Fetches and unpacks once; again only when the list is another."""
    folder = WORK / name
    stamp = folder / ".packages"
    wanted = hashlib.sha256("\n".join(packages).encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return folder
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            raise Missing(f"{tool} is missing: the measurement takes its programs from Debian packages")
    print(f"fetching {', '.join(packages)} below {WORK.relative_to(REPOSITORY)}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for archive in _archives(name, packages):
        _run("dpkg-deb", "-x", archive, folder)
    stamp.write_text(wanted)
    return folder


def _archives(name, packages):
    """All packages with their dependencies, as files. The package manager believes that nothing is installed."""
    apt = WORK / "apt"
    archives = apt / f"archives-{name}"
    for each in (apt / "lists" / "partial", archives / "partial"):
        each.mkdir(parents=True, exist_ok=True)
    status = apt / "status"
    status.touch()
    options = [
        *("-o", f"Dir::State::lists={apt}/lists", "-o", f"Dir::State::status={status}"),
        *("-o", f"Dir::Cache={apt}", "-o", f"Dir::Cache::archives={archives}", "-o", "APT::Sandbox::User=root"),
        *("-o", "APT::Install-Recommends=false", "-o", "Debug::NoLocking=true", "-qq", "-y"),
    ]
    _run("apt-get", *options, "update")
    if packages == [KERNEL]:
        # Alone: what it depends on is for machines that boot from a disk.
        image = _run("apt-cache", *options[:-2], "depends", "--important", KERNEL).split("Depends: ")[1].split()[0]
        _run("apt-get", *options, "download", image, folder=archives)
    else:
        _run("apt-get", *options, "install", "--download-only", *packages)
    return sorted(archives.glob("*.deb"))


def _run(*command, folder=None):
    done = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    if done.returncode:
        raise Missing(f"{command[0]} failed: {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout
