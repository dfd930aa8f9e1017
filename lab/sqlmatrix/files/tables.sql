CREATE TABLE plans (id BIGINT PRIMARY KEY, name VARCHAR(40) NOT NULL);
CREATE TABLE invoices (id BIGINT PRIMARY KEY, tenant_id VARCHAR(40), number VARCHAR(40) NOT NULL, amount INT NOT NULL, plan_id BIGINT, note TEXT);
CREATE TABLE items (id BIGINT PRIMARY KEY, tenant_id VARCHAR(40) NOT NULL, invoice_id BIGINT NOT NULL, what VARCHAR(40) NOT NULL);
CREATE TABLE meters (id BIGINT PRIMARY KEY, tenant_id BIGINT NOT NULL, reading BIGINT NOT NULL);
CREATE TABLE papers (id BIGINT PRIMARY KEY, tenant_id UUID NOT NULL, title VARCHAR(40) NOT NULL);
CREATE TABLE big (id BIGINT PRIMARY KEY, tenant_id VARCHAR(40) NOT NULL, note TEXT NOT NULL);
CREATE TABLE ledger (id BIGINT PRIMARY KEY, tenant_id VARCHAR(40) NOT NULL, amount INT NOT NULL);
CREATE TABLE events (id BIGINT PRIMARY KEY, doc DOCUMENT NOT NULL);
INSERT INTO plans VALUES (1, 'free'), (2, 'acme');
-- acme has 1 to 20, beta 21 to 40, gamma 41 to 60
INSERT INTO invoices
    WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 60)
    SELECT id, CASE WHEN id <= 20 THEN 'acme' WHEN id <= 40 THEN 'beta' ELSE 'gamma' END, 'N', 10, 1, NULL FROM n;
INSERT INTO invoices VALUES (61, NULL, 'nobody''s', 1, NULL, NULL), (71, 'münchen', 'N', 1, 1, 'ß');
INSERT INTO items VALUES (1, 'acme', 1, 'first'), (2, 'beta', 21, 'second'), (3, 'gamma', 41, 'third');
INSERT INTO meters VALUES (1, 41, 7), (2, 42, 8);
INSERT INTO papers VALUES (1, '7d44e2c0-3b8f-4d35-9c1f-2f1f6f3f0a01', 'red'), (2, '7d44e2c0-3b8f-4d35-9c1f-2f1f6f3f0a02', 'blue');
INSERT INTO big VALUES (1, 'beta', REPEAT('b', 30000)), (2, 'acme', REPEAT('a', 30000));
INSERT INTO ledger VALUES (1, 'acme', 1), (2, 'beta', 2);
INSERT INTO events VALUES (1, '{"tenant_id": "acme"}');
