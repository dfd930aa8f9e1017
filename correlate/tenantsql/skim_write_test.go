package tenantsql

import "testing"

func TestInsert(t *testing.T) {
	cases{
		{`insert into a (id, tenant_id) values (1, 'x')`, `*a=x<-x`},
		{`insert into s.a as b (tenant_id) values ($1), ($2)`, `*s.a/b=$1|$2<-$1|$2`},
		{`insert into a values ('x')`, `*a`},
		{`insert into a (id) values (1)`, `*a`},
		{`insert into a (tenant_id) values (default)`, `*a=DEFAULT<-DEFAULT`},
		{`insert into a default values`, `*a`},
		{`insert into a (tenant_id) overriding system value values ('x')`, `*a=x<-x`},
		{`insert into a (tenant_id) values ('x' || 'y'), (f('z'))`, `*a=UNKNOWN<-UNKNOWN`},
		{`insert into a (tenant_id) values ((select id from t))`, `*a=SUBQUERY<-SUBQUERY t`},
		{`insert into a (tenant_id, n) values (current_setting('app.tenant_id')::uuid, 1)`, `*a=setting:app.tenant_id<-setting:app.tenant_id`},
		{`insert into a (id, tenant_id) select id, 'x' from b where b.tenant_id = 'y'`, `*a=x<-x b=y`},
		{`insert into a (id, tenant_id) select id, 'x' as t from b where b.tenant_id = 'y' union all select 1, $1`, `*a=x|$1<-x|$1 b=y`},
		{`insert into a (id, tenant_id) select id, b.tenant_id from b where b.tenant_id = 'y'`, `*a=y<-y b=y`},
		{`insert into a (id, tenant_id) select 1, b.tenant_id from c left join b on b.tenant_id = 'x'`, `*a=x|NULL<-x|NULL c b=x`},
		{`insert into a (id, tenant_id) select 1, s.tenant_id from (select b.tenant_id from c left join b on b.tenant_id = 'x') s`, `*a=x|NULL<-x|NULL c b=x`},
		{`insert into a (id, tenant_id) select id, tenant_id from b`, `*a=UNKNOWN<-UNKNOWN b`},
		{`insert into a (id, tenant_id) select * from b where tenant_id = 'y'`, `*a=UNKNOWN<-UNKNOWN b=y`},
		{`insert into a (id, tenant_id) (select id, 'x' from b)`, `*a=x<-x b`},
		{`insert into a (id, tenant_id) with c as (select id from b) select id, 'x' from c`, `*a=x<-x b`},
		{`with c as (select id from b) insert into a (id, tenant_id) select id, 'x' from c`, `b *a=x<-x`},
		{`insert into a (tenant_id, id) values ('x', 1) on conflict do nothing`, `*a=x<-x`},
		{`insert into a (tenant_id, id) values ('x', 1) on conflict (tenant_id, id) do update set n = excluded.n, tenant_id = excluded.tenant_id returning id`, `*a=x<-x`},
		{`insert into a (tenant_id, id) values ('x', 1) on conflict (id) do update set n = excluded.n`, `*~a<-x`},
		{`insert into a (tenant_id, id) values ('x', 1) on conflict on constraint k do update set tenant_id = 'y'`, `*~a<-x|y`},
		{`insert into a (tenant_id, id) values ('x', 1) on conflict (id) do update set n = excluded.n where a.tenant_id = 'x'`, `*a=x<-x`},
		{`insert into a (tenant_id, id) select 'x', c.id from c join d on c.id = d.id on conflict (id) where k do nothing`, `*a=x<-x c d`},
		{`insert into a (tenant_id, id) values ('x', 1) returning (select n from b where b.tenant_id = 'z')`, `*a=x<-x b=z`},
	}.run(t, PostgreSQL)
	cases{ // a later conjunct narrows
		{`insert into a (tenant_id, id) values ('x', 1) on conflict (id) do update set n = 1 where a.tenant_id = $1 and a.tenant_id = $2`, `*a=x|UNKNOWN<-x`},
	}.runWhole(t, PostgreSQL)
}

