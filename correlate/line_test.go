package correlate

import "testing"

func TestStamp(t *testing.T) {
	var s stamp
	for _, at := range []int64{0, 1, 999_999_999, 1_000_000_000, 1_700_000_000_000_000_000, 1_700_000_000_999_999_999, 1_700_000_000_000_000_007, 253_402_300_799_999_999, -1, -1_000_000_001} {
		if got, want := s.format(at), formatTime(at); got != want {
			t.Errorf("%d: %s, want %s", at, got, want)
		}
	}
}
