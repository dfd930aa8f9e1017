package correlate

import (
	"tenantrace/correlate/bounded"
	"tenantrace/correlate/policy"
)

// databaseKey names a database as a service sees it.
type databaseKey struct{ service, server, name string }

// database is what has been learned of a database's tables.
type database struct {
	owned *bounded.Map[tableName, struct{}] // a tenant column of the table has been seen
	oids  *bounded.Map[uint32, tableName]   // from statements with one table

	catalogue *catalogue
}

// tableName names a table; schema is "" for the default one.
type tableName struct{ schema, name string }

func newTableName(schema, name string) tableName {
	if schema == "public" {
		schema = ""
	}
	return tableName{schema, name}
}

func (t tableName) String() string {
	if t.schema == "" {
		return t.name
	}
	return t.schema + "." + t.name
}

func (e *Engine) database(c *connection) *database {
	key := databaseKey{e.service(c.proc), c.server(), c.db.database}
	d, ok := e.databases.Get(key)
	if !ok {
		d = &database{
			owned: bounded.New(e.limits.Tables, func(tableName, struct{}) { e.metrics.evicted("tables") }),
			oids:  bounded.New[uint32, tableName](e.limits.Tables, nil),

			catalogue: newCatalogue(e.limits.Tables, func() { e.metrics.evicted("tables") }),
		}
		e.databases.Put(key, d)
	}
	return d
}

// class returns what a table is by policy, or by what was seen of it.
func (e *Engine) class(s *session, t tableName) policy.TableClass {
	c := e.rulesOf(s).Table(t.schema, t.name)
	if c == policy.TableUnknown && s.tables.isOwned(t) {
		return policy.TableOwned
	}
	return c
}

func (d *database) isOwned(t tableName) bool {
	_, ok := d.owned.Get(t)
	return ok
}

func (d *database) learn(t tableName) {
	if !d.isOwned(t) {
		d.owned.Put(t, struct{}{})
	}
}

func (d *database) learnOID(oid uint32, t tableName) {
	if known, ok := d.oids.Get(oid); !ok || known != t {
		d.oids.Put(oid, t)
	}
}
