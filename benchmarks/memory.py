"""Peak memory of one frontend on 10 minutes of audio, in a process of its own.

    python -m benchmarks.memory "fast LEAF"

Prints the resident bytes before the frontend runs and the peak after.
"""

import resource
import sys

from benchmarks import contestants
from benchmarks.engines import current_engine


def main(name):
    # TensorFlow's and XLA's own buffers come with the first call; a short one.
    engine = current_engine()
    mode = engine.modes[0]
    engine.forward(contestants.make(name), (1, 16000), mode)()
    before = peak_bytes()
    engine.forward(contestants.make(name), (1, 600 * 16000), mode)()
    print(before, peak_bytes())


def peak_bytes():
    # Linux counts the parent's pages in `ru_maxrss` of a new process.
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main(sys.argv[1])
