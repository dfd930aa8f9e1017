package stream

import (
	"strings"
	"testing"

	"tenantrace/bpf"
	"tenantrace/collector/event"
)

const mysqlClass = bpf.TracerSocketClassCLASS_MYSQL

// mysqlPacket frames a payload.
func mysqlPacket(seq byte, payload string) string {
	return string([]byte{byte(len(payload)), 0, 0, seq}) + payload
}

// Flags of a login: long password, compression, protocol 4.1, TLS, the length of the answer to the challenge in one byte.
const (
	mysqlFlags      = "\x01\x82\x00\x00"
	mysqlTLSFlags   = "\x01\x8a\x00\x00"
	mysqlCompressed = "\x21\x8a\x00\x00"
)

func mysqlGreeting(flags string) string {
	return mysqlPacket(0, "\x0a8.0.36\x00\x07\x00\x00\x00saltsalt\x00"+flags[:2]+"\x2d\x02\x00"+flags[2:]+"\x15"+strings.Repeat("\x00", 10)+"saltsaltsalt\x00mysql_native_password\x00")
}

func mysqlLogin(seq byte, flags string) string {
	return mysqlPacket(seq, flags+"\x00\x00\x00\x01\x2d"+strings.Repeat("\x00", 23)+"app\x00\x00")
}

var (
	mysqlOK    = "\x00\x00\x00\x02\x00\x00\x00"
	mysqlQuery = mysqlPacket(0, "\x03SELECT 1")
)

// plainSides sends pieces over a plain socket, in turn in and out as the first letter says, at the offsets that follow from them.
func (b *bench) plainSides(pieces ...string) {
	var at [2]uint64
	for _, p := range pieces {
		direction := inward
		if p[0] == 'o' {
			direction = out
		}
		b.plain(mysqlClass, direction, at[direction], p[1:], 0)
		at[direction] += uint64(len(p) - 1)
	}
}

func TestMySQL(t *testing.T) {
	greeting := mysqlGreeting(mysqlFlags)
	for _, pieces := range [][]string{
		{"i" + greeting}, {"i" + greeting[:4], "i" + greeting[4:]}, {"i" + greeting[:6], "i" + greeting[6:9], "i" + greeting[9:]},
	} {
		b := newBench(t, 0)
		b.plainSides(append(pieces, "o"+mysqlLogin(1, mysqlFlags), "i"+mysqlPacket(2, mysqlOK), "o"+mysqlQuery, "i"+mysqlPacket(1, mysqlOK), "o"+mysqlPacket(0, "\x01"))...)
		b.expect("ConnectionOpened 1 client tls=false late=false", "SessionStarted", "SessionReady", "Statement 1 SELECT 1", "Result", "SessionReady", "ConnectionClosed 1")
		if b.Len() != 0 {
			t.Errorf("%d connections left after the goodbye", b.Len())
		}
	}
}

func TestMySQLFoundLate(t *testing.T) {
	b := newBench(t, 0)
	b.plain(mysqlClass, out, 0, mysqlQuery, 0)
	b.plain(mysqlClass, inward, 0, mysqlPacket(1, mysqlOK), 0)
	b.expect("ConnectionOpened 1 client tls=false late=true", "SessionStarted", "Statement 1 SELECT 1", "Result", "SessionReady")
	b = newBench(t, 0)
	b.plain(mysqlClass, out, 0, mysqlQuery[:9], len(mysqlQuery)-9)
	b.plain(mysqlClass, inward, 0, mysqlPacket(1, mysqlOK), 0)
	b.expect("ConnectionOpened 1 client tls=false late=true", "SessionStarted", "Statement 1 SELE", "Result", "SessionReady")
	// Found in the middle of an answer: the first command may not be tied to its answer, the second is.
	b = newBench(t, 0)
	b.plain(mysqlClass, out, 0, mysqlQuery, 0)
	b.plain(mysqlClass, inward, 900, mysqlPacket(1, mysqlOK), 0)
	b.plain(mysqlClass, out, uint64(len(mysqlQuery)), mysqlQuery, 0)
	b.plain(mysqlClass, inward, 900+uint64(len(mysqlPacket(1, mysqlOK))), mysqlPacket(1, mysqlOK), 0)
	b.expect("ConnectionOpened 1 client tls=false late=true", "SessionStarted", "Statement 1 SELECT 1", "SessionDesync", "Result", "Statement 1 SELECT 1", "Result", "SessionReady")
}

// TestMySQLOverTLS has the plain beginning on the socket, and the rest in the library's calls. The client asks for compression, which the server has not got.
func TestMySQLOverTLS(t *testing.T) {
	b := newBench(t, 0)
	b.plainSides("i"+mysqlGreeting(mysqlTLSFlags), "o"+mysqlPacket(1, mysqlTLSFlags+"\x00\x00\x00\x01\x2d"+strings.Repeat("\x00", 23)))
	b.expect("ConnectionOpened 1 client tls=false late=false")
	login := mysqlLogin(2, mysqlCompressed)
	b.tls(77, 1, 0, out, 0, login)
	b.tls(77, 1, 0, inward, 0, mysqlPacket(3, mysqlOK))
	b.tls(77, 1, 0, out, uint64(len(login)), mysqlQuery)
	b.tls(77, 1, 0, inward, 11, mysqlPacket(1, mysqlOK))
	b.expect("ConnectionOpened 2 client tls=true late=false", "SessionStarted", "SessionReady", "Statement 2 SELECT 1", "Result", "SessionReady")
}

// TestMySQLUnreadable has TLS of a library that is not followed, and compression.
func TestMySQLUnreadable(t *testing.T) {
	for reason, pieces := range map[event.UnreadableReason][]string{
		event.UnreadableTLS: {"i" + mysqlGreeting(mysqlTLSFlags), "o" + mysqlPacket(1, mysqlTLSFlags+"\x00\x00\x00\x01\x2d"+strings.Repeat("\x00", 23)), "o\x16\x03\x01\x00\x05hello",
			"i\x16\x03\x03\x00\x05hello"},
		event.UnreadableCompressed: {"i" + mysqlGreeting(mysqlCompressed), "o" + mysqlLogin(1, "\x21\x82\x00\x00"), "i" + mysqlPacket(2, mysqlOK), "o" + "\x0d\x00\x00\x00\x00\x00\x00" + mysqlQuery,
			"o" + mysqlQuery},
	} {
		b := newBench(t, 0)
		b.plainSides(pieces...)
		var got []event.UnreadableReason
		for _, e := range b.events {
			switch e := e.(type) {
			case *event.SessionUnreadable:
				got = append(got, e.Reason)
			case *event.Statement, *event.SessionDesync:
				t.Errorf("%s: %s", reason, short(e))
			}
		}
		if len(got) != 1 || got[0] != reason {
			t.Errorf("unreadable because of %q, want %q", got, reason)
		}
	}
}

// TestNotMySQL has clients of other protocols on sockets that were taken for MySQL's.
func TestNotMySQL(t *testing.T) {
	b := newBench(t, 0)
	for i := range uint64(sniffTries + 1) {
		b.plain(mysqlClass, out, 10*i, "\x05\x00\x00\x00\x7fabcd ", 0)
	}
	b.expect()
}
