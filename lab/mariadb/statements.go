package mariadb

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
)

// logged is a line of the general log that begins a statement: a time or none, the session's number, the command. Texts must be of one line, as the lab's are.
var logged = regexp.MustCompile(`^(?:\d{6} +\d+:\d\d:\d\d)?\t+ *\d+ (?:Query|Execute)\t`)

// Statements counts the statements that the server has logged so far.
func (s *Server) Statements() (int, error) {
	file, err := os.Open(s.log)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read log of MariaDB: %w", err)
	}
	defer file.Close()
	n := 0
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if logged.Match(lines.Bytes()) {
			n++
		}
	}
	if err := lines.Err(); err != nil {
		return 0, fmt.Errorf("read log of MariaDB: %w", err)
	}
	return n, nil
}
