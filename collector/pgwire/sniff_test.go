package pgwire

import (
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

func TestSniff(t *testing.T) {
	long := client(t, &query{String: "SELECT 1 -- a text that is longer than what was captured of it"})
	for _, b := range [][]byte{
		opening(t)[0].data,
		client(t, &pgproto3.SSLRequest{}).data,
		client(t, &pgproto3.GSSEncRequest{}).data,
		client(t, &pgproto3.CancelRequest{ProcessID: 1, SecretKey: make([]byte, 32)}).data,
		client(t, &query{String: "SELECT 1"}).data,
		long.data[:20],
		client(t, &parse{Query: "SELECT 1"}, &bind{}, &describe{ObjectType: 'P'}, &execute{}, &syncing{}).data,
		client(t, &bind{PreparedStatement: "s"}, &execute{}, &syncing{}).data,
		client(t, &pgproto3.Terminate{}).data,
	} {
		if !SniffFrontend(b) {
			t.Errorf("client's %q", b)
		}
	}
	for _, b := range [][]byte{
		opening(t)[1].data,
		opening(t)[1].data[:11],
		server(t, fail("28000")).data,
		server(t, &pgproto3.ParameterStatus{Name: "a", Value: "b"}, ready('I')).data,
		server(t, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, row("a"), tag("SELECT 1"), ready('T')).data,
	} {
		if !SniffBackend(b) {
			t.Errorf("server's %q", b)
		}
	}
	for _, b := range []string{
		"", "N", "S", "Q\x00\x00", "GET / HTTP/1.1\r\nHost: a\r\n", "POST /", "PUT / HTTP/1.1", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "DELETE / HTTP/1.1", "HTTP/1.1 200 OK\r\n", "CONNECT a:1 HTTP/1.1",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "\x17\x03\x03\x00\x20aaaaaaaa",
		"\x51\x00\x00\x00\x03SELECT 1",                           // MySQL: COM_QUERY of 81 bytes
		"\x51\x00\x00\x00\x16SELECT a, b, c FROM d WHERE e = ? ", // MySQL: COM_STMT_PREPARE
		"\x01\x00\x00\x01\x01", "\x4a\x00\x00\x00\x0a8.0.36\x00", "*1\r\n$4\r\nPING\r\n", "+OK\r\n", "SSH-2.0-OpenSSH_9.2", "EHLO a\r\n", "\x00\x00\x00\x10\x04\xd2\x16\x30",
		"Z\x00\x00\x00\x05X", "C\x00\x00\x00\x06ab", "E\x00\x00\x00\x06xx",
	} {
		if SniffFrontend([]byte(b)) {
			t.Errorf("client's %q", b)
		}
		if SniffBackend([]byte(b)) {
			t.Errorf("server's %q", b)
		}
	}
}
