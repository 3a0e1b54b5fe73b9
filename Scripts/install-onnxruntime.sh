#!/usr/bin/env bash
# Puts ONNX Runtime into a virtual environment, .build/onnx, for the tests of the export.
# SUPERTOP_ONNX_PYTHON names another Python to use.
set -euo pipefail
cd "$(dirname "$0")/.."
. Scripts/python-environment.sh
install_python_environment install-onnxruntime onnx SUPERTOP_ONNX_PYTHON \
  Tests/ExportTests/run_onnx.py onnxruntime
