"""How CPU time divides between program and kernel: a sample each `PERIOD` nanoseconds of a thread's own time."""

import ctypes
import mmap
import os
import struct

PERIOD = 40_000
PAGES = 512
SYS_PERF_EVENT_OPEN = 298
SOFTWARE, CPU_CLOCK, SAMPLE_IP, RECORD_SAMPLE = 1, 0, 1, 9
MODE_MASK, MODE_KERNEL, MODE_USER = 7, 1, 2
# Where the first page of the buffer says how far it is written (perf_event_open(2), data_head).
DATA_HEAD = 1024


class Samples:
    """Samples all threads of some processes, from now until [`Samples.stop`]."""

    def __init__(self, pids):
        self.buffers = []
        for pid in pids:
            for task in os.listdir(f"/proc/{pid}/task"):
                descriptor = open_event(int(task))
                self.buffers.append((descriptor, mmap.mmap(descriptor, (1 + PAGES) * mmap.PAGESIZE)))

    def stop(self):
        """Samples in the program and in the kernel."""
        counts = {MODE_USER: 0, MODE_KERNEL: 0}
        for descriptor, buffer in self.buffers:
            os.close(descriptor)
            (written,) = struct.unpack_from("Q", buffer, DATA_HEAD)
            at, end = mmap.PAGESIZE, mmap.PAGESIZE + min(written, PAGES * mmap.PAGESIZE)
            while at < end:
                kind, mode, size = struct.unpack_from("IHH", buffer, at)
                if kind == RECORD_SAMPLE:
                    counts[mode & MODE_MASK] = counts.get(mode & MODE_MASK, 0) + 1
                at += size
            buffer.close()
        return counts[MODE_USER], counts[MODE_KERNEL]


def open_event(task):
    attributes = struct.pack("IIQQQQQIIQ", SOFTWARE, 64, CPU_CLOCK, PERIOD, SAMPLE_IP, 0, 0, 0, 0, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.syscall(SYS_PERF_EVENT_OPEN, attributes, task, -1, -1, 0)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "perf_event_open")
    return descriptor
