package ir

import "slices"

func (e *eval) newRel(schema, name string) *rel {
	r := &rel{schema: schema, name: name}
	e.rels = append(e.rels, r)
	return r
}

// inside reads the sub-selects in an expression.
func (e *eval) inside(x *Expr, v env) {
	if x == nil {
		return
	}
	for _, a := range x.Args {
		e.inside(a, v)
	}
	if x.Sub != nil {
		e.query(x.Sub, v, nil)
	}
}

func (e *eval) with(list []CTE, recursive bool, v env) env {
	if recursive {
		for _, c := range list {
			v.ctes = &cte{name: c.Name, prev: v.ctes}
		}
	}
	for _, c := range list {
		_, isDML := c.Statement, c.Statement.Kind != SelectKind
		var arms [][]output
		known := false
		if isDML {
			e.statement(c.Statement, v, nil)
		} else {
			arms, known = e.query(c.Statement.Query, v, nil)
		}
		it := &item{arms: arms, known: known}
		e.rename(it, c.Columns)
		if recursive {
			for d := v.ctes; d != nil; d = d.prev {
				if d.name == c.Name {
					d.arms, d.known, d.opaque = it.arms, it.known, it.opaque
					break
				}
			}
		} else {
			v.ctes = &cte{name: c.Name, arms: it.arms, known: it.known, opaque: it.opaque, prev: v.ctes}
		}
	}
	return v
}

// rename gives the columns of a derived item their names.
func (e *eval) rename(it *item, names []string) {
	if len(names) == 0 {
		return
	}
	for _, arm := range it.arms {
		for _, o := range arm {
			if o.star && o.col != nil {
				it.opaque = true
				return
			}
		}
		if anyStar(arm) {
			continue
		}
		for i := range arm {
			if i < len(names) && arm[i].name != overMark {
				arm[i].name = names[i]
			}
		}
	}
}

// query reads a query and gives its output columns; known tells that it is a lone list of rows.
func (e *eval) query(q *Query, v env, in *insertion) (arms [][]output, known bool) {
	v = e.with(q.With, q.Recursive, v)
	for _, s := range q.Arms {
		switch {
		case s.Nested != nil:
			a, k := e.query(s.Nested, v, in)
			if k && len(q.Arms) > 1 {
				a, k = [][]output{nil}, false // rows in a set operation: tenantsql does not follow their values
			}
			arms, known = append(arms, a...), k
		case s.Rows != nil:
			arms, known = append(arms, e.rows(s.Rows, v)), true
			if in != nil && len(in.at) > 0 {
				in.rel.inserted = in.rel.inserted.add(unknown)
			}
		default:
			arms = append(arms, e.selection(s, v, in))
		}
	}
	for _, x := range q.Extra {
		e.inside(x, v)
	}
	known = known && len(arms) == 1
	if !known {
		for i, s := range q.Arms {
			if s.Rows != nil && i < len(arms) && len(q.Arms) == len(arms) {
				arms[i] = nil
			}
		}
	}
	return arms, known
}

// rows gives the columns of a list of rows: each is a table of its own.
func (e *eval) rows(rows [][]*Expr, v env) []output {
	var out []output
	for _, r := range rows {
		for _, x := range r {
			e.inside(x, v)
		}
	}
	for pos := range rows[0] {
		r := e.newRel("", "")
		r.hidden = true
		for _, row := range rows {
			r.vals = r.vals.add(value(row[pos]))
		}
		out = append(out, output{col: &column{rels: []*rel{r}, whole: true, item: &item{rel: r}}})
	}
	return out
}

func (e *eval) selection(s *Select, v env, in *insertion) []output {
	v.scope = &scope{parent: v.scope}
	for _, f := range s.From {
		e.from(f, v)
	}
	preds, t := e.condition(s.Where, v)
	if t >= no {
		for _, it := range v.scope.items {
			it.untouch()
		}
	}
	e.apply(preds, v.scope, nil)
	var out []output
	over := false
	for _, i := range s.Items {
		switch {
		case i.Star != "":
			out = append(out, e.star(i.Star, v)...)
		default:
			e.inside(i.Expr, v)
			over = over || i.Expr.Over
			out = append(out, output{name: i.Name, col: e.column(i.Expr, v)})
		}
	}
	if in != nil {
		e.feed(s, v, in)
	}
	for _, x := range s.Extra {
		e.inside(x, v)
	}
	if over {
		out = append(out, output{name: overMark})
	}
	return out
}

// overMark stands behind the columns of a query with a window function.
const overMark = "\x00"

