package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tenantrace/correlate/policy"
)

func TestPolicyPseudonym(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "policy.yaml")
	for name, text := range map[string]string{"policy.yaml": "version: 1\nprivacy: { tenants: hmac, key: key }\n", "key": "0123456789abcdef0123456789abcdef\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rules, err := policy.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	key := rules.Key()
	i := newInvocation()
	if code := i.run(t, "policy", "pseudonym", "--policy", file, "Acme AG", "beta"); code != exitOK || i.stdout.String() != key.Of("acme ag")+" Acme AG\n"+key.Of("beta")+" beta\n" {
		t.Errorf("exit code %d: %s%s", code, &i.stdout, &i.stderr)
	}
	i = newInvocation()
	if code := i.run(t, "policy", "check", file); code != exitOK || !strings.Contains(i.stdout.String(), "pseudonyms of key "+key.KeyID()) {
		t.Errorf("exit code %d: %s%s", code, &i.stdout, &i.stderr)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--policy", file}, exitUsage, "no names"},
		{[]string{"acme"}, exitError, "the policy has no key"},
		{[]string{"--policy", file, " "}, exitError, "is no name"},
		{[]string{"--policy", file + "x", "acme"}, exitError, "cannot be read"},
	} {
		i := newInvocation()
		if code := i.run(t, append([]string{"policy", "pseudonym"}, c.args...)...); code != c.code || !strings.Contains(i.stderr.String(), c.want) || i.stdout.String() != "" {
			t.Errorf("%q: exit code %d: %s%s, want %d: %s", c.args, code, &i.stdout, &i.stderr, c.code, c.want)
		}
	}
}
