package tenantsql

import "sync"

// maxText is the longest text that is looked at; the rest counts as cut.
const maxText = 1 << 28

// Analyzer reads statements. It is safe for concurrent use.
type Analyzer struct {
	columns  []string // lower case
	paths    []jsonColumn
	settings []string // lower case
	names    []string // columns, and those of paths
	pool     sync.Pool
}

// New makes an Analyzer.
func New(cfg Config) *Analyzer {
	a := &Analyzer{}
	for _, c := range cfg.Columns {
		if p, ok := parseJSONColumn(c); ok {
			a.paths = append(a.paths, p)
			continue
		}
		a.columns = append(a.columns, fold(c))
	}
	for _, c := range cfg.Settings {
		a.settings = append(a.settings, fold(c))
	}
	a.names = append(a.names, a.columns...)
	for _, p := range a.paths {
		a.names = append(a.names, p.column)
	}
	a.pool.New = func() any {
		return &skimmer{columns: a.columns, paths: a.paths, settings: a.settings, onScope: -1, whole: -1}
	}
	return a
}

// Analyze reads the text of one statement; a semicolon may end it. cut tells that the text goes on behind its end. The strings of the result share memory
// with sql where they can.
func (a *Analyzer) Analyze(d Dialect, sql string, cut bool) Statement {
	return a.AnalyzeKnowing(d, sql, cut, nil, 0)
}

// AnalyzeKnowing is Analyze for who knows the answers to asks, the Asks of the same statement.
func (a *Analyzer) AnalyzeKnowing(d Dialect, sql string, cut bool, asks []Ask, answers Answers) Statement {
	if len(sql) > maxText {
		sql, cut = sql[:maxText], true
	}
	s := a.pool.Get().(*skimmer)
	s.lex(d, sql, cut)
	s.st = Statement{Cut: cut || s.capped}
	s.given, s.answers = asks, answers
	s.statement()
	s.propagate()
	s.settle()
	st := s.finish()
	s.reset()
	a.pool.Put(s)
	return st
}
