"""What the kernels take from numba and LLVM: undocumented names in one file, and all of them still where they were."""

import re
import tomllib
from pathlib import Path

import llvmlite
import numba
import pytest
from llvmlite import binding

import rnnviz

KERNELS = Path(rnnviz.__file__).parent / "nn" / "kernels"
PROJECT = Path(rnnviz.__file__).parent.parent / "pyproject.toml"
#: What is undocumented, by a pattern of how it looks in the source.
UNDOCUMENTED = re.compile(
    r"fndesc|\.overloads\[|no_cpython_wrapper|no_cfunc_wrapper|make_array|populate_array|_getvalue|NRT_|create_struct_proxy"
)
IMPORTS = re.compile(r"^\s*(?:import|from) (?:numba|llvmlite)\b", re.MULTILINE)


def test_undocumented_names_stand_in_one_file():
    found = {path.name for path in KERNELS.glob("*.py") if UNDOCUMENTED.search(path.read_text())}
    assert found == {"numba_private.py"}


def test_numba_is_imported_in_one_file():
    assert {path.name for path in KERNELS.glob("*.py") if IMPORTS.search(path.read_text())} == {"numba_untyped.py"}


@pytest.fixture(scope="module")
def assembly():
    """LLVM's assembly of a function with an array, as numba writes it."""
    if numba.config.DISABLE_JIT:
        pytest.skip("without a compiler there is no assembly")

    def first(pointer):
        array = numba.carray(pointer, (3,))
        return array[1:][0]

    made = numba.cfunc(numba.types.float64(numba.types.CPointer(numba.types.float64)))(first)
    return made.native_name, made.inspect_llvm()


def test_a_cfunc_says_its_name_and_its_assembly(assembly):
    name, text = assembly
    module = binding.parse_assembly(text)
    module.get_function(name).name = "first"
    assert not module.get_function("first").is_declaration


def test_reference_counts_have_the_names_that_are_replaced(assembly):
    from rnnviz.nn.kernels.numba_private import NOTHING_TO_COUNT

    ours = {function.name for function in binding.parse_assembly(NOTHING_TO_COUNT).functions}
    theirs = {function.name for function in binding.parse_assembly(assembly[1]).functions}
    assert ours & theirs  # one of a pair that cancels out may be gone


def test_an_array_is_a_struct_with_data():
    from numba.core import cgutils
    from numba.core.datamodel import default_manager

    array = numba.types.Array(numba.types.float64, 2, "C")
    assert "data" in default_manager.lookup(array)._fields
    assert callable(cgutils.create_struct_proxy)


@pytest.mark.parametrize("package", [numba, llvmlite], ids=lambda package: package.__name__)
def test_the_versions_are_bounded_by_what_was_tested(package):
    listed = tomllib.loads(PROJECT.read_text())["project"]["dependencies"]
    (line,) = (line for line in listed if re.match(rf"{package.__name__}\b", line))
    bound = tuple(map(int, re.search(r"<(\d+)\.(\d+)", line).groups()))
    installed = tuple(map(int, package.__version__.split(".")[:2]))
    assert installed < bound
    assert bound[1] - 1 <= 68 if package is numba else bound[1] - 1 <= 50, "raise what was tested with the bound"
