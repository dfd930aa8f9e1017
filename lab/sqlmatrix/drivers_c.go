package sqlmatrix

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// compiled is a program in C that is built with flags.
func compiled(folder string, flags ...string) (build func(context.Context, *yard) error, command func(*yard) []string) {
	build = func(ctx context.Context, y *yard) error {
		args := append([]string{"-O1", "-Wall", "-Wextra", "-Werror", "-o", filepath.Join(y.build, folder), filepath.Join(y.drivers, folder, "driver.c")}, flags...)
		if out, err := exec.CommandContext(ctx, "gcc", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("gcc: %w: %s", err, strings.TrimSpace(string(out)))
		}
		return nil
	}
	return build, func(y *yard) []string { return []string{filepath.Join(y.build, folder)} }
}

func cDrivers() []driver {
	libpq := driver{name: "libpq", engine: postgresql, transports: everyTransport, style: dollar, quick: []string{unix},
		files: []string{"/usr/include/postgresql/libpq-fe.h"}, install: "libpq-dev"}
	libpq.build, libpq.command = compiled("libpq", "-I/usr/include/postgresql", "-lpq")
	connector := driver{name: "MariaDB Connector/C", engine: mysql, transports: everyTransport, style: question, quick: []string{tls},
		files: []string{"/usr/include/mariadb/mysql.h"}, install: "libmariadb-dev"}
	connector.build, connector.command = compiled("connector", "-I/usr/include/mariadb", "-lmariadb")
	return []driver{libpq, connector}
}
