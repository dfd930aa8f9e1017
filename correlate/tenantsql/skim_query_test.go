package tenantsql

import "testing"

func TestDjango(t *testing.T) {
	cases{
		{`SELECT "shop_invoice"."id", "shop_invoice"."tenant_id" FROM "shop_invoice" WHERE ("shop_invoice"."tenant_id" = 'acme' AND "shop_invoice"."id" = 7) LIMIT 21`, `shop_invoice=acme`},
		{`INSERT INTO "shop_invoice" ("tenant_id", "amount") VALUES ('acme', 5) RETURNING "shop_invoice"."id"`, `*shop_invoice=acme<-acme`},
		{`INSERT INTO "shop_invoice" ("amount", "tenant_id") VALUES (5, 'acme'), (6, 'acme'), (7, 'beta')`, `*shop_invoice=acme|beta<-acme|beta`},
		{`UPDATE "shop_invoice" SET "amount" = ("shop_invoice"."amount" + 1), "note" = NULL WHERE ("shop_invoice"."tenant_id" = 'acme' AND "shop_invoice"."id" = 7)`, `*shop_invoice=acme`},
		{`UPDATE "shop_invoice" SET "tenant_id" = 'beta', "amount" = 5 WHERE "shop_invoice"."id" = 7`, `*shop_invoice<-beta`},
		{`DELETE FROM "shop_invoice" WHERE "shop_invoice"."tenant_id" IN ('acme')`, `*shop_invoice=acme`},
		{`SELECT (1) AS "a" FROM "shop_invoice" WHERE "shop_invoice"."tenant_id" = 'acme' LIMIT 1`, `shop_invoice=acme`},
		{`SELECT COUNT(*) AS "__count" FROM "shop_invoice" WHERE "shop_invoice"."tenant_id" = E'ac\\me'`, `shop_invoice=ac\me`},
		{`SELECT COUNT(*) FROM (SELECT DISTINCT "shop_invoice"."id" AS "col1" FROM "shop_invoice" INNER JOIN "shop_line" ON ("shop_invoice"."id" = "shop_line"."invoice_id") WHERE "shop_invoice"."tenant_id" = 'acme') subquery`,
			`shop_invoice=acme shop_line`},
		{`SELECT "shop_order"."id" FROM "shop_order" INNER JOIN "shop_customer" ON ("shop_order"."customer_id" = "shop_customer"."id" AND "shop_order"."tenant_id" = ("shop_customer"."tenant_id")) WHERE "shop_order"."tenant_id" = '00000000-0000-0000-0000-000000000042'::uuid ORDER BY "shop_order"."id" ASC`,
			`shop_order=00000000-0000-0000-0000-000000000042 shop_customer=00000000-0000-0000-0000-000000000042`},
		{`SELECT "t"."id" FROM "t" WHERE EXISTS(SELECT 1 AS "a" FROM "u" U0 WHERE (U0."tenant_id" = ("t"."tenant_id") AND U0."x" = 1) LIMIT 1) AND "t"."tenant_id" = 42`, `t=42 u/u0=42`},
		{`SELECT "t"."id", (SELECT COUNT(*) FROM "u" U0 WHERE U0."tenant_id" = "t"."tenant_id") AS "n" FROM "t" WHERE "t"."tenant_id" = 'x' ORDER BY (SELECT max(v."id") FROM "v" WHERE "v"."tenant_id" = 'y')`,
			`t=x u/u0=x v=y`},
		{`SAVEPOINT "s140_x1"`, ``},
		{`SET TIME ZONE 'UTC'`, ``},
		{`SET datestyle TO 'ISO'`, ``},
		{`SELECT set_config('TimeZone', 'UTC', false)`, ``},
	}.run(t, PostgreSQL)
}

