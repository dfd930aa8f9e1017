package generate

func (g *Generator) insert() []string {
	verb := "insert into"
	if g.mysql {
		verb = pick(g, "insert into", "insert ignore into", "insert", "replace into")
	}
	table := g.table()
	out := cat(words(verb), []string{table})
	at := g.r.IntN(3)
	columns := []string{"id", "n"}
	columns = append(columns[:at], append([]string{"tenant_id"}, columns[at:]...)...)
	row := func() []string {
		var cells []string
		for i := range columns {
			if i > 0 {
				cells = append(cells, ",")
			}
			switch {
			case i != at:
				cells = append(cells, "5")
			case g.chance(8):
				cells = append(cells, "default")
			default:
				cells = append(cells, g.value(nil)...)
			}
		}
		return in("(", cells, ")")
	}
	names := in("(", g.list3(columns), ")")
	switch n := g.r.IntN(10); {
	case n < 5:
		out = cat(out, names, words("values"), g.list(1+g.r.IntN(3), row))
	case n == 5 && g.mysql:
		out = cat(out, words("set n = 1 , tenant_id ="), g.value(nil))
	case n == 6 && !g.mysql:
		out = cat(out, words("( id , tenant_id ) select * from unnest ("), []string{g.param() + "::int[]", ",", g.param() + "::text[]", ")"})
	default:
		out = cat(out, words("( id , tenant_id )"), g.source())
	}
	switch n := g.r.IntN(10); {
	case verb == "replace into":
	case n < 2 && g.mysql:
		out = cat(out, words("on duplicate key update n = 5"))
		if g.chance(40) {
			out = cat(out, words(", tenant_id ="), pick(g, words("values ( tenant_id )"), g.value(nil)))
		}
	case n < 3 && !g.mysql:
		out = cat(out, words("on conflict"), words(pick(g, "( id )", "( tenant_id , id )", "on constraint k")), words("do update set n = 5"))
		if g.chance(40) {
			out = cat(out, words(", tenant_id ="), pick(g, words("excluded.tenant_id"), g.value(nil)))
		}
		if g.chance(40) {
			target := []string{unqualified(table)}
			out = cat(out, words("where"), pick(g, cat([]string{target[0] + ".tenant_id"}, words("= excluded.tenant_id")), g.condition(target, 2)))
		}
	case n == 3 && !g.mysql:
		out = cat(out, words("on conflict do nothing"))
	}
	if !g.mysql && g.chance(20) {
		out = cat(out, words("returning id"))
	}
	return out
}

// source writes a query with two output columns.
func (g *Generator) source() []string {
	from, items := g.from()
	second := pick(g, []string{g.column(items, "tenant_id")}, g.value(items))
	out := cat(words("select"), []string{g.column(items, "id"), ","}, second, words("from"), from)
	return cat(out, words("where"), g.condition(items, 1))
}

func (g *Generator) list3(names []string) (out []string) {
	for i, n := range names {
		if i > 0 {
			out = append(out, ",")
		}
		out = append(out, n)
	}
	return out
}

func unqualified(table string) string {
	for i := len(table) - 1; i >= 0; i-- {
		if table[i] == '.' {
			return table[i+1:]
		}
	}
	return table
}

// assigned writes assignments to columns of a table.
func (g *Generator) assigned(prefix string, items []string) []string {
	out := words(prefix + "n = 5")
	if g.chance(40) {
		out = cat(out, words(", "+prefix+"tenant_id ="), pick(g, g.value(items), []string{g.column(items, "tenant_id")}))
	}
	if !g.mysql && g.chance(10) {
		out = cat(out, words(", ( id , tenant_id ) = ( 1 ,"), g.value(items), words(")"))
	}
	return out
}

func (g *Generator) update() []string {
	g.depth++
	defer func() { g.depth-- }()
	with := g.maybeWith()
	if g.mysql {
		from, items := g.from()
		prefix := items[0] + "."
		return cat(with, words("update"), from, words("set"), g.assigned(prefix, items), words("where"), g.condition(items, 0))
	}
	x := g.name("x")
	items := []string{x}
	out := cat(with, words("update"), []string{g.table(), x}, words("set"))
	var from []string
	if g.chance(40) {
		f, more := g.from()
		from, items = cat(words("from"), f), append(items, more...)
	}
	out = cat(out, g.assigned("", items), from, words("where"), g.condition(items, 0))
	if g.chance(20) {
		out = cat(out, words("returning"), []string{x + ".id"})
	}
	return out
}

func (g *Generator) maybeWith() []string {
	if g.chance(10) {
		return g.with()
	}
	return nil
}

func (g *Generator) remove() []string {
	g.depth++
	defer func() { g.depth-- }()
	with := g.maybeWith()
	if g.mysql && g.chance(50) {
		from, items := g.from()
		names := []string{items[0]}
		where := cat(words("where"), g.condition(items, 0))
		if g.chance(30) {
			return cat(with, words("delete from"), names, words("using"), from, where)
		}
		return cat(with, words("delete"), names, words("from"), from, where)
	}
	x := g.name("x")
	items := []string{x}
	out := cat(with, words("delete from"), []string{g.table()})
	if g.mysql {
		items = nil
	} else {
		out = append(out, x)
		if g.chance(40) {
			f, more := g.from()
			out, items = cat(out, words("using"), f), append(items, more...)
		}
	}
	return cat(out, words("where"), g.condition(items, 0))
}

func (g *Generator) merge() []string {
	g.depth++
	defer func() { g.depth-- }()
	source, name := g.item(nil)
	items := []string{"x", name}
	out := cat(words("merge into"), []string{g.table(), "x", "using"}, source, words("on"), g.condition(items, 1))
	for range 1 + g.r.IntN(2) {
		switch g.r.IntN(5) {
		case 0:
			out = cat(out, words("when matched then update set"), g.assigned("", items))
		case 1:
			out = cat(out, words("when matched and x.n > 1 then delete"))
		case 2:
			out = cat(out, words("when not matched then insert ( id , tenant_id ) values ( 1 ,"), pick(g, g.value([]string{name}), []string{name + ".tenant_id"}), words(")"))
		case 3:
			out = cat(out, words("when not matched by source then"), words(pick(g, "delete", "do nothing")))
		default:
			out = cat(out, words("when matched then do nothing"))
		}
	}
	return out
}
