package accuracy

import (
	"fmt"
	"strings"
)

// The servers, in the table's order.
const (
	gunicornSync    = "gunicorn sync"
	gunicornGThread = "gunicorn gthread"
	gunicornGevent  = "gunicorn gevent"
	uvicornAsyncio  = "uvicorn asyncio"
	uvicornUvloop   = "uvicorn uvloop"
	djangoASGI      = "Django ASGI"
	aiohttp         = "aiohttp"
	uWSGI           = "uWSGI"
	puma            = "Puma"
	node            = "Node"
)

// The drivers.
const (
	psycopg2 = "psycopg2"
	asyncpg  = "asyncpg"
	psycopg3 = "psycopg3" // its async side
	pg       = "pg"       // Ruby's and Node's
)

// The pools.
const (
	noPool    = "none"        // a connection for each request
	appPool   = "application" // a few connections that requests take turns with
	pgBouncer = "pgbouncer"   // a connection to PgBouncer for each request, which lends a database session for each transaction
)

// The violations.
const (
	none        = "none"
	independent = "independent" // data of any other tenant
	race        = "race"        // data of the tenant whose request came last, from a variable that all requests share
	stale       = "stale"       // data of the tenant that another request had set in the database session
	background  = "background"  // no violation: a job in the server's process goes through all tenants while requests are served
)

// Cell is a way to run the service, and a load for it.
type Cell struct {
	Server    string `json:"server"`
	Driver    string `json:"driver"`
	TLS       bool   `json:"tls"` // of the database
	Pool      string `json:"pool"`
	InFlight  int    `json:"in_flight"`
	Tenants   int    `json:"tenants"`
	Violation string `json:"violation"`
	Tokens    bool   `json:"tokens,omitempty"` // the server makes an identifier for each request, and puts it into response and statements
	Chaos     string `json:"chaos,omitempty"`  // what goes wrong meanwhile; "" nothing
}

// String names the cell.
func (c Cell) String() string {
	security := "plain"
	if c.TLS {
		security = "TLS"
	}
	name := fmt.Sprintf("%s, %s %s, pool %s, %d in flight, %d tenants, %s", c.Server, c.Driver, security, c.Pool, c.InFlight, c.Tenants, c.Violation)
	if c.Tokens {
		name += ", tokens"
	}
	if c.Chaos != "" {
		name += ", " + c.Chaos
	}
	return name
}

// short is the name in the table's first column.
func (c Cell) short() string {
	parts := []string{c.Server, c.Driver}
	if c.TLS {
		parts = append(parts, "TLS")
	}
	if c.Pool != noPool {
		parts = append(parts, c.Pool)
	}
	parts = append(parts, fmt.Sprintf("%d/%d", c.InFlight, c.Tenants), c.Violation)
	if c.Tokens {
		parts = append(parts, "tokens")
	}
	if c.Chaos != "" {
		parts = append(parts, c.Chaos)
	}
	return strings.Join(parts, ", ")
}
