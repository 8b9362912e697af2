"""Writes trainer-bridge/API.md, the page of all public names, from their docstrings: python3 test/trainer-bridge/api_page.py"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from pathlib import Path

BRIDGE = Path(__file__).resolve().parents[2] / "trainer-bridge"
PAGE = BRIDGE / "API.md"
ORDER = (
    "launch",
    "Server",
    "track",
    "Run",
    "AlreadyRunning",
    "trainer",
    "describe",
    "init",
    "log",
    "finish",
    "connect",
    "Client",
    "ApiError",
)
FRAMEWORKS = ("TransformersCallback", "AccelerateTracker", "LightningLogger", "LightningCallback")


def page() -> str:
    sys.path.insert(0, str(BRIDGE))
    import trackside

    parts = [
        "# trackside in Python",
        "All public names of `import trackside`, from their docstrings. What begins with an underscore may change.",
        "`python3 test/trainer-bridge/api_page.py` writes this page.",
    ]
    for name in (*ORDER, *FRAMEWORKS):
        home = trackside._HOMES[name]
        tree = _parsed(home)
        for node in _definitions(tree, name):
            parts += _described(node)
    missing = set(trackside._HOMES) - {*ORDER, *FRAMEWORKS}
    assert not missing, f"not on the page: {missing}"
    return "\n\n".join(parts) + "\n"


def _parsed(module: str) -> ast.Module:
    place = BRIDGE / Path(*module.split("."))
    path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


def _definitions(tree: ast.Module, name: str) -> list[ast.ClassDef | ast.FunctionDef]:
    """The definition, also where a module only passes it on; the last of overloads."""
    found = [node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name]
    if found:
        return found[-1:]
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and any(each.name == name for each in node.names):
            return _definitions(_parsed(node.module), name)
    raise SystemExit(f"{name} is not defined where trackside/__init__.py says")


def _described(node: ast.ClassDef | ast.FunctionDef) -> list[str]:
    if isinstance(node, ast.FunctionDef):
        return [f"## {node.name}", _signature(node), _text(ast.get_docstring(node))]
    parts = [f"## {node.name}", _text(ast.get_docstring(node))]
    for at, each in enumerate(node.body):
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name) and at + 1 < len(node.body):
            after = node.body[at + 1]
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                words = inspect.cleandoc(str(after.value.value))
                parts.append(f"**`{each.target.id}: {ast.unparse(each.annotation)}`** — {words}")
        if isinstance(each, ast.FunctionDef) and not each.name.startswith("_") and ast.get_docstring(each):
            parts += [f"### {node.name}.{each.name}", _signature(each), _text(ast.get_docstring(each))]
    return parts


def _signature(node: ast.FunctionDef) -> str:
    if any(ast.unparse(each) == "property" for each in node.decorator_list):
        return f"```python\n{node.name}: {ast.unparse(node.returns) if node.returns else ''}\n```"
    arguments = ast.unparse(node.args).removeprefix("self, ").removeprefix("self").removeprefix("cls")
    shown = f"{node.name}({arguments})" + (f" -> {ast.unparse(node.returns)}" if node.returns else "")
    return f"```python\n{shown}\n```"


def _text(docstring: str | None) -> str:
    """Lines of a prompt are code."""
    lines, inside = [], False
    for line in (docstring or "").split("\n"):
        is_code = line.startswith((">>> ", "... ")) or (inside and bool(line.strip()))
        if is_code != inside:
            lines.append("```python" if is_code else "```")
        inside = is_code
        if not is_code:
            line = re.sub(r"^([a-z_]+(?:, [a-z_]+)*): ", lambda found: f"- `{found[1]}`: ", line)
        lines.append(line[4:] if line.startswith((">>> ", "... ")) else line)
    return "\n".join([*lines, *(["```"] if inside else [])])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
