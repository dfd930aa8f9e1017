package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxProblems is the number of problems that one error tells.
const maxProblems = 20

// Problem is one fault of a policy file.
type Problem struct {
	File string // as the caller named it
	Line int    // 1-based; 0: the file as a whole
	Text string // what is wrong, and the remedy in brackets
	Err  error  // its cause, may be nil
	// Hidden tells that the file hides the names of tenants, which the text may hold.
	Hidden bool
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

// Discreet returns an error of Load for a log. Of a file that hides the names of tenants, or that would take the place of one which does (hiding), it
// tells the places alone: what is wrong there may hold names.
func Discreet(err error, hiding bool) error {
	all, ok := err.(interface{ Unwrap() []error })
	if !ok { // the file itself, or its key, cannot be read
		return err
	}
	var places []string
	for _, one := range all.Unwrap() {
		var p *Problem
		if !errors.As(one, &p) {
			continue
		}
		hiding = hiding || p.Hidden
		if place := fmt.Sprintf("%q line %d", p.File, p.Line); !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	if !hiding {
		return err
	}
	return fmt.Errorf("policy %s: wrong, in words that may name tenants [tenantrace policy check shows them]", strings.Join(places, ", "))
}
