"""Answers of ONNX Runtime to stored images, for a test to compare.

    python run_onnx.py FOLDER

For each FOLDER/NAME.onnx reads NAME.input, raw 32-bit floats [N, C, H, W] of this machine, and
writes NAME.output, raw 32-bit floats [N, classes]. `--check` only tests whether the packages are
there.
"""

import pathlib
import sys

import numpy
import onnxruntime


def main(folder):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    for model in sorted(pathlib.Path(folder).glob("*.onnx")):
        session = onnxruntime.InferenceSession(
            str(model), options, providers=["CPUExecutionProvider"]
        )
        (image,) = session.get_inputs()
        assert image.name == "image", image.name
        assert [output.name for output in session.get_outputs()] == ["scores"]
        values = numpy.fromfile(model.with_suffix(".input"), dtype=numpy.float32)
        images = values.reshape([-1] + image.shape[1:])
        (scores,) = session.run(["scores"], {"image": images})
        scores.astype(numpy.float32).tofile(model.with_suffix(".output"))


if sys.argv[1] != "--check":
    main(sys.argv[1])
