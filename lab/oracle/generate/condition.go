package generate

// condition writes a condition about the items in sight.
func (g *Generator) condition(items []string, depth int) []string {
	switch n := g.r.IntN(100); {
	case depth > 3 || n < 50:
		return g.leaf(items)
	case n < 70:
		return cat(g.condition(items, depth+1), words("and"), g.condition(items, depth+1))
	case n < 82:
		return cat(g.condition(items, depth+1), words("or"), g.condition(items, depth+1))
	case n < 94:
		return in("(", g.condition(items, depth+1), ")")
	}
	return cat(words("not ("), g.condition(items, depth+1), words(")"))
}

func (g *Generator) tenant(items []string) []string {
	c := []string{g.column(items, "tenant_id")}
	switch n := g.r.IntN(14); {
	case n == 0:
		return in("(", c, ")")
	case n == 1 && !g.mysql:
		c[0] += "::text"
	}
	return c
}

func (g *Generator) leaf(items []string) []string {
	t := g.tenant(items)
	switch g.r.IntN(24) {
	case 0, 1, 2, 3, 4, 5:
		return cat(t, words("="), g.value(items))
	case 6:
		return cat(g.value(items), words("="), t)
	case 7, 8:
		return cat(t, words("in ("), g.list(1+g.r.IntN(3), func() []string { return g.value(items) }), words(")"))
	case 9, 10, 11:
		return cat(t, words("="), g.tenant(items))
	case 12:
		return cat(words("("), t, words(", id ) = ("), g.value(items), words(", 5 )"))
	case 13:
		return cat(words("( id ,"), t, words(") in ( ( 1 ,"), g.value(items), words(") , ( 2 ,"), g.value(items), words(") )"))
	case 14:
		if g.depth < 2 {
			return cat(t, words("in ("), g.query(), words(")"))
		}
	case 15:
		if g.depth < 2 {
			return cat(g.not(), words("exists ("), g.correlated(items), words(")"))
		}
	case 16:
		if g.chance(15) {
			return append(t, "not in ( 'x' )") // one word: libpg_query takes no comment between NOT and IN
		}
		return cat(t, words(pick(g, "is null", "<> 'x'", "like 'x%'", "between 'a' and 'b'", "> 'a'", "is not null")))
	case 17:
		return words(pick(g, "1 = 0", "1 = 1", "true", "false", "1 <> 1", "2 > 1", "null"))
	case 18:
		return cat([]string{g.column(items, "id")}, words(pick(g, "= 5", "between 1 and 2", "in ( 1 , 2 )", "+ 1 = 2")))
	case 19:
		return cat(words("case when"), t, words("= 'x' then id = 1 and n = 2 else true end"))
	}
	if g.mysql {
		return cat(t, words("<=>"), g.value(items))
	}
	switch g.r.IntN(6) {
	case 0:
		return cat(t, words("= any ("), []string{pick(g, g.param(), g.param()+"::text[]", "'{x,y}'", `'{x,"y"}'`)}, words(")"))
	case 1:
		return cat(t, words("= any ( array ["), g.list(2, func() []string { return g.value(items) }), words("] )"))
	case 2:
		return cat(t, words("is not distinct from"), g.value(items))
	case 3:
		return cat(t, words("operator(pg_catalog.=)"), g.value(items))
	case 4:
		return cat(t, words("<> all ("), []string{g.param()}, words(")"))
	}
	return cat(t, words("is distinct from"), g.value(items))
}

func (g *Generator) not() []string {
	if g.chance(30) {
		return words("not")
	}
	return nil
}

// correlated writes a sub-select that refers to an item around it.
func (g *Generator) correlated(items []string) []string {
	g.depth++
	defer func() { g.depth-- }()
	x := g.name("u")
	inner := append([]string{x}, items...)
	return cat(words("select 1 from"), []string{g.table(), x}, words("where"), []string{x + ".tenant_id"}, words("="),
		[]string{g.column(inner, "tenant_id")}, words("and"), g.condition(inner, 2))
}
