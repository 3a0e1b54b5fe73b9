#!/usr/bin/env python3
"""The network of `supertop bench inference` in ONNX Runtime or PyTorch, batch-norm folded.

Reads the same JSON files (see ../README.md). With --dump the weights and images are those that
`supertop bench inference --dump` wrote, and the greatest difference of the scores is reported, as a
share of their size. Prints one JSON object with supertop's fields.
"""
import argparse
import json
import os
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np


def read(name, dump):
    """The network, and the side of its images."""
    file = Path(dump) / "network.json" if dump else Path(name)
    network = json.loads(file.read_text())
    return network, network["resolution"]


class Convolution:
    """A convolution with bias: filter [K, K, C/groups, D], or [K, K, D] if depthwise."""

    def __init__(self, kernel, inputs, outputs, stride=1, depthwise=False, activation=None):
        self.kernel, self.inputs, self.outputs, self.stride = kernel, inputs, outputs, stride
        self.depthwise, self.activation = depthwise, activation

    def take(self, values):
        """Takes filter and bias from an iterator over arrays of a given size."""
        shape = (self.kernel, self.kernel, 1 if self.depthwise else self.inputs, self.outputs)
        weights = values(int(np.prod(shape)), shape[0] * shape[1] * shape[2]).reshape(shape)
        # What both engines want: [D, C/groups, K, K].
        self.filter = np.ascontiguousarray(weights.transpose(3, 2, 0, 1))
        self.bias = values(self.outputs, self.outputs)


def layers(network):
    """The network as blocks (convolutions, whether the input is added); a skip is left out."""
    channels = network["channels"]
    for layer in network["layers"]:
        width, stride = layer["width"], layer.get("stride", 1)
        keeps = stride == 1 and width == channels
        if layer.get("convolution"):
            yield [Convolution(
                layer["kernel"], channels, width, stride,
                activation=layer.get("activation", "relu"))], False
            channels = width
            continue
        if layer.get("skip"):
            if not keeps:
                yield [Convolution(1, channels, width, stride, activation="relu")], False
        else:
            activation = layer.get("activation", "relu")
            middle = layer.get("middle", channels)
            block = []
            if "middle" in layer:
                # Groups come as a dense filter with zeros, the shuffle folded in.
                block.append(Convolution(1, channels, middle, activation=activation))
            block.append(
                Convolution(layer["kernel"], middle, middle, stride, True, activation))
            block.append(Convolution(1, middle, width))
            yield block, keeps
        channels = width


def weights(blocks, network, folder):
    """Fills the convolutions, from a dump or at random; returns the classifier."""
    if folder:
        source, at = np.fromfile(Path(folder) / "weights.f32", dtype=np.float32), 0

        def values(count, _):
            nonlocal at
            at += count
            return source[at - count:at].copy()
    else:
        random = np.random.default_rng(1)

        def values(count, fan):
            return (random.standard_normal(count) * np.sqrt(2 / fan)).astype(np.float32)

    for block, _ in blocks:
        for convolution in block:
            convolution.take(values)
    head, classes = network["layers"][-1]["width"], network["classes"]
    classifier = values(head * classes, head).reshape(head, classes), values(classes, classes)
    if folder and at != source.size:
        sys.exit(f"inference.py: {folder}/weights.f32 belongs to another network")
    return classifier


