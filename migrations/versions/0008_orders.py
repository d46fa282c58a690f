"""The tables of orders."""

from marketplace.kernel.migrate import sql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    sql(
        """
        create table quote (
          id bigint generated always as identity primary key,
          buyer_id bigint not null references organisation,
          provider_id bigint not null references organisation,
          agent_id bigint references organisation,
          instrument_id bigint not null references instrument,
          mode text not null,
          starts_at timestamptz,
          ends_at timestamptz,
          samples integer,
          customer_class text not null,
          purpose text,
          service_kind text not null,
          price_list_id bigint not null references price_list,
          lines jsonb not null,
          total_fen bigint not null,
          voucher_fen bigint not null,
          own_fen bigint not null,
          explanation jsonb not null,
          terms jsonb not null,
          valid_until timestamptz not null,
          made_by bigint not null references person,
          made_at timestamptz not null,
          used_at timestamptz,
          constraint quote_mode check (mode in ('machine_time', 'samples')),
          constraint quote_what check (
            mode = 'machine_time' and starts_at < ends_at and samples is null
            or mode = 'samples' and starts_at is null and ends_at is null and samples > 0),
          constraint quote_what_stated check (starts_at is not null or samples is not null),
          constraint quote_amounts check (
            voucher_fen >= 0 and own_fen >= 0 and total_fen = voucher_fen + own_fen),
          constraint quote_validity check (valid_until > made_at)
        );
        create index quote_buyer_idx on quote (buyer_id, id desc);

        create table service_order (
          id bigint generated always as identity primary key,
          quote_id bigint not null references quote,
          buyer_id bigint not null references organisation,
          provider_id bigint not null references organisation,
          agent_id bigint references organisation,
          buyer_legal_entity_id bigint not null references legal_entity,
          provider_legal_entity_id bigint not null references legal_entity,
          instrument_id bigint not null references instrument,
          title text not null,
          mode text not null,
          status text not null,
          total_fen bigint not null,
          voucher_fen bigint not null,
          own_fen bigint not null,
          own_hold_id bigint references hold,
          reservation_id bigint references reservation,
          affiliated_because text,
          profile jsonb,
          placed_by bigint not null references person,
          placed_at timestamptz not null,
          confirmed_at timestamptz,
          delivered_at timestamptz,
          review_ends_at timestamptz,
          ended_at timestamptz,
          ended_because text,
          settled_fen bigint,
          settled_voucher_fen bigint,
          settled_own_fen bigint,
          constraint service_order_quote_once unique (quote_id),
          constraint service_order_reservation_once unique (reservation_id),
          constraint service_order_hold_once unique (own_hold_id),
          constraint service_order_mode check (mode in ('machine_time', 'samples')),
          constraint service_order_status check (status in (
            'placed', 'confirmed', 'in_service', 'delivered', 'disputed', 'settled',
            'rejected', 'cancelled', 'expired', 'no_show')),
          constraint service_order_amounts check (
            voucher_fen >= 0 and own_fen >= 0 and total_fen = voucher_fen + own_fen),
          constraint service_order_settled_within check (
            settled_voucher_fen between 0 and voucher_fen and
            settled_own_fen between 0 and own_fen and
            settled_fen = settled_voucher_fen + settled_own_fen),
          constraint service_order_ended check (
            (ended_at is not null) = (settled_fen is not null) and
            (ended_at is not null) = (status in (
              'settled', 'rejected', 'cancelled', 'expired', 'no_show'))),
          constraint service_order_review check (
            (delivered_at is null) = (review_ends_at is null))
        );
        create index service_order_buyer_idx on service_order (buyer_id, id desc);
        create index service_order_provider_idx on service_order (provider_id, id desc);
        create index service_order_instrument_idx on service_order (instrument_id);
        create index service_order_title_idx on service_order using gin (title gin_trgm_ops);
        create index service_order_review_due_idx on service_order (review_ends_at)
          where status = 'delivered';

        create table contract (
          id bigint generated always as identity primary key,
          order_id bigint not null references service_order,
          version integer not null,
          document jsonb not null,
          text text not null,
          sha256 text not null,
          buyer_signed_by bigint not null references person,
          buyer_signed_at timestamptz not null,
          buyer_signed_from text not null,
          provider_signed_how text,
          provider_signed_by bigint references person,
          provider_signed_at timestamptz,
          provider_signed_from text,
          registration_number text,
          registered_on date,
          constraint contract_order_once unique (order_id),
          constraint contract_version check (version > 0),
          constraint contract_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
          constraint contract_provider_signed check (
            provider_signed_how is null and provider_signed_at is null
              and provider_signed_by is null
            or provider_signed_how = 'person' and provider_signed_at is not null
              and provider_signed_by is not null
            or provider_signed_how = 'standing_offer' and provider_signed_at is not null
              and provider_signed_by is null),
          constraint contract_registration check (
            (registration_number is null) = (registered_on is null))
        );

        create function contract_keep_agreed() returns trigger language plpgsql as $$
        begin
          if (new.order_id, new.version, new.document, new.text, new.sha256,
              new.buyer_signed_by, new.buyer_signed_at, new.buyer_signed_from)
             is distinct from
             (old.order_id, old.version, old.document, old.text, old.sha256,
              old.buyer_signed_by, old.buyer_signed_at, old.buyer_signed_from)
             or old.provider_signed_at is not null and
             (new.provider_signed_how, new.provider_signed_by, new.provider_signed_at,
              new.provider_signed_from)
             is distinct from
             (old.provider_signed_how, old.provider_signed_by, old.provider_signed_at,
              old.provider_signed_from)
          then
            raise exception 'what was agreed and signed is not changed'
              using errcode = 'restrict_violation', constraint = 'contract_agreed';
          end if;
          return new;
        end $$;
        create trigger contract_keep_agreed before update on contract
          for each row execute function contract_keep_agreed();
        create trigger contract_no_delete before delete on contract
          for each row execute function refuse_change();

        create table order_event (
          id bigint generated always as identity primary key,
          order_id bigint not null references service_order,
          at timestamptz not null,
          person_id bigint not null references person,
          kind text not null,
          facts jsonb not null
        );
        create index order_event_order_idx on order_event (order_id, id);
        create trigger order_event_append_only before update or delete on order_event
          for each row execute function refuse_change();
        create trigger order_event_no_truncate before truncate on order_event
          for each statement execute function refuse_change();

        create table sample_set (
          order_id bigint primary key references service_order,
          samples integer not null,
          description text not null,
          hazards text not null,
          disposal text not null,
          received integer,
          received_at timestamptz,
          tested integer,
          tested_at timestamptz,
          returned_at timestamptz,
          constraint sample_set_samples check (samples > 0),
          constraint sample_set_disposal check (disposal in ('return', 'destroy', 'keep')),
          constraint sample_set_received check (
            (received is null) = (received_at is null) and received >= 0),
          constraint sample_set_tested check (
            (tested is null) = (tested_at is null) and tested between 0 and received)
        );

        create table deliverable (
          id bigint generated always as identity primary key,
          order_id bigint not null references service_order,
          name text not null,
          media_type text not null,
          sha256 text not null,
          size_bytes integer not null,
          content bytea not null,
          stored_by bigint not null references person,
          stored_at timestamptz not null,
          constraint deliverable_content_once unique (order_id, sha256),
          constraint deliverable_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
          constraint deliverable_size check (
            size_bytes between 1 and 10485760 and octet_length(content) = size_bytes)
        );
        create trigger deliverable_append_only before update or delete on deliverable
          for each row execute function refuse_change();

        create table dispute (
          order_id bigint primary key references service_order,
          reason text not null,
          opened_by bigint not null references person,
          opened_at timestamptz not null,
          pay_basis_points integer,
          ruling text,
          ruled_by bigint references person,
          ruled_at timestamptz,
          constraint dispute_share check (pay_basis_points between 0 and 10000),
          constraint dispute_ruled check (
            (ruled_at is null) = (ruled_by is null) and (ruled_at is null) = (ruling is null)
            and (ruled_at is null) = (pay_basis_points is null)),
          constraint dispute_four_eyes check (ruled_by is distinct from opened_by)
        );

        create table review (
          order_id bigint primary key references service_order,
          stars integer not null,
          text text not null,
          written_by bigint not null references person,
          written_at timestamptz not null,
          constraint review_stars check (stars between 1 and 5)
        );

        -- An order is whole at COMMIT, whichever leg was written first: its time is reserved, its
        -- voucher and own money are held, and it has a contract. Anything less rolls back.
        create function service_order_whole() returns trigger language plpgsql as $$
        declare
          placed service_order;
        begin
          select * into placed from service_order where id = new.id;
          if placed.mode = 'machine_time' and placed.reservation_id is null
             or placed.own_fen > 0 and placed.own_hold_id is null
             or placed.voucher_fen > 0
                and not exists (select from voucher_hold where order_id = placed.id)
             or placed.mode = 'samples'
                and not exists (select from sample_set where order_id = placed.id)
             or not exists (select from contract where order_id = placed.id)
          then
            raise exception 'order % is half-done', placed.id
              using errcode = 'check_violation', constraint = 'service_order_whole';
          end if;
          return null;
        end $$;
        create constraint trigger service_order_whole
          after insert or update of mode, own_fen, own_hold_id, voucher_fen, reservation_id
          on service_order deferrable initially deferred
          for each row execute function service_order_whole();

        -- Earlier tables that point at an order could not say so before there was one.
        alter table reservation add foreign key (order_id) references service_order;
        alter table voucher_hold add foreign key (order_id) references service_order;
        alter table redemption add foreign key (order_id) references service_order;
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
