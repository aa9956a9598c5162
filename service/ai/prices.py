"""What does a call cost?"""

from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, TypeAdapter


class Price(BaseModel):
    """US dollars by unit; what a provider does not bill by is zero."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    per_million_input_tokens: NonNegativeFloat = 0
    per_million_output_tokens: NonNegativeFloat = 0
    per_million_characters: NonNegativeFloat = 0
    per_minute: NonNegativeFloat = 0

    def of(self, *, input_tokens: int = 0, output_tokens: int = 0, characters: int = 0, seconds: float = 0) -> float:
        """Dollars for so much of each."""
        return (
            self.per_million_input_tokens * input_tokens / 1e6
            + self.per_million_output_tokens * output_tokens / 1e6
            + self.per_million_characters * characters / 1e6
            + self.per_minute * seconds / 60
        )


@cache
def price(provider: str, model: str) -> Price:
    """The list price of a model; ValueError when the list lacks it."""
    text = (files("service.ai") / "prices.yaml").read_text(encoding="utf-8")
    prices = TypeAdapter(dict[str, dict[str, Price]]).validate_python(yaml.safe_load(text))
    try:
        return prices[provider][model]
    except KeyError:
        known = ", ".join(prices.get(provider, {})) or "none"
        raise ValueError(f"no price for model '{model}' of {provider} in prices.yaml (known: {known})") from None
