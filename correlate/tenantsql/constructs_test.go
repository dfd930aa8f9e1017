package tenantsql

import "testing"

// TestDeadConditions: what is false as written lets no row through, and its tenants are none that the statement touches.
func TestDeadConditions(t *testing.T) {
	cases{
		{`select from a where tenant_id = 'x' or 1=0`, `a=x`},
		{`select from a where 1 = 0 or tenant_id = 'x' or false`, `a=x`},
		{`select from a where (1 <> 1) or tenant_id = 'x'`, `a=x`},
		{`select from a where tenant_id = 'x' or 1 = 1`, `~a`},
		{`select from a where tenant_id = 'x' or not false`, `~a`},
		{`select from a where tenant_id = 'x' or not 1 = 0`, `~a`},
		{`select from a where tenant_id = 'x' or not (b = 1 and null)`, `~a`},
		{`select from a where tenant_id = 'x' or 'a' = 'b'`, `~a`},
		{`select from a where tenant_id = 'x' or 1 + 1 = 0`, `~a`},
		{`select from a where tenant_id = 'x' or 0`, `~a`},
		{`select from a where tenant_id = 'x' and 1 = 0`, `!a`},
		{`select from a where tenant_id in (null) and (1 != 1)`, `!a`},
		{`select from a where not (tenant_id = 'x' or true)`, `!a`},
		{`select from a where not (tenant_id = 'x' and false)`, `a`},
		{`select from a where null`, `!a`},
		{`select from a where 2 >= 3 limit 1`, `!a`},
		{`select from a where 1 = 0 or x`, `a`},
		{`select from a, (select * from b where tenant_id = 'y') s where false`, `!a !b`},
		{`select from a where tenant_id = 'x' union all select from b where tenant_id = 'y' and 1 = 0`, `a=x !b`},
		{`select from a where tenant_id = 'x' and exists (select from b where false)`, `a=x !b`},
		{`select from a left join b on false where a.tenant_id = 'x'`, `a=x !b`},
		{`select from a join b on a.tenant_id = 'x' and 1 = 0`, `!a !b`},
		{`select from a right join b on 1 = 0`, `!a b`},
		{`select from a full join b on 1 = 0`, `a b`},
		{`update a set tenant_id = 'y' where tenant_id = 'x' and 1 = 0`, `*!a`},
		{`delete from a where 1 = 0`, `*!a`},
		{`insert into a (tenant_id) values ('x') on conflict (id) do update set n = 1 where 1 = 0`, `*~a<-x`},
		{`insert into a (tenant_id) select 'x' from b where 1 = 0`, `*a=x<-x !b`},
	}.run(t, PostgreSQL)
	cases{ // a cut takes the conjunct away that never holds
		{`select from a where tenant_id = 'x' or (tenant_id = 'y' and 1 = 0)`, `a=x`},
		{`select from a where (tenant_id = 'y' and null) or tenant_id = 'x'`, `a=x`},
	}.runWhole(t, PostgreSQL)
	a := testAnalyzer()
	for _, sql := range []string{`select from a where 1 = 0`, `select from a where 1 = 0 `, `select from a where (1 = 0 and x = 2`, `select from a where 1 = 0 and x = 2 `} {
		if got := render(a.Analyze(PostgreSQL, sql, true)); got != "a" {
			t.Errorf("cut: %s: got %s", sql, got)
		}
	}
}

func TestJSON(t *testing.T) {
	cases{
		{`select from a where data->>'tenant_id' = 'x'`, `~a`},
		{`select from a where (data->'org'->>'tenant_id') = 'x'`, `~a`},
		{`select from a where data #>> '{org,tenant_id}' = 'x'`, `~a`},
		{`select from b, a where a.data->'org'->>'tenant_id' = 'x'`, `b ~a`},
		{`select data->>'tenant_id' from a`, `a`},
		{`select from a where data->>'org' = 'tenant_id'`, `a`},
		{`select from a where META->'Org'->>'Tenant' = 'x'`, `a=x`},
		{`select from a where meta->'org'->>'tenant' = 'x'`, `a=x`},
		{`select from a where (a.meta->'org'->>'tenant')::uuid = $1`, `a=$1`},
		{`select from a where meta #>> '{org,tenant}' in ('x', 'y')`, `a=x|y`},
		{`select from a where meta #>> '{org, tenant}' = any($1)`, `a=$1[]`},
		{`select from a where meta->'org'->'tenant' = '"x"'`, `a`},
		{`select from a where meta->'other'->>'tenant' = 'x'`, `a`},
		{`select from a where meta->>'tenant' = 'x' and tenant_id = 'y'`, `a=y`},
		{`select from a join b on a.tenant_id = b.meta->'org'->>'tenant' where a.tenant_id = 'x'`, `a=x b=x`},
		{`select from a where meta->'org'->>'tenant' = 'x' or meta->'org'->>'tenant' = 'y'`, `a=x|y`},
	}.run(t, PostgreSQL)
}

