package correlate

import (
	"slices"
	"strings"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/settings"
	"tenantrace/correlate/tenantsql"
	"tenantrace/correlate/verdict"
)

// The names under which a session keeps what its statements and its server say of it.
const (
	databaseSetting    = "database" // MySQL's current database: USE, and what the server reports
	pathSetting        = "search_path"
	roleSetting        = "role"
	applicationSetting = "application_name"
)

// now is the database that names without a qualifier are looked up in. That of a PostgreSQL session never changes.
func (s *session) now() string {
	if s.engine == event.MySQL {
		switch v := s.settings.Get(databaseSetting); {
		case v.State == settings.Known:
			return v.Text
		case v.State == settings.Unknown && s.moved:
			return ""
		}
	}
	return s.database
}

// place is where a relation of a statement is.
type place struct {
	table tableName
	class policy.TableClass
	shown []observed
}

// place finds where a relation is, and whose that place is.
func (u *unit) place(r *rules, rel *tenantsql.Relation) place {
	if r.Engine == policy.MySQL {
		return u.placeMySQL(r, rel)
	}
	p := place{table: newTableName(rel.Schema, rel.Name)}
	p.class = r.Table(p.table.schema, p.table.name)
	switch {
	case p.class == policy.TableShared && (rel.Schema != "" || policy.Catalog(r.Engine, "", rel.Name) || !r.Schemas.Used()):
		return p
	case rel.Schema == "" && r.Schemas.Used():
		p = u.placeByPath(r, rel, p)
	default:
		if tenant := r.TenantOf(rel.Schema); tenant != "" {
			p.class = policy.TableOwned
			p.shown = append(p.shown, observed{tenant: tenant, level: verdict.EvidenceLiteral, source: sourceOf(rel)})
		}
	}
	if p.class == policy.TableShared {
		return p
	}
	name := u.session.database
	if r.Databases.Shared(name) {
		p.class = policy.TableShared
	} else if tenant := r.Databases.Tenant(name); tenant != "" {
		p.class = policy.TableOwned
		p.shown = append(p.shown, observed{tenant: tenant, level: verdict.EvidenceSession, source: sourceOf(rel)})
	}
	return p
}

// placeMySQL is place for MySQL, whose qualifiers are databases.
func (u *unit) placeMySQL(r *rules, rel *tenantsql.Relation) place {
	p := place{table: newTableName(rel.Schema, rel.Name)}
	name, level := rel.Schema, verdict.EvidenceLiteral
	if name == "" {
		name, level = u.session.now(), verdict.EvidenceSession
	}
	p.class = r.Table(name, rel.Name)
	if name == "" && r.Databases.Used() && p.class != policy.TableShared {
		u.sessionUnknown = true
		p.class = policy.TableOwned // it may be
	}
	if p.class != policy.TableShared {
		if tenant := r.TenantOf(name); tenant != "" {
			p.class = policy.TableOwned
			p.shown = append(p.shown, observed{tenant: tenant, level: level, source: sourceOf(rel)})
		}
	}
	return p
}

// placeByPath finds a relation that names no schema by the session's search path. Which of its schemas holds the table is not seen: where a
// tenant's schema is not the only one, a table may be the other's unless policy says that it is a tenant's.
func (u *unit) placeByPath(r *rules, rel *tenantsql.Relation, p place) place {
	schemas, known := u.searchPath(r)
	if !known || len(schemas) == 0 { // the server's own path may lead to a tenant's schema too
		u.sessionUnknown = u.sessionUnknown || !known
		if named := r.Named("", rel.Name); known && p.class == policy.TableShared || named == policy.TableShared {
			p.class = policy.TableShared
			return p
		}
		p.class = policy.TableOwned
		return p
	}
	var tenants, others []string
	for _, schema := range schemas {
		switch {
		case schema == "pg_catalog" || schema == "pg_temp":
		case r.TenantOf(schema) != "":
			tenants = append(tenants, schema)
		default:
			others = append(others, schema)
		}
	}
	if len(tenants) == 0 {
		if len(others) > 0 {
			p.table = newTableName(others[0], rel.Name)
			p.class = r.Table(others[0], rel.Name)
		}
		return p
	}
	class := r.Named(tenants[0], rel.Name)
	if class == policy.TableShared {
		p.class = class
		return p
	}
	weak := len(tenants) > 1 || len(others) > 0 && class != policy.TableOwned
	if weak {
		p.class = policy.TableUnknown
	} else {
		p.class, p.table = policy.TableOwned, newTableName(tenants[0], rel.Name)
	}
	for _, schema := range tenants {
		p.shown = append(p.shown, observed{tenant: r.TenantOf(schema), level: verdict.EvidenceSession, source: sourceOf(rel), weak: weak})
	}
	return p
}

