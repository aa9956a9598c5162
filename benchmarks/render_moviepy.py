"""How long does moviepy take for the same pictures and sounds? Run by render.py in an environment of its own.

Arguments: a folder with NN.png and NN.wav, the file to write. Prints the seconds of the encoding alone.
"""

import sys
import time
from pathlib import Path

from moviepy import AudioFileClip, ImageClip, concatenate_videoclips

folder, target = Path(sys.argv[1]), sys.argv[2]
started = time.perf_counter()
clips = []
for picture in sorted(folder.glob("*.png")):
    sound = AudioFileClip(str(picture.with_suffix(".wav")))
    clips.append(ImageClip(str(picture)).with_duration(sound.duration).with_audio(sound))
video = concatenate_videoclips(clips)
video.write_videofile(target, fps=25, codec="libx264", audio_codec="aac", logger=None, threads=2)
print(time.perf_counter() - started)
