package policy

import (
	"errors"
	"fmt"
	"slices"
)

// maxProblems is the number of problems that one error tells.
const maxProblems = 20

// Problem is one fault of a policy file.
type Problem struct {
	File string // as the caller named it
	Line int    // 1-based; 0: the file as a whole
	Text string // what is wrong, and the remedy in brackets
	Err  error  // its cause, may be nil
}

// Error returns the problem as one line.
func (p *Problem) Error() string {
	text := p.Text
	if p.Err != nil {
		text += ": " + p.Err.Error()
	}
	if p.Line == 0 {
		return fmt.Sprintf("policy %q: %s", p.File, text)
	}
	return fmt.Sprintf("policy %q line %d: %s", p.File, p.Line, text)
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// joinProblems returns one error for all problems, by line; nil without any.
func joinProblems(problems []*Problem) error {
	slices.SortStableFunc(problems, func(a, b *Problem) int { return a.Line - b.Line })
	var all []error
	for i, p := range problems {
		if i == maxProblems {
			all = append(all, fmt.Errorf("policy %q: and %d more", p.File, len(problems)-i))
			break
		}
		all = append(all, p)
	}
	return errors.Join(all...)
}

// nearest returns the candidate that a misspelt word may mean, or "".
func nearest(word string, candidates []string) string {
	best, least := "", min(3, len(word)/2+1)
	for _, c := range candidates {
		if d := distance(word, c); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance is the edit distance of two short words, with the swap of neighbours as one step (optimal string alignment).
func distance(a, b string) int {
	const long = 64
	if len(a) > long || len(b) > long {
		return long
	}
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
