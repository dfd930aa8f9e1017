package recording

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"tenantrace/collector/event"
)

// Handler takes events in the order in which they were observed.
type Handler interface {
	Handle(event.Event)
}

// Output takes whole lines, one per Write. A line that it gives up (a full disk) counts in Lost and is no error of Write.
type Output interface {
	io.Writer
	Lost() uint64 // lines given up so far
}

// Writer records every event and hands it on. It is for one goroutine at a time, as Handle is.
type Writer struct {
	out     Output
	next    Handler
	started time.Time
	begun   bool   // the header line is written
	lost    uint64 // of out, as last looked at
	line    []byte
}

// NewWriter gives the Writer that records each event to out before next handles it. The header line goes out with the first event.
func NewWriter(out Output, started time.Time, next Handler) *Writer {
	return &Writer{out: out, next: next, started: started, lost: out.Lost()}
}

// Handle records e and hands it to the next handler. Events that the output gave up leave an event.Lost in their place, so that a
// replay does not judge around a hole as if it were whole.
func (w *Writer) Handle(e event.Event) {
	if !w.begun {
		w.begin()
	}
	if lost := w.out.Lost(); lost != w.lost {
		w.write(&event.Lost{Header: event.Header{Time: e.Meta().Time}, Reason: "shed", Count: lost - w.lost})
		w.lost = lost
	}
	w.write(e)
	w.next.Handle(e)
}

func (w *Writer) begin() {
	line, err := json.Marshal(header{Format: Format, Version: Version, Started: w.started.UTC().Format(time.RFC3339Nano)})
	if err != nil {
		panic(fmt.Sprintf("recording: encode header: %v", err)) // three plain fields always encode
	}
	_, _ = w.out.Write(append(line, '\n'))
	w.begun = true
}

func (w *Writer) write(e event.Event) {
	kind := kindOf(e)
	if kind == "" {
		panic(fmt.Sprintf("recording: event type %T has no kind", e)) // TestEveryEventHasAKind fails before this can
	}
	body, err := json.Marshal(e)
	if err != nil {
		panic(fmt.Sprintf("recording: encode %s: %v", kind, err)) // plain value types always encode
	}
	w.line = append(w.line[:0], `{"k":"`...)
	w.line = append(w.line, kind...)
	w.line = append(w.line, `","e":`...)
	w.line = append(w.line, body...)
	w.line = append(w.line, "}\n"...)
	// A failed write is the output's to count and to say: recording never stops the tracing.
	_, _ = w.out.Write(w.line)
}
