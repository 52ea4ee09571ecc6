#!/usr/bin/env bash
# Installs what "make test" needs beside Go, where it is missing: a C compiler,
# Mesa's software Vulkan driver (lavapipe), the Vulkan loader, the Khronos
# validation layer, GLSL compilers, SPIR-V tools, an emulator of arm64, and, as a
# second driver, SwiftShader. Debian and Ubuntu; root, or sudo. Where everything
# is there it only looks and is done at once.
#
# SwiftShader comes out of Debian's package chromium-common, which is unpacked
# into .cache/swiftshader and not installed. Ubuntu has no such package: there
# the tests run on lavapipe alone.
set -euo pipefail
cd "$(dirname "$0")/../.."

cache=$PWD/.cache/swiftshader
icd=$cache/vk_swiftshader_icd.json
library=$cache/libvk_swiftshader.so

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }

has_file() { # has_file PATTERN...: does a file match one of the patterns?
	compgen -G "$1" >/dev/null || { shift; [ $# -gt 0 ] && has_file "$@"; }
}

# Each line: the test that something is there, then the package that brings it.
missing_packages() {
	command -v "${CC:-gcc}" >/dev/null || echo gcc
	has_file /usr/include/stdlib.h /usr/local/include/stdlib.h || echo libc6-dev
	has_file '/usr/share/vulkan/icd.d/lvp_icd*.json' '/usr/local/share/vulkan/icd.d/lvp_icd*.json' || echo mesa-vulkan-drivers
	has_file '/usr/lib/*/libvulkan.so.1' /usr/lib/libvulkan.so.1 /usr/lib64/libvulkan.so.1 /usr/local/lib/libvulkan.so.1 || echo libvulkan1
	has_file '/usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json' \
		'/usr/local/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json' || echo vulkan-validationlayers
	command -v glslangValidator >/dev/null || echo glslang-tools
	command -v glslc >/dev/null || echo glslc
	command -v spirv-val >/dev/null || echo spirv-tools
	[[ $(uname -m) == @(aarch64|arm64) ]] || command -v qemu-aarch64-static >/dev/null || echo qemu-user-static
}

can_be_root() { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }

as_root() {
	if [ "$(id -u)" = 0 ]; then
		env DEBIAN_FRONTEND=noninteractive "$@"
	else
		sudo env DEBIAN_FRONTEND=noninteractive "$@"
	fi
}

apt_updated=
apt_update() { # once; one source that cannot be reached must not stop the rest
	[ -z "$apt_updated" ] || return 0
	apt_updated=1
	as_root apt-get update -qq -o Acquire::Retries=3 || say 'apt-get update failed, going on with the lists there are'
}

candidate() { # candidate PACKAGE: the version apt would take, or nothing
	LC_ALL=C apt-cache policy "$1" 2>/dev/null | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

# known PACKAGE: does apt offer it? A machine without lists must fetch them first;
# where there are lists, and yet no such package, fetching is not tried each time.
known() {
	has_file '/var/lib/apt/lists/*Packages*' || ! can_be_root || apt_update
	[ -n "$(candidate "$1")" ]
}

install_packages() {
	local packages missing
	packages=$(missing_packages | tr '\n' ' ')
	[ -n "$packages" ] || return 0
	command -v apt-get >/dev/null || die "missing: $packages(these are Debian's names), and there is no apt-get to install them"
	if [[ " $packages" == *' glslc '* ]] && ! known glslc; then
		say 'NO PACKAGE glslc HERE: shaders are compiled with glslangValidator alone'
		packages=${packages/glslc /}
	fi
	[ -n "$packages" ] || return 0
	can_be_root || die "missing, and neither root nor sudo to install them: $packages"
	say "installing $packages"
	apt_update
	# shellcheck disable=SC2086 # words of a list
	as_root apt-get install -y -qq --no-install-recommends -o Acquire::Retries=3 $packages
	missing=$(missing_packages | grep -vx glslc | tr '\n' ' ' || true)
	[ -z "$missing" ] || die "installed, but not found: $missing"
}

distribution() { # the ID of /etc/os-release: debian, ubuntu, ...
	# shellcheck disable=SC1091
	(. /etc/os-release 2>/dev/null && echo "${ID:-unknown}") || echo unknown
}

no_swiftshader() { # no_swiftshader WHY: an error on Debian, loud elsewhere
	[ "$(distribution)" != debian ] || die "SwiftShader: $1"
	say "SWIFTSHADER IS MISSING ($1): Vulkan is tested on lavapipe alone"
}

unpack_swiftshader() {
	local work so
	if [ ! -e "$library" ]; then
		command -v apt-get >/dev/null || { no_swiftshader 'no apt-get'; return; }
		known chromium-common || { no_swiftshader 'no package chromium-common'; return; }
		mkdir -p "$(dirname "$cache")"
		work=$(mktemp -d "$cache.XXXXXX")
		# shellcheck disable=SC2064 # the folder of now
		trap "rm -rf '$work'" EXIT
		say "unpacking SwiftShader from chromium-common $(candidate chromium-common)"
		if ! (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root -o Acquire::Retries=3 chromium-common); then
			! can_be_root || apt_update # the lists may name a version that is gone
			(cd "$work" && apt-get download -qq -o APT::Sandbox::User=root -o Acquire::Retries=3 chromium-common) ||
				die 'SwiftShader: the download of chromium-common failed'
		fi
		dpkg-deb --extract "$work"/chromium-common_*.deb "$work/files"
		so=$(find "$work/files" -name libvk_swiftshader.so | head -n 1)
		[ -n "$so" ] || { no_swiftshader 'chromium-common has no libvk_swiftshader.so'; return; }
		mkdir -p "$cache"
		cp "$work"/files/usr/share/doc/chromium-common/copyright "$cache/" 2>/dev/null || true
		basename "$work"/chromium-common_*.deb .deb >"$cache/version"
		mv "$so" "$library" # last: its presence says that all is there
	fi
	# The path is absolute, and the checkout may have moved since.
	grep -qsF "\"$library\"" "$icd" ||
		printf '{\n  "file_format_version": "1.0.0",\n  "ICD": { "library_path": "%s", "api_version": "1.3.0" }\n}\n' "$library" >"$icd"
}

install_packages
unpack_swiftshader
