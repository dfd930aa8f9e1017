package sqlmatrix

import "slices"

// pooledDrivers are drivers of PostgreSQL that speak to PgBouncer, and PgBouncer itself, which speaks to PostgreSQL by TLS for one of them.
// PDO's own prepared statements are not among them: before PHP 8.4 it deallocates them by SQL, which PgBouncer does not translate.
func pooledDrivers(all []driver) (out []driver) {
	for _, name := range []string{"psycopg2", "psycopg 3", "node pg", "pgjdbc extended", "pgx cached", "ruby activerecord pg", "php pdo_pgsql emulated"} {
		i := slices.IndexFunc(all, func(d driver) bool { return d.name == name })
		d := all[i]
		d.name, d.server, d.quick = d.name+" pooled", pooler, nil
		d.transports = slices.DeleteFunc(slices.Clone(d.transports), func(t string) bool { return d.unreadable[t] != "" }) // sessions of the log are not those of the program
		out = append(out, d)
		if name == "node pg" || name == "psycopg 3" {
			d.name, d.ofServer, d.transports, d.unreadable = "pgbouncer for "+name, true, []string{tcp}, nil
			out = append(out, d)
		}
	}
	return out
}
