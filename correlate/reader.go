package correlate

import (
	"tenantrace/collector/event"
	"tenantrace/correlate/bounded"
	"tenantrace/correlate/tenantsql"
	"tenantrace/correlate/verdict"
)

// maxKeptText is the longest SQL text whose analysis is kept, in bytes.
const maxKeptText = 2048

// maxNesting is how deep statements may name statements: EXPLAIN ANALYZE EXECUTE x, say.
const maxNesting = 4

// reader analyses SQL texts and keeps the analyses of those used last.
type reader struct {
	analyzer *tenantsql.Analyzer
	kept     *bounded.Map[textKey, *analysis]
}

type textKey struct {
	text    string
	dialect tenantsql.Dialect
	cut     bool
}

// analysis is what a text says; shared and immutable.
type analysis struct {
	sql         tenantsql.Statement
	fingerprint string
}

func newReader(cfg tenantsql.Config, texts int) reader {
	return reader{analyzer: tenantsql.New(cfg), kept: bounded.New[textKey, *analysis](texts, nil)}
}

func (r *reader) analyse(d tenantsql.Dialect, text string, cut bool) *analysis {
	key := textKey{text, d, cut}
	if a, ok := r.kept.Get(key); ok {
		return a
	}
	a := &analysis{sql: r.analyzer.Analyze(d, text, cut)}
	a.fingerprint = tenantsql.Fingerprint(a.sql.Shape)
	if len(text) <= maxKeptText {
		r.kept.Put(key, a)
	}
	return a
}

// reading is what a statement says and what it runs.
type reading struct {
	said    *analysis            // the statement as written; nil when unknown
	does    *tenantsql.Statement // what it runs: itself, or what it names; nil when unknown, or when it runs nothing
	unknown bool                 // it runs a statement whose text is not known
	binds   []event.Param
	args    []param         // of EXECUTE, instead of binds
	named   bool            // args are in force
	sets    [][]event.Param // of a bulk execution, which binds each in turn
	setsCut bool            // there are more
}

// param is the value of a parameter.
type param struct {
	known bool // neither NULL nor unknown
	text  string
	level verdict.EvidenceLevel
}

func (r *reading) param(index int) param {
	if r.named {
		if index >= 1 && index <= len(r.args) {
			return r.args[index-1]
		}
		return param{}
	}
	if index >= 1 && index <= len(r.binds) {
		if b := &r.binds[index-1]; b.Known && !b.Null {
			return param{known: true, text: b.Value, level: verdict.EvidenceBind}
		}
	}
	return param{}
}

// read finds out what a statement runs in its session.
func (e *Engine) read(s *session, text string, cut bool, binds []event.Param) reading {
	d := s.dialect()
	a := e.reader.analyse(d, text, cut)
	r := reading{said: a, does: &a.sql, binds: binds}
	for range maxNesting {
		does := r.does
		switch does.Kind {
		case tenantsql.Prepare:
			r.does = nil
			return r
		case tenantsql.Explain:
			if !does.Analyze {
				r.does = nil
				return r
			}
			r.does = &e.reader.analyse(d, does.Body, does.Cut).sql
		case tenantsql.Declare:
			r.does = &e.reader.analyse(d, does.Body, does.Cut).sql
		case tenantsql.Execute:
			b, ok := find(s.prepared, does.Name)
			if !ok {
				r.does, r.unknown = nil, true
				return r
			}
			r.args, r.named = r.arguments(does.Args), true
			r.does = &e.reader.analyse(d, b.text, b.cut).sql
		case tenantsql.Fetch:
			b, ok := find(s.cursors, does.Name)
			if !ok {
				r.does, r.unknown = nil, true
				return r
			}
			r.args, r.named = b.params, true
			r.does = &e.reader.analyse(d, b.text, b.cut).sql
		default:
			return r
		}
	}
	r.does, r.unknown = nil, true
	return r
}

func find(m *bounded.Map[string, body], name string) (body, bool) {
	if m == nil {
		return body{}, false
	}
	return m.Get(name)
}

// arguments resolves the values that EXECUTE hands over.
func (r *reading) arguments(args []tenantsql.Value) []param {
	out := make([]param, len(args))
	for i, v := range args {
		switch v.Kind {
		case tenantsql.Literal:
			out[i] = param{known: true, text: v.Text, level: verdict.EvidenceLiteral}
		case tenantsql.Param:
			out[i] = r.param(v.Index)
		}
	}
	return out
}
