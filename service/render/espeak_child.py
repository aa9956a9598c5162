"""How does eSpeak NG read sentences? As a program: its C code and its licence stay in a process of their own.

Standard input: JSON {library, voice, speed, sentences}; the working folder holds espeak-ng-data. Standard output:
one line of JSON {rate, lengths} (samples per second; bytes per sentence), then the samples.
"""

import ctypes
import json
import sys

_SYNCHRONOUS, _UTF8, _RATE = 2, 1, 1  # AUDIO_OUTPUT_SYNCHRONOUS, espeakCHARS_UTF8, espeakRATE of speak_lib.h


def main() -> int:
    """Exit code 1 and one line on standard error when the library, its data or the voice is missing."""
    request = json.load(sys.stdin.buffer)
    library = ctypes.CDLL(request["library"])
    # A relative path: the library keeps it in a buffer of 160 bytes.
    rate = library.espeak_Initialize(_SYNCHRONOUS, 500, b".", 0)
    if rate <= 0 or library.espeak_SetVoiceByName(request["voice"].encode()) != 0:
        sys.stderr.write(f"no voice '{request['voice']}' in espeak-ng-data\n")
        return 1
    samples = bytearray()

    def receive(start: int | None, count: int, _events: int | None) -> int:
        if start and count > 0:
            samples.extend(ctypes.string_at(start, count * 2))
        return 0

    # Named, so that it lives as long as the library may call it.
    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(receive)
    library.espeak_SetSynthCallback(callback)
    library.espeak_SetParameter(_RATE, request["speed"], 0)
    lengths = []
    for sentence in request["sentences"]:
        before = len(samples)
        text = sentence.encode() + b"\0"
        if library.espeak_Synth(text, ctypes.c_size_t(len(text)), 0, 1, 0, _UTF8, None, None) != 0:
            sys.stderr.write("espeak_Synth failed\n")
            return 1
        library.espeak_Synchronize()
        lengths.append(len(samples) - before)
    sys.stdout.buffer.write(json.dumps({"rate": rate, "lengths": lengths}).encode() + b"\n" + samples)
    return 0


if __name__ == "__main__":
    sys.exit(main())
