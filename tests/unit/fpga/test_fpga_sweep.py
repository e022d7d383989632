"""Many subjects at once."""

import pytest

from cbit.config import preset
from cbit_fpga import sweep as module
from cbit_fpga.cells import Cells
from cbit_fpga.devices import DEVICES
from cbit_fpga.elaboration import ElaborationError
from cbit_fpga.placement import Placement
from cbit_fpga.placer import PlacementError
from cbit_fpga.store import Store
from cbit_fpga.subject import Subject
from cbit_fpga.sweep import sweep
from cbit_fpga.synthesis import Synthesis
from cbit_sim import sources
from cbit_sim.sources import OtherSourcesError

DEVICE = DEVICES["LFE5U-85F"]
PARTS = ("a", "large", "b", "wrong", "c")
SUBJECTS = [Subject(preset("small"), part) for part in PARTS]


@pytest.fixture
def done(monkeypatch, tmp_path, farm_of_a_thread):
    """Workers that are threads, with fakes of the tools; what these have done."""
    calls = []

    def synthesized(subject, _device, *, store):
        assert store.folder == tmp_path / "fpga"
        calls.append(subject.part)
        if subject.part == "wrong":
            raise ElaborationError("Traceback\nValueError: never")
        return Synthesis(content="", gateware=subject.part, cells=Cells(logic_luts=7), netlist=subject.part.encode())

    def place(netlist, _device, *, seed, store):
        assert store.folder == tmp_path / "fpga"
        calls.append((netlist.decode(), seed))
        if netlist == b"large":
            raise PlacementError("no room")
        return Placement(seed=seed, mhz=100.0 + seed, used={}, critical_path=())

    monkeypatch.setenv("CBIT_BUILD", str(tmp_path))
    monkeypatch.setattr(module, "synthesized", synthesized)
    monkeypatch.setattr(module, "place", place)
    monkeypatch.setattr(module, "connected", farm_of_a_thread)
    return calls


def measurements(subjects=SUBJECTS, seeds=(1, 2)):
    return {subject.part: measurement for subject, measurement in sweep(subjects, DEVICE, seeds=seeds, store=Store())}


def test_every_subject_is_measured_with_every_seed(done):
    found = measurements()
    assert set(found) == set(PARTS)
    for part in ("a", "b", "c"):
        assert [placement.seed for placement in found[part].placements] == [1, 2]
        assert (found[part].mhz, found[part].cells.luts, found[part].failure) == (101.5, 7, "")
        assert found[part].gateware == part
    assert (found["large"].placements, found["large"].cells.luts, found["large"].failure) == ((), 7, "no room")
    assert (found["wrong"].placements, found["wrong"].failure) == ((), "ValueError: never")
    assert len(done) == len(set(done)) == 5 + 2 * 4


def test_an_interrupted_sweep_goes_on_where_it_was(done):
    first = sweep(SUBJECTS, DEVICE, seeds=[1], store=Store())
    before = [next(first), next(first)]
    first.close()
    done.clear()
    again = list(sweep(SUBJECTS, DEVICE, seeds=[1], store=Store()))
    assert again[:2] == sorted(before, key=lambda pair: SUBJECTS.index(pair[0]))
    assert {subject for subject, _ in again} == set(SUBJECTS)
    assert not {subject.part for subject, _ in before} & set(done)
    done.clear()
    assert set(measurements(seeds=[1])) == set(PARTS)
    assert done == []


def test_another_number_of_seeds_is_another_measurement(done):
    measurements(SUBJECTS[:1], seeds=[1])
    assert len(measurements(SUBJECTS[:1], seeds=[1, 2])["a"].placements) == 2
    assert done.count(("a", 2)) == 1


def test_workers_with_other_sources_are_refused(done, monkeypatch):
    digests = iter(["here", "there"])
    monkeypatch.setattr(module, "sources_digest", lambda *_: next(digests))
    monkeypatch.setattr(sources, "sources_digest", lambda *_: next(digests))
    with pytest.raises(OtherSourcesError):
        measurements(SUBJECTS[:1])
    assert done == []


def test_real_tools_in_real_workers(monkeypatch, tmp_path):
    monkeypatch.setenv("CBIT_BUILD", str(tmp_path))
    found = measurements([Subject(preset("small"), "read.deny")], seeds=[1])
    assert found["read.deny"].cells.luts >= 10
    assert found["read.deny"].mhz > 50
