package mysqlwire

import (
	"slices"
	"testing"
)

// TestDescribedAgain has the same definitions again: for the same text they say the same, for another one they may not.
func TestDescribedAgain(t *testing.T) {
	const plain, derived = "SELECT tenant_id FROM invoices", "SELECT tenant_id FROM (SELECT id AS tenant_id FROM invoices) z"
	for _, eofs := range []bool{true, false} {
		defs := []string{def("invoices", "tenant_id", "tenant_id", typeString, 0, utf8mb4)}
		answer := func(value string) call { return answers(result(2, defs, textRow(value))...) }
		if !eofs {
			answer = func(value string) call { return answers(modernResult(2, defs, textRow(value))...) }
		}
		calls := append(opening(modern), ask("\x03"+plain), answer("acme"), ask("\x03"+derived), answer("7"), ask("\x03"+plain), answer("beta"), ask("\x03"+derived), answer("8"),
			ask("\x03"+plain), answers(result(2, invoices(), textRow("1", "acme", "NULL"))...), ask("\x03"+plain), answer("zeta"))
		diff(t, lines(play(t, testConfig(), calls)), append(slices.Clone(openingLines),
			`statement 1 simple "`+plain+`"`, `result 1/0 tenant_id@shop.invoices (acme) count=1 last`, `ready I`,
			`statement 2 simple "`+derived+`"`, `result 2/0 tenant_id[] (7) count=1 last`, `ready I`,
			`statement 3 simple "`+plain+`"`, `result 3/0 tenant_id@shop.invoices (beta) count=1 last`, `ready I`,
			`statement 4 simple "`+derived+`"`, `result 4/0 tenant_id[] (8) count=1 last`, `ready I`,
			`statement 5 simple "`+plain+`"`, `result 5/0 `+invoiceColumns+` (acme,NULL) count=1 last`, `ready I`,
			`statement 6 simple "`+plain+`"`, `result 6/0 tenant_id@shop.invoices (zeta) count=1 last`, `ready I`))
	}
}
