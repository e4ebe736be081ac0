"""Pickles of whole modules: the tensors in them, and nothing of what they would run.

A module is pickled as names of classes and what its instances hold. Here tensors are built as torch
builds them, every class of a network is an empty stub, and everything else is refused.
"""

from __future__ import annotations

import collections
import pickle
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch._utils import _rebuild_parameter, _rebuild_tensor, _rebuild_tensor_v2

DEEPEST = 64
"""Modules within modules; a network that is deeper is none."""
REBUILT = {
    "collections.OrderedDict": collections.OrderedDict,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
    "torch._utils._rebuild_tensor": _rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor_v2,
    "torch.Size": torch.Size,
    "torch.device": torch.device,
    "builtins.set": set,
    "__builtin__.set": set,
}
"""All that is called while a file is read."""
STORAGES = (
    *("Double", "Float", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool"),
    *("ComplexDouble", "ComplexFloat"),
)
STUBBED = ("torch.nn.modules.", "torch.nn.parallel.")


class Refused(pickle.UnpicklingError):
    """A pickle asks for something that is neither a tensor nor a class of a network."""


class Stub:
    """An instance of a class that is not there: what it held, and no more."""

    def __init__(self, *_: object, **__: object) -> None:
        """Nothing that a pickle hands over is used."""


class TensorUnpickler(pickle.Unpickler):
    """An unpickler that calls what builds tensors, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:  # classes and functions of torch
        """What a name in a pickle means here; refuses all that could do anything."""
        whole = f"{module}.{name}"
        if whole in REBUILT:
            return REBUILT[whole]
        if module == "torch" and name.removesuffix("Storage") in STORAGES:
            return getattr(torch, name)
        if module == "torch" and isinstance(getattr(torch, name, None), torch.dtype):
            return getattr(torch, name)
        if _of_a_network(module):
            return type(name.rpartition(".")[2], (Stub,), {"__module__": module})
        raise Refused(f"it asks for {whole}")


def _of_a_network(module: str) -> bool:
    """Whether a module may hold the classes of somebody's network: no library of Python's own."""
    if f"{module}.".startswith(STUBBED) or module == "__main__":
        return True
    first = module.partition(".")[0]
    return first not in (*sys.stdlib_module_names, "__builtin__", "torch", "numpy")


def module_state(source: Path) -> Mapping[str, Tensor] | None:
    """The parameters and buffers of a pickled module by name; None if the file holds none.

    Raises
    ------
    Refused
        If the file asks for anything else than tensors and classes of a network.
    pickle.UnpicklingError, RuntimeError, EOFError, ...
        Whatever torch raises of a broken file.
    """
    found = torch.load(source, "cpu", pickle_module=_READER, weights_only=False)
    held = [found] if isinstance(found, Stub) else _values(found)
    for one in held:
        state = dict(_walk(one, "", 0)) if isinstance(one, Stub) else {}
        if state:
            bare = all(name.startswith("module.") for name in state)
            return {name.removeprefix("module.") if bare else name: t for name, t in state.items()}
    return None


def _values(found: object) -> list[object]:
    return list(found.values()) if isinstance(found, Mapping) else []


def _walk(module: Stub, prefix: str, depth: int) -> Iterator[tuple[str, Tensor]]:
    """Every parameter and buffer that a state dict would hold."""
    if depth > DEEPEST:
        raise Refused("its modules hold one another")
    held = vars(module)
    passing = held.get("_non_persistent_buffers_set") or ()
    for table in ("_parameters", "_buffers"):
        for name, value in _entries(held.get(table)):
            if isinstance(value, Tensor) and not (table == "_buffers" and name in passing):
                yield f"{prefix}{name}", value.detach()
    for name, child in _entries(held.get("_modules")):
        if isinstance(child, Stub):
            yield from _walk(child, f"{prefix}{name}.", depth + 1)


def _entries(table: object) -> list[tuple[str, object]]:
    return list(table.items()) if isinstance(table, Mapping) else []


def _load(file: Any, **options: Any) -> object:  # as pickle.load, which torch calls
    return TensorUnpickler(file, **options).load()


_READER = SimpleNamespace(
    __name__="studyspec.learn.unpickling",
    Unpickler=TensorUnpickler,
    load=_load,
)
"""What torch takes for the module `pickle`."""
