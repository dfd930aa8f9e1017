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
		{name: "psycopg2", engine: postgresql, transports: everyTransport, style: format, inline: true,
			files: []string{module("psycopg2")}, install: "python3-psycopg2", command: script("psycopg2")},
		{name: "psycopg 3", engine: postgresql, transports: everyTransport, style: format, quick: []string{tcp},
			files: []string{module("psycopg")}, install: "python3-psycopg", command: script("psycopg3", "sync")},
		{name: "psycopg 3 async", engine: postgresql, transports: everyTransport, style: format,
			files: []string{module("psycopg")}, install: "python3-psycopg", command: script("psycopg3", "async")},
		{name: "asyncpg", engine: postgresql, transports: everyTransport, style: dollar, quick: []string{tls},
			files: []string{module("asyncpg")}, install: "python3-asyncpg", command: script("asyncpg")},
		{name: "pg8000", engine: postgresql, transports: everyTransport, style: format, user: oldUser,
			files: []string{module("pg8000")}, install: "python3-pg8000", command: script("pg8000")},
		{name: "SQLAlchemy psycopg2", engine: postgresql, transports: everyTransport, style: format, inline: true,
			files: []string{module("sqlalchemy"), module("psycopg2")}, install: "python3-sqlalchemy", command: script("sqlalchemy", "postgresql+psycopg2")},
		{name: "SQLAlchemy PyMySQL", engine: mysql, transports: everyTransport, style: format, inline: true,
			files: []string{module("sqlalchemy"), module("pymysql")}, install: "python3-sqlalchemy", command: script("sqlalchemy", "mysql+pymysql")},
		{name: "Django psycopg2", engine: postgresql, transports: everyTransport, style: format, inline: true,
			files: []string{module("django"), module("psycopg2")}, install: "python3-django", command: script("django")},
		{name: "Django mysqlclient", engine: mysql, transports: everyTransport, style: format, inline: true,
			files: []string{module("django"), module("MySQLdb")}, install: "python3-django", command: script("django")},
		{name: "PyMySQL", engine: mysql, transports: everyTransport, style: format, inline: true, quick: []string{tcp},
			files: []string{module("pymysql")}, install: "python3-pymysql", command: script("pymysql", "pymysql")},
		{name: "mysqlclient", engine: mysql, transports: everyTransport, style: format, inline: true,
			files: []string{module("MySQLdb")}, install: "python3-mysqldb", command: script("pymysql", "MySQLdb")},
	}
}
