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
		{`select * from a where tenant_id = true or tenant_id = false`, `a=1|0`},
		{`select * from a where 0x61 = tenant_id`, `a=UNKNOWN`},
		{`select * from a where tenant_id = 'x' - 1 is null`, `~a`},
		{`select * from a where tenant_id = 'a' "b"`, `a=ab`},
		{`select * from a where tenant_id = _utf8mb4'x'`, `a=x`},
		{`select * from a where tenant_id = N'x'`, `a=x`},
		{`select * from a where tenant_id = cast('x' as char)`, `a=x`},
		{`select * from a where tenant_id = cast('xyz' as char(1))`, `a=UNKNOWN`},
		{`select * from a where tenant_id = @tenant_id`, `a=setting:@tenant_id`},
		{"select * from a # where tenant_id = 1\n where tenant_id = 2", `a=2`},
		{"select * from a where tenant_id = 5--1", `a=UNKNOWN`},
		{"select * from a where tenant_id = 5 -- 1", `a=5`},
		{`select * from a /* where */ where tenant_id = 2 /* /* */ and x = 1`, `a=2`},
		{`select * from a where tenant_id = 2 /*!50000 or 1 = 1 */`, `~a`},
		{`select /*! straight_join */ * from a where tenant_id = 2`, `a=2`},
		{`select /*!40001 sql_no_cache */ * from a where /*!50503 tenant_id = 'x' and */ id = 1`, `a=x`},
		{`select * from a where tenant_id = 2 /*!50600 or 1 = 1 */`, `~a UNPARSED`},
		{`select * from a where tenant_id = 2 /*!50701 and x */`, `a=UNKNOWN UNPARSED`},
		{`select * from a where tenant_id = 2 /*!100100 and x */`, `a=UNKNOWN UNPARSED`},
		{`select * from a where tenant_id = 2 /*!4 and x */`, `a=UNKNOWN UNPARSED`},
		{`select * from a where tenant_id = 2 /*M! and x */`, `a=UNKNOWN UNPARSED`},
		{`select offset, n from a where tenant_id = 2`, `a=2`},
		{`select fetch, n from a where tenant_id = 2`, `UNPARSED`},
		{`select /*+ max_execution_time(1) */ * from a where tenant_id = 2`, `a=2`},
		{`select 1 from dual`, ``},
		{"select 1 from `dual`", `dual`},
		{`select * from a cross join b on a.id = b.id where a.tenant_id = 1`, `a=1 b`},
		{`select * from a where binary tenant_id = 'x'`, `a=x`},
		{`select * from a where tenant_id = binary ?`, `a=$1`},
		{`select * from a where tenant_id = _binary 'x' collate utf8mb4_bin`, `a=x`},
		{`select * from a where tenant_id = convert('x' using utf8mb4)`, `a=x`},
		{`select * from a where tenant_id = convert('xyz', char(1))`, `a=UNKNOWN`},
		{`select * from a where tenant_id = x'61' or tenant_id = 0x61 or tenant_id = 0b01 or tenant_id = b'1'`, `a=UNKNOWN`},
		{`select * from a for system_time as of timestamp '2020-01-01' x where x.tenant_id = 1`, `a/x=1`},
		{`select * from a for system_time between now() and (now()) join b for system_time all where b.tenant_id = 1`, `a b=1`},
		{`select * from a for system_time from '1' to '2' where tenant_id = 1`, `a=1`},
		{`set statement max_statement_time = 1 for select * from a where tenant_id = 'x'`, `a=x`},
		{`set statement sql_mode = 'ANSI_QUOTES' for select * from a where tenant_id = 'x'`, `a=x UNPARSED`},
		{`load data local infile 'f' into table db.a fields terminated by ',' (id, @v) set tenant_id = 'x', n = @v`, `*db.a=x<-x`},
		{`load data infile 'f' replace into table a (id, tenant_id)`, `*a`},
		{`handler a read first where tenant_id = 'x'`, `a=x`},
		{`handler a open`, ``},
		{`create or replace table n as select * from a where tenant_id = 'x'`, `a=x`},
		{`create table n (id int) replace with c as (select * from a where tenant_id = 'x') select * from c`, `a=x`},
		{`create table n (select * from a where tenant_id = 'x')`, `a=x`},
		{`select * from a where data->>'$.tenant_id' = 'x'`, `~a`},
		{`select * from a where json_unquote(json_extract(data, '$.tenant_id')) = 'x'`, `~a`},
		{`select * from a where meta->>'$.org.tenant' = 'x'`, `a=x`},
		{`select * from a where a.meta->'$.org.tenant' = ?`, `a=$1`},
		{`select * from a where json_unquote(json_extract(a.meta, '$.org.tenant')) = 'x'`, `a=x`},
		{`select * from a where json_value(meta, '$.org.tenant') = 'x'`, `a=x`},
		{`select * from a where meta->>'$.org[0].tenant' = 'x'`, `a`},
		{`select * from a where tenant_id = 2 or 0`, `a=2`},
		{`select * from a where tenant_id = 2 and 0`, `!a`},
		{`select * from a where not 1 = 0 or tenant_id = 2`, `~a`},
		{`select * from a where "a" = "b" and tenant_id = 2`, `a=2`},
		{`select * from a force index (i) join b use index for join (j, k) on a.tenant_id = b.tenant_id where b.tenant_id = 1`, `a=1 b=1`},
		{`select * from a straight_join b on a.tenant_id = 1`, `a=1 b`},
		{`select * from 2fa_codes where 2fa_codes.tenant_id = 1`, `2fa_codes=1`},
		{`select * from a partition (p0) x where x.tenant_id = 1 lock in share mode`, `a/x=1`},
		{`insert ignore into a (tenant_id, n) values ('x', 1) on duplicate key update n = values(n)`, `*~a<-x`},
		{`insert into a set tenant_id = 'x', n = 1`, `*a=x<-x`},
		{`insert into a set tenant_id = 'x', n = 1 on duplicate key update n = 2`, `*~a<-x`},
		{`replace into a (tenant_id) value (?)`, `*~a<-$1`},
		{`replace into a set tenant_id = 'x', id = 1`, `*~a<-x`},
		{`insert into a (tenant_id, n) values ('x', 1) as new on duplicate key update tenant_id = new.tenant_id, n = new.n`, `*~a<-x`},
		{`insert into a (tenant_id, n) values ('x', 1) as new (t, m) on duplicate key update tenant_id = new.t`, `*~a<-x`},
		{`insert into a (tenant_id, n) values ('x', 1) on duplicate key update tenant_id = values(tenant_id)`, `*~a<-x`},
		{`insert into a (tenant_id, n) values row('x', 1), row('y', 2) as new on duplicate key update n = new.n`, `*~a<-x|y`},
		{`update a join b on a.tenant_id = b.tenant_id set a.n = 1 where b.tenant_id = 2`, `*a=2 b=2`},
		{`update a, b set b.tenant_id = 5 where a.id = b.id and b.tenant_id = 2`, `a *b=2<-5`},
		{`delete a from a join b on a.tenant_id = b.tenant_id where b.tenant_id = 2`, `*a=2 b=2`},
		{`delete from x, y using a as x join b as y on x.id = y.id where x.tenant_id = 2`, `*a/x=2 *b/y`},
		{`delete from a where tenant_id = 2 order by id limit 5`, `*a=2`},
		{`set @tenant_id = 'x', @@session.sql_mode = ''`, `{@tenant_id:=x} {sql_mode:=}`},
		{`set @a := 1, @tenant_id := ?`, `{@a:=1} {@tenant_id:=$1}`},
		{"set @'Tenant_ID' = 'x', @`tenant_id` = @a", `{@tenant_id:=x} {@tenant_id:=setting:@a}`},
		{`set global sql_mode = 'ANSI', @@global.sql_mode = 'ANSI', @@persist.sql_mode = ''`, ``},
		{`set global a = 1, sql_mode = 'ANSI', session sql_mode = 'DB2', local sql_mode = ''`, `{sql_mode:=DB2} {sql_mode:=}`},
		{`set sql_mode = concat(@@sql_mode, ',ANSI_QUOTES')`, `{sql_mode:=UNKNOWN}`},
		{`select @tenant_id := 'x'`, `{@tenant_id:=x}`},
		{`select 1, @tenant_id := ? as t`, `{@tenant_id:=$1}`},
		{`select @tenant_id := 'x' || 'y'`, `{@tenant_id:=UNKNOWN}`},
		{`select @tenant_id := tenant_id from a where tenant_id = 1`, `a=1 {@tenant_id:=UNKNOWN}`},
		{`select 'x', 1 into @tenant_id, @b`, `{@tenant_id:=x} {@b:=1}`},
		{`select tenant_id into @tenant_id from a where id = 1`, `a {@tenant_id:=UNKNOWN}`},
		{`select tenant_id from a where id = 1 limit 1 into @tenant_id`, `a {@tenant_id:=UNKNOWN}`},
		{`select * from a where tenant_id = @@global.x`, `a=UNKNOWN`},
		{`set @tenant_id = concat('a', 'b')`, `{@tenant_id:=UNKNOWN}`},
		{`set names utf8mb4`, ``},
		{`create table n select * from a where tenant_id = 1`, `a=1`},
	}.run(t, MySQL)
	cases{
		{`select * from a where tenant_id = 2 /*! and x /* y */ */`, `a=UNKNOWN UNPARSED`},
	}.runWhole(t, MySQL)
}

