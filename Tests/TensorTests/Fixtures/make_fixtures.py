"""Writes the fixtures that TensorTests compares the engine with, computed by PyTorch.

Usage: python3 make_fixtures.py (any PyTorch 2; needs no network). Overwrites the JSON files beside
it.

A graph fixture holds the leaves by the names that EngineGraph gives them, in the engine's layouts
(images NHWC; filters [K, K, Cin, Cout], grouped [g, K, K, Cin/g, Cout/g], depthwise [K, K, C]), the
weights of the loss sum(w * output) as leaf "output", the output and every leaf's gradient.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent


def numbers(t):
    return [float(f"{v:.8g}") for v in t.detach().float().reshape(-1).tolist()]


def write(name, data):
    (HERE / f"{name}.json").write_text(json.dumps(data, separators=(",", ":")) + "\n")


class Graph:
    """Leaves by name, and the operations with the signatures of the Swift `Graph`."""

    def __init__(self, seed):
        self.random = torch.Generator().manual_seed(seed)
        self.leaves = {}

    def leaf(self, name, *shape, scale=1.0, offset=0.0):
        value = offset + scale * torch.randn(*shape, generator=self.random)
        self.leaves[name] = value.requires_grad_()
        return self.leaves[name]

    def norm(self, y, name, activation):
        """Batch-norm in training mode over NHWC, and the activation."""
        if activation is None:
            return y
        c = y.shape[-1]
        gamma = self.leaf(name + ".gamma", c, scale=0.2, offset=1.0)
        beta = self.leaf(name + ".beta", c, scale=0.3)
        z = F.batch_norm(y.reshape(-1, c), None, None, gamma, beta, True, 0.0, 1e-5)
        return {"linear": lambda v: v, "relu": F.relu, "hswish": F.hardswish}[activation](
            z.reshape(y.shape)
        )

    def conv(self, x, name, to, kernel=1, stride=1, padding=0, groups=1, bias=False, norm=None):
        c = x.shape[-1] // groups
        scale = (kernel * kernel * c) ** -0.5
        if groups > 1:
            w = self.leaf(name + ".filter", groups, kernel, kernel, c, to // groups, scale=scale)
            weight = w.permute(0, 4, 3, 1, 2).reshape(to, c, kernel, kernel)
        else:
            w = self.leaf(name + ".filter", kernel, kernel, c, to, scale=scale)
            weight = w.permute(3, 2, 0, 1)
        b = self.leaf(name + ".bias", to, scale=0.3) if bias else None
        y = F.conv2d(x.permute(0, 3, 1, 2), weight, b, stride, padding, 1, groups)
        return self.norm(y.permute(0, 2, 3, 1), name, norm)

    def depthwise(self, x, name, kernel, stride, norm=None, padding=None):
        padding = kernel // 2 if padding is None else padding
        c = x.shape[-1]
        w = self.leaf(name + ".filter", kernel, kernel, c, scale=1 / kernel)
        weight = w.permute(2, 0, 1).unsqueeze(1)
        y = F.conv2d(x.permute(0, 3, 1, 2), weight, None, stride, padding, 1, c)
        return self.norm(y.permute(0, 2, 3, 1), name, norm)

    def squeeze_excite(self, x, name, through, inner):
        c = x.shape[-1]
        v = x.mean((1, 2), keepdim=True)
        v = inner(self.conv(v, name + ".reduce", through, bias=True))
        return x * F.hardsigmoid(self.conv(v, name + ".restore", c, bias=True))

    def shuffle(self, x, groups):
        n, h, w, c = x.shape
        return x.reshape(n, h, w, groups, c // groups).transpose(3, 4).reshape(x.shape)

    def write(self, name, y):
        weights = torch.randn(y.shape, generator=self.random)
        (y * weights).sum().backward()
        leaves = {k: numbers(v) for k, v in self.leaves.items()}
        leaves["output"] = numbers(weights)
        write(
            name,
            {
                "leaves": leaves,
                "output": numbers(y),
                "gradients": {k: numbers(v.grad) for k, v in self.leaves.items()},
            },
        )


def block_k3_e3_s2():
    g = Graph(1)
    a = g.conv(g.leaf("x", 2, 7, 7, 8), "expand", 24, norm="relu")
    b = g.depthwise(a, "depthwise", 3, 2, norm="relu")
    g.write("k3_e3_stride2", g.conv(b, "project", 12, norm="linear"))


def block_k5_e1_g2():
    g = Graph(2)
    x = g.leaf("x", 2, 6, 5, 16)
    a = g.shuffle(g.conv(x, "expand", 16, groups=2, norm="relu"), 2)
    b = g.depthwise(a, "depthwise", 5, 1, norm="relu")
    c = g.conv(b, "project", 16, groups=2, norm="linear")
    m = g.leaf("m", 1)
    g.write("k5_e1_g2_residual", m * (c + x))


def mixed_layer(per_image):
    g = Graph(3 + per_image)
    x = g.leaf("x", 3, 5, 5, 8)
    a = g.depthwise(g.conv(x, "a1", 24, norm="relu"), "a2", 3, 1, norm="relu")
    a = g.conv(a, "a3", 8, norm="linear")
    b = g.conv(g.depthwise(x, "b1", 5, 1, norm="relu"), "b2", 8, norm="linear")
    c = g.conv(x, "c", 8, norm="relu")
    theta = g.leaf("theta", 3, 4) if per_image else g.leaf("theta", 4)
    m = torch.softmax(theta, -1)
    w = [m[:, i].reshape(3, 1, 1, 1) if per_image else m[i] for i in range(4)]
    y = w[0] * (a + x) + w[1] * (b + x) + w[2] * c + w[3] * x
    g.write("mixed_layer_per_image" if per_image else "mixed_layer", y)


def stem_and_head():
    g = Graph(5)
    x = g.conv(g.leaf("x", 4, 8, 9, 3), "stem", 16, 3, 2, 1, norm="relu")
    x = g.conv(x, "skip", 20, 1, 2, norm="relu")
    x = g.conv(x, "head", 24, norm="hswish").mean((1, 2))
    logits = g.conv(x.reshape(4, 1, 1, 24), "classifier", 10, bias=True).reshape(4, 10)
    labels = torch.tensor([3, 0, 9, 3])
    g.write("stem_and_head", F.cross_entropy(logits, labels, label_smoothing=0.1).reshape(1))


def squeeze_excite(activation, inner, seed):
    g = Graph(seed)
    x = g.conv(g.leaf("x", 3, 5, 4, 20), "before", 20, norm=activation)
    y = g.squeeze_excite(x, "excite", 6, inner)
    g.write(f"squeeze_excite_{activation}", g.conv(y, "after", 10))


def activations():
    g = Graph(10)
    x = g.leaf("x", 3, 15, scale=3.0)
    g.write("activations", F.hardsigmoid(x) + F.hardswish(x) + F.relu(x))


def mixup():
    g = Graph(11)
    x = g.leaf("x", 5, 7)
    losses = [
        F.cross_entropy(x, torch.tensor(labels), label_smoothing=0.1)
        for labels in ([0, 6, 3, 3, 1], [2, 6, 0, 1, 5])
    ]
    g.write("mixup", (0.7 * losses[0] + 0.3 * losses[1]).reshape(1))


def grouped():
    g = Graph(12)
    x = g.conv(g.leaf("x", 2, 6, 7, 12), "before", 12)
    g.write("grouped_3x3", g.conv(x, "grouped", 18, 3, 1, 1, groups=3, bias=True))
    g = Graph(13)
    x = g.conv(g.leaf("x", 2, 8, 7, 6), "before", 8, norm="hswish")
    g.write("grouped_5x5_stride2", g.conv(x, "grouped", 12, 5, 2, 2, groups=2, norm="relu"))


def depthwise_borders():
    g = Graph(14)
    x = g.conv(g.leaf("x", 2, 12, 11, 8), "before", 8, norm="hswish")
    a = g.depthwise(x, "a", 5, 1, norm="relu", padding=1)
    g.write("depthwise_borders", g.depthwise(a, "b", 5, 2, norm="linear", padding=0))


def rmsprop():
    random = torch.Generator().manual_seed(15)
    start = torch.randn(37, generator=random)
    gradients = [torch.randn(37, generator=random) for _ in range(3)]

    def run(**settings):
        w = start.clone().requires_grad_()
        optimiser = torch.optim.RMSprop([w], 0.02, 0.9, 1e-3, **settings)
        steps = []
        for g in gradients:
            w.grad = g.clone()
            optimiser.step()
            steps.append(numbers(w))
        return steps

    write(
        "rmsprop",
        {
            "start": numbers(start),
            "gradients": [numbers(g) for g in gradients],
            "decayed": run(weight_decay=1e-2, momentum=0.9),
            "plain": run(momentum=0.9),
            "still": run(weight_decay=1e-2),
        },
    )


def optimisers():
    random = torch.Generator().manual_seed(6)
    start = torch.randn(37, generator=random)
    gradients = [torch.randn(37, generator=random) for _ in range(3)]

    def run(make):
        w = start.clone().requires_grad_()
        optimiser = make([w])
        steps = []
        for g in gradients:
            w.grad = g.clone()
            optimiser.step()
            steps.append(numbers(w))
        return steps

    write(
        "optimisers",
        {
            "start": numbers(start),
            "gradients": [numbers(g) for g in gradients],
            "sgd": run(lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=1e-2)),
            "adam": run(lambda p: torch.optim.Adam(p, 0.01, (0.9, 0.999), weight_decay=5e-2)),
        },
    )


def recalibration():
    random = torch.Generator().manual_seed(7)
    batches = [1.5 * torch.randn(2, 3, 3, 8, generator=random) + 0.5 for _ in range(3)]
    norm = torch.nn.BatchNorm2d(8, eps=1e-5, momentum=None)
    with torch.no_grad():
        norm.weight.copy_(1 + 0.2 * torch.randn(8, generator=random))
        norm.bias.copy_(0.3 * torch.randn(8, generator=random))
    weight = torch.randn(3, 3, 8, generator=random) / 3
    conv = lambda x: F.conv2d(
        x.permute(0, 3, 1, 2), weight.permute(2, 0, 1).unsqueeze(1), None, 1, 1, 1, 8
    )
    for x in batches:
        norm(conv(x))
    norm.eval()
    test = torch.randn(2, 3, 3, 8, generator=random).requires_grad_()
    y = F.relu(norm(conv(test))).permute(0, 2, 3, 1)
    weights = torch.randn(y.shape, generator=random)
    (y * weights).sum().backward()
    write(
        "recalibration",
        {
            "batches": [numbers(x) for x in batches],
            "filter": numbers(weight),
            "gamma": numbers(norm.weight),
            "beta": numbers(norm.bias),
            "mean": numbers(norm.running_mean),
            "variance": numbers(norm.running_var),
            "test": numbers(test),
            "output": numbers(y),
            "weights": numbers(weights),
            "testGradient": numbers(test.grad),
            "gammaGradient": numbers(norm.weight.grad),
            "betaGradient": numbers(norm.bias.grad),
        },
    )


if __name__ == "__main__":
    block_k3_e3_s2()
    block_k5_e1_g2()
    mixed_layer(False)
    mixed_layer(True)
    stem_and_head()
    optimisers()
    recalibration()
    squeeze_excite("relu", F.relu, 8)
    squeeze_excite("hswish", F.hardswish, 9)
    activations()
    mixup()
    grouped()
    depthwise_borders()
    rmsprop()
