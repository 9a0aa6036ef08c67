"""embed.py NAME FILE OUTPUT: writes a C file with FILE's text as `const char NAME[]`, and for an OVSDB schema its version as
`const char NAME_version[]` (the `_text` of the name left out)."""

import json
import sys

name, source, output = sys.argv[1:]
with open(source, encoding="utf-8") as file:
    text = file.read()


def c_lines(value):
    for line in value.splitlines(keepends=True):
        escaped = "".join(
            c if " " <= c <= "~" and c not in '"\\?' else "".join(f"\\{b:03o}" for b in c.encode()) for c in line)
        yield f'    "{escaped}"'


lines = ["/* Made from " + source.rsplit("/", 1)[-1] + "; do not edit. */", f"extern const char {name}[];",
         f"const char {name}[] =", "\n".join(c_lines(text)) + ";"]
if source.endswith(".ovsschema"):
    version = name.removesuffix("_text") + "_version"
    lines += [f"extern const char {version}[];", f'const char {version}[] = "{json.loads(text)["version"]}";']
with open(output, "w", encoding="utf-8") as file:
    file.write("\n".join(lines) + "\n")
