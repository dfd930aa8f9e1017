package accuracy

import (
	"fmt"
	"math"
)

// Share is how many of so many.
type Share struct {
	K    int     `json:"k"`
	N    int     `json:"n"`
	Low  float64 `json:"low"`  // lower end of the Wilson interval of 95 %
	High float64 `json:"high"` // upper end
}

// share gives k of n with the interval that Wilson (1927) gives for a probability at which n independent trials succeed k times.
func share(k, n int) Share {
	s := Share{K: k, N: n, High: 1}
	if n == 0 {
		return s
	}
	const z = 1.959964
	p, m := float64(k)/float64(n), float64(n)
	middle, half := p+z*z/(2*m), z*math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	s.Low, s.High = max(0, (middle-half)/(1+z*z/m)), min(1, (middle+half)/(1+z*z/m))
	if k == 0 {
		s.Low = 0
	}
	if k == n {
		s.High = 1
	}
	return s
}

// String writes the share in percent, with its interval.
func (s Share) String() string {
	if s.N == 0 {
		return "-"
	}
	return fmt.Sprintf("%s %% (%s to %s)", percent(float64(s.K)/float64(s.N)), percent(s.Low), percent(s.High))
}

// percent writes a share with as many digits as tell it from all.
func percent(p float64) string {
	switch {
	case p == 0 || p == 1:
		return fmt.Sprintf("%.0f", 100*p)
	case p > 0.99 || p < 0.01:
		return fmt.Sprintf("%.3f", 100*p)
	}
	return fmt.Sprintf("%.1f", 100*p)
}
