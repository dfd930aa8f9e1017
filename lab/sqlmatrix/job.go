package sqlmatrix

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// job is what a program plays, and what is wanted of it.
type job struct {
	run    int
	text   string
	labels []string            // played
	absent []string            // labels that the engine has no text for
	wants  map[string][]want   // by comment: of each execution in turn; one alone holds for all
	of     map[string]string   // comment -> label
	marks  map[string][]string // label -> comments
}

var comments = regexp.MustCompile(`/\* (m:[0-9]+:[a-z-]+:[0-9]+) \*/`)

// newJob writes the job of a driver.
func newJob(d *driver, run int, all []label) *job {
	j := &job{run: run, wants: make(map[string][]want), of: make(map[string]string), marks: make(map[string][]string)}
	var out strings.Builder
	for i, l := range all {
		lines, ok := j.label(d, &l, strconv.Itoa((100+run)*1000+i))
		if !ok {
			j.absent = append(j.absent, l.name)
			continue
		}
		j.labels = append(j.labels, l.name)
		for _, fields := range append(append([][]string{{"label", l.name}}, lines...), []string{"end"}) {
			for k, f := range fields {
				fields[k] = escape(f)
			}
			out.WriteString(strings.Join(fields, "\t") + "\n")
		}
	}
	j.text = out.String()
	return j
}

// label gives the lines of a label. id is part of the keys of what it inserts.
func (j *job) label(d *driver, l *label, id string) (lines [][]string, ok bool) {
	type wanted struct {
		comment string
		wants   []want
	}
	var all []wanted
	var last []string            // fields of the last query
	texts := 0                   // with a comment
	named := map[string]string{} // prepared statement -> comment
	for _, o := range l.ops {
		sql := o.pg
		if d.engine == mysql && o.my != "" {
			sql = o.my
		}
		if sql == "-" {
			return nil, false
		}
		fields := []string{o.do}
		args := make([]string, len(o.args))
		for i, a := range o.args {
			args[i] = strings.ReplaceAll(a, "$ID$", id)
		}
		switch {
		case o.do == "again":
			fields = append(append([]string{}, last[:2]...), args...)
			all = append(all, wanted{all[len(all)-1].comment, o.want})
		case o.do == "execute":
			fields = append(fields, args...)
			all = append(all, wanted{named[args[0]], o.want})
		case sql != "":
			parts := split(sql, d.engine)
			for i := range parts {
				name := fmt.Sprintf("m:%d:%s:%d", j.run, l.name, texts)
				texts++
				parts[i] = tag(parts[i], "/* "+name+" */")
				if o.do == "prepare" {
					named[args[0]] = name
				} else {
					all = append(all, wanted{name, o.want[min(i, len(o.want)-1):][:1]})
				}
			}
			if o.do != "notify" {
				parts = []string{strings.Join(parts, "; ")}
			}
			for i, p := range parts {
				parts[i] = placeholders(strings.ReplaceAll(p, "$ID$", id), d.style)
			}
			switch o.do {
			case "prepare", "cursor", "notify":
				fields = append(append(fields, args[0]), append(parts, args[1:]...)...)
			case "copyin", "loadin":
				fields = append(fields, parts[0], strings.ReplaceAll(o.data, "$ID$", id))
			default:
				fields = append(append(fields, parts...), args...)
			}
			last = fields
		}
		lines = append(lines, fields)
	}
	for _, w := range all {
		j.wants[w.comment] = append(j.wants[w.comment], w.wants...)
		if j.of[w.comment] == "" {
			j.of[w.comment] = l.name
			j.marks[l.name] = append(j.marks[l.name], w.comment)
		}
	}
	return lines, true
}

var numbered = regexp.MustCompile(`\$([0-9])\b`)

// placeholders writes the parameters of a text, which come in order, in a driver's style.
func placeholders(sql, style string) string {
	if style == dollar {
		return sql
	}
	return numbered.ReplaceAllLiteralString(sql, style)
}

func escape(field string) string {
	return strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`).Replace(field)
}
