package tenantsql

// Literals returns the values of the first literals of a statement, strings and numbers, at most most of them, in their order; "" for one whose value the
// text alone does not tell. Where the text is cut, or from where on the server's settings decide what is a literal, there are none.
func Literals(d Dialect, sql string, cut bool, most int) []string {
	var out []string
	for s := newScanner(d, sql); len(out) < most; {
		t := s.next()
		switch {
		case t.kind == tEnd, t.op(opSemicolon), s.open, s.doubt >= 0 && int(t.start) >= s.doubt, cut && int(t.end) == len(sql):
			return out
		case t.kind == tNumber:
			out = append(out, sql[t.start:t.end])
		case t.kind == tString:
			text, ok := stringText(sql, t, d.mysql())
			if !ok {
				text = ""
			}
			out = append(out, text)
		}
	}
	return out
}
