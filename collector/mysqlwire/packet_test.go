package mysqlwire

import (
	"encoding/binary"
	"strings"
)

// packet frames a payload: as many packets as it takes.
func packet(seq byte, payload string) string {
	var b strings.Builder
	for {
		n := min(len(payload), maxPayload)
		b.WriteString(string([]byte{byte(n), byte(n >> 8), byte(n >> 16), seq}) + payload[:n])
		seq++
		payload = payload[n:]
		if n < maxPayload {
			return b.String()
		}
	}
}

// packets frames payloads with numbers from seq on.
func packets(seq byte, payloads ...string) string {
	var b strings.Builder
	for _, p := range payloads {
		b.WriteString(packet(seq, p))
		seq += byte(len(p)/maxPayload + 1)
	}
	return b.String()
}

func le(v uint64, size int) string { return string(binary.LittleEndian.AppendUint64(nil, v)[:size]) }

func lenenc(s string) string {
	switch n := len(s); {
	case n < 251:
		return string([]byte{byte(n)}) + s
	case n < 1<<16:
		return "\xfc" + le(uint64(n), 2) + s
	case n < 1<<24:
		return "\xfd" + le(uint64(n), 3) + s
	default:
		return "\xfe" + le(uint64(n), 8) + s
	}
}

// Capabilities of the tests' logins.
const (
	modern = capLongPassword | capConnectWithDB | capProtocol41 | capSecure | capPluginAuth | capAuthLenenc | capSessionTrack
	maria  = modern &^ capLongPassword
)

func greetingOf(caps capabilities) string {
	return packet(0, "\x0a10.11.2-MariaDB\x00"+le(7, 4)+"saltsalt\x00"+le(uint64(caps), 2)+"\x2d"+le(2, 2)+le(uint64(caps>>16), 2)+"\x15"+"\x00\x00\x00\x00\x00\x00"+
		le(uint64(caps>>32), 4)+"saltsaltsalt\x00mysql_native_password\x00")
}

func loginOf(seq byte, caps capabilities) string {
	return packet(seq, le(uint64(caps), 4)+le(1<<24, 4)+"\x2d"+strings.Repeat("\x00", 19)+le(uint64(caps>>32), 4)+"app\x00"+lenenc("secretsecretsecret12")+"shop\x00mysql_native_password\x00")
}

// ok is OK with affected rows and flags.
func ok(affected int, flags status) string {
	return "\x00" + string([]byte{byte(affected), 0}) + le(uint64(flags), 2) + "\x00\x00"
}

// okTracking is OK with what session tracking reports.
func okTracking(flags status, changes string) string {
	return "\x00\x00\x00" + le(uint64(flags|statusStateChanged), 2) + "\x00\x00\x00" + lenenc(changes)
}

func eof(flags status) string { return "\xfe\x00\x00" + le(uint64(flags), 2) }

// okEOF is OK at the end of rows, in the place of EOF.
func okEOF(flags status) string { return "\xfe\x00\x00" + le(uint64(flags), 2) + "\x00\x00" }

func fail(number uint16, state string) string {
	return "\xff" + le(uint64(number), 2) + "#" + state + "no"
}

// def is the definition of a column: table.name, or its alias as well.
func def(table, name, alias string, kind byte, flags uint16, charset uint16) string {
	database := "shop"
	if table == "" {
		database = ""
	}
	return lenenc("def") + lenenc(database) + lenenc(table) + lenenc(table) + lenenc(alias) + lenenc(name) + "\x0c" + le(uint64(charset), 2) + le(64, 4) + string([]byte{kind}) +
		le(uint64(flags), 2) + "\x00\x00\x00"
}

const utf8mb4 = 45

// invoices is the description of a table: id, tenant_id, org.
func invoices() []string {
	return []string{def("invoices", "id", "id", typeLongLong, 0, charsetBinary), def("invoices", "tenant_id", "tenant_id", typeString, 0, utf8mb4), def("invoices", "org", "org", typeString, 0, charsetBinary)}
}

// textRow is a row of the text protocol; "NULL" is NULL.
func textRow(values ...string) string {
	var b strings.Builder
	for _, v := range values {
		if v == "NULL" {
			b.WriteByte(lenencNull)
		} else {
			b.WriteString(lenenc(v))
		}
	}
	return b.String()
}

// binaryRow is a row of the binary protocol: values as they are sent; "NULL" is NULL.
func binaryRow(values ...string) string {
	nulls := make([]byte, (len(values)+7+2)/8)
	var b strings.Builder
	for i, v := range values {
		if v == "NULL" {
			nulls[(i+2)/8] |= 1 << ((i + 2) % 8)
		} else {
			b.WriteString(v)
		}
	}
	return "\x00" + string(nulls) + b.String()
}

// result is a result as text, with the EOFs of old.
func result(flags status, columns []string, rows ...string) []string {
	all := append([]string{string([]byte{byte(len(columns))})}, columns...)
	all = append(append(all, eof(flags&^statusMoreResults)), rows...)
	return append(all, eof(flags))
}

// modernResult is a result whose end is OK and which has no EOF behind the columns.
func modernResult(flags status, columns []string, rows ...string) []string {
	all := append([]string{string([]byte{byte(len(columns))})}, columns...)
	return append(append(all, rows...), okEOF(flags))
}

// preparedAs is the answer to a Prepare.
func preparedAs(id uint32, params int, columns []string, eofs bool) []string {
	all := []string{"\x00" + le(uint64(id), 4) + le(uint64(len(columns)), 2) + le(uint64(params), 2) + "\x00\x00\x00"}
	for range params {
		all = append(all, def("", "", "?", typeString, 0, utf8mb4))
	}
	if params > 0 && eofs {
		all = append(all, eof(0))
	}
	all = append(all, columns...)
	if len(columns) > 0 && eofs {
		all = append(all, eof(0))
	}
	return all
}

// bind is a value in an execution, with its type.
type bind struct {
	kind, flags byte
	value       string
	null        bool
}

func text(v string) bind { return bind{kind: 253, value: lenenc(v)} }
func int64Of(v uint64) bind {
	return bind{kind: typeLongLong, value: le(v, 8)}
}

// executionOf is COM_STMT_EXECUTE.
func executionOf(id uint32, fresh bool, binds ...bind) string {
	b := "\x17" + le(uint64(id), 4) + "\x00" + le(1, 4)
	if len(binds) == 0 {
		return b
	}
	return b + values(fresh, "", binds...)
}

// values are the NULLs, types and values of an execution. Attributes have names.
func values(fresh bool, names string, binds ...bind) string {
	nulls := make([]byte, (len(binds)+7)/8)
	types, data := "", ""
	for i, v := range binds {
		types += string([]byte{v.kind, v.flags})
		if names != "" {
			types += lenenc(names[i : i+1])
		}
		if v.null {
			nulls[i/8] |= 1 << (i % 8)
		} else {
			data += v.value
		}
	}
	if !fresh {
		return string(nulls) + "\x00" + data
	}
	return string(nulls) + "\x01" + types + data
}
