"""Files outside the database, shipments, the custody of samples, and what they are like."""

from marketplace.kernel.migrate import sql

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    sql(
        """
        -- Large results lie in the store of files; what was in the database stays there.
        alter table deliverable
          alter column content drop not null,
          add column storage_key text,
          add constraint deliverable_kept check (num_nonnulls(content, storage_key) = 1),
          add constraint deliverable_storage_key check (
            storage_key = 'deliverables/' || left(sha256, 2) || '/' || sha256);
        create index deliverable_storage_key_idx on deliverable (storage_key)
          where storage_key is not null;

        -- Who took which file is asked for often, out of a timeline that holds everything.
        create index order_event_download_idx on order_event (order_id, id)
          where kind = 'download';

        -- What the buyer declares of its samples until the first of them arrives.
        create table sample_declaration (
          order_id bigint primary key references service_order,
          ghs text[] not null,
          hazard_note text not null,
          storage text not null,
          storage_note text not null,
          keep_until date,
          return_to text not null,
          declared_by bigint not null references person,
          declared_at timestamptz not null,
          constraint sample_declaration_ghs check (
            ghs <@ array['GHS01', 'GHS02', 'GHS03', 'GHS04', 'GHS05', 'GHS06', 'GHS07', 'GHS08',
                         'GHS09']),
          constraint sample_declaration_storage check (
            storage in ('room', 'cool', 'frozen', 'deep_frozen', 'special'))
        );

        -- Out: from the buyer to the provider. Back: what is left of it.
        create table shipment (
          id bigint generated always as identity primary key,
          order_id bigint not null references service_order,
          direction text not null,
          carrier text not null,
          number text not null,
          pieces integer not null,
          sent_at timestamptz not null,
          noted_by bigint not null references person,
          noted_at timestamptz not null,
          received_at timestamptz,
          received_pieces integer,
          condition text,
          condition_note text,
          received_by bigint references person,
          constraint shipment_direction check (direction in ('out', 'back')),
          constraint shipment_pieces check (pieces between 1 and 10000),
          constraint shipment_received_pieces check (received_pieces between 0 and pieces),
          constraint shipment_condition check (
            condition in ('intact', 'damaged', 'leaking', 'too_warm', 'incomplete')),
          constraint shipment_receipt check (
            num_nonnulls(received_at, received_pieces, condition, condition_note, received_by)
              in (0, 5)),
          constraint shipment_times check (received_at >= sent_at)
        );
        create index shipment_order_idx on shipment (order_id, id);

        -- A shipment is noted once and received once; nothing of it is rewritten.
        create function shipment_keep() returns trigger language plpgsql as $$
        begin
          if old.received_at is not null
             or (new.order_id, new.direction, new.carrier, new.number, new.pieces, new.sent_at,
                 new.noted_by, new.noted_at)
                is distinct from
                (old.order_id, old.direction, old.carrier, old.number, old.pieces, old.sent_at,
                 old.noted_by, old.noted_at)
          then
            raise exception 'shipment % is noted', old.id
              using errcode = 'check_violation', constraint = 'shipment_noted';
          end if;
          return new;
        end $$;
        create trigger shipment_keep before update on shipment
          for each row execute function shipment_keep();
        create trigger shipment_no_delete before delete on shipment
          for each row execute function refuse_change();

        -- Whose hands the samples went through, where, and what was done to them.
        create table custody_event (
          id bigint generated always as identity primary key,
          order_id bigint not null references service_order,
          kind text not null,
          side text not null,
          samples integer not null,
          at timestamptz not null,
          place text not null,
          who text not null,
          note text not null,
          shipment_id bigint references shipment,
          noted_by bigint not null references person,
          noted_at timestamptz not null,
          constraint custody_event_kind check (
            kind in ('handed_over', 'received', 'opened', 'stored', 'tested', 'returned',
                     'disposed')),
          constraint custody_event_side check (side in ('buyer', 'provider')),
          constraint custody_event_samples check (samples between 0 and 10000),
          constraint custody_event_certificate check (kind <> 'disposed' or note <> ''),
          constraint custody_event_at check (at <= noted_at)
        );
        create index custody_event_order_idx on custody_event (order_id, at, id);
        create trigger custody_event_append_only before update or delete on custody_event
          for each row execute function refuse_change();
        create trigger custody_event_no_truncate before truncate on custody_event
          for each statement execute function refuse_change();
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
