"""Attention in four functions of the Array API standard."""
