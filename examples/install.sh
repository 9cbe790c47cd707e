#!/bin/sh
# Installs pipe, its manual and its completions, or removes them:
#
#   examples/install.sh [--prefix DIR] [--uninstall]
#
# DIR is /usr/local for root, and ~/.local for other users. The binary is .build/release/pipe, or the one that PIPE
# names. DESTDIR is put before DIR, as for make install. To upgrade, run it again; queues may be in use meanwhile.
# DIR/share/pipe/installed lists what was installed. --uninstall removes exactly this, and no queue.
set -eu
umask 022
LC_ALL=C
export LC_ALL

# echo of dash obeys backslashes.
say() { printf '%s\n' "$*"; }

fail() {
  say "install.sh: $*" >&2
  exit 1
}

usage="usage: examples/install.sh [--prefix DIR] [--uninstall]"
refuse() {
  say "install.sh: $1 ($usage)" >&2
  exit 64
}

prefix=
verb=install
while [ $# -gt 0 ]; do
  case $1 in
    --prefix)
      [ -n "${2:-}" ] || refuse "--prefix needs a directory"
      prefix=$2
      shift
      ;;
    --prefix=?*) prefix=${1#*=} ;;
    --uninstall) verb=uninstall ;;
    -h | --help)
      say "$usage"
      exit
      ;;
    *) refuse "$1: unknown argument" ;;
  esac
  shift
done
if [ -z "$prefix" ]; then
  prefix=/usr/local
  [ "$(id -u)" = 0 ] || {
    [ -n "${HOME:-}" ] || refuse "HOME is not set; use --prefix DIR"
    prefix=$HOME/.local
  }
fi
case $prefix in
  /*) ;;
  *) prefix=$PWD/$prefix ;;
esac
prefix=${prefix%/}
base=${DESTDIR:-}$prefix
list=share/pipe/installed
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

listed=
[ ! -e "$base/$list" ] || listed=$(cat "$base/$list") || fail "$base/$list: cannot be read"

# Lines of the list: files, or the directories that install.sh made, which end in a slash. "/" is the prefix.
files() { say "$listed" | grep -v '/$' || true; }
directories() { say "$listed" | grep '/$' || true; }
is_listed() { say "$listed" | grep -qxF -- "$1"; }

# Nothing is changed before it is clear that everything can be.
require_permission() {
  place=$base/$1
  while [ ! -e "$place" ]; do place=$(dirname "$place"); done
  [ -d "$place" ] || fail "$place: not a directory (--prefix chooses another place)"
  [ -w "$place" ] || fail "$place: permission denied (use sudo, or --prefix with a directory of your own)"
}

uninstall() {
  if [ -z "$listed" ]; then
    say "install.sh: $base: pipe was not installed here by install.sh (--prefix chooses another place)" >&2
    return
  fi
  for file in $(files); do require_permission "$(dirname "$file")"; done
  for file in $(files); do rm -f "$base/$file"; done
  for directory in $(directories | sort -r); do
    # Others may have put files there.
    rmdir "$base/$directory" 2> /dev/null || true
  done
  say "Removed pipe from $base; queues stay as they are"
}

# Mode, destination below the prefix, and source, which may have spaces.
plan() {
  say "755 bin/pipe $binary"
  for page in "$root"/man/*.[1-8]; do
    say "644 share/man/man${page##*.}/${page##*/} $page"
  done
  say "644 share/bash-completion/completions/pipe $root/completions/pipe.bash"
  say "644 share/zsh/site-functions/_pipe $root/completions/_pipe"
  say "644 share/fish/vendor_completions.d/pipe.fish $root/completions/pipe.fish"
}

# The directories above a path that do not exist yet.
missing() {
  above=$1
  while [ "$above" != . ]; do
    above=$(dirname "$above")
    [ -e "$base/${above#.}" ] || say "${above#.}/"
  done
}

# The list is complete before the first file comes and after the last one goes, so that an installation that was
# interrupted can be removed too.
write_list() {
  mkdir -p "$base/share/pipe"
  say "$1" | sort -u > "$base/$list.new"
  mv -f "$base/$list.new" "$base/$list"
}

install() {
  binary=${PIPE:-$root/.build/release/pipe}
  # Not a command of PATH.
  case $binary in */*) ;; *) binary=./$binary ;; esac
  [ -f "$binary" ] || fail "$binary: no such file (build it as README.md says, or set PIPE to a binary)"
  version=$("$binary" --version 2> /dev/null) || fail "$binary: cannot be run on this machine (build it here)"
  plan=$(plan)
  new="$list"
  made=$(missing "$list")
  while read -r _ destination source; do
    [ -r "$source" ] || fail "$source: cannot be read (run install.sh from a complete clone)"
    require_permission "$(dirname "$destination")"
    [ ! -d "$base/$destination" ] || fail "$base/$destination: is a directory (remove it, or choose another --prefix)"
    if [ -e "$base/$destination" ] && ! is_listed "$destination" && ! cmp -s "$source" "$base/$destination"; then
      fail "$base/$destination: another installation has put it there (remove it, or choose another --prefix)"
    fi
    new=$(printf '%s\n%s' "$new" "$destination")
    made=$(printf '%s\n%s' "$made" "$(missing "$destination")")
  done << EOF
$plan
EOF
  made=$(printf '%s\n%s' "$made" "$(directories)" | grep . || true)
  write_list "$(printf '%s\n%s\n%s' "$new" "$made" "$(files)" | grep .)"

  while read -r mode destination source; do
    mkdir -p "$(dirname "$base/$destination")"
    # A rename, so that a running pipe keeps its file and a new one finds a whole file.
    cp "$source" "$base/$destination.new"
    chmod "$mode" "$base/$destination.new"
    mv -f "$base/$destination.new" "$base/$destination"
  done << EOF
$plan
EOF
  # Removes files of the previous version that this one lacks.
  for file in $(files); do
    say "$new" | grep -qxF -- "$file" || rm -f "$base/$file"
  done
  write_list "$(printf '%s\n%s' "$new" "$made" | grep .)"

  say "Installed pipe $version in $base"
  [ -n "${DESTDIR:-}" ] || advise
}

# Prints the steps that are left to the user, so that shells find it.
advise() {
  # As it stands between double quotes in a shell's file.
  typed=$(printf %s "$prefix" | sed 's/[$`"\\]/\\&/g')
  case :$PATH: in
    *:"$prefix/bin":*)
      found=$(command -v pipe || true)
      [ "$found" = "$prefix/bin/pipe" ] ||
        say "$found comes before it in PATH (remove one of them)"
      say "Next: man pipe"
      ;;
    *)
      say "$prefix/bin is not in PATH. Add this line to ~/.profile, and log in again:"
      say "  PATH=\"$typed/bin:\$PATH\""
      ;;
  esac
  case $prefix in
    /usr | /usr/local) ;;
    *)
      say "For completions in zsh, add this line to ~/.zshrc, before compinit:"
      say "  fpath=(\"$typed/share/zsh/site-functions\" \$fpath)"
      [ "$prefix" = "${HOME:-}/.local" ] || {
        say "For completions in bash, add this line to ~/.bashrc:"
        say "  . \"$typed/share/bash-completion/completions/pipe\""
      }
      ;;
  esac
}

"$verb"
