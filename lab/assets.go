package lab

import _ "embed"

//go:embed policy.yaml
var policy []byte

//go:embed provision.sh
var provisionScript []byte
