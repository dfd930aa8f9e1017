package policy

import "encoding/json"

// memberOracle reads a member of a member through maps.
func memberOracle(text, first, second string) string {
	var outer map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &outer) != nil {
		return ""
	}
	var inner map[string]json.RawMessage
	if json.Unmarshal(outer[first], &inner) != nil {
		return ""
	}
	var number json.Number
	var word string
	if json.Unmarshal(inner[second], &word) == nil {
		return word
	}
	if json.Unmarshal(inner[second], &number) == nil {
		return number.String()
	}
	return ""
}
