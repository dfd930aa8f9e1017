package policy

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// placeholder is what captures in a template.
const placeholder = "{tenant}"

// maxPattern is the longest template or glob, in bytes.
const maxPattern = 1024

// pattern is a compiled template or glob. "*" is any run of characters within one segment, the empty one included; "**" as a whole segment
// is any number of segments, none included; {tenant} captures a run of at least one character within one segment. It matches the whole text.
//
// A template may allow several captures in one text ("{tenant}-*" in "a-b-c"): it then captures none of them, because a guess would be an
// accusation. Matching is by sets of positions, so that its time is linear in text times pattern, whatever the pattern.
type pattern struct {
	text     string
	sep      byte // of segments; 0: the text is one segment, and "**" is "*"
	fold     bool // compare literals without case
	captures bool
	before   []token // what stands before the capture, or everything
	after    []token
}

type tokenKind uint8

const (
	literal  tokenKind = iota
	star               // "*"
	deepHead           // "**/" at the start
	deepMid            // "/**/"
	deepTail           // "/**" at the end
	deepAll            // "**" alone
)

type token struct {
	kind tokenKind
	text string // of a literal; folded if the pattern folds
}

// compile reads a template. Errors say what to write instead.
func compile(text string, sep byte, fold bool) (pattern, error) {
	p := pattern{text: text, sep: sep, fold: fold}
	switch {
	case text == "":
		return p, errors.New(`is empty (write "*" for any value)`)
	case len(text) > maxPattern:
		return p, fmt.Errorf("is longer than %d bytes", maxPattern)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return p, errors.New("holds control characters or is not UTF-8")
	}
	c := compiler{pattern: &p}
	rest := text
	if sep != 0 {
		double := "**" + string(sep) + "**"
		for strings.Contains(rest, double) {
			rest = strings.ReplaceAll(rest, double, "**")
		}
	}
	for rest != "" {
		n, err := c.next(rest)
		if err != nil {
			return p, err
		}
		rest = rest[n:]
	}
	c.flush()
	if p.captures {
		p.after = c.tokens
	} else {
		p.before = c.tokens
	}
	return p, nil
}

// compiler holds the tokens of the side of the capture that is being read, and the literal text that is not yet a token.
type compiler struct {
	*pattern
	tokens []token
	lit    []byte
	last   string // what the previous step read
}

// next reads one element of rest and returns its length.
func (c *compiler) next(rest string) (n int, err error) {
	defer func() { c.last = rest[:n] }()
	switch {
	case strings.HasPrefix(rest, placeholder):
		if c.captures {
			return 0, fmt.Errorf("has %s twice (one capture, write * for the rest)", placeholder)
		}
		if c.last == "*" || c.last == "**" && c.sep == 0 {
			return 0, errAdjacent
		}
		c.flush()
		c.before, c.tokens, c.captures = c.tokens, nil, true
		return len(placeholder), nil
	case rest[0] == '{' || rest[0] == '}':
		return 0, fmt.Errorf("has an unknown placeholder (only %s captures, write * for any segment)", placeholder)
	case strings.HasPrefix(rest, "***"):
		return 0, errors.New("has *** (write * or **)")
	case strings.HasPrefix(rest, "**") && c.sep != 0:
		return c.deep(rest)
	case rest[0] == '*':
		if c.last == placeholder {
			return 0, errAdjacent
		}
		c.flush()
		c.tokens = append(c.tokens, token{kind: star})
		if strings.HasPrefix(rest, "**") {
			return 2, nil
		}
		return 1, nil
	}
	c.lit = append(c.lit, rest[0])
	return 1, nil
}

var errAdjacent = fmt.Errorf("has * next to %s, so that it could capture any part (put a literal between them)", placeholder)

// deep reads "**", which takes the separators around it with it, so that it may also stand for no segment at all.
func (c *compiler) deep(rest string) (int, error) {
	sep := string(c.sep)
	first := len(c.lit) == 0 && len(c.tokens) == 0 && !c.captures
	end, open := len(rest) == 2, strings.HasPrefix(rest[2:], sep)
	closed := strings.HasSuffix(string(c.lit), sep)
	if !(first || closed) || !(end || open) {
		return 0, fmt.Errorf("has ** inside a segment (write * there, or **%s)", sep)
	}
	if closed {
		c.lit = c.lit[:len(c.lit)-1]
	}
	c.flush()
	n, kind := 2, deepTail
	switch {
	case first && end:
		kind = deepAll
	case first:
		kind, n = deepHead, 3
	case open:
		kind, n = deepMid, 3
	}
	c.tokens = append(c.tokens, token{kind: kind})
	return n, nil
}

func (c *compiler) flush() {
	if len(c.lit) == 0 {
		return
	}
	text := string(c.lit)
	if c.fold {
		text = foldText(text)
	}
	c.tokens = append(c.tokens, token{text: text})
	c.lit = c.lit[:0]
}

// exact tells that the pattern is one literal.
func (p *pattern) exact() bool {
	return !p.captures && len(p.before) == 1 && p.before[0].kind == literal
}
