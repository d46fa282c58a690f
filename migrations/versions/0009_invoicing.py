"""The tables of invoicing: charge lines and invoices."""

from marketplace.kernel.migrate import sql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    sql(
        """
        create table charge_line (
          id bigint generated always as identity primary key,
          order_id bigint not null references service_order,
          kind text not null,
          provider_id bigint not null references organisation,
          legal_entity_id bigint not null references legal_entity,
          instrument_id bigint not null references instrument,
          buyer_id bigint not null references organisation,
          buyer_legal_entity_id bigint not null references legal_entity,
          service_value_fen bigint not null,
          voucher_fen bigint not null,
          own_fen bigint not null,
          settled_on date not null,
          voucher_order boolean not null,
          affiliated boolean not null,
          counts_for_reward boolean not null,
          reverses bigint references charge_line,
          reason text not null default '',
          recorded_by bigint not null references person,
          recorded_at timestamptz not null,
          constraint charge_line_kind check (kind in ('service', 'cancellation_fee',
            'no_show_fee')),
          constraint charge_line_parts check (service_value_fen = voucher_fen + own_fen),
          -- A reversal is negative in every part, a charge in none.
          constraint charge_line_sign check (
            (reverses is null and service_value_fen >= 0 and voucher_fen >= 0 and own_fen >= 0)
            or (reverses is not null and service_value_fen < 0 and voucher_fen <= 0
                and own_fen <= 0)),
          constraint charge_line_reward_base
            check (not counts_for_reward or (kind = 'service' and not affiliated))
        );
        create unique index charge_line_order on charge_line (order_id) where reverses is null;
        create index charge_line_reverses_idx on charge_line (reverses)
          where reverses is not null;
        create index charge_line_provider_idx on charge_line (provider_id, settled_on);
        -- Lines arrive in the order of their days, so a year or a quarter is a few block ranges.
        create index charge_line_settled_on_idx on charge_line using brin (settled_on)
          with (pages_per_range = 16);
        create trigger charge_line_append_only before update or delete on charge_line
          for each row execute function refuse_change();
        create trigger charge_line_no_truncate before truncate on charge_line
          for each statement execute function refuse_change();

        create table invoice (
          id bigint generated always as identity primary key,
          order_id bigint not null references service_order,
          provider_id bigint not null references organisation,
          buyer_id bigint not null references organisation,
          number char(20) not null,
          amount_fen bigint not null,
          issued_on date not null,
          recorded_by bigint not null references person,
          recorded_at timestamptz not null,
          constraint invoice_order unique (order_id),
          constraint invoice_number unique (number),
          constraint invoice_number_shape check (number ~ '^[0-9]{20}$'),
          constraint invoice_amount_range check (amount_fen > 0)
        );
        create index invoice_provider_idx on invoice (provider_id, id desc);
        create index invoice_buyer_idx on invoice (buyer_id, id desc);
        create trigger invoice_append_only before update or delete on invoice
          for each row execute function refuse_change();
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
