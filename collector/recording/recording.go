// Package recording writes the event stream to a file and reads it back, so that a run can be judged again without its host.
//
// A recording is JSON lines. The first is a header, {"format":"tenantrace-recording","v":1,"started":"<RFC 3339>"}; each further line is
// one event, {"k":"<kind>","e":{…}}, where the kind is the event's type name in snake case and e its JSON. It holds what the collector
// saw, in plain text: SQL with its literals, bind values, paths and header values.
package recording

// Format and Version name the file format in its first line. The version grows when a reader of the old one would misread the new one.
const (
	Format  = "tenantrace-recording"
	Version = 1
)

// MaxLine is the longest line that is read, in bytes. A statement's text, its bind values and a result's rows are bounded by the
// collector far below it.
const MaxLine = 16 << 20

// header is the first line.
type header struct {
	Format  string `json:"format"`
	Version int    `json:"v"`
	Started string `json:"started"` // RFC 3339, UTC, nanoseconds
}
