package correlate

import (
	"slices"
	"strconv"
	"strings"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/settings"
	"tenantrace/correlate/tenantsql"
	"tenantrace/correlate/verdict"
)

// source says in which way a statement shows a tenant.
type source uint8

const (
	fromRead    source = iota // a predicate on a relation that is read
	fromWritten               // a predicate on a relation that is changed, or a value that is written
	fromRow
	fromSession
)

// observed is a tenant that a statement shows.
type observed struct {
	tenant string // normalised
	level  verdict.EvidenceLevel
	source source
	weak   bool // it may confirm a statement, but is no ground to accuse it
	beside bool // the text or rows show a tenant too
}

// evidence is what a statement shows, from its text, its session and its rows.
type evidence struct {
	values         []observed  // of the text and the rows
	scopes         []scope     // tenants that the session is set to
	state          []scope     // the same, with those of its search path and role
	sessionUnknown bool        // a tenant setting may have been set to anything
	opaque         bool        // a tenant predicate or value is there that cannot be resolved
	relations      []tableName // those that policy does not call shared
	rowOwned       bool        // a result column is a tenant column of a table
	placed         bool        // a relation is, or may be, in a tenant's place
	asked          bool        // the session was set to a tenant's state, which a pooler may have given to another
	asRole         observed    // the tenant whose role the session acts as; none if it names nobody
	doubted        bool        // what is added now may be another table's
	application    string      // application_name of the session, where policy asks for it
}

// scope is a tenant that the session is set to.
type scope struct {
	tenant string
	by     uint64 // number of the request that set it, 0 unknown
}

// Bounds of what one statement may show.
const (
	maxValues = 64  // tenants
	maxTenant = 512 // bytes of a name; what is longer is none
)

func (v *evidence) add(o observed) {
	o.weak = o.weak || v.doubted
	if len(o.tenant) > maxTenant {
		v.opaque = true
		return
	}
	if o.tenant == "" || len(v.values) == maxValues || slices.Contains(v.values, o) {
		return
	}
	v.values = append(v.values, o)
}

// gather collects the evidence of a statement at the moment of its answer, when the session is as the statement found it.
func (u *unit) gather(e *Engine, r *reading, result *event.Result) {
	rules := e.rulesOf(u.session)
	if result != nil {
		u.rows = tagRows(result)
	}
	if slices.Contains(rules.asks, applicationSetting) {
		u.application = u.ask(rules, applicationSetting).Text
	}
	if r.does != nil {
		u.textCut = u.textCut || r.does.Cut
		u.unparsed = u.unparsed || r.does.Unparsed
		for i := range r.does.Relations {
			u.gatherRelation(rules, r, &r.does.Relations[i])
		}
		u.gatherKeys(rules, r)
	}
	if seen := u.answered(result); seen != nil && seen.Error == "" {
		e.learnDirectory(u, rules, r, seen)
		u.gatherRows(rules, r, seen)
	}
	u.gatherLooks(rules, r, result)
	if len(u.relations) > 0 || u.rowOwned {
		u.gatherScopes(rules)
		u.gatherRole(rules)
		u.gatherState(rules)
	}
}

func (u *unit) gatherRelation(by *rules, r *reading, rel *tenantsql.Relation) {
	if rel.Untouched {
		return
	}
	at := u.place(by, rel)
	table := at.table
	db := u.session.tables
	// Of tables that are all tenants', or may be, each would show the same: whose the column is does not matter.
	doubted := rel.Ownership == tenantsql.Foreign || rel.Ownership == tenantsql.Contested && u.anyShared(by, r.does)
	if at.class == policy.TableShared {
		if doubted {
			u.gatherValues(by, r, rel, true)
		}
		return
	}
	u.placed = u.placed || at.class == policy.TableOwned
	for _, o := range at.shown {
		u.add(o)
	}
	if !slices.Contains(u.relations, table) {
		u.relations = append(u.relations, table)
	}
	if (len(rel.Values) > 0 || len(rel.Assigned) > 0 || rel.Heuristic) && rel.Ownership == tenantsql.Sure {
		db.learn(table)
	}
	u.gatherValues(by, r, rel, doubted)
}

// anyShared tells whether a relation of a statement is a shared table.
func (u *unit) anyShared(by *rules, st *tenantsql.Statement) bool {
	return slices.ContainsFunc(st.Relations, func(rel tenantsql.Relation) bool { return u.place(by, &rel).class == policy.TableShared })
}

// gatherValues adds the tenants that a relation's values name.
func (u *unit) gatherValues(by *rules, r *reading, rel *tenantsql.Relation, doubted bool) {
	u.doubted = doubted
	from := fromRead
	if rel.Target {
		from = fromWritten
	}
	if !u.narrow(by, r, rel.Every, from) {
		for _, v := range rel.Values {
			u.resolve(by, r, v, from)
		}
	}
	for _, v := range rel.Assigned {
		u.resolve(by, r, v, fromWritten)
	}
	u.doubted = false
}

