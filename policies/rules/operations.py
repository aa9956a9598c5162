"""What must hold for what watches and saves the estate?"""

from pathlib import Path

from pack import files
from pack.catalogue import rule
from pack.resource import Finding, Findings, Resource
from pack.vocabulary import ABSENT, GIVEN, must

SELECTION = "aws:backup/selection:Selection"
# type -> property -> values that AWS accepts and that have no effect any more, with the source.
DEAD = files.read(Path(__file__).parent.parent / "dead_values.yaml")


@rule(*DEAD)
def no_dead_values(resource: Resource) -> Findings:
    """No property has a value that AWS still accepts but does not act upon."""
    for path, dead in DEAD[resource.type].items():
        for place, value in resource.known(path):
            if value in dead["values"]:
                yield Finding(place, f"{place} must be another value: this one has no effect any more")


@rule(SELECTION)
def backup_selection_by_arn(selection: Resource) -> Findings:
    """What a backup plan saves is named by ARN."""
    yield from must(selection, "resources", GIVEN)
    yield from must(selection, "selectionTags", ABSENT)
    for place, arn in selection.known("resources[*]"):
        if "*" in str(arn):
            yield Finding(place, f"{place} must name one resource")
