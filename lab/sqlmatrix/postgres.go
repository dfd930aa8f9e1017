package sqlmatrix

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"tenantrace/lab/pki"
	"tenantrace/lab/postgres"
)

// The tables are the owner's: row level security binds the programs' role.
const postgresRights = `
ALTER TABLE ledger ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON ledger USING (tenant_id = current_setting('app.tenant_id', true));
GRANT ALL ON ALL TABLES IN SCHEMA matrix TO lab_app;
GRANT USAGE ON SCHEMA matrix TO lab_app;
ALTER ROLE lab_app SET search_path = matrix;
SET password_encryption = 'md5';
CREATE ROLE old_app LOGIN INHERIT IN ROLE lab_app PASSWORD :'password';
ALTER ROLE old_app SET search_path = matrix;
SELECT pg_reload_conf();
`

// oldUser is the role of clients that do not know SCRAM.
const oldUser = "old_app"

// startPostgres starts PostgreSQL.
func startPostgres(ctx context.Context, dir, ca string, leaf *pki.Leaf) (*server, error) {
	c, err := postgres.Start(ctx, postgres.Config{Dir: dir, CertFile: leaf.CertFile, KeyFile: leaf.KeyFile, LogStatements: true})
	if err != nil {
		return nil, err
	}
	s := &server{engine: postgresql, host: c.Host, port: c.Port, socket: c.SocketDir, user: "lab_app", password: c.Password, database: "lab", ca: ca, stop: c.Stop}
	var at int64
	s.logged = func(context.Context) (entries []entry, err error) {
		entries, at, err = readPostgresLog(filepath.Join(dir, "postgres.log"), at)
		return entries, err
	}
	if err := allowOldUser(filepath.Join(dir, "data", "pg_hba.conf")); err != nil {
		return s, err
	}
	owner, err := os.ReadFile(filepath.Join(dir, "owner"))
	if err != nil {
		return nil, fmt.Errorf("read the owner's password: %w", err)
	}
	psql := func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "/usr/bin/psql", "-X", "-q", "-h", c.SocketDir, "-p", strconv.Itoa(c.Port), "-U", "lab_owner", "-d", "lab",
			"-v", "ON_ERROR_STOP=1", "-v", "password="+c.Password, "-f", "-")
		cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "PGPASSWORD=" + strings.TrimSpace(string(owner))}
		return cmd
	}
	s.clean = func(ctx context.Context) error { return feed(psql(ctx), "SET search_path = matrix; "+leftovers) }
	sql := "CREATE SCHEMA matrix; SET search_path = matrix;\n" + strings.ReplaceAll(tables, "DOCUMENT", "jsonb") + postgresRights
	if err := feed(psql(ctx), sql); err != nil {
		return s, fmt.Errorf("fill the database: %w", err)
	}
	return s, nil
}

// allowOldUser lets oldUser in by its MD5 password.
func allowOldUser(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("let the old clients in: %w", err)
	}
	text = append([]byte("local all "+oldUser+" md5\nhost all "+oldUser+" 127.0.0.1/32 md5\n"), text...)
	if err := os.WriteFile(path, text, 0); err != nil { // its owner and mode stay
		return fmt.Errorf("let the old clients in: %w", err)
	}
	return nil
}

// Lines of the log begin with the prefix "%a|%p|"; further lines of a text with a tab.
var (
	loggedLine    = regexp.MustCompile(`^[^|]*\|([0-9]+)\|([A-Z]+):  (.*)`)
	loggedExecute = regexp.MustCompile(`^execute [^:]*: `)
)

// readPostgresLog reads the statements that a log has from an offset on.
func readPostgresLog(path string, from int64) (entries []entry, to int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, from, fmt.Errorf("read log of postgres: %w", err)
	}
	defer file.Close()
	if _, err := file.Seek(from, io.SeekStart); err != nil {
		return nil, from, fmt.Errorf("read log of postgres: %w", err)
	}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 4<<20)
	open := false // the last line belongs to a statement
	to = from
	for lines.Scan() {
		to += int64(len(lines.Bytes())) + 1
		line := lines.Text()
		if rest, further := strings.CutPrefix(line, "\t"); further {
			if open {
				entries[len(entries)-1].text += "\n" + rest
			}
			continue
		}
		open = false
		m := loggedLine.FindStringSubmatch(line)
		if m == nil || m[2] != "LOG" {
			continue
		}
		further := false
		text, isStatement := strings.CutPrefix(m[3], "statement: ")
		if !isStatement {
			begin := loggedExecute.FindString(m[3])
			if begin == "" {
				continue
			}
			text, further = m[3][len(begin):], strings.HasPrefix(begin, "execute fetch from ")
		}
		entries, open = append(entries, entry{session: m[1], text: text, further: further}), true
	}
	if err := lines.Err(); err != nil {
		return nil, from, fmt.Errorf("read log of postgres: %w", err)
	}
	return entries, to, nil
}
