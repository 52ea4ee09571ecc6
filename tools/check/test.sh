#!/usr/bin/env bash
# Everything that "make test" does, in sections:
#
#   tools/check/test.sh             all of them
#   tools/check/test.sh vet race    these
#
# A section that fails does not stop the others; the summary names it, and the
# exit status is 1. Only without the setup nothing else is tried. The output of
# each is kept in .cache/test.
set -euo pipefail
cd "$(dirname "$0")/../.."

sections=(setup format vet staticcheck tree shaders cross arm64 race nocgo nested swiftshader tests)
staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2 # 2026.2.2
targets=(windows/amd64 darwin/arm64 linux/arm64 linux/386)
logs=$PWD/.cache/test
# What a developer's shell may set must not decide what is tested.
unset FORNAX_DEVICE FORNAX_VALIDATION FORNAX_REQUIRE_VULKAN VK_DRIVER_FILES VK_ICD_FILENAMES VK_INSTANCE_LAYERS

fail() { printf '%s\n' "$*" >&2; return 1; }

# on_driver ICD COMMAND...: with this Vulkan driver and no other. Older loaders
# know the second name only. FORNAX_REQUIRE_VULKAN makes its absence a failure.
on_driver() {
	local icd=$1
	shift
	VK_DRIVER_FILES=$icd VK_ICD_FILENAMES=$icd FORNAX_REQUIRE_VULKAN=1 "$@"
}

lavapipe() { # the driver's manifest
	local f
	for f in /usr/share/vulkan/icd.d/lvp_icd*.json /usr/local/share/vulkan/icd.d/lvp_icd*.json; do
		[ ! -e "$f" ] || { echo "$f"; return; }
	done
	fail 'lavapipe is not installed: run make setup'
}

# go_test FLAGS...: go test, with its own output and the skipped tests. No result
# comes from go's cache, which knows nothing of drivers.
go_test() {
	go test -json -count=1 "$@" 2>&1 | "$checker" -results
}

# The same, and a Vulkan test that is skipped is a failure.
go_test_vulkan() {
	go test -json -count=1 "$@" 2>&1 | "$checker" -results -vulkan
}

run_setup() { tools/setup/setup.sh; }

run_format() {
	local files
	files=$(gofmt -l .)
	[ -z "$files" ] || fail "not in gofmt's form (make fmt):"$'\n'"$files"
}

run_vet() {
	go vet ./...
	CGO_ENABLED=0 go vet ./...
	go vet -tags purego ./...
}

run_staticcheck() {
	GOBIN=$logs/bin GOFLAGS='' go install $staticcheck
	"$logs/bin/staticcheck" ./...
	CGO_ENABLED=0 "$logs/bin/staticcheck" ./...
}

run_tree() { "$checker"; }

# The modules in the tree are those of the sources, and compiling them again with
# the same compiler, where it is at hand, gives the same bytes.
run_shaders() {
	go run ./tools/shaderc -check shaders
	go run ./tools/shaderc -verify shaders
}

run_cross() {
	local target
	for target in "${targets[@]}"; do
		echo "$target"
		CGO_ENABLED=0 GOOS=${target%/*} GOARCH=${target#*/} go build ./...
		CGO_ENABLED=0 GOOS=${target%/*} GOARCH=${target#*/} go vet ./...
	done
}

# The CPU device at level neon; where the processor is another, under emulation.
# One test runs its own executable, which the emulator leaves to the system.
run_arm64() {
	local emulator=()
	if [ "$(go env GOHOSTARCH)" != arm64 ]; then
		command -v qemu-aarch64-static >/dev/null || fail 'qemu-aarch64-static is not installed: run make setup'
		emulator=(-exec qemu-aarch64-static -skip '^TestLevelVariable$|/^portable')
	fi
	FORNAX_CPU_LEVEL=neon GOARCH=arm64 CGO_ENABLED=0 go_test -short -timeout 10m "${emulator[@]}" ./cpu
	GOARCH=arm64 CGO_ENABLED=0 go vet -tags purego ./cpu
}

run_race() {
	local list icd
	list=$(go list ./cpu/... ./tensor/... ./vk/... ./nn/... | grep -v /nn/data/mnist)
	[ -n "$list" ] || fail 'no packages'
	icd=$(lavapipe)
	# shellcheck disable=SC2086 # a list of packages
	on_driver "$icd" go_test -race -short -timeout 20m $list
}

# Without cgo there is no Vulkan, and all else works; the portable kernels too.
run_nocgo() {
	CGO_ENABLED=0 go_test -short -tags purego -timeout 10m ./...
}

# Modules of their own inside the tree.
run_nested() {
	local mod icd
	icd=$(lavapipe)
	find . -name go.mod -not -path ./go.mod -not -path '*/.*/*' -not -path '*/testdata/*' | sort | while read -r mod; do
		echo "$mod"
		(cd "$(dirname "$mod")" && go vet ./... && on_driver "$icd" go test -count=1 ./... </dev/null)
	done
}

# The second driver: the weakest device that there is.
run_swiftshader() {
	local icd=$PWD/.cache/swiftshader/vk_swiftshader_icd.json list
	if [ ! -e "$icd" ]; then
		echo 'SWIFTSHADER IS MISSING: NOT TESTED (tools/setup/setup.sh says why)'
		return
	fi
	list=$(go list ./vk/...)
	[ -n "$list" ] || fail 'no packages'
	# shellcheck disable=SC2086 # a list of packages
	FORNAX_VALIDATION=1 on_driver "$icd" go_test_vulkan -timeout 20m $list
}

run_tests() {
	local icd
	icd=$(lavapipe)
	FORNAX_VALIDATION=1 on_driver "$icd" go_test_vulkan -timeout 20m ./...
}

main() {
	local chosen=("$@") name began start rc failed=() summary='' checker
	[ $# -gt 0 ] || chosen=("${sections[@]}")
	for name in "${chosen[@]}"; do
		[[ " ${sections[*]} " == *" $name "* ]] || { fail "no section $name; there are: ${sections[*]}" || exit 2; }
	done
	mkdir -p "$logs"
	rm -f "$logs"/*.log
	checker=$logs/check
	go build -o "$checker" ./tools/check
	began=$SECONDS
	for name in "${chosen[@]}"; do
		printf '\n=== %s\n' "$name"
		start=$SECONDS
		# A subshell outside of any condition, so that an error ends it.
		set +e
		(
			set -e
			"run_$name"
		) 2>&1 | tee "$logs/$name.log"
		rc=${PIPESTATUS[0]}
		set -e
		if [ "$rc" = 0 ]; then
			summary+=$(printf '%-12s %4d s' "$name" $((SECONDS - start)))$'\n'
		else
			summary+=$(printf '%-12s %4d s  FAILED' "$name" $((SECONDS - start)))$'\n'
			failed+=("$name")
			[ "$name" != setup ] || break
		fi
	done
	printf '\n=== summary\n%s%-12s %4d s\n' "$summary" total $((SECONDS - began))
	for name in "${failed[@]}"; do
		printf '\n=== end of the output of %s, which failed\n' "$name"
		tail -n 30 "$logs/$name.log"
	done
	# Last, what go test says of each package.
	if [[ " ${chosen[*]} " == *' tests '* && -e $logs/tests.log ]]; then
		printf '\n=== go test ./...\n'
		grep -E '^(ok|FAIL|---|panic:|\?)|tests passed in' "$logs/tests.log" || true
	fi
	[ ${#failed[@]} = 0 ] || { fail "FAILED: ${failed[*]}" || exit 1; }
}

main "$@"
