"""The networks of the derivative comparisons: their parameters, their data, and their losses in JAX and PyTorch.

What both sides get, as NPY arrays of f4 in C order:

    p        1×P: the parameters, each array flattened, one after another in the order of `shapes`
    x        the inputs, one example a row
    labels   1×batch: the class of each example, a whole number

The loss is the mean over the batch of −log softmax(logits)[label]. A dense layer is x W + b with W of inputs×outputs.

    MLP      784-512-512-10, tanh, batch 256. x 256×784.
             For each layer: W, b.
    CNN      8×8 digits, batch 64: convolution 1→16, relu, convolution 16→32, relu, dense 2048→128, relu, dense 128→10. x 64×64, an
             image a row. Convolutions are 3×3 correlations with one ring of zeros; channels come first, so that the flattened feature
             of channel c at (i, j) is 64 c + 8 i + j.
             For each convolution: W of outputs×inputs×3×3, b. For each dense layer: W, b.
    Encoder  4 blocks of width 128, 4 heads of 32, sequence 64, batch 16. x 1024×128, row 64 e + t is position t of example e.
             y = x + attention(norm(x)); block(x) = y + dense₂(gelu(dense₁(norm(y)))), dense₁ 128→512, gelu by erf; then
             norm, the mean over the positions, dense 128→10. norm has eps 1e-5. Attention: q, k, v are columns 0…127, 128…255 and
             256…383 of one dense layer, a head is 32 consecutive columns of each, scores are scaled by 1/√32, no mask, no dropout.
             For each block: gain, shift; W, b of qkv; W, b of the projection; gain, shift; W, b of dense₁; W, b of dense₂.
             After the blocks: gain, shift; W, b.
"""
import os

import numpy as np

here = os.path.dirname(os.path.abspath(__file__))

mlp_widths = (784, 512, 512, 10)
blocks, width, heads, hidden, length = 4, 128, 4, 512, 64


class Network:
    """One network with fixed data. `p` is flat; `split` gives its arrays."""

    def __init__(self, shapes, x, labels, seed=1):
        self.shapes, self.x, self.labels = shapes, x.astype(np.float32), labels
        rng = np.random.default_rng(seed)
        arrays = []
        for shape in shapes:
            if len(shape) == 1:
                arrays.append(0.1 * rng.standard_normal(shape))
            else:
                inputs = shape[0] if len(shape) == 2 else np.prod(shape[1:])
                arrays.append(rng.standard_normal(shape) / np.sqrt(inputs))
        self.p = np.concatenate([a.ravel() for a in arrays]).astype(np.float32)

    def split(self, flat):
        """Copies, which a step may change."""
        parts = np.split(flat, np.cumsum([np.prod(s) for s in self.shapes])[:-1])
        return [part.reshape(s).copy() for part, s in zip(parts, self.shapes)]

    @property
    def arrays(self):
        """The NPY arrays of our side's cases."""
        return {"p": self.p[None], "x": self.x, "labels": self.labels.astype(np.float32)[None]}


def dense(*widths):
    return [shape for pair in zip(widths, widths[1:]) for shape in (pair, pair[1:])]


def mlp():
    rng = np.random.default_rng(0)
    return Network(dense(*mlp_widths), rng.standard_normal((256, 784)), rng.integers(0, 10, 256))


def cnn():
    rows = np.loadtxt(os.path.join(here, "../../Sources/Datasets/Data/digits.csv"), delimiter=",", skiprows=1, max_rows=64)
    shapes = [(16, 1, 3, 3), (16,), (32, 16, 3, 3), (32,), *dense(2048, 128, 10)]
    return Network(shapes, rows[:, :64] / 16, rows[:, 64].astype(np.int64))


def encoder():
    rng = np.random.default_rng(0)
    norm = [(width,), (width,)]
    block = norm + dense(width, 3 * width) + dense(width, width) + norm + dense(width, hidden, width)
    return Network(block * blocks + norm + dense(width, 10), rng.standard_normal((16 * length, width)), rng.integers(0, 10, 16))


# ---- JAX -----------------------------------------------------------------------------------------------------------