// TestListedRows: rows that the statement brings along, as bulk writes of drivers do.
func TestListedRows(t *testing.T) {
	cases{
		{`update a set n = v.n from (values ('x', 1), ('y', 2)) as v (tenant_id, n) where a.tenant_id = v.tenant_id`, `*a=x|y`},
		{`update a set n = v.n from (values ('x', 1), ($1, 2)) as v (t, n) where a.tenant_id = v.t and a.id = v.n`, `*a=x|$1`},
		{`update a set tenant_id = v.t from (values (1, 'x'), (2, 'y')) v (id, t) where a.id = v.id`, `*a<-x|y`},
		{`update a set tenant_id = b.tenant_id from b where b.tenant_id = 'x'`, `*a<-x b=x`},
		{`update a set tenant_id = b.tenant_id from b`, `*a<-UNKNOWN b`},
		{`update a set tenant_id = b.tenant_id from c left join b on b.tenant_id = 'x'`, `*a<-x|NULL c b=x`},
		{`update a set tenant_id = tenant_id, n = 1 where id = 1`, `*a`},
		{`insert into a (tenant_id, n) select t, n from (values ('x', 1)) v (t, n)`, `*a=x<-x`},
		{`insert into a (tenant_id, n) select * from (values ('x', 1), ('y', 2)) v`, `*a=x|y<-x|y`},
		{`insert into a (n, tenant_id) select * from (values ('x')) v`, `*a=UNKNOWN<-UNKNOWN`},
		{`insert into a (tenant_id, n) select v.* from (values ('x', 1)) v`, `*a=UNKNOWN<-UNKNOWN`},
		{`insert into a (tenant_id, n) select *, 1 from (values ('x')) v`, `*a=x<-x`},
		{`with v (tenant_id, n) as (values ('x', 1)) insert into a (tenant_id, n) select tenant_id, n from v`, `*a=x<-x`},
		{`with v (tenant_id, n) as (values ('x', 1)) update a set n = v.n from v where a.tenant_id = v.tenant_id`, `*a=x`},
		{`select from a join (values ('x'), ('y') order by 1 limit 1) v (t) on a.tenant_id = v.t`, `a=x|y`},
		{`select from a join (values ('x'), (f())) v (t) on a.tenant_id = v.t`, `a=x|UNKNOWN`},
		{`select from a join (values ('x'), ('y', 1)) v (t) on a.tenant_id = v.t`, `a=x|y`},
		{`select from a join (values ('x') union values ('y')) v (t) on a.tenant_id = v.t`, `~a`},
		{`insert into a (tenant_id) select unnest($1::text[])`, `*a=$1[]<-$1[]`},
		{`insert into a (tenant_id, n) select unnest($1::text[]), unnest($2::int[])`, `*a=$1[]<-$1[]`},
		{`insert into a (n, tenant_id) select * from unnest($1::int[], $2::text[])`, `*a=$2[]<-$2[]`},
		{`insert into a (n, tenant_id) select u.n, u.t from unnest($1::int[], $2::text[]) as u (n, t)`, `*a=$2[]<-$2[]`},
		{`select from a join unnest($1::text[]) tenant_id on a.tenant_id = tenant_id.tenant_id`, `a=$1[]`},
		{`select from a join unnest('{x,y}'::text[]) as t (v) on a.tenant_id = t.v`, `a=x|y`},
		{`merge into a using (values ('x', 1)) v (tenant_id, id) on a.tenant_id = v.tenant_id and a.id = v.id when matched then update set n = 1 when not matched then insert (tenant_id, id) values (v.tenant_id, v.id)`, `*a=x<-x`},
		{`select from (select id, tenant_id as t from a) s where s.t = 1`, `a=1`},
		{`select from (select id, tenant_id as t from a) s where t = 1`, `a=1`},
		{`select from (select id, tenant_id as t from a) s join b on true where t = 1`, `a b`},
		{`select from (select id, tenant_id from a) s (x, y) where s.y = 1`, `a=1`},
		{`select from (select id, tenant_id from a) s (x, y) where s.tenant_id = 1`, `a`},
		{`with c (x, y) as (select id, tenant_id from a where tenant_id = 1) select from b join c on b.tenant_id = c.y`, `a=1 b=1`},
		{`select from b where exists (select from (select tenant_id as t from a) s where s.t = b.tenant_id) and b.tenant_id = 1`, `b=1 a=1`},
	}.run(t, PostgreSQL)
}

