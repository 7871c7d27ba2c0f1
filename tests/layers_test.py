#!/usr/bin/env python3
"""The floors of the house: a folder of src/ includes only the folders that its gost_layer(... USES ...) names, the
folders use each other without a cycle, and no source file is longer than 600 lines."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEYWORDS = {"SOURCES", "TESTS", "USES", "LIBRARIES"}
LINE_LIMIT = 600
LAYER = re.compile(r"gost_layer\(([^)]*)\)")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def parse_layers(source_root):
    """{folder: set of folders that it may include} from the CMake files. A folder without gost_layer (as the one of
    the executable) has no entry."""
    layers = {}
    for cmake in sorted(source_root.glob("*/CMakeLists.txt")):
        text = re.sub(r"#.*", "", cmake.read_text())
        for call in LAYER.findall(text):
            name, *words = call.split()
            uses, keyword = set(), None
            for word in words:
                if word in KEYWORDS:
                    keyword = word
                elif keyword == "USES":
                    uses.add(word)
            layers[name] = uses
    return layers


def find_cycle(layers):
    """The folders of one cycle in order, the first repeated at the end; an empty list if there is none."""
    done = set()

    def visit(name, path):
        if name in path:
            return path[path.index(name) :] + [name]
        if name in done:
            return []
        for used in sorted(layers.get(name, ())):
            cycle = visit(used, path + [name])
            if cycle:
                return cycle
        done.add(name)
        return []

    for name in sorted(layers):
        cycle = visit(name, [])
        if cycle:
            return cycle
    return []


def sources(*folders):
    for folder in folders:
        if folder.is_dir():
            yield from sorted(p for p in folder.rglob("*") if p.suffix in {".cpp", ".hpp"})


def wrong_includes(source_root, layers):
    problems = []
    for path in sources(source_root):
        relative = path.relative_to(source_root)
        if len(relative.parts) < 2:
            continue  # main.cpp stands above all floors
        folder = relative.parts[0]
        if folder not in layers:
            problems.append(f"{relative}: {folder}/CMakeLists.txt has no gost_layer({folder} ...)")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            target = match.group(1).split("/")[0]
            if "/" not in match.group(1):
                problems.append(f'{relative}:{number}: write the folder too: #include "{folder}/{match.group(1)}"')
            elif target != folder and target not in layers[folder]:
                problems.append(f"{relative}:{number}: {folder} may not include {target} (its USES: "
                                f"{' '.join(sorted(layers[folder])) or 'none'})")
    return problems


def long_files(root):
    return [f"{path.relative_to(root)}: more than {LINE_LIMIT} lines; it is two ideas, make two files of it"
            for path in sources(root / "src", root / "bench", root / "tests")
            if len(path.read_text().splitlines()) > LINE_LIMIT]


def unknown_layers(layers):
    return [f"{name}: USES names {used}, which is no folder with a gost_layer"
            for name, uses in layers.items() for used in sorted(uses) if used not in layers]


def problems_of(root):
    layers = parse_layers(root / "src")
    cycle = find_cycle(layers)
    return (([f"the folders use each other in a circle: {' -> '.join(cycle)}"] if cycle else [])
            + unknown_layers(layers) + wrong_includes(root / "src", layers) + long_files(root))


# --- the check itself is checked: each rule against a small tree that breaks it ---------------------------------------

def make_tree(root, layers, files):
    for name, uses in layers.items():
        folder = root / "src" / name
        folder.mkdir(parents=True)
        (folder / "CMakeLists.txt").write_text(f"gost_layer({name}\n  SOURCES a.cpp\n  USES {' '.join(uses)})\n")
    for name, text in files.items():
        (root / "src" / name).write_text(text)
    return problems_of(root)


def test_allows_what_uses_names(tmp_path):
    assert make_tree(tmp_path, {"low": [], "high": ["low"]}, {"high/a.cpp": '#include "low/b.hpp"\n'}) == []


def test_finds_an_include_of_a_higher_floor(tmp_path):
    found = make_tree(tmp_path, {"low": [], "high": ["low"]}, {"low/a.cpp": '\n#include "high/b.hpp"\n'})
    assert found == ["low/a.cpp:2: low may not include high (its USES: none)"]


def test_finds_an_include_without_folder(tmp_path):
    assert "write the folder too" in make_tree(tmp_path, {"low": []}, {"low/a.cpp": '#include "b.hpp"\n'})[0]


def test_finds_a_cycle(tmp_path):
    assert "a -> b -> a" in make_tree(tmp_path, {"a": ["b"], "b": ["a"]}, {})[0]


def test_finds_an_unknown_folder(tmp_path):
    assert "no folder" in make_tree(tmp_path, {"a": ["nowhere"]}, {})[0]


def test_finds_a_long_file(tmp_path):
    assert "two ideas" in make_tree(tmp_path, {"a": []}, {"a/a.cpp": "\n" * (LINE_LIMIT + 1)})[0]


def test_the_project_keeps_its_floors():
    assert problems_of(ROOT) == []


if __name__ == "__main__":
    found = problems_of(ROOT)
    print("\n".join(found) or "layers: ok")
    sys.exit(1 if found else 0)
