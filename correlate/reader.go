package correlate

import (
	"tenantrace/collector/event"
	"tenantrace/correlate/bounded"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/settings"
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
	keys     []*tenantsql.Analyzer            // one for each key column
	kept     *bounded.Map[textKey, *analysis] // of all readers
}

type textKey struct {
	by      *tenantsql.Analyzer
	text    string
	dialect tenantsql.Dialect
	cut     bool
	answers tenantsql.Answers // 0: as read without knowing the tables
}

// analysis is what a text says; shared, and but for taught and read immutable.
type analysis struct {
	sql         tenantsql.Statement
	keys        []tenantsql.Statement // beside reader.keys: the same text, as if that column were the tenant column
	fingerprint string
	asks        bool // about tables
	teaches     bool // about them
	taught      lesson
	read        struct { // by whom it was read last with what is known
		from standpoint
		as   *analysis
	}
}

func newReader(cfg tenantsql.Config, keys []policy.KeyColumn, kept *bounded.Map[textKey, *analysis]) reader {
	r := reader{analyzer: tenantsql.New(cfg), kept: kept}
	for i := range keys {
		r.keys = append(r.keys, tenantsql.New(tenantsql.Config{Columns: []string{keys[i].Name}}))
	}
	return r
}

// analyse reads a text without knowing the tables.
func (r *reader) analyse(d tenantsql.Dialect, text string, cut bool) *analysis {
	key := textKey{by: r.analyzer, text: text, dialect: d, cut: cut}
	if a, ok := r.kept.Get(key); ok {
		return a
	}
	return r.make(key, nil)
}

// knowing reads a text once more, by who knows answers to what its analysis asks.
func (r *reader) knowing(a *analysis, d tenantsql.Dialect, text string, cut bool, v *view) *analysis {
	key := textKey{r.analyzer, text, d, cut, v.answers(r, a)}
	if key.answers == 0 {
		return a
	}
	if a, ok := r.kept.Get(key); ok {
		return a
	}
	return r.make(key, a)
}

// make analyses a text, and keeps the analysis. asked is the one whose asks the key has the answers to.
func (r *reader) make(key textKey, asked *analysis) *analysis {
	a, rest := &analysis{}, key.answers
	read := func(by *tenantsql.Analyzer, of func(*analysis) *tenantsql.Statement) tenantsql.Statement {
		var asks []tenantsql.Ask
		if asked != nil {
			asks = of(asked).Asks
		}
		st := by.AnalyzeKnowing(key.dialect, key.text, key.cut, asks, rest)
		rest = rest.From(len(asks))
		a.asks = a.asks || len(st.Asks) > 0
		a.teaches = a.teaches || st.Teaches()
		return st
	}
	a.sql = read(r.analyzer, func(of *analysis) *tenantsql.Statement { return &of.sql })
	a.fingerprint = tenantsql.Fingerprint(a.sql.Shape)
	for i, by := range r.keys {
		a.keys = append(a.keys, read(by, func(of *analysis) *tenantsql.Statement { return &of.keys[i] }))
	}
	if len(key.text) <= maxKeptText {
		r.kept.Put(key, a)
	}
	return a
}

// reading is what a statement says and what it runs.
type reading struct {
	said    *analysis            // the statement as written; nil when unknown
	text    string               // of it
	does    *tenantsql.Statement // what it runs: itself, or what it names; nil when unknown, or when it runs nothing
	ran     *analysis            // that of does; nil when that is
	keys    []tenantsql.Statement
	unknown bool // it runs a statement whose text is not known
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
	a := e.analysis(s, text, cut)
	r := reading{said: a, binds: binds, text: text}
	r.run(a)
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
			r.run(e.analysis(s, does.Body, does.Cut))
		case tenantsql.Declare:
			r.run(e.analysis(s, does.Body, does.Cut))
		case tenantsql.Execute:
			b, ok := find(s.prepared, does.Name)
			if !ok || b.text == "" { // PREPARE … FROM @v
				r.does, r.unknown = nil, true
				return r
			}
			r.args, r.named = r.arguments(s, does.Args), true
			r.run(e.analysis(s, b.text, b.cut))
		case tenantsql.Fetch:
			b, ok := find(s.cursors, does.Name)
			if !ok {
				r.does, r.unknown = nil, true
				return r
			}
			r.args, r.named = b.params, true
			r.run(e.analysis(s, b.text, b.cut))
		default:
			return r
		}
	}
	r.does, r.unknown = nil, true
	return r
}

// analysis reads a text with what is known of the session's tables.
func (e *Engine) analysis(s *session, text string, cut bool) *analysis {
	d, by := s.dialect(), e.rulesOf(s)
	a := by.reader.analyse(d, text, cut)
	if !a.asks {
		return a
	}
	v := e.viewOf(s, by)
	from, same := v.standpoint()
	if same && a.read.from == from && a.read.as != nil {
		return a.read.as
	}
	knowing := by.reader.knowing(a, d, text, cut, &v)
	if same {
		a.read.from, a.read.as = from, knowing
	}
	return knowing
}

// run sets what the statement runs.
func (r *reading) run(a *analysis) { r.ran, r.does, r.keys = a, &a.sql, a.keys }

func find(m *bounded.Map[string, body], name string) (body, bool) {
	if m == nil {
		return body{}, false
	}
	return m.Get(name)
}

// arguments resolves the values that EXECUTE hands over.
func (r *reading) arguments(s *session, args []tenantsql.Value) []param {
	out := make([]param, len(args))
	for i, v := range args {
		switch v.Kind {
		case tenantsql.Literal:
			out[i] = param{known: true, text: v.Text, level: verdict.EvidenceLiteral}
		case tenantsql.Param:
			out[i] = r.param(v.Index)
		case tenantsql.Setting: // MySQL's EXECUTE … USING @v
			if now := s.settings.Get(v.Text); now.State == settings.Known && !s.void {
				out[i] = param{known: true, text: now.Text, level: verdict.EvidenceSession}
			}
		}
	}
	return out
}
