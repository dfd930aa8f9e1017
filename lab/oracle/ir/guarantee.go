package ir

// both gives the better of two sets that both hold; false if neither is.
func both(a, b set) (set, bool) {
	switch {
	case !b.known(), a.known() && a.within(b):
		return a, true
	case !a.known(), b.within(a):
		return b, true
	}
	return a, false
}

func (r *rel) guarantee(vals set) {
	if len(r.vals) == 0 {
		r.vals = vals
		return
	}
	best, ok := both(r.vals, vals)
	switch {
	case ok && len(r.every) == 0:
		r.vals = best
	case !ok:
		r.every = append(r.every, vals)
	}
}

// valuesOf gives what is guaranteed for a column; nothing unless all relations behind it are bound.
func (c *column) valuesOf() set {
	if !c.whole {
		return nil
	}
	var all set
	for _, r := range c.rels {
		vals := r.vals
		if len(r.every) > 0 {
			vals = set{unknown}
		}
		if len(vals) == 0 {
			return nil
		}
		all = all.union(vals)
	}
	return all
}

func (e *eval) propagate() {
	for changed := true; changed; {
		changed = false
		for _, d := range e.edges {
			vals := d.from.valuesOf()
			if len(vals) == 0 || d.to.item.shared {
				continue
			}
			for _, r := range d.to.rels {
				if len(r.vals) == 0 || len(r.every) == 0 && !r.vals.known() && vals.known() {
					r.vals, changed = vals, true
				}
			}
		}
	}
}

func (e *eval) settle() {
	for _, c := range e.copies {
		vals := c.from.valuesOf()
		if len(vals) == 0 {
			vals = set{unknown}
		} else if c.from.absent {
			vals = vals.add("NULL")
		}
		if c.changed {
			c.to.assigned = c.to.assigned.union(vals)
		} else {
			c.to.inserted = c.to.inserted.union(vals)
		}
	}
}

// apply lets predicates hold for the items of a scope that in tells of; nil: all of it.
func (e *eval) apply(preds []pred, sc *scope, in func(*item) bool) {
	holds := func(c *column) bool { return c.item.scope == sc && (in == nil || in(c.item)) }
	for _, p := range preds {
		switch {
		case p.link == nil:
			if holds(p.at) && !p.at.item.shared {
				for _, r := range p.at.rels {
					r.guarantee(p.vals)
				}
			}
		default:
			if holds(p.at) {
				e.edges = append(e.edges, edge{p.link, p.at})
			}
			if holds(p.link) {
				e.edges = append(e.edges, edge{p.at, p.link})
			}
		}
	}
}

// truth is what constants make of a condition.
type truth uint8

const (
	open truth = iota
	yes
	no
	null
	never // no or null
)

// condition gives what an expression guarantees, and whether it is constant.
func (e *eval) condition(x *Expr, v env) ([]pred, truth) {
	if x == nil {
		return nil, yes
	}
	switch x.Op {
	case True:
		return nil, yes
	case False:
		return nil, no
	case Null:
		return nil, null
	case Integer:
		switch {
		case !e.mysql:
			return nil, open
		case x.Text == "0":
			return nil, no
		}
		return nil, yes
	case And:
		var all []pred
		t := yes
		for _, a := range x.Args {
			p, u := e.condition(a, v)
			all = append(all, p...)
			switch {
			case t == yes || u == no:
				t = u
			case u == yes || t == no || t == u:
			default:
				t = never
			}
		}
		if t >= no {
			return nil, t
		}
		return all, t
	case Or:
		return e.either(x, v)
	case Not:
		_, t := e.condition(x.Args[0], v)
		switch t {
		case yes:
			return nil, no
		case no:
			return nil, yes
		case never:
			return nil, open
		}
		return nil, t
	case Equal:
		if a, b := x.Args[0], x.Args[1]; a.Op == Integer && b.Op == Integer {
			if a.Text == b.Text {
				return nil, yes
			}
			return nil, no
		}
		e.inside(x, v)
		return e.equal(x.Args[0], x.Args[1], v), open
	case In:
		e.inside(x, v)
		return e.in(x, v), open
	case Any:
		e.inside(x, v)
		return e.any(x, v), open
	}
	e.inside(x, v)
	return nil, open
}