func TestUpdateDelete(t *testing.T) {
	cases{
		{`update a set n = 1 where tenant_id = $1 and id = $2`, `*a=$1`},
		{`update only s.a as b set n = 1 where b.tenant_id = 1`, `*s.a/b=1`},
		{`update a set tenant_id = 'y' where tenant_id = 'x'`, `*a=x<-y`},
		{`update a set (n, tenant_id) = (1, 'y') where id = 1`, `*a<-y`},
		{`update a set (n, tenant_id) = row (1, $2) where id = 1`, `*a<-$2`},
		{`update a set (n, tenant_id) = (select 1, 'y' from b where tenant_id = 'z') where id = 1`, `*a<-SUBQUERY b=z`},
		{`update a set tenant_id = default where id = 1`, `*a<-DEFAULT`},
		{`update a set n = b.n, m = x is distinct from y from b where a.tenant_id = b.tenant_id and b.tenant_id = 'x'`, `*a=x b=x`},
		{`update a set n = (select max(n) from c where c.tenant_id = b.tenant_id) from b where b.tenant_id = 'x' returning a.id`, `*a b=x c=x`},
		{`update a set n = case when tenant_id = 'x' then 1 end`, `*a`},
		{`delete from a where tenant_id = 'x'`, `*a=x`},
		{`delete from only a as b using c where b.tenant_id = c.tenant_id and c.tenant_id = $1 returning *`, `*a/b=$1 c=$1`},
		{`delete from a`, `*a`},
		{`truncate table a, only s.b restart identity`, `*a *s.b`},
	}.run(t, PostgreSQL)
}

func TestMerge(t *testing.T) {
	cases{
		{`merge into a t using b s on t.id = s.id and t.tenant_id = 'x' when matched then update set n = 1`, `*a/t=x b/s`},
		{`merge into a t using b s on t.tenant_id = s.tenant_id and s.tenant_id = 'x' when matched and t.n > 1 then delete`, `*a/t=x b/s=x`},
		{`merge into a t using b s on t.id = s.id and t.tenant_id = 'x' and s.tenant_id = 'x' when matched then update set n = 1 when not matched then insert (id, tenant_id) values (s.id, 'y')`,
			`*a/t=y|x<-y ~b/s`},
		{`merge into a using (select * from b where tenant_id = 'x') s on a.id = s.id when not matched then insert (tenant_id, id) values (s.tenant_id, 1)`, `*a=x<-x b=x`},
		{`merge into a using b on a.id = b.id when matched then update set tenant_id = 'z' when not matched then insert (tenant_id) values ('y')`, `*~a<-y|z b`},
		{`merge into a using b on a.id = b.id and a.tenant_id = 'x' when not matched by source then delete`, `*~a b`},
		{`merge into a using b on a.id = b.id and a.tenant_id = 'x' when matched then do nothing when not matched then do nothing`, `*a=x b`},
	}.run(t, PostgreSQL)
}

func TestCopyCreate(t *testing.T) {
	cases{
		{`copy s.a (id, tenant_id) from stdin with (format csv)`, `*s.a`},
		{`copy a to stdout`, `a`},
		{`copy (select * from a where tenant_id = 'x') to stdout`, `a=x`},
		{`copy (delete from a where tenant_id = 'x' returning *) to stdout`, `*a=x`},
		{`create table n as select * from a where tenant_id = 'x' with no data`, `a=x`},
		{`create temporary table if not exists n (i) on commit drop as with c as (select * from a) select * from c`, `a`},
		{`create materialized view v as select * from a`, `a`},
		{`create view v as select * from a`, ``},
		{`create table n (id int, tenant_id text default 'x')`, ``},
		{`create index i on a (tenant_id) where tenant_id = 'x'`, ``},
		{`do $$ begin delete from a; end $$`, `UNPARSED`},
		{`call p('x')`, `UNPARSED`},
	}.run(t, PostgreSQL)
}
