-- The lab's database. lab_owner owns it; the service is lab_app, which row level security binds.
CREATE ROLE lab_app LOGIN PASSWORD :'app_password';
CREATE DATABASE lab OWNER lab_owner;
\connect lab

CREATE TABLE plans (
    id integer PRIMARY KEY,
    name text NOT NULL,
    monthly_cents integer NOT NULL
);
CREATE TABLE tenants (
    id integer PRIMARY KEY,
    name text NOT NULL UNIQUE,
    cert_cn text NOT NULL UNIQUE,
    plan_id integer NOT NULL REFERENCES plans
);
CREATE TABLE users (
    id integer PRIMARY KEY,
    username text NOT NULL UNIQUE
);
CREATE TABLE user_profiles (
    id integer PRIMARY KEY,
    user_id integer NOT NULL UNIQUE REFERENCES users,
    organisation_id integer NOT NULL REFERENCES tenants
);
CREATE TABLE accounts (
    id integer PRIMARY KEY,
    tenant_id text NOT NULL,
    contact text NOT NULL
);
CREATE TABLE invoices (
    id serial PRIMARY KEY,
    tenant_id text NOT NULL,
    number text NOT NULL,
    amount integer NOT NULL
);
CREATE INDEX ON invoices (tenant_id, id);
CREATE TABLE ledger_entries (
    id serial PRIMARY KEY,
    tenant_id text NOT NULL,
    booking text NOT NULL,
    amount integer NOT NULL
);
ALTER TABLE ledger_entries ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON ledger_entries USING (tenant_id = current_setting('app.tenant_id'));

INSERT INTO plans VALUES (1, 'free', 0), (2, 'team', 4900), (3, 'enterprise', 49900);
INSERT INTO tenants
    SELECT n, name, name || '-client', 1 + n % 3
    FROM unnest(ARRAY['acme', 'beta', 'gamma', 'delta']) WITH ORDINALITY AS t (name, n);
-- One user in each tenant, named after it, and mia, who has moved to beta.
INSERT INTO users SELECT id, name || '-user' FROM tenants UNION ALL SELECT 5, 'mia';
INSERT INTO user_profiles SELECT id, id, id FROM tenants UNION ALL SELECT 5, 5, 2;
INSERT INTO accounts SELECT id, name, 'billing@' || name || '.example' FROM tenants;
-- 20 invoices each: acme has 1 to 20, beta 21 to 40, gamma 41 to 60, delta 61 to 80.
INSERT INTO invoices (tenant_id, number, amount)
    SELECT t.name, upper(t.name) || '-' || n, 100 * n
    FROM tenants t, generate_series(1, 20) n
    ORDER BY t.id, n;
INSERT INTO ledger_entries (tenant_id, booking, amount)
    SELECT t.name, 'booking ' || n, n
    FROM tenants t, generate_series(1, 10) n
    ORDER BY t.id, n;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO lab_app;
GRANT INSERT, UPDATE ON invoices TO lab_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO lab_app;
ANALYZE;
