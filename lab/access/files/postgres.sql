-- What the scenarios need beside the lab's own tables. The columns "whose" tell the lab, and are none of the policies', whose a row is.
INSERT INTO invoices (tenant_id, number, amount)
    SELECT t.name, upper(t.name) || '-' || n, n FROM unnest(ARRAY['acme-eu', 'acme-us']) AS t (name), generate_series(1, 3) n;

CREATE TABLE bookings (id serial PRIMARY KEY, tenant_id text NOT NULL, whose text NOT NULL);
CREATE INDEX ON bookings (tenant_id);
INSERT INTO bookings (tenant_id, whose)
    SELECT name, name FROM (VALUES ('acme'), ('beta')) AS t (name), generate_series(1, 3)
    UNION ALL
    SELECT name, name FROM (SELECT 'many-' || n FROM generate_series(1, 200) n) AS t (name), generate_series(1, 2);
ALTER TABLE bookings ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON bookings USING (tenant_id = current_setting('app.current_tenant', true));

CREATE TABLE members (id serial PRIMARY KEY, tenant_id text NOT NULL, email text NOT NULL UNIQUE);
INSERT INTO members (tenant_id, email) SELECT name, 'info@' || name || '.example' FROM (VALUES ('acme'), ('beta')) AS t (name);

CREATE TABLE devices (id serial PRIMARY KEY, org uuid NOT NULL, name text NOT NULL);
INSERT INTO devices (org, name) VALUES
    ('9f1c0b7e-52a4-4c1d-8e30-0a64b1f2c9d7', 'acme'), ('9f1c0b7e-52a4-4c1d-8e30-0a64b1f2c9d7', 'acme'), ('0b5a4c11-7d2e-4f60-93ab-5de1c07f8a42', 'beta');

DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT unnest(ARRAY['acme', 'beta']) UNION ALL SELECT 'many-' || n FROM generate_series(1, 40) n LOOP
        EXECUTE format('CREATE SCHEMA %I', 't_' || name);
        EXECUTE format('CREATE TABLE %I.orders (id serial PRIMARY KEY, tenant_id text NOT NULL, whose text NOT NULL)', 't_' || name);
        EXECUTE format('INSERT INTO %I.orders (tenant_id, whose) SELECT %L, %2$L FROM generate_series(1, 3)', 't_' || name, name);
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO lab_app', 't_' || name);
        EXECUTE format('GRANT SELECT ON %I.orders TO lab_app', 't_' || name);
    END LOOP;
END
$$;
GRANT SELECT ON bookings, members, devices TO lab_app;
