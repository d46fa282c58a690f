"""Assessments of providers, experts' scores, objections."""

from marketplace.kernel.migrate import sql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    sql(
        """
        create table assessment (
          id bigint generated always as identity primary key,
          provider_id bigint not null references organisation,
          year smallint not null,
          status text not null,
          indicators jsonb not null,
          points jsonb not null,
          terms jsonb not null,
          total_points integer not null,
          grade text not null,
          veto text,
          made_by bigint not null references person,
          made_at timestamptz not null,
          objections_end_on date,
          finalised_by bigint references person,
          finalised_at timestamptz,
          constraint assessment_provider_year unique (provider_id, year),
          constraint assessment_status check (status in ('draft', 'published', 'final')),
          constraint assessment_grade
            check (grade in ('excellent', 'good', 'qualified', 'unqualified')),
          constraint assessment_total_points check (total_points between 0 and 10000),
          constraint assessment_two_persons check (finalised_by is distinct from made_by),
          constraint assessment_final check ((status = 'final') = (finalised_by is not null)),
          constraint assessment_published
            check ((status = 'draft') = (objections_end_on is null)),
          constraint assessment_finalised_at
            check ((finalised_by is null) = (finalised_at is null)),
          constraint assessment_veto check (veto is null or grade = 'unqualified')
        );
        create index assessment_year_idx on assessment (year, status);

        create table expert_score (
          assessment_id bigint not null references assessment,
          person_id bigint not null references person,
          component text not null,
          score smallint not null,
          given_at timestamptz not null,
          primary key (assessment_id, person_id, component),
          constraint expert_score_component
            check (component in ('landmark_services', 'rules_and_practice')),
          constraint expert_score_score check (score between 0 and 100)
        );

        create table objection (
          id bigint generated always as identity primary key,
          assessment_id bigint not null references assessment,
          text text not null,
          filed_by bigint not null references person,
          filed_at timestamptz not null,
          answer text,
          answered_by bigint references person,
          answered_at timestamptz,
          constraint objection_answered check ((answer is null) = (answered_by is null)),
          constraint objection_answered_at check ((answered_by is null) = (answered_at is null))
        );
        create index objection_assessment_idx on objection (assessment_id);
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
