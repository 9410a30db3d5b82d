from __future__ import annotations

import os
import threading
from pathlib import Path

from textual.app import App

from tui.shell import reading
from tui.shell.queries import Question, Reader, Rows
from tui.shell.reading import ReadingScreen


class Slow(ReadingScreen):
    """Asks one question, which is answered when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.reloads = 0
        self.answers: list[list[Rows]] = []

    def reload(self) -> None:
        self.reloads += 1
        self.ask("all", [Question("headlines")], self.answers.append)

    def said(self, message: str) -> None:
        pass


class Host(App[None]):
    def __init__(self, database: Path) -> None:
        super().__init__()
        self.database = database

    def on_mount(self) -> None:
        self.push_screen(Slow())


async def test_after_a_slow_answer_the_file_is_left_alone_for_longer_than_it_took(tmp_path, until, monkeypatch):
    database = tmp_path / "results.duckdb"
    database.touch()
    monkeypatch.setattr(Reader, "ask", lambda *_: [[]])
    monkeypatch.setattr(reading, "_SLOW", 0.0)
    monkeypatch.setattr(reading, "_REST", 1e9)
    app = Host(database)
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, Slow) and app.screen.answers)
        screen = app.screen
        assert isinstance(screen, Slow)
        os.utime(database, (1, 1))
        screen.look()
        assert screen.reloads == 1
        screen.reload()  # what a key asks for is asked
        await until(pilot, lambda: len(screen.answers) == 2)


async def test_a_file_that_changes_all_the_time_does_not_keep_a_slow_answer_from_arriving(tmp_path, until, monkeypatch):
    database = tmp_path / "results.duckdb"
    database.touch()
    ready = threading.Event()

    def answer(self: Reader, group: str, turn: int, *questions: Question) -> list[Rows]:
        ready.wait(30)
        return [[{"turn": turn}]]

    monkeypatch.setattr(Reader, "ask", answer)
    app = Host(database)
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, Slow) and app.screen.reloads)
        screen = app.screen
        assert isinstance(screen, Slow)
        for second in range(3):
            os.utime(database, (second, second))
            screen.look()
        assert screen.reloads == 1
        ready.set()
        await until(pilot, lambda: screen.answers)
        screen.look()  # the file is another one than was read
        await until(pilot, lambda: len(screen.answers) == 2)
        assert screen.answers == [[[{"turn": 1}]], [[{"turn": 2}]]]
        screen.look()
        assert screen.reloads == 2
