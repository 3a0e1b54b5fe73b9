"""The example notebook and the page's lines run from the first to the last, and draw."""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from programs import PROGRAM

NOTEBOOK = Path(__file__).parents[1] / "example.ipynb"
PAGE = Path(__file__).parents[2] / "Documentation" / "python.md"


def page_code():
    """The lines of Python of the page."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    return code


class Notebook(unittest.TestCase):
    def test_it_runs(self):
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        nbformat.validate(notebook)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        self.assertTrue(all(not cell.outputs for cell in code), "stored without outputs")
        with tempfile.TemporaryDirectory(prefix="supertop-notebook-") as folder:
            program = Path(folder, "bin", "supertop")
            program.parent.mkdir()
            program.symlink_to(Path(PROGRAM).resolve())
            environment = {
                **os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}",
                # The notebook's own backend, which keeps the pictures.
                "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            }
            client = NotebookClient(
                notebook, timeout=600, kernel_name="python3",
                resources={"metadata": {"path": folder}},
            )
            client.execute(env=environment)
            subprocess.run([sys.executable, "-c", page_code()], cwd=folder, check=True)
            self.assertTrue(Path(folder, "layer-4.png").exists())
            steps = self.result_of(code, "run.steps().tail()")
            self.assertIn("cross_entropy", steps["text/html"])
        for cell in code:
            if cell.source.startswith("plots.") and cell.source.endswith(";"):
                self.assertIn("image/png", cell.outputs[-1].data, cell.source)
        self.assertIn("notebook-joint", self.result_of(code, 'runs("runs")')["text/plain"])

    def result_of(self, cells, beginning):
        (cell,) = [cell for cell in cells if cell.source.startswith(beginning)]
        return cell.outputs[-1].data


if __name__ == "__main__":
    unittest.main()
