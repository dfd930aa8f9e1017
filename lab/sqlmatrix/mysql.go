package sqlmatrix

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"tenantrace/lab/pki"
	"tenantrace/lab/proc"
)

// oracleMySQL is the name of MySQL's own server.
const oracleMySQL = "mysqld"

// mysqlSuite is the release of Debian that has it.
const mysqlSuite = "sid"

// mysqlClosure has the server, its own client and its own library.
func mysqlClosure(ctx context.Context, cache string) (*closure, error) {
	return fetchClosure(ctx, cache, mysqlSuite, "+perl", "+mysql-common", "+libssl-dev", "+libzstd-dev", "+zlib1g-dev", "mysql-server-core", "mysql-client-core", "libmysqlclient-dev")
}

// startMySQL starts MySQL's own server, whose users have caching_sha2_password.
func startMySQL(ctx context.Context, cache, dir, ca string, leaf *pki.Leaf) (*server, error) {
	c, err := mysqlClosure(ctx, cache)
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make directory of mysqld: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	m := &mariaDB{dir: dir, socket: filepath.Join(dir, "s")}
	m.cli = c.command("usr/bin/mysql", "--no-defaults")
	small := c.command("usr/sbin/mysqld", "--no-defaults", "--basedir="+filepath.Join(c.root, "usr"), "--datadir="+filepath.Join(dir, "data"), "--user=root",
		"--innodb-buffer-pool-size=16M", "--innodb-redo-log-capacity=8M", "--innodb-flush-log-at-trx-commit=0", "--performance-schema=OFF", "--skip-log-bin", "--mysqlx=OFF", "--secure-file-priv=")
	if out, err := exec.CommandContext(ctx, small[0], append(small[1:], "--initialize-insecure")...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make mysqld's tables: %w: %s", err, strings.TrimSpace(string(out)))
	}
	m.process, err = proc.Start(proc.Spec{
		Name: "mysqld", Path: small[0], Env: []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}, Log: filepath.Join(dir, "mysqld.log"), Stop: syscall.SIGTERM,
		Args: append(small[1:], "--socket="+m.socket, "--bind-address=127.0.0.1", fmt.Sprintf("--port=%d", port), "--local-infile=1", "--pid-file="+filepath.Join(dir, "pid"),
			"--ssl-cert="+leaf.CertFile, "--ssl-key="+leaf.KeyFile, "--ssl-ca="+ca, "--log-output=TABLE"),
	})
	if err != nil {
		return nil, err
	}
	s := &server{engine: mysql, host: "127.0.0.1", port: port, socket: m.socket, user: "app", password: rand.Text(), database: "matrix", ca: ca, logged: m.logged, stop: m.stop,
		lacks: map[string]string{"insert-returning": "MySQL has no RETURNING"}}
	s.clean = func(ctx context.Context) error { return feed(m.client(ctx), "USE matrix; "+leftovers) }
	if err := m.wait(ctx); err != nil {
		return s, err
	}
	sql := "CREATE DATABASE matrix; CREATE USER app IDENTIFIED BY '" + s.password + "'; GRANT ALL ON matrix.* TO app; USE matrix;\n" +
		strings.NewReplacer("DOCUMENT", "JSON", " UUID ", " CHAR(36) ").Replace(tables) + "SET GLOBAL general_log = 1;\n"
	if err := feed(m.client(ctx), sql); err != nil {
		return s, fmt.Errorf("fill the database: %w", err)
	}
	return s, nil
}
