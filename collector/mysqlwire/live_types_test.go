package mysqlwire

import (
	"fmt"
	"strings"
	"testing"

	"tenantrace/collector/event"
)

// columnTypes are columns of every type, each with a value.
var columnTypes = []struct{ sql, value string }{
	{"TINYINT", "-7"}, {"TINYINT UNSIGNED", "250"}, {"BOOLEAN", "1"}, {"SMALLINT", "-30000"}, {"SMALLINT UNSIGNED", "60000"}, {"MEDIUMINT", "-8000000"}, {"MEDIUMINT UNSIGNED", "16000000"},
	{"INT", "-2000000000"}, {"INT UNSIGNED", "4000000000"}, {"BIGINT", "-9000000000000000000"}, {"BIGINT UNSIGNED", "18000000000000000000"}, {"YEAR", "2024"}, {"BIT(12)", "2731"},
	{"DECIMAL(20,5)", "-123456789012345.00500"}, {"FLOAT", "-1.5"}, {"DOUBLE", "0.1"}, {"DOUBLE", "12345678901"}, {"DATE", "'2024-01-02'"}, {"DATE", "'0000-00-00'"}, {"TIME(6)", "'-25:04:05.000006'"},
	{"TIME", "'100:00:01'"}, {"DATETIME(6)", "'2024-12-31 23:59:58.123456'"}, {"DATETIME", "'2024-01-02 00:00:00'"}, {"TIMESTAMP", "'2024-01-02 03:04:05'"}, {"CHAR(8)", "'ab c'"},
	{"VARCHAR(300)", "REPEAT('v', 255)"}, {"VARCHAR(20)", "''"}, {"VARCHAR(20)", "'M\u00fcller'"}, {"BINARY(16)", "UNHEX('112233445566778899aabbccddeeff00')"}, {"VARBINARY(20)", "UNHEX('ff0001')"},
	{"TINYTEXT", "'t'"}, {"TEXT", "'te'"}, {"LONGTEXT", "'tex'"}, {"TINYBLOB", "'b'"}, {"BLOB", "UNHEX('00ff')"}, {"LONGBLOB", "'blo'"}, {"ENUM('a','b')", "'b'"}, {"SET('x','y')", "'x,y'"},
	{"JSON", `'{"a": 1}'`}, {"UUID", "'11223344-5566-7788-99aa-bbccddeeff00'"}, {"INET6", "'2001:db8::1'"}, {"POINT", "ST_GeomFromText('POINT(1 2)')"}, {"INT", "NULL"},
}

// liveTypes reads a value of each type as text and as binary, which must say the same, and sends it back as a parameter, by which the server finds its row.
func liveTypes(t *testing.T, server *liveServer) {
	var create, values []string
	for i, c := range columnTypes {
		create = append(create, fmt.Sprintf("c%d %s", i, c.sql))
		values = append(values, c.value)
	}
	server.admin(t, "SET sql_mode='', time_zone='+00:00'; CREATE TABLE shop.types ("+strings.Join(create, ", ")+") CHARACTER SET utf8mb4; INSERT INTO shop.types VALUES ("+strings.Join(values, ", ")+")")
	c := dialRaw(t, server.socket, plain)
	c.s.cfg.Wanted = func(column string) bool { return strings.HasPrefix(column, "c") }
	c.do("\x03SET time_zone='+00:00', sql_mode=''")
	for i, kind := range columnTypes {
		query := fmt.Sprintf("SELECT c%d FROM types", i)
		c.do("\x03" + query)
		asText := c.value()
		c.do("\x16" + query)
		c.do(executionOf(c.lastPrepared(), false))
		last := c.calls[len(c.calls)-1].data
		asBinary := c.value()
		if asText != asBinary || asText == "unknown" {
			t.Errorf("%s %s: as text %s, as binary %s", kind.sql, kind.value, asText, asBinary)
		}
		if asText == "NULL" {
			continue
		}
		raw, code, flags := lastRow(t, last)
		if kind.sql == "FLOAT" || kind.sql == "POINT" || !sendable(code) {
			continue // the server compares them with nothing that is sent
		}
		c.do(fmt.Sprintf("\x16SELECT COUNT(*) AS c FROM types WHERE c%d = ?", i))
		c.do(executionOf(c.lastPrepared(), true, bind{kind: code, flags: flags, value: raw}))
		for _, e := range c.events[len(c.events)-3:] {
			if s, ok := e.(*event.Statement); ok && (len(s.Params) != 1 || !s.Params[0].Known || s.Params[0].Value != asText) {
				// A string is sent without a word on whether it is text.
				if !strings.HasPrefix(kind.sql, "VARBINARY") {
					t.Errorf("%s %s: parameter %+v, want %s", kind.sql, kind.value, s.Params, asText)
				}
			}
		}
		if found := c.value(); found != "1" {
			t.Errorf("%s %s: the server finds %s rows by the parameter", kind.sql, kind.value, found)
		}
	}
	c.end()
}

// value gives the one value of the last result.
func (c *rawClient) value() string {
	for i := len(c.events) - 1; i >= 0; i-- {
		if r, ok := c.events[i].(*event.Result); ok {
			switch {
			case len(r.Rows) != 1 || r.RowsCut:
				return "unknown"
			case r.Rows[0][0] == nil:
				return "NULL"
			}
			return *r.Rows[0][0]
		}
	}
	return "nothing"
}

// lastRow gives the value of the one row of one column in an answer as binary, and the column's type.
func lastRow(t *testing.T, answer string) (raw string, code, flags byte) {
	t.Helper()
	var all []string
	for len(answer) > 0 {
		n := int(answer[0]) | int(answer[1])<<8 | int(answer[2])<<16
		all = append(all, answer[headerSize:headerSize+n])
		answer = answer[headerSize+n:]
	}
	if len(all) != 5 {
		t.Fatalf("%d packets", len(all))
	}
	d := all[1]
	code = d[len(d)-6]
	if d[len(d)-5]&flagUnsigned != 0 {
		flags = 0x80
	}
	return all[3][2:], code, flags
}
