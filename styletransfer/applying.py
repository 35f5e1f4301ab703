"""Saved settings rendered again: edited or not, on their own input or, as a preset, on another."""

from __future__ import annotations

from pathlib import Path

from styletransfer import converters, mixdown
from styletransfer.audio import Audio, Stems
from styletransfer.clock import Clock
from styletransfer.converter.console import MASTER, STRIP, Settings, scaled
from styletransfer.converting import treat
from styletransfer.document import Console, Document, Figures, Warned
from styletransfer.encoder.measures import measure
from styletransfer.errors import UsageError
from styletransfer.notes import Note
from styletransfer.result import Result, result_of, source_of
from styletransfer.separation import choose
from styletransfer.sources import Progress, Sound, opened
from styletransfer.stem_cache import StemCache, separate_cached, stem_key
from styletransfer.treating import TreatedStems


def apply(
    document: Document | Path | str,
    input: Sound | None = None,
    *,
    stems_in: Path | None = None,
    amount: float = 1.0,
    converter: str | None = None,
    repo: Path | None = None,
    device: str = "cpu",
    cache: StemCache | None = None,
    progress: Progress = lambda stage, fraction: None,
) -> Result:
    """Render an input with saved settings, through the separator that the document names.

    The settings' own input gets them as they stand. Another input gets them as a preset: its master
    gain is set anew, to the loudness that the settings' result had. Errors as `transfer`; UsageError for
    another input where stems went through a network, which was told of this one.
    amount     0 to 1 scales every strength once more.
    converter  a .safetensors file: the network that stems went through, where it isn't the shipped one.
    """
    document = document if isinstance(document, Document) else Document.load(Path(document))
    clock = Clock(progress)
    cache = cache or StemCache()
    with clock("reading"):
        song, dry = opened(input, stems_in, None)
    notes = []
    own = song.key == document.input.sha256
    told = {name: told.scaled(amount) for name, told in document.treatments.items() if amount * told.amount}
    if told and not own:
        raise UsageError(
            f"a network answered for the stems of {document.input.name} alone, so these settings are no "
            "preset; transfer the other song with --converter tcn"
        )
    network = converters.sought(document.converter.fingerprint, converter, device) if told else None
    if dry is None:
        used = choose(document.separator.name, repo=repo, device=device)
        if own and document.input.ready_stems:
            notes.append(Note("stems-separated-again", "the ready-made stems are not here: separated anew"))
        elif own and cache.get(stem_key(song.audio, used)) is None:
            notes.append(
                Note("stems-separated-again", "the stems were no longer kept, so they were separated again")
            )
        if used.fingerprint != document.separator.fingerprint:
            notes.append(Note("separator-changed", f"{used.name} has changed since the settings were made"))
        with clock("separating input") as done:
            dry = separate_cached(song.audio, used, cache, done)
    treated: TreatedStems = {}
    if network is not None:
        with clock("converting") as done:
            treated = treat(network, dry, told, done)
    strips = {name: scaled(STRIP, settings, amount) for name, settings in document.console.stems().items()}
    master = scaled(MASTER, document.console.master, amount)
    with clock("rendering"):
        stereo = song.audio.with_channels(2)
        if amount < 1:  # the ceiling comes down from the input's own peak with the amount
            limiter = master["limiter"]
            open_db = max(limiter["ceiling_db"], mixdown.meter_of(stereo).true_peak_db)
            limiter["ceiling_db"] = open_db + amount * (limiter["ceiling_db"] - open_db)
        target = document.after.levels.integrated_lufs if document.after else None
        if own or target is None:
            audio = render(stereo, dry, strips, master, treated)
        else:
            notes.append(
                Note("preset", f"these settings were made for {document.input.name}; the gain was set anew")
            )
            mono = (document.asked.channels or song.audio.channels) == 1
            target += mixdown.DUAL_MONO_LU if mono else 0.0
            audio, master = render_at(target, stereo, dry, strips, master)
    with clock("measuring"):
        after = Figures.of(mixdown.loudness_of(audio), measure(audio.samples, audio.rate), {})
    rendered = Document(
        input=source_of(song, None, stems_in is not None),
        references=document.references,
        separator=document.separator,
        asked=document.asked,
        converter=document.converter,
        console=Console(**strips, master=master),
        treatments=told,
        after=after,
        reference_figures=document.reference_figures,
        warnings=[Warned(code=note.code, message=note.message, strip=note.strip) for note in notes],
        timings_s=clock.seconds,
    )
    return result_of(audio, rendered, song, dry, treated=treated)


def render(
    song: Audio,
    stems: Stems,
    strips: dict[str, Settings],
    master: Settings,
    treated: TreatedStems | None = None,
) -> Audio:
    """A stereo song through fixed settings, gain and limiter as they stand; itself where nothing is set.

    treated   stems that went through a network before their strips.
    """
    bus = mixdown.master_bus(mixdown.mix_bus(song, stems, strips, treated), master)
    gain_db = master["gain"]["gain_db"]
    if bus is song and gain_db == 0:
        return song
    return mixdown.apply_level(bus, gain_db, **master["limiter"])


def render_at(
    target_lufs: float, song: Audio, stems: Stems, strips: dict[str, Settings], master: Settings
) -> tuple[Audio, Settings]:
    """The same brought to a loudness (LUFS, ITU-R BS.1770, of the stereo sound) as far as the limiter's reach
    goes: the sound, and the master with the gain that does it."""
    bus = mixdown.master_bus(mixdown.mix_bus(song, stems, strips), master)
    levelled = mixdown.level(bus, mixdown.loudness_of(bus), target_lufs, **master["limiter"])
    return levelled.audio, master | {"gain": {"gain_db": levelled.gain_db}}
