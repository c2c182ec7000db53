"""ws13 under wsproto's name: in this process, in a program, and in the processes that it starts."""

from __future__ import annotations

import os
import py_compile
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

from ws13._cli.run import SHIM


def python(*arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments, *(["-c", textwrap.dedent(code)] if code else [])],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return python("-m", "ws13", "run", *arguments)


def test_the_modules_are_the_same_objects() -> None:
    code = """
        import importlib, ws13
        ws13.install_as_wsproto()
        names = "connection events extensions frame_protocol handshake typing utilities"
        for name in names.split():
            module = importlib.import_module("wsproto." + name)
            assert module is getattr(ws13, name)
            assert module is getattr(importlib.import_module("wsproto"), name)
        from wsproto import Connection, ConnectionState, ConnectionType, H11Handshake, WSConnection
        from wsproto.events import Ping
        print(Ping is ws13.events.Ping, WSConnection is ws13.WSConnection)
    """
    assert said(python(code=code)) == ["True True"]


def test_the_version_is_that_of_wsproto_and_ours_stays() -> None:
    code = """
        import ws13
        ws13.install_as_wsproto()
        import wsproto
        print(wsproto.__version__, wsproto.__version__ == ws13.__version__)
    """
    assert said(python(code=code)) == ["1.3.2 False"]


def test_a_program_can_ask_whether_wsproto_is_there() -> None:
    code = """
        import importlib.util, ws13
        ws13.install_as_wsproto()
        print(importlib.util.find_spec("wsproto") is not None)
        print(importlib.util.find_spec("wsproto.events") is not None)
        try:
            import wsproto.nothing
        except ModuleNotFoundError as error:
            print(error.name)
    """
    assert said(python(code=code)) == ["True", "True", "wsproto.nothing"]


def test_events_are_pickled_and_patched_under_either_name() -> None:
    code = """
        import pickle, ws13
        from unittest import mock
        ws13.install_as_wsproto()
        import wsproto
        print(pickle.loads(pickle.dumps(wsproto.events.Ping(b"x"))))
        with mock.patch("wsproto.utilities.generate_nonce", return_value=b"n"):
            print(ws13.utilities.generate_nonce())
    """
    assert said(python(code=code)) == ["Ping(payload=b'x')", "b'n'"]


def test_a_second_call_changes_nothing() -> None:
    code = """
        import ws13
        ws13.install_as_wsproto()
        import wsproto
        ws13.install_as_wsproto()
        import sys
        print(sys.modules["wsproto"] is wsproto)
    """
    assert said(python(code=code)) == ["True"]


@pytest.mark.parametrize("module", ["wsproto", "wsproto.utilities"])
def test_it_is_refused_once_wsproto_itself_is_imported(module: str) -> None:
    pytest.importorskip("wsproto")
    code = f"""
        import {module}, ws13
        try:
            ws13.install_as_wsproto()
        except ImportError as error:
            print("imported before" in str(error), wsproto.__file__ in str(error))
        print(wsproto.events.Ping is ws13.events.Ping)
    """
    assert said(python(code=code)) == ["True True", "False"]


PROGRAM = """
import multiprocessing, subprocess, sys
import wsproto.events

def child(_):
    import ws13, wsproto.events
    return wsproto.events.Ping is ws13.events.Ping

if __name__ == "__main__":
    print(__name__, wsproto.events.Ping.__module__, *sys.argv[1:])
    if "spawn" in sys.argv:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            print(pool.map(child, [0]))
    if "command" in sys.argv:
        code = "import wsproto.events, wsproto; print(wsproto.__version__, wsproto.events.__name__)"
        print(subprocess.check_output([sys.executable, "-c", code], text=True).strip())
    if "exit" in sys.argv:
        sys.exit(7)
    if "raise" in sys.argv:
        raise ZeroDivisionError
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM, encoding="utf-8")
    return path


def test_a_script_runs_with_its_arguments(program: Path) -> None:
    done = run("--as-wsproto", str(program), "-m", "--as-wsproto", "x")
    assert said(done) == ["__main__ ws13.events -m --as-wsproto x"]


def test_a_module_runs_with_its_arguments(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(program.parent)
    done = run("--as-wsproto", "-m", "program", "--help")
    assert said(done) == ["__main__ ws13.events --help"]


def test_a_script_finds_the_modules_beside_it(program: Path) -> None:
    (program.parent / "beside.py").write_text("print('beside')", encoding="utf-8")
    program.write_text("import beside", encoding="utf-8")
    assert said(run("--as-wsproto", str(program))) == ["beside"]


@pytest.mark.parametrize("way", ["script", "module"])
def test_processes_that_the_program_starts_find_it_too(
    program: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(program.parent)
    what = [str(program)] if way == "script" else ["-m", "program"]
    done = run("--as-wsproto", *what, "spawn", "command")
    assert said(done)[1:] == ["[True]", "1.3.2 ws13.events"]


def test_the_program_decides_how_it_ends(program: Path) -> None:
    assert run("--as-wsproto", str(program), "exit").returncode == 7
    failed = run("--as-wsproto", str(program), "raise")
    assert failed.returncode == 1
    assert "ZeroDivisionError" in failed.stderr


def test_the_name_of_a_module_may_be_joined_to_its_option(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(program.parent)
    done = run("--as-wsproto", "-mprogram", "-m", "x")
    assert said(done) == ["__main__ ws13.events -m x"]


WAYS = ["script", "upwards", "compiled", "module", "package", "folder", "zip"]


def words(way: str, source: str, folder: Path) -> list[str]:
    """Write a program; return the words that run it, in that folder."""
    (folder / "inner").mkdir()
    path = folder / "program.py"
    path.write_text(source, encoding="utf-8")
    if way == "compiled":
        py_compile.compile(str(path), str(folder / "inner/program.pyc"))
        return ["inner/program.pyc"]
    if way in ("package", "folder"):
        path.rename(folder / "inner/__main__.py")
        return ["inner"] if way == "folder" else ["-m", "inner"]
    if way == "zip":
        with zipfile.ZipFile(folder / "packed", "w") as packed:
            packed.write(path, "__main__.py")
        return ["packed"]
    names = {"script": "program.py", "upwards": "inner/../program.py"}
    return [names[way]] if way in names else ["-m", "program"]


each_way = pytest.mark.parametrize("way", WAYS)


@each_way
def test_the_program_finds_all_that_python_tells_it(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
        import __future__, sys
        def f(): pass
        print(__name__, __file__, f.__code__.co_filename, repr(__package__), __builtins__)
        print(f.__code__.co_flags & __future__.annotations.compiler_flag)
        print(__spec__ and (__spec__.name, __spec__.origin))
        print(type(__loader__).__name__, getattr(__loader__, "path", None))
        print(sys.argv, [path for path in sys.path if "_shim" not in path])
        print(vars(sys.modules["__main__"]) is globals())
    """
    monkeypatch.chdir(tmp_path)
    what = [*words(way, textwrap.dedent(source), tmp_path), "-x", "y"]
    assert said(run("--as-wsproto", *what)) == said(python(*what))


