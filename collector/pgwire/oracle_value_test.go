package pgwire

import (
	"fmt"

	"github.com/jackc/pgx/v5/pgtype"
)

// oracleValue gives the text form of a value as pgx reads it.
func oracleValue(oid uint32, format int16, raw []byte) string {
	if format == 0 && oid != pgtype.UUIDOID {
		return string(raw)
	}
	v, err := decodeBy(oid, format, raw)
	if err != nil {
		return fmt.Sprintf("%v [pgx: %v]", raw, err)
	}
	return v
}

func decodeBy(oid uint32, format int16, raw []byte) (string, error) {
	m := pgtype.NewMap()
	switch oid {
	case pgtype.TextArrayOID, pgtype.VarcharArrayOID, pgtype.Int2ArrayOID, pgtype.Int4ArrayOID, pgtype.Int8ArrayOID, pgtype.UUIDArrayOID, pgtype.NameArrayOID, pgtype.BPCharArrayOID, pgtype.BoolArrayOID:
		var list []pgtype.Text
		if err := m.Scan(oid, format, raw, &list); err != nil {
			return "", err
		}
		out := "{"
		for i, v := range list {
			if i > 0 {
				out += ","
			}
			if !v.Valid {
				out += "NULL"
				continue
			}
			out += `"`
			for _, b := range []byte(v.String) {
				if b == '"' || b == '\\' {
					out += `\`
				}
				out += string([]byte{b})
			}
			out += `"`
		}
		return out + "}", nil
	case pgtype.BoolOID:
		var v bool
		err := m.Scan(oid, format, raw, &v)
		return map[bool]string{true: "t", false: "f"}[v], err
	case oidUnknown, 0:
		return string(raw), nil // text in both formats
	}
	var v pgtype.Text
	err := m.Scan(oid, format, raw, &v)
	return v.String, err
}
