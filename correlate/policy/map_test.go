package policy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestNameOfCertificate(t *testing.T) {
	p := mustParse(t, `
identity:
  map: { entries: { "Acme GmbH": T-42 } }
`)
	id := p.Identify(subject("O=ACME gmbh "), today)
	if id.Name != "ACME gmbh" || !slices.Equal(id.Tenants, []string{"t-42"}) {
		t.Errorf("%+v", id)
	}
	id = p.Identify(subject("O=beta"), today)
	if id.Name != "beta" || len(id.Tenants) != 0 || !strings.Contains(id.Rule, "subject.O") {
		t.Errorf("unknown to the map: %+v", id)
	}
	if !slices.Equal(p.Mapped(" acme GMBH"), []string{"t-42"}) || p.Mapped("t-42") != nil {
		t.Error("Mapped")
	}
	if got := Default().Mapped("Acme"); !slices.Equal(got, []string{"acme"}) {
		t.Errorf("Mapped without a map: %q", got)
	}
}

func TestMapFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("p.yaml", "version: 1\nidentity:\n  map: { file: t.csv }\n")
	write("t.csv", "\xef\xbb\xbfdb, Cert ,note\n# a remark\n\"2\",Acme,x\n1,ACME,y\n1,acme,again\n7,\"Beta, Inc\",z\n")
	p, err := Load(filepath.Join(dir, "p.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Identify(subject("O=acme"), today).Tenants; !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("acme: %q", got)
	}
	if got := p.Identify(subject("O=beta, inc"), today).Tenants; !slices.Equal(got, []string{"7"}) {
		t.Errorf("beta: %q", got)
	}
	if got := p.KnownTenants(); !slices.Equal(got, []string{"1", "2", "7"}) {
		t.Errorf("known: %q", got)
	}
	if got := p.Files(); !slices.Equal(got, []string{filepath.Join(dir, "t.csv")}) {
		t.Errorf("files: %q", got)
	}
	write("t.csv", "cert,db\nacme,1\n")
	q, err := Load(filepath.Join(dir, "p.yaml"))
	if err != nil || q.Hash() == p.Hash() {
		t.Errorf("a changed map keeps the hash: %v %v", q.Hash(), err)
	}
	for text, want := range map[string]string{
		"":                         `line 3: map`,
		"a,b\n1,2\n":               `no column "cert" (columns: "a", "b")`,
		"cert,cert,db\n1,2,3\n":    `column "cert" stands twice`,
		"cert,db\nacme\n":          `record on line 2`,
		"cert,db\nacme,\n":         `line 2: column "db" is empty`,
		"cert,db\n\nx,y\n ,1\n":    `line 4: column "cert" is empty`,
		"cert,db\nacme,a\x00b\n":   `line 2: column "db"`,
		"cert,db\n\"acme,1\n":      `line 2`,
		"cert,db\nacme,b\xe9ta\n1": `line 2`,
	} {
		write("t.csv", text)
		_, err := Load(filepath.Join(dir, "p.yaml"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "line 3: map") {
			t.Errorf("map %q: %v, want %q", text, err, want)
		}
	}
}

func TestKnownTenantsOfRules(t *testing.T) {
	p := mustParse(t, "identity:\n  tenant:\n    - { serial: 2, tenant: Beta }\n    - { serial: 1, tenant: acme }\n    - { serial: 3, tenant: acme }\n")
	if got := p.KnownTenants(); !slices.Equal(got, []string{"acme", "beta"}) {
		t.Errorf("%q", got)
	}
}
