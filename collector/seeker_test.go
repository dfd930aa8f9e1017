package collector

import (
	"testing"
	"time"
)

// search plays a seeker against a clock.
type search struct {
	*seeker
	now     int64
	refuse  bool // the wish is not taken
	on      bool
	begun   int
	unfound int
	lasted  time.Duration
}

const searched = 7 // a process

func newSearch(t *testing.T) *search {
	s := &search{now: 1}
	s.seeker = newSeeker(func(pid uint32, on bool) bool {
		if pid != searched || on == s.on {
			t.Errorf("process %d, search %v, which it is already", pid, on)
		}
		if s.refuse {
			return false
		}
		if s.on = on; on {
			s.begun++
		}
		return true
	}, func(uint32) int { return s.unfound })
	return s
}

// pass lets time go by, with reads without a socket or without.
func (s *search) pass(d time.Duration, reads bool) {
	for end := s.now + int64(d); s.now < end; s.now += int64(TickInterval) {
		if reads {
			s.want(searched, s.now)
		}
		s.tick(s.now)
		if s.on {
			s.lasted += TickInterval
		}
	}
}

func TestSearchEndsWhenAllAreFound(t *testing.T) {
	s := newSearch(t)
	s.unfound = 3
	s.pass(5*time.Second, true)
	if !s.on {
		t.Fatal("no search, although connections move without a socket")
	}
	s.unfound = 0
	s.pass(seekHysteresis/2, false)
	if !s.on {
		t.Error("the search ended at once: the next connection would begin it again")
	}
	s.pass(seekHysteresis, false)
	if s.on || s.begun != 1 {
		t.Errorf("on %v, begun %d times; want one that has ended", s.on, s.begun)
	}
	s.pass(seekForget, false)
	if len(s.processes) != 0 {
		t.Error("the process is not forgotten")
	}
}

func TestSearchRestsWhileNothingMoves(t *testing.T) {
	s := newSearch(t)
	s.unfound = 1
	s.pass(time.Second, true)
	s.pass(seekIdle+time.Second, false)
	if s.on {
		t.Error("the search goes on, although the connection is idle")
	}
	s.pass(time.Second, true)
	if !s.on {
		t.Error("the search did not begin again with the next read")
	}
}

// A client that keeps its connections from being found must not keep the probes attached.
func TestSearchHasItsShareOfTimeOnly(t *testing.T) {
	s := newSearch(t)
	s.unfound = 1
	const all = 2 * time.Hour
	s.pass(all, true)
	if most := seekFree + all/seekShare + time.Minute; s.lasted > most {
		t.Errorf("the search lasted %v of %v, want at most %v", s.lasted, all, most)
	}
	if s.begun > int(all/time.Minute) {
		t.Errorf("the search began %d times in %v: each time probes are attached", s.begun, all)
	}
	if s.lasted < all/seekShare {
		t.Errorf("the search lasted %v of %v, want at least %v", s.lasted, all, all/seekShare)
	}
}

func TestSearchOfAProcessThatExits(t *testing.T) {
	s := newSearch(t)
	s.unfound = 1
	s.pass(time.Second, true)
	s.refuse, s.unfound = true, 0
	s.exited(searched)
	s.refuse = false
	s.pass(time.Second, false)
	if s.on {
		t.Error("the search goes on in a process that has ended")
	}
	s.exited(searched)
	if len(s.processes) != 0 {
		t.Error("the process is not forgotten")
	}
}