def jax_modules():
    """JAX on the processor, on one thread; the affinity was set by the harness."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    import jax
    import jax.numpy as jnp

    return jax, jnp


def jax_cross_entropy(logits, labels):
    jax, jnp = jax_modules()
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1))


def jax_mlp(p, x, labels):
    _, jnp = jax_modules()
    for layer in range(0, 4, 2):
        x = jnp.tanh(x @ p[layer] + p[layer + 1])
    return jax_cross_entropy(x @ p[4] + p[5], labels)


def jax_cnn(p, x, labels):
    jax, jnp = jax_modules()
    x = x.reshape(-1, 1, 8, 8)
    for layer in range(0, 4, 2):
        x = jax.lax.conv_general_dilated(x, p[layer], (1, 1), "SAME", dimension_numbers=("NCHW", "OIHW", "NCHW"))
        x = jax.nn.relu(x + p[layer + 1][:, None, None])
    x = jax.nn.relu(x.reshape(len(x), -1) @ p[4] + p[5])
    return jax_cross_entropy(x @ p[6] + p[7], labels)


def jax_encoder(p, x, labels):
    jax, jnp = jax_modules()
    x = x.reshape(-1, length, width)

    def norm(x, gain, shift):
        centred = x - x.mean(-1, keepdims=True)
        return centred * jax.lax.rsqrt((centred * centred).mean(-1, keepdims=True) + 1e-5) * gain + shift

    for first in range(0, 12 * blocks, 12):
        g1, s1, w_qkv, b_qkv, w_o, b_o, g2, s2, w1, b1, w2, b2 = p[first:first + 12]
        q, k, v = ((norm(x, g1, s1) @ w_qkv + b_qkv).reshape(-1, length, 3, heads, width // heads).transpose(2, 0, 3, 1, 4))
        scores = jax.nn.softmax(q @ k.swapaxes(-1, -2) / np.float32(np.sqrt(width // heads)))
        x = x + (scores @ v).swapaxes(1, 2).reshape(x.shape) @ w_o + b_o
        x = x + jax.nn.gelu(norm(x, g2, s2) @ w1 + b1, approximate=False) @ w2 + b2
    g, s, w, b = p[-4:]
    return jax_cross_entropy(norm(x, g, s).mean(1) @ w + b, labels)


# ---- PyTorch: dense weights in its own order, outputs×inputs ---------------------------------------------------------


def torch_module():
    import torch

    torch.set_num_threads(1)
    return torch


def torch_parameters(network, flat=None):
    torch = torch_module()
    arrays = network.split(network.p if flat is None else flat)
    return [torch.from_numpy(np.ascontiguousarray(a.T if a.ndim == 2 else a)).requires_grad_(flat is None) for a in arrays]


def torch_data(network):
    torch = torch_module()
    return torch.from_numpy(network.x), torch.from_numpy(network.labels)


def flat_of_torch(tensors):
    return np.concatenate([(t.T if t.ndim == 2 else t).detach().numpy().ravel() for t in tensors])[None]


def torch_mlp(p, x, labels):
    F = torch_module().nn.functional
    for layer in range(0, 4, 2):
        x = F.linear(x, p[layer], p[layer + 1]).tanh()
    return F.cross_entropy(F.linear(x, p[4], p[5]), labels)


def torch_cnn(p, x, labels):
    F = torch_module().nn.functional
    x = x.view(-1, 1, 8, 8)
    for layer in range(0, 4, 2):
        x = F.relu(F.conv2d(x, p[layer], p[layer + 1], padding=1))
    x = F.relu(F.linear(x.flatten(1), p[4], p[5]))
    return F.cross_entropy(F.linear(x, p[6], p[7]), labels)


def torch_encoder(p, x, labels):
    F = torch_module().nn.functional
    x = x.view(-1, length, width)
    for first in range(0, 12 * blocks, 12):
        g1, s1, w_qkv, b_qkv, w_o, b_o, g2, s2, w1, b1, w2, b2 = p[first:first + 12]
        qkv = F.linear(F.layer_norm(x, (width,), g1, s1), w_qkv, b_qkv)
        q, k, v = qkv.view(-1, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)
        x = x + F.linear(mixed, w_o, b_o)
        x = x + F.linear(F.gelu(F.linear(F.layer_norm(x, (width,), g2, s2), w1, b1)), w2, b2)
    g, s, w, b = p[-4:]
    return F.cross_entropy(F.linear(F.layer_norm(x, (width,), g, s).mean(1), w, b), labels)


def near(tolerance):
    """Agreement of two arrays: the norm of the difference against the norm."""
    return lambda x, y: np.linalg.norm(np.asarray(x, float) - y) <= tolerance * np.linalg.norm(np.asarray(y, float))
