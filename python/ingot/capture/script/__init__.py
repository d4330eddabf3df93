"""script: Python source compiled into programs, without torch.jit.

``function.py`` is the way in; ``compiler.py`` compiles functions recursively; a ``Frame`` is
one function being compiled; ``expressions.py`` and ``statements.py`` follow the syntax tree;
``values.py`` says what an expression can be while it is compiled.
"""

from ingot.capture.script.function import ScriptFunction, capturing, script
from ingot.capture.script.markers import export, ignore, unused

__all__ = ["ScriptFunction", "capturing", "export", "ignore", "script", "unused"]
