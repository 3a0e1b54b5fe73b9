# Sourced by the scripts that install Python packages for tests, each into an environment of its
# own. Silent, and off the network, when it is there.
#
# Python is no dependency of supertop: where an environment cannot be made this says so in one line,
# and the tests that need it are skipped, which they say too.

# The script for messages, the environment's name in .build, a variable that names another Python,
# a script of the tests whose --check tells whether all is there, and the packages.
install_python_environment() {
  local script=$1 folder=.build/$2 named=${!3:-} check=$4
  shift 4
  local python=${named:-$folder/bin/python}

  usable() { "$python" "$check" --check >/dev/null 2>&1; }
  give_up() { printf '%s: %s; its tests are skipped\n' "$script" "$1" >&2; exit 0; }

  usable && exit 0
  [ -z "$named" ] || give_up "$named has not $*"
  command -v python3 >/dev/null 2>&1 || give_up 'no python3 here'

  echo "$script: installing $* into $folder" >&2
  mkdir -p .build
  rm -rf "$folder"
  python3 -m venv "$folder" >/dev/null 2>&1 ||
    {
      rm -rf "$folder"
      give_up 'python3 has no venv or no pip (Debian: apt-get install python3-venv)'
    }
  "$python" -m pip install --quiet --disable-pip-version-check --timeout 30 "$@" \
    </dev/null >&2 && usable ||
    { rm -rf "$folder"; give_up "pip could not install $*"; }
}
