"""What is the corpus made of? Sound banks, drum kits, MIDI files and tracker modules in Debian's packages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Bank:
    """A General MIDI sound bank: `file` in its package, the split it may sound in, how often it is drawn."""

    name: str
    package: str
    file: str
    split: str
    weight: float


@dataclass(frozen=True, slots=True)
class DrumKit:
    """A drum kit: a folder of Hydrogen's, or a sound bank with drums alone."""

    name: str
    package: str
    file: str
    split: str


_SF2 = "usr/share/sounds/sf2"

BANKS = (
    # MuseScore's bank was made from FluidR3: one family, so both in training.
    Bank("fluid-r3", "fluid-soundfont-gm", f"{_SF2}/FluidR3_GM.sf2", "train", 3.0),
    Bank("generaluser", "minuet-data", "usr/share/minuet/soundfonts/GeneralUser-v1.47.sf2", "train", 3.0),
    Bank(
        "musescore-general",
        "musescore-general-soundfont",
        "usr/share/sounds/sf3/MuseScore_General_Full.sf3",
        "train",
        2.0,
    ),
    Bank("opl3", "opl3-soundfont", f"{_SF2}/OPL-3_FM_128M.sf2", "train", 1.0),
    Bank("csound-gm", "csound-soundfont", f"{_SF2}/sf_GMbank.sf2", "validation", 1.0),
    Bank("timgm6mb", "timgm6mb-soundfont", f"{_SF2}/TimGM6mb.sf2", "test", 1.0),
)

_KITS = "usr/share/hydrogen/data/drumkits"


def _kit(name: str, folder: str, split: str) -> DrumKit:
    return DrumKit(name, "hydrogen-drumkits", f"{_KITS}/{folder}", split)


KITS = (
    # An acoustic and an electronic kit apart for validation and for test; kits by one hand from the same
    # recordings stay together.
    _kit("audiophob", "Audiophob", "train"),
    _kit("bja-pacific", "BJA_Pacific", "train"),
    _kit("electric-empire", "ElectricEmpireKit", "train"),
    _kit("millo-1", "Millo-Drums_v.1", "train"),
    _kit("millo-2", "Millo_MultiLayered2", "train"),
    _kit("millo-3", "Millo_MultiLayered3", "train"),
    _kit("the-black-pearl", "The Black Pearl 1.0", "train"),
    _kit("rumpf-z01", "rumpf_kit_z01_h2", "train"),
    DrumKit("avl-black-pearl", "avldrums.lv2-soundfont", f"{_SF2}/Black_Pearl_4_LV2.sf2", "train"),
    DrumKit("avl-red-zeppelin", "avldrums.lv2-soundfont", f"{_SF2}/Red_Zeppelin_4_LV2.sf2", "train"),
    _kit("colombo-acoustic", "ColomboAcousticDrumkit", "validation"),
    _kit("hard-electro", "HardElectro1", "validation"),
    _kit("forzee-stereo", "ForzeeStereo", "test"),
    _kit("varibreaks", "VariBreaks", "test"),
)

MIDI_PACKAGES = (
    "freedoom",
    "freedm",
    "openttd-openmsx",
    "planetblupi-music-midi",
    "simutrans-data",
    "freedink-data",
)

MODULE_PACKAGES = (
    "bb",
    "ballz-data",
    "bomberclone-data",
    "ceferino-data",
    "circuslinux-data",
    "criticalmass-data",
    "dodgindiamond2",
    "fb-music-high",
    "flobopuyo",
    "freedroid-data",
    "gltron",
    "heroes-sound-tracks",
    "ironseed-data",
    "madbomber-data",
    "monsterz-data",
    "njam-data",
    "open-invaders-data",
    "pachi-data",
    "pekka-kana-2-data",
    "penguin-command",
    "pingus-data",
    "rafkill-data",
    "ri-li-data",
    "solarwolf",
    "tecnoballz-data",
    "tomatoes-data",
    "tuxtype-data",
    "vodovod",
)

_MODULES = (".xm", ".it", ".s3m", ".mod", ".stm", ".mtm")


def midi_files(folder: Path) -> list[Path]:
    """The MIDI files and WAD archives in an unpacked package, by path."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in (".mid", ".wad") and path.is_file() and not path.is_symlink()
    )


def module_files(folder: Path) -> list[Path]:
    """The tracker modules in an unpacked package, by path."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in _MODULES and path.is_file() and not path.is_symlink()
    )
