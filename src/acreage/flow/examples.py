"""The examples that ship with the package: from the wheel, or from the checkout they are developed in."""

import shutil
from importlib import resources
from pathlib import Path

import acreage
from acreage.units.errors import InputError, Place


def copy_example(name: str, folder: Path) -> Path:
    """Copy an example's files into a folder and return its portfolio; a file that was edited there is kept."""
    packed = resources.files(acreage) / "examples" / name
    with resources.as_file(packed) as unpacked:
        source = unpacked if unpacked.is_dir() else Path(acreage.__file__).parents[2] / "examples" / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for file in sorted(source.iterdir()):
                if file.is_file() and not (folder / file.name).exists():
                    shutil.copyfile(file, folder / file.name)
        except OSError as error:
            raise InputError(
                f"cannot write here: {error.strerror}",
                fix="choose another folder with --out",
                place=Place(file=str(folder)),
            ) from error
    return folder / "portfolio.yaml"
