package mysqlwire

import (
	"net"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tenantrace/collector/event"
)

// drivers are programs below testdata/drivers, each with what must be there to run it.
var drivers = []struct {
	name, install string
	has, run      []string
}{
	{"perl-dbd-mariadb", "apt install libdbd-mariadb-perl", []string{"perl", "-MDBD::MariaDB", "-e1"}, []string{"perl", "dbd.pl", "PORT"}},
	{"ruby-mysql2", "apt install ruby-mysql2", []string{"ruby", "-rmysql2", "-e1"}, []string{"ruby", "mysql2.rb", "PORT"}},
	{"php-pdo", "apt install php-cli php-mysql", []string{"php", "-r", "new ReflectionClass('PDO'); exit(in_array('mysql', PDO::getAvailableDrivers()) ? 0 : 1);"}, []string{"php", "pdo.php", "PORT", "0"}},
	{"php-pdo-emulated", "apt install php-cli php-mysql", []string{"php", "-r", "exit(in_array('mysql', PDO::getAvailableDrivers()) ? 0 : 1);"}, []string{"php", "pdo.php", "PORT", "1"}},
	{"java-server-prepared", "apt install libmariadb-java openjdk-17-jdk-headless", []string{"sh", "-c", "command -v javac && test -e /usr/share/java/mariadb-java-client.jar"},
		[]string{"java", "-cp", "/usr/share/java/mariadb-java-client.jar", "Connector.java", "PORT", "useServerPrepStmts=true&useBulkStmts=true"}},
	{"java-rewritten", "apt install libmariadb-java openjdk-17-jdk-headless", []string{"sh", "-c", "command -v javac && test -e /usr/share/java/mariadb-java-client.jar"},
		[]string{"java", "-cp", "/usr/share/java/mariadb-java-client.jar", "Connector.java", "PORT", "useServerPrepStmts=false&rewriteBatchedStatements=true"}},
	{"node-mysql2", "npm install mysql2, with NODE_PATH set", []string{"node", "-e", "require('mysql2/promise')"}, []string{"node", "mysql2.js", "PORT"}},
	{"node-mariadb", "npm install mariadb, with NODE_PATH set", []string{"node", "-e", "require('mariadb')"}, []string{"node", "mariadb.js", "PORT"}},
}

// liveDrivers holds what is seen of each driver against the server's own log of what it ran.
func liveDrivers(t *testing.T, server *liveServer) {
	for _, d := range drivers {
		t.Run(d.name, func(t *testing.T) {
			if out, err := exec.Command(d.has[0], d.has[1:]...).CombinedOutput(); err != nil {
				t.Skipf("%v: %s [%s]", err, out, d.install)
			}
			server.admin(t, seed+"; SET GLOBAL general_log=0; TRUNCATE mysql.general_log; SET GLOBAL log_output='TABLE'; SET GLOBAL general_log=1")
			w := startWire(t, server.socket)
			_, port, _ := net.SplitHostPort(w.listener.Addr().String())
			args := slices.Clone(d.run)
			args[slices.Index(args, "PORT")] = port
			cmd := exec.Command(args[0], args[1:]...)
			cmd.Dir = "testdata/drivers"
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			all := w.stop(t)
			if len(all) != 1 {
				t.Fatalf("%d connections", len(all))
			}
			w.checkLate(t, 1, d.name != "node-mariadb" && !strings.HasPrefix(d.name, "java")) // which do not wait for each answer
			recorded(t, d.name, w.calls[1])
			var seen []string
			for _, e := range w.events[1] {
				if e, ok := e.(*event.Statement); ok {
					seen = append(seen, comparable(withValues(e)))
				}
			}
			ran := server.ran(t)
			slices.Sort(seen)
			slices.Sort(ran)
			t.Logf("%d statements, %d rows", len(seen), strings.Count(strings.Join(all[1], ""), " ("))
			diff(t, seen, ran)
		})
	}
}

// ran gives what the server ran for the drivers' user, as its log has it.
func (s *liveServer) ran(t *testing.T) (out []string) {
	t.Helper()
	c := exec.Command("/usr/bin/mariadb", "--no-defaults", "--socket="+s.socket, "--user=root", "--batch", "--skip-column-names", "-e",
		"SET GLOBAL general_log=0; SELECT argument FROM mysql.general_log WHERE user_host LIKE 'app[%' AND command_type IN ('Query', 'Execute', 'Bulk_execute', 'Bulk execute', 'Execute Bulk')")
	text, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for _, l := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		out = append(out, comparable(l))
	}
	return out
}

// withValues puts the values of an execution into its text, as the server's log does; of a bulk execution it has none.
func withValues(s *event.Statement) string {
	out := s.Text
	for _, p := range s.Params {
		v := p.Value
		if p.Null {
			v = "NULL"
		}
		if len(s.Sets) == 0 {
			out = strings.Replace(out, "?", v, 1)
		}
	}
	return out
}

var (
	binaryLiteral = regexp.MustCompile(`\borg ?= ?(x?'.*'|[0-9a-f-]{36})`)
	timeLiteral   = regexp.MustCompile(`TIMESTAMP'`)
)

// comparable writes values in one way: drivers differ in what they send as a string, and the log writes bytes and points in time in its own way.
func comparable(sql string) string {
	sql = binaryLiteral.ReplaceAllString(sql, "org=binary")
	sql = timeLiteral.ReplaceAllString(sql, "'")
	return strings.TrimSpace(strings.ReplaceAll(sql, "'", ""))
}
