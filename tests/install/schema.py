# SPDX-License-Identifier: Apache-2.0
"""Holds an object against the schema of the Kubernetes API as Debian's python3-kubernetes has it
(its models are generated from the API's own): no unknown field, each with its type, none missing; and
what the API server checks besides, as far as config/kubernetes needs it."""
import re

from kubernetes import client

MODELS = {
    ("v1", "Namespace"): "V1Namespace",
    ("v1", "ConfigMap"): "V1ConfigMap",
    ("apps/v1", "DaemonSet"): "V1DaemonSet",
    ("node.k8s.io/v1", "RuntimeClass"): "V1RuntimeClass",
}
PLAIN = {"str": str, "int": int, "bool": bool}
QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|[KMG]i?)?$")
DNS_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
LABEL_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")
CHOICES = {
    ("V1Toleration", "effect"): {"NoSchedule", "PreferNoSchedule", "NoExecute"},
    ("V1Toleration", "operator"): {"Exists", "Equal"},
    ("V1NodeSelectorRequirement", "operator"): {"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"},
    ("V1HostPathVolumeSource", "type"): {"", "Directory", "File", "Socket"},
    ("V1Container", "terminationMessagePolicy"): {"File", "FallbackToLogsOnError"},
    ("V1SeccompProfile", "type"): {"RuntimeDefault", "Localhost", "Unconfined"},
    ("V1DaemonSetUpdateStrategy", "type"): {"RollingUpdate", "OnDelete"},
}


class Invalid(Exception):
    """The API server would refuse it."""


def require(holds, path, why):
    if not holds:
        raise Invalid("%s: %s" % (path, why))


def check_object(item):
    key = (item.get("apiVersion"), item.get("kind"))
    require(key in MODELS, str(key), "is not a kind that is expected here")
    name = item["metadata"].get("name", "")
    require(DNS_NAME.match(name), name, "is no name")
    check_type(MODELS[key], item, item["kind"] + " " + name)
    if item["kind"] == "DaemonSet":
        check_daemon_set(item)


def check_type(kind, value, path):
    container = re.match(r"(list\[|dict\(str, )(.*)[\])]$", kind)
    if kind == "object":  # IntOrString
        require(isinstance(value, (int, str)), path, "is neither a number nor text")
    elif kind in PLAIN:
        require(type(value) is PLAIN[kind], path, "is no %s" % kind)
    elif container and kind.startswith("list"):
        require(type(value) is list, path, "is no list")
        for i, item in enumerate(value):
            check_type(container[2], item, "%s[%d]" % (path, i))
    elif container:
        require(type(value) is dict, path, "is no map")
        for key, item in value.items():
            require(type(key) is str, path, "%r is no text" % key)
            check_type(container[2], item, "%s.%s" % (path, key))
    else:
        check_model(kind, value, path)


def check_model(kind, value, path):
    require(type(value) is dict, path, "is no structure")
    model = getattr(client, kind)
    fields = {name: attribute for attribute, name in model.attribute_map.items()}
    for name, item in value.items():
        require(name in fields, path, "there is no field %s in %s" % (name, kind))
        check_type(model.openapi_types[fields[name]], item, "%s.%s" % (path, name))
        choices = CHOICES.get((kind, name))
        require(not choices or item in choices, path, "%s: %s" % (name, item))
        if name in ("labels", "nodeSelector", "matchLabels"):
            check_labels(item, path)
        if name in ("requests", "limits", "podFixed"):
            for quantity in item.values():
                require(QUANTITY.match(quantity), path, "%s is no quantity" % quantity)
    try:
        model(**{fields[name]: item for name, item in value.items()})
    except ValueError as error:  # a field that must be there is not
        raise Invalid("%s: %s" % (path, error)) from error


def check_labels(labels, path):
    for key, value in labels.items():
        require(LABEL_KEY.match(key) and LABEL_VALUE.match(value), path,
                "%s=%s is no label" % (key, value))


def check_daemon_set(item):
    name, template = item["metadata"]["name"], item["spec"]["template"]
    labels = template["metadata"]["labels"]
    wanted = item["spec"]["selector"]["matchLabels"]
    require(wanted.items() <= labels.items(), name, "the selector does not select its own pods")
    pod = template["spec"]
    volumes = [volume["name"] for volume in pod["volumes"]]
    require(len(volumes) == len(set(volumes)), name, "two volumes have one name")
    for volume in pod["volumes"]:
        require(len(volume) == 2, name, "a volume has one source")
    for container in pod["initContainers"] + pod["containers"]:
        require(container.get("image"), name + " " + container["name"], "image: required")
        for mount in container["volumeMounts"]:
            require(mount["name"] in volumes, name, "there is no volume %s" % mount["name"])
