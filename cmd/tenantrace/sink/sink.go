// Package sink writes the daemon's lines (findings, verdicts, the recording) to files, pipes and standard output. Whoever writes a line
// never waits for the disk and never fails with it: a failed write is counted and said, and tried again while there is room.
package sink

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	flushDelay    = 20 * time.Millisecond  // a line waits this long for others to be written with it
	retryInterval = 100 * time.Millisecond // a failed write is tried again after this
	sayInterval   = time.Minute            // a lasting fault is said this often
	defaultLimit  = 8 << 20
)

// Stdout is the path that means standard output.
const Stdout = "-"

// Config says what to write where.
type Config struct {
	Name     string    // of the sink, in metrics and log lines: findings, verdicts, recording
	Path     string    // a file, or Stdout
	Stdout   io.Writer // what Stdout means
	Truncate bool      // the first line written replaces what the file held, instead of being appended
	Wait     bool      // a full buffer waits for its output instead of losing lines: for a replay, where nothing is lost by waiting
	Limit    int       // most bytes held while the output does not take them; 0: 8 MiB
	Log      *slog.Logger
	Metrics  *Metrics
}

// Lines is an output of whole lines. Its methods may be called from several goroutines.
type Lines struct {
	cfg  Config
	done chan struct{} // closed when the writing goroutine has ended
	wake chan struct{} // asks it to look at once

	mu      sync.Mutex
	room    *sync.Cond // signalled when buffered bytes were taken or the output was given up
	buf     []byte     // whole lines that wait to be written
	lost    uint64
	closing bool

	// For the writing goroutine, and for Open before it starts.
	outMu   sync.Mutex
	out     io.Writer
	file    *os.File // out, when it is ours to close
	pending []byte   // lines taken from buf
	partial int      // bytes of pending's first line that out already has
	begun   bool     // the file was emptied (Config.Truncate)
	said    time.Time
	muted   uint64 // faults since said
}

// Open opens the output and starts writing. A file that cannot be opened is an error that names it.
func Open(cfg Config) (*Lines, error) {
	if cfg.Limit == 0 {
		cfg.Limit = defaultLimit
	}
	s := &Lines{cfg: cfg, done: make(chan struct{}), wake: make(chan struct{}, 1), out: cfg.Stdout}
	s.room = sync.NewCond(&s.mu)
	if cfg.Path != Stdout {
		f, err := openFile(cfg.Path)
		if err != nil {
			return nil, fmt.Errorf("open %s file %q: %w [name a file that can be written, or %q for standard output]", cfg.Name, cfg.Path, err, Stdout)
		}
		s.out, s.file = f, f
	}
	go s.run()
	return s, nil
}

// Write takes one or more whole lines, each ended by a newline. It never fails; when the buffer is full it loses the lines and counts
// them, or waits (Config.Wait).
func (s *Lines) Write(lines []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.cfg.Wait && !s.closing && len(s.buf) > 0 && len(s.buf)+len(lines) > s.cfg.Limit {
		s.poke()
		s.room.Wait()
	}
	if s.closing || len(s.buf) > 0 && len(s.buf)+len(lines) > s.cfg.Limit {
		s.lose(lines)
		return len(lines), nil
	}
	if len(s.buf) == 0 {
		time.AfterFunc(flushDelay, s.poke)
	}
	s.buf = append(s.buf, lines...)
	if len(s.buf) > s.cfg.Limit/4 {
		s.poke()
	}
	return len(lines), nil
}

// Lost gives the number of lines that the output never took.
func (s *Lines) Lost() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// Reopen opens the file again by its name, as after a rotation; standard output stays as it is. On an error the old file stays in use.
func (s *Lines) Reopen() error {
	if s.cfg.Path == Stdout {
		return nil
	}
	s.outMu.Lock()
	defer s.outMu.Unlock()
	s.flush() // what was written before the rotation belongs to the old file
	f, err := openFile(s.cfg.Path)
	if err != nil {
		return fmt.Errorf("reopen %s file %q: %w [the old file stays in use]", s.cfg.Name, s.cfg.Path, err)
	}
	old := s.file
	s.out, s.file, s.partial = f, f, 0 // a line that the old file has in part is written whole
	return old.Close()
}

