#!/usr/bin/env bash
# Puts ONNX Runtime into a virtual environment, .build/onnx, for the tests of the export. Silent,
# and off the network, when it is there.
#
# Python is no dependency of supertop: where the environment cannot be made this says so in one
# line, and the tests that need it are skipped, which they say too. SUPERTOP_ONNX_PYTHON names
# another Python to use.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=.build/onnx
python=${SUPERTOP_ONNX_PYTHON:-$folder/bin/python}

usable() { "$python" Tests/ExportTests/run_onnx.py --check >/dev/null 2>&1; }
give_up() { printf 'install-onnxruntime: %s; its tests are skipped\n' "$1" >&2; exit 0; }

usable && exit 0
[ -z "${SUPERTOP_ONNX_PYTHON:-}" ] || give_up "$SUPERTOP_ONNX_PYTHON has no onnxruntime"
command -v python3 >/dev/null 2>&1 || give_up 'no python3 here'

echo 'install-onnxruntime: installing onnxruntime into .build/onnx' >&2
mkdir -p .build
rm -rf "$folder"
python3 -m venv "$folder" >/dev/null 2>&1 ||
  {
    rm -rf "$folder"
    give_up 'python3 has no venv or no pip (Debian: apt-get install python3-venv)'
  }
pip=("$python" -m pip install --quiet --disable-pip-version-check --timeout 30)
"${pip[@]}" onnxruntime </dev/null >&2 && usable ||
  { rm -rf "$folder"; give_up 'pip could not install onnxruntime'; }
