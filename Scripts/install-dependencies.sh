#!/usr/bin/env bash
# Installs what supertop needs and this machine lacks. Silent, and off the network, when nothing is
# missing.
#
#   Scripts/install-dependencies.sh [tests] [mpi] [checks]
#
# Without a word: what building and running need. `tests` adds tmux, which drives the real program
# in the end-to-end test. `mpi` adds Open MPI, which starts several of it; without one those tests
# are skipped. `checks` adds what only .ci/run uses: objdump, a processor emulator and
# a reader of manual pages that finds their faults.
set -euo pipefail

# Columns: group, how presence is tested, Debian package, Homebrew formula (- where the system has
# it).
needs() {
  cat <<'TABLE'
build  command:pkg-config     pkg-config         pkg-config
build  library:ncursesw       libncurses-dev     -
build  library:libjpeg        libjpeg-dev        jpeg-turbo
build  library:libpng         libpng-dev         libpng
build  library:zlib           zlib1g-dev         zlib
build  library:sqlite3        libsqlite3-dev     -
tests  command:tmux           tmux               tmux
mpi    command:mpirun         openmpi-bin        open-mpi
checks command:objdump        binutils           -
checks command:qemu-x86_64    qemu-user          -
checks command:mandoc         mandoc             -
TABLE
}

fail() { # exit code, then the line to say
  printf 'install-dependencies: %s\n' "$2" >&2
  exit "$1"
}

present() {
  local name=${1#*:}
  case $1 in
    command:*) command -v "$name" >/dev/null 2>&1 ;;
    library:*) pkg-config --exists "$name" 2>/dev/null ;;
  esac
}

# Prints column $1 (3 Debian, 4 Homebrew) of what the wanted groups lack, one a line.
missing() {
  local group test debian brew name
  while read -r group test debian brew; do
    case " $wanted " in *" $group "*) ;; *) continue ;; esac
    if [ "$1" = 3 ]; then name=$debian; else name=$brew; fi
    if [ "$name" != - ] && ! present "$test"; then printf '%s\n' "$name"; fi
  done < <(needs)
}

install_debian() {
  local packages=("$@") root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 ||
      fail 77 "not root and no sudo; run as root: apt-get install ${packages[*]}"
    root=(sudo)
    # Nobody can type a password where there is no terminal: fail at once instead of hanging.
    [ -t 0 ] || root=(sudo -n)
  fi
  printf 'install-dependencies: installing %s\n' "${packages[*]}" >&2
  # A stale list of some other repository must not stop us: only the installation decides.
  "${root[@]}" apt-get update -qq >&2 || true
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${packages[@]}" </dev/null >&2 ||
    fail 69 "apt-get could not install ${packages[*]}"
}

wanted="build $*"
command -v swift >/dev/null 2>&1 ||
  fail 69 'Swift 6.3 or later is missing; get it from https://www.swift.org/install'

case $(uname -s) in
  Darwin)
    formulas=$(missing 4 | tr '\n' ' ')
    [ -z "$formulas" ] || fail 69 "libraries are missing; run: brew install ${formulas% }"
    ;;
  *)
    packages=()
    while read -r name; do packages+=("$name"); done < <(missing 3)
    [ ${#packages[@]} -gt 0 ] || exit 0
    command -v apt-get >/dev/null 2>&1 ||
      fail 69 "no apt-get here; install the equivalents of: ${packages[*]}"
    install_debian "${packages[@]}"
    ;;
esac
