"""Which settings are there? Listed from the model, so that the list cannot lie."""

from collections.abc import Iterator

from pydantic import BaseModel, SecretStr

from service.settings import PREFIX


def rows(model: type[BaseModel], prefix: str = PREFIX) -> Iterator[tuple[str, str, str, str]]:
    """Name of the environment variable, kind, default, meaning; secrets without their values."""
    for name, field in model.model_fields.items():
        default = field.default
        if isinstance(default, BaseModel):
            yield from rows(type(default), f"{prefix}{name.upper()}__")
            continue
        kind = getattr(field.annotation, "__name__", str(field.annotation)).removeprefix("typing.")
        secret = SecretStr.__name__ in str(field.annotation)
        yield f"{prefix}{name.upper()}", "secret" if secret else kind, str(default), field.description or ""
