"""The models of the suite, with random weights from their configurations."""
