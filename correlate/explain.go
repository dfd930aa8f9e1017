package correlate

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"tenantrace/collector/event"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/tenantsql"
	"tenantrace/correlate/verdict"
)

// Case is a request with a statement, as it might come.
type Case struct {
	Process     policy.Process
	Certificate *event.Certificate // verified, of the request's own connection; nil: TLS without one
	Path        string             // "" is "/"
	Fields      []event.HTTPField  // names in lower case
	Status      int                // 0 is 200

	Engine   event.Engine // "" is PostgreSQL
	Server   string       // "" is the engine's usual port on this host
	Database string
	User     string
	Settings map[string]string // of the session's start
	// Directory is what the application has looked up in its tenant directory before: ids by name.
	Directory map[string][]string
	SQL       []string // statements, in their order
	Params    []string // bind values of each
	Rows      []Row    // that the last one returns

	Time time.Time
}

// Row is a returned row: values by column name.
type Row map[string]string

// Judged is a statement of a Case with its verdict and what led to it.
type Judged struct {
	*verdict.Statement
	Evidence []string // what it shows, in words
	Exempt   string   // by what it is exempt; "" if it is not
	Asked    []string // what the exemptions say of it, in words, if they were asked
}

// Answer is what becomes of a Case.
type Answer struct {
	Statements []Judged
	Findings   []*verdict.Finding
	Request    []string // what the rules for requests read and exempt, in words
	// Assumed are the tenants that neither the policy nor the certificate knows, sorted: an engine that has not met them yet would end as
	// tenant_unknown what here accuses.
	Assumed []string
}

// Explain plays a case to an engine that takes every name for a tenant's, and tells what it says.
func Explain(p *policy.Policy, c *Case) (*Answer, error) {
	out := &Answer{}
	e, err := New(Config{Policy: p, Finding: func(f *verdict.Finding) { out.Findings = append(out.Findings, f) }})
	if err != nil {
		return nil, err
	}
	e.names.anything, e.plain = true, true
	e.setVeil(p)
	var asked []string
	own := p.For(&c.Process)
	e.explainUse = func(use policy.Use) { asked = own.ExplainUse(use) }
	e.explain = func(_ *unit, o outcome, line *verdict.Statement) {
		j := Judged{Statement: line, Exempt: o.exempt, Asked: asked}
		asked = nil
		for _, s := range o.shown {
			j.Evidence = append(j.Evidence, s.String())
		}
		out.Statements = append(out.Statements, j)
	}
	play := player{engine: e, now: c.Time.UnixNano(), of: c}
	play.run()
	e.Close()
	out.Request = own.ExplainRequest(c.target(), c.field)
	for _, text := range asked { // by the request as a whole
		out.Request = append(out.Request, "request: "+text)
	}
	e.names.anything = false
	for _, tenant := range play.tenants(out) {
		if !e.knows(play.process(), tenant) && !slices.Contains(out.Assumed, tenant) {
			out.Assumed = append(out.Assumed, tenant)
		}
	}
	slices.Sort(out.Assumed)
	return out, nil
}

// String describes what was observed.
func (o observed) String() string {
	how := map[source]string{
		fromRead: "of what is read", fromWritten: "of what is written", fromRow: "in a row", fromSession: "of the session",
	}[o.source]
	text := fmt.Sprintf("%q by %s evidence %s", o.tenant, o.level, how)
	if o.weak {
		text += ", which may confirm but not accuse"
	}
	return text
}

// player plays a case to an engine.
type player struct {
	engine *Engine
	now    int64
	of     *Case
}

const (
	playedPID    = 1
	playedClient = event.ConnID(1)
	playedDB     = event.ConnID(2)
	playedTable  = 1 // OID of the table that rows come from
)

func (p *player) head() event.Header {
	p.now += int64(time.Millisecond)
	return event.Header{Time: p.now, PID: playedPID, TID: playedPID}
}

func (p *player) process() *process { return p.engine.process(playedPID) }

func (p *player) run() {
	c, e := p.of, p.engine
	service := c.Process.Unit
	if service = strings.TrimSuffix(service, ".service"); service == "" {
		service = path.Base("/" + c.Process.Exe)
	}
	cgroup := c.Process.Cgroup
	if cgroup == "" && c.Process.Unit != "" {
		cgroup = "/system.slice/" + service + ".service"
	} else if cgroup == "" {
		cgroup = "/"
	}
	e.Handle(&event.ProcessStarted{Header: p.head(), Exe: c.Process.Exe, Name: c.Process.Name, Service: service, Cgroup: cgroup})
	if at := c.Process; len(at.PIDFiles) > 0 || at.Image != "" || at.Namespace != "" || at.Pod != "" || at.Container != "" {
		e.Handle(&event.ProcessPlaced{
			Header: p.head(), PIDFiles: at.PIDFiles, Image: at.Image, Namespace: at.Namespace, Pod: at.Pod, Container: at.Container,
		})
	}
	local := "" // not known
	if len(c.Process.Listen) > 0 {
		local = fmt.Sprintf("127.0.0.1:%d", c.Process.Listen[0])
	}
	e.Handle(&event.ConnectionOpened{
		Header: p.head(), Conn: playedClient, Role: event.RoleServer, TLS: true, Net: "tcp", Local: local, Remote: "127.0.0.1:49152",
	})
	e.Handle(&event.Identity{
		Header: p.head(), Conn: playedClient, Role: event.RoleServer, Certificate: c.Certificate, VerifyMode: 3, Version: "1.3", Source: "ssl",
	})
	for name, ids := range c.Directory {
		for _, id := range ids {
			service, tenant := e.service(p.process()), policy.Normalize(id)
			e.directory.learn(service, policy.Normalize(name), tenant)
			e.names.learn(service, tenant)
		}
	}
	e.Handle(&event.HTTPRequest{Header: p.head(), Conn: playedClient, Seq: 1, Version: "HTTP/1.1", Method: "GET", Path: c.target(), Fields: c.Fields})
	p.session()
	status := c.Status
	if status == 0 {
		status = 200
	}
	e.Handle(&event.HTTPResponse{Header: p.head(), Conn: playedClient, Seq: 1, Status: status})
	e.Handle(&event.HTTPResponseEnd{Header: p.head(), Conn: playedClient, Seq: 1})
}

