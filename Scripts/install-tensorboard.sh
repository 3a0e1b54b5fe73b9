#!/usr/bin/env bash
# Puts TensorBoard and MLflow into a virtual environment, .build/figures, for the tests of what
# `supertop figures` writes. SUPERTOP_FIGURES_PYTHON names another Python to use.
set -euo pipefail
cd "$(dirname "$0")/.."
. Scripts/python-environment.sh
install_python_environment install-tensorboard figures SUPERTOP_FIGURES_PYTHON \
  Tests/ExportTests/read_figures.py tensorboard mlflow-skinny
