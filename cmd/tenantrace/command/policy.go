package command

import (
	"context"
	"time"

	"tenantrace/correlate/policy"
)

func (p *Program) policyCheck() subcommand {
	return subcommand{
		name: "policy check", args: "FILE", summary: "tell whether a policy file is right",
		text: `Prints the policy's hash, or every fault with its line. Exits with 0 or 1.`,
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
			out.line("%s: ok, %s", file, rules.Hash())
			for _, past := range rules.Expired(time.Now()) {
				out.line("ended: %s", past)
			}
			return wrote(out.err)
		},
	}
}

// loadPolicy reads the policy of path, or gives the embedded one.
func loadPolicy(path string) (*policy.Policy, error) {
	if path == "" {
		return policy.Default(), nil
	}
	return policy.Load(path)
}
