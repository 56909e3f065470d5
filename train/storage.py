"""Smaller ONNX files with the same float32 arithmetic: weights stored narrow and widened in the graph.

onnxruntime folds the widening when it loads a model, so it costs nothing at a step.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALL = 256  # values; smaller tensors (biases, norms) stay float32
LARGE = 4096  # values; only larger ones are worth eight bits and a row of scales


def narrow(model: onnx.ModelProto, bits: int) -> None:
    """Stores a model's float32 weights as float16 or, for bits=8, its large ones as int8 with scales."""
    if bits not in (8, 16):
        raise ValueError(f"{bits} bits: weights can be stored with 8 or 16")
    graph, nodes, kept = model.graph, [], []
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.size < SMALL:
            kept.append(tensor)
            continue
        store = _eight if bits == 8 and array.size >= LARGE else _half
        stored, widening = store(tensor.name, array)
        kept += stored
        nodes += widening
    nodes += graph.node
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)


def _half(name: str, array: np.ndarray) -> tuple[list[onnx.TensorProto], list[onnx.NodeProto]]:
    half = numpy_helper.from_array(array.astype(np.float16), f"{name}_half")
    return [half], [helper.make_node("Cast", [half.name], [name], f"cast_{name}", to=TensorProto.FLOAT)]


def _eight(name: str, array: np.ndarray) -> tuple[list[onnx.TensorProto], list[onnx.NodeProto]]:
    """One scale an output channel: a convolution's is its first axis, a matrix's its last."""
    inner = tuple(range(1, array.ndim)) if array.ndim == 4 else tuple(range(array.ndim - 1))
    scales = np.maximum(np.abs(array).max(axis=inner, keepdims=True) / 127, 1e-12).astype(np.float32)
    whole = numpy_helper.from_array(np.rint(array / scales).astype(np.int8), f"{name}_int8")
    factor = numpy_helper.from_array(scales, f"{name}_scale")
    wide = f"{name}_wide"
    return [whole, factor], [
        helper.make_node("Cast", [whole.name], [wide], f"cast_{name}", to=TensorProto.FLOAT),
        helper.make_node("Mul", [wide, factor.name], [name], f"scale_{name}"),
    ]
