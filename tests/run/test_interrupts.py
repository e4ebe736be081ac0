"""A Ctrl-C waits for the end of what must not be cut short."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from studyspec.run.interrupts import put_off

pytestmark = pytest.mark.usefixtures("ctrl_c")


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_a_ctrl_c_takes_effect_at_the_end() -> None:
    done = []

    def work() -> None:
        with put_off():
            interrupt()
            done.append("whole")
        done.append("too late")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["whole"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_one_takes_effect_at_once() -> None:
    done = []

    def work() -> None:
        with put_off():
            interrupt()
            interrupt()
            done.append("too late")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert not done


def test_in_another_thread_there_is_nothing_to_put_off() -> None:
    def work() -> object:
        with put_off():
            return signal.getsignal(signal.SIGINT)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result() is signal.default_int_handler
