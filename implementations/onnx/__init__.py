"""The operator Attention of ONNX, and its reference evaluator."""
