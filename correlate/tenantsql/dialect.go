package tenantsql

import "strings"

// Dialect selects the rules by which a text is read: those of PostgreSQL, or those of MySQL and MariaDB with the parts of sql_mode that change
// where a literal begins and ends. It is a set of bits: MySQL | ANSIQuotes, PostgreSQL | StandardStrings.
type Dialect uint8

// The dialects.
const (
	PostgreSQL Dialect = 0
	MySQL      Dialect = 1 << (iota - 1) // MariaDB as well
	// ANSIQuotes, with MySQL: "x" is a name, not a string.
	ANSIQuotes
	// NoBackslashEscapes, with MySQL: a backslash in a string is a backslash.
	NoBackslashEscapes
	// StandardStrings, with PostgreSQL: standard_conforming_strings is known to be on. Where it is not, what follows a backslash before a quote can be read in two ways.
	StandardStrings
)

// dialectBits are the bits that have a meaning.
const dialectBits = MySQL | ANSIQuotes | NoBackslashEscapes | StandardStrings

// SQLMode gives the dialect of a MySQL session with that sql_mode, a list of modes with commas between. The combination modes which contain
// ANSI_QUOTES count as it (MySQL reference manual, 7.1.11; MariaDB has more of them).
func SQLMode(mode string) Dialect {
	d := MySQL
	for one := range strings.SplitSeq(mode, ",") {
		switch strings.ToUpper(trim(one)) {
		case "ANSI_QUOTES", "ANSI", "DB2", "MAXDB", "MSSQL", "ORACLE", "POSTGRESQL":
			d |= ANSIQuotes
		case "NO_BACKSLASH_ESCAPES":
			d |= NoBackslashEscapes
		}
	}
	return d
}

func (d Dialect) mysql() bool { return d&MySQL != 0 }
