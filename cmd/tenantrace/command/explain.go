package command

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"tenantrace/collector/event"
	"tenantrace/collector/identity"
	"tenantrace/correlate"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/tenantsql"
)

// maxCertificateFile bounds the file that explain reads, in bytes.
const maxCertificateFile = 1 << 20

func (p *Program) policyExplain() subcommand {
	var cert, file, sql string
	var as explained
	return subcommand{
		name: "policy explain", summary: "tell how a policy reads a certificate and a statement",
		text: `Prints the tenant that the certificate yields and by which rule, the tables and tenants that the statement touches, and, of both
together, the verdict that they would get and what decided it. The other flags say what else is to be known of them.`,
		flags: func(set *pflag.FlagSet) {
			as.flags(set)
			set.StringVar(&cert, "cert", "", "a client certificate in FILE, PEM (its first certificate) or DER")
			addPolicyFlag(set, &file)
			set.StringVar(&sql, "sql", "", "SQL TEXT, one statement or several")
			metavars(set, "FILE", "cert")
			metavars(set, "TEXT", "sql")
		},
		run: func(_ context.Context, operands []string) error {
			if err := noOperands(operands); err != nil {
				return err
			}
			if cert == "" && sql == "" {
				return usageError{"nothing to explain [name --cert FILE, --sql TEXT or both]"}
			}
			c, err := as.read()
			if err != nil {
				return err
			}
			rules, err := loadPolicy(file)
			if err != nil {
				return err
			}
			if cert != "" {
				if c.Certificate, err = readCertificate(cert); err != nil {
					return err
				}
			}
			return p.explain(rules, c, sql)
		},
	}
}

// explain prints what a policy makes of a case with the statements of sql.
func (p *Program) explain(rules *policy.Policy, c *correlate.Case, sql string) error {
	c.SQL = tenantsql.Split(dialect(c.Engine), sql, false)
	own := rules.For(&c.Process)
	db := own.Database(engineName(c.Engine), c.Server, c.Database)
	cfg := tenantsql.Config{}
	if db != nil {
		cfg = tenantsql.Config{Columns: db.Columns, Settings: own.Watched(db)}
	}
	analyzer := tenantsql.New(cfg)
	var statements []tenantsql.Statement
	for _, text := range c.SQL {
		statements = append(statements, analyzer.Analyze(dialect(c.Engine), text, false))
	}
	if len(statements) == 0 && c.Database == "" {
		db = own.Database(policy.Postgres, c.Server, c.Database)
	}
	out := printing{w: p.Stdout}
	for _, text := range rules.ExplainProcess(&c.Process) {
		out.line("%s", text)
	}
	if out.err != nil {
		return wrote(out.err)
	}
	if err := own.ExplainBy(p.Stdout, c.Look, correlate.PolicyCertificate(c.Certificate), db, c.Time, tablesOf(statements)...); err != nil {
		return wrote(err)
	}
	answer := &correlate.Answer{}
	if c.Certificate != nil {
		var err error
		if answer, err = correlate.Explain(rules, c); err != nil {
			return err
		}
	}
	for _, text := range answer.Request {
		out.line("%s", text)
	}
	for i := range statements {
		out.statement(&statements[i])
		if i < len(answer.Statements) {
			out.judged(&answer.Statements[i])
		}
	}
	for _, f := range answer.Findings {
		out.line("finding: %s: %s", f.Name, f.Detail)
	}
	for _, tenant := range answer.Assumed {
		out.line("assumed: %q is a tenant's name: no map or rule says so, and until a certificate or the tenant directory does it accuses nobody", tenant)
	}
	out.privacy(rules)
	for _, note := range rules.Notes() {
		out.line("note: %s", note)
	}
	return wrote(out.err)
}

// readCertificate reads a certificate as the collector reads a peer's.
func readCertificate(file string) (*event.Certificate, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w [name a PEM or DER file]", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxCertificateFile {
		return nil, fmt.Errorf("certificate %q: no regular file of at most %d bytes [name a PEM or DER file]", file, maxCertificateFile)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	if bytes.Contains(data, []byte("-----BEGIN ")) {
		data, err = firstPEM(data)
	}
	var c *event.Certificate
	if err == nil {
		c, err = identity.Parse(data)
	}
	if c == nil {
		return nil, fmt.Errorf("certificate %q: %w [name a PEM or DER file]", file, err)
	}
	return c, nil
}

func firstPEM(data []byte) ([]byte, error) {
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return nil, errors.New("no CERTIFICATE block")
		}
		if block.Type == "CERTIFICATE" {
			return block.Bytes, nil
		}
	}
}

// tablesOf gives the tables that the statements touch, each once.
func tablesOf(statements []tenantsql.Statement) []string {
	var tables []string
	for i := range statements {
		for _, r := range statements[i].Relations {
			if name := tableName(&r); !slices.Contains(tables, name) {
				tables = append(tables, name)
			}
		}
	}
	return tables
}

func tableName(r *tenantsql.Relation) string {
	if r.Schema == "" {
		return r.Name
	}
	return r.Schema + "." + r.Name
}

// statement prints what was read of one statement.
func (o *printing) statement(s *tenantsql.Statement) {
	o.line("statement: %s", s.Shape)
	if s.Unparsed {
		o.line("  too deep or too long to be read: what is missing below proves nothing")
	}
	if s.Calls {
		o.line("  calls a function that may set the session's tenant: what it was set to is not known afterwards")
	}
	for i := range s.Relations {
		r := &s.Relations[i]
		does := "reads"
		if r.Target {
			does = "writes"
		}
		o.line("  %s %q: %s", does, tableName(r), scope(r))
		if len(r.Assigned) > 0 && r.Target {
			o.line("  assigns a tenant column: %s", values(r.Assigned))
		}
	}
	for _, c := range s.Changes {
		local := ""
		if c.Local {
			local = " until the transaction ends"
		}
		o.line("  sets %s to %s%s", c.Name, values([]tenantsql.Value{c.Value}), local)
	}
}

func scope(r *tenantsql.Relation) string {
	switch {
	case r.Untouched:
		return "no row: its condition never holds"
	case len(r.Values) > 0:
		return "tenant " + values(r.Values)
	case r.Heuristic:
		return "a tenant is named where it guarantees nothing"
	}
	return "not scoped by its text: the session's tenant or the rows tell"
}

func values(all []tenantsql.Value) string {
	texts := make([]string, len(all))
	for i, v := range all {
		switch v.Kind {
		case tenantsql.Literal:
			texts[i] = fmt.Sprintf("%q", v.Text)
		case tenantsql.Param:
			texts[i] = fmt.Sprintf("bind value $%d", v.Index)
		case tenantsql.Setting:
			texts[i] = fmt.Sprintf("setting %q", v.Text)
		case tenantsql.Null:
			texts[i] = "NULL"
		case tenantsql.Default:
			texts[i] = "the default"
		case tenantsql.Subquery:
			texts[i] = "a sub-query's result"
		default:
			texts[i] = "an expression"
		}
	}
	return strings.Join(texts, ", ")
}
