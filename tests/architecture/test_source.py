"""How the source reads: what every module has, and what none of them does."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import tomllib

from tests.architecture.source import EVERYTHING, PRODUCT, ROOT, calls, functions, modules, places

NAMES_THAT_SAY_NOTHING = {
    "utils",
    "util",
    "misc",
    "common",
    "helper",
    "helpers",
    "core",
    "manager",
    "base_classes",
}
LONGEST_MODULE = 500
PLACES_OF_ONE_MACHINE = re.compile(
    r"(?<![\w.])/(?:work/(?:main|shared|\.)|root/|home/[a-z]+/|Users/[A-Za-z]+/)|[A-Z]:\\Users\\"
)
TEXT_FILES = (".py", ".toml", ".md", ".yaml", ".yml", ".spec", ".mako", ".ini", ".cfg", ".sh")


def test_every_module_opens_with_a_sentence_on_what_it_is_for() -> None:
    silent = [module.place for module in modules(*EVERYTHING) if not ast.get_docstring(module.tree)]
    assert not silent


def test_every_module_has_a_telling_name() -> None:
    vague = [
        module.place
        for module in modules(*EVERYTHING)
        if NAMES_THAT_SAY_NOTHING & {part.removesuffix(".py") for part in module.place.split("/")}
    ]
    assert not vague


def test_no_module_is_longer_than_one_idea() -> None:
    # Migrations are records of what was done to stores out there, not something to be read again and again.
    long = {
        module.place: lines
        for module in modules("app", "ui")
        if (lines := module.text.count("\n")) > LONGEST_MODULE
    }
    assert not long


def test_no_signal_is_connected_to_a_lambda() -> None:
    # A lambda keeps its surroundings alive, cannot be disconnected, and runs after its receiver was deleted.
    found = [
        module.line(call)
        for module in modules("ui", "tests")
        for call in calls(module.tree, "connect", "singleShot")
        if any(isinstance(argument, ast.Lambda) for argument in call.args)
    ]
    assert not found


def test_nothing_pumps_events_or_blocks_in_a_dialog() -> None:
    found = [
        module.line(call)
        for module in modules(*PRODUCT)
        for call in calls(module.tree, "processEvents", "exec", "exec_", "waitForDone")
    ]
    assert not found


def test_the_window_never_sleeps() -> None:
    found = [
        module.line(call)
        for module in modules("ui")
        for call in calls(module.tree, "sleep")
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "time"
        and not module.place.startswith("ui/cli")
    ]
    assert not found


def test_colours_come_from_the_palette_and_not_from_style_sheets() -> None:
    assert not [module.line(call) for module in modules("ui") for call in calls(module.tree, "setStyleSheet")]


def test_every_painter_that_is_begun_is_ended_whatever_happens() -> None:
    # A painter that an exception leaves open makes every later paint of that widget fail, or crashes Qt.
    open_painters = [
        module.line(function)
        for module in modules("ui")
        for function in functions(module.tree)
        if any(calls(function, "QPainter")) and not _ends_painter(function)
    ]
    assert not open_painters


def _ends_painter(function: ast.AST) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Try) and any(True for part in node.finalbody for _ in calls(part, "end")):
            return True
        if isinstance(node, ast.With) and any(True for item in node.items for _ in calls(item, "QPainter")):
            return True
    return False


def test_nothing_is_swallowed() -> None:
    def swallows(node: ast.AST) -> bool:
        if not isinstance(node, ast.ExceptHandler):
            return False
        broad = node.type is None or (
            isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")
        )
        return broad and all(isinstance(statement, ast.Pass | ast.Continue) for statement in node.body)

    assert not places(swallows, *PRODUCT)


def test_every_exception_from_type_checking_says_why() -> None:
    # One comment says which complaint is set aside, a second one why that is right.
    ignored = re.compile(r"# type: " r"ignore(?!\[[\w, -]+\]\s+# \S)")
    unexplained = [
        f"{module.place}:{number}"
        for module in modules(*EVERYTHING)
        for number, line in enumerate(module.text.splitlines(), 1)
        if ignored.search(line)
    ]
    assert not unexplained


def test_no_part_of_our_own_code_is_excused_from_type_checking() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert settings["strict"] is True
    assert not {"exclude", "ignore_errors", "disable_error_code"} & settings.keys()
    for override in settings["overrides"]:
        assert override.keys() == {"module", "ignore_missing_imports"}
        assert not [name for name in override["module"] if name.split(".")[0] in EVERYTHING]


def test_the_project_names_no_place_of_one_machine() -> None:
    names = _files_of_the_project()
    texts = [ROOT / name for name in names if name.endswith(TEXT_FILES) or name in ("Makefile", ".ci/run")]
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in texts
        if path.exists()
        and (match := PLACES_OF_ONE_MACHINE.search(path.read_text(encoding="utf-8", errors="replace")))
    ]
    assert not found


def _files_of_the_project() -> list[str]:
    """What git knows or would add; where there is no git, the Python files."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        command = [git, "ls-files", "-co", "--exclude-standard"]
        return subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.splitlines()
    return [module.place for module in modules(*EVERYTHING)]
