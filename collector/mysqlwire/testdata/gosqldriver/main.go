// A client for the live test: what github.com/go-sql-driver/mysql sends. The arguments are the server's address and a mode.
package main

import (
	"database/sql"
	"log"
	"os"

	_ "github.com/go-sql-driver/mysql"
)

func main() {
	db, err := sql.Open("mysql", "app:secret@tcp("+os.Args[1]+")/shop?"+os.Args[2])
	check(err)
	db.SetMaxOpenConns(1)
	var tenant string
	var org []byte
	check(db.QueryRow("SELECT tenant_id, org FROM invoices WHERE id = ?", int64(1)).Scan(&tenant, &org))
	st, err := db.Prepare("SELECT id FROM invoices WHERE tenant_id = ? AND id < ?")
	check(err)
	for _, t := range []string{"acme", "beta"} {
		rows, err := st.Query(t, uint64(3))
		check(err)
		for rows.Next() {
		}
		check(rows.Close())
	}
	check(st.Close())
	tx, err := db.Begin()
	check(err)
	_, err = tx.Exec("UPDATE invoices SET note = ? WHERE org = ? AND note IS NOT NULL", nil, org)
	check(err)
	check(tx.Rollback())
	if tenant != "acme" || len(org) != 16 {
		log.Fatalf("read %q and %d bytes", tenant, len(org))
	}
	check(db.Close())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