@each_way
def test_main_stays_for_what_outlives_the_last_line(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
        import atexit, pickle, sys, threading
        class Thing: pass
        def late(name):
            thing = pickle.loads(pickle.dumps(Thing()))
            print(name, type(thing) is Thing, vars(sys.modules["__main__"]) is globals())
        def outlive():
            threading.main_thread().join()
            late("thread")
        atexit.register(late, "atexit")
        threading.Thread(target=outlive).start()
    """
    monkeypatch.chdir(tmp_path)
    done = run("--as-wsproto", *words(way, textwrap.dedent(source), tmp_path))
    assert said(done) == ["thread True True", "atexit True True"]
    assert done.stderr == ""


def test_the_declared_encoding_of_a_script_is_heeded(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_bytes(b"# coding: latin-1\nprint(ascii('\xe9'))\n")
    assert said(run("--as-wsproto", str(path))) == ["'\\xe9'"]


def test_a_traceback_shows_the_lines_of_the_script(program: Path) -> None:
    failed = run("--as-wsproto", str(program), "raise")
    assert f'File "{program}", line ' in failed.stderr
    assert "    raise ZeroDivisionError\n" in failed.stderr


def test_a_script_that_is_no_python_is_told_where(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text("print(\n1 2)", encoding="utf-8")
    failed = run("--as-wsproto", str(path))
    assert failed.returncode == 1
    assert f'File "{path}", line 2\n    1 2)' in failed.stderr
    assert "SyntaxError" in failed.stderr


def test_a_folder_without_a_program_is_told_so(tmp_path: Path) -> None:
    failed = run("--as-wsproto", str(tmp_path))
    assert failed.returncode == 1
    assert f"can't find '__main__' module in {str(tmp_path)!r}" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_python_without_ws13_finds_the_wsproto_that_it_has(tmp_path: Path) -> None:
    (tmp_path / "wsproto").mkdir()
    (tmp_path / "wsproto/__init__.py").write_text("__version__ = 'its own'", encoding="utf-8")
    (tmp_path / "wsproto/events.py").write_text("", encoding="utf-8")
    folders = [SHIM + os.sep, str(tmp_path)]
    code = f"""
        import sys
        sys.path[:0] = {folders}
        import wsproto.events
        print(wsproto.__version__, wsproto.events.__file__, {folders[0]!r} in sys.path)
    """
    events = tmp_path / "wsproto/events.py"
    assert said(python("-I", "-S", code=code)) == [f"its own {events} False"]


def test_a_python_with_neither_is_told_that_there_is_no_wsproto() -> None:
    code = f"""
        import sys
        sys.path.insert(0, {SHIM!r})
        try:
            import wsproto.events
        except ModuleNotFoundError as error:
            print(error.name, "wsproto" in sys.modules)
    """
    assert said(python("-I", "-S", code=code)) == ["wsproto False"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["program.py"], "--as-wsproto"),
        (["--as-wsproto"], "run needs a script, or -m and a module"),
        (["--as-wsproto", "-m"], "expected one argument"),
        (["--as-wsproto", "nowhere.py"], "there is no file nowhere.py"),
    ],
)
def test_a_command_that_cannot_be_followed_is_explained(arguments: list[str], words: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_module_that_does_not_exist_is_named() -> None:
    done = run("--as-wsproto", "-m", "no_such_module")
    assert done.returncode == 1
    assert "no_such_module" in done.stderr