func TestOtherConstructs(t *testing.T) {
	cases{
		{`select from a where tenant_id operator(pg_catalog.=) 'x'`, `a=x`},
		{`select from a where tenant_id operator(=) 'x'`, `a=x`},
		{`select from a where tenant_id operator(s.=) 'x'`, `~a`},
		{`insert into a (tenant_id, id) values ('x', 1) on conflict (id) do update set n = 1 where a.tenant_id = excluded.tenant_id`, `*a=x<-x`},
		{`insert into a (tenant_id, id) select b.tenant_id, 1 from b where b.tenant_id = 'x' on conflict (id) do update set n = 1 where a.tenant_id = excluded.tenant_id`, `*~a<-x b=x`},
		{`insert into a (tenant_id, id) values ('x', 1) on conflict (id) do update set tenant_id = excluded.tenant_id`, `*~a<-x`},
		{`insert into a (tenant_id, id) values ('x', 1) on conflict (id) do update set tenant_id = excluded.other`, `*~a<-x|UNKNOWN`},
		{`update a set n = 1 where current of c`, `*a=UNKNOWN`},
		{`create table n as execute p ('x')`, `UNPARSED`},
		{`create table n as table a`, `a`},
	}.run(t, PostgreSQL)
}

// TestCalls: a function in a select list or a FROM may be there for what it sets; one in a condition is not.
func TestCalls(t *testing.T) {
	cases{
		{`select enter('acme')`, `CALLS`},
		{`select app.enter('acme')`, `CALLS`},
		{`select "Enter"('acme')`, `CALLS`},
		{`select * from enter('acme')`, `CALLS`},
		{`select * from enter('acme') as (ok bool)`, `CALLS`},
		{`select set_tenant(id) from t where slug = 'acme'`, `t CALLS`},
		{`select (select enter('acme'))`, `CALLS`},
		{`select now(), count(*), sum(x::numeric(5, 2)), cast(y as varchar(3)), pg_catalog.lower(z), row_number() over (partition by a order by b) from t`, `t`},
		{`select st_astext(g), uuid_generate_v4(), pg_advisory_lock(1), json_build_object('a', 1), extract(year from d), x like ('a') from t`, `t`},
		{`select count(*) filter (where x in (1)) within group (order by y) from t`, `t`},
		{`select myschema.lower('x')`, `CALLS`},
		{`select to_tenant('x'), to_char(now(), 'YYYY')`, `CALLS`},
		{`select to_char(now(), 'YYYY'), make_date(1, 2, 3), int4range(1, 2), statement_timestamp()`, ``},
		{`select * from t where owns(t.id)`, `t`},
		{`select (select 1 from u where owns(u.id)) from t`, `t u`},
		{`select * from generate_series(1, 2), unnest($1), json_each('{}')`, ``},
		{`select current_setting('app.tenant_id')`, ``},
		{`select case when true then enter('x') else (1) end`, `CALLS`},
		{`insert into a (tenant_id) values (f('x'))`, `*a=UNKNOWN<-UNKNOWN`},
	}.run(t, PostgreSQL)
	cases{
		{`select get_lock('x', 1), last_insert_id(), if(a, b, c), json_arrayagg(x), date_format(now(), '%Y') from t`, `t`},
		{`select enter('x')`, `CALLS`},
		{"select shop.enter('x'), `enter`('x')", `CALLS`},
	}.run(t, MySQL)
}
