package correlate

import (
	"slices"
	"strings"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/tenantsql"
)

// directory is what was learned of tenants from the application's own look-ups: names as certificates have them, with the ids that other tables
// have. A name that changes hands keeps the ids of all who had it: less is accused, nothing wrongly.
type directory struct {
	limit   int
	n       int
	ids     map[nameKey][]string
	version uint64 // counts what was learned
}

// maxIDs bounds the ids of one name.
const maxIDs = 64

func (d *directory) init(limit int) {
	d.limit = limit
	d.ids = make(map[nameKey][]string)
}

// find returns the ids of a name, which must not be changed.
func (d *directory) find(service, name string) []string { return d.ids[nameKey{service, name}] }

// learn ties a name to an id, and tells whether that is new.
func (d *directory) learn(service, name, id string) bool {
	key := nameKey{service, name}
	ids := d.ids[key]
	if d.n >= d.limit || len(ids) == maxIDs || slices.Contains(ids, id) {
		return false
	}
	d.ids[key] = append(slices.Clip(ids), id)
	d.n++
	d.version++
	return true
}

// learnDirectory takes in the rows of the tenant directory that a statement returned.
func (e *Engine) learnDirectory(u *unit, by *rules, r *reading, result *event.Result) {
	dir := by.Directory
	if dir == nil {
		return
	}
	db := u.session.tables
	var only *tenantsql.Relation // where the columns come from, if it is one table
	if r.does != nil && len(r.does.Relations) == 1 {
		only = &r.does.Relations[0]
	}
	key, id := -1, -1
	for i := range result.Columns {
		c := &result.Columns[i]
		if c.Table == 0 {
			continue
		}
		if only != nil && dir.Is(only.Schema, only.Name) {
			db.learnOID(c.Table, newTableName(only.Schema, only.Name))
		}
		if table, known := db.oids.Get(c.Table); !known || !dir.Is(table.schema, table.name) {
			continue
		}
		switch owner := strings.ToLower(c.Owner); owner {
		case dir.Key:
			key = i
		case dir.ID:
			id = i
		}
	}
	if key < 0 || id < 0 {
		return
	}
	service := e.service(u.session.conn.proc)
	for _, row := range result.Rows {
		if key >= len(row) || id >= len(row) || row[key] == nil || row[id] == nil {
			continue
		}
		name, tenant := policy.Normalize(*row[key]), policy.Normalize(*row[id])
		if name == "" || tenant == "" || len(name) > maxTenant || len(tenant) > maxTenant || !e.directory.learn(service, name, tenant) {
			continue
		}
		if e.names.learn(service, tenant) {
			e.release(service, tenant)
		}
	}
}
