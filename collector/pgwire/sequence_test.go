package pgwire

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"tenantrace/collector/event"
)

type (
	parse    = pgproto3.Parse
	bind     = pgproto3.Bind
	describe = pgproto3.Describe
	execute  = pgproto3.Execute
	closing  = pgproto3.Close
	syncing  = pgproto3.Sync
	query    = pgproto3.Query
)

// sequence is a conversation after the start-up, and the events that it must give.
type sequence struct {
	name  string
	steps func(t testing.TB) []step
	want  []string
}

func bytesOf(values ...string) [][]byte {
	var out [][]byte
	for _, v := range values {
		if v == "NULL" {
			out = append(out, nil)
		} else {
			out = append(out, []byte(v))
		}
	}
	return out
}

var sequences = []sequence{
	{"simple", func(t testing.TB) []step {
		return []step{
			client(t, &query{String: "SELECT id, tenant_id FROM t"}),
			server(t, fields(field("id", 9, 1, oidInt4, 0), field("tenant_id", 9, 2, oidText, 0)), row("1", "acme"), row("2", "beta"), row("3", "acme"), row("4", "NULL"), tag("SELECT 4"), ready('I')),
		}
	}, []string{
		`statement 1 simple "SELECT id, tenant_id FROM t"`,
		`result 1/0 tenant_id (acme) (beta) (NULL) count=4 "SELECT 4"`,
		`result 1/1 none last`, `ready I`,
	}},
	{"simple, several statements, empty, error", func(t testing.TB) []step {
		return []step{
			client(t, &query{String: "BEGIN; SELECT 1; UPDATE t SET a = 1"}),
			server(t, tag("BEGIN"), fields(field("?column?", 0, 0, oidInt4, 0)), row("1"), tag("SELECT 1"), fail("42501"), ready('E')),
			client(t, &query{String: ""}),
			server(t, &pgproto3.EmptyQueryResponse{}, ready('E')),
		}
	}, []string{
		`statement 1 simple "BEGIN; SELECT 1; UPDATE t SET a = 1"`,
		`result 1/0 "BEGIN"`, `result 1/1 count=1 "SELECT 1"`, `result 1/2 error=42501`, `result 1/3 none last`, `ready E`,
		`statement 2 simple ""`, `result 2/0 empty`, `result 2/1 none last`, `ready E`,
	}},
	{"two writes before the first answer", func(t testing.TB) []step {
		return []step{
			client(t, &query{String: "A"}, &query{String: "B"}),
			server(t, tag("A 1"), ready('I'), tag("B 1"), ready('I')),
		}
	}, []string{
		`statement 1 simple "A"`, `statement 2 simple "B"`,
		`result 1/0 "A 1"`, `result 1/1 none last`, `ready I`, `result 2/0 "B 1"`, `result 2/1 none last`, `ready I`,
	}},
	{"extended, unnamed, binary result by Bind, described portal", func(t testing.TB) []step {
		return []step{
			client(t, &parse{Query: "SELECT tenant_id FROM t WHERE id = $1", ParameterOIDs: []uint32{oidInt8}},
				&bind{ParameterFormatCodes: []int16{1}, Parameters: [][]byte{{0, 0, 0, 0, 0, 0, 1, 2}}, ResultFormatCodes: []int16{1}},
				&describe{ObjectType: 'P'}, &execute{}, &syncing{}),
			server(t, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, fields(field("tenant_id", 9, 2, oidInt4, 1)), row("\x00\x00\x00\x2a"), tag("SELECT 1"), ready('I')),
		}
	}, []string{
		`statement 1 "SELECT tenant_id FROM t WHERE id = $1" $1:20=258`,
		`result 1/0 tenant_id (42) count=1 "SELECT 1" last`, `ready I`,
	}},
	{"prepared once, executed twice, parameter types and columns by Describe", func(t testing.TB) []step {
		execution := []pgproto3.FrontendMessage{
			&bind{PreparedStatement: "s1", ParameterFormatCodes: []int16{1, 0}, Parameters: bytesOf("\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff\x00", "NULL"), ResultFormatCodes: []int16{0, 1}},
			&execute{}, &syncing{},
		}
		return []step{
			client(t, &parse{Name: "s1", Query: "SELECT id, org FROM t WHERE org = $1"}, &describe{ObjectType: 'S', Name: "s1"}, &syncing{}),
			server(t, &pgproto3.ParseComplete{}, &pgproto3.ParameterDescription{ParameterOIDs: []uint32{oidUUID, oidText}},
				fields(field("id", 9, 1, oidInt4, 0), field("org", 9, 2, oidUUID, 0)), ready('I')),
			client(t, execution...),
			server(t, &pgproto3.BindComplete{}, row("1", "\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff\x00"), tag("SELECT 1"), ready('T')),
			client(t, execution...),
			server(t, &pgproto3.BindComplete{}, tag("SELECT 0"), ready('T')),
		}
	}, []string{
		`ready I`,
		`statement 1 "SELECT id, org FROM t WHERE org = $1" $1:2950=11223344-5566-7788-99aa-bbccddeeff00 $2:25=NULL`,
		`result 1/0 org (11223344-5566-7788-99aa-bbccddeeff00) count=1 "SELECT 1" last`, `ready T`,
		`statement 2 "SELECT id, org FROM t WHERE org = $1" $1:2950=11223344-5566-7788-99aa-bbccddeeff00 $2:25=NULL`,
		`result 2/0 org "SELECT 0" last`, `ready T`,
	}},
	{"described by its first portal only, as pgjdbc does", func(t testing.TB) []step {
		ask := func(first string, format int16) step {
			return client(t, &bind{PreparedStatement: first, ResultFormatCodes: []int16{format}}, &execute{}, &syncing{})
		}
		begin := func(name, text string) []step {
			return []step{
				client(t, &parse{Name: name, Query: text}, &bind{PreparedStatement: name}, &describe{ObjectType: 'P'}, &execute{}, &syncing{}),
				server(t, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, fields(field("tenant_id", 9, 2, oidInt4, 0)), row("42"), tag("SELECT 1"), ready('T')),
			}
		}
		binary := server(t, &pgproto3.BindComplete{}, row("\x00\x00\x00\x07"), tag("SELECT 1"), ready('T'))
		return append(append(append(begin("s", "SELECT tenant_id FROM t"), ask("s", 1), binary), begin("f", "/* rows of a cursor */ FETCH c")...), ask("f", 1), binary)
	}, []string{
		`statement 1 "SELECT tenant_id FROM t"`, `result 1/0 tenant_id (42) count=1 "SELECT 1" last`, `ready T`,
		`statement 2 "SELECT tenant_id FROM t"`, `result 2/0 tenant_id (7) count=1 "SELECT 1" last`, `ready T`,
		`statement 3 "/* rows of a cursor */ FETCH c"`, `result 3/0 tenant_id (42) count=1 "SELECT 1" last`, `ready T`,
		`statement 4 "/* rows of a cursor */ FETCH c"`, `result 4/0 count=1 rowscut "SELECT 1" last`, `ready T`, // it may be another cursor
	}},
	{"values that cannot be read", func(t testing.TB) []step {
		long := strings.Repeat("x", maxValue+1)
		return []step{
			client(t, &parse{Query: "Q", ParameterOIDs: []uint32{0, 1700, oidText}},
				&bind{ParameterFormatCodes: []int16{1, 1, 0, 0}, Parameters: bytesOf("\x00\x00\x00\x01", "\x00\x01", long, "7"), ResultFormatCodes: []int16{1}},
				&describe{ObjectType: 'P'}, &execute{}, &syncing{}),
			server(t, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, fields(field("tenant_id", 0, 0, 1700, 1)), row("\x00\x01"), tag("SELECT 1"), ready('I')),
		}
	}, []string{
		`statement 1 "Q" $1:0=? $2:1700=? $3:25=? $4:0=7`,
		`result 1/0 tenant_id count=1 rowscut "SELECT 1" last`, `ready I`,
	}},
	{"portal suspended and resumed", func(t testing.TB) []step {
		return []step{
			client(t, &parse{Query: "SELECT tenant_id FROM t"}, &bind{DestinationPortal: "p"}, &describe{ObjectType: 'P', Name: "p"}, &execute{Portal: "p", MaxRows: 1}, &pgproto3.Flush{}),
			server(t, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, fields(field("tenant_id", 9, 2, oidText, 0)), row("acme"), &pgproto3.PortalSuspended{}),
			client(t, &parse{Query: "other"}, &execute{Portal: "p"}, &closing{ObjectType: 'P', Name: "p"}, &syncing{}),
			server(t, &pgproto3.ParseComplete{}, row("beta"), tag("SELECT 1"), &pgproto3.CloseComplete{}, ready('I')),
		}
	}, []string{
		`statement 1 "SELECT tenant_id FROM t" portal=p`, `result 1/0 tenant_id (acme) count=1 suspend last`,
		`statement 2 "SELECT tenant_id FROM t" resumed portal=p`, `result 2/0 tenant_id (beta) count=1 "SELECT 1" last`, `ready I`,
	}},
	{"error in Bind skips the group, also what comes later, until Sync", func(t testing.TB) []step {
		return []step{
			client(t, &parse{Query: "A"}, &bind{}, &execute{}, &parse{Query: "B"}, &bind{}, &execute{}),
			server(t, &pgproto3.ParseComplete{}, fail("22P02")),
			client(t, &parse{Query: "C"}, &bind{}, &execute{}, &query{String: "D"}, &syncing{}, &parse{Query: "E"}, &bind{}, &execute{}, &syncing{}),
			server(t, ready('I'), &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.NoData{}),
		}
	}, []string{
		`statement 1 "A"`, `statement 2 "B"`, `result 1/0 skipped last`, `result 2/0 skipped last`,
		`statement 3 "" notext`, `result 3/0 skipped last`, `statement 4 simple "D"`, `result 4/0 skipped last`,
		`statement 5 "E"`, `ready I`,
		`desync`, `result 5/0 unseen last`, // the test's server sends NoData that nobody asked for
	}},
	{"error in Execute", func(t testing.TB) []step {
		return []step{
			client(t, &parse{Query: "A"}, &bind{}, &execute{}, &bind{}, &execute{}, &syncing{}, &query{String: "Q"}),
			server(t, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, row("1"), fail("23505"), ready('E'), tag("ROLLBACK"), ready('I')),
		}
	}, []string{
		`statement 1 "A"`, `statement 2 "A"`, `statement 3 simple "Q"`,
		`result 1/0 count=1 rowscut error=23505 last`, `result 2/0 skipped last`, `ready E`,
		`result 3/0 "ROLLBACK"`, `result 3/1 none last`, `ready I`,
	}},
	{"error of Sync discards nothing", func(t testing.TB) []step {
		return []step{
			client(t, &parse{Query: "A"}, &bind{}, &execute{}, &syncing{}, &parse{Query: "B"}, &bind{}, &execute{}, &syncing{}),
			server(t, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, tag("INSERT 0 1"), fail("23503"), ready('I'),
				&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, tag("INSERT 0 2"), ready('I')),
		}
	}, []string{
		`statement 1 "A"`, `statement 2 "B"`, `result 1/0 "INSERT 0 1" last`, `ready I`, `result 2/0 "INSERT 0 2" last`, `ready I`,
	}},
	{"a name that is taken keeps its first text", func(t testing.TB) []step {
		return []step{
			client(t, &parse{Name: "s", Query: "A"}, &syncing{}),
			server(t, &pgproto3.ParseComplete{}, ready('I')),
			client(t, &parse{Name: "s", Query: "B"}, &bind{PreparedStatement: "s"}, &execute{}, &syncing{}),
			server(t, fail("42P05"), ready('I')),
			client(t, &bind{PreparedStatement: "s"}, &execute{}, &syncing{}),
			server(t, &pgproto3.BindComplete{}, tag("SELECT 0"), ready('I')),
		}
	}, []string{
		`ready I`, `statement 1 "B"`, `result 1/0 skipped last`, `ready I`, `statement 2 "A"`, `result 2/0 "SELECT 0" last`, `ready I`,
	}},
	{"statements closed, never seen, or doubtful after PREPARE have no text", func(t testing.TB) []step {
		run := []pgproto3.FrontendMessage{&bind{PreparedStatement: "s"}, &execute{}, &syncing{}}
		done := server(t, &pgproto3.BindComplete{}, row("1"), tag("SELECT 1"), ready('I'))
		return []step{
			client(t, run...), done,
			client(t, &parse{Name: "s", Query: "A"}, &closing{ObjectType: 'S', Name: "s"}, &syncing{}),
			server(t, &pgproto3.ParseComplete{}, &pgproto3.CloseComplete{}, ready('I')),
			client(t, run...), done,
			client(t, &closing{ObjectType: 'S', Name: "s"}, &parse{Name: "s", Query: "A"}, &syncing{}),
			server(t, &pgproto3.CloseComplete{}, &pgproto3.ParseComplete{}, ready('I')),
			client(t, &query{String: "DEALLOCATE s; PREPARE s AS SELECT 1"}),
			server(t, tag("DEALLOCATE"), tag("PREPARE"), ready('I')),
			client(t, run...), done,
		}
	}, []string{
		`statement 1 "" notext`, `result 1/0 count=1 rowscut "SELECT 1" last`, `ready I`, `ready I`,
		`statement 2 "" notext`, `result 2/0 count=1 rowscut "SELECT 1" last`, `ready I`, `ready I`,
		`statement 3 simple "DEALLOCATE s; PREPARE s AS SELECT 1"`, `result 3/0 "DEALLOCATE"`, `result 3/1 "PREPARE"`, `result 3/2 none last`, `ready I`,
		`statement 4 "" notext`, `result 4/0 count=1 rowscut "SELECT 1" last`, `ready I`,
	}},
	{"a portal that SQL declared, described", func(t testing.TB) []step {
		return []step{
			client(t, &describe{ObjectType: 'P', Name: "c"}, &execute{Portal: "c"}, &syncing{}),
			server(t, fields(field("tenant_id", 9, 2, oidInt2, 1)), row("\x00\x07"), tag("FETCH 1"), ready('T')),
		}
	}, []string{
		`statement 1 "" notext portal=c`, `result 1/0 tenant_id (7) count=1 "FETCH 1" last`, `ready T`,
	}},
	{"a portal whose name SQL gave to another one", func(t testing.TB) []step {
		return []step{
			client(t, &parse{Query: "A"}, &bind{DestinationPortal: "c"}, &execute{Portal: "c", MaxRows: 1}, &pgproto3.Flush{}),
			server(t, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, row("1"), &pgproto3.PortalSuspended{}),
			client(t, &query{String: "CLOSE c; DECLARE c CURSOR FOR B"}), server(t, tag("CLOSE CURSOR"), tag("DECLARE CURSOR"), ready('T')),
			client(t, &execute{Portal: "c"}, &syncing{}), server(t, row("2"), tag("FETCH 1"), ready('T')),
		}
	}, []string{
		`statement 1 "A" portal=c`, `result 1/0 count=1 rowscut suspend last`,
		`statement 2 simple "CLOSE c; DECLARE c CURSOR FOR B"`, `result 2/0 "CLOSE CURSOR"`, `result 2/1 "DECLARE CURSOR"`, `result 2/2 none last`, `ready T`,
		`statement 3 "" notext portal=c`, `result 3/0 count=1 rowscut "FETCH 1" last`, `ready T`,
	}},
	{"portals closed, and ended with their transaction", func(t testing.TB) []step {
		begin := []pgproto3.FrontendMessage{&parse{Query: "A"}, &bind{}, &bind{DestinationPortal: "p"}}
		begun := []pgproto3.BackendMessage{&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.BindComplete{}}
		return []step{
			client(t, append(begin, &closing{ObjectType: 'P'}, &closing{ObjectType: 'P', Name: "p"}, &execute{}, &syncing{})...),
			server(t, append(begun, &pgproto3.CloseComplete{}, &pgproto3.CloseComplete{}, fail("34000"), ready('I'))...),
			client(t, append(begin, &syncing{})...), server(t, append(begun, ready('T'))...),
			client(t, &execute{}, &syncing{}), server(t, tag("A 1"), ready('I')),
			client(t, &execute{}, &syncing{}), server(t, fail("34000"), ready('I')),
			client(t, &execute{Portal: "p"}, &syncing{}), server(t, fail("34000"), ready('I')),
		}
	}, []string{
		`statement 1 "" notext`, `result 1/0 error=34000 last`, `ready I`, `ready T`, `statement 2 "A"`, `result 2/0 "A 1" last`, `ready I`,
		`statement 3 "" notext`, `result 3/0 error=34000 last`, `ready I`, `statement 4 "" notext portal=p`, `result 4/0 error=34000 last`, `ready I`,
	}},
	{"a statement closed before its parameters are described", func(t testing.TB) []step {
		return []step{
			client(t, &parse{Name: "s", Query: "A"}, &describe{ObjectType: 'S', Name: "s"}, &closing{ObjectType: 'S', Name: "s"}, &bind{PreparedStatement: "s"}, &execute{}, &syncing{}),
			server(t, &pgproto3.ParseComplete{}, &pgproto3.ParameterDescription{ParameterOIDs: []uint32{25, 25}}, &pgproto3.NoData{}, &pgproto3.CloseComplete{}, fail("26000"), ready('I')),
		}
	}, []string{`statement 1 "" notext`, `result 1/0 skipped last`, `ready I`}},
	{"the parameters of a statement whose name was not captured", func(t testing.TB) []step {
		return []step{
			raw("D\x00\x00\x00\x08Ss", 2),
			server(t, &pgproto3.ParameterDescription{ParameterOIDs: []uint32{25, 25}}, &pgproto3.NoData{}),
		}
	}, nil},
	{"names that are too long are not remembered", func(t testing.TB) []step {
		long := strings.Repeat("n", maxName+1)
		return []step{
			client(t, &parse{Name: long, Query: "A"}, &bind{PreparedStatement: long}, &execute{}, &bind{DestinationPortal: long}, &parse{Query: "B"}, &execute{Portal: long}, &syncing{}),
		}
	}, []string{
		`statement 1 "" notext`, `statement 2 "" notext portal=` + strings.Repeat("n", 257), `result 1/0 unseen last`, `result 2/0 unseen last`,
	}},
	{"names that were not captured may be any", func(t testing.TB) []step {
		return []step{
			client(t, &parse{Query: "A"}, &bind{}, &parse{Name: "s", Query: "A"}),
			raw("P\x00\x00\x00\x0a", 6), client(t, &execute{}, &bind{}, &execute{}, &bind{PreparedStatement: "s"}, &execute{}),
			client(t, &parse{Query: "B"}, &bind{}),
			raw("B\x00\x00\x00\x0c", 8), client(t, &execute{}),
			raw("E\x00\x00\x00\x09", 5), raw("C\x00\x00\x00\x06", 2),
		}
	}, []string{
		`statement 1 "A"`, `statement 2 "" notext`, `statement 3 "" notext`, `statement 4 "" notext`, `statement 5 "" notext`,
		`result 1/0 unseen last`, `result 2/0 unseen last`, `result 3/0 unseen last`, `result 4/0 unseen last`, `result 5/0 unseen last`,
	}},
	{"copy in, simple", func(t testing.TB) []step {
		return []step{
			client(t, &query{String: "COPY t FROM STDIN; SELECT 1"}),
			server(t, &pgproto3.CopyInResponse{ColumnFormatCodes: []uint16{0}}),
			client(t, &pgproto3.CopyData{Data: []byte("Q\x00\x00\x00\x06a\n")}, &pgproto3.CopyDone{}),
			server(t, tag("COPY 1"), tag("SELECT 0"), ready('I')),
		}
	}, []string{
		`statement 1 simple "COPY t FROM STDIN; SELECT 1"`, `result 1/0 rowscut copy=in "COPY 1"`, `result 1/1 "SELECT 0"`, `result 1/2 none last`, `ready I`,
	}},
	{"copy in, extended: the Sync sent before CopyDone is ignored", func(t testing.TB) []step {
		return []step{
			client(t, &parse{Query: "COPY t FROM STDIN"}, &bind{}, &execute{}, &syncing{}),
			server(t, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.CopyInResponse{}),
			client(t, &pgproto3.CopyData{Data: []byte("a\n")}, &syncing{}, &pgproto3.CopyDone{}, &syncing{}),
			server(t, tag("COPY 1"), ready('I')),
			client(t, &parse{Query: "COPY u FROM STDIN"}, &bind{}, &execute{}, &syncing{}, &pgproto3.CopyFail{Message: "no"}, &syncing{}),
			server(t, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.CopyInResponse{}, fail("57014"), ready('I')),
			client(t, &query{String: "Q"}),
			server(t, tag("Q"), ready('I')),
		}
	}, []string{
		`statement 1 "COPY t FROM STDIN"`, `result 1/0 rowscut copy=in "COPY 1" last`, `ready I`,
		`statement 2 "COPY u FROM STDIN"`, `result 2/0 rowscut copy=in error=57014 last`, `ready I`,
		`statement 3 simple "Q"`, `result 3/0 "Q"`, `result 3/1 none last`, `ready I`,
	}},
	{"copy out", func(t testing.TB) []step {
		return []step{
			client(t, &query{String: "COPY t TO STDOUT"}),
			server(t, &pgproto3.CopyOutResponse{}, &pgproto3.CopyData{Data: []byte("Z\x00\x00\x00\x05I")}, &pgproto3.CopyDone{}, tag("COPY 1"), ready('I')),
		}
	}, []string{`statement 1 simple "COPY t TO STDOUT"`, `result 1/0 rowscut copy=query "COPY 1"`, `result 1/1 none last`, `ready I`}},
	{"function call, notices, notifications, settings", func(t testing.TB) []step {
		return []step{
			client(t, &pgproto3.FunctionCall{Function: 952}),
			server(t, &pgproto3.NoticeResponse{Severity: "NOTICE", Code: "00000"}, &pgproto3.FunctionCallResponse{}, ready('I')),
			client(t, &pgproto3.FunctionCall{Function: 953}),
			server(t, fail("42883"), ready('I')),
			server(t, &pgproto3.NotificationResponse{PID: 1, Channel: "c", Payload: "p"}),
			client(t, &query{String: "SET x"}),
			server(t, tag("SET"), &pgproto3.ParameterStatus{Name: "TimeZone", Value: "UTC"}, ready('I')),
			client(t, &pgproto3.Terminate{}),
		}
	}, []string{`ready I`, `ready I`, `statement 1 simple "SET x"`, `result 1/0 "SET"`, `setting timezone=UTC`, `result 1/1 none last`, `ready I`}},
	{"terminated by the administrator", func(t testing.TB) []step {
		return []step{
			client(t, &parse{Query: "A"}, &bind{}, &execute{}, &parse{Query: "B"}, &bind{}, &execute{}, &syncing{}),
			server(t, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "57P01"}),
		}
	}, []string{`statement 1 "A"`, `statement 2 "B"`, `result 1/0 error=57P01 last`, `result 2/0 unseen last`}},
	{"in flight at the end", func(t testing.TB) []step {
		return []step{
			client(t, &query{String: "A"}),
			server(t, tag("X"), fields(field("org", 0, 0, oidText, 0)), row("acme")),
			client(t, &query{String: "B"}),
		}
	}, []string{
		`statement 1 simple "A"`, `result 1/0 "X"`, `statement 2 simple "B"`,
		`result 1/1 org (acme) count=1 unseen last`, `result 2/0 unseen last`,
	}},
	{"gaps inside bodies", func(t testing.TB) []step {
		return []step{
			client(t, &query{String: "SELECT tenant_id FROM t WHERE a = 1"}).cut(7),
			server(t, fields(field("a", 0, 0, oidText, 0), field("tenant_id", 0, 0, oidText, 0), field("b", 0, 0, oidText, 0)), row("x", "acme", "long")).cut(4),
			server(t, row("y", "beta", "long")).cut(12),
			server(t, row("y", "gamma", "long"), tag("SELECT 3"), ready('I')),
			client(t, &parse{Query: "SELECT 1", ParameterOIDs: []uint32{oidText}}).cut(10),
			client(t, &bind{Parameters: bytesOf("acme", "beta")}).cut(6),
			client(t, &execute{}).cut(4),
			client(t, &syncing{}),
			server(t, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, tag("SELECT 1")).cut(2),
			server(t, ready('I')).cut(1),
		}
	}, []string{
		`statement 1 simple "SELECT tenant_id FROM t WHERE" cut`,
		`result 1/0 tenant_id (acme) (gamma) count=3 rowscut "SELECT 3"`, `result 1/1 none last`, `ready I`,
		`statement 2 "SELEC" cut $1:0=acme $2:0=?`, `result 2/0 "SELECT" last`, `ready `,
	}},
	{"a gap that swallows a header, then idle, then the next write", func(t testing.TB) []step {
		return []step{
			client(t, &parse{Name: "s", Query: "A"}, &bind{PreparedStatement: "s"}, &execute{}, &syncing{}).cut(13),
			client(t, &query{String: "not seen: the server is busy"}),
			server(t, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, tag("A"), ready('I'), tag("B"), ready('T'), &pgproto3.NoticeResponse{}),
			client(t, &bind{PreparedStatement: "s"}, &execute{}, &syncing{}),
			server(t, &pgproto3.BindComplete{}, tag("C"), ready('T')),
		}
	}, []string{
		`desync`, `ready T`, `statement 1 "" notext`, `result 1/0 "C" last`, `ready T`,
	}},
	{"a gap of the server that swallows a header", func(t testing.TB) []step {
		return []step{
			client(t, &query{String: "A"}),
			server(t, tag("A"), ready('I')).cut(8),
			client(t, &query{String: "B"}),
			server(t, tag("B"), ready('I')),
			client(t, &query{String: "C"}),
			server(t, tag("C"), ready('I')),
		}
	}, []string{
		`statement 1 simple "A"`, `result 1/0 rowscut unseen last`, `ready `, `statement 2 simple "B"`, `result 2/0 "B"`, `result 2/1 none last`, `ready I`,
		`statement 3 simple "C"`, `result 3/0 "C"`, `result 3/1 none last`, `ready I`,
	}},
	{"implausible bytes", func(t testing.TB) []step {
		return []step{
			client(t, &query{String: "A"}),
			raw("GET / HTTP/1.1\r\n", 0),
			server(t, tag("A"), ready('I')),
			raw("nonsense", 0),
			server(t, ready('I')),
			client(t, &query{String: "B"}),
			rawServer("D\xff\xff\xff\xff", 0),
		}
	}, []string{
		`statement 1 simple "A"`, `desync`, `result 1/0 unseen last`, `ready I`, `statement 2 simple "B"`, `desync`, `result 2/0 unseen last`,
	}},
}

// play runs steps after the start-up and closes the session.
func play(t testing.TB, cfg Config, steps []step) []event.Event {
	t.Helper()
	s, events := fresh(cfg)
	run(s, append(opening(t), steps...))
	if sum := holds(s); sum != s.prepared.held {
		t.Errorf("holds %d bytes, counts %d", sum, s.prepared.held)
	}
	s.Close(event.Header{Time: 1 << 20})
	checkLast(t, *events)
	if s.prepared.held != 0 || s.queue.n != 0 {
		t.Errorf("a closed session holds %d bytes and %d messages", s.prepared.held, s.queue.n)
	}
	return *events
}

func TestSequences(t *testing.T) {
	for _, q := range sequences {
		t.Run(q.name, func(t *testing.T) {
			diff(t, lines(play(t, testConfig(), q.steps(t))), append(slices.Clone(openingLines), q.want...))
		})
	}
}
