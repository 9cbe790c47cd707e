#!/bin/sh
# Makes a Debian package of the release build, and prints its path:
#
#   examples/debian/build.sh [DIR]
#
# DIR is where the package goes: by default .build. The binary is .build/release/pipe, or the one that PIPE names. It
# must be static, since the package depends on no other. VERSION overrides the version of the sources.
# The same binary and the same commit give the same package, byte for byte: SOURCE_DATE_EPOCH, by default the time of
# the last commit, is the time of everything in it.
set -eu
umask 022
LC_ALL=C
TZ=UTC
export LC_ALL TZ

fail() {
  echo "build.sh: $*" >&2
  exit 1
}

[ $# -le 1 ] || fail "usage: examples/debian/build.sh [DIR]"
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(dirname "$(dirname "$here")")
directory=${1:-$root/.build}
binary=${PIPE:-$root/.build/release/pipe}
# Not a command of PATH.
case $binary in */*) ;; *) binary=./$binary ;; esac
for tool in dpkg-deb gzip md5sum; do
  command -v "$tool" > /dev/null || fail "$tool is not installed"
done
[ -f "$binary" ] || fail "$binary: no such file (build it as README.md says, or set PIPE to a binary)"
[ -d "$directory" ] || fail "$directory: no such directory"
! ldd "$binary" > /dev/null 2>&1 ||
  fail "$binary: needs shared libraries (build it with -static-executable, as README.md says)"

sources=$(sed -n 's/^let programVersion = "\(.*\)"$/\1/p' "$root/Sources/pipe/Options/OptionTypes.swift")
built=$("$binary" --version) || fail "$binary: cannot be run on this machine (build it here)"
[ "$built" = "$sources" ] || fail "$binary: is version $built, but the sources are $sources (build it again)"
version=${VERSION:-$sources}-1
architecture=$(dpkg --print-architecture)
: "${SOURCE_DATE_EPOCH:=$(git -C "$root" log -1 --format=%ct)}" ||
  fail "the time of the last commit is unknown (set SOURCE_DATE_EPOCH)"
export SOURCE_DATE_EPOCH
maintainer=${MAINTAINER:-$(git -C "$root" log -1 --format='%an <%ae>')} ||
  fail "the author of the last commit is unknown (set MAINTAINER)"

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
trap 'exit 1' HUP INT TERM

# put MODE SOURCE DESTINATION
put() { install -D -m "$1" "$2" "$tree/$3"; }

put 755 "$binary" usr/bin/pipe
for page in "$root"/man/*.[1-8]; do
  put 644 "$page" "usr/share/man/man${page##*.}/${page##*/}"
done
put 644 "$root/completions/pipe.bash" usr/share/bash-completion/completions/pipe
put 644 "$root/completions/_pipe" usr/share/zsh/vendor-completions/_pipe
put 644 "$root/completions/pipe.fish" usr/share/fish/vendor_completions.d/pipe.fish
for unit in serve/pipe-serve.service serve/pipe-serve.socket worker/pipe-worker@.service; do
  put 644 "$root/examples/$unit" "usr/lib/systemd/system/${unit#*/}"
done
sed -i 's|/usr/local/bin/pipe|/usr/bin/pipe|' "$tree"/usr/lib/systemd/system/*.service
put 644 "$here/sysusers.conf" usr/lib/sysusers.d/pipe.conf
put 644 "$here/copyright" usr/share/doc/pipe/copyright
cat > "$tree/usr/share/doc/pipe/changelog.Debian" << EOF
pipe ($version) unstable; urgency=medium

  * Version ${version%-1} of pipe.

 -- $maintainer  $(date -R -d "@$SOURCE_DATE_EPOCH")
EOF
# Without name and time, which gzip would store.
gzip -9n "$tree"/usr/share/man/man*/* "$tree/usr/share/doc/pipe/changelog.Debian"

chmod 755 "$tree"
mkdir "$tree/DEBIAN"
for script in postinst prerm postrm; do put 755 "$here/$script" "DEBIAN/$script"; done
(cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum > DEBIAN/md5sums)
# In KiB. Sizes of directories differ between file systems, so each counts as 1.
size=$(cd "$tree" && find usr -printf '%y %s\n' |
  awk '{ kib += $1 == "f" ? int(($2 + 1023) / 1024) : 1 } END { print kib }')
cat > "$tree/DEBIAN/control" << EOF
Package: pipe
Version: $version
Section: utils
Priority: optional
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $size
Description: durable job queue for shell pipelines and cron jobs
 pipe is a set of Unix filters around a durable queue in a directory. An id is
 printed once the entry is on disk; no crash and no power cut removes it after
 that. Consumers take items out by priority, and acknowledge them with an exit
 status. There is no daemon. An HTTP gateway is included.
EOF

find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
package=$directory/pipe_${version}_$architecture.deb
# A fixed compressor: the default differs between distributions.
dpkg-deb --root-owner-group -Zxz --build "$tree" "$package" > /dev/null
echo "$package"