// searchPath returns the schemas in which the session looks up names; known is false if it may be any.
func (u *unit) searchPath(r *rules) (schemas []string, known bool) {
	v := u.ask(r, pathSetting)
	switch v.State {
	case settings.Unknown:
		return nil, false
	case settings.Unset:
		return nil, true // the server's default
	}
	schemas, ok := pathSchemas(v.Text)
	for i, name := range schemas {
		if name == "$user" {
			role, known := u.role(r)
			if !known {
				return nil, false
			}
			schemas[i] = role
		}
	}
	return schemas, ok
}

// role returns the role as which the session acts; known is false if it may be any.
func (u *unit) role(r *rules) (name string, known bool) {
	switch v := u.ask(r, roleSetting); {
	case v.State == settings.Unknown:
		return "", false
	case v.State == settings.Known && !strings.EqualFold(v.Text, "none"):
		return v.Text, true
	}
	return u.session.user, u.session.user != ""
}

// ask returns the value of a setting in force. Behind a pooler that hands out its connections by transaction, what was set for the session may have
// been set on another connection, and another client's may be in force on this one.
func (u *unit) ask(r *rules, name string) settings.Value {
	v := u.sessionValue(name)
	if r.Pooler == policy.PoolerTransaction && !u.session.settings.Local(name) {
		if name == roleSetting && v.State == settings.Unset {
			return v // the pooler keeps the connections of users apart
		}
		return settings.Value{State: settings.Unknown}
	}
	return v
}

// gatherRole reads whose role the session acts as.
func (u *unit) gatherRole(r *rules) {
	if !r.Roles.Used() {
		return
	}
	name, known := u.role(r)
	if !known {
		u.sessionUnknown = true
		return
	}
	if tenant := r.Roles.Tenant(name); tenant != "" {
		u.asRole = observed{tenant: tenant, level: verdict.EvidenceSession, source: fromSession}
	}
}

func sourceOf(rel *tenantsql.Relation) source {
	if rel.Target {
		return fromWritten
	}
	return fromRead
}

// applyUse follows MySQL's USE, which is no setting to the reader of SQL.
func (e *Engine) applyUse(s *session, r *reading, result *event.Result) {
	if s.engine != event.MySQL || r.said == nil {
		return
	}
	name, ok := usedDatabase(r.said.sql.Shape)
	switch {
	case !ok || result != nil && result.Error != "":
	case result == nil || name == "" || r.said.sql.Cut:
		s.moved = true
		s.settings.Set(databaseSetting, settings.Value{State: settings.Unknown}, false)
	default:
		s.moved = true
		s.settings.Set(databaseSetting, settings.Value{State: settings.Known, Text: name}, false)
		s.settings.Commit() // no transaction takes it back
	}
}

// usedDatabase reads the shape of a statement as USE; name is "" if it is one that could not be read.
func usedDatabase(shape string) (name string, ok bool) {
	word, rest, _ := strings.Cut(strings.TrimSpace(shape), " ")
	if !strings.EqualFold(word, "use") {
		return "", false
	}
	rest = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), ";"))
	if n := len(rest); n >= 2 && rest[0] == '`' && rest[n-1] == '`' {
		return strings.ReplaceAll(rest[1:n-1], "``", "`"), true
	}
	if strings.ContainsAny(rest, " `?;") {
		return "", true
	}
	return rest, true
}

// watches tells whether a session's setting matters to something.
func (r *rules) watches(name string) bool {
	return name == pathSetting || name == roleSetting || name == databaseSetting || slices.Contains(r.asks, name)
}
