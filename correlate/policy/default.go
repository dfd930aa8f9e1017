package policy

import (
	_ "embed"
	"fmt"
)

//go:embed default.yaml
var defaultYAML []byte

// Default returns the policy that holds without a policy file. Sections that a policy file leaves out are taken from it.
func Default() *Policy {
	p, err := parse("default.yaml", defaultYAML, "", reader{}, nil)
	if err != nil {
		panic(fmt.Sprintf("the embedded policy is broken: %v", err)) // a test loads it
	}
	return p
}
