// Package generate writes statements at random: each construct that a tenant can stand in, nested in the others. The same seed gives the same statements.
package generate

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
)

// Generator writes statements of one dialect.
type Generator struct {
	r      *rand.Rand
	mysql  bool
	depth  int
	names  int
	params int
	ctes   []string
	plain  map[string]bool // items that are tables
}

// New makes a Generator.
func New(seed uint64, mysql bool) *Generator {
	return &Generator{r: rand.New(rand.NewPCG(seed, 1)), mysql: mysql}
}

// Statement writes a statement.
func (g *Generator) Statement() string {
	g.depth, g.names, g.params, g.ctes, g.plain = 0, 0, 0, nil, make(map[string]bool)
	var t []string
	switch n := g.r.IntN(100); {
	case n < 56:
		t = g.query()
	case n < 72:
		t = g.insert()
	case n < 84:
		t = g.update()
	case n < 95 || g.mysql:
		t = g.remove()
	default:
		t = g.merge()
	}
	return g.join(t)
}

func (g *Generator) chance(percent int) bool { return g.r.IntN(100) < percent }

func pick[T any](g *Generator, list ...T) T { return list[g.r.IntN(len(list))] }

// join puts white space, comments and other letters' case between and into the words.
func (g *Generator) join(words []string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			switch n := g.r.IntN(60); {
			case n == 0:
				b.WriteString(" /* or tenant_id = 'no' */ ")
			case n == 1:
				b.WriteString(" -- and ('\n")
			case n == 2:
				b.WriteString("\n\t")
			case n == 3 && g.mysql:
				b.WriteString(" # ` ' (\n")
			case n == 3:
				b.WriteString(" /* /* ' */ */ ")
			default:
				b.WriteByte(' ')
			}
		}
		if w == strings.ToLower(w) && isWord(w) && g.chance(30) {
			w = strings.ToUpper(w)
		}
		b.WriteString(w)
	}
	return b.String()
}

// isWord tells whether a word may be written in capitals: keywords are the words of more than three letters without digits, and no column.
func isWord(w string) bool {
	for _, c := range w {
		if c < 'a' || c > 'z' {
			return false
		}
	}
	return len(w) > 3 && w != "orders" && w != "items"
}

func words(text string) []string { return strings.Fields(text) }

func cat(parts ...[]string) (out []string) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func in(open string, inner []string, end string) []string {
	return cat([]string{open}, inner, []string{end})
}

func (g *Generator) list(n int, one func() []string) (out []string) {
	for i := range n {
		if i > 0 {
			out = append(out, ",")
		}
		out = append(out, one()...)
	}
	return out
}

func (g *Generator) name(prefix string) string {
	g.names++
	return fmt.Sprintf("%s%d", prefix, g.names)
}

// table writes the name of a table.
func (g *Generator) table() string {
	t := pick(g, "a", "b", "c", "orders", "items")
	switch n := g.r.IntN(10); {
	case n == 0:
		return "s." + t
	case n == 1:
		return g.quote(t)
	case n == 2:
		return g.quote("s") + "." + g.quote(t)
	}
	return t
}

func (g *Generator) quote(name string) string {
	if g.mysql {
		return "`" + name + "`"
	}
	return `"` + name + `"`
}

// column writes a column of one of the items in sight. Without a qualifier it stands only where a grammar can tell whose it is, at a lone table: every table
// has every column here, so that a server would not take it elsewhere. Which of several tables has a column is asked of servers, in correlate/tenantsql.
func (g *Generator) column(items []string, name string) string {
	if g.chance(20) {
		name = g.quote(name)
	}
	if bare := g.chance(20); len(items) == 0 || bare && len(items) == 1 && g.plain[items[0]] {
		return name
	}
	return pick(g, items...) + "." + name
}

func (g *Generator) param() string {
	if g.mysql {
		return "?"
	}
	g.params++
	return fmt.Sprintf("$%d", 1+g.r.IntN(6))
}

// value writes an expression for a tenant.
func (g *Generator) value(items []string) []string {
	switch g.r.IntN(22) {
	case 0, 1, 2, 3, 4:
		return []string{pick(g, "'x'", "'y'", "'acme'", "'it''s'", "'a b'", "''")}
	case 5, 6, 7:
		return []string{g.param()}
	case 8:
		return []string{pick(g, "1", "42", "007", "-5", "+ 7")}
	case 9:
		return []string{"null"}
	case 10:
		return []string{"lower(", "'x'", ")"}
	case 11:
		return in("(", g.value(items), ")")
	case 12:
		return cat(words("cast("), g.value(items), words("as char )"))
	case 13:
		if g.depth < 2 {
			return in("(", g.query(), ")")
		}
	case 14:
		return []string{pick(g, "'x'", "5"), pick(g, "+", "-"), "1"}
	case 15:
		return []string{g.column(items, pick(g, "id", "n"))}
	case 16:
		return []string{pick(g, "1.5", "1e3", "true")}
	}
	if g.mysql {
		return g.mysqlValue()
	}
	return g.postgresValue(items)
}

func (g *Generator) mysqlValue() []string {
	switch g.r.IntN(9) {
	case 0:
		return []string{`"x"`}
	case 1:
		return []string{`'it\'s'`}
	case 2:
		return []string{"_utf8mb4'x'"}
	case 3:
		return []string{"@tenant"}
	case 4:
		return []string{"0x61"}
	case 5:
		return []string{"convert", "(", "'x'", "using", "utf8mb4", ")"}
	case 6:
		return []string{"binary", "'x'"}
	case 7:
		return []string{`"a\\b"`}
	}
	return []string{"n'x'"}
}

func (g *Generator) postgresValue(items []string) []string {
	switch g.r.IntN(12) {
	case 0:
		return []string{`E'it\'s'`}
	case 1:
		return []string{"$$x'y$$"}
	case 2:
		return []string{"$t$x$t$"}
	case 3:
		return []string{"'x'::" + pick(g, "text", "uuid", "varchar(3)")}
	case 4:
		return []string{g.param() + "::uuid"}
	case 5:
		return words("current_setting ( 'app.tenant_id' , true )")
	case 6:
		return words("nullif ( current_setting ( 'app.tenant_id' ) , '' )::uuid")
	case 7:
		return words("( select current_setting ( 'app.tenant_id' ) )")
	case 8:
		return []string{`U&'\0061'`}
	case 9:
		return []string{"'x'", "collate", `"C"`}
	case 10:
		return []string{"coalesce(", g.param(), ",", g.column(items, "tenant_id"), ")"}
	}
	return []string{"uuid", "'x'"}
}

// Many writes n distinct texts; one in eight is two statements.
func Many(seed uint64, mysql bool, n int) []string {
	g := New(seed, mysql)
	seen := make(map[string]bool, n)
	out := make([]string, 0, n)
	for len(out) < n {
		sql := g.Statement()
		if g.chance(12) {
			sql += pick(g, ";", " ; ", ";\n-- ;\n") + g.Statement()
		}
		if !seen[sql] {
			seen[sql] = true
			out = append(out, sql)
		}
	}
	return out
}

// Count is how many statements a test generates: ORACLE_COUNT, else 4,000.
func Count() int {
	if n, err := strconv.Atoi(os.Getenv("ORACLE_COUNT")); err == nil && n > 0 {
		return n
	}
	return 4000
}
