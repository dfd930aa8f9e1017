package mariadb

import (
	"os"
	"path/filepath"
	"testing"
)

func TestStatements(t *testing.T) {
	s := &Server{log: filepath.Join(t.TempDir(), "statements")}
	if n, err := s.Statements(); n != 0 || err != nil {
		t.Errorf("without a log: %d statements, error %v", n, err)
	}
	const log = "/usr/sbin/mariadbd, Version: 10.11.19-MariaDB-0+deb12u1 (Debian 12). started with:\n" +
		"Tcp port: 3306  Unix socket: /tmp/s\n" +
		"Time\t\t    Id Command\tArgument\n" +
		"261124 16:20:01\t     5 Connect\tapp@127.0.0.1 on shop using TCP/IP\n" +
		"\t\t     5 Query\tSELECT 1 /* gt=a */\n" +
		"\t\t     5 Prepare\tSELECT ?\n" +
		"261124  6:20:02\t     5 Execute\tSELECT 2\n" +
		"\t\t   123 Init DB\tapp_beta\n" +
		"\t\t   123 Quit\t\n"
	if err := os.WriteFile(s.log, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Statements(); n != 2 || err != nil {
		t.Errorf("%d statements, error %v, want 2", n, err)
	}
}
