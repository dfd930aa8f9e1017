package tenantsql

import (
	"reflect"
	"testing"
)

func TestSettings(t *testing.T) {
	cases{
		{`set app.tenant_id = 'acme'`, `{app.tenant_id:=acme}`},
		{`SET SESSION app.tenant_id TO acme`, `{app.tenant_id:=acme}`},
		{`set local app.tenant_id = 42`, `{local app.tenant_id:=42}`},
		{`set local app.tenant_id = -42`, `{local app.tenant_id:=-42}`},
		{`set "app".tenant_id = E'a\'b'`, `{app.tenant_id:=a'b}`},
		{`set "app.tenant_id" = 'x'`, `{app.tenant_id:=x}`},
		{`set app.current_tenant = "X"`, `{app.current_tenant:=X}`},
		{`set app.tenant_id to default`, `{app.tenant_id:=DEFAULT}`},
		{`set app.tenant_id = 'a', 'b'`, `{app.tenant_id:=UNKNOWN}`},
		{`set app.other = 'x'`, ``},
		{`set role tenant_a`, `{role:=tenant_a}`},
		{`set local role "Tenant A"`, `{local role:=Tenant A}`},
		{`set role 'x'`, `{role:=x}`},
		{`set role = x`, `{role:=x}`},
		{`set role none`, `{role:=DEFAULT}`},
		{`set session authorization 'x'`, `{role:=x}`},
		{`set session authorization default`, `{role:=DEFAULT}`},
		{`set session characteristics as transaction read only`, ``},
		{`set transaction isolation level serializable`, ``},
		{`set search_path = 't1','public'`, `{search_path:=t1, public}`},
		{`set search_path to T1, "$user", "a b"`, `{search_path:=t1, "$user", "a b"}`},
		{`set local search_path to default`, `{local search_path:=DEFAULT}`},
		{`set schema 't1'`, `{search_path:=t1}`},
		{`reset app.tenant_id`, `{app.tenant_id:=DEFAULT}`},
		{`reset all`, `{*:=DEFAULT}`},
		{`reset role`, `{role:=DEFAULT}`},
		{`reset session authorization`, `{role:=DEFAULT}`},
		{`reset timezone`, ``},
		{`discard all`, `{role:=DEFAULT} {*:=DEFAULT}`},
		{`discard plans`, ``},
		{`select set_config('app.tenant_id', 'acme', true)`, `{local app.tenant_id:=acme}`},
		{`select set_config('app.tenant_id', $1, false) as x, set_config('role', 'r', 't'), 1`, `{app.tenant_id:=$1} {local role:=r}`},
		{`select pg_catalog.set_config('App.Tenant_ID'::text, $1::text, false)`, `{app.tenant_id:=$1}`},
		{`select set_config('app.tenant_id', $1, $2)`, `{app.tenant_id:=UNKNOWN} {local app.tenant_id:=$1}`},
		{`select set_config('app.tenant_id', null, false)`, `{app.tenant_id:=DEFAULT}`},
		{`select set_config('app.tenant_id', '', false)`, `{app.tenant_id:=}`},
		{`select set_config('app.tenant_id', (select 'x'), false)`, `{app.tenant_id:=UNKNOWN}`},
		{`select set_config('app.tenant_id', 'a' || 'b', true)`, `{local app.tenant_id:=UNKNOWN}`},
		{`select set_config('role', 'none', false)`, `{role:=DEFAULT}`},
		{`select set_config('x.y', 'z', false)`, ``},
		{`select case when true then set_config('app.tenant_id', 'x', true) end`, `{local app.tenant_id:=UNKNOWN}`},
		{`select set_config('app.tenant_id', t.tenant_id, true) from t where t.id = 1`, `t {local app.tenant_id:=UNKNOWN}`},
		{`select set_config('app.tenant_id', 'x', true) where false`, `{local app.tenant_id:=UNKNOWN}`},
		{`select * from set_config('app.tenant_id', 'x', true)`, `{local app.tenant_id:=UNKNOWN}`},
		{`with x as (select set_config('app.tenant_id', 'x', true)) select 1`, `{local app.tenant_id:=UNKNOWN}`},
	}.run(t, PostgreSQL)
}

