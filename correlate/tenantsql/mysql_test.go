package tenantsql

import (
	"reflect"
	"testing"
)

func TestMySQL(t *testing.T) {
	cases{
		{"SELECT * FROM `orders` WHERE `orders`.`tenant_id` = 'acme'", `orders=acme`},
		{"SELECT * FROM `Orders` o WHERE O.TENANT_ID = \"ac\"\"me\" LIMIT 1", `Orders/o=ac"me`},
		{`select * from a where id = ? and tenant_id = ?`, `a=$2`},
		{`select * from a where tenant_id in (?, ?) limit ?`, `a=$1|$2`},
		{`select * from a where tenant_id <=> ?`, `a=$1`},
		{`select * from a where x = 1 && tenant_id = 2`, `a=2`},
		{`select * from a where tenant_id = 2 || 1 = 1`, `~a`},
		{`select * from a where tenant_id = 2 xor x`, `~a`},
		{`select * from a where ! (tenant_id = 2)`, `~a`},
		{`select * from a where tenant_id = 'it\'s'`, `a=it's`},
		{`select * from a where tenant_id = 'a' "b"`, `a=ab`},
		{`select * from a where tenant_id = _utf8mb4'x'`, `a=x`},
		{`select * from a where tenant_id = N'x'`, `a=x`},
		{`select * from a where tenant_id = cast('x' as char)`, `a=x`},
		{`select * from a where tenant_id = cast('xyz' as char(1))`, `a=UNKNOWN`},
		{`select * from a where tenant_id = @tenant_id`, `a=setting:@tenant_id`},
		{"select * from a # where tenant_id = 1\n where tenant_id = 2", `a=2`},
		{"select * from a where tenant_id = 5--1", `~a`},
		{"select * from a where tenant_id = 5 -- 1", `a=5`},
		{`select * from a /* where */ where tenant_id = 2 /* /* */ and x = 1`, `a=2`},
		{`select * from a where tenant_id = 2 /*!50000 or 1 = 1 */`, `~a UNPARSED`},
		{`select /*! straight_join */ * from a where tenant_id = 2`, `a=UNKNOWN UNPARSED`},
		{`select * from a force index (i) join b use index for join (j, k) on a.tenant_id = b.tenant_id where b.tenant_id = 1`, `a=1 b=1`},
		{`select * from a straight_join b on a.tenant_id = 1`, `a=1 b`},
		{`select * from 2fa_codes where 2fa_codes.tenant_id = 1`, `2fa_codes=1`},
		{`select * from a partition (p0) x where x.tenant_id = 1 lock in share mode`, `a/x=1`},
		{`insert ignore into a (tenant_id, n) values ('x', 1) on duplicate key update n = values(n)`, `*~a<-x`},
		{`insert into a set tenant_id = 'x', n = 1`, `*a=x<-x`},
		{`insert into a set tenant_id = 'x', n = 1 on duplicate key update n = 2`, `*~a<-x`},
		{`replace into a (tenant_id) value (?)`, `*a=$1<-$1`},
		{`insert into a (tenant_id, n) values row('x', 1), row('y', 2) as new on duplicate key update n = new.n`, `*~a<-x|y`},
		{`update a join b on a.tenant_id = b.tenant_id set a.n = 1 where b.tenant_id = 2`, `*a=2 b=2`},
		{`update a, b set b.tenant_id = 5 where a.id = b.id and b.tenant_id = 2`, `a *b=2<-5`},
		{`delete a from a join b on a.tenant_id = b.tenant_id where b.tenant_id = 2`, `*a=2 b=2`},
		{`delete from x, y using a as x join b as y on x.id = y.id where x.tenant_id = 2`, `*a/x=2 *b/y`},
		{`delete from a where tenant_id = 2 order by id limit 5`, `*a=2`},
		{`set @tenant_id = 'x', @@session.sql_mode = ''`, `{@tenant_id:=x}`},
		{`set @a := 1, @tenant_id := ?`, `{@tenant_id:=$1}`},
		{`set @tenant_id = concat('a', 'b')`, `{@tenant_id:=UNKNOWN}`},
		{`set names utf8mb4`, ``},
		{`create table n select * from a where tenant_id = 1`, `a=1`},
	}.run(t, MySQL)
}

func TestMySQLPrepared(t *testing.T) {
	a := testAnalyzer()
	for _, tc := range []struct {
		sql  string
		want Statement
	}{
		{`prepare p from 'select \'x\' from a'`, Statement{Kind: Prepare, Name: "p", Body: "select 'x' from a"}},
		{`execute p using @a, @b`, Statement{Kind: Execute, Name: "p", Args: []Value{{Kind: Setting, Text: "@a"}, {Kind: Setting, Text: "@b"}}}},
		{`deallocate prepare p`, Statement{Kind: Deallocate, Name: "p"}},
		{`explain a`, Statement{Kind: Show}},
		{`explain format=tree select 1`, Statement{Kind: Explain, Body: "select 1"}},
	} {
		got := a.Analyze(MySQL, tc.sql, false)
		got.Shape = ""
		if !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s\n got: %+v\nwant: %+v", tc.sql, got, tc.want)
		}
	}
}
