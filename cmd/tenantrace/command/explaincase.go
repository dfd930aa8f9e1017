package command

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"tenantrace/collector/event"
	"tenantrace/collector/procfs"
	"tenantrace/correlate"
	"tenantrace/correlate/policy"
	"tenantrace/correlate/tenantsql"
	"tenantrace/correlate/verdict"
)

// explained are the flags of explain that say what surrounds a certificate and a statement.
type explained struct {
	binds, headers, rows, settings               []string
	pidFiles, directory                          []string
	image, namespace, pod, container             string
	cgroup, exe, unit, path                      string
	database, engine, server, user, listen, when string
}

func (x *explained) flags(set *pflag.FlagSet) {
	set.StringArrayVar(&x.binds, "bind", nil, "the statements' bind VALUE, $1 first (repeatable)")
	set.StringVar(&x.cgroup, "cgroup", "", "the process is in the control group PATH")
	set.StringVar(&x.container, "container", "", "the process is in the Kubernetes pod's container NAME")
	set.StringVar(&x.image, "container-image", "", "the process is in a container of IMAGE")
	set.StringVar(&x.database, "database", "", "the session is in the database NAME")
	set.StringArrayVar(&x.directory, "directory", nil, "the application has looked up in its tenant directory NAME=ID (repeatable)")
	set.StringVar(&x.engine, "engine", policy.Postgres, "the database's ENGINE, postgres or mysql")
	set.StringVar(&x.exe, "exe", "", "the process runs the executable PATH")
	set.StringArrayVar(&x.headers, "header", nil, "the request has the field NAME:VALUE (repeatable)")
	set.StringVar(&x.listen, "listen", "", "the client reached the process on PORT")
	set.StringVar(&x.namespace, "namespace", "", "the process is in the Kubernetes namespace NAME")
	set.StringVar(&x.path, "path", "", "the request's TARGET")
	set.StringArrayVar(&x.pidFiles, "pid-file", nil, "the pid file PATH names the process, or one that it descends from (repeatable)")
	set.StringVar(&x.pod, "pod", "", "the process is in the Kubernetes pod NAME")
	set.StringArrayVar(&x.rows, "row", nil, "the last statement returns a row COLUMN=VALUE,... (repeatable)")
	set.StringVar(&x.server, "server", "", "the database server's ADDR (default the engine's port on this host)")
	set.StringArrayVar(&x.settings, "setting", nil, "the session began with NAME=VALUE (repeatable)")
	set.StringVar(&x.unit, "unit", "", "the process is of the systemd unit NAME")
	set.StringVar(&x.user, "user", "", "the session is that of the database user NAME")
	set.StringVar(&x.when, "when", "", "it happens at TIME, RFC 3339 (default now)")
	metavars(set, "VALUE", "bind")
	metavars(set, "NAME=ID", "directory")
	metavars(set, "IMAGE", "container-image")
	metavars(set, "PATH", "cgroup", "exe", "pid-file")
	metavars(set, "NAME", "container", "database", "namespace", "pod", "unit", "user")
	metavars(set, "ENGINE", "engine")
	metavars(set, "NAME:VALUE", "header")
	metavars(set, "PORT", "listen")
	metavars(set, "TARGET", "path")
	metavars(set, "COLUMN=VALUE,...", "row")
	metavars(set, "ADDR", "server")
	metavars(set, "NAME=VALUE", "setting")
	metavars(set, "TIME", "when")
}

