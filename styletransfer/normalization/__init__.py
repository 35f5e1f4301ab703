"""Effect normalization: bring any stem to the average sound of its class, whatever an engineer did to it.

After Martínez-Ramírez et al., "Automatic music mixing with deep learning and out-of-domain data", ISMIR 2022.
"""

from .averages import Averages, StemAverages, load_averages, neutral_lufs
from .normalizing import normalize, normalize_audio

__all__ = ["Averages", "StemAverages", "load_averages", "neutral_lufs", "normalize", "normalize_audio"]
