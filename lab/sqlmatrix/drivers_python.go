package sqlmatrix

import "path/filepath"

const python = "/usr/bin/python3"

// script runs a program of Python.
func script(folder string, args ...string) func(y *yard) []string {
	return func(y *yard) []string {
		return append([]string{python, filepath.Join(y.drivers, folder, "driver.py")}, args...)
	}
}

// module is the directory of a module of Debian's Python.
func module(name string) string { return "/usr/lib/python3/dist-packages/" + name }

var everyTransport = []string{tcp, unix, tls}

func pythonDrivers() []driver {
	return []driver{
		{name: "psycopg2", engine: postgresql, transports: everyTransport, style: format, inline: true, quick: []string{unix},
			files: []string{module("psycopg2")}, install: "python3-psycopg2", command: script("psycopg2")},
	}
}
