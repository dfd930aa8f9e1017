package audit

import (
	"fmt"
	"slices"
	"strings"
)

// Difference compares two files as sets of lines and shows the first line that each has alone; "" if there is none.
func Difference(live, replayed string) (string, error) {
	var sorted [2][]string
	for i, path := range []string{live, replayed} {
		err := EachLine(path, func(line []byte) error {
			sorted[i] = append(sorted[i], string(line))
			return nil
		})
		if err != nil {
			return "", err
		}
		slices.Sort(sorted[i])
	}
	if slices.Equal(sorted[0], sorted[1]) {
		return "", nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "  live has %d lines, the replay %d\n", len(sorted[0]), len(sorted[1]))
	for i, name := range []string{"live", "replay"} {
		for _, line := range sorted[i] {
			if _, found := slices.BinarySearch(sorted[1-i], line); !found {
				fmt.Fprintf(&b, "  only %s: %s\n", name, line)
				break
			}
		}
	}
	return b.String(), nil
}
