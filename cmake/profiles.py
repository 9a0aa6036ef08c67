"""Writes the C file of routerd/model/profile_builtin.h: profiles.py OUTPUT PROFILE.yaml..."""

import os
import sys


def literal(data):
    """One line of C for each line of the text."""
    for line in data.splitlines(keepends=True):
        text = "".join(chr(c) if 32 <= c < 127 and chr(c) not in '"\\?' else f"\\{c:03o}" for c in line)
        yield f'     "{text}"'


def main(output, paths):
    with open(output, "w", encoding="ascii") as out:
        out.write('#include "model/profile_builtin.h"\n\nconst struct profile_builtin profiles_builtin[] = {\n')
        for path in sorted(paths):
            with open(path, "rb") as file:
                data = file.read()
            name = os.path.basename(path).removesuffix(".yaml")
            out.write(f'    {{"{name}",\n' + "\n".join(literal(data)) + f",\n     {len(data)}}},\n")
        out.write("};\n\nconst size_t n_profiles_builtin = sizeof profiles_builtin / sizeof *profiles_builtin;\n")


main(sys.argv[1], sys.argv[2:])
