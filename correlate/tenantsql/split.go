package tenantsql

import "strings"

// Split cuts a text into its statements, at each semicolon outside of strings, dollar quotes, quoted names and comments; parentheses make no
// difference. A statement is given as written between two semicolons, without the white space around it. Statements that are empty or only comments are
// left out: the server does not run them. Of a cut text (cut) the end is left out if it may be the beginning of a comment.
//
// The body of a function in the form BEGIN ATOMIC … END is split as well.
func Split(d Dialect, sql string, cut bool) []string {
	if one := strings.IndexByte(sql, ';'); !cut && (one < 0 || one == len(sql)-1) && startsWithWord(sql) {
		return []string{trim(strings.TrimSuffix(sql, ";"))} // most texts: nothing to scan for
	}
	var out []string
	s := newScanner(d, sql)
	from := 0
	var last token
	some := 0 // tokens since from
	flush := func(end int) {
		if some > 0 {
			out = append(out, trim(sql[from:end]))
		}
		from, some = s.pos, 0
	}
	for {
		t := s.next()
		switch {
		case t.kind == tEnd:
			if cut && some == 1 && int(last.end) == len(sql) && (last.op(opMinus) || last.op(opSlash)) {
				return out
			}
			flush(len(sql))
			return out
		case t.op(opSemicolon):
			flush(int(t.start))
		default:
			last = t
			some++
		}
	}
}

// startsWithWord tells whether a text begins with a letter, so that it is neither empty nor only a comment.
func startsWithWord(s string) bool {
	return s != "" && (s[0]|0x20) >= 'a' && (s[0]|0x20) <= 'z'
}

func trim(s string) string {
	for len(s) > 0 && isSpace(s[0]) {
		s = s[1:]
	}
	for len(s) > 0 && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}
