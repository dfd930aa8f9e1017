package ir

import (
	"slices"
	"sort"
	"strings"
)

const tenant = "tenant_id"

// set is a set of values in their printed form.
type set []string

func (s set) add(v string) set {
	if slices.Contains(s, v) {
		return s
	}
	return append(slices.Clip(s), v)
}

func (s set) union(o set) set {
	for _, v := range o {
		s = s.add(v)
	}
	return s
}

func (s set) within(o set) bool {
	return !slices.ContainsFunc(s, func(v string) bool { return !slices.Contains(o, v) })
}

func (s set) known() bool {
	return len(s) > 0 && !slices.Contains(s, unknown) && !slices.Contains(s, subquery)
}

const (
	unknown  = "UNKNOWN"
	subquery = "SUBQUERY"
)

// rel is an occurrence of a table.
type rel struct {
	schema, name string
	vals         set
	every        []set
	inserted     set
	assigned     set
	target       bool
	insert       bool
	upsert       bool
	hidden       bool
	untouched    bool
}

// column is a tenant column as somebody sees it.
type column struct {
	rels   []*rel
	whole  bool // these are all
	absent bool // may be NULL besides
	item   *item
}

// output is an entry of a derived item's columns; col is nil if it is no tenant column. star: all columns of one table.
type output struct {
	name string
	col  *column
	star bool
}

type item struct {
	schema, name string
	rel          *rel
	arms         [][]output
	known        bool // positions of the columns are known: rows of VALUES
	opaque       bool
	absent       bool
	shared       bool
	own          bool // EXCLUDED
	inside       []*rel
	scope        *scope
}

type scope struct {
	parent *scope
	items  []*item
}

type cte struct {
	name   string
	arms   [][]output
	known  bool
	opaque bool
	prev   *cte
}

type env struct {
	ctes  *cte
	scope *scope
}

type pred struct {
	at   *column
	link *column
	vals set
}

type edge struct{ from, to *column }

type copied struct {
	from    *column
	to      *rel
	changed bool
}

type eval struct {
	mysql  bool
	rels   []*rel
	edges  []edge
	copies []copied
}

// Evidence renders what a statement says about its tables, one sorted entry each: "*orders=a|b<-c", as the comparison renders tenantsql's.
func Evidence(st *Statement, mysql bool) string {
	e := &eval{mysql: mysql}
	e.statement(st, env{}, nil)
	e.propagate()
	e.settle()
	var out []string
	for _, r := range e.rels {
		if !r.hidden {
			out = append(out, r.render())
		}
	}
	sort.Strings(out)
	return strings.Join(out, " ")
}

func (r *rel) render() string {
	every := r.every
	if len(every) > 0 {
		every = append([]set{r.vals}, every...)
	}
	vals := r.vals
	if len(every) > 0 {
		vals = set{unknown}
	}
	if r.insert {
		every = nil
		switch {
		case !r.upsert:
			vals = r.inserted
		case len(vals) > 0 && len(r.inserted) > 0:
			vals = r.inserted.union(vals)
		default:
			vals = nil
		}
	}
	sets := make([][]string, len(every))
	for i, e := range every {
		sets[i] = e
	}
	return Render(r.target, r.untouched && !r.insert, r.schema, r.name, vals, sets, r.inserted.union(r.assigned))
}

// Render prints a table and what is said of it.
func Render(target, untouched bool, schema, name string, vals []string, every [][]string, assigned []string) string {
	var b strings.Builder
	if target {
		b.WriteByte('*')
	}
	if schema != "" {
		b.WriteString(schema + ".")
	}
	b.WriteString(name)
	if untouched {
		return b.String() + "!"
	}
	list := func(mark string, vals []string) {
		if len(vals) > 0 {
			vals = slices.Clone(vals)
			sort.Strings(vals)
			b.WriteString(mark + strings.Join(slices.Compact(vals), "|"))
		}
	}
	list("=", vals)
	list("<-", assigned)
	for _, e := range every {
		list("+", e)
	}
	return b.String()
}
