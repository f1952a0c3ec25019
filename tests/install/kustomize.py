# SPDX-License-Identifier: Apache-2.0
"""Renders the features of kustomize that config/kubernetes uses, and fails on any other, for machines
without kustomize: resources, components, configMapGenerator from files with the hash in the name,
replacements from one object, local-config."""
import hashlib
import json
import os
import re

import yaml

KEYS = {"apiVersion", "kind", "resources", "components", "configMapGenerator", "replacements"}
LOCAL = "config.kubernetes.io/local-config"


class Unsupported(Exception):
    """What is asked for is wrong, or is not among the features that are known here."""


def only(what, given, known):
    if not set(given) <= set(known):
        raise Unsupported("%s: %s is not known here" % (what, sorted(set(given) - set(known))))


def load(path):
    """Each document as (object, the same with all scalars as they are written)."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    pairs = zip(yaml.safe_load_all(text), yaml.load_all(text, yaml.BaseLoader))
    return [{"object": typed, "text": raw, "hashed": False} for typed, raw in pairs]


def inside(directory, name):
    """kustomize reads files of its own folder only, so a link must not lead out."""
    path = os.path.realpath(os.path.join(directory, name))
    if not path.startswith(os.path.realpath(directory) + os.sep):
        raise Unsupported("%s leads out of %s" % (name, directory))
    return path


# --- paths ------------------------------------------------------------------------------------------

def steps(path):
    return re.findall(r"\[[^\]]*\]|[^.\[]+", path)


def children(node, step):
    """The places that a step leads to, as (container, key)."""
    if step == "*":
        return [(node, i) for i in range(len(node))]
    if step.startswith("["):
        key, value = step[1:-1].split("=", 1)
        return [(node, i) for i, item in enumerate(node) if item.get(key) == value]
    return [(node, step)] if step in node else []


def places(root, path):
    found = [({"": root}, "")]
    for step in steps(path):
        found = [place for holder, key in found for place in children(holder[key], step)]
    if not found:
        raise Unsupported("there is no %s" % path)
    return found


# --- generators and replacements --------------------------------------------------------------------

def generate(directory, generator):
    only("configMapGenerator", generator, {"name", "namespace", "files"})
    data = {}
    for name in generator["files"]:
        with open(inside(directory, name), encoding="utf-8") as file:
            data[os.path.basename(name)] = file.read()
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "data": data,
                  "metadata": {"name": generator["name"], "namespace": generator["namespace"]}}
    return {"object": config_map, "text": None, "hashed": True}


def is_selected(item, select):
    only("select", select, {"kind", "name"})
    item = item["object"]
    return item["kind"] == select["kind"] and \
        select.get("name", item["metadata"]["name"]) == item["metadata"]["name"]


def replace(items, replacement):
    only("replacement", replacement, {"source", "targets"})
    source = replacement["source"]
    only("source", source, {"kind", "fieldPath"})
    found = [item for item in items if item["object"]["kind"] == source["kind"]]
    if len(found) != 1:
        raise Unsupported("%d objects are a %s" % (len(found), source["kind"]))
    (holder, key), = places(found[0]["object"], source["fieldPath"])
    (raw, _), = places(found[0]["text"], source["fieldPath"])
    for target in replacement["targets"]:
        only("target", target, {"select", "fieldPaths"})
        for item in items:
            if is_selected(item, target["select"]):
                for path in target["fieldPaths"]:
                    put(places(item["object"], path), holder[key], raw[key])


def put(where, value, written):
    """A scalar takes the value's letters and keeps its own type."""
    for holder, key in where:
        if isinstance(holder[key], str):
            holder[key] = written
        elif isinstance(holder[key], (dict, list)):
            holder[key] = json.loads(json.dumps(value))
        else:
            raise Unsupported("%s is neither text nor a structure" % key)


# --- folders ----------------------------------------------------------------------------------------

def accumulate(directory, items, kind):
    with open(os.path.join(directory, "kustomization.yaml"), encoding="utf-8") as file:
        kustomization = yaml.safe_load(file)
    only(directory, kustomization, KEYS)
    if kustomization["kind"] != kind:
        raise Unsupported("%s is no %s" % (directory, kind))
    for name in kustomization.get("resources", []):
        path = os.path.join(directory, name)
        if os.path.isdir(path):
            accumulate(path, items, "Kustomization")
        else:
            items.extend(load(inside(directory, name)))
    for name in kustomization.get("components", []):
        accumulate(os.path.join(directory, name), items, "Component")
    for generator in kustomization.get("configMapGenerator", []):
        items.append(generate(directory, generator))
    for replacement in kustomization.get("replacements", []):
        replace(items, replacement)


def hash_of(config_map):
    """As Go writes JSON, the name left empty, and with the letters that make no words."""
    text = json.dumps({"data": config_map["data"], "kind": "ConfigMap", "name": ""}, sort_keys=True,
                      separators=(",", ":"), ensure_ascii=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, "\\u%04x" % ord(letter))
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    return digest.translate(str.maketrans("013ae", "ghkmt"))


def rename(node, names):
    """In each volume: {configMap: {name: ...}}."""
    if isinstance(node, list):
        for item in node:
            rename(item, names)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "configMap" and value.get("name") in names:
                value["name"] = names[value["name"]]
            rename(value, names)


def build(directory):
    """The objects that `kustomize build` prints for a folder."""
    items = []
    accumulate(directory, items, "Kustomization")
    names = {}
    for item in items:
        if item["hashed"]:
            metadata = item["object"]["metadata"]
            names[metadata["name"]] = metadata["name"] + "-" + hash_of(item["object"])
            metadata["name"] = names[metadata["name"]]
    objects = [item["object"] for item in items
               if item["object"]["metadata"].get("annotations", {}).get(LOCAL) != "true"]
    rename(objects, names)
    return objects
