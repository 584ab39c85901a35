"""ONNX Runtime: the standard operator, and its own contributed operators."""
