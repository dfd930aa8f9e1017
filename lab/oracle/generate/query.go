package generate

// query writes a query; its first output column is id, its second tenant_id.
func (g *Generator) query() []string {
	g.depth++
	defer func() { g.depth-- }()
	old := g.ctes
	defer func() { g.ctes = old }()
	var with []string
	if g.depth < 3 && g.chance(15) {
		with = g.with()
	}
	one := g.selection()
	if g.chance(12) && g.depth < 3 {
		one = cat(one, words(pick(g, "union", "union all", "except", "intersect")), g.selection())
	}
	if g.chance(20) {
		one = cat(one, words("order by 1"))
	}
	if g.chance(20) {
		one = cat(one, words("limit 21"))
	}
	return cat(with, one)
}

func (g *Generator) with() []string {
	out := words("with")
	if g.chance(15) {
		out = words("with recursive")
	}
	for i := range 1 + g.r.IntN(2) {
		name := g.name("w")
		if i > 0 {
			out = append(out, ",")
		}
		out = append(out, name)
		switch n := g.r.IntN(10); {
		case n < 2:
			out = append(out, words("( id , tenant_id )")...)
		case n == 2 && !g.mysql:
			out = append(out, words("( id , tenant_id ) as ( values ( 1 ,")...)
			out = cat(out, g.value(nil), words(") , ( 2 ,"), g.value(nil), words(") )"))
			g.ctes = append(g.ctes, name)
			continue
		}
		out = append(out, "as")
		if !g.mysql && g.chance(20) {
			out = append(out, words(pick(g, "materialized", "not materialized"))...)
		}
		out = append(out, in("(", g.query(), ")")...)
		g.ctes = append(append([]string(nil), g.ctes...), name)
	}
	return out
}

func (g *Generator) selection() []string {
	if g.depth > 1 && g.chance(5) && !g.mysql {
		return cat(words("values ( 1 ,"), g.value(nil), words(")"))
	}
	from, items := g.from()
	out := words("select")
	if g.chance(10) {
		out = append(out, "distinct")
	}
	out = cat(out, g.outputs(items), words("from"), from)
	if g.chance(85) {
		out = cat(out, words("where"), g.condition(items, 0))
	}
	if g.chance(5) {
		out = cat(out, words("group by"), []string{g.column(items, "id"), ",", g.column(items, "tenant_id")}, words("having count(*) > 1"))
	}
	return out
}

func (g *Generator) outputs(items []string) []string {
	switch g.r.IntN(10) {
	case 0:
		return []string{"*"}
	case 1:
		return []string{pick(g, items...) + ".*"}
	case 2:
		return []string{g.column(items, "id"), ",", g.column(items, "tenant_id"), "as", "tenant_id"}
	case 3:
		return []string{g.column(items, "id"), ",", "max(", g.column(items, "tenant_id"), ")", "as", "tenant_id"}
	case 4:
		if g.depth < 2 {
			return cat([]string{g.column(items, "id"), ",", g.column(items, "tenant_id"), ",", "("}, g.correlated(items), words(") as m"))
		}
	case 5:
		return cat([]string{g.column(items, "id"), ",", g.column(items, "tenant_id"), ","}, words("rank() over ( order by id ) as r"))
	case 6:
		return cat([]string{g.column(items, "id"), ","}, g.value(items), words("as tenant_id"))
	}
	return []string{g.column(items, "id"), ",", g.column(items, "tenant_id")}
}

// from writes a FROM list and gives the names of its items.
func (g *Generator) from() (out, items []string) {
	n := 1
	if g.depth < 3 {
		n += g.r.IntN(3)
	}
	for i := range n {
		item, name := g.item(items)
		switch {
		case i == 0:
			out = item
		case g.chance(20):
			out = cat(out, words(","), item)
		default:
			both := append(append([]string(nil), items...), name)
			out = cat(out, g.join_(item, both))
			if g.chance(10) && i == 1 && !g.mysql {
				out = in("(", out, ")")
			}
		}
		items = append(items, name)
	}
	return out, items
}

func (g *Generator) join_(item, items []string) []string {
	kind := pick(g, "join", "inner join", "left join", "left outer join", "right join", "cross join", "full join", "join")
	switch {
	case kind == "full join" && g.mysql:
		kind = "cross join" // with a condition: without one, MySQL's joins bind to the right
	case kind == "cross join" && !g.mysql:
		return cat(words(kind), item)
	case len(items) == 2 && g.chance(25): // else, which item of the left side has the column is not to be seen
		return cat(words(kind), item, words("using (")[:1], words("( tenant_id )"))
	}
	return cat(words(kind), item, words("on"), g.condition(items, 2))
}

func (g *Generator) item(before []string) (out []string, name string) {
	name = g.name("t")
	switch n := g.r.IntN(20); {
	case n < 3 && g.depth < 3:
		if n == 0 && len(before) > 0 && g.chance(50) {
			return cat(words("lateral ("), g.correlated(before), words(")"), []string{name}), name
		}
		return cat(words("("), g.query(), words(")"), []string{name}), name
	case n == 3 && !g.mysql:
		return cat(words("( values ( 1 ,"), g.value(nil), words(") , ( 2 ,"), g.value(nil), words(") )"), []string{name}, words("( id , tenant_id )")), name
	case n == 4 && !g.mysql:
		return cat(words("unnest ("), []string{g.param() + "::text[]"}, words(") as"), []string{name}, words("( tenant_id )")), name
	case n < 8 && len(g.ctes) > 0:
		return []string{pick(g, g.ctes...), name}, name
	case n == 9 && !g.mysql:
		return words("generate_series ( 1 , 2 ) " + name), name
	case n == 10:
		t := pick(g, "a", "b", "c")
		g.plain[t] = true
		return []string{t}, t
	}
	g.plain[name] = true
	out = []string{g.table()}
	if g.chance(20) {
		out = append(out, "as")
	}
	return append(out, name), name
}
