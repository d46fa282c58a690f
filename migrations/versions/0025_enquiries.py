"""Enquiries with their thread and files, offers in rounds, and prices set by hand."""

from marketplace.kernel.migrate import sql

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    sql(
        """
        -- What a buyer asks of one provider (询价). `due_at` is when it lapses by itself.
        create table enquiry (
          id bigint generated always as identity primary key,
          buyer_id bigint not null references organisation,
          provider_id bigint not null references organisation,
          agent_id bigint references organisation,
          status text not null,
          subject text not null,
          need text not null,
          wished_from date,
          wished_until date,
          samples integer,
          budget_fen bigint,
          asked_by bigint not null references person,
          asked_at timestamptz not null,
          answer_until timestamptz not null,
          answered_at timestamptz,
          due_at timestamptz,
          changed_at timestamptz not null,
          ended_at timestamptz,
          ended_because text,
          constraint enquiry_status check (status in (
            'open', 'answered', 'offered', 'accepted', 'declined', 'lapsed', 'withdrawn')),
          constraint enquiry_sides check (provider_id not in (buyer_id, coalesce(agent_id, 0))),
          constraint enquiry_subject check (subject <> '' and need <> ''),
          constraint enquiry_wished check (wished_from <= wished_until),
          constraint enquiry_samples check (samples between 1 and 10000),
          constraint enquiry_budget check (budget_fen > 0),
          constraint enquiry_answer check (answer_until > asked_at),
          constraint enquiry_answered check (
            case when status = 'open' then answered_at is null
                 when status in ('answered', 'offered', 'accepted') then answered_at is not null
                 else true end),
          constraint enquiry_ended check (
            (status in ('accepted', 'declined', 'lapsed', 'withdrawn')) = (ended_at is not null)
            and (ended_at is null) = (ended_because is null)
            and (ended_at is null) = (due_at is not null))
        );
        create index enquiry_buyer_idx on enquiry (buyer_id, id desc);
        create index enquiry_provider_idx on enquiry (provider_id, id desc);
        create index enquiry_agent_idx on enquiry (agent_id, id desc) where agent_id is not null;
        create index enquiry_due_idx on enquiry (due_at) where due_at is not null;
        create index enquiry_subject_idx on enquiry using gin (subject gin_trgm_ops);

        create function enquiry_keep() returns trigger language plpgsql as $$
        begin
          if old.ended_at is not null
             or (new.id, new.buyer_id, new.provider_id, new.agent_id, new.subject, new.need,
                 new.wished_from, new.wished_until, new.samples, new.budget_fen, new.asked_by,
                 new.asked_at, new.answer_until)
                is distinct from
                (old.id, old.buyer_id, old.provider_id, old.agent_id, old.subject, old.need,
                 old.wished_from, old.wished_until, old.samples, old.budget_fen, old.asked_by,
                 old.asked_at, old.answer_until)
             or old.answered_at is not null and new.answered_at is distinct from old.answered_at
          then
            raise exception 'enquiry % has ended, or was asked otherwise', old.id
              using errcode = 'restrict_violation', constraint = 'enquiry_kept';
          end if;
          return new;
        end $$;
        create trigger enquiry_keep before update on enquiry
          for each row execute function enquiry_keep();
        create trigger enquiry_no_delete before delete on enquiry
          for each row execute function refuse_change();

        create table enquiry_instrument (
          enquiry_id bigint not null references enquiry,
          instrument_id bigint not null references instrument,
          primary key (enquiry_id, instrument_id)
        );
        create index enquiry_instrument_idx on enquiry_instrument (instrument_id, enquiry_id);
        create function enquiry_instrument_own() returns trigger language plpgsql as $$
        begin
          if not exists (
               select from enquiry e join instrument i on i.provider_id = e.provider_id
                where e.id = new.enquiry_id and i.id = new.instrument_id)
          then
            raise exception 'instrument % is another provider''s', new.instrument_id
              using errcode = 'check_violation', constraint = 'enquiry_instrument_own';
          end if;
          return new;
        end $$;
        create trigger enquiry_instrument_own before insert on enquiry_instrument
          for each row execute function enquiry_instrument_own();
        create trigger enquiry_instrument_append_only before update or delete on enquiry_instrument
          for each row execute function refuse_change();

        create table enquiry_message (
          id bigint generated always as identity primary key,
          enquiry_id bigint not null references enquiry,
          side text not null,
          text text not null,
          written_by bigint not null references person,
          written_at timestamptz not null,
          constraint enquiry_message_side check (side in ('buyer', 'agent', 'provider')),
          constraint enquiry_message_text check (text <> '')
        );
        create index enquiry_message_enquiry_idx on enquiry_message (enquiry_id, id);
        create trigger enquiry_message_append_only before update or delete on enquiry_message
          for each row execute function refuse_change();

        create table enquiry_file (
          id bigint generated always as identity primary key,
          enquiry_id bigint not null references enquiry,
          side text not null,
          name text not null,
          media_type text not null,
          sha256 text not null,
          size_bytes integer not null,
          storage_key text not null,
          stored_by bigint not null references person,
          stored_at timestamptz not null,
          constraint enquiry_file_once unique (enquiry_id, sha256),
          constraint enquiry_file_side check (side in ('buyer', 'agent', 'provider')),
          constraint enquiry_file_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
          constraint enquiry_file_size check (size_bytes between 1 and 10485760),
          constraint enquiry_file_storage_key check (
            storage_key = 'enquiries/' || left(sha256, 2) || '/' || sha256)
        );
        create index enquiry_file_storage_key_idx on enquiry_file (storage_key);
        create trigger enquiry_file_append_only before update or delete on enquiry_file
          for each row execute function refuse_change();

        -- What happened, for both sides to read; `internal` is the provider's own business.
        create table enquiry_event (
          id bigint generated always as identity primary key,
          enquiry_id bigint not null references enquiry,
          at timestamptz not null,
          person_id bigint not null references person,
          kind text not null,
          internal boolean not null,
          facts jsonb not null
        );
        create index enquiry_event_enquiry_idx on enquiry_event (enquiry_id, id);
        create trigger enquiry_event_append_only before update or delete on enquiry_event
          for each row execute function refuse_change();

        -- A price per unit that the provider set by hand for this buyer, instead of its list's.
        alter table quote
          add column manual_unit text,
          add column manual_unit_fen bigint,
          add constraint quote_manual check ((manual_unit is null) = (manual_unit_fen is null)),
          -- Nothing is free of charge but the public purposes, which have no manual price.
          add constraint quote_manual_paid check (
            manual_unit is null or manual_unit_fen > 0 and total_fen > 0 and purpose is null);

        -- One round of an offer. The buyer sees it from the day on which it has a quote.
        create table enquiry_offer (
          id bigint generated always as identity primary key,
          enquiry_id bigint not null references enquiry,
          round integer not null,
          status text not null,
          instrument_id bigint not null references instrument,
          mode text not null,
          starts_at timestamptz,
          ends_at timestamptz,
          samples integer,
          arrives_on date,
          service_kind text not null,
          details jsonb not null,
          note text not null,
          valid_until timestamptz not null,
          price_list_id bigint not null references price_list,
          list_total_fen bigint not null,
          total_fen bigint not null,
          manual_unit text,
          manual_unit_fen bigint,
          list_unit_fen bigint,
          ceiling_fen bigint,
          reason text not null,
          quote_id bigint references quote,
          made_by bigint not null references person,
          made_at timestamptz not null,
          approved_by bigint references person,
          approved_at timestamptz,
          ended_by bigint references person,
          ended_at timestamptz,
          ended_because text,
          constraint enquiry_offer_round unique (enquiry_id, round),
          constraint enquiry_offer_quote_once unique (quote_id),
          constraint enquiry_offer_status check (status in (
            'awaiting_approval', 'refused', 'standing', 'accepted', 'declined', 'superseded',
            'lapsed', 'withdrawn')),
          constraint enquiry_offer_mode check (mode in ('machine_time', 'samples')),
          constraint enquiry_offer_validity check (valid_until > made_at),
          constraint enquiry_offer_amounts check (list_total_fen >= 0 and total_fen >= 0),
          constraint enquiry_offer_manual check (
            num_nonnulls(manual_unit, manual_unit_fen, list_unit_fen, ceiling_fen) in (0, 4)),
          constraint enquiry_offer_reason check ((manual_unit is null) = (reason = '')),
          constraint enquiry_offer_paid check (
            manual_unit is null or manual_unit_fen > 0 and total_fen > 0),
          constraint enquiry_offer_within_cost check (manual_unit_fen <= ceiling_fen),
          constraint enquiry_offer_four_eyes check (approved_by <> made_by),
          constraint enquiry_offer_approved check (
            (approved_by is null) = (approved_at is null)
            and (manual_unit is not null or approved_by is null)),
          -- No price by hand is shown that a second person has not approved.
          constraint enquiry_offer_shown check (
            quote_id is null or manual_unit is null or approved_by is not null),
          constraint enquiry_offer_whole check (
            case when status in ('standing', 'accepted', 'declined', 'superseded')
                   then quote_id is not null
                 when status in ('awaiting_approval', 'refused') then quote_id is null
                 else true end),
          constraint enquiry_offer_ended check (
            (status in ('awaiting_approval', 'standing')) = (ended_at is null)
            and num_nonnulls(ended_by, ended_at, ended_because) in (0, 3))
        );
        create unique index enquiry_offer_one_awaiting on enquiry_offer (enquiry_id)
          where status = 'awaiting_approval';
        create unique index enquiry_offer_one_standing on enquiry_offer (enquiry_id)
          where status = 'standing';
        create unique index enquiry_offer_one_accepted on enquiry_offer (enquiry_id)
          where status = 'accepted';
        create index enquiry_offer_instrument_idx on enquiry_offer (instrument_id, id desc);

        create function enquiry_offer_keep() returns trigger language plpgsql as $$
        begin
          if tg_op = 'UPDATE' and (
               old.ended_at is not null
               or (new.id, new.enquiry_id, new.round, new.instrument_id, new.mode, new.starts_at,
                   new.ends_at, new.samples, new.arrives_on, new.service_kind, new.details,
                   new.note, new.valid_until, new.price_list_id, new.list_total_fen, new.total_fen,
                   new.manual_unit, new.manual_unit_fen, new.list_unit_fen, new.ceiling_fen,
                   new.reason, new.made_by, new.made_at)
                  is distinct from
                  (old.id, old.enquiry_id, old.round, old.instrument_id, old.mode, old.starts_at,
                   old.ends_at, old.samples, old.arrives_on, old.service_kind, old.details,
                   old.note, old.valid_until, old.price_list_id, old.list_total_fen, old.total_fen,
                   old.manual_unit, old.manual_unit_fen, old.list_unit_fen, old.ceiling_fen,
                   old.reason, old.made_by, old.made_at)
               or old.quote_id is not null and new.quote_id is distinct from old.quote_id
               or old.approved_by is not null and new.approved_by is distinct from old.approved_by)
          then
            raise exception 'offer % is decided, or was made otherwise', old.id
              using errcode = 'restrict_violation', constraint = 'enquiry_offer_kept';
          end if;
          if new.quote_id is not null and not exists (
               select from quote q join enquiry e on e.id = new.enquiry_id
                where q.id = new.quote_id
                  and q.buyer_id = e.buyer_id and q.provider_id = e.provider_id
                  and q.instrument_id = new.instrument_id and q.total_fen = new.total_fen
                  and (q.manual_unit, q.manual_unit_fen)
                      is not distinct from (new.manual_unit, new.manual_unit_fen))
          then
            raise exception 'the quote of offer % is not what was offered', new.id
              using errcode = 'check_violation', constraint = 'enquiry_offer_quote_same';
          end if;
          return new;
        end $$;
        create trigger enquiry_offer_keep before insert or update on enquiry_offer
          for each row execute function enquiry_offer_keep();
        create trigger enquiry_offer_no_delete before delete on enquiry_offer
          for each row execute function refuse_change();

        -- A price by hand is never above cost, whoever writes the quote: its unit is held against
        -- the cost sheet behind the price list, its lines against the unit. A quote that amends
        -- an order has the price per unit that was agreed for the order.
        create function quote_manual_within_cost() returns trigger language plpgsql as $$
        declare
          ceiling_fen numeric;
        begin
          if new.amends_order_id is not null and not exists (
               select from service_order o join quote q on q.id = o.quote_id
                where o.id = new.amends_order_id
                  and (q.manual_unit, q.manual_unit_fen)
                      is not distinct from (new.manual_unit, new.manual_unit_fen))
          then
            raise exception 'the price per unit of order % is agreed', new.amends_order_id
              using errcode = 'check_violation', constraint = 'quote_manual_agreed';
          end if;
          if new.manual_unit is null then
            return new;
          end if;
          select floor(greatest(0, c.total_fen - l.carried_surplus_fen)::numeric
                       * coalesce(p.minutes_per_unit, 60) / c.planned_minutes)
            into ceiling_fen
            from price_list l
            join cost_sheet c on c.id = l.cost_sheet_id
            join price p on p.price_list_id = l.id
           where l.id = new.price_list_id and l.instrument_id = new.instrument_id
             and p.customer_class = new.customer_class and p.unit = new.manual_unit;
          if ceiling_fen is null or new.manual_unit_fen > ceiling_fen
             or new.total_fen <> (
                  select coalesce(sum((line->>'amount_fen')::bigint), 0)
                    from jsonb_array_elements(new.lines) as line)
             or not exists (
                  select from jsonb_array_elements(new.lines) as line
                   where line->>'kind' = 'service')
             or exists (
                  select from jsonb_array_elements(new.lines) as line
                   where line->>'kind' in ('urgent', 'minimum', 'free_purpose')
                      or line->>'kind' = 'service'
                         and ((line->>'unit', (line->>'unit_price_fen')::bigint)
                                is distinct from (new.manual_unit, new.manual_unit_fen)
                              or (line->>'amount_fen')::numeric > ceil(
                                   new.manual_unit_fen * (line->>'quantity')::numeric
                                   / case when new.manual_unit = 'hour' then 60 else 1 end)))
          then
            raise exception 'the manual price of % fen is above cost, or not what is charged',
              new.manual_unit_fen
              using errcode = 'check_violation', constraint = 'quote_manual_within_cost';
          end if;
          return new;
        end $$;
        create trigger quote_manual_within_cost
          before insert or update of manual_unit, manual_unit_fen, lines, total_fen, price_list_id,
            instrument_id, customer_class, amends_order_id
          on quote for each row execute function quote_manual_within_cost();

        -- What was offered is ordered once the buyer has accepted it, and a price by hand only so.
        create function service_order_offer_accepted() returns trigger language plpgsql as $$
        declare
          manual boolean;
          offered text;
        begin
          select q.manual_unit is not null, f.status into manual, offered
            from quote q left join enquiry_offer f on f.quote_id = q.id
           where q.id = new.quote_id;
          if coalesce(offered, case when manual then 'none' else 'accepted' end) <> 'accepted' then
            raise exception 'the offer of quote % is not accepted', new.quote_id
              using errcode = 'check_violation', constraint = 'service_order_offer_accepted';
          end if;
          return new;
        end $$;
        create trigger service_order_offer_accepted before insert on service_order
          for each row execute function service_order_offer_accepted();
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
