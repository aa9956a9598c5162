"""What is said over a scene when no provider is configured, or none answers?"""

from service.render.course import Course, Language, Scene

_OPENINGS: dict[Language, tuple[str, ...]] = {
    "pt-br": ("Vamos falar sobre {}.", "Agora, {}.", "O próximo assunto é {}."),
    "pt": ("Vamos falar sobre {}.", "Agora, {}.", "O próximo assunto é {}."),
    "en-us": ("Let us talk about {}.", "Now, {}.", "The next subject is {}."),
    "es": ("Hablemos de {}.", "Ahora, {}.", "El siguiente tema es {}."),
    "es-419": ("Hablemos de {}.", "Ahora, {}.", "El siguiente tema es {}."),
}


class EmbeddedWriter:
    """Reads out title and bullets in plain sentences: no network, always the same."""

    def write(self, course: Course) -> Course:
        """As ScriptWriter; never fails."""
        scenes = [self._scene(course, number, scene) for number, scene in enumerate(course.scenes)]
        return course.model_copy(update={"scenes": tuple(scenes)})

    def _scene(self, course: Course, number: int, scene: Scene) -> Scene:
        if not scene.unwritten or number == 0:
            return scene if not scene.unwritten else scene.model_copy(update={"narration": scene.speech})
        openings = _OPENINGS[course.language]
        opening = openings[(number - 1) % len(openings)].format(scene.title.rstrip(".!?:;"))
        points = (bullet.rstrip(".;:,") + "." for bullet in scene.bullets)
        return scene.model_copy(update={"narration": " ".join((opening, *points))})