func (p *player) session() {
	c, e := p.of, p.engine
	engine, server := c.Engine, c.Server
	if engine == "" {
		engine = event.PostgreSQL
	}
	if server == "" {
		if server = "127.0.0.1:5432"; engine == event.MySQL {
			server = "127.0.0.1:3306"
		}
	}
	e.Handle(&event.ConnectionOpened{Header: p.head(), Conn: playedDB, Role: event.RoleClient, Net: "tcp", Local: "127.0.0.1:49153", Remote: server})
	e.Handle(&event.SessionStarted{Header: p.head(), Conn: playedDB, Engine: engine, Database: c.Database, User: c.User, Settings: c.Settings})
	dialect := tenantsql.PostgreSQL
	if engine == event.MySQL {
		dialect = tenantsql.MySQL
	}
	analyzer := tenantsql.New(tenantsql.Config{})
	status := event.TxIdle
	for i, text := range c.SQL {
		seq := uint64(i + 1)
		said := analyzer.Analyze(dialect, text, false)
		ev := &event.Statement{Header: p.head(), Conn: playedDB, Seq: seq, Simple: len(c.Params) == 0, Text: text}
		for _, v := range c.Params {
			ev.Params = append(ev.Params, event.Param{Known: true, Value: v})
		}
		e.Handle(ev)
		result := &event.Result{Header: p.head(), Conn: playedDB, Seq: seq, Last: true, Tag: tagOf(&said)}
		if i == len(c.SQL)-1 {
			p.rows(result)
		}
		e.Handle(result)
		switch said.Kind {
		case tenantsql.Begin:
			status = event.TxOpen
		case tenantsql.Commit, tenantsql.Rollback:
			status = event.TxIdle
		}
		e.Handle(&event.SessionReady{Header: p.head(), Conn: playedDB, Status: status})
	}
}

// rows adds the rows of the case to a result, with the columns that the policy wants.
func (p *player) rows(r *event.Result) {
	for i, column := range p.engine.policy.Columns() {
		if slices.ContainsFunc(p.of.Rows, func(row Row) bool { _, ok := row[column]; return ok }) {
			r.Columns = append(r.Columns, event.Column{Name: column, Table: playedTable, Attr: int16(i + 1), Owner: column})
		}
	}
	for _, row := range p.of.Rows {
		var values []*string
		for i := range r.Columns {
			var value *string
			if v, ok := row[r.Columns[i].Name]; ok {
				value = &v
			}
			values = append(values, value)
		}
		r.Rows = append(r.Rows, values)
	}
	r.Count = uint64(len(r.Rows))
}

func tagOf(s *tenantsql.Statement) string {
	switch s.Kind {
	case tenantsql.Insert:
		return "INSERT 0 1"
	case tenantsql.Update:
		return "UPDATE 1"
	case tenantsql.Delete:
		return "DELETE 1"
	case tenantsql.Begin:
		return "BEGIN"
	case tenantsql.Commit:
		return "COMMIT"
	case tenantsql.Rollback:
		return "ROLLBACK"
	case tenantsql.Set:
		return "SET"
	}
	return "SELECT 1"
}

// tenants are those that the answer accuses somebody of.
func (p *player) tenants(a *Answer) []string {
	var names []string
	for i := range a.Statements {
		if s := &a.Statements[i]; s.Verdict == verdict.Violation {
			names = append(names, s.DatabaseTenants...)
		}
	}
	for _, f := range a.Findings {
		if f.Name == RequestTenantMismatch || f.Name == DeniedAttempt {
			for _, t := range p.engine.policyOf(p.process()).RequestTenants(p.of.Path, p.of.field) {
				if !slices.ContainsFunc(p.engine.namesOf(p.process(), t.Tenant), func(n string) bool { return p.engine.knows(p.process(), n) }) {
					names = append(names, t.Tenant)
				}
			}
		}
	}
	return names
}

func (c *Case) target() string { return cmp.Or(c.Path, "/") }

// Look returns the ids that the application has looked up for a normalised name.
func (c *Case) Look(name string) (ids []string) {
	for key, all := range c.Directory {
		if policy.Normalize(key) == name {
			for _, id := range all {
				ids = append(ids, policy.Normalize(id))
			}
		}
	}
	return ids
}

func (c *Case) field(name string) []string {
	var values []string
	for _, f := range c.Fields {
		if f.Name == name {
			values = append(values, f.Value)
		}
	}
	return values
}
