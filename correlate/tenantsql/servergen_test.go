package tenantsql

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// ownerGenerator writes statements in which tenant columns stand with and without a qualifier, over tables that have one and tables that have not. Many of
// them are ambiguous, which is for the server to say.
type ownerGenerator struct {
	r     *rand.Rand
	mysql bool
	depth int
	n     int
	ctes  []string
}

func (g *ownerGenerator) pick(list ...string) string { return list[g.r.IntN(len(list))] }

func (g *ownerGenerator) chance(percent int) bool { return g.r.IntN(100) < percent }

func (g *ownerGenerator) next() int {
	g.n++
	return g.n
}

func (g *ownerGenerator) value() string { return fmt.Sprintf("'v%d'", g.next()) }

// statement writes one; changes only where the server can take them apart.
func (g *ownerGenerator) statement() string {
	g.depth, g.n, g.ctes = 0, 0, nil
	if g.mysql || g.chance(80) {
		return g.query()
	}
	from, items := g.list()
	target := g.table()
	items = append(items, "x")
	if g.chance(50) {
		set := g.pick("id = 5", "id = 5", "tenant_id = "+g.value(), "tenant_id = "+g.column(items))
		return fmt.Sprintf("update %s x set %s from %s where %s", target, set, from, g.condition(items))
	}
	return fmt.Sprintf("delete from %s x using %s where %s", target, from, g.condition(items))
}

func (g *ownerGenerator) query() string {
	g.depth++
	defer func() { g.depth-- }()
	old := g.ctes
	defer func() { g.ctes = old }()
	with := ""
	if g.depth < 3 && g.chance(12) && !g.mysql { // MariaDB does not take apart what is not used
		name := fmt.Sprintf("w%d", g.next())
		columns := g.pick("", "", "(id)", "(id, tenant_id)", "(tenant_id)", "(id, n)")
		with = fmt.Sprintf("with %s %s as (%s) ", name, columns, g.query())
		g.ctes = append(g.ctes[:len(g.ctes):len(g.ctes)], name)
	}
	from, items := g.list()
	return fmt.Sprintf("%sselect %s from %s where %s", with, g.outputs(items), from, g.condition(items))
}

func (g *ownerGenerator) outputs(items []string) string {
	item := items[g.r.IntN(len(items))]
	if g.depth > 1 && g.chance(25) {
		return g.pick("*", item+".*", item+".*, 1 as n")
	}
	return item + ".id" + g.pick("", "", ", tenant_id", ", "+item+".tenant_id", ", "+item+".tenant_id as n", ", 1 as tenant_id", ", max("+item+".id) over () as tenant_id", ", "+item+".id as n")
}

func (g *ownerGenerator) table() string {
	t := g.pick("invoices", "customers", "line_items", "plans", "countries", "features", "rates", "plans", "countries", "bills", "named", "plain", "other.invoices", "other.plans")
	if !g.mysql && g.chance(10) {
		return "only " + t
	}
	return t
}

func (g *ownerGenerator) item() (text, name string) {
	name = fmt.Sprintf("t%d", g.next())
	switch n := g.r.IntN(20); {
	case n < 3 && g.depth < 3:
		columns := ""
		if !g.mysql {
			columns = g.pick("", "", "", "(id, tenant_id)", "(tenant_id)", "(id)")
		}
		return fmt.Sprintf("(%s) %s %s", g.query(), name, columns), name
	case n < 6 && len(g.ctes) > 0:
		return g.ctes[g.r.IntN(len(g.ctes))] + " " + name, name
	case n == 6 && !g.mysql:
		return fmt.Sprintf("(values (1, 'a'), (2, 'b')) %s (id, %s)", name, g.pick("n", "tenant_id")), name
	case n == 7 && !g.mysql:
		return "generate_series(1, 2) " + name + " (id)", name
	case n == 8 && !g.mysql:
		return g.pick("invoices "+name+" (id, n)", "bills "+name+" (id, n)", "plans "+name+" (id, tenant_id)", "rates "+name+" (id, tenant_id)"), name
	}
	return g.table() + " " + name, name
}

func (g *ownerGenerator) list() (text string, items []string) {
	n := 1 + g.r.IntN(3)
	for i := range n {
		item, name := g.item()
		if i == 0 {
			text, items = item, append(items, name)
			continue
		}
		joined := append(items[:len(items):len(items)], name)
		kind := g.pick("join", "join", "left join", "right join")
		switch k := g.r.IntN(10); {
		case k == 0:
			text += ", " + item
		case k == 1 && !g.mysql:
			text += " " + g.pick("natural join ", "natural left join ", "natural right join ", "natural full join ") + item
		case k < 4:
			text += " " + kind + " " + item + " using (" + g.pick("id", "tenant_id", "tenant_id, id") + ")"
		case k == 4:
			text += " cross join " + item
		default:
			text += " " + kind + " " + item + " on " + g.condition(joined)
		}
		items = joined
	}
	return text, items
}

// column writes a tenant column, mostly without a qualifier.
func (g *ownerGenerator) column(items []string) string {
	if g.chance(65) {
		return "tenant_id"
	}
	return items[g.r.IntN(len(items))] + ".tenant_id"
}

func (g *ownerGenerator) condition(items []string) string {
	parts := make([]string, 1+g.r.IntN(2))
	for i := range parts {
		parts[i] = g.leaf(items)
	}
	return strings.Join(parts, g.pick(" and ", " and ", " and ", " or "))
}

func (g *ownerGenerator) leaf(items []string) string {
	item := items[g.r.IntN(len(items))]
	switch g.r.IntN(12) {
	case 0, 1, 2, 3:
		return g.column(items) + " = " + g.value()
	case 4:
		return g.column(items) + " in (" + g.value() + ", " + g.value() + ")"
	case 5:
		return g.column(items) + " = " + items[g.r.IntN(len(items))] + ".tenant_id"
	case 6, 7:
		return item + ".id = 5"
	case 8:
		if g.depth < 3 {
			return item + ".id in (" + g.ids(items) + ")"
		}
	case 9, 10:
		if g.depth < 3 {
			return g.pick("exists", "exists", "not exists") + " (" + g.ids(items) + ")"
		}
	}
	return "(" + g.column(items) + " = " + g.value() + " or " + item + ".id = 7)"
}

// ids writes a query of one column, whose condition may name what is around it.
func (g *ownerGenerator) ids(around []string) string {
	g.depth++
	defer func() { g.depth-- }()
	from, items := g.list()
	one := items[0]
	if g.chance(30) {
		items = append(items, around...)
	}
	return fmt.Sprintf("select %s.id from %s where %s", one, from, g.condition(items))
}
