package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"tenantrace/correlate/policy"
)

// policyPseudonym is the way from a name to its pseudonym for who has the key. There is none back, but for trying names.
func (p *Program) policyPseudonym() subcommand {
	var file string
	return subcommand{
		name: "policy pseudonym", args: "NAME...", summary: "tell the pseudonyms of names under a policy's key",
		text: `Prints each NAME with the pseudonym that verdicts and findings have for it. Names are compared as those of tenants are: without case and
surrounding white space. It needs the key of the policy, and knows the key in force alone: the id after "hmac:" says which wrote a pseudonym.`,
		flags: func(set *pflag.FlagSet) { addPolicyFlag(set, &file) },
		run: func(_ context.Context, operands []string) error {
			if len(operands) == 0 {
				return usageError{"no names [write those whose pseudonyms are asked for]"}
			}
			rules, err := loadPolicy(file)
			if err != nil {
				return err
			}
			key := rules.Key()
			if key == nil {
				return errors.New("the policy has no key: it hides nothing [name one with privacy.key: --policy FILE]")
			}
			out := printing{w: p.Stdout}
			for _, name := range operands {
				pseudonym := key.Of(name)
				if pseudonym == "" {
					return fmt.Errorf("%q is no name [write at least one character]", name)
				}
				out.line("%s %s", pseudonym, name)
			}
			return wrote(out.err)
		},
	}
}

// privacy says what lines hide.
func (o *printing) privacy(rules *policy.Policy) {
	key := rules.Key()
	if key == nil {
		return
	}
	if rules.Pseudonyms() != nil {
		o.line("privacy: verdicts and findings name tenants by pseudonyms of key %s; what is printed here does not", key.KeyID())
	}
	if rules.KeepsValues() {
		o.line("privacy: verdicts and findings keep the values of statements as pseudonyms of key %s", key.KeyID())
	}
}
