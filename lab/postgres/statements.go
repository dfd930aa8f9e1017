package postgres

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// Statements counts the statements in the server's log, by application name: each statement of a simple Query's text, and each Execute.
// It needs Config.LogStatements. Texts must hold no semicolon within a literal, as the lab's do.
func (c *Cluster) Statements() (map[string]int, error) {
	file, err := os.Open(c.process.Log())
	if err != nil {
		return nil, fmt.Errorf("read log of postgres: %w", err)
	}
	defer file.Close()
	counts := make(map[string]int)
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		application, text, ok := loggedStatement(lines.Text())
		if ok {
			counts[application] += parts(text)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read log of postgres: %w", err)
	}
	return counts, nil
}

// loggedStatement reads a log line with the prefix "%a|%p|". Further lines of a statement begin with a tab and are none.
func loggedStatement(line string) (application, text string, ok bool) {
	application, rest, ok := strings.Cut(line, "|")
	if !ok {
		return "", "", false
	}
	if _, rest, ok = strings.Cut(rest, "|LOG:  "); !ok {
		return "", "", false
	}
	if text, ok = strings.CutPrefix(rest, "statement: "); ok {
		return application, text, true
	}
	if strings.HasPrefix(rest, "execute ") {
		_, text, ok = strings.Cut(rest, ": ")
	}
	return application, text, ok
}

// parts counts the statements in a text.
func parts(text string) int {
	if comment := strings.LastIndex(text, "/*"); comment >= 0 && strings.HasSuffix(text, "*/") {
		text = text[:comment]
	}
	n := 0
	for part := range strings.SplitSeq(text, ";") {
		if strings.TrimSpace(part) != "" {
			n++
		}
	}
	return n
}
