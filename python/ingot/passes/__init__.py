"""Program to program, the same meaning; ``manager`` has the list."""
