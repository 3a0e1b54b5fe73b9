"""Writes networks.json, what published networks give and learn in PyTorch, for NetworkFixtureTests.

Usage: python3 make_networks.py (any PyTorch 2 and numpy; needs no network). Reads the definitions
from the zoo, builds each network by hand from torch.nn.functional, in double precision. All numbers
that go in come from a hash of the array's name and the element's index, so that the file holds
results only: class scores with running statistics; loss and gradients of one training step (batch
statistics, label smoothing, mixup, dropped paths), each gradient as its norm and its product with a
pseudorandom vector.
"""

import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent
ZOO = HERE.parents[2] / "Sources" / "Networks" / "Resources" / "zoo.json"
CASES = [("fbnet_cse", 64), ("fbnet_c_2019", 64), ("FBNetV2_F1", 64), ("FBNetV3_A", 96),
         ("FBNetV3_A_GPU", 96)]
CLASSES, IMAGES, SEED, STEP = 10, 8, 7, 11
DROP_PATH, SMOOTHING, SHARE = 0.4, 0.1, 0.3


def pseudorandom(name, count):
    """Numbers in [0, 1)."""
    h = 2166136261
    for byte in name.encode():
        h = (h ^ byte) * 16777619 & 0xFFFFFFFF
    x = (np.arange(count, dtype=np.uint64) * 2654435769 + h) & 0xFFFFFFFF
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x = ((x ^ (x >> shift)) * factor) & 0xFFFFFFFF
    x ^= x >> 16
    return torch.from_numpy(((x >> 8).astype(np.float64)) / (1 << 24))


def projection(gradient, key):
    """The product of a gradient with a pseudorandom vector."""
    vector = 2 * pseudorandom(key + "#", gradient.numel()) - 1
    return float((gradient.reshape(-1) * vector).sum())


class Arrays:
    """Leaves by name, in the program's layouts."""

    def __init__(self):
        self.leaves = {}
        self.statistics = {}

    def leaf(self, name, shape):
        if name not in self.leaves:
            u = pseudorandom(name, int(np.prod(shape)))
            if name.endswith(".gamma"):
                value = 0.5 + u
            elif name.endswith((".beta", ".bias")):
                value = (u - 0.5) / 2
            else:
                fan = int(np.prod(shape[:-1])) if ".depthwise" not in name else shape[0] ** 2
                value = (2 * u - 1) * (6 / fan) ** 0.5
            # The program holds single precision.
            value = value.float().double().reshape(shape)
            self.leaves[name] = value.requires_grad_(True)
        return self.leaves[name]

    def norm(self, x, name, training):
        channels = x.shape[1]
        gamma, beta = self.leaf(name + ".gamma", [channels]), self.leaf(name + ".beta", [channels])
        mean = ((pseudorandom(name + ".mean", channels) - 0.5) / 2).float().double()
        variance = (2 + 2 * pseudorandom(name + ".variance", channels)).float().double()
        if training:
            return F.batch_norm(x, None, None, gamma, beta, True, 0, 1e-5)
        return F.batch_norm(x, mean, variance, gamma, beta, False, 0, 1e-5)


def activate(x, name):
    return {"relu": F.relu, "hswish": F.hardswish, "none": lambda v: v}[name](x)