func TestMySQLPrepared(t *testing.T) {
	a := testAnalyzer()
	for _, tc := range []struct {
		sql  string
		want Statement
	}{
		{`prepare p from 'select \'x\' from a'`, Statement{Kind: Prepare, Name: "p", Body: "select 'x' from a"}},
		{`prepare p from @sql`, Statement{Kind: Prepare, Name: "p"}},
		{`use shop`, Statement{Kind: Use, Name: "shop"}},
		{`analyze select 1`, Statement{Kind: Explain, Analyze: true, Body: "select 1"}},
		{`analyze format=json delete from a`, Statement{Kind: Explain, Analyze: true, Body: "delete from a"}},
		{`analyze table a`, Statement{Kind: Other}},
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

func TestSQLMode(t *testing.T) {
	for mode, want := range map[string]Dialect{
		"":                                    MySQL,
		"STRICT_TRANS_TABLES":                 MySQL,
		"ansi_quotes":                         MySQL | ANSIQuotes,
		"REAL_AS_FLOAT, ANSI ,STRICT_ALL":     MySQL | ANSIQuotes,
		"NO_BACKSLASH_ESCAPES":                MySQL | NoBackslashEscapes,
		"ORACLE,NO_BACKSLASH_ESCAPES":         MySQL | ANSIQuotes | NoBackslashEscapes,
		"NO_ANSI_QUOTES,NO_BACKSLASH_ESCAPE_": MySQL,
	} {
		if got := SQLMode(mode); got != want {
			t.Errorf("%q: got %d, want %d", mode, got, want)
		}
	}
	cases{
		{`select * from "a" where "a"."tenant_id" = 'x'`, `a=x`},
		{`select * from a where tenant_id = "x"`, `~a`},
		{`select * from a where tenant_id = 'it\'s'`, `a=it's`},
	}.run(t, MySQL|ANSIQuotes)
	cases{
		{`select * from a where tenant_id = 'x\' and n = '\\'`, `a=x\`},
		{`select * from a where tenant_id = "x\"`, `a=x\`},
	}.run(t, MySQL|NoBackslashEscapes)
}
