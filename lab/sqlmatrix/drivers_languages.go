package sqlmatrix

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// npmPackages are of these versions, in one folder.
var npmPackages = []string{"pg@8.23.1", "pg-cursor@2.22.0", "pg-copy-streams@7.0.0", "mysql2@3.24.6"}

const (
	javaDriver = "/usr/share/java/postgresql.jar"
	perl       = "/usr/bin/perl"
	php        = "/usr/bin/php"
	ruby       = "/usr/bin/ruby"
)

// Why a transport is not read.
const (
	javaTLS = "Java's own TLS"
	goTLS   = "Go's own TLS"
)

// networked are the transports of a driver without unix sockets.
var networked = []string{tcp, tls}

// languageDrivers are the drivers of other languages than Python and C.
func languageDrivers() []driver {
	all := []driver{
		{name: "node pg", engine: postgresql, transports: everyTransport, style: dollar, build: npmInstall, command: node("node-pg")},
		{name: "node mysql2", engine: mysql, transports: everyTransport, style: question, inline: true, build: npmInstall, command: node("node-mysql2")},
		{name: "ruby pg", engine: postgresql, transports: everyTransport, style: dollar, command: interpreted(ruby, "ruby-pg/driver.rb")},
		{name: "ruby sequel pg", engine: postgresql, transports: everyTransport, style: question, inline: true, command: interpreted(ruby, "sequel/driver.rb")},
		{name: "ruby sequel mysql2", engine: mysql, transports: everyTransport, style: question, inline: true, command: interpreted(ruby, "sequel/driver.rb")},
		{name: "ruby activerecord pg", engine: postgresql, transports: everyTransport, style: dollar, command: interpreted(ruby, "activerecord/driver.rb")},
		{name: "ruby activerecord mysql2", engine: mysql, transports: everyTransport, style: question, command: interpreted(ruby, "activerecord/driver.rb")},
		{name: "ruby mysql2", engine: mysql, transports: everyTransport, style: question, command: interpreted(ruby, "ruby-mysql2/driver.rb")},
		{name: "php pdo_pgsql", engine: postgresql, transports: everyTransport, style: question, command: interpreted(php, "php-pdo/driver.php")},
		{name: "php pdo_pgsql emulated", engine: postgresql, transports: everyTransport, style: question, inline: true, command: interpreted(php, "php-pdo/driver.php", "emulated")},
		{name: "php pdo_mysql", engine: mysql, transports: everyTransport, style: question, command: interpreted(php, "php-pdo/driver.php")},
		{name: "php pdo_mysql emulated", engine: mysql, transports: everyTransport, style: question, inline: true, command: interpreted(php, "php-pdo/driver.php", "emulated")},
		{name: "perl DBD::Pg", engine: postgresql, transports: everyTransport, style: question, command: interpreted(perl, "dbd/driver.pl", "Pg")},
		{name: "perl DBD::mysql", engine: mysql, transports: everyTransport, style: question, inline: true, command: interpreted(perl, "dbd/driver.pl", "mysql")},
		{name: "perl DBD::mysql prepared", engine: mysql, transports: everyTransport, style: question, inline: true, command: interpreted(perl, "dbd/driver.pl", "mysql", "prepared")},
		{name: "perl DBD::MariaDB", engine: mysql, transports: everyTransport, style: question, command: interpreted(perl, "dbd/driver.pl", "MariaDB", "prepared")},
	}
	for _, mode := range []string{"extended", "simple"} {
		all = append(all, driver{name: "pgjdbc " + mode, engine: postgresql, transports: networked, unreadable: map[string]string{tls: javaTLS}, style: question, inline: mode == "simple",
			files: []string{javaDriver}, install: "libpostgresql-jdbc-java",
			command: interpreted("/usr/bin/java", "pgjdbc/Driver.java", mode)})
	}
	for _, mode := range []string{"cached", "described", "exec", "simple", "standard"} {
		name := "pgx " + mode
		if mode == "standard" {
			name = "pgx stdlib" // database/sql
		}
		all = append(all, driver{name: name, engine: postgresql, transports: everyTransport, unreadable: map[string]string{tls: goTLS}, style: dollar, inline: mode == "simple",
			build: buildPgx, command: func(y *yard) []string { return []string{pgx(y), mode} }})
	}
	return all
}

// interpreted runs a file of the drivers' folder with an interpreter.
func interpreted(interpreter, file string, args ...string) func(y *yard) []string {
	return func(y *yard) []string {
		argv := []string{interpreter}
		if strings.HasSuffix(file, ".java") {
			argv = append(argv, "-cp", javaDriver)
		}
		return append(append(argv, filepath.Join(y.drivers, file)), args...)
	}
}

// npmFolder holds the packages of one list of versions.
func npmFolder(y *yard) string {
	return filepath.Join(y.cache, "npm-"+strings.NewReplacer("@", "-").Replace(strings.Join(npmPackages, "-")))
}

// node runs a program of Node that finds the packages.
func node(folder string) func(y *yard) []string {
	return func(y *yard) []string {
		return []string{"/usr/bin/env", "NODE_PATH=" + filepath.Join(npmFolder(y), "node_modules"), "node", filepath.Join(y.drivers, folder, "driver.js")}
	}
}

// npmInstall fetches the packages, once.
func npmInstall(ctx context.Context, y *yard) error {
	folder := npmFolder(y)
	if _, err := os.Stat(folder); err == nil {
		return nil
	}
	near, err := os.MkdirTemp(y.cache, "npm-")
	if err != nil {
		return fmt.Errorf("make folder for npm: %w", err)
	}
	defer os.RemoveAll(near)
	npm := exec.CommandContext(ctx, "npm", append([]string{"install", "--loglevel=error", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", near}, npmPackages...)...)
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm install %s: %w: %s", strings.Join(npmPackages, " "), err, strings.TrimSpace(string(out)))
	}
	if err := os.Rename(near, folder); err != nil && !os.IsExist(err) { // another may have put it there meanwhile
		return fmt.Errorf("keep the packages of npm: %w", err)
	}
	return nil
}

func pgx(y *yard) string { return filepath.Join(y.build, "pgx") }

// buildPgx compiles the program of pgx, in a module of its own.
func buildPgx(ctx context.Context, y *yard) error {
	if _, err := os.Stat(pgx(y)); err == nil {
		return nil
	}
	source := filepath.Join(y.drivers, "pgx")
	for _, name := range []string{"go.mod", "go.sum"} {
		if err := os.Rename(filepath.Join(source, name+".txt"), filepath.Join(source, name)); err != nil {
			return fmt.Errorf("make a module: %w", err)
		}
	}
	files, err := filepath.Glob(filepath.Join(source, "*.go"))
	if err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", append([]string{"build", "-o", pgx(y)}, files...)...)
	build.Dir, build.Env = source, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