def philox(key, counter):
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = [(b >> 32) ^ c[1] ^ k[0], b & 0xFFFFFFFF, (a >> 32) ^ c[3] ^ k[1], a & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def mask(rate, index):
    """The program's sample of which images keep a path: purpose 9 is dropout."""
    purpose = 9
    key = [SEED ^ (purpose * 0x9E3779B9 & 0xFFFFFFFF), 0]
    bits = []
    for block in range((IMAGES + 3) // 4):
        bits += philox(key, [block, index, STEP, purpose << 24])
    keep = [0.0 if ((b >> 9) + 0.5) * 2.0**-23 < rate else 1 / (1 - rate) for b in bits[:IMAGES]]
    return torch.tensor(keep, dtype=torch.float64).reshape(-1, 1, 1, 1)


def expand_repeats(network):
    stem = dict(network["stem"], convolution=True)
    stem.setdefault("kernel", 3)
    layers = [stem]
    for layer in network["layers"]:
        for i in range(layer.get("repeat", 1)):
            layers.append(dict(layer, stride=layer.get("stride", 1) if i == 0 else 1))
    if "head" in network:
        layers.append({"convolution": True, "kernel": 1, "width": network["head"]})
    return layers


def dense(x, arrays, name, output, kernel=1, stride=1, padding=None, groups=1):
    shape = ([groups, x.shape[1] // groups, output // groups] if groups > 1
             else [kernel, kernel, x.shape[1], output])
    f = arrays.leaf(name + ".weight", shape)
    f = (f.permute(0, 2, 1).reshape(output, -1, 1, 1) if groups > 1 else f.permute(3, 2, 0, 1))
    return F.conv2d(x, f, None, stride, kernel // 2 if padding is None else padding, groups=groups)


def block(x, layer, arrays, name, training):
    """A layer without its shortcut."""
    width, stride = layer["width"], layer.get("stride", 1)
    activation = layer.get("activation", "relu")
    if layer.get("skip"):
        if stride == 1 and width == x.shape[1]:
            return x
        name += ".project"
        return F.relu(arrays.norm(dense(x, arrays, name, width, 1, stride), name, training))
    if layer.get("convolution"):
        x = dense(x, arrays, name, width, layer["kernel"], stride, layer.get("padding"))
        return activate(arrays.norm(x, name, training), activation)
    if layer.get("pool"):
        x = dense(x, arrays, name + ".expand", layer["middle"])
        x = activate(arrays.norm(x, name + ".expand", training), activation).mean((2, 3))
        x = x @ arrays.leaf(name + ".project.weight", [layer["middle"], width])
        if layer.get("bias"):
            x = x + arrays.leaf(name + ".project.bias", [width])
        return activate(x, activation)
    groups = layer.get("groups", 1)
    if layer.get("fused"):
        x = dense(x, arrays, name + ".expand", layer["middle"], layer["kernel"], stride,
                  layer.get("padding"))
        x = activate(arrays.norm(x, name + ".expand", training), activation)
    elif "middle" in layer:
        x = dense(x, arrays, name + ".expand", layer["middle"], groups=groups)
        x = activate(arrays.norm(x, name + ".expand", training), activation)
    if groups > 1:
        n, c, h, w = x.shape
        x = x.reshape(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)
    if not layer.get("fused"):
        kernels = layer.get("kernels") or [layer["kernel"]]
        for i, kernel in enumerate(kernels):
            own = name + ".depthwise" + ("" if i == 0 else str(i + 1))
            f = arrays.leaf(own + ".weight", [kernel, kernel, x.shape[1]])
            padding = layer.get("padding", kernel // 2) if i == 0 else kernel // 2
            x = F.conv2d(x, f.permute(2, 0, 1).unsqueeze(1), None, stride if i == 0 else 1, padding,
                         groups=x.shape[1])
        x = activate(arrays.norm(x, own, training), activation)
    if "squeeze" in layer:
        c, s = x.shape[1], layer["squeeze"]
        own = name + ".squeeze"
        y = x.mean((2, 3)) @ arrays.leaf(own + ".reduce.weight", [c, s])
        y = activate(y + arrays.leaf(own + ".reduce.bias", [s]),
                     layer.get("squeeze_activation", "relu"))
        y = y @ arrays.leaf(own + ".restore.weight", [s, c])
        x = x * F.hardsigmoid(y + arrays.leaf(own + ".restore.bias", [c]))[:, :, None, None]
    if not layer.get("project", True):
        return x
    x = dense(x, arrays, name + ".project", width, groups=groups)
    return arrays.norm(x, name + ".project", training)


def forward(x, network, arrays, training):
    layers = expand_repeats(network)
    residuals = []
    # Which blocks have a shortcut is known from the shapes, so a first pass finds them.
    with torch.no_grad():
        probe = torch.zeros_like(x)
        for i, layer in enumerate(layers):
            y = block(probe, layer, arrays, name_of(i, layers), True)
            inverted = not any(layer.get(k) for k in ("skip", "convolution", "pool"))
            residuals.append(inverted and y.shape == probe.shape)
            probe = y
    done = 0
    for i, layer in enumerate(layers):
        y = block(x, layer, arrays, name_of(i, layers), training)
        if residuals[i]:
            done += 1
            rate = np.float32(DROP_PATH) * np.float32(done) / np.float32(sum(residuals))
            x = x + (y * mask(float(rate), i) if training else y)
        else:
            x = y
    if x.dim() == 4:
        x = x.mean((2, 3))
    return x @ arrays.leaf("classifier.weight", [x.shape[1], CLASSES]) + arrays.leaf(
        "classifier.bias", [CLASSES])


def name_of(index, layers):
    if not layers[index].get("convolution"):
        return f"blocks.{index}"
    return "stem" if index == 0 else "head" if index == len(layers) - 1 else f"blocks.{index}"


def main():
    zoo = {network["name"]: network for network in json.loads(ZOO.read_text())}
    results = []
    for name, side in CASES:
        network, arrays = zoo[name], Arrays()
        x = (2 * pseudorandom("images", IMAGES * side * side * 3) - 1).float().double()
        x = x.reshape(IMAGES, side, side, 3).permute(0, 3, 1, 2)
        scores = forward(x, network, arrays, False)
        labels = torch.arange(IMAGES) % CLASSES
        mixed = (3 * torch.arange(IMAGES) + 1) % CLASSES
        training = forward(x, network, arrays, True)
        loss = ((1 - SHARE) * F.cross_entropy(training, labels, label_smoothing=SMOOTHING)
                + SHARE * F.cross_entropy(training, mixed, label_smoothing=SMOOTHING))
        loss.backward()
        gradients = {
            key: [float(leaf.grad.norm()), projection(leaf.grad, key)]
            for key, leaf in arrays.leaves.items()}
        results.append({
            "name": name, "side": side, "scores": scores.reshape(-1).tolist(),
            "loss": loss.item(),
            "gradients": {k: [float(f"{v:.7g}") for v in g] for k, g in gradients.items()}})
        print(name, loss.item(), float(scores.abs().max()), len(gradients))
    (HERE / "networks.json").write_text(json.dumps(results, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