// Close writes what is buffered and closes the output. An output that does not take it within timeout loses it, which is counted and
// returned as an error.
func (s *Lines) Close(timeout time.Duration) error {
	s.mu.Lock()
	s.closing = true
	s.room.Broadcast()
	s.mu.Unlock()
	s.poke()
	select {
	case <-s.done:
	case <-time.After(timeout):
		return fmt.Errorf("close %s: output %q did not take its last lines within %v", s.cfg.Name, s.cfg.Path, timeout)
	}
	s.outMu.Lock()
	defer s.outMu.Unlock()
	var err error
	s.mu.Lock()
	s.pending, s.buf = append(s.pending, s.buf...), nil
	s.mu.Unlock()
	if len(s.pending) > 0 {
		err = fmt.Errorf("close %s: output %q never took its last %d lines", s.cfg.Name, s.cfg.Path, bytes.Count(s.pending, []byte{'\n'}))
		s.giveUp()
	}
	if s.file != nil {
		err = errors.Join(err, s.file.Close())
	}
	return err
}

func (s *Lines) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// lose counts lines as lost; mu is held.
func (s *Lines) lose(lines []byte) {
	n := uint64(bytes.Count(lines, []byte{'\n'}))
	s.lost += n
	s.cfg.Metrics.lost.WithLabelValues(s.cfg.Name).Add(float64(n))
}

// run writes until Close.
func (s *Lines) run() {
	defer close(s.done)
	for range s.wake {
		s.outMu.Lock()
		s.flush()
		if len(s.pending) > 0 {
			time.AfterFunc(retryInterval, s.poke)
		}
		s.outMu.Unlock()
		s.mu.Lock()
		end := s.closing
		s.mu.Unlock()
		if end {
			s.outMu.Lock()
			s.flush() // lines that came between the last flush and closing
			s.outMu.Unlock()
			return
		}
	}
}

// flush writes until all lines are written or a write fails; outMu is held.
func (s *Lines) flush() {
	for {
		if len(s.pending) == 0 {
			s.take()
			if len(s.pending) == 0 {
				return
			}
		}
		err := s.truncate()
		if err == nil {
			var n int
			n, err = s.out.Write(s.pending[s.partial:])
			s.written(n)
		}
		if err != nil {
			s.failed(err)
			return
		}
	}
}

// truncate empties a regular file before its first line, if that was asked for.
func (s *Lines) truncate() error {
	if s.begun || !s.cfg.Truncate || s.file == nil {
		return nil
	}
	info, err := s.file.Stat()
	if err == nil && info.Mode().IsRegular() {
		err = s.file.Truncate(0)
	}
	s.begun = err == nil
	return err
}

// take moves the buffered lines to pending, which is empty.
func (s *Lines) take() {
	s.mu.Lock()
	s.pending, s.buf = s.buf, s.pending[:0]
	s.room.Broadcast()
	s.mu.Unlock()
}

// written drops the whole lines among the n further bytes that out took.
func (s *Lines) written(n int) {
	end := s.partial + n
	whole := bytes.LastIndexByte(s.pending[:end], '\n') + 1
	s.pending, s.partial = append(s.pending[:0], s.pending[whole:]...), end-whole
}

// failed counts a fault and says it, at most once a minute. Lines for a pipe that nobody reads any more are given up at once: it never
// comes back. Others are kept and tried again.
func (s *Lines) failed(err error) {
	s.cfg.Metrics.errors.WithLabelValues(s.cfg.Name).Inc()
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, os.ErrClosed) {
		s.giveUp()
	}
	if s.said.IsZero() || time.Since(s.said) >= sayInterval {
		s.cfg.Log.Error("cannot write output; tracing goes on", "sink", s.cfg.Name, "path", s.cfg.Path, "err", err, "unsaid_errors", s.muted, "lost_lines", s.Lost())
		s.said, s.muted = time.Now(), 0
		return
	}
	s.muted++
}

// giveUp loses the pending lines; outMu is held.
func (s *Lines) giveUp() {
	s.mu.Lock()
	s.lose(s.pending)
	s.room.Broadcast()
	s.mu.Unlock()
	s.pending, s.partial = s.pending[:0], 0
}