func TestKinds(t *testing.T) {
	a := testAnalyzer()
	for _, tc := range []struct {
		sql  string
		want Statement // without Shape
	}{
		{``, Statement{}},
		{` -- nothing`, Statement{}},
		{`;`, Statement{}},
		{`begin`, Statement{Kind: Begin}},
		{`BEGIN ISOLATION LEVEL SERIALIZABLE`, Statement{Kind: Begin}},
		{`start transaction read only`, Statement{Kind: Begin}},
		{`start slave`, Statement{Kind: Other}},
		{`commit`, Statement{Kind: Commit}},
		{`END`, Statement{Kind: Commit}},
		{`commit prepared 'x'`, Statement{Kind: Other}},
		{`prepare transaction 'x'`, Statement{Kind: Other}},
		{`rollback`, Statement{Kind: Rollback}},
		{`abort work`, Statement{Kind: Rollback}},
		{`rollback prepared 'x'`, Statement{Kind: Other}},
		{`savepoint S1`, Statement{Kind: Savepoint, Name: "s1"}},
		{`rollback to "S1"`, Statement{Kind: RollbackTo, Name: "S1"}},
		{`rollback transaction to savepoint s1`, Statement{Kind: RollbackTo, Name: "s1"}},
		{`release savepoint s1`, Statement{Kind: Release, Name: "s1"}},
		{`release s1`, Statement{Kind: Release, Name: "s1"}},
		{`prepare p (int, numeric(3, 1)) as select $1 from a;`, Statement{Kind: Prepare, Name: "p", Body: "select $1 from a"}},
		{`execute p ('x', $1, 5)`, Statement{Kind: Execute, Name: "p", Args: []Value{{Text: "x"}, {Kind: Param, Index: 1}, {Text: "5"}}}},
		{`execute p`, Statement{Kind: Execute, Name: "p"}},
		{`deallocate prepare p`, Statement{Kind: Deallocate, Name: "p"}},
		{`deallocate all`, Statement{Kind: Deallocate}},
		{`declare "c" no scroll cursor with hold for select 1 /* x */ from a`, Statement{Kind: Declare, Name: "c", Body: "select 1 /* x */ from a"}},
		{`fetch forward 10 from "c"`, Statement{Kind: Fetch, Name: "c"}},
		{`fetch c`, Statement{Kind: Fetch, Name: "c"}},
		{`explain select 1`, Statement{Kind: Explain, Body: "select 1"}},
		{`explain analyze verbose delete from a`, Statement{Kind: Explain, Analyze: true, Body: "delete from a"}},
		{`explain (verbose, analyze, format json) (select 1)`, Statement{Kind: Explain, Analyze: true, Body: "(select 1)"}},
		{`explain (analyze false) select 1`, Statement{Kind: Explain, Body: "select 1"}},
		{`explain (select 1)`, Statement{Kind: Explain, Body: "(select 1)"}},
		{`show all`, Statement{Kind: Show}},
		{`vacuum a`, Statement{Kind: Other}},
		{`close c`, Statement{Kind: Other}},
		{`notify x, 'y'`, Statement{Kind: Other}},
		{`select 1; select 2`, Statement{Kind: Select, Unparsed: true}},
		{`select (1`, Statement{Kind: Select, Unparsed: true}},
		{`select 1)`, Statement{Kind: Select, Unparsed: true}},
	} {
		got := a.Analyze(PostgreSQL, tc.sql, false)
		got.Shape = ""
		if !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s\n got: %+v\nwant: %+v", tc.sql, got, tc.want)
		}
	}
}
