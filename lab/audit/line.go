// Package audit reads what the daemon wrote and holds it against what the lab knows to be true.
package audit

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// Line is a verdict line, as far as the lab looks at it.
type Line struct {
	Time            time.Time `json:"time"`
	Verdict         string    `json:"verdict"`
	Findings        []string  `json:"findings"`
	Reason          string    `json:"reason"`
	Link            string    `json:"link"`
	EvidenceLevel   string    `json:"evidence_level"`
	IdentityTenant  string    `json:"identity_tenant"`
	DatabaseTenants []string  `json:"database_tenants"`
	PID             int       `json:"pid"`
	TID             int       `json:"tid"`
	Request         *struct {
		ID string `json:"id"`
	} `json:"request"`
	Statement struct {
		Shape string `json:"shape"`
	} `json:"statement"`
}

// RequestID returns the X-Request-ID of the request that the line is linked to, "" if none.
func (l *Line) RequestID() string {
	if l.Request == nil {
		return ""
	}
	return l.Request.ID
}

// Finding is an OCSF Detection Finding, as far as the lab looks at it. JSON is the whole line.
type Finding struct {
	ClassUID   int    `json:"class_uid"`
	ActivityID int    `json:"activity_id"`
	Count      int    `json:"count"`
	Severity   string `json:"severity"`
	Info       struct {
		UID   string `json:"uid"`
		Title string `json:"title"`
	} `json:"finding_info"`
	Evidences []struct {
		Process struct {
			PID int `json:"pid"`
		} `json:"process"`
		HTTPRequest *struct {
			UID string `json:"uid"`
			URL struct {
				Path string `json:"path"`
			} `json:"url"`
		} `json:"http_request"`
	} `json:"evidences"`
	Unmapped struct {
		IdentityTenant string `json:"identity_tenant"`
	} `json:"unmapped"`
	JSON json.RawMessage `json:"-"`
}

// RequestID returns the X-Request-ID of the finding's occurrence, "" if none.
func (f *Finding) RequestID() string {
	if len(f.Evidences) == 0 || f.Evidences[0].HTTPRequest == nil {
		return ""
	}
	return f.Evidences[0].HTTPRequest.UID
}

// ReadLines reads a file of verdict lines.
func ReadLines(path string) ([]Line, error) {
	var lines []Line
	err := EachLine(path, func(text []byte) error {
		var l Line
		if err := json.Unmarshal(text, &l); err != nil {
			return err
		}
		lines = append(lines, l)
		return nil
	})
	return lines, err
}

// ReadFindings reads a file of findings.
func ReadFindings(path string) ([]Finding, error) {
	var findings []Finding
	err := EachLine(path, func(text []byte) error {
		f := Finding{JSON: append([]byte(nil), text...)}
		if err := json.Unmarshal(text, &f); err != nil {
			return err
		}
		findings = append(findings, f)
		return nil
	})
	return findings, err
}

// Occurrences counts the occurrences of findings, by name: the last line of a finding has its count so far.
func Occurrences(findings []Finding) map[string]int {
	last := make(map[string]*Finding)
	for i := range findings {
		last[findings[i].Info.UID] = &findings[i]
	}
	counts := make(map[string]int)
	for _, f := range last {
		counts[f.Info.Title] += f.Count
	}
	return counts
}

// CountLines counts a growing file's complete lines; one that is not there yet has none.
func CountLines(path string) (int, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("count lines: %w", err)
	}
	defer file.Close()
	n, buffer := 0, make([]byte, 1<<16)
	for {
		got, err := file.Read(buffer)
		for _, b := range buffer[:got] {
			if b == '\n' {
				n++
			}
		}
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return 0, fmt.Errorf("count lines: %w", err)
		}
	}
}

// EachLine calls use with each line of a file, which is valid until use returns.
func EachLine(path string, use func([]byte) error) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read what the daemon wrote: %w", err)
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 16<<20)
	for n := 1; scanner.Scan(); n++ {
		if err := use(scanner.Bytes()); err != nil {
			return fmt.Errorf("%s, line %d: %w", path, n, err)
		}
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("read %q: %w", path, err)
	}
	return nil
}
