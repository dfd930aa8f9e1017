package ir

import "slices"

// statement reads a statement; the tables that it changes are marked.
func (e *eval) statement(st *Statement, v env, _ *scope) {
	v = e.with(st.With, st.Recursive, v)
	switch st.Kind {
	case SelectKind:
		e.query(st.Query, v, nil)
	case InsertKind:
		e.insert(st, v)
	case UpdateKind, DeleteKind:
		e.change(st, v)
	case MergeKind:
		e.merge(st, v)
	}
}

// goal adds the table that is changed to the scope.
func (e *eval) goal(f *From, v env) *rel {
	it := &item{schema: f.Table.Schema, name: f.Table.Name, scope: v.scope}
	if f.Alias != "" {
		it.schema, it.name = "", f.Alias
	}
	it.rel = e.newRel(f.Table.Schema, f.Table.Name)
	it.rel.target = true
	v.scope.items = append(v.scope.items, it)
	return it.rel
}

// insertion is an INSERT that reads a query: the positions of the tenant column in its list.
type insertion struct {
	rel *rel
	at  []int
}

// write notes the value that an expression of a row or select list writes into the tenant column.
func (e *eval) write(r *rel, x *Expr, v env) {
	if c := e.column(x, v); c != nil {
		e.copies = append(e.copies, copied{from: c, to: r})
		return
	}
	r.inserted = r.inserted.add(value(x))
}

func (e *eval) insert(st *Statement, v env) {
	inner := v
	v.scope = &scope{parent: v.scope}
	r := e.goal(st.Target, v)
	r.insert, r.upsert = true, st.Replace
	var at []int
	for i, c := range st.Columns {
		if isTenant(c) {
			at = append(at, i)
		}
	}
	if st.Source != nil {
		e.source(r, st.Source, at, inner, v)
	}
	for _, a := range st.Set {
		e.inside(a.Expr, v)
		if isTenant(a.Names[len(a.Names)-1]) {
			r.inserted = r.inserted.add(value(a.Expr))
		}
	}
	if st.Conflict {
		it := &item{name: "excluded", scope: v.scope, own: true, rel: e.newRel("", "")}
		it.rel.hidden = true
		if !slices.ContainsFunc(e.copies, func(c copied) bool { return c.to == r }) {
			it.rel.vals = r.inserted
		}
		v.scope.items = append(v.scope.items, it)
		r.upsert = !slices.ContainsFunc(st.ConflictOn, isTenant)
		preds, _ := e.condition(st.ConflictWhere, v)
		e.apply(preds, v.scope, nil)
		e.assignments(r, st.ConflictSet, v)
	}
	for _, x := range st.Extra {
		e.inside(x, v)
	}
}

// source reads the rows or the query of an INSERT.
func (e *eval) source(r *rel, q *Query, at []int, v, scoped env) {
	if len(q.With) == 0 && len(q.Arms) == 1 && q.Arms[0].Rows != nil {
		for _, row := range q.Arms[0].Rows {
			for i, x := range row {
				e.inside(x, scoped)
				if slices.Contains(at, i) {
					r.inserted = r.inserted.add(value(x))
				}
			}
		}
		return
	}
	e.query(q, v, &insertion{r, at})
}

func (e *eval) assignments(r *rel, list []Assign, v env) {
	for _, a := range list {
		e.inside(a.Expr, v)
		if !isTenant(a.Names[len(a.Names)-1]) || r == nil {
			continue
		}
		c := e.column(a.Expr, v)
		switch {
		case a.Expr.Op == OwnRow:
		case c == nil:
			r.assigned = r.assigned.add(value(a.Expr))
		case c.item.rel != r && !c.item.own:
			e.copies = append(e.copies, copied{from: c, to: r, changed: true})
		}
	}
}

// change reads UPDATE and DELETE.
func (e *eval) change(st *Statement, v env) {
	v.scope = &scope{parent: v.scope}
	var r *rel
	if st.Target != nil {
		r = e.goal(st.Target, v)
	}
	for _, f := range st.From {
		e.from(f, v)
	}
	preds, t := e.condition(st.Where, v)
	if t >= no {
		for _, it := range v.scope.items {
			it.untouch()
		}
	}
	e.apply(preds, v.scope, nil)
	if r != nil {
		e.assignments(r, st.Set, v)
	} else {
		e.mysqlTargets(st, v)
	}
	for _, x := range st.Extra {
		e.inside(x, v)
	}
}

// mysqlTargets marks and fills the tables that MySQL's statements of several tables change.
func (e *eval) mysqlTargets(st *Statement, v env) {
	find := func(names []string) *item {
		for _, it := range v.scope.items {
			if len(names) == 0 || e.same(names[len(names)-1], it.name) {
				return it
			}
		}
		return nil
	}
	for _, name := range st.Targets {
		if it := find([]string{name}); it != nil && it.rel != nil {
			it.rel.target = true
		}
	}
	for _, a := range st.Set {
		it := find(a.Names[:len(a.Names)-1])
		if it != nil && it.rel != nil {
			it.rel.target = true
			e.assignments(it.rel, []Assign{a}, v)
		} else {
			e.inside(a.Expr, v)
		}
	}
}

func (e *eval) merge(st *Statement, v env) {
	v.scope = &scope{parent: v.scope}
	r := e.goal(st.Target, v)
	goal := v.scope.items[0]
	for _, f := range st.From {
		e.from(f, v)
	}
	preds, _ := e.condition(st.Where, v)
	unmatched := false
	for _, a := range st.Actions {
		e.inside(a.When, v)
		switch a.Kind {
		case InsertKind:
			r.insert = true
			for i, x := range a.Row {
				e.inside(x, v)
				if i < len(a.Columns) && isTenant(a.Columns[i]) {
					e.write(r, x, v)
				}
			}
		case UpdateKind, DeleteKind:
			r.upsert = true
			unmatched = unmatched || a.BySource
			e.assignments(r, a.Set, v)
		}
	}
	switch {
	case unmatched:
	case r.insert:
		e.apply(preds, v.scope, func(it *item) bool { return it == goal })
	default:
		e.apply(preds, v.scope, nil)
	}
	for _, x := range st.Extra {
		e.inside(x, v)
	}
}
