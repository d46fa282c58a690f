"""Names under signatures, where a contract stands with the registry, replies to reviews."""

from marketplace.kernel.migrate import sql

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    sql(
        """
        -- Whoever signed is named in the contract as they were called on that day.
        alter table contract
          add column buyer_signed_name text,
          add column provider_signed_name text;
        update contract set
          buyer_signed_name = (select name from person where id = buyer_signed_by),
          provider_signed_name = (select name from person where id = provider_signed_by);
        alter table contract alter column buyer_signed_name set not null;
        create index contract_sha256_idx on contract (sha256);

        create function contract_name_signers() returns trigger language plpgsql as $$
        begin
          if tg_op = 'INSERT' then
            new.buyer_signed_name := (select name from person where id = new.buyer_signed_by);
          end if;
          if tg_op = 'INSERT' or old.provider_signed_at is null then
            new.provider_signed_name :=
              (select name from person where id = new.provider_signed_by);
          end if;
          return new;
        end $$;
        create trigger contract_name_signers before insert or update on contract
          for each row execute function contract_name_signers();

        create or replace function contract_keep_agreed() returns trigger language plpgsql as $$
        begin
          if (new.order_id, new.amendment, new.version, new.document, new.text, new.sha256,
              new.buyer_signed_by, new.buyer_signed_at, new.buyer_signed_from,
              new.buyer_signed_name)
             is distinct from
             (old.order_id, old.amendment, old.version, old.document, old.text, old.sha256,
              old.buyer_signed_by, old.buyer_signed_at, old.buyer_signed_from,
              old.buyer_signed_name)
             or old.provider_signed_at is not null and
             (new.provider_signed_how, new.provider_signed_by, new.provider_signed_at,
              new.provider_signed_from, new.provider_signed_name)
             is distinct from
             (old.provider_signed_how, old.provider_signed_by, old.provider_signed_at,
              old.provider_signed_from, old.provider_signed_name)
          then
            raise exception 'what was agreed and signed is not changed'
              using errcode = 'restrict_violation', constraint = 'contract_agreed';
          end if;
          return new;
        end $$;

        -- Where the contract of an order stands with the registry of technology contracts.
        -- Without a row nobody has said that it can be registered: it is `not_eligible`.
        create table contract_registration (
          order_id bigint primary key references service_order,
          state text not null,
          number text,
          registered_on date,
          place text not null default '',
          reason text not null default '',
          changed_by bigint not null references person,
          changed_at timestamptz not null,
          constraint contract_registration_state check (
            state in ('not_eligible', 'eligible', 'submitted', 'registered', 'refused')),
          constraint contract_registration_number check (
            (state = 'registered') = (number is not null)
            and (number is null) = (registered_on is null)),
          constraint contract_registration_reason check (
            state not in ('not_eligible', 'refused') or reason <> '')
        );
        create index contract_registration_state_idx on contract_registration (state, order_id);
        insert into contract_registration
          (order_id, state, number, registered_on, changed_by, changed_at)
        select distinct on (order_id) order_id, 'registered', registration_number, registered_on,
          1, now()
        from contract where registration_number is not null
        order by order_id, amendment desc;

        -- The provider answers a review once; the centre can hide what is abusive. Stars count on.
        alter table review
          add column reply text,
          add column replied_by bigint references person,
          add column replied_at timestamptz,
          add column hidden_because text,
          add column hidden_by bigint references person,
          add column hidden_at timestamptz,
          add constraint review_replied check (
            num_nonnulls(reply, replied_by, replied_at) in (0, 3) and reply <> ''),
          add constraint review_hidden check (
            num_nonnulls(hidden_because, hidden_by, hidden_at) in (0, 3) and hidden_because <> '');

        create function review_keep() returns trigger language plpgsql as $$
        begin
          if (new.order_id, new.stars, new.text, new.written_by, new.written_at)
             is distinct from (old.order_id, old.stars, old.text, old.written_by, old.written_at)
          then
            raise exception 'review of order % is written', old.order_id
              using errcode = 'restrict_violation', constraint = 'review_written';
          end if;
          if old.replied_at is not null and (new.reply, new.replied_by, new.replied_at)
             is distinct from (old.reply, old.replied_by, old.replied_at)
          then
            raise exception 'review of order % was answered', old.order_id
              using errcode = 'restrict_violation', constraint = 'review_reply_once';
          end if;
          return new;
        end $$;
        create trigger review_keep before update on review
          for each row execute function review_keep();
        create trigger review_no_delete before delete on review
          for each row execute function refuse_change();
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