func TestScopes(t *testing.T) {
	cases{
		{`select 1`, ``},
		{`select * from public.orders o where o.tenant_id = $1`, `public.orders/o=$1`},
		{`select * from public.orders where public.orders.tenant_id = $1`, `public.orders=$1`},
		{`select * from public.orders where other.orders.tenant_id = $1`, `public.orders`},
		{`select * from Orders AS O where o.Tenant_ID = 1`, `orders/o=1`},
		{`select * from "Orders" where "Orders"."Tenant_ID" = 1`, `Orders=1`},
		{`select * from "Orders" where orders.tenant_id = 1`, `Orders`},
		{`select * from orders o where orders.tenant_id = 1`, `orders/o`},
		{`select * from orders where tenant_id = 1`, `orders=1`},
		{`select * from orders, lines where tenant_id = 1`, `orders=1 lines`},
		{`select * from db.s.orders where db.s.orders.tenant_id = 1`, `s.orders=1`},
		{`select * from only orders where tenant_id = 1`, `orders=1`},
		{`select * from only (orders) where tenant_id = 1`, `orders=1`},
		{`select * from orders * where tenant_id = 1`, `orders=1`},
		{`select * from orders o (a, tenant_id) where o.tenant_id = 1`, `orders/o`},
		{`select * from orders tablesample system (10) repeatable (3) where orders.tenant_id = 1`, `orders=1`},
		{`table orders`, `orders`},
		{`values (1), (2)`, ``},
		{`(select * from a where tenant_id = 1) union all (select * from b where tenant_id = 2) order by 1`, `a=1 b=2`},
		{`select * from a where tenant_id = 1 union select * from b except select * from c where c.tenant_id = 3`, `a=1 b c=3`},
		{`select a is distinct from b from c where tenant_id = 1`, `c=1`},
		{`select x as from from c where c.tenant_id = 1`, `c=1`},
		{`select c.from, c.where from c where c.tenant_id = 1`, `c=1`},
		{`select extract(year from d) from c where tenant_id = 1 group by 1 having count(*) > 1 order by 1 limit 5 offset 2 for update of c`, `c=1`},
		{`select * into temp x from c where tenant_id = 1`, `c=1`},
		{`select percentile_cont(0.5) within group (order by n) as m from c where tenant_id = 1`, `c=1`},
		{`select distinct on (a, b) * from c where tenant_id = 1`, `c=1`},
		{`select * from generate_series(1, 5) g, c where c.tenant_id = 1`, `c=1`},
		{`select * from generate_series(1, 5) g, c where tenant_id = 1`, `c=1`},
		{`select * from rows from (f(1), g(2)) with ordinality as x (a, b), c where c.tenant_id = 1`, `c=1 CALLS`},
		{`select * from json_to_recordset('[]') as x(tenant_id int) where x.tenant_id = 1`, ``},
		{`select * from a where id in (select a_id from b where b.tenant_id = 1)`, `a b=1`},
		{`select * from a where exists (select from b where b.tenant_id = 'x' and a.tenant_id = 'y')`, `~a b=x`},
		{`select * from a where not exists (select from b where b.tenant_id = 'x')`, `a b=x`},
		{`select * from a where a.tenant_id = 'x' and not exists (select from b where b.tenant_id = a.tenant_id)`, `a=x b=x`},
		{`select * from a where not (a.tenant_id = 'x' and exists (select from b where b.tenant_id = a.tenant_id))`, `~a b`},
		{`select * from a where case when exists (select 1 from b where tenant_id = 1) then true end and a.tenant_id = 2`, `a=2 b=1`},
	}.run(t, PostgreSQL)
}

func TestUnknownSyntaxSaysSo(t *testing.T) {
	cases{
		{`select * from a for system_time as of 1, b where tenant_id = 1`, `~a UNPARSED`},
		{`select * from 'a' where tenant_id = 1`, `UNPARSED`},
		{`select * from {oj a left join b on true} where tenant_id = 1`, `UNPARSED`},
		{`select * from a,, b`, `a b UNPARSED`},
		{`select * from a where tenant_id = 1, 2`, `a=1 UNPARSED`},
		{`update a for portion of v from 1 to 2 set n = 1 where tenant_id = 1`, `*a UNPARSED`},
		{`delete from a whatever x where tenant_id = 1`, `*a/whatever UNPARSED`},
		{`with x select * from a`, `UNPARSED`},
		{`select * from a for no key update of a skip locked`, `a`},
		{`select * from a where tenant_id = 1 for share`, `a=1`},
	}.run(t, PostgreSQL)
}

