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
    """A convolution with bias: filter [K, K, C, D], if depthwise [K, K, C], or with groups
    [g, K, K, C/g, D/g]."""

    def __init__(self, kernel, inputs, outputs, stride=1, padding=None, groups=1, activation=None):
        self.kernel, self.inputs, self.outputs, self.stride = kernel, inputs, outputs, stride
        self.padding = kernel // 2 if padding is None else padding
        self.groups, self.activation = groups, activation

    def take(self, values):
        """Takes filter and bias from an iterator over arrays of a given size."""
        g, k, depth, width = self.groups, self.kernel, self.inputs // self.groups, \
            self.outputs // self.groups
        fan = k * k * depth
        filter = values(fan * self.outputs, fan)
        # What both engines want: [D, C/groups, K, K].
        if depth == width == 1:
            filter = filter.reshape(k, k, 1, g).transpose(3, 2, 0, 1)
        else:
            filter = filter.reshape(g, k, k, depth, width).transpose(0, 4, 3, 1, 2)
        self.filter = np.ascontiguousarray(filter.reshape(self.outputs, depth, k, k))
        self.bias = values(self.outputs, self.outputs)


class Squeeze:
    """A squeeze-and-excite: two 1x1 convolutions on the means, whose hsigmoid scales the map."""

    def __init__(self, channels, width, activation):
        self.reduce = Convolution(1, channels, width, activation=activation)
        self.restore = Convolution(1, width, channels)

    def take(self, values):
        self.reduce.take(values)
        self.restore.take(values)


class Mean:
    """The mean over all pixels."""

    def take(self, values):
        pass


def layers(network):
    """The network as blocks (steps, whether the input is added); a skip is left out."""
    channels = network["channels"]
    for layer in network["layers"]:
        width, stride = layer["width"], layer.get("stride", 1)
        keeps = stride == 1 and width == channels
        activation = layer.get("activation", "relu")
        padding = layer.get("padding")
        middle = layer.get("middle", channels)
        if layer.get("convolution"):
            yield [Convolution(
                layer["kernel"], channels, width, stride, padding, activation=activation)], False
        elif layer.get("pool"):
            yield [Convolution(1, channels, middle, activation=activation), Mean(),
                   Convolution(1, middle, width, activation=activation)], False
        elif not layer.get("skip"):
            yield list(steps(layer, channels, middle)), keeps and unchanged(layer)
        elif not keeps:
            yield [Convolution(1, channels, width, stride, activation="relu")], False
        channels = width


def unchanged(layer):
    """Whether the border keeps the size of the map."""
    kernel = layer["kernels"][0] if "kernels" in layer else layer["kernel"]
    return layer.get("padding", kernel // 2) == kernel // 2


def steps(layer, channels, middle):
    """The steps of an inverted residual or a fused block."""
    activation = layer.get("activation", "relu")
    border = {"stride": layer.get("stride", 1), "padding": layer.get("padding")}
    if layer.get("fused"):
        yield Convolution(layer["kernel"], channels, middle, activation=activation, **border)
    else:
        # Groups of a 1x1 come as a dense filter with zeros, the shuffle folded in.
        if "middle" in layer:
            yield Convolution(1, channels, middle, activation=activation)
        elif "groups" in layer:
            yield Convolution(1, channels, channels)
        kernels = layer.get("kernels") or [layer["kernel"]]
        for index, kernel in enumerate(kernels):
            yield Convolution(
                kernel, middle, middle, groups=layer.get("depthwise_groups", middle),
                activation=activation if index == len(kernels) - 1 else None, **border)
            border = {}
    if "squeeze" in layer:
        yield Squeeze(middle, layer["squeeze"], layer.get("squeeze_activation", "relu"))
    if layer.get("project", True):
        yield Convolution(1, middle, layer["width"])


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
        for step in block:
            step.take(values)
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

        def convolve(x, c):
            x = add(
                "Conv", [x, constant(c.filter), constant(c.bias)],
                kernel_shape=[c.kernel] * 2, strides=[c.stride] * 2,
                pads=[c.padding] * 4, group=c.groups)
            operation = {"relu": "Relu", "hswish": "HardSwish"}.get(c.activation)
            return add(operation, [x]) if operation else x

        x, pooled = "images", False
        for block, residual in blocks:
            y = x
            for step in block:
                if isinstance(step, Mean):
                    y, pooled = add("GlobalAveragePool", [y]), True
                elif isinstance(step, Squeeze):
                    gate = convolve(add("GlobalAveragePool", [y]), step.reduce)
                    gate = add("HardSigmoid", [convolve(gate, step.restore)], alpha=1 / 6, beta=0.5)
                    y = add("Mul", [y, gate])
                else:
                    y = convolve(y, step)
            x = add("Add", [x, y]) if residual else y
        x = add("Flatten", [x if pooled else add("GlobalAveragePool", [x])])
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

        def convolution(c):
            part = nn.Conv2d(
                c.inputs, c.outputs, c.kernel, c.stride, c.padding, groups=c.groups)
            part.weight.data = torch.from_numpy(c.filter)
            part.bias.data = torch.from_numpy(c.bias)
            return [part] + ([activations[c.activation](inplace=True)] if c.activation else [])

        class Gate(nn.Module):
            def __init__(self, squeeze):
                super().__init__()
                self.inner = nn.Sequential(
                    nn.AdaptiveAvgPool2d(1), *convolution(squeeze.reduce),
                    *convolution(squeeze.restore), nn.Hardsigmoid(inplace=True))

            def forward(self, x):
                return x.mul_(self.inner(x))

        def module(step):
            if isinstance(step, Mean):
                return [nn.AdaptiveAvgPool2d(1)]
            return [Gate(step)] if isinstance(step, Squeeze) else convolution(step)

        class Block(nn.Module):
            def __init__(self, steps, residual):
                super().__init__()
                self.inner = nn.Sequential(*(part for step in steps for part in module(step)))
                self.residual = residual

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
