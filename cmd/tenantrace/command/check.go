package command

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/spf13/pflag"
)

// Report is what the preflight found.
type Report struct {
	Items     []Item    `json:"items"`
	Libraries []Library `json:"libraries"`
}

// Item is one requirement.
type Item struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty"` // absent when OK
}

// Library is a file that holds OpenSSL: a shared library, or an executable that is linked with it.
type Library struct {
	Path      string `json:"path"`
	Device    uint64 `json:"device"`
	Inode     uint64 `json:"inode"`
	BuildID   string `json:"build_id,omitempty"`
	Learned   bool   `json:"offsets_learned"`                   // the places of the peer certificate in its structures are known
	Unknown   string `json:"session_offsets_unknown,omitempty"` // of those, which of its sessions are not, and why
	Error     string `json:"error,omitempty"`                   // why not
	Processes int    `json:"processes"`
}

// OK tells whether tracing can work here: every requirement holds. A library whose offsets are not known does not hinder the others.
func (r *Report) OK() bool {
	for i := range r.Items {
		if !r.Items[i].OK {
			return false
		}
	}
	return true
}

func (p *Program) check() subcommand {
	var asJSON bool
	return subcommand{
		name: "check", summary: "tell whether this host can be traced, and what would be",
		text:  `Exits with 0 when every requirement holds, else with 1. What depends on a missing item is looked at once that is there: then it stands on a line too.`,
		flags: func(set *pflag.FlagSet) { set.BoolVar(&asJSON, "json", false, "print JSON") },
		run: func(ctx context.Context, operands []string) error {
			if err := noOperands(operands); err != nil {
				return err
			}
			report := p.Check(ctx)
			if report.Libraries == nil {
				report.Libraries = []Library{}
			}
			if err := p.printReport(&report, asJSON); err != nil {
				return wrote(err)
			}
			if !report.OK() {
				return errors.New("this host cannot be traced as it is [see the items marked \"missing\"]")
			}
			return nil
		},
	}
}

func (p *Program) printReport(report *Report, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(p.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(struct {
			OK bool `json:"ok"`
			*Report
		}{report.OK(), report})
	}
	out := printing{w: p.Stdout}
	for _, item := range report.Items {
		mark := "ok"
		if !item.OK {
			mark = "missing"
		}
		detail, more, _ := strings.Cut(item.Detail, "\n")
		if more != "" {
			detail += " (--json prints all of it)"
		}
		out.line("%-8s %-23s %s", mark, item.Name, detail)
		if item.Remedy != "" && !item.OK {
			out.line("%-8s %-23s remedy: %s", "", "", item.Remedy)
		}
	}
	out.line("")
	if len(report.Libraries) == 0 {
		out.line("No running process uses OpenSSL; libraries are found when the first does.")
	}
	for _, l := range report.Libraries {
		state := "offsets learned"
		if l.Unknown != "" {
			state += " but for some of sessions: " + l.Unknown
		}
		if !l.Learned {
			state = "offsets not learned: " + l.Error
		}
		out.line("%s: build id %s, %d processes, %s", l.Path, cmp.Or(l.BuildID, "unknown"), l.Processes, state)
	}
	return out.err
}
