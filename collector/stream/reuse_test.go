package stream

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"tenantrace/bpf"
)

// encoder is a message of either side.
type encoder interface {
	Encode([]byte) ([]byte, error)
}

func encoded(t *testing.T, messages ...encoder) (b []byte) {
	t.Helper()
	for _, m := range messages {
		var err error
		if b, err = m.Encode(b); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// The reader's buffer is used again for the next record: nothing may be kept of it.
func TestNothingIsKeptOfTheBuffer(t *testing.T) {
	column := pgproto3.FieldDescription{Name: []byte("tenant_id"), TableOID: 9, TableAttributeNumber: 2, DataTypeOID: 25, DataTypeSize: -1, TypeModifier: -1}
	type turn struct {
		ssl       uint64
		direction uint32
		data      []byte
	}
	turns := []turn{
		{8, out, encoded(t, &pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "u", "database": "d"}})},
		{8, inward, encoded(t, &pgproto3.AuthenticationOk{}, &pgproto3.ParameterStatus{Name: "server_version", Value: "15"}, &pgproto3.ReadyForQuery{TxStatus: 'I'})},
	}
	for range 5 {
		turns = append(turns,
			turn{7, inward, []byte("POST /orders?x=1 HTTP/1.1\r\nHost: example.com\r\nX-Request-ID: abcdef\r\nContent-Length: 5\r\n\r\nhello")},
			turn{8, out, encoded(t, &pgproto3.Parse{Name: "s", Query: "SELECT tenant_id FROM orders WHERE tenant_id = $1"},
				&pgproto3.Bind{PreparedStatement: "s", Parameters: [][]byte{[]byte("acme")}}, &pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{}, &pgproto3.Sync{})},
			turn{8, inward, encoded(t, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{column}},
				&pgproto3.DataRow{Values: [][]byte{[]byte("acme")}}, &pgproto3.DataRow{Values: [][]byte{[]byte("beta")}},
				&pgproto3.CommandComplete{CommandTag: []byte("SELECT 2")}, &pgproto3.ReadyForQuery{TxStatus: 'I'})},
			turn{7, out, []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")})
	}
	play := func(seed uint64, reuse bool) *bench {
		b := newBench(t, 0)
		random := rand.New(rand.NewPCG(seed, seed))
		buffer := make([]byte, 4096)
		var offsets [2][2]uint64
		for _, u := range turns {
			flags := bpf.TracerTlsFlags(0)
			if u.ssl == 7 {
				flags = bpf.TracerTlsFlagsTLS_SERVER
			}
			for data := u.data; len(data) > 0; {
				n := 1 + random.IntN(min(len(data), 60))
				piece := data[:n:n]
				if reuse {
					piece = buffer[:copy(buffer, piece)]
				}
				rec := &bpf.TracerTlsDataRecord{Ssl: u.ssl, Flags: uint32(flags), Direction: u.direction, Offset: offsets[u.ssl-7][u.direction], Length: uint32(n)}
				rec.Random[0] = byte(u.ssl)
				b.TLSData(head, rec, piece)
				offsets[u.ssl-7][u.direction] += uint64(n)
				data = data[n:]
				for i := range buffer {
					buffer[i] = '!'
				}
			}
		}
		return b
	}
	for seed := range uint64(500) {
		want, got := play(seed, false), play(seed, true)
		if !reflect.DeepEqual(got.events, want.events) {
			for i := range got.events {
				if i < len(want.events) && !reflect.DeepEqual(got.events[i], want.events[i]) {
					t.Fatalf("seed %d, event %d:\n got %+v\nwant %+v", seed, i, got.events[i], want.events[i])
				}
			}
			t.Fatalf("seed %d: %d events, want %d", seed, len(got.events), len(want.events))
		}
		rows := 0
		for _, e := range want.events {
			if strings.HasPrefix(short(e), "Result") {
				rows++
			}
		}
		if rows != 5 {
			t.Fatalf("seed %d: %d results, want 5", seed, rows)
		}
	}
}
