"""Measurements of Ingot beside its peers, on the machine at hand."""
