package access

import "strings"

// The organisations of files/postgres.sql.
const (
	acmeOrg = "9f1c0b7e-52a4-4c1d-8e30-0a64b1f2c9d7"
	betaOrg = "0b5a4c11-7d2e-4f60-93ab-5de1c07f8a42"
)

// binary are the scenarios of tenants that are UUIDs: 16 bytes of a parameter in the protocol, and text of many forms in certificates.
func binary() []take {
	devices := policy{database: "{ engine: postgres, tenant: { columns: [org] }, tables: { owned: [devices] } }"}
	read := func(who, whose, org string) request { return request{who: who, whose: whose, path: "/devices/" + org} }
	forms := []string{acmeOrg, strings.ToUpper(acmeOrg), strings.ReplaceAll(acmeOrg, "-", ""), "{" + acmeOrg + "}", "urn:uuid:" + acmeOrg}
	var own, foreign []request
	for _, form := range forms {
		own = append(own, read(form, "acme", acmeOrg))
		foreign = append(foreign, read(form, "beta", betaOrg))
	}
	beta := known(strings.ToUpper(strings.ReplaceAll(betaOrg, "-", "")))
	line := func(verdict, database string) map[string]int {
		return map[string]int{verdict + " thread bind " + acmeOrg + ">" + database: len(forms)}
	}
	return []take{
		{"E48", "binary UUID of another tenant, five forms of the own one", devices, oneByOne(append([]request{beta}, foreign...)...), want{
			findings: []string{"CROSS_TENANT_READ Critical " + acmeOrg + " 5"}, verdicts: line("violation", betaOrg),
		}},
		{"E48", "  clean: binary UUID of the own tenant, five forms of it", devices, oneByOne(append([]request{beta}, own...)...), want{verdicts: line("ok_exact", acmeOrg)}},
	}
}
