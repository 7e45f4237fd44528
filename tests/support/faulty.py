"""A house whose sources do what the lines of their files tell them to do."""

import shutil
from pathlib import Path

from harness import House

from bellboard.supervisor.config import BUILT_IN

SOURCE = Path(__file__).with_name("faulty_source.py")


def settle(house: House, *names: str, settings: str = "") -> None:
    """Write a configuration with one faulty source for each name, in a home of its own."""
    shutil.copy(SOURCE, house.root / SOURCE.name)
    text = settings
    for name in names:
        (house.homes / name).mkdir(exist_ok=True)
        text += (
            f'\n[sources.{name}]\nfactory = "faulty_source:Faulty"\nname = "{name}"\nhome = "{house.homes / name}"\n'
        )
    text += "".join(f"[sources.{name}]\nenabled = false\n" for name in BUILT_IN)
    house.config.write_text(text)


def append(house: House, source: str, session: str, *lines: str) -> None:
    """Append lines to a session's file."""
    with (house.homes / source / session).open("a") as file:
        file.write("".join(f"{line}\n" for line in lines or ("line",)))
