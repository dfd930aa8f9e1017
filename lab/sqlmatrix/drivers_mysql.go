package sqlmatrix

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// mysqlDrivers are those that speak to MySQL's own server: some of all drivers, and MySQL's own library.
func mysqlDrivers(all []driver) []driver {
	out := []driver{{name: "libmysqlclient MySQL", engine: mysql, server: oracleMySQL, transports: everyTransport, style: question, build: buildLibmysqlclient,
		command: func(y *yard) []string { return []string{libmysqlclient(y)} }}}
	for _, name := range []string{"PyMySQL", "node mysql2", "php pdo_mysql", "ruby mysql2"} {
		d := all[slices.IndexFunc(all, func(d driver) bool { return d.name == name })]
		d.name, d.server, d.quick = d.name+" MySQL", oracleMySQL, nil
		out = append(out, d)
	}
	return out
}

func libmysqlclient(y *yard) string { return filepath.Join(y.build, "libmysqlclient") }

// buildLibmysqlclient compiles with the headers of the library's release, and makes a script that runs the program with all libraries of that release.
func buildLibmysqlclient(ctx context.Context, y *yard) error {
	c, err := mysqlClosure(ctx, y.cache)
	if err != nil {
		return err
	}
	gcc := exec.CommandContext(ctx, "gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-I"+filepath.Join(c.root, "usr/include/mysql"), "-idirafter", filepath.Join(c.root, "usr/include"), "-o", libmysqlclient(y)+".bin",
		filepath.Join(y.drivers, "libmysqlclient/driver.c"), filepath.Join(c.libraries, "libmysqlclient.so"), "-Wl,--unresolved-symbols=ignore-in-shared-libs")
	if out, err := gcc.CombinedOutput(); err != nil {
		return fmt.Errorf("gcc: %w: %s", err, strings.TrimSpace(string(out)))
	}
	argv := c.command(libmysqlclient(y) + ".bin")
	if err := os.WriteFile(libmysqlclient(y), fmt.Appendf(nil, "#!/bin/sh\nexec '%s'\n", strings.Join(argv, "' '")), 0o755); err != nil {
		return fmt.Errorf("make the program's script: %w", err)
	}
	return nil
}
