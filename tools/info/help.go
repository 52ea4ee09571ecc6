package main

// helpText is what -h prints.
const helpText = `NAME
    info - print what the devices of this machine are, have and can do

SYNOPSIS
    info [-json] [-quick] [-tests DURATION] [-device NAME]

DESCRIPTION
    For every device of every backend: model, vendor, driver, dtypes and limits;
    which kernels are in use, which are off, and the reason; memory, features,
    subgroups and cooperative matrices of a Vulkan device. A backend without
    devices, or a device that does not open, says why. The output is one page to
    paste into a report of a problem.

    Before it prints, every kernel and op of a Vulkan device is compared with the
    reference, and what computes wrongly is switched off. The verdicts are kept
    beside the pipeline cache. The first time that takes seconds on a GPU and
    minutes on a driver that computes on the CPU; after a minute it stops, the
    page says so, and the next call goes on. Then latency, copy bandwidth and
    arithmetic are measured for a second.

FLAGS
    -json            Print JSON.
    -quick           Leave self-tests and measurements out.
    -tests DURATION  How long the self-tests of a device may take (1m).
    -device NAME     Only this device, such as cpu or vulkan:1.
    -h               Print this text.

ENVIRONMENT
    FORNAX_VK_TIER=0|1|2|3    cap the Vulkan feature tier, or ask for 3
    FORNAX_VK_DISABLE=a,b     switch kernels off by name
    FORNAX_CPU_LEVEL=NAME     the CPU's SIMD level
    FORNAX_VALIDATION=1       the Khronos validation layer
    VK_DRIVER_FILES=FILE:...  the Vulkan drivers that the loader shall find

EXIT STATUS
    0, also where a kernel is off; 1 where the output cannot be written or a named
    device is not there; 2 when the command line is wrong.

EXAMPLES
    All of it, into a file:
        go run ./tools/info > report.txt
    What a cap changes:
        FORNAX_VK_TIER=0 go run ./tools/info -quick -device vulkan:0
    The kernels that are off, with jq:
        go run ./tools/info -json | jq '.devices[].facts[] | select(.value|startswith("off"))'

SEE ALSO
    go doc github.com/fornax-ml/fornax/vk   tiers, self-tests, tuning
    go run ./tools/bench                    how fast the devices are
`