// read makes a case of the flags.
func (x *explained) read() (*correlate.Case, error) {
	c := &correlate.Case{
		Process: policy.Process{
			Exe: x.exe, Unit: strings.TrimSuffix(x.unit, ".service"), Cgroup: x.cgroup,
			PIDFiles: x.pidFiles, Image: x.image, Namespace: x.namespace, Pod: x.pod, Container: x.container,
		},
		Path: x.path, Database: x.database, User: x.user, Params: x.binds, Settings: map[string]string{}, Directory: map[string][]string{}, Time: time.Now(),
	}
	switch unit := strings.TrimSuffix(x.unit, ".service"); {
	case unit != "" && x.cgroup != "":
		return nil, usageError{"--unit stands beside --cgroup, which says the unit too [name one]"}
	case unit != "":
		c.Process.Cgroup = "/system.slice/" + unit + ".service"
	case x.cgroup != "":
		c.Process.Unit = procfs.Unit(x.cgroup)
	}
	port := "5432"
	switch x.engine {
	case policy.Postgres:
		c.Engine = event.PostgreSQL
	case policy.MySQL:
		c.Engine, port = event.MySQL, "3306"
	default:
		return nil, usageError{fmt.Sprintf("--engine %q is none that is read [write postgres or mysql]", x.engine)}
	}
	c.Server = cmp.Or(x.server, "127.0.0.1:"+port)
	if x.listen != "" {
		n, err := strconv.ParseUint(x.listen, 10, 16)
		if err != nil || n == 0 {
			return nil, usageError{fmt.Sprintf("--listen %q is no port [write a number from 1 to 65535]", x.listen)}
		}
		c.Process.Listen = []uint16{uint16(n)}
	}
	if x.when != "" {
		t, err := time.Parse(time.RFC3339, x.when)
		if err != nil {
			return nil, usageError{fmt.Sprintf("--when %q is no time [write it as 2027-01-31T12:00:00Z]", x.when)}
		}
		c.Time = t
	}
	for _, h := range x.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok || name == "" {
			return nil, usageError{fmt.Sprintf("--header %q is no field [write NAME:VALUE]", h)}
		}
		c.Fields = append(c.Fields, event.HTTPField{Name: strings.ToLower(strings.TrimSpace(name)), Value: strings.TrimSpace(value)})
	}
	for _, entry := range x.directory {
		name, id, ok := strings.Cut(entry, "=")
		if !ok || strings.TrimSpace(name) == "" || strings.TrimSpace(id) == "" {
			return nil, usageError{fmt.Sprintf("--directory %q is no entry [write NAME=ID, as certificates and as tables have it]", entry)}
		}
		c.Directory[name] = append(c.Directory[name], id)
	}
	for _, s := range x.settings {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, usageError{fmt.Sprintf("--setting %q is no setting [write NAME=VALUE]", s)}
		}
		c.Settings[strings.ToLower(name)] = value
	}
	for _, r := range x.rows {
		row := correlate.Row{}
		for _, field := range strings.Split(r, ",") {
			name, value, ok := strings.Cut(field, "=")
			if !ok || name == "" {
				return nil, usageError{fmt.Sprintf("--row %q is no row [write COLUMN=VALUE,COLUMN=VALUE]", r)}
			}
			row[strings.ToLower(name)] = value
		}
		c.Rows = append(c.Rows, row)
	}
	return c, nil
}

func engineName(e event.Engine) string {
	if e == event.MySQL {
		return policy.MySQL
	}
	return policy.Postgres
}

func dialect(e event.Engine) tenantsql.Dialect {
	if e == event.MySQL {
		return tenantsql.MySQL
	}
	return tenantsql.PostgreSQL
}

// judged prints the verdict of a statement and what decided it.
func (o *printing) judged(j *correlate.Judged) {
	for _, text := range j.Evidence {
		o.line("  shows %s", text)
	}
	text := string(j.Verdict)
	if j.Reason != "" {
		text += ", " + string(j.Reason)
	}
	if len(j.Findings) > 0 {
		text += ": " + strings.Join(j.Findings, ", ")
	}
	if strings.HasPrefix(j.Exempt, "exempt[") {
		text += ", by " + j.Exempt
	} else if j.Exempt != "" {
		text += ": " + j.Exempt
	}
	o.line("  verdict: %s", text)
	for _, text := range j.Asked {
		o.line("  %s", text)
	}
	if why := because(j); why != "" {
		o.line("  because %s", why)
	}
}

// because says in words what a verdict means for a policy.
func because(j *correlate.Judged) string {
	switch {
	case j.Verdict == verdict.OKExact:
		return fmt.Sprintf("all of it is the certificate's tenant, %q", j.IdentityTenant)
	case j.Verdict == verdict.Violation:
		return fmt.Sprintf("the certificate's tenant is %q", j.IdentityTenant)
	case j.Verdict == verdict.NoTenant:
		return "it touches no table that is known to be a tenant's"
	case j.Reason == verdict.Unmapped:
		return "the certificate yields no tenant"
	case j.Reason == verdict.NoEvidence:
		return "a tenant's table is touched, and nothing shows whose rows for certain"
	case j.Reason == verdict.SessionUnknown:
		return "what the session is set to is not known for certain"
	case j.Reason == verdict.Conflict:
		return "what shows a tenant disagrees"
	case j.Reason == verdict.IdentityUnknown:
		return "the identity of the request is not that of its connection"
	case j.Reason == verdict.NoLink:
		return "the policy lets no link of that kind tie a statement to a request"
	}
	return ""
}
