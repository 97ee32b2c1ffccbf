"""binary-gemm: ±1 products against sgemm, faiss, numkong and int8, with the popcount roofline of the tier."""
import numpy as np

from harness import Figure, Ours, PeerCase


def bits(x):
    """The signs as NumPy packs them: any order of bits gives the same distances."""
    return np.packbits(x > 0, axis=1)


def figures(ours, quick):
    rng = np.random.default_rng(0)
    signs = lambda rows, columns: rng.integers(0, 2, (rows, columns)).astype(np.float32) * 2 - 1
    same = lambda x, y: np.array_equal(np.asarray(x), np.asarray(y))

    squares = (1024,) if quick else (1024, 2048, 4096)
    for n in squares:
        a, b = signs(n, n), signs(n, n)
        yield Figure(f"xnor {n}³ of the popcount roofline", ours.case("xnor", a=a, b=b), roofline=ours.case("popcount"),
                     target_percent=90)
    # The tier below, in a process of its own.
    with Ours(tier="avx2") as narrow:
        for n in squares[:2]:
            a, b = signs(n, n), signs(n, n)
            yield Figure(f"xnor {n}³ of the popcount roofline, tier avx2", narrow.case("xnor", a=a, b=b),
                         roofline=narrow.case("popcount"), target_percent=85)
    for n in squares:
        a, b = signs(n, n), signs(n, n)
        transposed, product = np.ascontiguousarray(b.T), np.empty((n, n), np.float32)
        yield Figure(f"xnor {n}³ with packing of A", ours.case("xnor-pack", a=a, b=b),
                     {"numpy sgemm": PeerCase(lambda: np.matmul(a, transposed, out=product), lambda: product)}, target_ratio=20, agree=same)
    targets = {1024: 1.7, 4096: 1.4}
    for n in squares:
        a, b = signs(n, n), signs(n, n)
        yield Figure(f"xnor {n}³, bits to integers", ours.case("xnor", a=a, b=b), packed_rivals(a, b, faiss_too=n <= 2048),
                     target_ratio=targets.get(n), agree=same)
    for m, n, k in [(128, 768, 768), (128, 3072, 768)]:
        a, b = signs(m, k), signs(n, k)
        yield Figure(f"xnor {m}×{n}×{k}, a layer of BERT", ours.case("xnor", a=a, b=b),
                     packed_rivals(a, b) | {"onnxruntime int8": integer_product(a, b)}, ours.case("popcount"),
                     target_ratio=2, agree=same)
    a, b = signs(1, 4096), signs(4096, 4096)
    yield Figure("xnor 1×4096×4096", ours.case("xnor", a=a, b=b), packed_rivals(a, b), target_ratio=1.2, agree=same)
    yield Figure("sign packing with scale, 4096×16384", ours.case("pack-scaled", {"rows": 4096, "columns": 16384}),
                 roofline=ours.case("copy"), target_percent=80)
    if len(ours.cores) > 1:
        n = 2048 if quick else 4096
        a, b = signs(n, n), signs(n, n)
        with Ours(threads=2) as two:
            yield Figure(f"xnor {n}³, two threads against one", two.case("xnor", a=a, b=b),
                         {"one thread": ours.case("xnor", a=a, b=b)}, target_ratio=1.8, agree=same)


def packed_rivals(a, b, faiss_too=True):
    """Hamming distances on packed bits; K − 2 distances is the ±1 product."""
    import faiss
    import numkong

    k = a.shape[1]
    left, right = bits(a), bits(b)
    packed = numkong.hammings_pack(right, dtype="uint1")
    distances = numkong.hammings_packed(left, packed)  # its buffer is used again, as ours is
    rivals = {"numkong": PeerCase(lambda: numkong.hammings_packed(left, packed, out=distances),
                                  lambda: k - 2 * np.asarray(distances).astype(np.int64))}
    if faiss_too:
        faiss.omp_set_num_threads(1)
        out = np.zeros((len(a), len(b)), np.int32)
        pointers = [faiss.swig_ptr(x) for x in (left, right, out)]

        def run():
            faiss.hammings(pointers[0], pointers[1], len(a), len(b), k // 8, pointers[2])

        def result():
            run()
            return k - 2 * out.astype(np.int64)

        # The arrays live as long as the closures that use their pointers.
        run.arrays = (left, right, out)
        rivals["faiss"] = PeerCase(run, result)
    return rivals


def integer_product(a, b):
    """ONNX Runtime's MatMulInteger on ±1 in 8 bits, one thread."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "b"], ["c"])], "product",
        [helper.make_tensor_value_info("a", TensorProto.INT8, list(a.shape))],
        [helper.make_tensor_value_info("c", TensorProto.INT32, [a.shape[0], b.shape[0]])],
        initializer=[helper.make_tensor("b", TensorProto.INT8, [b.shape[1], b.shape[0]],
                                        np.ascontiguousarray(b.T).astype(np.int8).tobytes(), raw=True)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feed = {"a": a.astype(np.int8)}
    return PeerCase(lambda: session.run(None, feed), lambda: session.run(None, feed)[0])