class OnnxRuntime:
    """The graph made directly, as ONNX Runtime likes it: one node a folded convolution."""

    def __init__(self, blocks, classifier, shape, threads):
        import onnx
        import onnxruntime
        from onnx import TensorProto, helper, numpy_helper

        nodes, initialisers = [], []

        def add(operation, inputs, **attributes):
            output = f"v{len(nodes)}"
            nodes.append(helper.make_node(operation, inputs, [output], **attributes))
            return output

        def constant(array):
            name = f"c{len(initialisers)}"
            initialisers.append(numpy_helper.from_array(array, name))
            return name

        x = "images"
        for block, residual in blocks:
            y = x
            for c in block:
                y = add(
                    "Conv", [y, constant(c.filter), constant(c.bias)],
                    kernel_shape=[c.kernel] * 2, strides=[c.stride] * 2,
                    pads=[c.kernel // 2] * 4, group=c.outputs if c.depthwise else 1)
                if c.activation == "relu":
                    y = add("Relu", [y])
                elif c.activation == "hswish":
                    y = add("HardSwish", [y])
            x = add("Add", [x, y]) if residual else y
        x = add("Flatten", [add("GlobalAveragePool", [x])])
        x = add("Gemm", [x, constant(classifier[0]), constant(classifier[1])])
        batch, height, width, channels = shape
        graph = helper.make_graph(
            nodes, "network",
            [helper.make_tensor_value_info(
                "images", TensorProto.FLOAT, [batch, channels, height, width])],
            [helper.make_tensor_value_info(
                x, TensorProto.FLOAT, [batch, classifier[1].size])],
            initialisers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        onnx.checker.check_model(model)
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.inter_op_num_threads = 1
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(
            model.SerializeToString(), settings, providers=["CPUExecutionProvider"])
        self.version = onnxruntime.__version__

    def prepare(self, images):
        return np.ascontiguousarray(images.transpose(0, 3, 1, 2))

    def __call__(self, images):
        return self.session.run(None, {"images": images})[0]


class Torch:
    """PyTorch eager in inference mode, channels last, batch-norms folded."""

    def __init__(self, blocks, classifier, shape, threads):
        import torch
        from torch import nn

        torch.set_num_threads(threads)
        self.torch, self.version = torch, torch.__version__
        activations = {"relu": nn.ReLU, "hswish": nn.Hardswish}

        class Block(nn.Module):
            def __init__(self, convolutions, residual):
                super().__init__()
                parts = []
                for c in convolutions:
                    part = nn.Conv2d(
                        c.inputs, c.outputs, c.kernel, c.stride, c.kernel // 2,
                        groups=c.outputs if c.depthwise else 1)
                    part.weight.data = torch.from_numpy(c.filter)
                    part.bias.data = torch.from_numpy(c.bias)
                    parts.append(part)
                    if c.activation:
                        parts.append(activations[c.activation](inplace=True))
                self.inner, self.residual = nn.Sequential(*parts), residual

            def forward(self, x):
                y = self.inner(x)
                return y.add_(x) if self.residual else y

        linear = nn.Linear(*classifier[0].shape)
        linear.weight.data = torch.from_numpy(np.ascontiguousarray(classifier[0].T))
        linear.bias.data = torch.from_numpy(classifier[1])
        self.network = nn.Sequential(
            *(Block(*block) for block in blocks), nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear
        ).eval().to(memory_format=torch.channels_last)

    def prepare(self, images):
        # Images with the colours last, seen as [N, C, H, W].
        return self.torch.from_numpy(images).permute(0, 3, 1, 2)

    def __call__(self, images):
        with self.torch.inference_mode():
            return self.network(images).numpy()


ENGINES = {"onnxruntime": OnnxRuntime, "torch": Torch}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=ENGINES, default="onnxruntime")
    parser.add_argument("--network", help="JSON file, if there is no --dump")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--size", type=int)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--dump", help="folder that `supertop bench inference --dump` wrote")
    options = parser.parse_args()

    network, side = read(options.network, options.dump)
    side = options.size or side
    shape = (options.batch, side, side, network["channels"])
    blocks = list(layers(network))
    classifier = weights(blocks, network, options.dump)
    if options.dump:
        images = np.fromfile(Path(options.dump) / "images.f32", dtype=np.float32).reshape(shape)
    else:
        images = np.random.default_rng(2).standard_normal(shape).astype(np.float32)
    engine = ENGINES[options.engine](blocks, classifier, shape, options.threads)
    ready = engine.prepare(images)
    report = {
        "engine": options.engine, "version": engine.version, "network": network["name"],
        "size": side, "batch": options.batch, "threads": options.threads,
    }
    if options.dump:
        wanted = np.fromfile(Path(options.dump) / "scores.f32", dtype=np.float32)
        scores = engine(ready).reshape(-1)
        size = float(np.sqrt(np.mean(wanted.astype(np.float64) ** 2)))
        report["difference"] = float(np.abs(scores - wanted).max()) / size

    def measure(seconds):
        times, end = [], time.perf_counter() + seconds
        while not times or time.perf_counter() < end:
            start = time.perf_counter()
            engine(ready)
            times.append(time.perf_counter() - start)
        return times

    measure(options.seconds / 5)
    times = measure(options.seconds)
    median = statistics.median(times)
    scale = 1024 if sys.platform == "linux" else 1024 * 1024
    report.update(
        calls=len(times), median_ms=round(1e3 * median, 4), min_ms=round(1e3 * min(times), 4),
        images_per_s=round(options.batch / median, 2),
        peak_rss_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale, 1))
    print(json.dumps(report))


if __name__ == "__main__":
    # An idle pool of threads that spins would take the core from the one that works.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    main()
