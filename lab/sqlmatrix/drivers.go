package sqlmatrix

import (
	"context"
	"embed"
	"slices"
)

//go:embed drivers
var programs embed.FS

// Engines, as verdict lines name them.
const (
	postgresql = "postgres"
	mysql      = "mysql"
)

// Transports.
const (
	tcp  = "tcp"  // plain, on loopback
	unix = "unix" // unix socket
	tls  = "tls"  // over TCP
)

// Styles of placeholders.
const (
	dollar   = "$"  // $1
	format   = "%s" // %s
	question = "?"
)

// driver is a program with a client library.
type driver struct {
	name       string // of the row
	engine     string
	transports []string
	unreadable map[string]string // transport -> why the daemon cannot read it
	style      string
	server     string   // that is no usual one of the engine; "" the usual one
	ofServer   bool     // what the server sends, as a client of another one, is looked at instead of what the program does
	user       string   // role; "" the usual one
	inline     bool     // values are written into the text by the client: what is bound to others is a literal
	quick      []string // transports of the quick matrix
	files      []string // that must be there to run it
	install    string   // what brings them
	build      func(ctx context.Context, y *yard) error
	command    func(y *yard) []string // executable, by its path, and arguments
	env        []string
}

// yard is where programs run.
type yard struct {
	drivers string // directory with a copy of the folder drivers
	build   string // directory for what is compiled
	cache   string // directory of what is fetched once, which stays
}

// drivers are all drivers, in the table's order.
func drivers() []driver {
	var all []driver
	for _, group := range [][]driver{pythonDrivers(), cDrivers(), languageDrivers()} {
		all = append(all, group...)
	}
	return slices.Concat(all, pooledDrivers(all), mysqlDrivers(all))
}
