package ir

import "strings"

// same compares names as the server does.
func (e *eval) same(a, b string) bool { return a == b || e.mysql && strings.EqualFold(a, b) }

func isTenant(name string) bool { return strings.EqualFold(name, tenant) }

// column finds the tenant column that an expression is, nil if it is none.
func (e *eval) column(x *Expr, v env) *column {
	if x.Op != Column {
		return nil
	}
	name := x.Names[len(x.Names)-1]
	if isTenant(name) {
		for sc := v.scope; sc != nil; sc = sc.parent {
			for _, it := range sc.items {
				if len(x.Names) == 1 && it.absent || len(x.Names) > 1 && !e.qualifies(x.Names[:len(x.Names)-1], it) {
					continue
				}
				return e.columnOf(it, name)
			}
		}
		return nil
	}
	// A name that a sub-select gives to it.
	if len(x.Names) == 1 {
		if v.scope == nil || len(v.scope.items) != 1 {
			return nil
		}
		return e.renamed(v.scope.items[0], name)
	}
	for sc := v.scope; sc != nil; sc = sc.parent {
		for _, it := range sc.items {
			if e.same(x.Names[len(x.Names)-2], it.name) {
				return e.renamed(it, name)
			}
		}
	}
	return nil
}

func (e *eval) qualifies(names []string, it *item) bool {
	if !e.same(names[len(names)-1], it.name) {
		return false
	}
	return len(names) < 2 || it.schema == "" || e.same(names[len(names)-2], it.schema)
}

func (e *eval) renamed(it *item, name string) *column {
	if it.rel != nil || it.opaque {
		return nil
	}
	return e.output(it, name, false)
}

func (e *eval) columnOf(it *item, name string) *column {
	switch {
	case it.opaque:
		return nil
	case it.rel != nil:
		return &column{rels: []*rel{it.rel}, whole: true, absent: it.absent, item: it}
	}
	return e.output(it, name, true)
}

// output finds a column of a derived item by the name that its first tenant arm gives.
func (e *eval) output(it *item, name string, star bool) *column {
	for _, arm := range it.arms {
		for pos, o := range arm {
			if o.col == nil || !(o.star && star) && (o.star || !e.same(o.name, name)) {
				continue
			}
			c := &column{whole: true, absent: it.absent, item: it}
			for _, a := range it.arms {
				var one *column
				if o.star {
					for _, p := range a {
						if p.star {
							one = p.col
						}
					}
				} else if pos < len(a) && !a[pos].star && !anyStar(a[:pos]) {
					one = a[pos].col
				}
				if one == nil {
					c.whole = false
					continue
				}
				c.rels = append(c.rels, one.rels...)
				c.whole = c.whole && one.whole
				c.absent = c.absent || one.absent
			}
			return c
		}
	}
	return nil
}

func anyStar(arm []output) bool {
	for _, o := range arm {
		if o.star || o.name == "*" {
			return true
		}
	}
	return false
}