// narrow adds the tenants that are in every one of the sets which can be resolved, and tells whether one could: each touched row is in all of them.
func (u *unit) narrow(by *rules, r *reading, sets [][]tenantsql.Value, from source) bool {
	var left []observed
	resolved := false
	for _, set := range sets {
		one := unit{session: u.session}
		for _, v := range set {
			one.resolve(by, r, v, from)
		}
		u.sessionUnknown = u.sessionUnknown || one.sessionUnknown
		switch {
		case one.opaque:
		case !resolved:
			left, resolved = one.values, true
		default:
			left = slices.DeleteFunc(left, func(o observed) bool {
				return !slices.ContainsFunc(one.values, func(p observed) bool { return p.tenant == o.tenant })
			})
		}
	}
	for _, o := range left {
		u.add(o)
	}
	return resolved
}

// resolve finds the tenant that a value in the text stands for.
func (u *unit) resolve(by *rules, r *reading, v tenantsql.Value, from source) {
	switch v.Kind {
	case tenantsql.Literal:
		u.addText(v.Text, v.Array, verdict.EvidenceLiteral, from)
	case tenantsql.Param:
		for p := range r.values(v.Index) {
			if p.known {
				u.addText(p.text, v.Array, p.level, from)
			} else {
				u.opaque = true
			}
		}
	case tenantsql.Setting:
		name := strings.ToLower(v.Text)
		now := u.ask(by, name)
		switch {
		case !by.whole(name):
			u.opaque = true
		case now.State == settings.Known && strings.TrimSpace(now.Text) != "":
			u.add(observed{tenant: policy.Normalize(now.Text), level: verdict.EvidenceSession, source: from})
		case now.State == settings.Unknown:
			u.sessionUnknown, u.opaque = true, true
		default:
			u.opaque = true
		}
	case tenantsql.Default: // as if the column were not written
	default:
		u.opaque = true
	}
}

func (u *unit) addText(text string, array bool, level verdict.EvidenceLevel, from source) {
	if !array {
		u.add(observed{tenant: policy.Normalize(text), level: level, source: from})
		return
	}
	elements, ok := arrayElements(text)
	if !ok {
		u.opaque = true
	}
	for _, element := range elements {
		u.add(observed{tenant: policy.Normalize(element), level: level, source: from})
	}
}

// gatherRows reads the tenant columns of the rows. A column that comes from no table has only its name to speak for it. Where some table of the
// statement may be shared, a column whose table cannot be named may be the shared one's: both may confirm, but not accuse.
func (u *unit) gatherRows(by *rules, r *reading, result *event.Result) {
	all := 0
	if r.does != nil {
		all = len(r.does.Relations)
		if all > 0 && len(u.relations) == 0 {
			return // only shared tables, or none that a row is touched of
		}
	}
	db := u.session.tables
	for i := range result.Columns {
		c := &result.Columns[i]
		key := by.key(c.Owner)
		if key == nil && !by.column(c.Owner) {
			continue
		}
		o := observed{level: verdict.EvidenceRow, source: fromRow}
		switch table, known := db.oids.Get(c.Table); {
		case u.ofCopy(r, result):
			o.source = copySource(result)
			if key == nil {
				db.learn(u.relations[0])
				u.rowOwned = true
			}
		case c.Table == 0:
			o.level, o.weak = verdict.EvidenceHeuristic, true
		case all == 1 && len(u.relations) == 1:
			if c.OrgTable == "" || strings.EqualFold(c.OrgTable, u.relations[0].name) { // else it is a view of that table
				db.learnOID(c.Table, u.relations[0])
			}
			if key == nil { // a key without a tenant makes no table a tenant's
				db.learn(u.relations[0])
			}
		case known:
			if by.Table(table.schema, table.name) == policy.TableShared {
				continue
			}
			if key == nil {
				db.learn(table)
			}
		case all == 0 || all > len(u.relations):
			o.weak = true
		}
		if c.Table != 0 && key == nil {
			u.rowOwned = true
		}
		for _, row := range result.Rows {
			if i >= len(row) || row[i] == nil {
				continue
			}
			if o.tenant = policy.Normalize(*row[i]); key != nil {
				o.tenant = key.Tenant(*row[i])
			}
			u.add(o)
		}
	}
}

// gatherScopes reads the tenant that the session is set to.
func (u *unit) gatherScopes(by *rules) {
	for i := range by.Settings {
		s := &by.Settings[i]
		v := u.ask(by, s.Name)
		switch {
		case v.State == settings.Unknown:
			u.sessionUnknown = true
		case v.State == settings.Known:
			if tenant := s.Tenant(v.Text); tenant != "" {
				if sc := (scope{tenant, v.By}); !slices.Contains(u.scopes, sc) {
					u.scopes = append(u.scopes, sc)
				}
			}
		}
	}
}

func (u *unit) sessionValue(name string) settings.Value {
	if u.session.void {
		return settings.Value{State: settings.Unknown}
	}
	return u.session.settings.Get(name)
}

// tagRows returns the number of rows of a command tag ("SELECT 3", "INSERT 0 1"); without a tag, as for a suspended portal, the rows seen.
func tagRows(r *event.Result) int64 {
	if r.Error != "" {
		return -1
	}
	if r.Tag == "" {
		return int64(r.Count)
	}
	if i := strings.LastIndexByte(r.Tag, ' '); i >= 0 {
		if n, err := strconv.ParseInt(r.Tag[i+1:], 10, 64); err == nil && n >= 0 {
			return n
		}
	}
	return 0
}
