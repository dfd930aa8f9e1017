package pgwire

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// TestProtocol names what a client may say (PostgreSQL documentation, Message Flow), and where each is tested: a sequence, or a case of its own here.
func TestProtocol(t *testing.T) {
	for what, name := range map[string]string{
		"simple query":                                "simple",
		"several statements":                          "simple, several statements, empty, error",
		"pipelined simple queries":                    "two writes before the first answer",
		"unnamed statement and portal":                "extended, unnamed, binary result by Bind, described portal",
		"named statement, Describe of it":             "prepared once, executed twice, parameter types and columns by Describe",
		"partial Execute, Flush, named portal":        "portal suspended and resumed",
		"error in a pipeline, skipped until Sync":     "error in Bind skips the group, also what comes later, until Sync",
		"error in Execute":                            "error in Execute",
		"error of Sync":                               "error of Sync discards nothing",
		"Close of statements":                         "statements closed, never seen, or doubtful after PREPARE have no text",
		"Close of portals":                            "portals closed, and ended with their transaction",
		"portal of DECLARE":                           "a portal that SQL declared, described",
		"COPY in, simple":                             "copy in, simple",
		"COPY in, extended":                           "copy in, extended: the Sync sent before CopyDone is ignored",
		"COPY out":                                    "copy out",
		"FunctionCall, NOTICE, NOTIFY, parameters":    "function call, notices, notifications, settings",
		"end by the administrator":                    "terminated by the administrator",
		"end by the client":                           "in flight at the end",
		"bytes that were not captured":                "gaps inside bodies",
		"messages of the client that were not":        "a gap that swallows a header, then idle, then the next write",
		"messages of the server that were not":        "a gap of the server that swallows a header",
		"names and bodies of which only a part is in": "names that were not captured may be any",
	} {
		if !slices.ContainsFunc(sequences, func(q sequence) bool { return q.name == name }) {
			t.Errorf("%s: no sequence %q", what, name)
		}
	}
	long := slices.Repeat([]byte{7}, 255)
	idle := []string{`started app@shop`, `ready I`}
	start := func(version uint32) step {
		return client(t, &pgproto3.StartupMessage{ProtocolVersion: version, Parameters: map[string]string{"user": "app", "database": "shop"}})
	}
	query1, answer1 := client(t, &query{String: "SELECT 1"}), server(t, tag("SELECT 1"), ready('I'))
	asked := []string{`statement 1 simple "SELECT 1"`, `result 1/0 "SELECT 1"`, `result 1/1 none last`, `ready I`}
	for _, c := range []struct {
		name  string
		steps []step
		want  []string
	}{
		{"protocol 3.0, password", []step{
			start(pgproto3.ProtocolVersion30), server(t, &pgproto3.AuthenticationMD5Password{Salt: [4]byte{1, 2, 3, 4}}), client(t, &pgproto3.PasswordMessage{Password: "md5x"}),
			server(t, &pgproto3.AuthenticationOk{}, &pgproto3.BackendKeyData{SecretKey: []byte{1, 2, 3, 4}}, ready('I')), query1, answer1,
		}, append(slices.Clone(idle), asked...)},
		{"protocol 3.2, a long key", []step{
			start(pgproto3.ProtocolVersion32), server(t, &pgproto3.AuthenticationOk{}, &pgproto3.BackendKeyData{ProcessID: 9, SecretKey: long}, ready('I')), query1, answer1,
		}, append(slices.Clone(idle), asked...)},
		{"a newer protocol, with a parameter that the server does not know", []step{
			start(3<<16 | 9999), server(t, &pgproto3.NegotiateProtocolVersion{NewestMinorProtocol: 2, UnrecognizedOptions: []string{"_pq_.x"}}, &pgproto3.AuthenticationOk{},
				&pgproto3.BackendKeyData{SecretKey: long[:32]}, ready('I')), query1, answer1,
		}, append(slices.Clone(idle), asked...)},
		{"refused", []step{start(pgproto3.ProtocolVersion30), server(t, fail("28P01"))}, idle[:1]},
		{"SCRAM", []step{
			start(pgproto3.ProtocolVersion30), server(t, &pgproto3.AuthenticationSASL{AuthMechanisms: []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"}}),
			client(t, &pgproto3.SASLInitialResponse{AuthMechanism: "SCRAM-SHA-256", Data: []byte("n,,n=,r=x")}), server(t, &pgproto3.AuthenticationSASLContinue{Data: []byte("r=xy")}),
			client(t, &pgproto3.SASLResponse{Data: []byte("c=biws")}), server(t, &pgproto3.AuthenticationSASLFinal{Data: []byte("v=")}, &pgproto3.AuthenticationOk{}, ready('I')), query1, answer1,
		}, append(slices.Clone(idle), asked...)},
		{"GSSENCRequest and SSLRequest refused", []step{
			client(t, &pgproto3.GSSEncRequest{}), rawServer("N", 0), client(t, &pgproto3.SSLRequest{}), rawServer("N", 0), start(pgproto3.ProtocolVersion30),
			server(t, &pgproto3.AuthenticationOk{}, ready('I')), query1, answer1,
		}, append(slices.Clone(idle), asked...)},
		{"cancelled", append(opening(t), query1, server(t, fail("57014"), ready('I'))),
			append(slices.Clone(idle), `statement 1 simple "SELECT 1"`, `result 1/0 error=57014`, `result 1/1 none last`, `ready I`)},
		{"NOTIFY and parameters between and in answers", append(opening(t), server(t, &pgproto3.NotificationResponse{PID: 1, Channel: "c"}), query1,
			server(t, &pgproto3.NotificationResponse{PID: 1, Channel: "c", Payload: "Z\x00"}, &pgproto3.ParameterStatus{Name: "search_path", Value: "a"}, tag("SELECT 1"), &pgproto3.NoticeResponse{Message: "x"}, ready('I'))),
			append(slices.Clone(idle), `statement 1 simple "SELECT 1"`, `setting search_path=a`, `result 1/0 "SELECT 1"`, `result 1/1 none last`, `ready I`)},
		{"large rows", append(opening(t), client(t, &query{String: "SELECT note, tenant_id FROM t"}),
			server(t, fields(field("note", 9, 1, oidText, 0), field("tenant_id", 9, 2, oidText, 0)), row(strings.Repeat("Z\x00\x00\x00\x05I", 200_000), "acme"), tag("SELECT 1"), ready('I'))),
			append(slices.Clone(idle), `statement 1 simple "SELECT note, tenant_id FROM t"`, `result 1/0 tenant_id (acme) count=1 "SELECT 1"`, `result 1/1 none last`, `ready I`)},
		{"COPY both ways (replication)", append(opening(t), client(t, &query{String: "START_REPLICATION 0/0"}), server(t, &pgproto3.CopyBothResponse{}),
			client(t, &pgproto3.CopyData{Data: []byte("r")}), server(t, &pgproto3.CopyData{Data: []byte("w")}), client(t, &pgproto3.CopyDone{}), server(t, &pgproto3.CopyDone{}, tag("START_STREAMING"), ready('I')),
			client(t, &query{String: "SELECT 1"}), answer1),
			append(slices.Clone(idle), `statement 1 simple "START_REPLICATION 0/0"`, `result 1/0 rowscut "START_STREAMING"`, `result 1/1 none last`, `ready I`,
				`statement 2 simple "SELECT 1"`, `result 2/0 "SELECT 1"`, `result 2/1 none last`, `ready I`)},
	} {
		for _, size := range []int{1, 7, 1 << 21} {
			s, events := fresh(testConfig())
			run(s, split(c.steps, func() int { return size }))
			s.Close(tick())
			checkLast(t, *events)
			if got := lines(*events); !slices.Equal(got, c.want) {
				t.Errorf("%s, in pieces of %d:\n\t%s\nwant\n\t%s", c.name, size, strings.Join(got, "\n\t"), strings.Join(c.want, "\n\t"))
			}
		}
	}
	for _, key := range []int{4, 32, 256} {
		s, events := fresh(testConfig())
		b := client(t, &pgproto3.CancelRequest{ProcessID: 1, SecretKey: slices.Repeat([]byte{9}, key)}).data
		if !SniffFrontend(b) {
			t.Errorf("a cancel request with a key of %d bytes is not recognised", key)
		}
		s.Frontend(tick(), b, 0)
		if !s.Ended() || len(*events) > 0 {
			t.Errorf("a cancel request with a key of %d bytes gives %q", key, lines(*events))
		}
	}
}
