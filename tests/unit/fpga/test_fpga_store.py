"""Results of steps, kept by content."""

import time

import pytest

from cbit_fpga.store import Store
from cbit_sim.sources import digest


class Killed(BaseException):
    pass


def test_a_step_is_done_once_for_its_content(tmp_path):
    store = Store(tmp_path)
    done = []

    def do(folder):
        assert not list(folder.iterdir())
        done.append(folder)
        (folder / "log").touch()
        return {"number": len(done)}

    assert store.known("step", "a") is None
    assert [store.done("step", content, do)["number"] for content in ("a", "b", "a")] == [1, 2, 1]
    assert Store(tmp_path).known("step", "b") == {"number": 2}
    assert {path.name for path in store.place("step", "a").iterdir()} == {"lock", "log", "result.json", "seconds"}


def test_what_a_step_took_is_kept(tmp_path):
    store = Store(tmp_path)
    for _ in range(2):
        store.done("step", "a", lambda _folder: time.sleep(0.2) or {})
        assert store.seconds("step", "a") >= 0.2
    assert store.seconds("step", "never") == 0


@pytest.mark.parametrize("end", [Killed, ValueError])
def test_a_step_that_did_not_end_is_done_again(tmp_path, end):
    store = Store(tmp_path)

    def fail(folder):
        (folder / "half").write_text("half")
        raise end

    with pytest.raises(end):
        store.done("step", "a", fail)
    assert store.known("step", "a") is None
    assert store.done("step", "a", lambda _folder: {"whole": True}) == {"whole": True}


def test_what_a_killed_step_left_is_gone(tmp_path):
    left = tmp_path / "step" / "a" / "work-killed"
    left.mkdir(parents=True)
    (left / "half").touch()
    Store(tmp_path).done("step", "a", lambda _folder: {})
    assert not left.exists()


def test_digests_tell_contents_apart():
    contents = [("a",), ("a", ""), ("", "a"), (1,), ("1",), (["a", "b"],), (["ab"],)]
    assert len({digest(*content) for content in contents}) == len(contents)
    assert digest({"seed": 1}) == digest({"seed": 1})