func TestDerived(t *testing.T) {
	cases{
		{`select * from (select * from a where tenant_id = 1) s`, `a=1`},
		{`select * from (select * from a) s where s.tenant_id = 1`, `a=1`},
		{`select * from (select id, tenant_id from a) s where s.tenant_id = 1`, `a=1`},
		{`select * from (select id, x.tenant_id as t from a x) s where s.tenant_id = 1`, `a/x`},
		{`select * from (select id as tenant_id from a) s where s.tenant_id = 1`, `a`},
		{`select * from (select a.*, b.id as n from a join b on b.x = a.x) s where s.tenant_id = 1`, `a=1 b`},
		{`select * from (select * from a, b) s where s.tenant_id = 1`, `a b`},
		{`select * from (select max(tenant_id) as tenant_id from a) s where s.tenant_id = 1`, `a`},
		{`select * from (select tenant_id, rank() over (order by total) r from a) s where s.tenant_id = 1`, `~a`},
		{`select * from (select tenant_id, coalesce(rank() over (order by total), 0) r from a) s where s.tenant_id = 1`, `~a`},
		{`select * from (select id, tenant_id from a union all select id, tenant_id from b) s where s.tenant_id = 1`, `a=1 b=1`},
		{`select * from (select id, tenant_id from a union all select id, 5 from b) s where s.tenant_id = 1`, `a=1 b`},
		{`select * from (select id, tenant_id from a where tenant_id = 1) s join c on c.tenant_id = s.tenant_id`, `a=1 c=1`},
		{`select * from (select tenant_id from a where tenant_id = 1 union select tenant_id from b) s join c on c.tenant_id = s.tenant_id`, `a=1 b c`},
		{`select * from c join (select id, tenant_id from a) s on c.tenant_id = s.tenant_id where c.tenant_id = 'x'`, `c=x a=x`},
		{`select * from a x, lateral (select * from b where b.tenant_id = x.tenant_id) y where x.tenant_id = 1`, `a/x=1 b=1`},
		{`select * from a x, (select * from b where b.tenant_id = x.tenant_id) y where x.tenant_id = 1`, `a/x=1 ~b`},
		{`select * from (values (1, 'x')) as v (id, tenant_id) join a on a.tenant_id = v.tenant_id where v.tenant_id = 'x'`, `a=x`},
		{`select * from (select id, tenant_id from a) s (x, y) where s.tenant_id = 1`, `a`},
		{`select * from ((select 1) s cross join a) where a.tenant_id = 1`, `a=1`},
		{`select * from ((select * from a) union (select * from b)) s`, `a b`},
	}.run(t, PostgreSQL)
}

func TestWith(t *testing.T) {
	cases{
		{`with c as (select * from a where tenant_id = 1) select * from c`, `a=1`},
		{`with c as (select * from a) select * from c where c.tenant_id = 1`, `~a`},
		{`with a as (select * from a where tenant_id = 1) select * from a join b on b.tenant_id = a.tenant_id`, `a=1 b=1`},
		{`with c as materialized (select tenant_id from a where tenant_id = $1), d as not materialized (select * from c) select * from d, public.c where public.c.tenant_id = 2`,
			`a=$1 public.c=2`},
		{`with recursive r (id) as (select id from a where tenant_id = 1 union all select a.id from a join r on a.parent = r.id where a.tenant_id = 1) select * from r`, `a=1 a=1`},
		{`with recursive x as (select * from y), y as (select * from a) select * from x`, `a`},
		{`with x as (select * from y), y as (select * from a) select * from x`, `y a`},
		{`select * from (with c as (select 1) select * from c) s, c where c.tenant_id = 1`, `c=1`},
		{`select * from b where exists (with c as (select * from d) select * from c where c.id = b.id)`, `b d`},
		{`with x as (delete from a where tenant_id = 'x' returning *) insert into log (tenant_id, what) select 'x', id from x`, `*a=x *log=x<-x`},
		{`with x as (insert into a (tenant_id) values ($1) returning id) select id from x`, `*a=$1<-$1`},
		{`with x as (update a set n = 1 where tenant_id = 'x' returning tenant_id) select * from x join b on b.tenant_id = x.tenant_id`, `*a=x ~b`},
		{`with recursive r as (select id from a) search depth first by id set o select * from r where id = 1`, `a`},
		{`with t as (select 1) delete from a using t where a.tenant_id = 1`, `*a=1`},
	}.run(t, PostgreSQL)
}
