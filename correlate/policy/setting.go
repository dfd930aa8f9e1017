package policy

import (
	"bytes"
	"encoding/json"
	"strings"
)

// maxSetting is the longest value that is read as JSON, in bytes.
const maxSetting = 64 << 10

// String writes the setting as policies do.
func (s *Setting) String() string {
	if s.Member == nil {
		return s.Name
	}
	return s.Name + "#" + strings.Join(s.Member, ".")
}

// Tenant returns the tenant that a value of the setting names, normalised, or "". Text that is no JSON, a member that is missing, stands
// twice, or is neither a string nor a number, name none.
func (s *Setting) Tenant(value string) string {
	if s.Member == nil {
		return cleanName(value)
	}
	if len(value) > maxSetting || !json.Valid([]byte(value)) {
		return ""
	}
	raw := json.RawMessage(value)
	for _, name := range s.Member {
		if raw = member(raw, name); raw == nil {
			return ""
		}
	}
	return cleanName(scalar(raw))
}

// member returns the member of a JSON object, nil if it has none of that name or two: readers differ about which of them counts.
func member(object json.RawMessage, name string) json.RawMessage {
	dec := json.NewDecoder(bytes.NewReader(object))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	var found json.RawMessage
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return nil
		}
		if key != name {
			continue
		}
		if found != nil {
			return nil
		}
		found = value
	}
	return found
}

// scalar returns the text of a JSON string, or of a number as it is written.
func scalar(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return ""
	}
	if c := raw[0]; c == '-' || '0' <= c && c <= '9' {
		return string(raw)
	}
	var text string
	if json.Unmarshal(raw, &text) != nil || strings.ContainsRune(text, '\ufffd') {
		return ""
	}
	return text
}
