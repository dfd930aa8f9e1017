package tenantsql

import "testing"

func TestJoins(t *testing.T) {
	cases{
		{`select from o join c on o.c = c.id where o.tenant_id = 1`, `o=1 c`},
		{`select from o join c on o.tenant_id = c.tenant_id where o.tenant_id = 1`, `o=1 c=1`},
		{`select from o join c on o.tenant_id = c.tenant_id where c.tenant_id = 1`, `o=1 c=1`},
		{`select from o join c on c.tenant_id = 1 and c.id = o.c`, `o c=1`},
		{`select from o inner join c using (tenant_id, x) as u where o.tenant_id = 1`, `o=1 c=1`},
		{`select from o join c using (id) where o.tenant_id = 1`, `o=1 c`},
		{`select from o natural join c where o.tenant_id = 1`, `o=1 c`},
		{`select from o cross join c where o.tenant_id = 1 and c.tenant_id = o.tenant_id`, `o=1 c=1`},
		{`select from o, c, d where d.tenant_id = c.tenant_id and c.tenant_id = o.tenant_id and o.tenant_id = $1`, `o=$1 c=$1 d=$1`},
		{`select from o left join c on c.tenant_id = 1`, `o c=1`},
		{`select from o left join c on o.tenant_id = 1`, `~o c`},
		{`select from o left outer join c on o.tenant_id = c.tenant_id where o.tenant_id = 1`, `o=1 c=1`},
		{`select from o left join c on o.tenant_id = c.tenant_id and c.tenant_id = 1`, `o c=1`},
		{`select from o left join c on true where c.tenant_id = 1`, `o c=1`},
		{`select from o right join c on o.tenant_id = 1 and c.tenant_id = 2`, `o=1 ~c`},
		{`select from o right join c on o.tenant_id = c.tenant_id where c.tenant_id = 1`, `o=1 c=1`},
		{`select from o full join c on o.tenant_id = 1 and c.tenant_id = 2`, `~o ~c`},
		{`select from o full join c using (tenant_id) where o.tenant_id = 1`, `~o=1 ~c`},
		{`select from o left join c using (tenant_id) where o.tenant_id = 1`, `o=1 c=1`},
		{`select from o left join c using (tenant_id) left join d using (tenant_id) where o.tenant_id = 1`, `o=1 c=1 d=1`},
		{`select from o right join c using (tenant_id) where o.tenant_id = 1`, `o=1 c`},
		{`select from o left join (c join d on c.tenant_id = 1 and d.tenant_id = c.tenant_id) on o.id = c.id`, `o c=1 d=1`},
		{`select from o left join c join d on d.tenant_id = 1 on c.tenant_id = 2 and o.tenant_id = 3`, `~o c=2 d=1`},
		{`select from (o join c on o.tenant_id = 5) right join d on o.id = d.id and d.tenant_id = 6`, `o=5 c ~d`},
		{`select from a, o left join c on o.id = c.id and c.tenant_id = a.tenant_id where a.tenant_id = 1`, `a=1 o c=1`},
		{`select from o join c on o.tenant_id = c.tenant_id or c.x = 1 where o.tenant_id = 1`, `~o=1 ~c`},
		{`select from o as x, o as y where x.tenant_id = 1 and y.tenant_id = 2`, `o/x=1 o/y=2`},
		{`select from o left join lateral (select * from c where c.tenant_id = o.tenant_id limit 1) l on true where o.tenant_id = 1`, `o=1 c=1`},
		{`select from s1.o join s2.o on s1.o.id = s2.o.id where s2.o.tenant_id = 1`, `s1.o s2.o=1`},
		{`select from o left join (c full join d using (tenant_id)) using (tenant_id) where c.tenant_id = 1`, `o ~c=1 ~d`},
		{`select from o join (c full join d using (tenant_id)) using (tenant_id) where c.tenant_id = 1`, `o ~c=1 ~d`},
		{`select from o join (c right join d using (tenant_id)) using (tenant_id) where o.tenant_id = 1`, `o=1 c=1 d=1`},
		{`select from o right join c using (tenant_id) where tenant_id = 1`, `o=1 c=1`},
		{`select from o natural right join c where tenant_id = 1`, `o c=1`},
		{`select from o natural full join c where tenant_id = 1`, `o c`},
		{`select from o join c on left(c.x, 1) = 'a' left join d on d.tenant_id = 1`, `o c d=1`},
	}.run(t, PostgreSQL)
}
