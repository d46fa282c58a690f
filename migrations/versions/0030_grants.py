"""Waiting, top-ups, withdrawal and combination of vouchers."""

from marketplace.kernel.migrate import sql

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    sql(
        """
        alter table voucher_application
          add column grant_id bigint references voucher_grant,
          add column round integer not null default 1,
          add column waiting_since timestamptz,
          add column proposed_at timestamptz,
          drop constraint voucher_application_status,
          add constraint voucher_application_status check (status in
            ('draft', 'submitted', 'returned', 'waiting', 'granted', 'refused', 'withdrawn',
             'lapsed')),
          add constraint voucher_application_round check (round >= 1),
          add constraint voucher_application_waiting check
            (status <> 'waiting' or waiting_since is not null),
          add constraint voucher_application_proposed check
            (proposed_at is null or waiting_since is not null);
        -- As which kind of beneficiary, of those that the terms name, the SME was granted it.
        alter table voucher_grant add column beneficiary text not null default 'technology-sme';
        -- Nothing is granted by the layer of a region that shares the cost of its own services:
        -- its part of a service is held and paid from its budget.
        alter table grant_part
          drop constraint grant_part_amount,
          add constraint grant_part_amount check (amount_fen >= 0);
        drop index voucher_application_open_once;
        create unique index voucher_application_open_once
          on voucher_application (programme_id, organisation_id)
          where status in ('draft', 'submitted', 'returned', 'waiting');
        create index voucher_application_status_idx on voucher_application (status, id);
        create index voucher_application_waiting_idx
          on voucher_application (programme_id, waiting_since, id) where status = 'waiting';
        create index voucher_application_grant_idx on voucher_application (grant_id);

        create table application_document (
          id bigint generated always as identity primary key,
          application_id bigint not null references voucher_application,
          kind text not null,
          name text not null,
          media_type text not null,
          sha256 text not null,
          size_bytes bigint not null,
          storage_key text not null,
          stored_by bigint not null references person,
          stored_at timestamptz not null,
          removed_by bigint references person,
          removed_at timestamptz,
          constraint application_document_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
          constraint application_document_size check (size_bytes between 1 and 10485760),
          constraint application_document_removed check
            ((removed_at is null) = (removed_by is null))
        );
        create unique index application_document_once
          on application_document (application_id, kind, sha256) where removed_at is null;
        create index application_document_application_idx
          on application_document (application_id, id);
        create index application_document_key_idx on application_document (storage_key);
        create trigger application_document_no_delete before delete on application_document
          for each row execute function refuse_change();
        create trigger application_document_removed_stays before update on application_document
          for each row when (old.removed_at is not null) execute function refuse_change();

        -- Who approved an application, in which round: as many persons as its programme's terms
        -- name, each once, and never the one who applied.
        create table application_approval (
          id bigint generated always as identity primary key,
          application_id bigint not null references voucher_application,
          round integer not null,
          person_id bigint not null references person,
          applied_by bigint not null references person,
          amount_fen bigint not null,
          approved_at timestamptz not null,
          constraint application_approval_once unique (application_id, round, person_id),
          constraint application_approval_second_person check (person_id <> applied_by),
          constraint application_approval_amount check (amount_fen > 0)
        );
        create trigger application_approval_keep before update or delete on application_approval
          for each row execute function refuse_change();

        -- What became of a grant after it was made: topped up, unused quota withdrawn, revoked.
        create table grant_change (
          id bigint generated always as identity primary key,
          grant_id bigint not null references voucher_grant,
          kind text not null,
          status text not null,
          amount_fen bigint not null,
          reason text not null,
          application_id bigint references voucher_application,
          proposed_by bigint not null references person,
          proposed_at timestamptz not null,
          decided_by bigint references person,
          decided_at timestamptz,
          decision text not null default '',
          constraint grant_change_kind check (kind in ('top_up', 'withdrawal', 'revocation')),
          constraint grant_change_status check (status in ('proposed', 'done', 'declined')),
          constraint grant_change_amount check
            (amount_fen > 0 or kind = 'revocation' and amount_fen = 0),
          constraint grant_change_reason check (kind = 'top_up' or btrim(reason) <> ''),
          constraint grant_change_application check
            ((kind = 'top_up') = (application_id is not null)),
          constraint grant_change_second_person check (decided_by is distinct from proposed_by),
          constraint grant_change_decided check
            ((status = 'proposed') = (decided_by is null)
             and (decided_by is null) = (decided_at is null))
        );
        create unique index grant_change_open_once on grant_change (grant_id)
          where status = 'proposed';
        create index grant_change_grant_idx on grant_change (grant_id, id);
        create index grant_change_status_idx on grant_change (status, id);
        create trigger grant_change_no_delete before delete on grant_change
          for each row execute function refuse_change();
        create trigger grant_change_decided_stays before update on grant_change
          for each row when (old.status <> 'proposed') execute function refuse_change();

        create table grant_change_part (
          change_id bigint not null references grant_change,
          grant_part_id bigint not null references grant_part,
          amount_fen bigint not null,
          primary key (change_id, grant_part_id),
          constraint grant_change_part_amount check (amount_fen > 0)
        );
        create index grant_change_part_part_idx on grant_change_part (grant_part_id);
        create trigger grant_change_part_keep before update or delete on grant_change_part
          for each row execute function refuse_change();

        -- One order may take several vouchers, the one in place 0 first: its second attempt, or
        -- another set of vouchers for it, meets the row that stands in that place.
        drop index voucher_hold_order;
        alter table voucher_hold
          add column position smallint not null default 0,
          add column first_use boolean not null default false,
          add column settled_fen bigint;
        update voucher_hold h
           set settled_fen = coalesce(
             (select r.amount_fen from redemption r
               where r.order_id = h.order_id and r.grant_id = h.grant_id), 0)
         where h.status = 'settled';
        alter table voucher_hold
          add constraint voucher_hold_position check (position between 0 and 7),
          add constraint voucher_hold_settled check
            ((status = 'settled') = (settled_fen is not null)
             and settled_fen between 0 and amount_fen);
        create unique index voucher_hold_order on voucher_hold (order_id, position)
          where status <> 'released';
        create unique index voucher_hold_order_grant on voucher_hold (order_id, grant_id)
          where status <> 'released';
        create index voucher_hold_open_idx on voucher_hold (grant_id) where status = 'held';
        -- Terms that pay more for a first use pay it once, however many orders race for it.
        create unique index voucher_hold_first_use on voucher_hold (grant_id)
          where first_use and status <> 'released';

        alter table redemption
          drop constraint redemption_order,
          add constraint redemption_order unique (order_id, grant_id);

        -- One invoice and one file prove one order, whichever of its vouchers they are claimed for.
        alter table claim_evidence add column order_id bigint;
        update claim_evidence e set order_id = r.order_id
          from redemption r where r.id = e.redemption_id;
        alter table claim_evidence
          alter column order_id set not null,
          drop constraint claim_evidence_invoice_number,
          drop constraint claim_evidence_file,
          add constraint claim_evidence_invoice_number
            exclude using gist (invoice_number with =, order_id with <>),
          add constraint claim_evidence_file
            exclude using gist (sha256 with =, order_id with <>);
        create function claim_evidence_of_order() returns trigger language plpgsql as $$
        begin
          select order_id into new.order_id from redemption where id = new.redemption_id;
          return new;
        end $$;
        create trigger claim_evidence_of_order before insert or update of redemption_id
          on claim_evidence for each row execute function claim_evidence_of_order();

        -- What orders hold or have used of one programme's caps in a year, of one funder or (empty)
        -- of all layers together. The row lock and the check keep the cap.
        -- What a round of applications has granted: the row lock and the check keep its amount,
        -- however many applications are decided at once. No amount, no limit.
        create table voucher_batch (
          programme_id bigint not null references programme,
          number integer not null,
          granted_fen bigint not null,
          amount_fen bigint,
          primary key (programme_id, number),
          constraint voucher_batch_amount check (granted_fen between 0 and amount_fen)
        );

        create table voucher_cap (
          programme_id bigint not null references programme,
          kind text not null,
          subject bigint not null,
          funder text not null,
          year integer not null,
          used_fen bigint not null,
          cap_fen bigint not null,
          primary key (programme_id, kind, subject, funder, year),
          constraint voucher_cap_kind check
            (kind in ('sme-year', 'group-year', 'instrument-year')),
          constraint voucher_cap_room check (used_fen between 0 and cap_fen)
        );

        create table voucher_hold_cap (
          hold_id bigint not null references voucher_hold,
          programme_id bigint not null,
          kind text not null,
          subject bigint not null,
          funder text not null,
          year integer not null,
          held_fen bigint not null,
          primary key (hold_id, kind, funder),
          constraint voucher_hold_cap_held check (held_fen > 0),
          constraint voucher_hold_cap_counted
            foreign key (programme_id, kind, subject, funder, year) references voucher_cap
        );
        create trigger voucher_hold_cap_keep before update or delete on voucher_hold_cap
          for each row execute function refuse_change();

        -- What is known of a beneficiary beyond its yearly profile: stated by itself or the centre,
        -- and counted once another person has verified it.
        create table beneficiary_fact (
          id bigint generated always as identity primary key,
          organisation_id bigint not null references organisation,
          kind text not null,
          name text not null default '',
          number bigint,
          starts_on date not null,
          ends_on date,
          source text not null,
          stated_by bigint not null references person,
          stated_at timestamptz not null,
          status text not null,
          decided_by bigint references person,
          decided_at timestamptz,
          constraint beneficiary_fact_kind check
            (kind in ('certificate', 'capital', 'founded', 'incubated', 'team')),
          constraint beneficiary_fact_name check
            ((kind = 'certificate') = (name <> '') and name ~ '^[a-z0-9-]{0,60}$'),
          constraint beneficiary_fact_number check
            ((kind in ('capital', 'team')) = (number is not null) and number >= 0),
          constraint beneficiary_fact_days check (ends_on >= starts_on),
          constraint beneficiary_fact_source check (btrim(source) <> ''),
          constraint beneficiary_fact_status check
            (status in ('stated', 'verified', 'rejected', 'ended')),
          constraint beneficiary_fact_second_person check (decided_by is distinct from stated_by),
          constraint beneficiary_fact_decided check
            ((status = 'stated') = (decided_by is null)
             and (decided_by is null) = (decided_at is null))
        );
        create index beneficiary_fact_organisation_idx on beneficiary_fact (organisation_id, id);
        create index beneficiary_fact_status_idx on beneficiary_fact (status, id);
        create trigger beneficiary_fact_no_delete before delete on beneficiary_fact
          for each row execute function refuse_change();

        -- A hold that ends gives back to its caps what it held, and what is redeemed counts again:
        -- first the hold ends, then its redemption is written, whoever does it, one or many.
        create function voucher_hold_free_caps() returns trigger language plpgsql as $$
        begin
          update voucher_cap c
             set used_fen = c.used_fen - counted.held_fen
            from voucher_hold_cap counted
           where counted.hold_id = new.id
             and (c.programme_id, c.kind, c.subject, c.funder, c.year)
               = (counted.programme_id, counted.kind, counted.subject, counted.funder,
                  counted.year);
          return null;
        end $$;
        create trigger voucher_hold_ends after update of status on voucher_hold
          for each row when (old.status = 'held' and new.status <> 'held')
          execute function voucher_hold_free_caps();

        create function redemption_count_caps() returns trigger language plpgsql as $$
        begin
          update voucher_cap c
             set used_fen = c.used_fen + redeemed.amount_fen
            from (
              select counted.programme_id, counted.kind, counted.subject, counted.funder,
                     counted.year, sum(part.amount_fen)::bigint as amount_fen
                from added part
                join programme_layer l on l.id = part.layer_id
                join redemption r on r.id = part.redemption_id
                join voucher_hold h
                  on h.order_id = r.order_id and h.grant_id = r.grant_id and h.status = 'settled'
                join voucher_hold_cap counted
                  on counted.hold_id = h.id and counted.funder in ('', l.funder)
               group by 1, 2, 3, 4, 5) redeemed
           where (c.programme_id, c.kind, c.subject, c.funder, c.year)
               = (redeemed.programme_id, redeemed.kind, redeemed.subject, redeemed.funder,
                  redeemed.year);
          return null;
        end $$;
        create trigger redemption_part_counts after insert on redemption_part
          referencing new table as added
          for each statement execute function redemption_count_caps();

        -- What is held and used by now counts from now on: of each funder, in its SME's year.
        insert into voucher_cap
        select g.programme_id, 'sme-year', g.organisation_id, l.funder,
               extract(year from h.held_at at time zone 'Asia/Shanghai')::integer,
               sum(case when h.status = 'held' then hp.amount_fen else coalesce(rp.amount_fen, 0)
                   end),
               greatest(max((p.terms -> 'cap_per_sme_year_fen' ->> 'value')::bigint),
                 sum(case when h.status = 'held' then hp.amount_fen
                          else coalesce(rp.amount_fen, 0) end))
          from voucher_hold h
          join voucher_hold_part hp on hp.hold_id = h.id
          join grant_part gp on gp.id = hp.grant_part_id
          join programme_layer l on l.id = gp.layer_id
          join voucher_grant g on g.id = h.grant_id
          join programme p on p.id = g.programme_id
          left join redemption r on r.order_id = h.order_id and r.grant_id = h.grant_id
          left join redemption_part rp on rp.redemption_id = r.id and rp.layer_id = l.id
         where h.status <> 'released'
         group by 1, 2, 3, 4, 5;
        insert into voucher_hold_cap
        select h.id, g.programme_id, 'sme-year', g.organisation_id, l.funder,
               extract(year from h.held_at at time zone 'Asia/Shanghai')::integer,
               sum(hp.amount_fen)
          from voucher_hold h
          join voucher_hold_part hp on hp.hold_id = h.id
          join grant_part gp on gp.id = hp.grant_part_id
          join programme_layer l on l.id = gp.layer_id
          join voucher_grant g on g.id = h.grant_id
         where h.status <> 'released'
         group by 1, 2, 3, 4, 5, 6;
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