// feed gives an INSERT the values of a select list.
func (e *eval) feed(s *Select, v env, in *insertion) {
	for _, at := range in.at {
		starred := false
		for i := range min(at+1, len(s.Items)) {
			starred = starred || s.Items[i].Star != ""
		}
		switch {
		case !starred && at < len(s.Items):
			e.write(in.rel, s.Items[at].Expr, v)
		case len(s.Items) > 0 && s.Items[0].Star == "*" && len(v.scope.items) == 1 && v.scope.items[0].known && at < len(v.scope.items[0].arms[0]):
			c := *v.scope.items[0].arms[0][at].col
			c.item = v.scope.items[0]
			e.copies = append(e.copies, copied{from: &c, to: in.rel})
		default:
			in.rel.inserted = in.rel.inserted.add(unknown)
		}
	}
}

func (it *item) untouch() {
	if it.rel != nil {
		it.rel.untouched = true
	}
	for _, r := range it.inside {
		r.untouched = true
	}
}

func (e *eval) star(of string, v env) []output {
	var from *item
	for _, it := range v.scope.items {
		if of == "*" && len(v.scope.items) == 1 || of != "*" && e.same(of, it.name) {
			from = it
			break
		}
	}
	switch {
	case from == nil || from.opaque || from.rel == nil:
		return []output{{name: "*"}}
	}
	return []output{{name: "*", star: true, col: e.columnOf(from, tenant)}}
}

func (e *eval) from(f *From, v env) {
	sc := v.scope
	switch {
	case f.Join:
		lo := len(sc.items)
		e.from(f.Left, v)
		mid := len(sc.items)
		e.from(f.Right, v)
		e.join(f, v, sc.items[lo:mid], sc.items[mid:])
	case f.Sub != nil:
		inner := v
		if !f.Lateral {
			inner.scope = sc.parent
		}
		lo := len(e.rels)
		arms, known := e.query(f.Sub, inner, nil)
		it := &item{name: f.Alias, arms: arms, known: known, scope: sc, inside: slices.Clone(e.rels[lo:])}
		for _, arm := range arms {
			for _, o := range arm {
				it.shared = it.shared || o.name == overMark
			}
		}
		e.rename(it, f.Columns)
		sc.items = append(sc.items, it)
	case f.Func != nil:
		e.inside(f.Func, v)
		it := &item{name: f.Alias, opaque: true, scope: sc}
		if f.Func.Op == Unnest {
			it.opaque, it.known = false, true
			var arm []output
			for _, a := range f.Func.Args {
				r := e.newRel("", "")
				r.hidden, r.vals = true, arrayOf(a)
				arm = append(arm, output{col: &column{rels: []*rel{r}, whole: true, item: &item{rel: r}}})
			}
			it.arms = [][]output{arm}
			if names := f.Columns; len(names) == 0 && len(arm) == 1 {
				arm[0].name = f.Alias
			} else {
				e.rename(it, names)
			}
		}
		sc.items = append(sc.items, it)
	default:
		e.table(f, v)
	}
}

func (e *eval) table(f *From, v env) {
	it := &item{schema: f.Table.Schema, name: f.Table.Name, scope: v.scope, opaque: len(f.Columns) > 0}
	if f.Alias != "" {
		it.schema, it.name = "", f.Alias
	}
	if f.Table.Schema == "" {
		for c := v.ctes; c != nil; c = c.prev {
			if e.same(c.name, f.Table.Name) {
				it.arms, it.known, it.opaque, it.shared = c.arms, c.known, it.opaque || c.opaque, true
				v.scope.items = append(v.scope.items, it)
				return
			}
		}
	}
	it.rel = e.newRel(f.Table.Schema, f.Table.Name)
	v.scope.items = append(v.scope.items, it)
}

func (e *eval) join(f *From, v env, left, right []*item) {
	preds, t := e.condition(f.On, v)
	if f.On == nil {
		t = open
	}
	for _, name := range f.Using {
		if !isTenant(name) {
			continue
		}
		a, b := e.first(left), e.first(right)
		if a != nil && b != nil {
			preds = append(preds, pred{at: a, link: b})
		}
	}
	absent := func(items []*item) {
		for _, it := range items {
			it.absent = true
			if t >= no {
				it.untouch()
			}
		}
	}
	within := func(items []*item) func(*item) bool {
		return func(it *item) bool { return slices.Contains(items, it) }
	}
	switch f.Kind {
	case Inner:
		e.apply(preds, v.scope, nil)
		if t >= no {
			for _, it := range append(slices.Clone(left), right...) {
				it.untouch()
			}
		}
	case Left:
		e.apply(preds, v.scope, within(right))
		absent(right)
	case Right:
		e.apply(preds, v.scope, within(left))
		absent(left)
	default:
		for _, it := range append(slices.Clone(left), right...) {
			it.absent = true
		}
	}
}

func (e *eval) first(items []*item) *column {
	for _, it := range items {
		if !it.absent {
			return e.columnOf(it, tenant)
		}
	}
	return nil
}
