-- A database that tenants share, and one for each of two tenants. The columns "whose" tell the lab, and are none of the policies', whose a row is.
CREATE DATABASE shop;
CREATE TABLE shop.invoices (id BIGINT PRIMARY KEY, tenant_id VARCHAR(64) NOT NULL, whose VARCHAR(64) NOT NULL, paid INT NOT NULL DEFAULT 0);
INSERT INTO shop.invoices (id, tenant_id, whose) VALUES (1, 'acme', 'acme'), (2, 'acme', 'acme'), (7, 'beta', 'beta'), (8, 'beta', 'beta');
CREATE DATABASE app_acme;
CREATE DATABASE app_beta;
CREATE TABLE app_acme.invoices (id BIGINT PRIMARY KEY, whose VARCHAR(64) NOT NULL);
CREATE TABLE app_beta.invoices (id BIGINT PRIMARY KEY, whose VARCHAR(64) NOT NULL);
INSERT INTO app_acme.invoices VALUES (1, 'acme'), (2, 'acme');
INSERT INTO app_beta.invoices VALUES (1, 'beta'), (2, 'beta');
CREATE USER app IDENTIFIED BY 'secret';
GRANT SELECT, UPDATE ON *.* TO app;
