"""Years of evaluation for tests: drafted, published, final."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from marketplace.evaluation.queries import Assessment, AssessmentSearch, assessments
from marketplace.evaluation.use_cases import (
    DraftAssessments,
    FinaliseAssessments,
    GiveScore,
    PublishAssessments,
    draft_assessments,
    finalise_assessments,
    give_score,
    publish_assessments,
)
from marketplace.kernel.actors import Actor, system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from tests.builders.catalogue import an_instrument
from tests.builders.parties import an_actor

TEST = system_actor("test")
YEAR = 2025


@dataclass(frozen=True)
class EvaluatedYear:
    """A provider with one instrument, its manager, and those who evaluate it."""

    database: Database
    manager: Actor
    evaluator: Actor
    colleague: Actor
    expert: Actor

    async def draft(self, *, by: Actor | None = None) -> Assessment:
        """Draft the year; the provider's assessment."""
        await atomically(
            self.database, draft_assessments, DraftAssessments(YEAR), actor=by or self.evaluator
        )
        return await self.found()

    async def score(self, component: str, score: int, *, by: Actor | None = None) -> None:
        """An expert's points for a component of the provider's assessment."""
        command = GiveScore((await self.found()).id, component, score)
        await atomically(self.database, give_score, command, actor=by or self.expert)

    async def publish(self, *, by: Actor | None = None) -> Assessment:
        """Publish the year."""
        await atomically(
            self.database, publish_assessments, PublishAssessments(YEAR), actor=by or self.evaluator
        )
        return await self.found()

    async def finalise(self, *, by: Actor | None = None) -> Assessment:
        """Make the year final, by somebody else than who published it."""
        command = FinaliseAssessments(YEAR)
        await atomically(self.database, finalise_assessments, command, actor=by or self.colleague)
        return await self.found()

    async def found(self) -> Assessment:
        """The provider's assessment as it stands."""
        search = AssessmentSearch(year=YEAR, provider_id=self.manager.organisation_id)
        (only,), _ = await atomically(self.database, assessments, search, actor=TEST)
        return only

    def days_later(self, days: int) -> None:
        """Move the clock."""
        clock = self.database.clock
        assert isinstance(clock, SetClock)
        clock.set(clock.now() + timedelta(days=days))


async def an_evaluated_year(database: Database) -> EvaluatedYear:
    """Nothing is drafted yet."""
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    await an_instrument(database, provider_id=manager.organisation_id)
    return EvaluatedYear(
        database,
        manager=manager,
        evaluator=await an_actor(database, Role.EVALUATOR),
        colleague=await an_actor(database, Role.EVALUATOR),
        expert=await an_actor(database, Role.EXPERT),
    )
