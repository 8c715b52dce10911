"""How do the README's workflow, inputs and outputs stay what they are? They are copied from their one source.

`make readme` rewrites them; a test fails where they differ.
"""

from __future__ import annotations

import re
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent


def filled(readme: str) -> str:
    """The README with every marked section as its source has it now."""
    action = YAML(typ="safe").load((ROOT / "action.yml").read_text())
    sections = {
        "workflow": f"```yaml\n{(ROOT / 'examples/workflows/migrate.yml').read_text()}```",
        "inputs": _table(
            ("input", "default", "meaning"),
            [(f"`{name}`", _default(each), each["description"]) for name, each in action["inputs"].items()],
        ),
        "outputs": _table(
            ("output", "meaning"),
            [(f"`{name}`", each["description"]) for name, each in action["outputs"].items()],
        ),
    }
    for name, text in sections.items():
        section = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
        if not section.search(readme):
            raise ValueError(f"README.md has no section {name}")
        readme = section.sub((text + "\n").replace("\\", r"\\"), readme)
    return readme


def _default(entry: dict[str, object]) -> str:
    default = entry.get("default", "")
    return f"`{default}`" if default else "required" if entry.get("required") else ""


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(filled(path.read_text()))