func (e *eval) either(x *Expr, v env) ([]pred, truth) {
	var all []pred
	t, first := no, true
	for _, a := range x.Args {
		p, u := e.condition(a, v)
		if u < no {
			p = fold(p)
			if first {
				all, first = p, false
			} else {
				all = common(all, p)
			}
		}
		switch {
		case t == no || u == yes:
			t = u
		case u == no || t == yes || t == u:
		case t >= no && u >= no:
			t = never
		default:
			t = open
		}
	}
	return all, t
}

// fold makes of an arm's predicates one for each column; links do not get out of an OR.
func fold(preds []pred) []pred {
	var out []pred
next:
	for _, p := range preds {
		if p.link != nil {
			continue
		}
		for k := range out {
			if out[k].at.same(p.at) {
				best, ok := both(out[k].vals, p.vals)
				if !ok {
					best = set{unknown}
				}
				out[k].vals = best
				continue next
			}
		}
		out = append(out, p)
	}
	return out
}

func common(a, b []pred) []pred {
	var out []pred
	for _, p := range a {
		for _, q := range b {
			if p.at.same(q.at) {
				out = append(out, pred{at: p.at, vals: p.vals.union(q.vals)})
				break
			}
		}
	}
	return out
}

func (c *column) same(d *column) bool {
	if c.item != d.item || len(c.rels) != len(d.rels) {
		return false
	}
	for i := range c.rels {
		if c.rels[i] != d.rels[i] {
			return false
		}
	}
	return true
}

func (e *eval) equal(a, b *Expr, v env) []pred {
	if a.Op == Row && b.Op == Row {
		var out []pred
		for i := range min(len(a.Args), len(b.Args)) {
			out = append(out, e.equal(a.Args[i], b.Args[i], v)...)
		}
		return out
	}
	if a.Op == Row && b.Op == Subquery {
		return e.rowIs(a, set{subquery}, v)
	}
	ca, cb := e.column(a, v), e.column(b, v)
	if ca == nil {
		a, b, ca, cb = b, a, cb, ca
	}
	switch {
	case ca == nil:
		return nil
	case cb != nil:
		return []pred{{at: ca, link: cb}}
	case b.Op == Column:
		return nil // another column: its value is no tenant that the text shows
	}
	return []pred{{at: ca, vals: set{value(b)}}}
}

func (e *eval) rowIs(row *Expr, vals set, v env) []pred {
	var out []pred
	for _, a := range row.Args {
		if c := e.column(a, v); c != nil {
			out = append(out, pred{at: c, vals: vals})
		}
	}
	return out
}

func (e *eval) in(x *Expr, v env) []pred {
	left := x.Args[0]
	if x.Sub != nil {
		if left.Op == Row {
			return e.rowIs(left, set{subquery}, v)
		}
		left = &Expr{Op: Row, Args: []*Expr{left}}
		return e.rowIs(left, set{subquery}, v)
	}
	if left.Op == Row {
		var out []pred
		for pos, a := range left.Args {
			c := e.column(a, v)
			if c == nil {
				continue
			}
			var vals set
			for _, r := range x.Args[1:] {
				if r.Op == Row && pos < len(r.Args) {
					vals = vals.add(value(r.Args[pos]))
				} else {
					vals = vals.add(unknown)
				}
			}
			out = append(out, pred{at: c, vals: vals})
		}
		return out
	}
	c := e.column(left, v)
	if c == nil {
		return nil
	}
	var vals set
	for _, a := range x.Args[1:] {
		vals = vals.add(value(a))
	}
	return []pred{{at: c, vals: vals}}
}

func (e *eval) any(x *Expr, v env) []pred {
	c := e.column(x.Args[0], v)
	if c == nil {
		return nil
	}
	if x.Sub != nil {
		return []pred{{at: c, vals: set{subquery}}}
	}
	return []pred{{at: c, vals: arrayOf(x.Args[1])}}
}
