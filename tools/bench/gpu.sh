#!/bin/sh
# Measures a machine's GPU in one call of under ten minutes, and leaves the results in a
# folder: bash tools/bench/gpu.sh [folder] [device]
#
#   info.txt      what the device is and has, and its self-tests, as many as a minute allows
#   suite.txt     the conformance suite and training, on this driver
#   tune.txt      the kernels that are fastest for common products
#   bench.md/json products, kernels bound by memory, training steps
#   tier3.md/json products of halves on VK_NV_cooperative_matrix2, where the device has it
#   mnist-*.txt   accuracy of an epoch in float32, bf16 and f16
#   peer.txt      what $PEER prints, a command that measures another library here
#
# A step that fails or runs out of its time, and leaves what it has by then, is noted in
# the last lines, and the others run all the same.
out=${1:-gpu-results}
device=${2:-vulkan:0}
cd "$(dirname "$0")/../.." && mkdir -p "$out" || exit 1
failed=

step() { # name, seconds, command...
	name=$1 limit=$2
	shift 2
	start=$(date +%s)
	timeout -s INT -k 10 "$limit" "$@" >"$out/$name" 2>"$out/$name.log" || failed="$failed $name"
	echo "$name: $(($(date +%s) - start)) s"
}

go build -o "$out/bin/" ./tools/info ./tools/bench ./examples/mnist || exit 1
step info.txt 75 "$out/bin/info" -device "$device"
step suite.txt 150 env FORNAX_REQUIRE_VULKAN=1 go test -v -short -count=1 -run 'Conformance|Training|Broken|Dispatches|MatrixUnits' ./vk
step tune.txt 75 "$out/bin/bench" tune -quick -device "$device"
step bench.md 120 "$out/bin/bench" vulkan -device "$device" -repeat 1 -json "$out/bench.json"
step tier3.md 25 env FORNAX_VK_TIER=3 "$out/bin/bench" vulkan -device "$device" -repeat 1 -only '^half/b?f16/' -json "$out/tier3.json"
for precision in f32 bf16 f16; do
	step "mnist-$precision.txt" 15 env FORNAX_DEVICE="$device" "$out/bin/mnist" -epochs 1 -precision $precision
done
if [ -n "$PEER" ]; then
	step peer.txt 50 sh -c "$PEER"
fi
if [ -n "$failed" ]; then
	echo "failed or out of time:$failed (see the .log files in $out)"
	exit 1
fi
