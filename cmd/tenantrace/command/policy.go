package command

import (
	"context"
	"fmt"
	"time"

	"tenantrace/correlate/crl"
	"tenantrace/correlate/policy"
)

func (p *Program) policyCheck() subcommand {
	return subcommand{
		name: "policy check", args: "FILE", summary: "tell whether a policy file is right",
		text: `Prints the policy's hash, or every fault with its line. Revocation lists that it names are read too. Exits with 0 or 1.`,
		run: func(_ context.Context, operands []string) error {
			file, err := oneOperand(operands, "policy")
			if err != nil {
				return err
			}
			rules, err := policy.Load(file)
			if err != nil {
				return err
			}
			out := printing{w: p.Stdout}
			var revoked *crl.Set
			if r := rules.CertificateRules().Revocation; r != nil {
				lists, err := crl.Load(r.Lists, r.CA)
				if err != nil {
					return fmt.Errorf("policy %q: certificates.revocation: %w", file, err)
				}
				revoked = lists
			}
			out.line("%s: ok, %s", file, rules.Hash())
			out.privacy(rules)
			if revoked != nil {
				out.revocation(revoked, rules.CertificateRules().Revocation, time.Now())
			}
			for _, past := range rules.Expired(time.Now()) {
				out.line("ended: %s", past)
			}
			for _, note := range rules.Notes() {
				out.line("note: %s", note)
			}
			return wrote(out.err)
		},
	}
}

// revocation says what the revocation lists hold.
func (o *printing) revocation(lists *crl.Set, rules *policy.Revocation, now time.Time) {
	for _, l := range lists.Lists() {
		signature := "signature not checked"
		if l.Verified {
			signature = "signature checked"
		}
		o.line("revocation list of %s: %d certificates, issued %s, %s", l.Name, l.Len(), l.ThisUpdate.Format(time.RFC3339), signature)
		if l.Stale(now, rules.MaxAge) {
			o.line("stale: that list; it is used all the same (fetch a new one)")
		}
	}
}

// loadPolicy reads the policy of path, or gives the embedded one.
func loadPolicy(path string) (*policy.Policy, error) {
	if path == "" {
		return policy.Default(), nil
	}
	return policy.Load(path)
}
