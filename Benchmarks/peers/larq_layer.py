"""The binary layer in larq-compute-engine, beside our own in turns, one thread.

larq-compute-engine is at its last release and wants Python 3.8 to 3.11 and an old TensorFlow, so it has an environment of its own:

    python3.11 -m venv /tmp/larq
    /tmp/larq/bin/pip install larq-compute-engine==0.16.0 larq==0.14.0 "tensorflow==2.15.*"
    swift build -c release --product CompareRunner --package-path Benchmarks
    /tmp/larq/bin/python Benchmarks/peers/larq_layer.py

LCE binarises convolutions only: a dense layer is one of 1×1 over an image of `rows` pixels, followed by the normalisation that its
converter fuses. Its signs and scales are not ours, so only the shapes of the results are compared. It has no kernels for
x86 that are tuned, and says so.
"""
import os
import statistics

os.environ.update(CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")

import larq
import larq_compute_engine
import numpy as np
import tensorflow as tf
from larq_compute_engine.tflite.python.interpreter import Interpreter

from harness import Ours, PeerCase


def layer(rows, inputs, outputs, x):
    image = tf.keras.Input((rows, 1, inputs), batch_size=1)
    signs = dict(input_quantizer="ste_sign", kernel_quantizer="ste_sign", kernel_constraint="weight_clip")
    y = tf.keras.layers.BatchNormalization()(larq.layers.QuantConv2D(outputs, 1, use_bias=False, **signs)(image))
    interpreter = Interpreter(larq_compute_engine.convert_keras_model(tf.keras.Model(image, y)), num_threads=1)
    run = lambda: interpreter.predict(x.reshape(1, rows, 1, inputs))
    return PeerCase(run, lambda: np.asarray(run()).reshape(rows, outputs))


with Ours() as ours:
    rng = np.random.default_rng(0)
    for rows, inputs, outputs in [(128, 768, 768), (128, 768, 3072), (128, 3072, 768)]:
        x, w, bias = (rng.standard_normal(shape).astype(np.float32) for shape in [(rows, inputs), (inputs, outputs), (1, outputs)])
        mine, rival = ours.case("binary-layer", x=x, w=w, bias=bias), layer(rows, inputs, outputs, x)
        assert mine.result().shape == rival.result().shape
        turns = [(mine.seconds(), rival.seconds()) for _ in range(9)]
        a, b = (statistics.median(t) for t in zip(*turns))
        print(f"binary layer {rows}×{inputs}×{outputs}: ours {1e3 * a:.3g} ms, larq-compute-engine {1e3 * b:.3g} ms = {b / a:.1f}×")
