"""OpenVINO's ScaledDotProductAttention on the CPU, and its stateful cache."""
