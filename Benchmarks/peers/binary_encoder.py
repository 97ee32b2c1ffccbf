"""binary-encoder: a packed encoder of BERT-base's shape against the same shape in floats and in dynamic 8 bits.

Weights are random on both sides; ours compares its packed output with its training side's before it is timed. The rival's graph begins
after the embeddings, ours with the tokens.
"""
import numpy as np

from harness import Figure, PeerCase

layers, size, heads, hidden, length = 12, 768, 12, 3072, 128


def figures(ours, quick):
    for batch in (1,) if quick else (1, 8):
        numbers = {"batch": batch, "length": length}
        name = f"binary encoder of BERT-base's shape, {length} tokens, batch {batch}"
        yield Figure(name, ours.case("binary-encoder", numbers), {"float path of ours": ours.case("float-encoder", numbers)}, target_ratio=12)
        yield Figure(name, ours.case("binary-encoder", numbers), {"onnxruntime float32": session(batch)}, target_ratio=10)
        yield Figure(name, ours.case("binary-encoder", numbers), {"onnxruntime int8, dynamic": session(batch, True)}, target_ratio=2.5)


def session(batch, is_quantized=False):
    """One thread of ONNX Runtime."""
    import os
    import tempfile

    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with tempfile.TemporaryDirectory(prefix="descent-compare-") as folder:
        path = os.path.join(folder, "float.onnx")
        onnx.save(model(batch), path)
        if is_quantized:
            from onnxruntime.quantization import QuantType, quantize_dynamic

            small = os.path.join(folder, "int8.onnx")
            quantize_dynamic(path, small, weight_type=QuantType.QInt8)
            path = small
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {"x": np.random.default_rng(1).standard_normal((batch, length, size)).astype(np.float32)}
    return PeerCase(lambda: session.run(None, feed))


def model(batch):
    """Post-norm blocks as BERT has them, on hidden states [batch, length, size]."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    nodes, constants, count = [], [], [0]

    def node(kind, *inputs, outputs=1, **attributes):
        names = [f"t{count[0] + i}" for i in range(outputs)]
        count[0] += outputs
        nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(array):
        name = f"c{len(constants)}"
        constants.append(numpy_helper.from_array(array, name))
        return name

    def dense(x, inputs, outputs):
        product = node("MatMul", x, constant((0.02 * rng.standard_normal((inputs, outputs))).astype(np.float32)))
        return node("Add", product, constant(np.zeros(outputs, np.float32)))

    def norm(x):
        return node("LayerNormalization", x, constant(np.ones(size, np.float32)), constant(np.zeros(size, np.float32)), epsilon=1e-12)

    split, joined = constant(np.array([batch, length, heads, size // heads])), constant(np.array([batch, length, size]))
    scale = constant(np.array(1 / np.sqrt(size // heads), np.float32))
    x = "x"
    for _ in range(layers):
        part = lambda order: node("Transpose", node("Reshape", dense(x, size, size), split), perm=order)
        q, k, v = part([0, 2, 1, 3]), part([0, 2, 3, 1]), part([0, 2, 1, 3])
        weights = node("Softmax", node("Mul", node("MatMul", q, k), scale), axis=-1)
        mixed = node("Reshape", node("Transpose", node("MatMul", weights, v), perm=[0, 2, 1, 3]), joined)
        a = norm(node("Add", dense(mixed, size, size), x))
        x = norm(node("Add", dense(node("Gelu", dense(a, size, hidden)), hidden, size), a))
    shape = [batch, length, size]
    graph = helper.make_graph(nodes, "encoder", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info(x, TensorProto.FLOAT, shape)], initializer=constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
