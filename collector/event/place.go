package event

// ProcessPlaced says where a process belongs, as far as the policy's selectors ask. It follows the process's ProcessStarted, and comes again when what it
// says has changed: it takes the place of an earlier one. A process without one is in no such place.
type ProcessPlaced struct {
	Header
	PIDFiles  []string `json:"pid_files,omitempty"` // files that hold its id, or that of a process it descends from
	Image     string   `json:"image,omitempty"`     // of its container, as the runtime names it
	Namespace string   `json:"namespace,omitempty"` // of its pod
	Pod       string   `json:"pod,omitempty"`
	Container string   `json:"container,omitempty"` // name of its container in the pod
}
