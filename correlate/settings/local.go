package settings

// Local tells whether the value of a setting in force ends with the transaction.
func (s *Session) Local(name string) bool {
	for i := range s.now.entries {
		if e := &s.now.entries[i]; e.name == name {
			return e.hasLocal
		}
	}
	return false
}
