package sqlmatrix

import "strings"

// split gives the statements of a text, without what is between them. It knows quotes as far as the matrix's statements and what drivers make of them need it:
// a backslash escapes in MySQL and in PostgreSQL's E strings.
func split(sql, engine string) []string {
	var out []string
	begin := 0
	add := func(end int) {
		if s := strings.TrimSpace(sql[begin:end]); s != "" {
			out = append(out, s)
		}
		begin = end + 1
	}
	for i := 0; i < len(sql); i++ {
		switch c := sql[i]; {
		case c == ';':
			add(i)
		case c == '\'' || c == '"' || c == '`':
			escapes := engine == mysql && c != '`' || c == '\'' && i > 0 && (sql[i-1] == 'E' || sql[i-1] == 'e')
			for i++; i < len(sql) && sql[i] != c; i++ { // a doubled quote ends one and begins the next
				if escapes && sql[i] == '\\' {
					i++
				}
			}
		case strings.HasPrefix(sql[i:], "/*"):
			if n := strings.Index(sql[i:], "*/"); n > 0 {
				i += n + 1
			}
		}
	}
	add(len(sql))
	return out
}
