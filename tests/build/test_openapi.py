"""docs/openapi.yaml says what is served: it is held against the table of routes, the topology's reader,
and its own examples against its own schemas."""

import pathlib
import re

import pytest
import yaml

TOP = pathlib.Path(__file__).resolve().parents[2]
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "null": type(None)}


@pytest.fixture(name="api", scope="module")
def fixture_api():
    return yaml.safe_load((TOP / "docs/openapi.yaml").read_text(encoding="utf-8"))


def resolve(api, node):
    while isinstance(node, dict) and "$ref" in node:
        target = api
        for key in node["$ref"].removeprefix("#/").split("/"):
            target = target[key.replace("~1", "/")]
        node = target
    return node


def operations(api):
    return {(method.upper(), path): item[method] for path, item in api["paths"].items() for method in METHODS
            if method in item}


def routes():
    """{(method, path): (query keys, supported)} of routerd/api/route.c."""
    text = (TOP / "routerd/api/route.c").read_text(encoding="utf-8")
    macros = dict(re.findall(r"#define (\w+) (.+)", text))

    def expand(expression):
        words = re.findall(r'"[^"]*"|\w+', expression)
        return "".join(word.strip('"') if word[0] == '"' else expand(macros[word]) for word in words)

    def keys(expression):
        for name in macros:
            expression = re.sub(rf"\b{name}\b", lambda _, name=name: macros[name], expression)
        return {key.lower() for key in re.findall(r"QUERY_(\w+)", expression)}

    rows = re.findall(r'\{"([A-Z]+)", ([^,]+), ([^,]+), (\w+)\},', text)
    return {(method, expand(path)): (keys(query), serve != "NULL") for method, path, query, serve in rows}


def walk(node, path=()):
    yield path, node
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield from walk(child, path + (key,))


def faults(api, schema, value, path="$"):
    """What is wrong with a value by a schema, in the part of JSON Schema that the document uses."""
    schema = resolve(api, schema)
    for part in schema.get("allOf", ()):
        yield from faults(api, part, value, path)
    if "oneOf" in schema and sum(not list(faults(api, part, value, path)) for part in schema["oneOf"]) != 1:
        yield f"{path}: not one of them"
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    if names and not any(isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
                         for name in names):
        yield f"{path}: {value!r} is no {names}"
        return
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        yield f"{path}: {value!r} is not allowed"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{path}: {value!r} is not {schema['pattern']}"
    if isinstance(value, dict):
        yield from (f"{path}: no {key}" for key in schema.get("required", ()) if key not in value)
        for key, child in value.items():
            if key in schema.get("properties", {}):
                yield from faults(api, schema["properties"][key], child, f"{path}.{key}")
            elif schema.get("additionalProperties") is False:
                yield f"{path}: {key} is unknown"
    if isinstance(value, list):
        for index, child in enumerate(value):
            yield from faults(api, schema.get("items", {}), child, f"{path}[{index}]")


def test_it_is_openapi(api):
    assert api["openapi"].startswith("3.1.")
    assert api["info"]["title"] and api["info"]["version"]
    ids = [operation["operationId"] for operation in operations(api).values()]
    assert len(ids) == len(set(ids))
    tags = {tag["name"] for tag in api["tags"]}
    for key, operation in operations(api).items():
        assert operation["summary"] and operation["responses"] and set(operation["tags"]) <= tags, key


def test_references_resolve(api):
    for path, node in walk(api):
        if isinstance(node, dict) and "$ref" in node:
            assert resolve(api, node) is not None, path


def test_every_route_is_described_and_no_other(api):
    assert len(routes()) >= 18
    assert set(operations(api)) == set(routes())


def test_what_is_not_supported_yet_is_said(api):
    for key, (_, supported) in routes().items():
        operation = operations(api)[key]
        if not supported:
            assert "501" in operation["responses"], key
        assert ("not supported yet" in operation["summary"]) == (not supported), key


def test_parameters(api):
    for (method, path), operation in operations(api).items():
        given = [resolve(api, p) for p in api["paths"][path].get("parameters", []) + operation.get("parameters", [])]
        assert {p["name"] for p in given if p["in"] == "path"} == set(re.findall(r"\{(\w+)\}", path))
        assert all(p["required"] for p in given if p["in"] == "path")
        query, supported = routes()[method, path]
        if supported:
            assert {p["name"] for p in given if p["in"] == "query"} == query, path


def test_topology_has_the_keys_that_are_read(api):
    text = "".join(path.read_text(encoding="utf-8") for path in TOP.glob("routerd/model/topology_yaml*.c"))
    read = set(re.findall(r'\{"(\w+)", (?:REQUIRED|OPTIONAL)', text))
    described = set()
    for name in ("Topology", "TopologyNetwork", "Secret"):
        for _, node in walk(api["components"]["schemas"][name]):
            if isinstance(node, dict) and isinstance(node.get("properties"), dict):
                described |= set(node["properties"])
    assert read and described == read


def test_examples_fit_their_schemas(api):
    count = 0
    for path, node in walk(api):
        if not isinstance(node, dict) or "schema" not in node:
            continue
        examples = [node["example"]] if "example" in node else []
        examples += [example["value"] for example in resolve(api, node.get("examples", {})).values()]
        for example in examples:
            if isinstance(example, str) and "yaml" in path[-1]:
                example = yaml.safe_load(example)
            assert not list(faults(api, node["schema"], example)), path
            count += 1
    assert count >= 15


def test_the_checker_finds_faults(api):
    schema = {"$ref": "#/components/schemas/Change"}
    assert list(faults(api, schema, {"generation": "7", "plan": {}}))
    assert not list(faults(api, {"type": ["string", "null"]}, None))
    assert list(faults(api, {"type": "integer"}, True))
