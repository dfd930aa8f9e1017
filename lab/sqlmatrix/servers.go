package sqlmatrix

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

//go:embed files/tables.sql
var tables string

//go:embed files/policy.yaml
var policyFile []byte

// server is a database server of the matrix's own.
type server struct {
	engine, host, socket, user, password, database, ca string
	port                                               int
	// clean removes what a run has inserted; nil: there is nothing to do.
	clean func(ctx context.Context) error
	// logged gives the statements that it has run since the last call, in order.
	logged func(ctx context.Context) ([]entry, error)
	stop   func() error
	pid    int               // if it is itself a client of a server; 0 it is none
	lacks  map[string]string // label -> why it cannot be played at this server
}

// entry is a statement in a server's log.
type entry struct {
	session, text string
	further       bool // a further part of a portal's rows
	pooler        bool // a pooler has sent it of its own
}

// environment is what a program gets to see.
func (s *server) environment(transport, user string) []string {
	if user == "" {
		user = s.user
	}
	return []string{
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=" + os.TempDir(),
		"SQLM_ENGINE=" + s.engine, "SQLM_TRANSPORT=" + transport, "SQLM_HOST=" + s.host, fmt.Sprintf("SQLM_PORT=%d", s.port), "SQLM_SOCKET=" + s.socket,
		"SQLM_USER=" + user, "SQLM_PASSWORD=" + s.password, "SQLM_DATABASE=" + s.database, "SQLM_CA=" + s.ca,
	}
}

// feed lets a server's own client run statements.
func feed(client *exec.Cmd, sql string) error {
	client.Stdin = strings.NewReader(sql)
	if out, err := client.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", client.Path, err, strings.TrimSpace(string(out)))
	}
	return nil
}
